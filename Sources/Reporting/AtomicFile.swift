#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes whole files: readers see the old content or the new one, never a part.
public enum AtomicFile {
    /// Puts `bytes` under `path`; missing parent directories are made.
    ///
    /// The content is written to a temporary file beside the target, synchronised to disk and renamed, with
    /// the permissions 0644 less the umask. A symbolic link at `path` is itself replaced, its target is not
    /// touched. When anything fails, what was there before is intact and the temporary file is gone.
    ///
    /// - Throws: `ReportError` of kind `unsuitablePath` for a directory, device, pipe or socket, and
    ///   `writeFailed` when the operating system refuses.
    public static func write(_ bytes: [UInt8], to path: String) throws(ReportError) {
        try write(bytes, to: path) { descriptor, buffer in
            #if canImport(Glibc)
                Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            #else
                Musl.write(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }

    /// `writing` stands for write(2), so that a full disk can be tested.
    static func write(
        _ bytes: [UInt8], to path: String, writing: (Int32, UnsafeRawBufferPointer) -> Int
    ) throws(ReportError) {
        try refuseUnsuitable(path)
        let directory = parent(of: path)
        try makeDirectory(directory, for: path)
        let (descriptor, temporary) = try openTemporary(in: directory, for: path)
        var failure = writeAll(bytes, to: descriptor, writing: writing)
        if failure == nil, fsync(descriptor) != 0 { failure = Failure("synchronise the file") }
        if close(descriptor) != 0, failure == nil { failure = Failure("close the file") }
        if failure == nil, rename(temporary, path) != 0 { failure = Failure("rename it into place") }
        if let failure {
            unlink(temporary)
            throw failure.error(for: path)
        }
    }

    /// A step that the operating system refused, with its `errno`.
    private struct Failure {
        var step: String
        var code: Int32

        init(_ step: String) {
            code = errno
            self.step = step
        }

        func error(for path: String) -> ReportError {
            let advice =
                switch code {
                case ENOSPC, EDQUOT: "free some space or choose another place"
                case EACCES, EPERM, EROFS: "choose a place that you may write to"
                case ENOTDIR, ENAMETOOLONG, ELOOP, EISDIR: "choose another path"
                default: "check the file system or choose another place"
                }
            return ReportError(
                .writeFailed,
                "cannot write the report \(SafeText.quoted(path)): could not \(step): "
                    + "\(String(cString: strerror(code))); \(advice)")
        }
    }

    /// Renaming over a device or a pipe would take it away from everyone who uses it.
    private static func refuseUnsuitable(_ path: String) throws(ReportError) {
        func refuse(_ why: String) -> ReportError {
            ReportError(
                .unsuitablePath,
                "cannot write the report \(SafeText.quoted(path)): \(why); give the path of a file")
        }
        if path.isEmpty { throw refuse("the path is empty") }
        if path.utf8.contains(0) { throw refuse("the path contains a NUL") }
        if path.hasSuffix("/") { throw refuse("the path names a directory") }
        if ["/dev/stdin", "/dev/stdout", "/dev/stderr"].contains(path) || path.hasPrefix("/dev/fd/") {
            throw refuse("it is a stream of this process")
        }
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: throw refuse("it is a directory")
        default: throw refuse("it is a device, a pipe or a socket")
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        let parent = path[..<slash]
        return parent.isEmpty ? "/" : String(parent)
    }

    private static func makeDirectory(_ directory: String, for path: String) throws(ReportError) {
        var status = stat()
        if stat(directory, &status) == 0 || directory == "/" || directory == "." { return }
        try makeDirectory(parent(of: directory), for: path)
        if mkdir(directory, 0o777) != 0, errno != EEXIST {
            throw Failure("create the directory \(SafeText.quoted(directory))").error(for: path)
        }
    }

    private static func openTemporary(
        in directory: String, for path: String
    ) throws(ReportError) -> (descriptor: Int32, name: String) {
        while true {
            let suffix = String(UInt64.random(in: UInt64.min...UInt64.max), radix: 36)
            let name = "\(directory)/.assay-\(suffix).tmp"
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            if descriptor >= 0 { return (descriptor, name) }
            if errno != EEXIST, errno != EINTR {
                throw Failure("create a temporary file in \(SafeText.quoted(directory))").error(for: path)
            }
        }
    }

    private static func writeAll(
        _ bytes: [UInt8], to descriptor: Int32, writing: (Int32, UnsafeRawBufferPointer) -> Int
    ) -> Failure? {
        bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = writing(descriptor, UnsafeRawBufferPointer(rebasing: buffer[offset...]))
                if count > 0 {
                    offset += count
                } else if count < 0, errno != EINTR {
                    return Failure("write the content")
                }
            }
            return nil
        }
    }
}
