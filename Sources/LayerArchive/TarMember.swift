import CArchive
import OCIModel

/// One member of a tar archive of which only the beginning may be there.
public struct TarMember: Sendable {
    public let kind: EntryKind
    /// Mode bits 07777.
    public let permissions: UInt16
    public let uid: Int64
    public let gid: Int64
    /// Bytes that it has in whole.
    public let size: Int64
    /// The beginning of them, as far as it is there.
    public let content: [UInt8]

    /// Reads the first member.
    ///
    /// - Parameter contentLimit: bytes of its content that are kept.
    /// - Throws: `LayerError` when there is none.
    public init(firstOf bytes: [UInt8], contentLimit: Int) throws(LayerError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        var rest = UnsafeRawBufferPointer(buffer)
        let handle = try ArchiveHandle(
            source: { () throws(LayerError) in
                defer { rest = UnsafeRawBufferPointer(rebasing: rest[rest.endIndex...]) }
                return rest
            }, configure: { archive_read_support_format_tar($0) })
        var pointer: OpaquePointer?
        if case .end = try handle.nextHeader(&pointer) {
            throw LayerError(.truncated, "an archive without members")
        }
        guard let pointer else { throw LayerError(.corrupt, "archive reader gave no member") }
        let member = Member(entry: pointer)
        (kind, permissions, size) = (member.kind, member.permissions, member.size)
        (uid, gid) = (member.uid, member.gid)
        var content: [UInt8] = []
        do throws(LayerError) {
            while content.count < contentLimit, let block = try handle.nextDataBlock() {
                // What is sparse reads as zeros.
                let hole = min(Int(block.offset), contentLimit) - content.count
                if hole > 0 { content += [UInt8](repeating: 0, count: hole) }
                content += block.bytes.prefix(contentLimit - content.count)
            }
        } catch {
            // It ends where the archive does.
            guard error.kind == .truncated else { throw error }
        }
        self.content = content
    }
}
