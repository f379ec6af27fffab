import Foundation
import Glibc
import OCIModel
import SystemPackage
import Verdict

/// Looks at files below a directory that is a container's root, as the container sees them: nothing outside of it is
/// reached by symbolic links or `..`, also while the container changes them.
public struct ContainerFiles: Codable, Sendable {
    /// A file that is looked at.
    public struct Wanted: Codable, Hashable, Sendable {
        /// Absolute, in the container.
        public var path: String
        public var readsContent: Bool
    }

    /// Something of this machine that is mounted over a path of the container.
    public struct Mount: Codable, Hashable, Sendable {
        public var path: String
        public var source: String
    }

    public var mounts: [Mount]
    public var wanted: [Wanted]

    /// What is mounted over the root of a container.
    static func mounts(of spec: ContainerSpec, volumes: [String: String], files: [String]) -> [Mount] {
        let shared = spec.volumes.compactMap { volume in
            volumes[volume.name].map { Mount(path: volume.path, source: $0) }
        }
        return shared + zip(spec.files, files).map { Mount(path: $0.path, source: $1) }
    }

    /// Bytes of a file that are kept.
    static let contentLimit = 64 << 10
    /// `O_PATH` (open(2)), of asm-generic/fcntl.h, which Glibc declares for GNU programs only: nothing is opened by it
    /// but a place, neither a device nor the other end of a pipe.
    private static let placeOnly: Int32 = 0o10_000_000
    /// As the kernel (path_resolution(7)).
    private static let linkLimit = 40

    /// What is there, in the order of `wanted`.
    ///
    /// - Parameter root: the directory, open; it stays the caller's.
    /// - Throws: `ProbeError` when something cannot be seen.
    public func look(below root: Int32) throws(ProbeError) -> [ContainerState.File] {
        var files: [ContainerState.File] = []
        for one in wanted { files.append(.init(path: one.path, status: try status(of: one, below: root))) }
        return files
    }

    /// Looks by another process, which sees the owners and may read what belongs to them.
    ///
    /// - Parameters:
    ///   - command: what runs `assay` as such a process, with its path; the directory is its standard input.
    ///   - root: the directory, open; nil when the command opens it.
    func look(by command: [String], below root: FileDescriptor?) async throws(ProbeError) -> [ContainerState
        .File]
    {
        do {
            let request = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
            // A byte takes up to six in JSON.
            let limit = (1 << 20) + wanted.count * 6 * ContainerFiles.contentLimit
            let look = RunningProgram(command + ["look", request], file: root, outputLimit: limit)
            guard await look.end(within: .seconds(20)), try look.exitCode() == 0 else {
                let complaint = look.standardError.output.text.prefix(400)
                throw ProbeError(.runtime, "files could not be looked at: \(escaped(String(complaint)))")
            }
            return try JSONDecoder().decode([ContainerState.File].self, from: Data(look.standardOutput.bytes))
        } catch let error as ProbeError {
            throw error
        } catch {
            throw ProbeError(.runtime, "files could not be looked at: \(escaped("\(error)"))")
        }
    }

    /// An open place in the tree.
    private final class Place {
        let descriptor: Int32
        /// How it is opened again.
        let name: [UInt8]
        let isMount: Bool
        /// Its name in the container.
        let mountedName: [UInt8]

        init(
            _ descriptor: Int32, name: [UInt8] = [], isMount: Bool = false, mountedName: [UInt8]? = nil
        ) {
            self.descriptor = descriptor
            self.name = name
            self.isMount = isMount
            self.mountedName = mountedName ?? name
        }

        deinit { close(descriptor) }
    }

    private func status(
        of wanted: Wanted, below root: Int32
    ) throws(ProbeError) -> ContainerState.File.Status? {
        guard let places = try places(to: wanted.path, below: root), let place = places.last else {
            return nil
        }
        var status = stat()
        guard fstat(place.descriptor, &status) == 0 else { throw failure(wanted.path) }
        let type =
            switch status.st_mode & S_IFMT {
            case S_IFREG: "file"
            case S_IFDIR: "directory"
            case S_IFCHR: "characterDevice"
            case S_IFBLK: "blockDevice"
            case S_IFIFO: "fifo"
            default: "socket"
            }
        var result = ContainerState.File.Status(
            type: type, uid: Int64(status.st_uid), gid: Int64(status.st_gid),
            permissions: UInt16(status.st_mode & 0o7777))
        if wanted.readsContent, type == "file" {
            result.content = try content(of: places, status, wanted.path)
        }
        return result
    }

    private func content(
        of places: [Place], _ seen: stat, _ path: String
    ) throws(ProbeError) -> ContainerTranscript.Output {
        guard let place = places.last else { throw failure(path) }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let parent = place.isMount || places.count < 2 ? AT_FDCWD : places[places.count - 2].descriptor
        let file = place.name.withCString { openat(parent, $0, flags) }
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_ino == seen.st_ino, status.st_dev == seen.st_dev else {
            throw ProbeError(.runtime, "\(escaped(path)) was replaced while it was looked at")
        }
        var bytes = [UInt8](repeating: 0, count: ContainerFiles.contentLimit)
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { buffer in
                pread(file, buffer.baseAddress?.advanced(by: count), buffer.count - count, off_t(count))
            }
            guard read >= 0 else { throw failure(path) }
            if read == 0 { break }
            count += read
        }
        return ContainerTranscript.Output(
            text: String(decoding: bytes[..<count], as: UTF8.self),
            byteCount: max(Int64(count), Int64(status.st_size)), isTruncated: count < status.st_size)
    }

    /// The places from the root to what a path leads to; nil when it leads nowhere.
    private func places(to path: String, below root: Int32) throws(ProbeError) -> [Place]? {
        let top = fcntl(root, F_DUPFD_CLOEXEC, 0)
        guard top >= 0 else { throw failure("/") }
        var places = [Place(top)]
        var pending = ArraySlice(ContainerFiles.components(of: path.utf8))
        var links = 0
        while let name = pending.popFirst() {
            guard let directory = places.last else { return nil }
            if name == [UInt8(ascii: ".")] { continue }
            if name == Array("..".utf8) {
                if places.count > 1 { places.removeLast() }
                continue
            }
            let full = places.dropFirst().map { $0.mountedName } + [name]
            let next: Place
            if let mount = mounts.first(where: { ContainerFiles.components(of: $0.path.utf8) == full }) {
                let descriptor = open(mount.source, ContainerFiles.placeOnly | O_CLOEXEC)
                guard descriptor >= 0 else { throw failure(path) }
                next = Place(descriptor, name: Array(mount.source.utf8), isMount: true, mountedName: name)
            } else {
                let descriptor = name.withCString {
                    openat(directory.descriptor, $0, ContainerFiles.placeOnly | O_NOFOLLOW | O_CLOEXEC)
                }
                guard descriptor >= 0 else {
                    if errno == ENOENT || errno == ENOTDIR { return nil }
                    throw failure(path)
                }
                next = Place(descriptor, name: name)
            }
            var status = stat()
            guard fstat(next.descriptor, &status) == 0 else { throw failure(path) }
            guard status.st_mode & S_IFMT == S_IFLNK else {
                places.append(next)
                continue
            }
            links += 1
            guard links <= ContainerFiles.linkLimit else { return nil }
            var target = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlinkat(next.descriptor, "", &target, target.count)
            guard count >= 0 else { throw failure(path) }
            let bytes = target[..<count].map { UInt8(bitPattern: $0) }
            if bytes.first == UInt8(ascii: "/") { places.removeLast(places.count - 1) }
            pending = ArraySlice(ContainerFiles.components(of: bytes) + pending)
        }
        return places
    }

    private static func components(of path: some Sequence<UInt8>) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }
    }

    private func failure(_ path: String) -> ProbeError {
        ProbeError(.runtime, "cannot look at \(escaped(path)): \(String(cString: strerror(errno)))")
    }
}

extension [UInt8] {
    fileprivate func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (self.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            var empty: CChar = 0
            return withUnsafePointer(to: &empty) { body(buffer.baseAddress ?? $0) }
        }
    }
}
