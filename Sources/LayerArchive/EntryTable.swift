/// The type of an archive member.
public enum EntryKind: UInt8, Sendable, CaseIterable {
    case file
    case directory
    case symbolicLink
    case hardLink
    case characterDevice
    case blockDevice
    case fifo
    case socket
    case other
}

/// The members of one layer in archive order, exactly as the archive has them: nothing is resolved, merged or
/// left out. Names are raw bytes in one arena, so that a hundred thousand members cost a few megabytes.
public struct EntryTable: Sendable {
    /// One member. Fixed size; its names and attributes are in the table.
    public struct Entry: Sendable {
        public var kind: EntryKind
        /// Mode bits 07777.
        public var permissions: UInt16
        public var uid: Int64
        public var gid: Int64
        /// Logical size in bytes.
        public var size: Int64
        /// Modification time: seconds since the epoch, and nanoseconds.
        public var mtime: Int64
        public var mtimeNanoseconds: Int32
        public var deviceMajor: UInt32
        public var deviceMinor: UInt32
        var path: ByteRange
        var linkTarget: ByteRange
        var extendedAttributes: Int32

        struct ByteRange: Sendable {
            var start: UInt32
            var length: UInt32
        }
    }

    public private(set) var entries: ContiguousArray<Entry> = []
    private(set) var names: ContiguousArray<UInt8> = []
    private var attributes: [[ExtendedAttribute]] = []
    /// Contents that the plan asked for, by position in `entries`.
    public internal(set) var contents: [Int: [UInt8]] = [:]
    /// The linkage of files of which the plan asked for it, by position in `entries`.
    public internal(set) var linkages: [Int: Linkage] = [:]

    public init() {}

    /// A table from its parts; what the entries say of names and attributes must lie within those.
    init(
        entries: ContiguousArray<Entry>, names: ContiguousArray<UInt8>, attributes: [[ExtendedAttribute]],
        contents: [Int: [UInt8]], linkages: [Int: Linkage]
    ) {
        self.entries = entries
        self.names = names
        self.attributes = attributes
        self.contents = contents
        self.linkages = linkages
    }

    public var count: Int { entries.count }

    /// Bytes held by names.
    public var nameBytes: Int { names.count }

    /// The member's name as the archive has it.
    public func path(at index: Int) -> ArraySlice<UInt8> { slice(entries[index].path) }

    /// The target of a symbolic or hard link as the archive has it; empty for other members.
    public func linkTarget(at index: Int) -> ArraySlice<UInt8> { slice(entries[index].linkTarget) }

    public func extendedAttributes(at index: Int) -> [ExtendedAttribute] {
        let position = entries[index].extendedAttributes
        return position < 0 ? [] : attributes[Int(position)]
    }

    private func slice(_ range: Entry.ByteRange) -> ArraySlice<UInt8> {
        names[Int(range.start)..<Int(range.start + range.length)]
    }

    /// Adds a member at the end. Used by the reader, and to make a table in code.
    public mutating func append(
        path: some Collection<UInt8>, kind: EntryKind, permissions: UInt16, uid: Int64 = 0, gid: Int64 = 0,
        size: Int64 = 0, mtime: Int64 = 0, mtimeNanoseconds: Int32 = 0,
        linkTarget: some Collection<UInt8> = EmptyCollection(),
        device: (major: UInt32, minor: UInt32) = (0, 0),
        extendedAttributes: [ExtendedAttribute] = [], contents: [UInt8]? = nil, linkage: Linkage? = nil
    ) {
        let pathRange = store(path)
        let targetRange = store(linkTarget)
        var attributePosition: Int32 = -1
        if !extendedAttributes.isEmpty {
            attributePosition = Int32(attributes.count)
            attributes.append(extendedAttributes)
        }
        if let contents { self.contents[entries.count] = contents }
        if let linkage { linkages[entries.count] = linkage }
        entries.append(
            Entry(
                kind: kind, permissions: permissions, uid: uid, gid: gid, size: size, mtime: mtime,
                mtimeNanoseconds: mtimeNanoseconds, deviceMajor: device.major, deviceMinor: device.minor,
                path: pathRange, linkTarget: targetRange, extendedAttributes: attributePosition))
    }

    private mutating func store(_ bytes: some Collection<UInt8>) -> Entry.ByteRange {
        let range = Entry.ByteRange(start: UInt32(names.count), length: UInt32(bytes.count))
        names.append(contentsOf: bytes)
        return range
    }
}
