/// Why a report could not be made, read or written.
public struct ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A bounded classification, made for matching and counting.
    public enum Kind: String, Sendable, CaseIterable {
        /// A saved run record was written by a newer version of the tool.
        case newerVersion
        /// A saved run record is not one, or is damaged.
        case malformedRecord
        /// The record holds a value that the format cannot express.
        case notRepresentable
        /// The path does not name a file that a report may be written to.
        case unsuitablePath
        /// The operating system refused.
        case writeFailed
    }

    public let kind: Kind
    /// What failed, on what, why and what to do, in one line; text from outside is escaped.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
