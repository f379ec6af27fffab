import CSandbox
import Glibc
import OCIModel

/// Indexed layers that are kept between runs, for any number of processes at once.
///
/// An entry is the serial form of a layer, under a name made of the layer's digests, the content plan, the limits and
/// the reader. It stands for the bytes of a blob with its digest: a run uses it only after it has digested the whole
/// blob itself. What a hit spares is decompression, the digest of the uncompressed data, and reading the archive.
///
/// A cache that cannot be read or written only costs time.
public struct LayerCache: Sendable {
    /// Where the entries are; made when the first is stored.
    public let directory: String
    /// What reads layers: another reader has entries of its own.
    public let reader: String
    /// Bytes that entries may take together; the ones used longest ago go first.
    public var sizeLimit = defaultSizeLimit
    /// 1 GiB: a layer takes about a thousandth to a hundredth of its uncompressed size.
    public static let defaultSizeLimit: Int64 = 1 << 30

    public init(directory: String, reader: String) {
        self.directory = directory
        self.reader = reader
    }

    private static let entrySuffix = ".layer"

    // MARK: Names

    /// What the entries of one plan have in common.
    func prefix(plan: ContentPlan, limits: Limits) -> [UInt8] {
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

    /// The layer that an entry holds, for a blob whose bytes have yet to be confirmed; nil when there is none, or it is
    /// damaged.
    func layer(_ input: LayerInput, key: String, limits: Limits) -> LayerReader.IndexedLayer? {
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
        return layer
    }

    /// Whether the blob has the bytes that the entry was made of. Other bytes under the same name are for the reader to
    /// refuse.
    func confirms(
        _ input: LayerInput, as layer: LayerSummary, key: String, progress: ReadProgress?
    ) -> Bool {
        let digest = try? input.blob.digest(layer.digest.algorithm) { progress?.add($0.count) }
        guard digest == layer.digest else { return false }
        touch(path(key + LayerCache.entrySuffix))
        progress?.endLayer()
        return true
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

    /// Used now: what is not used goes first.
    private func touch(_ path: String) { utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW) }

    // MARK: Storing

    /// An entry without a name: nobody finds it, and it is gone when it gets none.
    final class Draft: Sendable {
        fileprivate let descriptor: Int32

        fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }
    }

    /// Writes down the serial form of a layer, to be kept when its bytes are known to be what is claimed of them; nil
    /// where nothing can be written.
    func draft(_ serialized: UnsafeRawBufferPointer) -> Draft? {
        guard makeDirectory() else { return nil }
        // Without a name until it is whole: readers see all of it or nothing, and a process that ends leaves nothing.
        let descriptor = assay_unnamed_file(directory)
        guard descriptor >= 0 else { return nil }
        let draft = Draft(descriptor: descriptor)
        return (try? Spool.write(serialized, to: descriptor)) == nil ? nil : draft
    }

    /// Keeps the layer that was written down.
    func keep(_ draft: Draft, key: String) {
        let path = path(key + LayerCache.entrySuffix)
        let isLinked = link(draft.descriptor, path)
        if !isLinked, errno == EEXIST, unlink(path) == 0 { _ = link(draft.descriptor, path) }
    }

    /// Gives a file without a name one (open(2), `O_TMPFILE`).
    private func link(_ descriptor: Int32, _ path: String) -> Bool {
        linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0
    }

    private func makeDirectory() -> Bool {
        for (index, byte) in directory.utf8.enumerated().dropFirst() where byte == UInt8(ascii: "/") {
            mkdir(String(decoding: directory.utf8.prefix(index), as: UTF8.self), 0o755)
        }
        return mkdir(directory, 0o700) == 0 || errno == EEXIST
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
            files.append(File(path: path, size: Int64(status.st_size), used: status.st_mtim))
        }
        return files
    }

    /// Layers that are kept, and the bytes they take.
    public var usage: (layers: Int, bytes: Int64) {
        let files = files
        return (files.count, files.reduce(0) { $0 + $1.size })
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

extension LayerReader.IndexedLayer {
    /// Whether it is what manifest and config say of a layer.
    func isClaimed(by input: LayerInput) -> Bool {
        summary.diffID == input.diffID && summary.size == input.blob.size
            && (input.digest ?? summary.digest) == summary.digest
    }
}
