import Foundation
import Glibc
import OCIModel

/// A program that was run to its end, with what it took.
struct MeasuredProgram {
    /// The exit code; nil when it was killed, by a signal of its own or because it took too long.
    let code: Int32?
    /// What ended it; nil when it ended by itself.
    let signal: Int32?
    let isLate: Bool
    let output: [UInt8]
    let errors: [UInt8]
    /// Seconds of wall time.
    let seconds: Double
    /// The most memory that it or a program it has started had at a time, in bytes.
    let memory: Int64

    /// Most bytes of an output that are read.
    private static let maximumOutput = 32 << 20

    /// Runs a program, without standard input.
    ///
    /// - Parameters:
    ///   - directory: the working directory.
    ///   - environment: added to this process's own.
    ///   - limit: seconds after which it is killed.
    /// - Throws: `CommandExit` when it cannot be started.
    static func run(
        _ arguments: [String], in directory: String, environment: [String: String], limit: Double
    ) async throws -> MeasuredProgram {
        let outputPath = "\(directory)/.output"
        let errorsPath = "\(directory)/.errors"
        defer {
            unlink(outputPath)
            unlink(errorsPath)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let process = try spawn(
            arguments, in: directory, environment: environment, output: outputPath, errors: errorsPath)
        var status: Int32 = 0
        var usage = rusage()
        var isLate = false
        while wait4(process, &status, WNOHANG, &usage) == 0 {
            if !isLate, clock.now - start > .seconds(limit) {
                isLate = true
                kill(process, SIGKILL)
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
        let elapsed = (clock.now - start).components
        let signal = status & 0x7F
        return MeasuredProgram(
            code: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal, isLate: isLate,
            output: read(outputPath), errors: read(errorsPath),
            seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18,
            memory: Int64(usage.ru_maxrss) << 10)
    }

    private static func read(_ path: String) -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        return Array((try? file.read(upToCount: maximumOutput)) ?? Data())
    }

    private static func spawn(
        _ arguments: [String], in directory: String, environment: [String: String], output: String,
        errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, flags, 0o600)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let program = ["/usr/bin/env", "-C", directory] + arguments
        let texts = [program, variables.map { "\($0.key)=\($0.value)" }].map { list in
            list.map { strdup($0) } + [nil]
        }
        defer { texts.forEach { $0.forEach { free($0) } } }
        var process: pid_t = 0
        let code = posix_spawn(&process, program[0], &actions, nil, texts[0], texts[1])
        guard code == 0 else {
            throw CommandExit(.undecided, "\(escaped(program[0])): \(String(cString: strerror(code)))")
        }
        return process
    }
}
