import OCIModel

/// A file (or link or device) that a layer carries and the merged tree does not show: a later layer removed or
/// replaced its name.
public struct HiddenFile: Sendable {
    public let path: ImagePath
    /// As the layer wrote it.
    public let status: FileStatus
    /// The layer that hid it, lowest 0.
    public let hiddenBy: Int
    /// The content, if the plan of the run kept it and asked for versions.
    public let contents: [UInt8]?
    /// Whether a later layer stores it once more: a regular file has its name, its size and its time of
    /// modification, and a different owner or mode. That is what chown and chmod leave in a layer of their own.
    public let isCopied: Bool
}

extension RootFS {
    struct HiddenName: Sendable {
        var node: Int32
        var inode: Int32
        var layer: Int32
    }

    /// What layers carry and the tree does not show, in the order in which it was hidden.
    public var hiddenFiles: some Sequence<HiddenFile> {
        hidden.lazy.map { name in
            let status = inodes[Int(name.inode)].status
            return HiddenFile(
                path: path(of: Node(index: name.node)), status: status, hiddenBy: Int(name.layer),
                contents: keptContents[name.inode], isCopied: isCopy(name.node, of: status))
        }
    }

    private func isCopy(_ node: Int32, of old: FileStatus) -> Bool {
        let inode = nodes[Int(node)].inode
        guard inode >= 0, old.kind == .file else { return false }
        let new = inodes[Int(inode)].status
        return new.kind == .file && new.size == old.size && new.mtime == old.mtime
            && (new.uid != old.uid || new.gid != old.gid || new.permissions != old.permissions)
    }
}
