import CSandbox
import Glibc
import OCIModel

/// A process of a reader program, with a pipe for its answers.
final class ReaderProcess {
    private let identifier: pid_t
    private let answers: Int32
    private var isWaitedFor = false

    /// Bytes of the largest request.
    static let requestLimit = 256 << 20
    /// The descriptor of the first blob's file.
    static let firstFile: Int32 = 3
    /// Variables of the environment that it gets: what finds its libraries, and what sanitizers heed.
    private static let variables = ["LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"]

    /// - Throws: `LayerError` of kind `.io` with the system's reason.
    init(_ program: ReaderProgram, _ request: ReadRequest) throws {
        var opened: [Int32] = []
        defer { opened.forEach { close($0) } }
        func checked(_ descriptor: Int32, _ what: String) throws -> Int32 {
            guard descriptor >= 0 else {
                throw LayerError(.io, "\(what): \(String(cString: strerror(errno)))")
            }
            opened.append(descriptor)
            return descriptor
        }
        let memory = try checked(assay_memory_file(), "a file in memory")
        try request.serialized.withUnsafeBytes { try Spool.write($0, to: memory) }
        var ends: [Int32] = [-1, -1]
        guard assay_pipe(&ends) == 0 else {
            throw LayerError(.io, "a pipe: \(String(cString: strerror(errno)))")
        }
        opened.append(ends[1])
        answers = ends[0]
        do {
            // What a sanitizer reports is for whoever runs the program; what else it might say is not.
            let errors =
                assay_is_sanitized() != 0
                ? STDERR_FILENO : try checked(open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null")
            let sources = [memory, ends[1], errors] + request.files.map(\.descriptor)
            // First out of the way of the numbers that they shall have.
            let copies = try sources.map {
                try checked(fcntl($0, F_DUPFD_CLOEXEC, Int32(sources.count)), "a descriptor")
            }
            identifier = try ReaderProcess.spawn(program, copies)
        } catch {
            close(answers)
            throw error
        }
    }

    private static func spawn(_ program: ReaderProgram, _ descriptors: [Int32]) throws -> pid_t {
        var arguments: [UnsafeMutablePointer<CChar>?] = program.arguments.map { strdup($0) }
        var environment: [UnsafeMutablePointer<CChar>?] = variables.compactMap { name in
            getenv(name).flatMap { strdup("\(name)=\(String(cString: $0))") }
        }
        defer { (arguments + environment).forEach { free($0) } }
        arguments.append(nil)
        environment.append(nil)
        var identifier: pid_t = 0
        let code = assay_spawn(
            &identifier, program.path, arguments, environment, descriptors, Int32(descriptors.count))
        guard code == 0 else {
            throw LayerError(.io, "\(escaped(program.path)): \(String(cString: strerror(code)))")
        }
        return identifier
    }

    deinit {
        if !isWaitedFor {
            kill()
            _ = wait()
        }
        close(answers)
    }

    /// Gives the next bytes of the answers to `body`; nil when they end before the first of them.
    ///
    /// - Throws: `LayerError` of kind `.reader` when they do not come in time, or end within.
    func read<Value>(
        _ count: Int, before deadline: ContinuousClock.Instant,
        _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value? {
        guard count > 0 else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        // Pages of their own: what is claimed takes no memory before it comes, nothing is copied to make room, and all
        // of it is given back at once.
        let pages = mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let pages, pages != MAP_FAILED else {
            throw LayerError(.reader, "no memory for \(count) bytes of the process that reads layers")
        }
        defer { munmap(pages, count) }
        // The system gives pages of 2 MiB where it can: large answers take less of its time.
        madvise(pages, count, MADV_HUGEPAGE)
        var done = 0
        while done < count {
            try waitForBytes(before: deadline)
            let got = Glibc.read(answers, pages + done, count - done)
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                if got == 0, done == 0 { return nil }
                throw LayerError(.reader, "the answers of the process that reads layers break off")
            }
            done += got
        }
        return try body(UnsafeRawBufferPointer(start: pages, count: count))
    }

    private func waitForBytes(before deadline: ContinuousClock.Instant) throws {
        while true {
            let (seconds, attoseconds) = (deadline - ContinuousClock().now).components
            let milliseconds = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            var descriptor = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
            let code = poll(&descriptor, 1, Int32(clamping: milliseconds))
            if code > 0 { return }
            if code < 0, errno == EINTR { continue }
            throw LayerError(.reader, "the process that reads layers is stuck and was ended")
        }
    }

    func kill() { _ = Glibc.kill(identifier, SIGKILL) }

    /// Waits for its end.
    ///
    /// - Returns: what it ended by; nil when it ended well.
    func wait() -> String? {
        isWaitedFor = true
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0 {
            if errno != EINTR { return "its end was not seen" }
        }
        let signal = status & 0x7F
        if signal != 0 { return "signal \(signal) (\(String(cString: strsignal(signal))))" }
        let code = (status >> 8) & 0xFF
        return code == 0 ? nil : "exit code \(code)"
    }
}
