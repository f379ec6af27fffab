import OCIModel
import RootFS

/// A command found in the image.
public struct FoundCommand: Hashable, Sendable {
    /// What the user may do with a file.
    public enum Access: Hashable, Sendable {
        case executable
        /// The file lacks the execute permission for the user.
        case notExecutable
        /// The user may not search this directory on the way to the file.
        case unsearchable(ImagePath)
    }

    /// Where it was found: a directory of the search path, and the name.
    public let path: ImagePath
    /// The regular file that symbolic links lead to; `path` itself when there are none.
    public let resolvedPath: ImagePath
    /// The layer that wrote the file, lowest 0.
    public let layer: Int
    /// Bytes of the file.
    public let size: Int64
    public let access: Access

    /// Whether the image's user can run it.
    public var isExecutable: Bool { access == .executable }
}

/// Finds commands as a process of the image would: along the PATH of the image config, with the rights of its
/// USER, inside the root.
public struct CommandSearch: Sendable {
    /// The search path of runtimes for images that set none.
    public static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The directories of the search path, in order; empty and relative ones are taken from the working directory
    /// of the image (POSIX XBD 8.3, PATH).
    public let path: [ImagePath]
    /// Whether the image's USER could not be resolved; permissions are then those of root.
    public let userIsUnknown: Bool
    /// With whose rights commands are looked up.
    public let credentials: Credentials
    /// The names of all entries of the search path's directories, each once, in the path's order.
    public let names: [String]
    private let workingDirectory: ImagePath
    private let rootfs: RootFS

    public init(config: ImageConfig, rootfs: RootFS, users: Fact<UserDatabase>) {
        let workingDirectory = ImagePath(config.run.workingDirectory ?? "/")
        let searchPath = config.run.environmentValue("PATH") ?? Self.defaultPath
        path =
            searchPath.isEmpty
            ? []
            : searchPath.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { Self.absolute(Array($0), from: workingDirectory) }
        let user = try? UserDatabase.resolve(config.run.user, by: users)
        credentials = user?.credentials ?? .root
        userIsUnknown = user == nil
        names = Self.names(in: path, of: rootfs)
        self.workingDirectory = workingDirectory
        self.rootfs = rootfs
    }

    private static func names(in path: [ImagePath], of rootfs: RootFS) -> [String] {
        var searched: Set<Node> = []
        var seen: Set<String> = []
        var names: [String] = []
        for directory in path {
            guard let node = try? rootfs.node(at: directory), rootfs.status(of: node).kind == .directory,
                searched.insert(node).inserted
            else { continue }
            for entry in rootfs.entries(of: node) {
                let name = String(decoding: rootfs.name(of: entry), as: UTF8.self)
                if seen.insert(name).inserted { names.append(name) }
            }
        }
        return names
    }

    /// All files of that name on the search path, in its order: a shell runs the first that is executable. A name
    /// with a slash is a path. Directories, devices and links that lead nowhere are not found.
    public func find(_ name: String) -> [FoundCommand] {
        if name.utf8.contains(UInt8(ascii: "/")) {
            return [command(at: Self.absolute(Array(name.utf8), from: workingDirectory))].compactMap { $0 }
        }
        return find(name, in: path)
    }

    /// As `find(_:)`, in other directories than those of the search path.
    public func find(_ name: String, in directories: [ImagePath]) -> [FoundCommand] {
        name.isEmpty ? [] : directories.compactMap { command(at: $0.appending(name)) }
    }

    private func command(at path: ImagePath) -> FoundCommand? {
        guard let found = AccessPath(path, in: rootfs, for: credentials) else { return nil }
        let status = rootfs.status(of: found.node)
        guard status.kind == .file else { return nil }
        let access: FoundCommand.Access =
            if let directory = found.unsearchableDirectory {
                .unsearchable(rootfs.path(of: directory))
            } else {
                credentials.allows(.execute, on: status) ? .executable : .notExecutable
            }
        return FoundCommand(
            path: path, resolvedPath: rootfs.path(of: found.node), layer: status.layer, size: status.size,
            access: access)
    }

    private static func absolute(_ path: [UInt8], from directory: ImagePath) -> ImagePath {
        path.first == UInt8(ascii: "/") ? ImagePath(path) : directory.appending(path)
    }
}
