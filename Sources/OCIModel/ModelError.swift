/// What is wrong with a document, name or number that came from outside.
public struct ModelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A bounded classification, made for matching and counting.
    public enum Kind: String, Sendable, CaseIterable {
        case digest
        case json
        case jsonLimit
        case duplicateKey
        case manifest
        case config
        case platform
        case reference
        case limit
    }

    public let kind: Kind
    /// What is wrong, where, in one line; text from the image is escaped.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
