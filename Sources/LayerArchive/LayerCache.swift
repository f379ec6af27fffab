import Glibc
import OCIModel

/// Indexed layers that are kept between runs, for any number of processes at once.
///
/// An entry is the serial form of a layer, under a name made of the layer's digests, the content plan, the limits and
/// the reader. It stands for the bytes of a blob with its digest, so it is used only for a blob whose bytes have been
/// digested: in this run, or in an earlier one that left a mark for the very file. The mark holds as long as device,
/// inode, size and the times of modification and change are the same, as git and ccache trust them.
///
/// A cache that cannot be read or written only costs time.
public struct LayerCache: Sendable {
    /// Where the entries are; made when the first is stored.
    public let directory: String
    /// What reads layers: another reader has entries of its own.
    public let reader: String
    /// Bytes that entries may take together; the ones used longest ago go first.
    public var sizeLimit: Int64 = 1 << 30
    /// A file as young as this gets no mark: it may change and keep its times, whose grain is coarser than two writes.
    var settlingSeconds = 2

    public init(directory: String, reader: String) {
        self.directory = directory
        self.reader = reader
    }

    private static let entrySuffix = ".layer"
    private static let markSuffix = ".seen"
    /// Bytes that a file takes at least; a mark is empty.
    private static let blockSize: Int64 = 4096

    // MARK: Names

    /// What the entries of one plan have in common.
    func prefix(plan: ContentPlan, limits: ReadLimits) -> [UInt8] {
        var writer = ByteWriter()
        writer.text(reader)
        plan.write(to: &writer)
        limits.write(to: &writer)
        return writer.bytes
    }

    func key(of input: LayerInput, prefix: [UInt8]) -> String? {
        var writer = ByteWriter()
        writer.counted(prefix)
        writer.optional(input.digest) { $0.digest($1) }
        writer.digest(input.diffID)
        return LayerCache.name(writer.bytes)
    }

    private static func name(_ bytes: [UInt8]) -> String? { (try? Digester.digest(of: bytes))?.encoded }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }

    // MARK: Lookup

    /// The layer of a blob whose bytes are known to be those that the entry was made of; nil when there is none, it
    /// is damaged, or the blob has become another one.
    func layer(
        _ input: LayerInput, key: String, limits: ReadLimits, progress: ReadProgress?
    ) -> LayerReader.IndexedLayer? {
        let path = path(key + LayerCache.entrySuffix)
        guard let bytes = LayerCache.read(path) else { return nil }
        guard
            let layer = try? bytes.withUnsafeBytes({
                try LayerReader.IndexedLayer(serialized: $0, limits: limits)
            }), layer.isClaimed(by: input)
        else {
            unlink(path)
            return nil
        }
        if let mark = mark(of: input, key: key), LayerCache.isOwn(self.path(mark)) {
            touch(self.path(mark))
            progress?.add(Int(input.blob.size))
        } else {
            let before = FileIdentity(input.blob.file)
            let digest = try? input.blob.digest(layer.summary.digest.algorithm) { progress?.add($0.count) }
            guard digest == layer.summary.digest else { return nil }
            remember(input, key: key, before: before)
        }
        touch(path)
        progress?.endLayer()
        return layer
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, isOwn(status) else {
            close(descriptor)
            return nil
        }
        guard let file = try? RandomAccessFile(takingOver: descriptor, name: path) else { return nil }
        return try? Blob(file: file).bytes(limit: Int(Int32.max))
    }

    /// Nobody else may write into it.
    private static func isOwn(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
    }

    private static func isOwn(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && isOwn(status)
    }

    /// Used now: what is not used goes first.
    private func touch(_ path: String) { utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW) }

    // MARK: Storing

    /// Keeps a layer that was read.
    ///
    /// - Parameters:
    ///   - serialized: its serial form.
    ///   - before: the blob's file before it was read.
    func store(_ serialized: [UInt8], of input: LayerInput, key: String, before: FileIdentity?) {
        guard makeDirectory(), write(serialized, to: path(key + LayerCache.entrySuffix)) else { return }
        remember(input, key: key, before: before)
    }

    /// Leaves a mark that the blob's bytes were verified, unless the file may have changed meanwhile.
    private func remember(_ input: LayerInput, key: String, before: FileIdentity?) {
        guard let before, before == FileIdentity(input.blob.file),
            before.isSettled(seconds: settlingSeconds), let mark = mark(of: input, key: key)
        else { return }
        write([], to: path(mark))
    }

    private func mark(of input: LayerInput, key: String) -> String? {
        guard let identity = FileIdentity(input.blob.file) else { return nil }
        var writer = ByteWriter()
        writer.text(key)
        identity.write(to: &writer)
        writer.integer(input.blob.offset)
        writer.integer(input.blob.size)
        return LayerCache.name(writer.bytes).map { $0 + LayerCache.markSuffix }
    }

    private func makeDirectory() -> Bool {
        for (index, byte) in directory.utf8.enumerated().dropFirst() where byte == UInt8(ascii: "/") {
            mkdir(String(decoding: directory.utf8.prefix(index), as: UTF8.self), 0o755)
        }
        return mkdir(directory, 0o700) == 0 || errno == EEXIST
    }

    /// Under a temporary name first: readers see the whole file or none.
    @discardableResult
    private func write(_ bytes: [UInt8], to path: String) -> Bool {
        var template = Array("\(directory)/.new.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return false }
        let isWritten = (try? bytes.withUnsafeBytes { try Spool.write($0, to: descriptor) }) != nil
        guard close(descriptor) == 0, isWritten, rename(template, path) == 0 else {
            unlink(template)
            return false
        }
        return true
    }

    // MARK: Upkeep

    private struct File {
        let path: String
        let size: Int64
        let used: timespec
    }

    private var files: [File] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var files: [File] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            let path = path(name)
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            let size = max(LayerCache.blockSize, Int64(status.st_size))
            files.append(File(path: path, size: size, used: status.st_mtim))
        }
        return files
    }

    /// Layers that are kept, and the bytes they take.
    public var usage: (layers: Int, bytes: Int64) {
        let files = files
        return (
            files.count { $0.path.hasSuffix(LayerCache.entrySuffix) }, files.reduce(0) { $0 + $1.size }
        )
    }

    /// Removes files, the ones used longest ago first, until the rest take no more than `size` bytes.
    public func trim(to size: Int64) {
        var total: Int64 = 0
        let newestFirst = files.sorted {
            ($0.used.tv_sec, $0.used.tv_nsec) > ($1.used.tv_sec, $1.used.tv_nsec)
        }
        for file in newestFirst {
            total += file.size
            if total > size { unlink(file.path) }
        }
    }
}

/// What tells that a file is the one that was read before, and unchanged.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let modified: [Int]
    private let changed: [Int]

    /// nil for a file that has no name: it will not be met again.
    init?(_ file: RandomAccessFile) {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0, status.st_nlink > 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    /// Whether both times lie that far behind.
    func isSettled(seconds: Int) -> Bool {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return max(modified[0], changed[0]) + seconds < now.tv_sec
    }

    func write(to writer: inout ByteWriter) {
        writer.integer(device)
        writer.integer(inode)
        writer.integer(size)
        for time in modified + changed { writer.integer(Int64(time)) }
    }
}

extension LayerReader.IndexedLayer {
    /// Whether it is what manifest and config say of a layer.
    func isClaimed(by input: LayerInput) -> Bool {
        summary.diffID == input.diffID && summary.size == input.blob.size
            && (input.digest ?? summary.digest) == summary.digest
    }
}
