import Glibc
import LayerArchive
import OCIModel
import Synchronization

/// Why a root file system could not be written to disk.
public struct UnpackError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, where, and what to do about it, in one line.
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// Writes the merged tree to disk.
///
/// The tree decides what is written where, so no member's name is ever followed on the disk: directories are
/// made from the tree first, then each layer's surviving files are written into them, and links and metadata
/// come last. Everything happens below one directory descriptor, without following links.
public struct RootFSWriter: Sendable {
    /// Whether owners, devices and privileged attributes are set, which takes root; without, everything
    /// belongs to the caller and devices are left out.
    public var preservesOwners: Bool

    public init(preservesOwners: Bool) { self.preservesOwners = preservesOwners }

    /// What was written, and what was left out.
    public struct Report: Sendable {
        public var entries = 0
        /// What was left out, one line each: devices for want of privilege, attributes that the file system does
        /// not have.
        public var omitted: [String] = []
    }

    /// Unpacks a tree.
    ///
    /// - Parameters:
    ///   - layers: the layers the tree was merged from; they are read, and verified, once more.
    ///   - directory: must not exist, or be empty. Appears under its name only when everything is written.
    /// - Throws: `UnpackError` or `LayerError`.
    public func write(
        _ tree: RootFS, layers: [LayerInput], to directory: String, progress: ReadProgress? = nil
    ) async throws -> Report {
        let target = try Target(final: directory)
        do {
            var report = Report()
            let plan = UnpackPlan(tree)
            for node in plan.directories { try target.makeDirectory(tree.path(of: node)) }
            _ = try await LayerReader.read(layers, progress: progress) { layer in
                FileSink(plan: plan.files[layer] ?? [:], target: target, preservesOwners: preservesOwners)
            }
            for node in plan.specials where try !writeSpecial(node, of: tree, in: target) {
                report.omitted.append("\(tree.path(of: node)): a device, which takes root")
            }
            for (name, first) in plan.hardLinks { try target.link(first, to: name) }
            for node in plan.directories.reversed() {
                let metadata = FileMetadata(node, of: tree)
                try target.apply(metadata, to: tree.path(of: node), preservesOwners: preservesOwners)
            }
            report.entries = tree.count
            report.omitted += target.omittedAttributes
            try target.commit()
            return report
        } catch {
            target.discard()
            throw error
        }
    }

    /// - Returns: false when the entry was left out.
    private func writeSpecial(_ node: Node, of tree: RootFS, in target: Target) throws -> Bool {
        let status = tree.status(of: node)
        let path = tree.path(of: node)
        switch status.kind {
        case .symbolicLink:
            try target.makeSymbolicLink(path, to: tree.linkTarget(of: node) ?? [])
        case .fifo, .socket:
            try target.makeNode(path, mode: status.kind == .fifo ? S_IFIFO : S_IFSOCK, device: 0)
        case .characterDevice, .blockDevice:
            guard preservesOwners else { return false }
            try target.makeNode(
                path, mode: status.kind == .blockDevice ? S_IFBLK : S_IFCHR,
                device: makeDevice(status.deviceMajor, status.deviceMinor))
        case .file, .directory: return true
        }
        try target.apply(FileMetadata(node, of: tree), to: path, preservesOwners: preservesOwners)
        return true
    }

    /// `makedev` of <sys/sysmacros.h>, which is a macro and does not come over.
    private func makeDevice(_ major: UInt32, _ minor: UInt32) -> dev_t {
        let major = UInt64(major)
        let minor = UInt64(minor)
        return dev_t(
            (major & 0xFFFF_F000) << 32 | (major & 0xFFF) << 8 | (minor & 0xFFFF_FF00) << 12 | minor & 0xFF)
    }
}

/// Who writes what: each file by the layer that has its content, every other entry from the tree.
private struct UnpackPlan: Sendable {
    var directories: [Node] = []
    var specials: [Node] = []
    var hardLinks: [(name: ImagePath, first: ImagePath)] = []
    /// By layer and position of the member in it.
    var files: [Int: [Int: FileMetadata]] = [:]

    init(_ tree: RootFS) {
        var firstNames: [Int64: ImagePath] = [:]
        tree.forEachDescendant(of: tree.root) { node in
            let status = tree.status(of: node)
            if status.kind == .directory { return directories.append(node) }
            guard let member = tree.member(of: node) else { return }
            let path = tree.path(of: node)
            if status.linkCount > 1 {
                let identity = Int64(member.layer) << 32 | Int64(member.entry)
                if let first = firstNames[identity] { return hardLinks.append((path, first)) }
                firstNames[identity] = path
            }
            if status.kind == .file {
                files[member.layer, default: [:]][member.entry] = FileMetadata(node, of: tree)
            } else {
                specials.append(node)
            }
        }
    }
}

/// Everything of a file but its content.
private struct FileMetadata: Sendable {
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

/// Writes the files of one layer that are still there in the merged tree.
private struct FileSink: MemberSink {
    let plan: [Int: FileMetadata]
    let target: Target
    let preservesOwners: Bool
    private var current: (metadata: FileMetadata, descriptor: Int32)?

    init(plan: [Int: FileMetadata], target: Target, preservesOwners: Bool) {
        self.plan = plan
        self.target = target
        self.preservesOwners = preservesOwners
    }

    mutating func begin(_ member: Member, index: Int) throws(LayerError) -> Bool {
        guard let metadata = plan[index] else { return false }
        do throws(UnpackError) {
            current = (metadata, try target.makeFile(metadata.path))
        } catch {
            throw LayerError(.io, error.message)
        }
        return true
    }

    mutating func data(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(LayerError) {
        guard let current else { return }
        var written = 0
        while written < bytes.count {
            let count = pwrite(
                current.descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written,
                off_t(offset) + off_t(written))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw LayerError(
                    .io, "cannot write \(current.metadata.path): \(String(cString: strerror(errno)))")
            }
            written += count
        }
    }

    mutating func end() throws(LayerError) {
        guard let (metadata, descriptor) = current else { return }
        current = nil
        defer { close(descriptor) }
        do throws(UnpackError) {
            try target.finishFile(descriptor, metadata, preservesOwners: preservesOwners)
        } catch {
            throw LayerError(.io, error.message)
        }
    }
}

/// The directory that is being filled, under a temporary name beside its final one.
private final class Target: Sendable {
    private let final: String
    private let temporary: String
    private let root: Int32
    private let omitted = Mutex<Set<String>>([])

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
        var template = Array("\(final).assay-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw UnpackError(
                "cannot make a directory beside \(escaped(final)): \(String(cString: strerror(errno)))")
        }
        temporary = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        root = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else {
            throw UnpackError("\(escaped(temporary)): \(String(cString: strerror(errno)))")
        }
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

    func makeFile(_ path: ImagePath) throws(UnpackError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = openat(root, relative(path), flags, mode_t(0o600))
        guard descriptor >= 0 else { throw failure("cannot make", path) }
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

    /// Sets size, owner, attributes, mode and time of an open file: the mode after the owner, since changing
    /// the owner clears the setuid bit, and capabilities after both.
    func finishFile(
        _ descriptor: Int32, _ metadata: FileMetadata, preservesOwners: Bool
    ) throws(UnpackError) {
        let status = metadata.status
        guard ftruncate(descriptor, off_t(status.size)) == 0 else {
            throw failure("cannot size", metadata.path)
        }
        if preservesOwners {
            guard let (uid, gid) = owner(status), fchown(descriptor, uid, gid) == 0 else {
                throw ownerFailure(metadata.path)
            }
        }
        guard fchmod(descriptor, mode_t(status.permissions)) == 0 else {
            throw failure("cannot set the mode of", metadata.path)
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
        if preservesOwners {
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
