import Glibc
import OCIModel

/// A file that is read at any offset by any thread; closed when the last reference goes.
public final class RandomAccessFile: Sendable {
    let descriptor: Int32
    /// The file's name for messages.
    public let name: String
    /// Bytes in the file when it was opened.
    public let size: Int64

    /// Takes over an open descriptor, which must be seekable.
    ///
    /// - Throws: `LayerError` of kind `.io`.
    public init(takingOver descriptor: Int32, name: String) throws(LayerError) {
        self.descriptor = descriptor
        self.name = name
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw LayerError(.io, "\(escaped(name)) is not a regular file")
        }
        size = Int64(status.st_size)
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Opens a file for reading.
    ///
    /// - Throws: `LayerError` of kind `.io` with the system's reason.
    public convenience init(path: String) throws(LayerError) {
        // O_NONBLOCK: a fifo in the file's place must not stop us.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw LayerError(.io, "\(escaped(path)): \(String(cString: strerror(errno)))")
        }
        try self.init(takingOver: descriptor, name: path)
    }

    deinit { close(descriptor) }

    /// When the file was changed last, and its size: as long as they stay the same, so do its bytes.
    struct State: Equatable {
        let seconds: Int
        let nanoseconds: Int
        let size: Int

        fileprivate init(_ status: stat) {
            seconds = status.st_ctim.tv_sec
            nanoseconds = status.st_ctim.tv_nsec
            size = Int(status.st_size)
        }
    }

    /// The state of the file now; nil where the system does not tell.
    var state: State? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? State(status) : nil
    }

    /// Reads up to `buffer.count` bytes; fewer only at the end of the file.
    ///
    /// - Throws: `LayerError` of kind `.io` with the system's reason.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(LayerError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                off_t(offset) + off_t(done))
            if count < 0 {
                if errno == EINTR { continue }
                throw LayerError(.io, "\(escaped(name)): \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            done += count
        }
        return done
    }
}

/// A range of a file: a blob of a layout, or a member of an archive.
public struct Blob: Sendable {
    public let file: RandomAccessFile
    public let offset: Int64
    /// Bytes.
    public let size: Int64

    public init(file: RandomAccessFile, offset: Int64 = 0, size: Int64? = nil) {
        self.file = file
        self.offset = offset
        self.size = size ?? file.size
    }

    /// Reads up to `buffer.count` bytes at an offset into the blob; fewer only at its end.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(LayerError) -> Int
    {
        let wanted = min(Int64(buffer.count), max(0, size - position))
        return try file.read(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)]), at: offset + position)
    }

    /// The whole blob in memory.
    ///
    /// - Throws: `LayerError` of kind `.limit` when it is larger than `limit` bytes, `.truncated` when the file
    ///   is shorter than the blob should be, or `.io`.
    public func bytes(limit: Int) throws(LayerError) -> [UInt8] {
        guard size <= limit else {
            throw LayerError(.limit, "\(escaped(file.name)): \(size) bytes, more than the limit of \(limit)")
        }
        var failure: LayerError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            do throws(LayerError) {
                count = try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        guard bytes.count == size else {
            throw LayerError(
                .truncated, "\(escaped(file.name)): ends after \(bytes.count) of \(size) bytes")
        }
        return bytes
    }
}

extension Blob {
    /// Copies the blob to a descriptor and digests it on the way.
    ///
    /// - Returns: the digest of what was copied.
    /// - Throws: `LayerError` of kind `.io`, or `.truncated` when the file is shorter than the blob should be.
    public func copy(
        to output: Int32, algorithm: Digest.Algorithm, progress: ReadProgress? = nil
    ) throws(LayerError) -> Digest {
        try digest(algorithm) { (chunk) throws(LayerError) in
            try Spool.write(chunk, to: output)
            progress?.add(chunk.count)
        }
    }

    /// The digest of the blob's bytes.
    ///
    /// - Parameter body: is shown every chunk.
    /// - Throws: `LayerError` of kind `.io`, or `.truncated` when the file is shorter than the blob should be.
    public func digest(
        _ algorithm: Digest.Algorithm,
        whileReading body: (UnsafeRawBufferPointer) throws(LayerError) -> Void = { _ in }
    ) throws(LayerError) -> Digest {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        let digester = Digester(algorithm)
        var position: Int64 = 0
        while case let count = try read(into: buffer, at: position), count > 0 {
            let chunk = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
            digester.update(chunk)
            try body(chunk)
            position += Int64(count)
        }
        guard position == size else {
            throw LayerError(.truncated, "\(escaped(file.name)): ends after \(position) of \(size) bytes")
        }
        do throws(ModelError) {
            return try digester.finish()
        } catch {
            throw LayerError(.io, error.message)
        }
    }
}
