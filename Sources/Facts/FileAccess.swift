import OCIModel
import RootFS

/// A process's identity, for the permission checks of POSIX (XBD 4.5, "File Access Permissions"). Access control
/// lists are not considered.
public struct Credentials: Hashable, Sendable {
    public let uid: Int64
    /// The effective group and the supplementary groups.
    public let gids: Set<Int64>

    public init(uid: Int64, gids: Set<Int64>) {
        self.uid = uid
        self.gids = gids
    }

    public static let root = Credentials(uid: 0, gids: [0])

    /// A permission bit, as in the last octal digit of a mode.
    public enum Permission: UInt16, Sendable, CaseIterable {
        /// Of a directory: search.
        case execute = 1
        case write = 2
        case read = 4
    }

    /// Whether a process with this identity has the permission. Root has all of them, but to execute a regular
    /// file at least one of its execute bits must be set.
    public func allows(_ permission: Permission, on status: FileStatus) -> Bool {
        if uid == 0 {
            return permission != .execute || status.kind == .directory || status.permissions & 0o111 != 0
        }
        let shift: UInt16 = status.uid == uid ? 6 : gids.contains(status.gid) ? 3 : 0
        return status.permissions >> shift & permission.rawValue != 0
    }
}

/// Where a path leads, and whether a process may go there.
public struct AccessPath: Sendable {
    public let node: Node
    /// The first directory on the way that the process may not search; nil when it may search all.
    public let unsearchableDirectory: Node?

    /// Resolves a path as the kernel does, inside the root. Returns nil when the path does not exist, leads
    /// through something that is not a directory, or through more than 40 symbolic links.
    public init?(_ path: ImagePath, in tree: RootFS, for credentials: Credentials) {
        var pending = Array(path.components.reversed())
        var current = tree.root
        var linksLeft = 40
        var unsearchable: Node?
        while let component = pending.popLast() {
            let status = tree.status(of: current)
            guard status.kind == .directory else { return nil }
            if unsearchable == nil, !credentials.allows(.execute, on: status) { unsearchable = current }
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                current = tree.parent(of: current)
                continue
            }
            guard let child = tree.child(of: current, named: component) else { return nil }
            guard let target = tree.linkTarget(of: child) else {
                current = child
                continue
            }
            linksLeft -= 1
            guard linksLeft >= 0, !target.isEmpty else { return nil }
            if target.first == UInt8(ascii: "/") { current = tree.root }
            pending.append(contentsOf: target.split(separator: UInt8(ascii: "/")).reversed())
        }
        node = current
        unsearchableDirectory = unsearchable
    }
}
