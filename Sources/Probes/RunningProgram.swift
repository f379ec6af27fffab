import Glibc
import OCIModel
import Subprocess
import Synchronization
import SystemPackage

/// A program that runs, with the beginning of what it writes.
final class RunningProgram: Sendable {
    let standardOutput: OutputBuffer
    let standardError: OutputBuffer
    private let state = Mutex<State>(.starting)
    private let task: Mutex<Task<Void, Never>?> = Mutex(nil)

    private enum State {
        case starting
        case running(pid_t)
        case ended(Int32)
        case broken(String)
    }

    /// - Parameters:
    ///   - input: what it reads on standard input; nothing when nil.
    ///   - file: an open file that it reads instead, from where it stands.
    ///   - outputLimit: bytes that are kept of each stream.
    init(
        _ arguments: [String], input: String? = nil, file: FileDescriptor? = nil,
        environment: Environment = .inherit, outputLimit: Int
    ) {
        standardOutput = OutputBuffer(limit: outputLimit)
        standardError = OutputBuffer(limit: outputLimit)
        let task = Task { [self] in
            do {
                let code =
                    if let file {
                        try await RunningProgram.run(
                            arguments, environment,
                            input: .fileDescriptor(file, closeAfterSpawningProcess: false),
                            self)
                    } else {
                        try await RunningProgram.run(
                            arguments, environment, input: .string(input ?? ""), self)
                    }
                state.withLock { $0 = .ended(code) }
            } catch {
                state.withLock { $0 = .broken("\(arguments.first ?? ""): \(escaped("\(error)"))") }
            }
        }
        self.task.withLock { $0 = task }
    }

    private static func run<Input: InputProtocol>(
        _ arguments: [String], _ environment: Environment, input: Input, _ program: RunningProgram
    ) async throws -> Int32 {
        var options = PlatformOptions()
        // A signal of the terminal goes to Assay alone, which ends its containers itself.
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, allowedDurationToNextStep: .milliseconds(100))]
        let result = try await Subprocess.run(
            .name(arguments[0]), arguments: Arguments(Array(arguments.dropFirst())),
            environment: environment,
            platformOptions: options, input: input, output: .sequence, error: .sequence
        ) { execution in
            program.state.withLock { $0 = .running(execution.processIdentifier.value) }
            await withTaskGroup(of: Void.self) { group in
                for (stream, buffer) in [
                    (execution.standardOutput, program.standardOutput),
                    (execution.standardError, program.standardError),
                ] {
                    group.addTask {
                        do { for try await chunk in stream { buffer.append(chunk.bytes) } } catch {}
                    }
                }
            }
        }
        switch result.terminationStatus {
        case .exited(let code): return code
        case .signaled(let signal): return 128 + signal
        }
    }

    /// Nil while it runs.
    func exitCode() throws(ProbeError) -> Int32? {
        switch state.withLock({ $0 }) {
        case .starting, .running: return nil
        case .ended(let code): return code
        case .broken(let reason): throw ProbeError(.runtime, reason)
        }
    }

    var processID: pid_t? { state.withLock { if case .running(let pid) = $0 { pid } else { nil } } }

    /// Waits for its end.
    func end() async { await task.withLock { $0 }?.value }

    /// Waits for its end, and kills it when that takes too long.
    ///
    /// - Returns: whether it ended by itself.
    @discardableResult
    func end(within limit: Duration) async -> Bool {
        let isLate = Atomic<Bool>(false)
        let timer = Task { [self] in
            try await Task.sleep(for: limit)
            isLate.store(true, ordering: .relaxed)
            await kill()
        }
        await end()
        timer.cancel()
        return !isLate.load(ordering: .relaxed)
    }

    /// Kills it and waits for its end.
    func kill() async {
        cancel()
        await end()
    }

    private func cancel() { task.withLock { $0 }?.cancel() }

    /// What a program that ended by itself did.
    struct Completion {
        let code: Int32
        let output: String
        let errors: String

        /// The last line of its complaint, escaped and bounded.
        var complaint: String {
            let line = errors.split(separator: "\n").last.map(String.init) ?? "exit code \(code)"
            return escaped(String(line.prefix(400)))
        }
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - file: an open file that it reads from its beginning.
    ///   - endsWithTask: whether it is killed when the task is cancelled: not so what cleans up.
    /// - Throws: `ProbeError` when it cannot be started, or does not end in time.
    static func complete(
        _ arguments: [String], file: FileDescriptor? = nil, environment: Environment = .inherit,
        within limit: Duration = .seconds(60), endsWithTask: Bool = false
    ) async throws(ProbeError) -> Completion {
        let program = RunningProgram(arguments, file: file, environment: environment, outputLimit: 64 << 10)
        let hasEnded = await withTaskCancellationHandler {
            await program.end(within: limit)
        } onCancel: {
            if endsWithTask { program.cancel() }
        }
        guard hasEnded else {
            throw ProbeError(
                .runtime,
                "\(arguments.prefix(2).joined(separator: " ")) did not end within \(limit.seconds) s")
        }
        guard let code = try program.exitCode() else {
            throw ProbeError(.runtime, "\(arguments.first ?? "") did not end")
        }
        return Completion(
            code: code, output: program.standardOutput.output.text, errors: program.standardError.output.text)
    }

    /// Where a program is: on PATH, or in one of the other folders.
    static func path(of program: String, orIn folders: [String] = []) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return (path.split(separator: ":").map(String.init) + folders).map { "\($0)/\(program)" }
            .first { access($0, X_OK) == 0 }
    }

    static func isInstalled(_ program: String) -> Bool { path(of: program) != nil }
}
