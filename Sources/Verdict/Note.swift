/// Something odd about an image that is no check's subject (a duplicate member, data after an archive's end …).
public struct Note: Hashable, Codable, Sendable {
    /// A stable name, as `tar.path.escape`: what scripts match.
    public var name: String
    /// The layer that it is about, from 1, the lowest first; nil for the image's documents.
    public var layer: Int?
    /// What it is about and what was made of it, in one line.
    public var message: String

    public init(name: String, layer: Int? = nil, message: String) {
        self.name = name
        self.layer = layer
        self.message = message
    }
}

extension Note: CustomStringConvertible {
    /// `layer 3: tar.path.escape: …`
    public var description: String {
        (layer.map { "layer \($0): " } ?? "") + "\(name): \(message)"
    }
}
