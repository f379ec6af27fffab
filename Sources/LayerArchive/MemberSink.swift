import CArchive
import Glibc
import OCIModel

/// A member as the archive has it, valid during `MemberSink.begin`.
public struct Member {
    let entry: OpaquePointer
    /// Whether its type flag says nothing that runtimes know. libarchive gives a file or a directory, as POSIX has it.
    var hasUnknownType = false

    /// The name, as bytes. libarchive hands them out unchanged under a UTF-8 locale, also where they are not
    /// valid UTF-8.
    public var path: UnsafeBufferPointer<UInt8> { Member.bytes(archive_entry_pathname(entry)) }

    public var kind: EntryKind {
        if hasUnknownType { return .other }
        if archive_entry_hardlink(entry) != nil { return .hardLink }
        // The AE_IF… constants are casts in C and do not come over: these are POSIX's S_IF… bits.
        return switch UInt32(archive_entry_filetype(entry)) {
        case 0o100000: .file
        case 0o040000: .directory
        case 0o120000: .symbolicLink
        case 0o020000: .characterDevice
        case 0o060000: .blockDevice
        case 0o010000: .fifo
        case 0o140000: .socket
        default: .other
        }
    }

    /// The target of a hard or symbolic link; empty for other members.
    public var linkTarget: UnsafeBufferPointer<UInt8> {
        Member.bytes(archive_entry_hardlink(entry) ?? archive_entry_symlink(entry))
    }

    public var permissions: UInt16 { UInt16(truncatingIfNeeded: archive_entry_perm(entry)) & 0o7777 }
    public var uid: Int64 { archive_entry_uid(entry) }
    public var gid: Int64 { archive_entry_gid(entry) }
    /// Logical size in bytes.
    public var size: Int64 { archive_entry_size(entry) }
    public var mtime: Int64 { Int64(archive_entry_mtime(entry)) }
    public var mtimeNanoseconds: Int32 { Int32(truncatingIfNeeded: archive_entry_mtime_nsec(entry)) }
    /// Regions of a sparse file's map; 0 for a file that is stored whole.
    public var sparseRegions: Int { Int(archive_entry_sparse_count(entry)) }
    public var device: (major: UInt32, minor: UInt32) {
        (UInt32(archive_entry_rdevmajor(entry)), UInt32(archive_entry_rdevminor(entry)))
    }

    func extendedAttributes(_ limits: Limits) throws(LayerError) -> [ExtendedAttribute] {
        guard archive_entry_xattr_reset(entry) > 0 else { return [] }
        var attributes: [ExtendedAttribute] = []
        var total = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while archive_entry_xattr_next(entry, &name, &value, &count) == ARCHIVE_OK {
            guard let name else { continue }
            total += count + strlen(name)
            guard total <= limits[.attributes] else {
                throw LayerError(.limit, "\(escaped(path)): \(limits.exceeded(.attributes))")
            }
            let bytes = UnsafeRawBufferPointer(start: value, count: count)
            attributes.append(ExtendedAttribute(name: String(cString: name), value: Array(bytes)))
        }
        return attributes.sorted { $0.name < $1.name }
    }

    private static func bytes(_ text: UnsafePointer<CChar>?) -> UnsafeBufferPointer<UInt8> {
        guard let text else { return UnsafeBufferPointer(start: nil, count: 0) }
        var count = 0
        while text[count] != 0 { count += 1 }
        return UnsafeRawBufferPointer(start: text, count: count).bindMemory(to: UInt8.self)
    }
}

/// Receives the members of a layer in archive order.
public protocol MemberSink: SendableMetatype {
    /// - Returns: whether the member's data shall be delivered.
    mutating func begin(_ member: Member, index: Int) throws(LayerError) -> Bool

    /// Where in the data of the member begun last the next byte is that it has use for: what comes before it need not
    /// be delivered, and nothing where it lies at the end or beyond.
    var nextOffset: Int64 { get }

    /// A piece of the data of the member begun last. Holes of sparse files are not delivered: `offset` jumps.
    mutating func data(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(LayerError)

    /// The data are complete.
    mutating func end() throws(LayerError)
}

extension MemberSink {
    public var nextOffset: Int64 { 0 }
}

/// Builds the table of a layer's members and keeps the contents of a plan.
struct IndexSink: MemberSink {
    private(set) var table = EntryTable()
    private let plan: ContentPlan
    private let limits: Limits
    /// Bytes of contents that were kept.
    private(set) var kept = 0
    private var current: [UInt8] = []
    private var extractor = LinkageExtractor()
    /// Whether the data of the current member go to the extractor.
    private var isExtracting = false

    init(plan: ContentPlan, limits: Limits) {
        self.plan = plan
        self.limits = limits
    }

    mutating func begin(_ member: Member, index: Int) throws(LayerError) -> Bool {
        let path = member.path
        let target = member.linkTarget
        guard !path.isEmpty else { throw LayerError(.corrupt, "member \(index + 1) has no name") }
        guard max(path.count, target.count) <= limits[.pathLength] else {
            throw LayerError(
                .limit,
                "member \(index + 1) has \(max(path.count, target.count)) bytes in its name or link "
                    + "target, \(limits.exceeded(.pathLength))")
        }
        guard path.count / 2 < limits[.pathDepth] || IndexSink.depth(of: path) <= limits[.pathDepth] else {
            throw LayerError(
                .limit,
                "member \(index + 1) has \(IndexSink.depth(of: path)) components in its name, "
                    + limits.exceeded(.pathDepth))
        }
        guard table.nameBytes + path.count + target.count <= limits[.nameBytes] else {
            throw LayerError(.limit, "the names have \(limits.exceeded(.nameBytes))")
        }
        let kind = member.kind
        table.append(
            path: path, kind: kind, permissions: member.permissions, uid: member.uid, gid: member.gid,
            size: member.size, mtime: member.mtime, mtimeNanoseconds: member.mtimeNanoseconds,
            linkTarget: target, device: member.device,
            extendedAttributes: try member.extendedAttributes(limits))
        guard kind == .file, let rule = plan.rule(forMember: path) else { return false }
        isExtracting = rule.keeps == .linkage
        if isExtracting {
            extractor.begin(size: member.size)
            return true
        }
        guard member.size <= rule.maximumBytes else { return false }
        kept += Int(member.size)
        guard kept <= limits[.keptContents] else {
            throw LayerError(.limit, limits.exceeded(.keptContents))
        }
        current = [UInt8](repeating: 0, count: Int(member.size))
        return true
    }

    static func depth(of path: some Collection<UInt8>) -> Int {
        path.split(separator: UInt8(ascii: "/")).count
    }

    var nextOffset: Int64 { isExtracting ? extractor.nextOffset : 0 }

    mutating func data(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(LayerError) {
        if isExtracting { return extractor.data(bytes, at: offset) }
        guard offset >= 0, bytes.count <= current.count, offset <= current.count - bytes.count else {
            throw LayerError(.corrupt, "a member has more data than its header says")
        }
        current.withUnsafeMutableBytes { buffer in
            UnsafeMutableRawBufferPointer(rebasing: buffer[Int(offset)...]).copyMemory(from: bytes)
        }
    }

    mutating func end() throws(LayerError) {
        if isExtracting {
            table.linkages[table.count - 1] = extractor.finish()
            return
        }
        table.contents[table.count - 1] = current
        current = []
    }
}
