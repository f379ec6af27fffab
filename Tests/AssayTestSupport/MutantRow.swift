import Foundation

/// A line of the matrix that `scripts/mutants` makes a report of: what one image had to fail, and what it failed.
public struct MutantRow: Codable, Sendable {
    /// Nil for an image that keeps the contract.
    public var mutant: String?
    /// The statement of the document that the mutant breaks; nil for what only the Dockerfile says.
    public var statement: String?
    /// The image that was changed.
    public var image: String
    public var expected: [String]
    public var failing: [String]
    /// Checks that could not decide.
    public var errors: [String]

    public init(
        mutant: String?, statement: String?, image: String, expected: some Sequence<String>,
        failing: some Sequence<String>, errors: some Sequence<String>
    ) {
        (self.mutant, self.statement, self.image) = (mutant, statement, image)
        (self.expected, self.failing, self.errors) = (expected.sorted(), failing.sorted(), errors.sorted())
    }

    /// Where `scripts/mutants` wants the matrix; nil in any other run of the tests.
    public static var file: String? { ProcessInfo.processInfo.environment["ASSAY_MUTANT_MATRIX"] }

    public static func write(_ rows: [MutantRow], to file: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(rows).write(to: URL(fileURLWithPath: file))
    }
}
