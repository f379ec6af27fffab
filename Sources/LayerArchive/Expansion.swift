import OCIModel

/// Bounds on what compressed data grow to.
struct ExpansionGuard {
    private let limits: Limits
    private let largest: Int64
    private let largestByRatio: Int64

    /// So much may come out of however little.
    private static let free: Int64 = 1 << 30

    init(_ limits: Limits, compressedSize: Int64) {
        self.limits = limits
        largest = limits[.layerSize]
        let (product, overflow) = max(1, compressedSize).multipliedReportingOverflow(by: limits[.layerRatio])
        largestByRatio = overflow ? .max : max(ExpansionGuard.free, product)
    }

    /// - Parameter total: uncompressed bytes so far.
    /// - Throws: `LayerError` of kind `.limit`.
    func check(_ total: Int64) throws(LayerError) {
        guard total <= largest else {
            throw LayerError(.limit, "the uncompressed data have \(limits.exceeded(.layerSize))")
        }
        guard total <= largestByRatio else {
            throw LayerError(.limit, "the data grow by \(limits.exceeded(.layerRatio))")
        }
    }
}

extension Compression {
    /// Refuses data whose decoder would need more memory than the limit, before there is a decoder.
    ///
    /// - Throws: `LayerError` of kind `.limit` or `.io`.
    func checkWindow(of blob: Blob, _ limits: Limits) throws(LayerError) {
        guard let window = try window(of: blob), window > limits[.window] else { return }
        throw LayerError(.limit, "\(rawValue) data ask for \(window) bytes, \(limits.exceeded(.window))")
    }

    /// Bytes of the window that the first frame of zstd data, or the first block of xz data, asks for; nil where the
    /// format bounds it, or where the header is not one. What comes later libarchive bounds.
    private func window(of blob: Blob) throws(LayerError) -> Int64? {
        switch self {
        case .none, .gzip, .bzip2: return nil
        case .zstd:
            var position: Int64 = 0
            // RFC 8878 section 3.1.2, skippable frames.
            for _ in 0..<64 {
                let head = try blob.prefix(8, at: position)
                guard head.count == 8, (0x50...0x5F).contains(head[0]),
                    head[1...3].elementsEqual([0x2A, 0x4D, 0x18])
                else { break }
                position += 8 + head[4...].littleEndian
            }
            return Compression.zstdWindow(try blob.prefix(18, at: position))
        case .xz: return Compression.xzDictionary(try blob.prefix(12 + 1024, at: 0))
        }
    }

    /// RFC 8878 section 3.1.1.1: descriptor, window, dictionary ID and content size of a frame.
    private static func zstdWindow(_ header: [UInt8]) -> Int64? {
        guard header.count >= 6 else { return nil }
        let descriptor = header[4]
        if descriptor & 0x20 == 0 {
            let base = Int64(1) << (10 + Int64(header[5] >> 3))
            return base + base / 8 * Int64(header[5] & 7)
        }
        let start = 5 + [0, 1, 2, 4][Int(descriptor & 3)]
        let length = [1, 2, 4, 8][Int(descriptor >> 6)]
        guard header.count >= start + length else { return nil }
        let size = header[start..<start + length].littleEndian
        return length == 2 ? size + 256 : size
    }

    /// The .xz file format, sections 3.1 and 5.3.1: the dictionary of the LZMA2 filter of the first block.
    private static func xzDictionary(_ header: [UInt8]) -> Int64? {
        guard header.count > 14, header[12] != 0 else { return nil }
        var position = 14
        func integer() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: 0, to: 63, by: 7) {
                guard position < header.count else { return nil }
                let byte = header[position]
                position += 1
                value |= UInt64(byte & 0x7F) << UInt64(shift)
                if byte & 0x80 == 0 { return value }
            }
            return nil
        }
        if header[13] & 0x40 != 0, integer() == nil { return nil }
        if header[13] & 0x80 != 0, integer() == nil { return nil }
        for _ in 0...(header[13] & 3) {
            guard let filter = integer(), let length = integer(), length <= 16 else { return nil }
            guard position + Int(length) <= header.count else { return nil }
            if filter == 0x21, length == 1 {
                let bits = Int64(header[position] & 0x3F)
                return bits >= 40 ? Int64(UInt32.max) : (2 | bits & 1) << (bits / 2 + 11)
            }
            position += Int(length)
        }
        return nil
    }
}

extension Blob {
    /// Up to `count` bytes at a position; fewer at the end.
    fileprivate func prefix(_ count: Int, at position: Int64) throws(LayerError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        let length = try read(into: buffer, at: position)
        return Array(buffer[..<length])
    }
}

extension ArraySlice<UInt8> {
    /// The number they are, the lowest byte first; at most `Int64.max`.
    fileprivate var littleEndian: Int64 {
        Int64(clamping: reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
