import Glibc
import OCIModel

/// A second opinion on the members of a tar archive: reads nothing but headers, in the order of the bytes, beside the
/// reader that the layer is read with. Where two readers see different members, scanners and runtimes do so too.
///
/// POSIX.1-2017 pax "ustar Interchange Format" and "pax Interchange Format", GNU tar "Basic Tar Format". As with Go's
/// archive/tar, by which most runtimes unpack, a member that is no file has no data whatever size it states.
struct TarWalker {
    /// A member as this reader sees it.
    struct Reading: Equatable {
        var kind: EntryKind
        var path: [UInt8]
        /// Empty for what is no link.
        var linkTarget: [UInt8]
        /// Logical size; 0 for what is no file.
        var size: Int64
        /// Where its data lie in the archive, as they are; nil for what has none or is sparse.
        var dataOffset: Int64?
        /// Whether its type flag is none that Go's archive/tar knows as a file, a directory, a link or a device: readers
        /// refuse it, leave it out, or take it for a file.
        var hasUnknownType = false

        /// One line for messages.
        var description: String {
            let target = linkTarget.isEmpty ? "" : " to \(escaped(linkTarget))"
            return "\(kind) \(escaped(path))\(target)" + (kind == .file ? ", \(size) bytes" : "")
        }
    }

    private enum State {
        case header
        /// What of an extension's data is collected: long names and records.
        case collecting(type: UInt8, left: Int, padding: Int64)
        /// Maps of sparse files that go on after the header (GNU).
        case sparseMap
        case skipping(Int64)
        /// After the end, or after something that has no meaning.
        case done
    }

    /// Bytes that a long name or the records of one member may have; more is no sane archive.
    private static let extensionLimit = 8 << 20
    private static let blockSize = 512

    private var state = State.header
    private var block: [UInt8] = []
    private var collected: [UInt8] = []
    private var longName: [UInt8]?
    private var longTarget: [UInt8]?
    private var records = Records()
    private var current: (reading: Reading, stored: Int64, isSparse: Bool)?
    private var members: [Reading] = []
    private var next = 0
    /// Bytes of the archive that were taken.
    private var position: Int64 = 0
    /// Why the rest cannot be read.
    private(set) var problem: String?
    /// Where the two readers differ, in one line; nothing after the first difference is compared.
    private(set) var disagreement: String?
    private var count = 0
    /// Headers of types that readers of layers do not know, and that are no members to the other reader.
    private(set) var skippedTypes = Oddities()
    /// Members that may be waiting to be compared: a chunk has fewer.
    private static let maximumWaiting = 4096

    // MARK: Comparing

    /// Compares the next member with what the other reader sees.
    ///
    /// - Returns: the member, where both see the same.
    mutating func compare(_ member: Member, index: Int) -> Reading? {
        guard disagreement == nil else { return nil }
        guard next < members.count else {
            disagreement =
                "member \(index + 1) is \(TarWalker.reading(of: member).description) to one reader "
                + "and not there to another"
            return nil
        }
        let mine = members[next]
        next += 1
        if next == members.count {
            members.removeAll(keepingCapacity: true)
            next = 0
        }
        let kind = member.kind
        // What a member of an unknown type is, readers need not agree on: it is nothing to either.
        let isSame =
            TarWalker.areSame(mine.path, member.path)
            && (mine.hasUnknownType
                || mine.kind == kind && TarWalker.areSame(mine.linkTarget, member.linkTarget)
                    && (kind != .file || mine.size == member.size))
        if !isSame {
            state = .done
            disagreement =
                "member \(index + 1) is \(TarWalker.reading(of: member).description) to one reader "
                + "and \(mine.description) to another"
        }
        return isSame ? mine : nil
    }

    private static func areSame(_ mine: [UInt8], _ other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard mine.count == other.count, let bytes = other.baseAddress else {
            return mine.count == other.count
        }
        return memcmp(mine, bytes, mine.count) == 0
    }

    /// The other reader has seen all members.
    mutating func finish() {
        guard disagreement == nil, next < members.count else { return }
        disagreement = "\(members[next].description) is a member to one reader and not there to another"
    }

    private static func reading(of member: Member) -> Reading {
        Reading(
            kind: member.kind, path: Array(member.path), linkTarget: Array(member.linkTarget),
            size: member.kind == .file ? member.size : 0)
    }

    // MARK: By itself

    /// Bytes of data that come next and say nothing; what comes after them can be taken without them.
    var skippable: Int64 {
        if case .skipping(let left) = state { return left }
        return 0
    }

    /// Leaves out that many of the skippable bytes.
    mutating func skipped(_ count: Int64) {
        position += count
        state = skippable > count ? .skipping(skippable - count) : .header
    }

    /// The members whose headers were read since the last call.
    mutating func takeMembers() -> [Reading] {
        defer { members.removeAll(keepingCapacity: true) }
        return members
    }

    /// Whether nothing more is to come.
    var isDone: Bool {
        if case .done = state { return true }
        return false
    }

    /// Whether an archive that ends here ends where one may.
    var isBetweenMembers: Bool {
        switch state {
        case .header: return block.isEmpty
        case .skipping, .done: return true
        case .collecting, .sparseMap: return false
        }
    }

    // MARK: Walking

    /// Takes the next bytes of the archive.
    mutating func walk(_ bytes: UnsafeRawBufferPointer) {
        let start = position
        var rest = bytes
        defer { position = start + Int64(bytes.count) }
        while !rest.isEmpty {
            position = start + Int64(bytes.count - rest.count)
            switch state {
            case .done: return
            case .skipping(let left):
                let count = Int(min(left, Int64(rest.count)))
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                state = left > Int64(count) ? .skipping(left - Int64(count)) : .header
            case .collecting(let type, let left, let padding):
                let count = min(left, rest.count)
                collected.append(contentsOf: rest[..<count])
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                if left > count {
                    state = .collecting(type: type, left: left - count, padding: padding)
                } else {
                    skip(padding)
                    takeExtension(type)
                }
            case .header, .sparseMap:
                if block.isEmpty, rest.count >= TarWalker.blockSize {
                    let whole = UnsafeRawBufferPointer(rebasing: rest[..<TarWalker.blockSize])
                    rest = UnsafeRawBufferPointer(rebasing: rest[TarWalker.blockSize...])
                    position += Int64(TarWalker.blockSize)
                    take(whole)
                } else {
                    let count = min(TarWalker.blockSize - block.count, rest.count)
                    block.append(contentsOf: rest[..<count])
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    guard block.count == TarWalker.blockSize else { return }
                    let whole = block
                    block.removeAll(keepingCapacity: true)
                    position += Int64(count)
                    whole.withUnsafeBytes { take($0) }
                }
            }
        }
    }

    private mutating func take(_ block: UnsafeRawBufferPointer) {
        if case .sparseMap = state {
            // More maps follow where byte 504 says so.
            if block[504] == 0 { endOfHeader() }
        } else {
            takeHeader(block)
        }
    }

    private mutating func skip(_ count: Int64) { state = count > 0 ? .skipping(count) : .header }

    private mutating func stop(_ reason: String) {
        state = .done
        problem = reason
        disagreement = disagreement ?? "after \(count) members a strict reader stops: \(reason)"
    }

    private static func padding(_ size: Int64) -> Int64 { (512 - size % 512) % 512 }

    private mutating func takeHeader(_ block: UnsafeRawBufferPointer) {
        guard let header = TarHeader(block) else {
            if block.allSatisfy({ $0 == 0 }) {
                state = .done
            } else {
                stop("the checksum of a header does not match")
            }
            return
        }
        guard let size = header.size, size >= 0 else { return stop("a header has no valid size") }
        if [UInt8(ascii: "X"), UInt8(ascii: "V"), UInt8(ascii: "A")].contains(header.type) {
            skippedTypes.note(.unknownType, escaped(header.path))
        }
        switch header.type {
        case UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "x"), UInt8(ascii: "X"):
            guard size <= TarWalker.extensionLimit else {
                return stop("an extended header has \(size) bytes")
            }
            collected.removeAll(keepingCapacity: true)
            if size == 0 { return takeExtension(header.type) }
            state = .collecting(type: header.type, left: Int(size), padding: TarWalker.padding(size))
        case UInt8(ascii: "g"), UInt8(ascii: "V"), UInt8(ascii: "A"):
            // Global records, volume labels and ACLs of Solaris: about members, and none themselves.
            skip(size + TarWalker.padding(size))
        default:
            takeMember(header, stated: size)
        }
    }

    private mutating func takeExtension(_ type: UInt8) {
        switch type {
        case UInt8(ascii: "L"): longName = Array(collected.prefix { $0 != 0 })
        case UInt8(ascii: "K"): longTarget = Array(collected.prefix { $0 != 0 })
        default:
            if !records.read(collected) { stop("extended records are malformed") }
        }
    }

    private mutating func takeMember(_ header: TarHeader, stated: Int64) {
        var stored = stated
        if let size = records.size {
            guard size >= 0 else { return stop("an extended header has the size \(size)") }
            // Where the header can hold the size, the two must not differ: readers differ in which they take.
            if stated != size, stated != 0, size < 1 << 33 {
                disagreement =
                    disagreement
                    ?? "a member has \(size) bytes by its extended header and \(stated) by its header"
            }
            stored = size
        }
        let path = records.sparseName ?? records.path ?? longName ?? header.path
        var kind = header.kind
        if kind == .file, path.last == UInt8(ascii: "/") { kind = .directory }
        let isLink = kind == .hardLink || kind == .symbolicLink
        let target = isLink ? records.linkTarget ?? longTarget ?? header.linkTarget : []
        let hasData = header.kind == .file || header.hasUnknownType
        let realSize = header.realSize ?? records.realSize
        let size = realSize ?? stored
        current = (
            Reading(
                kind: kind, path: path, linkTarget: target, size: kind == .file ? size : 0,
                hasUnknownType: header.hasUnknownType),
            hasData ? stored : 0, realSize != nil
        )
        if header.hasMoreMaps { state = .sparseMap } else { endOfHeader() }
    }

    private mutating func endOfHeader() {
        guard case (var reading, let stored, let isSparse)? = current else {
            return stop("a map without a member")
        }
        if reading.kind == .file, !isSparse { reading.dataOffset = position }
        members.append(reading)
        count += 1
        guard members.count - next <= TarWalker.maximumWaiting else {
            return stop("the other reader is far behind")
        }
        current = nil
        longName = nil
        longTarget = nil
        records = Records()
        let (whole, overflow) = stored.addingReportingOverflow(TarWalker.padding(stored))
        if overflow { return stop("a member has \(stored) bytes") }
        skip(whole)
    }
}

/// One block of 512 bytes with a valid checksum.
private struct TarHeader {
    let type: UInt8
    let kind: EntryKind
    let path: [UInt8]
    let linkTarget: [UInt8]
    /// nil where the field is no number.
    let size: Int64?
    /// Logical size of a sparse file of GNU's old form.
    let realSize: Int64?
    let hasMoreMaps: Bool
    /// Meant for members; extensions have types of their own.
    let hasUnknownType: Bool

    /// - Returns: nil when the checksum does not match, as in a block of zeros.
    init?(_ block: UnsafeRawBufferPointer) {
        guard block[0] != 0 || block[148] != 0, let stated = TarHeader.number(block, 148, 8),
            TarHeader.hasChecksum(block, stated)
        else { return nil }
        type = block[156]
        linkTarget = TarHeader.text(block, 157, 100)
        size = TarHeader.number(block, 124, 12)
        let isUstar = block[257..<262].elementsEqual("ustar".utf8)
        let isGNU = isUstar && block[262..<265].elementsEqual([0x20, 0x20, 0])
        let name = TarHeader.text(block, 0, 100)
        let prefix = isUstar && !isGNU ? TarHeader.text(block, 345, 155) : []
        let separator = prefix.isEmpty || prefix.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        path = prefix + separator + name
        let isSparse = isGNU && type == UInt8(ascii: "S")
        hasUnknownType = type != 0 && !(0x30...0x36).contains(type) && !isSparse
        realSize = isSparse ? TarHeader.number(block, 483, 12) : nil
        hasMoreMaps = isSparse && block[482] != 0
        kind =
            switch type {
            case UInt8(ascii: "1"): .hardLink
            case UInt8(ascii: "2"): .symbolicLink
            case UInt8(ascii: "3"): .characterDevice
            case UInt8(ascii: "4"): .blockDevice
            case UInt8(ascii: "5"), UInt8(ascii: "D"): .directory
            case UInt8(ascii: "6"): .fifo
            // POSIX: what is not known is a regular file.
            default: .file
            }
    }

    /// The sum of all bytes, with spaces for the checksum itself.
    private static func hasChecksum(_ block: UnsafeRawBufferPointer, _ stated: Int64) -> Bool {
        // Four bytes of a word at a time, in lanes of 16 bits that 128 bytes cannot fill.
        let lanes: UInt64 = 0x00FF_00FF_00FF_00FF
        var sums: UInt64 = 0
        for offset in stride(from: 0, to: 512, by: 8) {
            let word = block.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            sums &+= (word & lanes) &+ (word >> 8 & lanes)
        }
        let total = (0..<4).reduce(Int64(0)) { $0 + Int64(sums >> (16 * UInt64($1)) & 0xFFFF) }
        let own = block[148..<156].reduce(Int64(0)) { $0 + Int64($1) }
        let unsigned = total - own + 8 * 32
        if stated == unsigned { return true }
        // Old writers summed signed characters.
        let negative = block.indices.count { !(148..<156).contains($0) && block[$0] >= 0x80 }
        return stated == unsigned - 256 * Int64(negative)
    }

    private static func text(_ block: UnsafeRawBufferPointer, _ offset: Int, _ length: Int) -> [UInt8] {
        let field = UnsafeRawBufferPointer(rebasing: block[offset..<offset + length])
        return Array(field[..<(field.firstIndex(of: 0) ?? length)])
    }

    /// A field of octal digits, or of base 256 where the first bit is set (GNU, star).
    private static func number(_ block: UnsafeRawBufferPointer, _ offset: Int, _ length: Int) -> Int64? {
        let field = block[offset..<offset + length]
        if field[offset] & 0x80 != 0 {
            let isNegative = field[offset] & 0x40 != 0
            var value: Int64 = isNegative ? -1 : 0
            for (index, byte) in field.enumerated() {
                let byte = index == 0 ? (isNegative ? byte : byte & 0x7F) : byte
                let (product, overflow) = value.multipliedReportingOverflow(by: 256)
                guard !overflow else { return nil }
                value = product | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit), value < 1 << 59 else { return nil }
            value = value << 3 | Int64(digit & 7)
        }
        return value
    }
}

/// What of the extended records of a member says where and what it is.
private struct Records {
    var path: [UInt8]?
    var linkTarget: [UInt8]?
    var size: Int64?
    /// Logical size of a sparse file of GNU's or star's newer forms.
    var realSize: Int64?
    var sparseName: [UInt8]?

    /// Takes records `LENGTH KEY=VALUE\n`; of two with one key the later holds.
    ///
    /// - Returns: false when they are malformed.
    mutating func read(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let first = rest.first, first != 0 {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...9).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)),
                length <= rest.count, length > digits.count + 3
            else { return false }
            let record = rest.prefix(length)
            rest = rest.dropFirst(length)
            let body = record.dropFirst(digits.count)
            guard body.first == 0x20, body.last == 0x0A,
                let equals = body.firstIndex(of: UInt8(ascii: "="))
            else { return false }
            let key = body[(body.startIndex + 1)..<equals]
            guard take(key, body[(equals + 1)..<(body.endIndex - 1)]) else { return false }
        }
        return true
    }

    private mutating func take(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
        func number() -> Int64? { Int64(String(decoding: value, as: UTF8.self)) }
        switch String(decoding: key, as: UTF8.self) {
        case "path": path = Array(value)
        case "linkpath": linkTarget = Array(value)
        case "size":
            size = number()
            return size != nil
        case "GNU.sparse.name": sparseName = Array(value)
        case "GNU.sparse.realsize", "GNU.sparse.size", "SCHILY.realsize":
            realSize = number()
            return realSize != nil
        default: break
        }
        return true
    }
}
