import OCIModel

/// Bytes that cannot be what they should be.
struct MalformedBytes: Error {}

/// Writes the serial forms of this module: integers are little endian, what varies in length has its length before
/// it.
struct ByteWriter {
    /// What was written; with a receiver, what it has not been given yet.
    private(set) var bytes: [UInt8] = []
    private var receiver: ((UnsafeRawBufferPointer) -> Void)?
    private static let pieceSize = 256 << 10

    init() {}

    /// Hands what is written on, piece by piece: the whole is never in memory.
    init(receiver: @escaping (UnsafeRawBufferPointer) -> Void) { self.receiver = receiver }

    /// Hands on what is left.
    mutating func flush() {
        guard let receiver else { return }
        bytes.withUnsafeBytes(receiver)
        bytes.removeAll(keepingCapacity: true)
    }

    private mutating func flushIfLarge() { if bytes.count >= ByteWriter.pieceSize { flush() } }

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func raw(_ value: some Collection<UInt8>) {
        let isHandedOn: Void? =
            receiver != nil && value.count >= ByteWriter.pieceSize
            ? value.withContiguousStorageIfAvailable { storage in
                flush()
                receiver?(UnsafeRawBufferPointer(storage))
            } : nil
        if isHandedOn == nil { bytes.append(contentsOf: value) }
        flushIfLarge()
    }

    mutating func counted(_ value: some Collection<UInt8>) {
        integer(UInt64(value.count))
        raw(value)
    }

    mutating func text(_ value: String) { counted(value.utf8) }

    mutating func optional<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    /// One integer of each of `count` things, side by side: copying columns is as fast as memory.
    mutating func column<Value: FixedWidthInteger>(_ count: Int, _ value: (Int) -> Value) {
        let width = MemoryLayout<Value>.size
        let step = ByteWriter.pieceSize / width
        for first in stride(from: 0, to: count, by: step) {
            let start = bytes.count
            let end = min(count, first + step)
            bytes.append(contentsOf: repeatElement(0, count: (end - first) * width))
            bytes.withUnsafeMutableBytes { buffer in
                for index in first..<end {
                    buffer.storeBytes(
                        of: value(index).littleEndian, toByteOffset: start + (index - first) * width,
                        as: Value.self)
                }
            }
            flushIfLarge()
        }
    }
}

/// Reads what `ByteWriter` wrote, or bytes that only claim so: nothing is read beyond the end, and nothing is
/// allocated that the bytes are not there for.
struct ByteReader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    /// The integers of one column.
    struct Column<Value: FixedWidthInteger> {
        fileprivate let bytes: UnsafeRawBufferPointer

        subscript(index: Int) -> Value {
            Value(
                littleEndian: bytes.loadUnaligned(
                    fromByteOffset: index * MemoryLayout<Value>.size, as: Value.self))
        }
    }

    var remaining: Int { rest.count }

    mutating func raw(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= rest.count else { throw MalformedBytes() }
        let taken = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        return taken
    }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws -> Value {
        Value(littleEndian: try raw(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    mutating func flag() throws -> Bool {
        switch try integer(UInt8.self) {
        case 0: false
        case 1: true
        default: throw MalformedBytes()
        }
    }

    /// A number of things of which each takes at least `width` bytes, so that there cannot be more than the bytes.
    mutating func count(width: Int = 1) throws -> Int {
        guard let count = Int(exactly: try integer(UInt64.self)), count <= rest.count / width else {
            throw MalformedBytes()
        }
        return count
    }

    mutating func counted() throws -> UnsafeRawBufferPointer { try raw(try count()) }

    /// Text for messages: escaped where it is not already, since who wrote it may not have done so.
    mutating func message() throws -> String {
        let backslash = UInt8(ascii: "\\")
        var output: [UInt8] = []
        // Text that is escaped has only its backslashes doubled by a second time, which is undone.
        var isDoubled = false
        for byte in escaped(try counted()).utf8 {
            isDoubled = byte == backslash && output.last == backslash && !isDoubled
            if !isDoubled { output.append(byte) }
        }
        return String(decoding: output, as: UTF8.self)
    }

    mutating func optional<Value>(_ read: (inout ByteReader) throws -> Value) throws -> Value? {
        try flag() ? try read(&self) : nil
    }

    mutating func column<Value: FixedWidthInteger>(
        _ count: Int, of type: Value.Type = Value.self
    ) throws -> Column<Value> {
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Value>.size)
        guard !overflow else { throw MalformedBytes() }
        return Column(bytes: try raw(size))
    }

    /// Nothing may be left.
    func end() throws {
        guard rest.isEmpty else { throw MalformedBytes() }
    }
}

extension ByteWriter {
    mutating func digest(_ digest: Digest) { text(digest.description) }
}

extension ByteReader {
    mutating func digest() throws -> Digest {
        try Digest(parsing: String(decoding: try counted(), as: UTF8.self))
    }
}
