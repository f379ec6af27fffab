import AssayTestSupport
import Foundation
import Glibc
import Synchronization

/// What a program did.
struct ToolResult: Sendable, CustomStringConvertible {
    /// The exit code; 128 and the signal's number when a signal ended it.
    let code: Int32
    let outputBytes: [UInt8]
    let errorBytes: [UInt8]
    let command: String

    var output: String { String(decoding: outputBytes, as: UTF8.self) }
    var errors: String { String(decoding: errorBytes, as: UTF8.self) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// What a failed expectation shows.
    var description: String {
        "\(command)\nended with \(code)\n\(output.prefix(2_000))\n\(errors.prefix(4_000))"
    }
}

/// A program could not be run, or did not end in time.
struct ToolError: Error, CustomStringConvertible {
    let description: String
}

/// How long the end after a signal may take: within 3 s on a machine that has nothing else to do, which is not that of
/// tests.
let promptly = Duration.seconds(10)

/// Where a program's standard input or output comes from or goes to.
enum Stream {
    /// `/dev/null`.
    case null
    /// A file of the test's, from its beginning.
    case file(String)
    /// An open descriptor, which stays the caller's.
    case descriptor(Int32)
}

/// A program that has been started. It is killed when it outlives its time or this value.
final class RunningTool: Sendable {
    let processID: pid_t
    private let command: String
    private let scratch: TemporaryDirectory
    private let isReaped = Mutex(false)

    /// Starts a program that is searched for on PATH.
    ///
    /// - Parameters:
    ///   - output: nil keeps what it writes for the result.
    ///   - environment: added to the test's own; nil removes a variable.
    init(
        _ program: String, _ arguments: [String], input: Stream = .null, output: Stream? = nil,
        environment: [String: String?] = [:]
    ) throws {
        command = ([program] + arguments).joined(separator: " ")
        scratch = try TemporaryDirectory()
        var descriptors: [Int32] = []
        defer { descriptors.forEach { close($0) } }
        func opened(_ path: String, _ flags: Int32) throws -> Int32 {
            let descriptor = open(path, flags | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw ToolError(description: "\(path): \(String(cString: strerror(errno)))")
            }
            descriptors.append(descriptor)
            return descriptor
        }
        func descriptor(_ stream: Stream, _ flags: Int32) throws -> Int32 {
            switch stream {
            case .null: try opened("/dev/null", flags)
            case .file(let path): try opened(path, flags)
            case .descriptor(let descriptor): descriptor
            }
        }
        let created = O_WRONLY | O_CREAT | O_TRUNC
        let streams = [
            try descriptor(input, O_RDONLY),
            try descriptor(output ?? .file(scratch.path + "/output"), created),
            try descriptor(.file(scratch.path + "/errors"), created),
        ]
        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        processID = try RunningTool.spawn(
            [program] + arguments, variables.map { "\($0.key)=\($0.value)" }, streams, command)
    }

    deinit { signal(SIGKILL) }

    /// Sends a signal to the program and what it has started.
    func signal(_ number: Int32) {
        isReaped.withLock { isReaped in
            if !isReaped { kill(-processID, number) }
        }
    }

    /// Waits for the end.
    ///
    /// - Throws: `ToolError` when it does not come in time; the program is killed then.
    func result(within seconds: Int = 600) async throws -> ToolResult {
        let isLate = Mutex(false)
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + .seconds(seconds))
        timer.setEventHandler { [weak self] in
            isLate.withLock { $0 = true }
            self?.signal(SIGKILL)
        }
        timer.resume()
        defer { timer.cancel() }
        // A thread of its own: those of the tests are as few as the processors.
        let code = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.reap()) }
        }
        if isLate.withLock({ $0 }) {
            throw ToolError(description: "\(command): no end after \(seconds) s\n\(errorsSoFar)")
        }
        let output = (try? scratch.read("output")) ?? []
        return ToolResult(
            code: code, outputBytes: output, errorBytes: try scratch.read("errors"), command: command)
    }

    /// Waits until something is so that the program brings about. A busy disk may keep it waiting for long.
    ///
    /// - Throws: `ToolError` when the program ends before, or it is not so in time.
    func reaches(_ what: String, within seconds: Int = 180, _ isSo: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !isSo() {
            var information = siginfo_t()
            waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT | WNOHANG)
            guard information.si_signo == 0, ContinuousClock.now < deadline else {
                let how = information.si_signo == 0 ? "not after \(seconds) s" : "it ended before"
                throw ToolError(description: "\(command): \(what): \(how)\n\(errorsSoFar)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private var errorsSoFar: String { String(decoding: (try? scratch.read("errors")) ?? [], as: UTF8.self) }

    /// Waits without taking the process away first, so that no signal can reach another one with its number.
    private func reap() -> Int32 {
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return isReaped.withLock { isReaped in
            isReaped = true
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
        }
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String], _ streams: [Int32], _ command: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, which can be killed as a whole, and the signals as a shell hands them on.
        var defaults = sigset_t()
        sigfillset(&defaults)
        var blocked = sigset_t()
        sigemptyset(&blocked)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setsigmask(&attributes, &blocked)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var processID: pid_t = 0
        let error = posix_spawnp(&processID, arguments[0], &actions, &attributes, &words, &variables)
        guard error == 0 else {
            throw ToolError(
                description:
                    "\(command): \(String(cString: strerror(error))); scripts/test installs what is needed")
        }
        return processID
    }
}

/// Runs a program to its end.
func run(
    _ program: String, _ arguments: [String], input: Stream = .null, output: Stream? = nil,
    environment: [String: String?] = [:], within seconds: Int = 600
) async throws -> ToolResult {
    try await RunningTool(program, arguments, input: input, output: output, environment: environment)
        .result(within: seconds)
}

/// Runs a program that has to succeed and returns its standard output.
func output(of program: String, _ arguments: [String], environment: [String: String?] = [:]) async throws
    -> String
{
    let result = try await run(program, arguments, environment: environment)
    guard result.code == 0 else { throw ToolError(description: result.description) }
    return result.output
}

/// The same as root: by sudo, when the tests have another account.
func rootOutput(of program: String, _ arguments: [String]) async throws -> String {
    geteuid() == 0
        ? try await output(of: program, arguments)
        : try await output(of: "sudo", ["-n", program] + arguments)
}
