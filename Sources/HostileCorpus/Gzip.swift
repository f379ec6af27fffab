import LayerArchive
import OCIModel

/// Gzip data made of stored blocks: valid for every reader, and made without a compressor.
public func gzipped(_ plain: [UInt8]) -> [UInt8] {
    var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
    var rest = plain[...]
    repeat {
        let block = rest.prefix(65_535)
        rest = rest.dropFirst(block.count)
        let length = UInt16(block.count)
        output.append(rest.isEmpty ? 1 : 0)
        output += [UInt8(length & 0xFF), UInt8(length >> 8), UInt8(~length & 0xFF), UInt8(~length >> 8)]
        output += block
    } while !rest.isEmpty
    return output + gzipTrailer(checksum: crc32(plain), size: plain.count)
}

/// Gzip data of an archive whose blocks of 512 bytes resemble the block before, as headers of empty files do: a
/// fraction of its size, and the archive itself need never be in memory.
///
/// - Parameter nextBlock: gives the blocks, 512 bytes each; nil at the end.
/// - Returns: the data, and the digest of the archive.
public func gzippedBlocks(_ nextBlock: () -> [UInt8]?) throws -> (data: [UInt8], digest: Digest) {
    var bits = BitWriter(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    let digester = Digester(.sha256)
    var checksum = UInt32.max
    var size = 0
    var last: [UInt8] = []
    bits.append(0b011, 3)  // the last block of deflate data, with the fixed codes (RFC 1951 section 3.2.6)
    while let block = nextBlock() {
        block.withUnsafeBytes { digester.update($0) }
        checksum = updated(checksum, block)
        size += block.count
        var position = 0
        while position < block.count {
            var length = 0
            while length < 258, position + length < block.count, last.count == block.count,
                block[position + length] == last[position + length]
            {
                length += 1
            }
            if length < 3 {
                bits.appendLiteral(block[position])
                position += 1
            } else {
                bits.appendMatch(length: length)
                position += length
            }
        }
        last = block
    }
    bits.append(0, 7)
    return (bits.finished + gzipTrailer(checksum: ~checksum, size: size), try digester.finish())
}

/// Gzip data of a stored beginning and zeros after it, about a thousandth of their size.
///
/// - Parameters:
///   - zeros: a multiple of 258 and 2 more.
///   - checksum: CRC-32 of all of it.
public func gzippedZeros(after beginning: [UInt8], zeros: Int, checksum: UInt32) -> [UInt8] {
    var bits = BitWriter(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    bits.append(0, 8)  // a stored block
    let length = UInt16(beginning.count)
    bits.bytes += [UInt8(length & 0xFF), UInt8(length >> 8), UInt8(~length & 0xFF), UInt8(~length >> 8)]
    bits.bytes += beginning
    // A block with codes of its own (RFC 1951 section 3.2.7): literal 0 and the end have two bits, "258 bytes as
    // before" has one, and so has the only distance, 1.
    bits.append(0b101, 3)
    bits.append(29, 5)  // 286 codes for literals and lengths
    bits.append(0, 5)  // 1 for distances
    bits.append(14, 4)  // 18 code lengths, in their own order: 1 and 2 have codes, 0 and its repetition have
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]
    for symbol in order { bits.append([0, 1, 2, 18].contains(symbol) ? 2 : 0, 3) }
    // Canonical codes: 0 is 00, 1 is 01, 2 is 10, 18 is 11; written with the highest bit first.
    func one() { bits.append(0b10, 2) }
    func two() { bits.append(0b01, 2) }
    func zerosRepeated(_ count: Int) {
        bits.append(0b11, 2)
        bits.append(UInt32(count - 11), 7)
    }
    two()  // literal 0
    zerosRepeated(138)
    zerosRepeated(117)
    two()  // 256, the end
    zerosRepeated(28)
    one()  // 285, which is 258 bytes
    one()  // distance 1
    // Literal 0 is 10, the end 11, 285 is 0.
    for _ in 0..<2 { bits.append(0b01, 2) }
    for _ in 0..<(zeros - 2) / 258 { bits.append(0, 2) }
    bits.append(0b11, 2)
    return bits.finished + gzipTrailer(checksum: checksum, size: beginning.count + zeros)
}

private func gzipTrailer(checksum: UInt32, size: Int) -> [UInt8] {
    littleEndian(checksum, 4) + littleEndian(size, 4)
}

/// Bits as deflate packs them: the first is the lowest of a byte.
private struct BitWriter {
    var bytes: [UInt8]
    private var pending: UInt32 = 0
    private var count = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func append(_ value: UInt32, _ width: Int) {
        pending |= value << UInt32(count)
        count += width
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }

    /// A Huffman code, whose highest bit comes first.
    private mutating func appendCode(_ code: UInt32, _ width: Int) {
        for bit in (0..<width).reversed() { append(code >> UInt32(bit) & 1, 1) }
    }

    mutating func appendLiteral(_ byte: UInt8) {
        byte < 144 ? appendCode(0x30 + UInt32(byte), 8) : appendCode(0x190 + UInt32(byte) - 144, 9)
    }

    /// A copy of `length` bytes, 3...258, from 512 bytes before.
    mutating func appendMatch(length: Int) {
        // RFC 1951 section 3.2.5.
        let bases = [
            3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
            163,
            195, 227, 258,
        ]
        let index = bases.lastIndex { $0 <= length } ?? 0
        let symbol = UInt32(257 + index)
        symbol < 280 ? appendCode(symbol - 256, 7) : appendCode(0xC0 + symbol - 280, 8)
        let extra = index < 8 || index == 28 ? 0 : (index - 4) / 4
        append(UInt32(length - bases[index]), extra)
        // Distance code 17 is 385...512, with seven more bits.
        appendCode(17, 5)
        append(127, 7)
    }

    /// All the bytes, the last one filled up.
    var finished: [UInt8] { count > 0 ? bytes + [UInt8(truncatingIfNeeded: pending)] : bytes }
}

private let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 { ~updated(.max, bytes) }

private func updated(_ checksum: UInt32, _ bytes: [UInt8]) -> UInt32 {
    bytes.reduce(checksum) { crcTable[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
}
