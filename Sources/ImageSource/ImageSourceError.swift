import LayerArchive
import OCIModel

/// Why an image could not be opened.
public struct ImageSourceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A bounded classification, made for matching and counting.
    public enum Kind: String, Sendable, CaseIterable {
        /// The name of the image does not parse, or names a transport that Assay does not have.
        case reference
        /// There is no such file, layout or image.
        case notFound
        /// The place holds several images and the name fits more than one, or none.
        case ambiguous
        /// The image's documents contradict each other, a blob is missing, or a digest or size does not hold.
        case untrustworthy
        /// The container engine is not installed, does not answer or refuses.
        case engine
        /// The file system refused.
        case io
    }

    public let kind: Kind
    /// What is wrong and where, in one line.
    public let message: String
    /// What the user can do about it.
    public let hint: String?

    public init(_ kind: Kind, _ message: String, hint: String? = nil) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    init(_ error: LayerError) {
        self.init(error.kind == .io ? .io : .untrustworthy, error.message)
    }

    init(_ error: ModelError, in place: String) {
        self.init(.untrustworthy, "\(place): \(error.message)")
    }

    public var description: String { message }
}
