import ArgumentParser
import Glibc
import LayerArchive

/// Standard output carries the result and nothing else; everything else goes to standard error.
enum Console {
    /// Writes to standard output; a closed pipe ends the process quietly, as it does other filters.
    static func output(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    static func output(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    static func standardError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    static func note(_ text: String) { standardError("assay: \(text)\n") }

    static func error(_ text: String, hint: String?) {
        standardError("assay: error: \(text)\n" + (hint.map { "hint: \($0)\n" } ?? ""))
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        do throws(LayerError) {
            try withBytes(bytes) { (buffer) throws(LayerError) in try Spool.write(buffer, to: descriptor) }
        } catch {
            // There is nowhere left to say so when it is standard error itself.
            guard descriptor == STDOUT_FILENO else { return }
            if errno != EPIPE { standardError("assay: error: standard output: \(error.message)\n") }
            exit(errno == EPIPE ? 128 + SIGPIPE : 3)
        }
    }

    private static func withBytes(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(LayerError) -> Void
    ) throws(LayerError) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(copy)[..<bytes.count]))
    }

    /// Columns of the terminal behind a descriptor; nil when there is none.
    static func width(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// `--color`.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never

    /// Flag before NO_COLOR before FORCE_COLOR and CLICOLOR_FORCE before the terminal (no-color.org).
    func isOn(for descriptor: Int32) -> Bool {
        switch self {
        case .always: return true
        case .never: return false
        case .auto:
            if Console.environment("NO_COLOR") != nil { return false }
            if Console.environment("FORCE_COLOR") != nil || Console.environment("CLICOLOR_FORCE") != nil {
                return true
            }
            return isatty(descriptor) == 1 && Console.environment("TERM") != "dumb"
        }
    }
}
