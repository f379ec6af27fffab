import Verdict

/// One thing wrong with a suite, with the place where it is written.
public struct SuiteDiagnostic: Hashable, Sendable, CustomStringConvertible {
    /// Nil when the file as a whole is meant, or no file at all; the message then says which.
    public var position: SourcePosition?
    public var message: String
    /// What was probably meant.
    public var suggestion: String?

    public init(_ position: SourcePosition?, _ message: String, suggestion: String? = nil) {
        self.position = position
        self.message = message
        self.suggestion = suggestion
    }

    /// `file:line:column: message; did you mean …?`
    public var description: String {
        let place = position.map { "\($0): " } ?? ""
        return place + message + (suggestion.map { "; did you mean \($0)?" } ?? "")
    }
}

/// Why a suite cannot be used: everything that is wrong with it, in the order of its files and lines.
public struct SuiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At most `SuiteReading.maximumDiagnostics`.
    public let diagnostics: [SuiteDiagnostic]
    /// How many more there were.
    public let omitted: Int

    public init(_ diagnostics: [SuiteDiagnostic], omitted: Int = 0) {
        self.diagnostics = diagnostics
        self.omitted = omitted
    }

    public var description: String {
        var lines = diagnostics.map(\.description)
        if omitted > 0 { lines.append("… and \(omitted) more") }
        return lines.joined(separator: "\n")
    }
}

/// What goes along while a suite is read: the names that may be used, and everything found wrong so far.
public struct SuiteReading: Sendable {
    public static let maximumDiagnostics = 100

    /// The declared parameters; nil while they are not yet known, so that no use of one is reported.
    public var parameterNames: [String]?
    /// The declared variants; nil while they are not yet known.
    public var variantNames: [String]?
    /// The containers and commands of the scenario that the check at hand looks at; empty when it looks at none.
    public var observableNames: [String] = []
    /// Services of the scenario of the check that is being read.
    public var serviceNames: [String] = []
    /// The containers of that scenario that steps look at, and the files of each, by the container's name: those
    /// whose content is kept, and all.
    public var lookedAt: [String: (contents: [Template], all: [Template])] = [:]
    /// Files that the services of the scenario make which is being read: `SERVICE.FILE`.
    var serviceFiles: [String] = []
    public private(set) var diagnostics: [SuiteDiagnostic] = []
    private var omitted = 0

    public init(parameterNames: [String]? = nil) {
        self.parameterNames = parameterNames
    }

    /// Whether nothing is wrong so far.
    public var isClean: Bool { diagnostics.isEmpty }

    public mutating func report(_ position: SourcePosition?, _ message: String, suggestion: String? = nil) {
        let diagnostic = SuiteDiagnostic(position, message, suggestion: suggestion)
        if diagnostics.contains(diagnostic) { return }
        if diagnostics.count < SuiteReading.maximumDiagnostics {
            diagnostics.append(diagnostic)
        } else {
            omitted += 1
        }
    }

    /// - Throws: `SuiteError` when anything was reported; sorted by file, line and column.
    public func finish() throws(SuiteError) {
        guard isClean else {
            throw SuiteError(diagnostics.sorted(by: SuiteReading.precedes), omitted: omitted)
        }
    }

    private static func precedes(_ left: SuiteDiagnostic, _ right: SuiteDiagnostic) -> Bool {
        func key(_ diagnostic: SuiteDiagnostic) -> (String, Int, Int, String) {
            let position = diagnostic.position
            return (position?.file ?? "", position?.line ?? 0, position?.column ?? 0, diagnostic.message)
        }
        return key(left) < key(right)
    }
}
