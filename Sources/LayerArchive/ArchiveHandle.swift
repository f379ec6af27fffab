import CArchive
import OCIModel

/// One libarchive reader. Its five results (OK, WARN, RETRY, FATAL, EOF) stay five results.
final class ArchiveHandle {
    enum Step {
        case ok
        /// Usable, but something about it was odd.
        case warning(String)
        case end
    }

    let archive: OpaquePointer
    private let source: ChunkSource
    private let skip: ((Int64) -> Int64)?
    /// What the source threw while libarchive was asking it for data.
    private var sourceError: LayerError?

    /// - Parameters:
    ///   - skip: passes over up to so many of the source's next bytes, and returns how many; nil where all have to be
    ///     read.
    ///   - configure: enables the one format and the filters that the reader shall know; never "all", since some of
    ///     libarchive's formats read files of the host.
    init(
        source: @escaping ChunkSource, skip: ((Int64) -> Int64)? = nil, configure: (OpaquePointer) -> Int32
    ) throws(LayerError) {
        guard let archive = archive_read_new() else {
            throw LayerError(.io, "no memory for an archive reader")
        }
        self.archive = archive
        self.source = source
        self.skip = skip
        guard configure(archive) == ARCHIVE_OK else { throw failure(.io) }
        let me = Unmanaged.passUnretained(self).toOpaque()
        let opened = archive_read_open2(
            archive, me, nil,
            { archive, context, buffer in
                guard let context else { return -1 }
                let handle = Unmanaged<ArchiveHandle>.fromOpaque(context).takeUnretainedValue()
                return handle.supply(archive, buffer)
            },
            { _, context, count in
                guard let context else { return 0 }
                return Unmanaged<ArchiveHandle>.fromOpaque(context).takeUnretainedValue().skip?(count) ?? 0
            }, nil)
        try check(opened)
    }

    deinit { archive_read_free(archive) }

    private func supply(_ archive: OpaquePointer?, _ buffer: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int
    {
        do throws(LayerError) {
            let chunk = try source()
            buffer?.pointee = chunk.baseAddress
            return chunk.count
        } catch {
            sourceError = error
            return -1
        }
    }

    /// Turns a result code into a step, or throws what it stands for.
    @discardableResult
    func check(_ code: Int32) throws(LayerError) -> Step {
        switch code {
        case ARCHIVE_OK: return .ok
        case ARCHIVE_EOF: return .end
        case ARCHIVE_WARN: return .warning(message)
        default: throw sourceError ?? failure(.corrupt)
        }
    }

    /// libarchive's own words for its last result, escaped: they may quote the archive.
    var message: String {
        archive_error_string(archive).map { escaped(String(cString: $0)) } ?? "unknown archive error"
    }

    private func failure(_ kind: LayerError.Kind) -> LayerError {
        if message.contains("Unrecognized archive format") {
            return LayerError(.notTar, "the data are not a tar archive")
        }
        return LayerError(message.lowercased().contains("truncated") ? .truncated : kind, message)
    }

    /// The next member. RETRY, which is how libarchive passes over a header whose checksum is wrong, is damage: what
    /// it would go on with is not what other readers see.
    func nextHeader(_ entry: inout OpaquePointer?) throws(LayerError) -> Step {
        let code = archive_read_next_header(archive, &entry)
        if code == ARCHIVE_RETRY { throw LayerError(.corrupt, message) }
        return try check(code)
    }

    /// The next piece of the current member's data, valid until the next call; nil at its end.
    func nextDataBlock() throws(LayerError) -> (bytes: UnsafeRawBufferPointer, offset: Int64)? {
        var start: UnsafeRawPointer?
        var count = 0
        var offset: la_int64_t = 0
        for _ in 0..<8 {
            let code = archive_read_data_block(archive, &start, &count, &offset)
            if code == ARCHIVE_RETRY { continue }
            switch try check(code) {
            case .ok: return (UnsafeRawBufferPointer(start: start, count: count), offset)
            case .warning(let text): throw LayerError(.corrupt, text)
            case .end: return nil
            }
        }
        throw LayerError(.corrupt, "archive reader keeps asking to retry: \(message)")
    }
}

/// zstd, xz and bzip2 by libarchive's filters, as one "raw" member.
final class FilterDecoder: Decompressor {
    private let handle: ArchiveHandle
    private var block = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isAtEnd = false

    init(_ compression: Compression, source: @escaping ChunkSource) throws(LayerError) {
        handle = try ArchiveHandle(source: source) { archive in
            let filter =
                switch compression {
                case .zstd: archive_read_support_filter_zstd(archive)
                case .xz: archive_read_support_filter_xz(archive)
                default: archive_read_support_filter_bzip2(archive)
                }
            return filter == ARCHIVE_OK ? archive_read_support_format_raw(archive) : filter
        }
        var entry: OpaquePointer?
        if case .end = try handle.nextHeader(&entry) { isAtEnd = true }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        var done = 0
        while done < buffer.count, !isAtEnd {
            if block.isEmpty {
                guard let next = try handle.nextDataBlock() else {
                    isAtEnd = true
                    break
                }
                block = next.bytes
                continue
            }
            let count = min(block.count, buffer.count - done)
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: block[..<count]))
            block = UnsafeRawBufferPointer(rebasing: block[count...])
            done += count
        }
        return done
    }
}

/// Blobs that are not compressed.
struct PlainDecoder: Decompressor {
    let blob: Blob
    private var position: Int64 = 0

    init(_ blob: Blob) { self.blob = blob }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        let count = try blob.read(into: buffer, at: position)
        position += Int64(count)
        return count
    }
}
