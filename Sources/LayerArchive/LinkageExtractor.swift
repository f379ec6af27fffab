/// Takes the dynamic section out of ELF files while they stream by, one after another. It holds the bytes that a
/// linker puts before the code, where the names usually are, and those that the program headers point at: bounded,
/// whatever a file says, and used again for the next file.
struct LinkageExtractor {
    /// Where the ELF header and the program headers have to be.
    static let headerBytes: Int64 = 4 << 10
    /// Most that is held of the first segment.
    static let maximumHead: Int64 = 16 << 20
    /// Most that is held of it where code may begin anywhere.
    static let maximumHeadWithCode: Int64 = 4 << 20
    /// Most that is held of what lies before the dynamic section in its segment.
    static let maximumLead: Int64 = 1 << 20
    static let maximumDynamicBytes: UInt64 = 1 << 20
    static let maximumNeeds = 4_096
    static let maximumName = 4_096

    /// A range of the file, held as far as it has come by.
    private struct Piece {
        var range: Range<Int64>
        var bytes: [UInt8] = []

        var isComplete: Bool { Int64(bytes.count) >= Int64(range.count) }

        /// Where the next byte that it takes is in the file.
        var next: Int64 { range.lowerBound + Int64(bytes.count) }

        mutating func restart(_ range: Range<Int64>) {
            self.range = range
            bytes.removeAll(keepingCapacity: true)
        }

        /// Takes what of a block lies in the range. Blocks come in order; a hole between two is zeros.
        mutating func take(_ block: UnsafeRawBufferPointer, at offset: Int64) {
            let next = next
            let start = max(next, offset)
            let end = min(range.upperBound, offset + Int64(block.count))
            guard start < end else { return }
            if start > next { bytes.append(contentsOf: repeatElement(0, count: Int(start - next))) }
            bytes.append(contentsOf: block[Int(start - offset)..<Int(end - offset)])
        }

        /// Takes what another piece holds of what comes next: it may have come by before it was wanted here.
        mutating func take(heldBy other: Piece) {
            let start = next
            let end = min(range.upperBound, other.next)
            guard other.range.lowerBound <= start, start < end else { return }
            let offset = other.range.lowerBound
            bytes.append(contentsOf: other.bytes[Int(start - offset)..<Int(end - offset)])
        }

        func holds(_ wanted: Range<Int64>) -> Bool {
            range.lowerBound <= wanted.lowerBound && wanted.upperBound <= next
        }
    }

    private struct Segment {
        var type: UInt64
        var flags: UInt64
        var offset: UInt64
        var address: UInt64
        var size: UInt64
    }

    /// What the dynamic section says, its names still as offsets in the table of names.
    private struct References {
        var name: UInt64?
        var needed: [UInt64] = []
        var rpath: UInt64?
        var runpath: UInt64?
        var skipsDefaultDirectories = false
        var table: UInt64?
        var tableSize: UInt64?
        /// The lowest and the highest offset of a name; nil when there is none.
        private(set) var names: ClosedRange<UInt64>?

        mutating func include(_ offset: UInt64) {
            guard let names else { return self.names = offset...offset }
            self.names = min(names.lowerBound, offset)...max(names.upperBound, offset)
        }
    }

    private var size: Int64 = 0
    private var format = DynamicSection.Format()
    private var segments: [Segment] = []
    private var dynamicRange: Range<Int64>?
    private var references = References()
    /// Whether `references` are those of the file: its dynamic section came by.
    private var isRead = false
    /// Where the table of names is in the file.
    private var table: Range<Int64>?
    private var outcome: Linkage?
    private var head = Piece(range: 0..<0)
    /// The dynamic section with what is held before it.
    private var dynamic = Piece(range: 0..<0)
    private var names = Piece(range: 0..<0)

    mutating func begin(size: Int64) {
        self.size = size
        segments = []
        dynamicRange = nil
        references = References()
        isRead = false
        table = nil
        outcome = nil
        head.restart(0..<min(max(0, size), LinkageExtractor.headerBytes))
        dynamic.restart(0..<0)
        names.restart(0..<0)
    }

    mutating func data(_ block: UnsafeRawBufferPointer, at offset: Int64) {
        guard outcome == nil, offset >= 0, offset <= size else { return }
        head.take(block, at: offset)
        if segments.isEmpty, head.isComplete {
            readHeader()
            head.take(block, at: offset)
        }
        guard outcome == nil, dynamicRange != nil else { return }
        dynamic.take(block, at: offset)
        if !isRead, dynamic.isComplete {
            readDynamicSection(endingIn: offset)
        }
        names.take(block, at: offset)
    }

    /// Where the next byte of the file is that it has use for; what comes before it need not be given.
    var nextOffset: Int64 {
        guard outcome == nil else { return .max }
        var next = Int64.max
        if !head.isComplete { next = min(next, head.next) }
        if !dynamic.isComplete { next = min(next, dynamic.next) }
        if !names.isComplete { next = min(next, names.next) }
        return next
    }

    /// What the file turned out to be.
    mutating func finish() -> Linkage {
        if let outcome { return outcome }
        guard isRead else {
            return head.bytes.starts(with: LinkageExtractor.magic)
                ? .unreadable("it is cut short") : .notDynamic
        }
        do throws(Fault) {
            var section = DynamicSection(
                skipsDefaultDirectories: references.skipsDefaultDirectories, format: format)
            for need in references.needed { section.needed.append(try string(need)) }
            if let name = references.name { section.name = try string(name) }
            if let rpath = references.rpath { section.rpath = try string(rpath) }
            if let runpath = references.runpath { section.runpath = try string(runpath) }
            return .dynamic(section)
        } catch {
            return .unreadable(error.reason)
        }
    }

    // MARK: Header

    private static let magic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]

    private struct Fault: Error {
        let reason: String
    }

    private mutating func readHeader() {
        guard head.bytes.starts(with: LinkageExtractor.magic) else {
            outcome = .notDynamic
            return
        }
        do throws(Fault) {
            let bitClass = try number(head, 4, 1)
            let order = try number(head, 5, 1)
            guard bitClass == 1 || bitClass == 2, order == 1 || order == 2 else {
                throw Fault(reason: "its ELF header has an unknown class or byte order")
            }
            format.is64Bit = bitClass == 2
            format.isLittleEndian = order == 1
            format.machine = UInt16(truncatingIfNeeded: try number(head, 18, 2))
            let is64Bit = format.is64Bit
            let entry = try number(head, 24, is64Bit ? 8 : 4)
            let start = try number(head, is64Bit ? 32 : 28, is64Bit ? 8 : 4)
            let entrySize = try number(head, is64Bit ? 54 : 42, 2)
            let count = try number(head, is64Bit ? 56 : 44, 2)
            guard count > 0 else {
                outcome = .notDynamic
                return
            }
            let (end, overflows) = start.addingReportingOverflow(entrySize * count)
            guard entrySize >= (is64Bit ? 56 : 32), !overflows, end <= UInt64(head.bytes.count) else {
                throw Fault(reason: "its program headers are not at the beginning")
            }
            segments = try (0..<count).map { (index) throws(Fault) in
                try segment(at: Int64(start + index * entrySize))
            }
            try plan(entry: entry)
        } catch {
            outcome = .unreadable(error.reason)
        }
    }

    private func segment(at offset: Int64) throws(Fault) -> Segment {
        func word(_ narrow: Int64, _ wide: Int64) throws(Fault) -> UInt64 {
            try number(head, offset + (format.is64Bit ? wide : narrow), format.is64Bit ? 8 : 4)
        }
        return Segment(
            type: try number(head, offset, 4), flags: try number(head, offset + (format.is64Bit ? 4 : 24), 4),
            offset: try word(4, 8), address: try word(8, 16), size: try word(16, 32))
    }

    private var loads: [Segment] { segments.filter { $0.type == 1 } }

    /// Decides which bytes to hold.
    private mutating func plan(entry: UInt64) throws(Fault) {
        guard let section = segments.first(where: { $0.type == 2 }) else {
            outcome = .notDynamic
            return
        }
        guard section.size <= LinkageExtractor.maximumDynamicBytes else {
            throw Fault(reason: "its dynamic section has \(section.size) bytes")
        }
        let range = try fileRange(section.offset, section.size)
        dynamicRange = range
        let container = loads.first { section.offset >= $0.offset && section.offset - $0.offset < $0.size }
        let lead = container.map { Int64(clamping: section.offset - $0.offset) } ?? 0
        dynamic.restart((range.lowerBound - min(lead, LinkageExtractor.maximumLead))..<range.upperBound)
        dynamic.take(heldBy: head)
        guard let first = loads.first, first.offset < 64 else { return }
        var limit = LinkageExtractor.maximumHead
        if first.flags & 1 != 0 {
            // Linkers of old give a library's entry as the beginning of its code; the names lie before it.
            let isInside = entry > first.address && entry - first.address < first.size
            limit =
                isInside
                ? min(limit, Int64(clamping: entry - first.address)) : LinkageExtractor.maximumHeadWithCode
        }
        let end = min(size, Int64(clamping: first.size), limit)
        head.range = 0..<max(head.range.upperBound, end)
    }

    /// The range as one of the file.
    private func fileRange(_ offset: UInt64, _ count: UInt64) throws(Fault) -> Range<Int64> {
        let (end, overflows) = offset.addingReportingOverflow(count)
        guard !overflows, end <= UInt64(max(0, size)) else {
            throw Fault(reason: "it points beyond its end")
        }
        return Int64(offset)..<Int64(end)
    }

    // MARK: Dynamic section

    /// - Parameter offset: where the block begins that has the end of it.
    private mutating func readDynamicSection(endingIn offset: Int64) {
        guard let range = dynamicRange else { return }
        do throws(Fault) {
            try readReferences(in: range)
            isRead = true
            guard let address = references.table, let tableSize = references.tableSize else {
                if references.names == nil { return }
                throw Fault(reason: "it has no table of names")
            }
            let load = loads.first { address >= $0.address && address - $0.address < $0.size }
            guard let load else { throw Fault(reason: "its table of names is in no segment") }
            let (start, overflows) = load.offset.addingReportingOverflow(address - load.address)
            guard !overflows else { throw Fault(reason: "it points beyond its end") }
            let table = try fileRange(start, tableSize)
            self.table = table
            guard let wanted = references.names else { return }
            guard wanted.upperBound < tableSize else { throw Fault(reason: "a name is outside its table") }
            let first = table.lowerBound + Int64(wanted.lowerBound)
            let last = table.lowerBound + Int64(wanted.upperBound)
            let end = min(table.upperBound, last + Int64(LinkageExtractor.maximumName))
            // Names far apart, and those that came by before, are looked for in what is held anyway.
            guard end - first <= LinkageExtractor.maximumHead, !head.holds(first..<end),
                !dynamic.holds(first..<end)
            else { return }
            names.restart(first..<end)
            names.take(heldBy: head)
            names.take(heldBy: dynamic)
            if names.next < offset { names.restart(0..<0) }
        } catch {
            outcome = .unreadable(error.reason)
        }
    }

    private mutating func readReferences(in range: Range<Int64>) throws(Fault) {
        let width: Int64 = format.is64Bit ? 8 : 4
        let start = range.lowerBound - dynamic.range.lowerBound
        var position = start
        while position + 2 * width <= start + Int64(range.count) {
            let tag = try number(dynamic, position, Int(width))
            let value = try number(dynamic, position + width, Int(width))
            position += 2 * width
            switch tag {
            case 0: return
            case 1:
                guard references.needed.count < LinkageExtractor.maximumNeeds else {
                    throw Fault(reason: "it needs more than \(LinkageExtractor.maximumNeeds) libraries")
                }
                references.needed.append(value)
                references.include(value)
            case 5: references.table = value
            case 10: references.tableSize = value
            case 14:
                references.name = value
                references.include(value)
            case 15:
                references.rpath = value
                references.include(value)
            case 29:
                references.runpath = value
                references.include(value)
            case 0x6FFF_FFFB: references.skipsDefaultDirectories = value & 0x800 != 0
            default: break
            }
        }
    }

    // MARK: Bytes

    /// A number of the file's byte order, at a position from the beginning of a piece.
    private func number(_ piece: Piece, _ position: Int64, _ count: Int) throws(Fault) -> UInt64 {
        guard position >= 0, position + Int64(count) <= Int64(piece.bytes.count) else {
            throw Fault(reason: "it is cut short")
        }
        let bytes = piece.bytes[Int(position)..<Int(position) + count]
        return format.isLittleEndian
            ? bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } : bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A name of the table, which ends with a zero.
    private func string(_ offset: UInt64) throws(Fault) -> [UInt8] {
        guard let table, offset < UInt64(table.count) else {
            throw Fault(reason: "a name is outside its table")
        }
        let start = table.lowerBound + Int64(offset)
        guard let piece = [names, head, dynamic].first(where: { $0.holds(start..<start + 1) }) else {
            throw Fault(reason: "its table of names is not where linkers put it")
        }
        let bytes = piece.bytes[Int(start - piece.range.lowerBound)...]
            .prefix(Int(min(Int64(LinkageExtractor.maximumName), table.upperBound - start)))
        guard let end = bytes.firstIndex(of: 0) else { throw Fault(reason: "a name does not end") }
        return Array(bytes[..<end])
    }
}
