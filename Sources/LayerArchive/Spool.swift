import Glibc
import OCIModel

/// Temporary files that have no name: they vanish with the process, whatever ends it.
public enum Spool {
    /// Makes an empty unnamed file in the directory for temporary files (`TMPDIR`, else `/var/tmp`).
    ///
    /// - Returns: an open descriptor, owned by the caller.
    /// - Throws: `LayerError` of kind `.io` with the system's reason.
    public static func makeFile() throws(LayerError) -> Int32 {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        var template = Array("\(directory)/assay.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw LayerError(
                .io,
                "no temporary file in \(escaped(directory)): \(String(cString: strerror(errno))); set TMPDIR")
        }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    /// The file itself when it is not compressed, else its decompressed content in a temporary file.
    ///
    /// - Throws: `LayerError` of kind `.corrupt`, `.truncated`, `.limit` or `.io`.
    public static func decompressed(
        _ file: RandomAccessFile, limits: Limits = Limits()
    ) throws(LayerError) -> RandomAccessFile {
        let compression = try Compression(of: Blob(file: file))
        guard compression != .none else { return file }
        do throws(LayerError) {
            try compression.checkWindow(of: Blob(file: file), limits)
        } catch {
            throw LayerError(error.kind, "\(escaped(file.name)): \(error.message)")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 4096)
        defer { packed.deallocate() }
        var position: Int64 = 0
        let source: ChunkSource = { () throws(LayerError) in
            let count = try file.read(into: packed, at: position)
            position += Int64(count)
            return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(packed)[..<count])
        }
        do throws(LayerError) {
            var decoder: any Decompressor =
                compression == .gzip
                ? GzipDecoder(source: source) : try FilterDecoder(compression, source: source)
            let output = try makeFile()
            do throws(LayerError) {
                try copy(
                    from: &decoder, to: output, buffer: buffer,
                    ExpansionGuard(limits, compressedSize: file.size))
            } catch {
                close(output)
                throw error
            }
            return try RandomAccessFile(takingOver: output, name: file.name)
        } catch {
            throw LayerError(error.kind, "\(escaped(file.name)): \(error.message)")
        }
    }

    private static func copy(
        from decoder: inout any Decompressor, to output: Int32, buffer: UnsafeMutableRawBufferPointer,
        _ expansion: ExpansionGuard
    ) throws(LayerError) {
        var total: Int64 = 0
        while case let count = try decoder.read(into: buffer), count > 0 {
            total += Int64(count)
            try expansion.check(total)
            try write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]), to: output)
        }
    }

    /// Writes all the bytes to a descriptor.
    ///
    /// - Throws: `LayerError` of kind `.io` with the system's reason.
    public static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(LayerError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw LayerError(.io, "cannot write: \(String(cString: strerror(errno)))")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// A seekable file with everything that can be read from a descriptor: the file behind it when it is one
    /// and stands at its beginning, else a temporary copy.
    ///
    /// - Throws: `LayerError` of kind `.io`.
    public static func seekable(_ descriptor: Int32, name: String) throws(LayerError) -> RandomAccessFile {
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            lseek(descriptor, 0, SEEK_CUR) == 0
        {
            let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard duplicate >= 0 else {
                throw LayerError(.io, "\(name): \(String(cString: strerror(errno)))")
            }
            return try RandomAccessFile(takingOver: duplicate, name: name)
        }
        let output = try makeFile()
        do throws(LayerError) {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
            defer { buffer.deallocate() }
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw LayerError(.io, "\(name): \(String(cString: strerror(errno)))")
                }
                if count == 0 { break }
                try write(
                    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]), to: output)
            }
        } catch {
            close(output)
            throw error
        }
        return try RandomAccessFile(takingOver: output, name: name)
    }
}
