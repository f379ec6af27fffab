import CISAL
import OCIModel

/// The serial form of an indexed layer: how the process that reads layers hands them over, and how the cache keeps
/// them.
///
/// A header of 32 bytes (magic, version, length of the rest, CRC-64 of the rest by ECMA-182), then the summary, then
/// the table in columns. The checksum notices damage; against forgery every field is checked when it is read.
extension LayerReader.IndexedLayer {
    private static let magic = Array("assaylyr".utf8)
    /// Raised when the form changes. That the reader itself changed is told by the key of the cache.
    private static let version: UInt64 = 2
    static let headerSize = 32

    /// The layer in its serial form.
    public var serialized: [UInt8] {
        let form = SerialForm(self)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(form.size)
        form.write { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// The serial form in two passes, the first of which finds its size and checksum: large tables are not copied.
    struct SerialForm {
        /// Bytes in all.
        let size: Int
        private let layer: LayerReader.IndexedLayer
        private let header: [UInt8]

        init(_ layer: LayerReader.IndexedLayer) {
            self.layer = layer
            var size = 0
            var checksum: UInt64 = 0
            SerialForm.writeBody(of: layer) { piece in
                size += piece.count
                checksum = LayerReader.IndexedLayer.checksum(piece, after: checksum)
            }
            self.size = headerSize + size
            header = LayerReader.IndexedLayer.header(size: size, checksum: checksum)
        }

        /// Gives the bytes to `body`, piece by piece.
        func write(_ body: (UnsafeRawBufferPointer) -> Void) {
            header.withUnsafeBytes(body)
            SerialForm.writeBody(of: layer, body)
        }

        private static func writeBody(
            of layer: LayerReader.IndexedLayer, _ body: (UnsafeRawBufferPointer) -> Void
        ) {
            withoutActuallyEscaping(body) { body in
                var writer = ByteWriter(receiver: body)
                layer.summary.write(to: &writer)
                layer.table.write(to: &writer)
                writer.flush()
            }
        }
    }

    /// What precedes a body of that size in bytes.
    static func header(size: Int, checksum: UInt64) -> [UInt8] {
        var header = ByteWriter()
        header.raw(magic)
        header.integer(version)
        header.integer(UInt64(size))
        header.integer(checksum)
        return header.bytes
    }

    /// Reads the serial form. The bytes need not come from `serialized`: whatever they are, what comes of them is a
    /// consistent layer within the limits.
    ///
    /// - Throws: `LayerError` of kind `.corrupt`.
    public init(serialized bytes: UnsafeRawBufferPointer, limits: Limits = Limits()) throws {
        do {
            var header = ByteReader(bytes)
            guard try header.raw(8).elementsEqual(Self.magic), try header.integer() == Self.version,
                try header.integer() == UInt64(max(0, bytes.count - Self.headerSize))
            else { throw MalformedBytes() }
            let checksum = try header.integer(UInt64.self)
            let rest = try header.raw(header.remaining)
            guard checksum == Self.checksum(rest) else { throw MalformedBytes() }
            var body = ByteReader(rest)
            let summary = try LayerSummary(from: &body)
            let table = try EntryTable(from: &body, limits: limits)
            try body.end()
            self.init(summary: summary, table: table)
        } catch {
            throw LayerError(.corrupt, "not the serial form of a layer")
        }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer, after: UInt64 = 0) -> UInt64 {
        crc64_ecma_refl(after, bytes.bindMemory(to: UInt8.self).baseAddress, UInt64(bytes.count))
    }
}

extension LayerSummary {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.text(compression.rawValue)
        writer.digest(digest)
        writer.digest(diffID)
        writer.integer(size)
        writer.integer(uncompressedSize)
        // A layer does not know its position: that of an oddity is nil.
        writer.integer(UInt64(oddities.kept.count))
        for oddity in oddities.kept {
            writer.text(oddity.kind.rawValue)
            writer.text(oddity.subject)
        }
        writer.integer(UInt64(oddities.more.count))
        for (kind, count) in oddities.more {
            writer.text(kind.rawValue)
            writer.integer(UInt32(clamping: count))
        }
    }

    fileprivate init(from reader: inout ByteReader) throws {
        guard let compression = Compression(rawValue: String(decoding: try reader.counted(), as: UTF8.self))
        else { throw MalformedBytes() }
        let digest = try reader.digest()
        let diffID = try reader.digest()
        let size = try reader.integer(Int64.self)
        let uncompressedSize = try reader.integer(Int64.self)
        guard size >= 0, uncompressedSize >= 0 else { throw MalformedBytes() }
        func kind() throws -> Oddity.Kind {
            guard let kind = Oddity.Kind(rawValue: String(decoding: try reader.counted(), as: UTF8.self))
            else { throw MalformedBytes() }
            return kind
        }
        var oddities = Oddities()
        for _ in 0..<(try reader.count(width: 16)) {
            let kind = try kind()
            let subject = try reader.message()
            oddities.note(kind, subject)
        }
        for _ in 0..<(try reader.count(width: 12)) {
            let kind = try kind()
            // Counts of many layers are added up.
            guard let count = Int(exactly: try reader.integer(UInt32.self)), count > Oddities.keptOfEach
            else {
                throw MalformedBytes()
            }
            oddities.note(kind, count: count)
        }
        self.init(
            compression: compression, digest: digest, diffID: diffID, size: size,
            uncompressedSize: uncompressedSize, oddities: oddities)
    }
}

extension EntryTable {
    /// Bytes of all columns for one entry.
    private static let entryWidth = 55

    /// Bytes of contents that are kept.
    var keptBytes: Int { contents.values.reduce(0) { $0 + $1.count } }

    fileprivate func write(to writer: inout ByteWriter) {
        writer.integer(UInt64(count))
        writer.column(count) { entries[$0].kind.rawValue }
        writer.column(count) { entries[$0].permissions }
        writer.column(count) { entries[$0].uid }
        writer.column(count) { entries[$0].gid }
        writer.column(count) { entries[$0].size }
        writer.column(count) { entries[$0].mtime }
        writer.column(count) { entries[$0].mtimeNanoseconds }
        writer.column(count) { entries[$0].deviceMajor }
        writer.column(count) { entries[$0].deviceMinor }
        // A name begins where the one before ends: path and link target of each entry in turn.
        writer.column(count) { entries[$0].path.length }
        writer.column(count) { entries[$0].linkTarget.length }
        writer.counted(names)
        let withAttributes = entries.indices.filter { entries[$0].extendedAttributes >= 0 }
        writer.integer(UInt64(withAttributes.count))
        for index in withAttributes {
            let list = extendedAttributes(at: index)
            writer.integer(UInt32(index))
            writer.integer(UInt64(list.count))
            for attribute in list {
                writer.text(attribute.name)
                writer.counted(attribute.value)
            }
        }
        writer.integer(UInt64(contents.count))
        for (index, content) in contents.sorted(by: { $0.key < $1.key }) {
            writer.integer(UInt32(index))
            writer.counted(content)
        }
        writer.integer(UInt64(linkages.count))
        for (index, linkage) in linkages.sorted(by: { $0.key < $1.key }) {
            writer.integer(UInt32(index))
            linkage.write(to: &writer)
        }
    }

    fileprivate init(from reader: inout ByteReader, limits: Limits) throws {
        let count = try reader.count(width: EntryTable.entryWidth)
        guard count <= limits[.entries] else { throw MalformedBytes() }
        let kinds = try reader.column(count, of: UInt8.self)
        let permissions = try reader.column(count, of: UInt16.self)
        let uids = try reader.column(count, of: Int64.self)
        let gids = try reader.column(count, of: Int64.self)
        let sizes = try reader.column(count, of: Int64.self)
        let mtimes = try reader.column(count, of: Int64.self)
        let nanoseconds = try reader.column(count, of: Int32.self)
        let majors = try reader.column(count, of: UInt32.self)
        let minors = try reader.column(count, of: UInt32.self)
        let pathLengths = try reader.column(count, of: UInt32.self)
        let targetLengths = try reader.column(count, of: UInt32.self)
        let names = ContiguousArray(try reader.counted())
        guard names.count <= limits[.nameBytes], names.count <= UInt32.max else { throw MalformedBytes() }
        var entries: ContiguousArray<Entry> = []
        entries.reserveCapacity(count)
        var position = 0
        for index in 0..<count {
            let pathLength = pathLengths[index]
            let targetLength = targetLengths[index]
            let pathEnd = position + Int(pathLength)
            let end = pathEnd + Int(targetLength)
            guard let kind = EntryKind(rawValue: kinds[index]), permissions[index] <= 0o7777,
                end <= names.count,
                pathLength > 0, max(pathLength, targetLength) <= limits[.pathLength],
                pathLength / 2 < limits[.pathDepth]
                    || IndexSink.depth(of: names[position..<pathEnd]) <= limits[.pathDepth]
            else { throw MalformedBytes() }
            entries.append(
                Entry(
                    kind: kind, permissions: permissions[index], uid: uids[index], gid: gids[index],
                    size: sizes[index], mtime: mtimes[index], mtimeNanoseconds: nanoseconds[index],
                    deviceMajor: majors[index], deviceMinor: minors[index],
                    path: Entry.ByteRange(start: UInt32(position), length: pathLength),
                    linkTarget: Entry.ByteRange(start: UInt32(pathEnd), length: targetLength),
                    extendedAttributes: -1))
            position = end
        }
        guard position == names.count else { throw MalformedBytes() }
        var attributes: [[ExtendedAttribute]] = []
        try EntryTable.readRows(&reader, below: count) { (reader, index) in
            var list: [ExtendedAttribute] = []
            for _ in 0..<(try reader.count(width: 16)) {
                let name = String(decoding: try reader.counted(), as: UTF8.self)
                list.append(ExtendedAttribute(name: name, value: Array(try reader.counted())))
            }
            let size = list.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
            guard !list.isEmpty, size <= limits[.attributes] else { throw MalformedBytes() }
            entries[index].extendedAttributes = Int32(attributes.count)
            attributes.append(list)
        }
        var contents: [Int: [UInt8]] = [:]
        var kept = 0
        try EntryTable.readRows(&reader, below: count) { (reader, index) in
            let content = try reader.counted()
            kept += content.count
            guard entries[index].kind == .file, kept <= limits[.keptContents] else { throw MalformedBytes() }
            contents[index] = Array(content)
        }
        var linkages: [Int: Linkage] = [:]
        try EntryTable.readRows(&reader, below: count) { (reader, index) in
            guard entries[index].kind == .file else { throw MalformedBytes() }
            linkages[index] = try Linkage(from: &reader)
        }
        self.init(
            entries: entries, names: names, attributes: attributes, contents: contents, linkages: linkages)
    }

    /// Rows that each belong to an entry, in the order of the entries and at most one for each.
    private static func readRows(
        _ reader: inout ByteReader, below count: Int, _ read: (inout ByteReader, Int) throws -> Void
    ) throws {
        var last = -1
        for _ in 0..<(try reader.count(width: 4)) {
            let index = Int(try reader.integer(UInt32.self))
            guard index > last, index < count else { throw MalformedBytes() }
            last = index
            try read(&reader, index)
        }
    }
}

extension Linkage {
    private enum Tag {
        static let notDynamic: UInt8 = 0
        static let dynamic: UInt8 = 1
        static let unreadable: UInt8 = 2
    }

    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .notDynamic: writer.integer(Tag.notDynamic)
        case .unreadable(let reason):
            writer.integer(Tag.unreadable)
            writer.text(reason)
        case .dynamic(let section):
            writer.integer(Tag.dynamic)
            writer.optional(section.name) { $0.counted($1) }
            writer.integer(UInt64(section.needed.count))
            for name in section.needed { writer.counted(name) }
            writer.optional(section.rpath) { $0.counted($1) }
            writer.optional(section.runpath) { $0.counted($1) }
            writer.flag(section.skipsDefaultDirectories)
            writer.flag(section.format.is64Bit)
            writer.flag(section.format.isLittleEndian)
            writer.integer(section.format.machine)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws {
        switch try reader.integer(UInt8.self) {
        case Tag.notDynamic: self = .notDynamic
        case Tag.unreadable: self = .unreadable(try reader.message())
        case Tag.dynamic:
            let name = try reader.optional { Array(try $0.counted()) }
            var needed: [[UInt8]] = []
            for _ in 0..<(try reader.count(width: 8)) { needed.append(Array(try reader.counted())) }
            let rpath = try reader.optional { Array(try $0.counted()) }
            let runpath = try reader.optional { Array(try $0.counted()) }
            let skips = try reader.flag()
            let format = DynamicSection.Format(
                is64Bit: try reader.flag(), isLittleEndian: try reader.flag(), machine: try reader.integer())
            self = .dynamic(
                DynamicSection(
                    name: name, needed: needed, rpath: rpath, runpath: runpath,
                    skipsDefaultDirectories: skips, format: format))
        default: throw MalformedBytes()
        }
    }
}
