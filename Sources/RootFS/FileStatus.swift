import LayerArchive
import OCIModel

/// A name in the tree. Valid for the `RootFS` it came from.
public struct Node: Hashable, Sendable {
    let index: Int32

    static let root = Node(index: 0)

    /// A number of its own within the tree, 0..<`RootFS.placeCount`, for tables over all nodes.
    public var place: Int { Int(index) }
}

/// What POSIX `lstat` would say of a path, and who wrote it.
public struct FileStatus: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case file
        case directory
        case symbolicLink
        case characterDevice
        case blockDevice
        case fifo
        case socket
    }

    public var kind: Kind
    /// Mode bits 07777.
    public var permissions: UInt16
    public var uid: Int64
    public var gid: Int64
    /// Bytes; the length of the target for a symbolic link, 0 for directories and devices.
    public var size: Int64
    /// Seconds since the epoch, and nanoseconds.
    public var mtime: Int64
    public var mtimeNanoseconds: Int32
    public var deviceMajor: UInt32
    public var deviceMinor: UInt32
    /// Number of names of this file.
    public var linkCount: Int32
    /// Position of the layer (lowest is 0) whose member this is: the one that wrote content and metadata.
    public var layer: Int

    /// Four octal digits, as `stat -c %04a` prints.
    public var octalPermissions: String {
        let digits = String(permissions, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

/// Why a path leads nowhere.
public enum PathError: Error, Hashable, Sendable {
    /// More than 40 symbolic links on the way (POSIX ELOOP).
    case tooManyLinks
    /// A component before the last is not a directory (POSIX ENOTDIR).
    case notADirectory(ImagePath)
}
