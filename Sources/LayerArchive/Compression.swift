import OCIModel

/// How a blob is compressed, told by its first bytes and never by its name or media type.
public enum Compression: String, Sendable, CaseIterable {
    case none
    case gzip
    case zstd
    case xz
    case bzip2

    private static let sniffLength = 6

    /// Looks at a blob's first bytes.
    ///
    /// - Throws: `LayerError` of kind `.io`.
    public init(of blob: Blob) throws(LayerError) {
        let head = UnsafeMutableRawBufferPointer.allocate(byteCount: Compression.sniffLength, alignment: 1)
        defer { head.deallocate() }
        let count = try blob.read(into: head, at: 0)
        self.init(sniffing: UnsafeRawBufferPointer(rebasing: head[..<count]))
    }

    private init(sniffing bytes: UnsafeRawBufferPointer) {
        if bytes.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) || Compression.isSkippableFrame(bytes) {
            self = .zstd
        } else if bytes.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
            self = .xz
        } else if bytes.starts(with: [0x42, 0x5A, 0x68]), bytes.count > 3, (0x31...0x39).contains(bytes[3]) {
            self = .bzip2
        } else {
            self = .none
        }
    }

    /// RFC 8878 section 3.1.2: zstd data may begin with frames that a decoder skips.
    private static func isSkippableFrame(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= 4 && (0x50...0x5F).contains(bytes[0]) && bytes[1...].starts(with: [0x2A, 0x4D, 0x18])
    }
}

extension MediaType {
    /// How a layer of this type is compressed; nil for types of which that is not known.
    public var compression: Compression? {
        if rawValue.hasSuffix(".tar") { return Compression.none }
        if rawValue.hasSuffix("+gzip") || rawValue.hasSuffix(".tar.gzip") { return .gzip }
        return rawValue.hasSuffix("+zstd") ? .zstd : nil
    }
}

/// The compressed bytes of a blob in pieces; the bytes of a piece are valid until the next call. Empty at the
/// end.
typealias ChunkSource = () throws(LayerError) -> UnsafeRawBufferPointer

/// Turns compressed bytes into plain ones.
protocol Decompressor {
    /// Writes up to `buffer.count` plain bytes; returns 0 only at the end of the data.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int
}
