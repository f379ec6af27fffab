import Glibc
import LayerArchive
import OCIModel
import Synchronization

/// Everything of a file but its content.
struct FileMetadata: Sendable {
    let path: ImagePath
    let status: FileStatus
    let attributes: [ExtendedAttribute]

    init(_ node: Node, of tree: RootFS) {
        path = tree.path(of: node)
        status = tree.status(of: node)
        attributes = tree.extendedAttributes(of: node)
    }

    var times: [timespec] {
        let time = timespec(tv_sec: Int(status.mtime), tv_nsec: Int(status.mtimeNanoseconds))
        return [time, time]
    }
}

/// The directory that is being filled, under a temporary name beside its final one.
final class UnpackTarget: Sendable {
    private let final: String
    private let temporary: String
    let root: Int32
    /// What a new file below it has that was made with all permissions: tried, since umask, default ACLs, setgid
    /// directories and file systems have a say in it.
    private let created: stat
    private let omitted = Mutex<Set<String>>([])
    private let wasInterrupted = Atomic<Bool>(false)

    /// Nothing is written any more.
    var isInterrupted: Bool { wasInterrupted.load(ordering: .relaxed) }

    func interrupt() { wasInterrupted.store(true, ordering: .relaxed) }

    /// Attributes that the file system does not have, one line each, sorted.
    var omittedAttributes: [String] { omitted.withLock { $0.sorted() } }

    init(final: String) throws(UnpackError) {
        var final = final
        while final.count > 1, final.hasSuffix("/") { final.removeLast() }
        self.final = final
        if let entries = opendir(final) {
            defer { closedir(entries) }
            while let entry = readdir(entries) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name == "." || name == ".." else {
                    throw UnpackError(
                        "\(escaped(final)) is not empty: name a directory that does not exist yet")
                }
            }
        } else if errno != ENOENT {
            throw UnpackError("\(escaped(final)): \(String(cString: strerror(errno)))")
        }
        (temporary, root) = try UnpackTarget.makeDirectory(beside: final)
        do throws(UnpackError) {
            created = try UnpackTarget.statusOfNewFile(below: root)
        } catch {
            close(root)
            rmdir(temporary)
            throw error
        }
    }

    private static func statusOfNewFile(below directory: Int32) throws(UnpackError) -> stat {
        var status = stat()
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = openat(directory, "trial", flags, mode_t(0o777))
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fstat(descriptor, &status) == 0, unlinkat(directory, "trial", 0) == 0 else {
            throw UnpackError("cannot make a file: \(String(cString: strerror(errno)))")
        }
        return status
    }

    /// Makes a directory with a lock on it: who looks for what killed runs have left sees by that that this one is
    /// alive. Between the two it may have been taken for a leftover: then it is another one.
    private static func makeDirectory(beside final: String) throws(UnpackError) -> (String, Int32) {
        for _ in 0..<10 {
            var template = Array("\(final).assay-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw UnpackError(
                    "cannot make a directory beside \(escaped(final)): \(String(cString: strerror(errno)))")
            }
            let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 || errno == ENOENT else {
                throw UnpackError("\(escaped(path)): \(String(cString: strerror(errno)))")
            }
            let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
            if descriptor >= 0, !isTaken, access(path, F_OK) == 0 { return (path, descriptor) }
            close(descriptor)
        }
        throw UnpackError("what is made beside \(escaped(final)) is taken away at once")
    }

    deinit { close(root) }

    func commit() throws(UnpackError) {
        guard rename(temporary, final) == 0 else { throw failure("cannot rename to", ImagePath(final)) }
    }

    /// Removes what was written so far.
    func discard() {
        removeTree(at: AT_FDCWD, temporary, depth: 0)
    }

    private func removeTree(at parent: Int32, _ name: String, depth: Int) {
        let descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0, depth < 1_000, let entries = fdopendir(descriptor) else { return }
        var files: [[CChar]] = []
        while let entry = readdir(entries) {
            files.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                        Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                    }
                })
        }
        fchmod(descriptor, 0o700)
        for file in files {
            let text = String(decoding: file.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text == "." || text == ".." { continue }
            if unlinkat(descriptor, file, 0) != 0 { removeTree(at: descriptor, text, depth: depth + 1) }
        }
        closedir(entries)
        unlinkat(parent, name, AT_REMOVEDIR)
    }

    // MARK: Entries

    func makeDirectory(_ path: ImagePath) throws(UnpackError) {
        guard path != .root else { return }
        guard mkdirat(root, relative(path), 0o700) == 0 else { throw failure("cannot make", path) }
    }

    /// Makes a file with the mode that it shall have in the end, as far as the system lets it; nobody else reaches it yet.
    func makeFile(_ metadata: FileMetadata) throws(UnpackError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let mode = mode_t(metadata.status.permissions) & 0o777
        let descriptor = openat(root, relative(metadata.path), flags, mode)
        guard descriptor >= 0 else { throw failure("cannot make", metadata.path) }
        return descriptor
    }

    func makeSymbolicLink(_ path: ImagePath, to target: [UInt8]) throws(UnpackError) {
        let text = target.map(CChar.init(bitPattern:)) + [0]
        guard symlinkat(text, root, relative(path)) == 0 else { throw failure("cannot make the link", path) }
    }

    func makeNode(_ path: ImagePath, mode: mode_t, device: dev_t) throws(UnpackError) {
        guard mknodat(root, relative(path), mode | 0o600, device) == 0 else {
            throw failure("cannot make", path)
        }
    }

    func link(_ existing: ImagePath, to path: ImagePath) throws(UnpackError) {
        guard linkat(root, relative(existing), root, relative(path), 0) == 0 else {
            throw failure("cannot link", path)
        }
    }

    // MARK: Metadata

    /// Sets size, owner, attributes, mode and time of an open file, as far as it does not have them: the mode after
    /// the owner, since changing the owner clears the setuid bit, and capabilities after both.
    ///
    /// - Parameter size: bytes that it has.
    func finishFile(
        _ descriptor: Int32, size: Int64, _ metadata: FileMetadata, preservesOwners: Bool
    ) throws(UnpackError) {
        let status = metadata.status
        if size != status.size {
            guard ftruncate(descriptor, off_t(status.size)) == 0 else {
                throw failure("cannot size", metadata.path)
            }
        }
        if preservesOwners, !hasOwnerByCreation(status) {
            guard let (uid, gid) = owner(status), fchown(descriptor, uid, gid) == 0 else {
                throw ownerFailure(metadata.path)
            }
        }
        if mode_t(status.permissions) & ~(created.st_mode & 0o777) != 0 {
            guard fchmod(descriptor, mode_t(status.permissions)) == 0 else {
                throw failure("cannot set the mode of", metadata.path)
            }
        }
        for attribute in metadata.attributes where preservesOwners || attribute.name.hasPrefix("user.") {
            if !attribute.set(on: descriptor) { try leaveOut(attribute, of: metadata.path) }
        }
        guard futimens(descriptor, metadata.times) == 0 else {
            throw failure("cannot set the time of", metadata.path)
        }
    }

    /// The same for anything that is not an open file; links themselves, not what they point at.
    func apply(_ metadata: FileMetadata, to path: ImagePath, preservesOwners: Bool) throws(UnpackError) {
        let status = metadata.status
        let name = relative(path)
        if preservesOwners, !hasOwnerByCreation(status) {
            guard let (uid, gid) = owner(status), fchownat(root, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0
            else {
                throw ownerFailure(path)
            }
        }
        if status.kind != .symbolicLink {
            guard fchmodat(root, name, mode_t(status.permissions), 0) == 0 else {
                throw failure("cannot set the mode of", path)
            }
        }
        for attribute in metadata.attributes where preservesOwners || attribute.name.hasPrefix("user.") {
            let full = "/proc/self/fd/\(root)/".utf8CString.dropLast() + name
            if !attribute.set(onPath: full) { try leaveOut(attribute, of: path) }
        }
        guard utimensat(root, name, metadata.times, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw failure("cannot set the time of", path)
        }
    }

    /// Passes over an attribute that this file system does not support; anything else is an error.
    private func leaveOut(_ attribute: ExtendedAttribute, of path: ImagePath) throws(UnpackError) {
        guard errno == ENOTSUP else { throw failure("cannot set \(escaped(attribute.name)) of", path) }
        omitted.withLock {
            _ = $0.insert("\(path): \(escaped(attribute.name)), which this file system does not have")
        }
    }

    private func hasOwnerByCreation(_ status: FileStatus) -> Bool {
        status.uid == Int64(created.st_uid) && status.gid == Int64(created.st_gid)
    }

    private func owner(_ status: FileStatus) -> (uid_t, gid_t)? {
        guard let uid = uid_t(exactly: status.uid), let gid = gid_t(exactly: status.gid) else { return nil }
        return (uid, gid)
    }

    private func ownerFailure(_ path: ImagePath) -> UnpackError {
        UnpackError(
            "cannot set the owner of \(path): \(String(cString: strerror(errno))); "
                + "run as root, or give --no-same-owner to keep everything as your own")
    }

    private func failure(_ problem: String, _ path: ImagePath) -> UnpackError {
        UnpackError("\(problem) \(path): \(String(cString: strerror(errno)))")
    }

    /// The path below the root directory, for the `…at` calls.
    private func relative(_ path: ImagePath) -> [CChar] {
        path == .root
            ? [CChar(bitPattern: UInt8(ascii: ".")), 0]
            : path.bytes.dropFirst().map(CChar.init(bitPattern:)) + [0]
    }
}
