import OCIModel
import RootFS

/// A shared library found in the image.
public struct FoundLibrary: Hashable, Sendable {
    /// Where it was found: a directory of the search path, and the name.
    public let path: ImagePath
    /// The regular file that symbolic links lead to; `path` itself when there are none.
    public let resolvedPath: ImagePath
    /// The layer that wrote the file, lowest 0.
    public let layer: Int
    /// Bytes of the file.
    public let size: Int64
}

/// Finds shared libraries where the dynamic linker looks for them (ld.so(8)): LD_LIBRARY_PATH of the image
/// config, the directories of `/etc/ld.so.conf`, and the linker's own.
public struct LibrarySearch: Sendable {
    /// The directories, in the linker's order; they need not exist.
    public let path: [ImagePath]
    /// The first of them, which LD_LIBRARY_PATH names.
    let variablePath: [ImagePath]
    /// Configuration files that exist and whose content could not be had: `path` may lack directories.
    public let unreadFiles: [ImagePath]
    private let rootfs: RootFS

    public init(config: ImageConfig, rootfs: RootFS) {
        let workingDirectory = ImagePath(config.run.workingDirectory ?? "/")
        let variable = config.run.environmentValue("LD_LIBRARY_PATH") ?? ""
        var path = variable.utf8.split { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ";") }.map {
            directory in
            directory.first == UInt8(ascii: "/")
                ? ImagePath(directory) : workingDirectory.appending(directory)
        }
        variablePath = path
        var configuration = LinkerConfiguration(rootfs: rootfs)
        configuration.read()
        path += configuration.directories
        if let triplet = Self.triplet(of: config.platform) {
            path += [ImagePath("/lib/\(triplet)"), ImagePath("/usr/lib/\(triplet)")]
        }
        path += ["/lib", "/usr/lib"]
        if config.platform.architecture == "amd64" { path += ["/lib64", "/usr/lib64"] }
        self.path = path
        unreadFiles = configuration.unreadFiles
        self.rootfs = rootfs
    }

    /// The libraries whose file name matches, as `libmysqlclient.so*`, in the order of the search path and then
    /// of their names. A directory that the path names twice, through whatever links, is searched once.
    public func find(_ name: Glob) -> [FoundLibrary] {
        var searched: Set<Node> = []
        var found: [FoundLibrary] = []
        for directory in path {
            guard let node = try? rootfs.node(at: directory), rootfs.status(of: node).kind == .directory,
                searched.insert(node).inserted
            else { continue }
            for entry in rootfs.entries(of: node) where name.matches(rootfs.name(of: entry)) {
                let path = directory.appending(rootfs.name(of: entry))
                guard let library = try? rootfs.node(at: path) else { continue }
                let status = rootfs.status(of: library)
                guard status.kind == .file else { continue }
                found.append(
                    FoundLibrary(
                        path: path, resolvedPath: rootfs.path(of: library), layer: status.layer,
                        size: status.size))
            }
        }
        return found
    }

    /// The layer, lowest 0, that removed a library of such a file name; of several the highest. Nil when none did.
    public func layer(thatRemoved name: Glob) -> Int? {
        path.flatMap { directory -> [Int] in
            guard let node = try? rootfs.node(at: directory), rootfs.status(of: node).kind == .directory
            else {
                return []
            }
            return rootfs.removedEntries(of: node).filter { name.matches($0.name) }.map(\.layer)
        }.max()
    }

    /// Debian's name for the platform's library directories.
    private static func triplet(of platform: Platform) -> String? {
        switch platform.architecture {
        case "amd64": "x86_64-linux-gnu"
        case "arm64": "aarch64-linux-gnu"
        default: nil
        }
    }
}

/// The directories that `/etc/ld.so.conf` and the files it includes name (ldconfig(8)).
private struct LinkerConfiguration {
    private static let maximumFiles = 256

    let rootfs: RootFS
    private(set) var directories: [ImagePath] = []
    private(set) var unreadFiles: [ImagePath] = []
    private var seen: Set<ImagePath> = []

    init(rootfs: RootFS) { self.rootfs = rootfs }

    mutating func read() {
        // Lines still to read, the next one last: an include is replaced by the lines of its files.
        var pending = lines(of: "/etc/ld.so.conf")
        while let (line, directory) = pending.popLast() {
            let text = line.prefix { $0 != UInt8(ascii: "#") }.trimmed
            let words = text.split(whereSeparator: isSpace)
            if words.first?.elementsEqual("include".utf8) == true {
                let files = words.dropFirst().flatMap { included($0, from: directory) }
                for file in files.reversed() { pending += lines(of: file) }
            } else if words.first?.elementsEqual("hwcap".utf8) != true {
                for word in text.split(whereSeparator: { isSpace($0) || ":,".utf8.contains($0) })
                where word.first == UInt8(ascii: "/") {
                    // "directory=type" is an old form.
                    directories.append(ImagePath(word.prefix { $0 != UInt8(ascii: "=") }))
                }
            }
        }
    }

    /// The lines of a file, last one first, with the directory that its includes are relative to. Empty for a file
    /// that was read before: an include cannot go round in circles.
    private mutating func lines(of path: ImagePath) -> [(line: ArraySlice<UInt8>, directory: ImagePath)] {
        guard seen.insert(path).inserted else { return [] }
        guard seen.count <= Self.maximumFiles else {
            unreadFiles.append(path)
            return []
        }
        switch rootfs.factFile(at: path) {
        case .success(let file): return Lines(file.bytes).map { ($0.bytes, path.parent) }.reversed()
        case .failure(let error) where error.kind == .missing: return []
        case .failure:
            unreadFiles.append(path)
            return []
        }
    }

    /// The files that the pattern of an include names; only its last component may hold wildcards.
    private func included(_ pattern: ArraySlice<UInt8>, from directory: ImagePath) -> [ImagePath] {
        let path = pattern.first == UInt8(ascii: "/") ? ImagePath(pattern) : directory.appending(pattern)
        guard let name = path.name, let node = try? rootfs.node(at: path.parent),
            rootfs.status(of: node).kind == .directory
        else { return [] }
        let glob = Glob(text(of: name))
        return rootfs.entries(of: node).filter { glob.matches(rootfs.name(of: $0)) }
            .map { path.parent.appending(rootfs.name(of: $0)) }
    }
}
