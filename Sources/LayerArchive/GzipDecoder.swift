import CISAL

/// Gzip (RFC 1952) by ISA-L: all members of the data one after another, each with its checksum verified.
final class GzipDecoder: Decompressor {
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private let source: ChunkSource
    private var consumedBefore: Int64 = 0
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isInsideMember = true
    private var isAtEnd = false

    init(source: @escaping ChunkSource) {
        self.source = source
        isal_inflate_init(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
    }

    deinit { state.deallocate() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        guard !isAtEnd else { return 0 }
        state.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
        state.pointee.avail_out = UInt32(buffer.count)
        while state.pointee.avail_out > 0 {
            var inputEnded = false
            if state.pointee.avail_in == 0 { inputEnded = try !refill() }
            if !isInsideMember {
                if inputEnded {
                    isAtEnd = true
                    break
                }
                try beginNextMember()
            }
            let room = state.pointee.avail_out
            try inflate()
            // With the input used up, the decoder may still hold output that found no room before.
            if inputEnded, isInsideMember, state.pointee.avail_out == room {
                throw LayerError(.truncated, "gzip data end within a member, at compressed offset \(offset)")
            }
        }
        return buffer.count - Int(state.pointee.avail_out)
    }

    /// Position in the compressed data.
    private var offset: Int64 { consumedBefore + Int64(chunk.count) - Int64(state.pointee.avail_in) }

    private func refill() throws(LayerError) -> Bool {
        consumedBefore += Int64(chunk.count)
        chunk = try source()
        state.pointee.next_in = UnsafeMutablePointer(
            mutating: chunk.bindMemory(to: UInt8.self).baseAddress)
        state.pointee.avail_in = UInt32(chunk.count)
        return !chunk.isEmpty
    }

    private func beginNextMember() throws(LayerError) {
        guard state.pointee.next_in?.pointee == 0x1F else {
            throw LayerError(.corrupt, "data follow the gzip stream at compressed offset \(offset)")
        }
        isal_inflate_reset(state)
        state.pointee.crc_flag = UInt32(ISAL_GZIP)
        isInsideMember = true
    }

    private func inflate() throws(LayerError) {
        let code = isal_inflate(state)
        if code < 0 {
            throw LayerError(.corrupt, "\(GzipDecoder.problem(code)) at compressed offset \(offset)")
        }
        if state.pointee.block_state == ISAL_BLOCK_FINISH { isInsideMember = false }
    }

    private static func problem(_ code: Int32) -> String {
        switch code {
        case ISAL_INVALID_BLOCK: "invalid deflate block"
        case ISAL_INVALID_SYMBOL: "invalid deflate symbol"
        case ISAL_INVALID_LOOKBACK: "invalid deflate distance"
        case ISAL_INVALID_WRAPPER: "invalid gzip header"
        case ISAL_UNSUPPORTED_METHOD: "gzip compression method is not deflate"
        case ISAL_INCORRECT_CHECKSUM: "gzip checksum does not match"
        default: "gzip decoder error \(code)"
        }
    }
}
