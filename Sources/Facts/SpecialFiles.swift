import LayerArchive
import OCIModel
import RootFS

/// Files whose mode or attributes give more rights than usual, each list in the order of the tree.
public struct SpecialFiles: Sendable {
    public struct File: Hashable, Sendable {
        public let path: ImagePath
        public let kind: FileStatus.Kind
        /// Mode bits 07777.
        public let permissions: UInt16
        public let uid: Int64
        public let gid: Int64
        /// The layer that wrote it, lowest 0.
        public let layer: Int
    }

    /// Regular files that run with the rights of their owner (mode bit 04000).
    public private(set) var setuid: [File] = []
    /// Regular files that run with the rights of their group (mode bit 02000).
    public private(set) var setgid: [File] = []
    /// Regular files with the extended attribute `security.capability` (capabilities(7)).
    public private(set) var withCapabilities: [File] = []
    /// Regular files that everybody may write, and directories in which everybody may remove the files of others
    /// because they lack the sticky bit (mode bit 01000).
    public private(set) var worldWritable: [File] = []

    init() {}

    mutating func insert(_ node: Node, _ status: FileStatus, of rootfs: RootFS) {
        let isFile = status.kind == .file
        guard isFile || status.kind == .directory else { return }
        let isSetuid = isFile && status.permissions & 0o4000 != 0
        let isSetgid = isFile && status.permissions & 0o2000 != 0
        let isWorldWritable =
            status.permissions & 0o002 != 0 && (isFile || status.permissions & 0o1000 == 0)
        let hasCapabilities =
            isFile && rootfs.extendedAttributes(of: node).contains { $0.name == "security.capability" }
        guard isSetuid || isSetgid || isWorldWritable || hasCapabilities else { return }
        let file = File(
            path: rootfs.path(of: node), kind: status.kind, permissions: status.permissions, uid: status.uid,
            gid: status.gid, layer: status.layer)
        if isSetuid { setuid.append(file) }
        if isSetgid { setgid.append(file) }
        if isWorldWritable { worldWritable.append(file) }
        if hasCapabilities { withCapabilities.append(file) }
    }
}
