/// Why a blob or a layer could not be read. A layer that ends in an error has no entries: never fewer of them.
public struct LayerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A bounded classification, made for matching and counting.
    public enum Kind: String, Sendable, CaseIterable {
        /// The file could not be opened or read.
        case io
        /// The data end before they should.
        case truncated
        /// The data are damaged.
        case corrupt
        /// The uncompressed data are not a tar archive.
        case notTar
        /// The data do not have the digest by which they are named.
        case digestMismatch
        /// The data do not have the size that the descriptor states.
        case sizeMismatch
        /// A bound of `Limits` was exceeded.
        case limit
        /// The process that reads layers ended, was stuck, or gave an answer that is none.
        case reader
    }

    public let kind: Kind
    /// What is wrong and where, in one line.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }

    func inLayer(_ name: String) -> LayerError { LayerError(kind, "\(name): \(message)") }
}
