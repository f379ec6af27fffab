import ArgumentParser
import Glibc
import Verdict

/// Standard output carries the result and nothing else; everything else goes to standard error.
enum Console {
    /// Writes to standard output; a closed pipe ends the process quietly, as it does other filters.
    static func output(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    static func output(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    static func standardError(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// A line of progress that stands there gives way.
    static func note(_ text: String) { standardError("\(clearedLine)assay: \(text)\n") }

    static func error(_ text: String, hint: String?) {
        standardError("\(clearedLine)assay: error: \(text)\n" + (hint.map { "hint: \($0)\n" } ?? ""))
    }

    /// Goes to the begin of a terminal's line and empties it (ECMA-48, 8.3.41).
    static let clearedLine = isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : ""

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return writingFailed(descriptor, errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Of standard error nothing can be said any more. Without standard output the result is lost: a reader that
    /// has closed the pipe knows, anybody else is told.
    private static func writingFailed(_ descriptor: Int32, _ code: Int32) {
        guard descriptor == STDOUT_FILENO else { return }
        if code == EPIPE { exit(128 + SIGPIPE) }
        standardError("assay: error: standard output: \(String(cString: strerror(code)))\n")
        exit(ExitDecision.undecided.rawValue)
    }

    /// Columns of the terminal behind a descriptor; nil when there is none.
    static func width(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// This program's own file.
    static func programPath() throws -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard readlink("/proc/self/exe", &path, path.count - 1) > 0 else {
            throw CommandExit(.undecided, "/proc/self/exe: \(String(cString: strerror(errno)))")
        }
        return path.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
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
