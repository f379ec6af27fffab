import Facts
import Foundation
import Glibc
import OCIModel
import Subprocess
import Synchronization
import SystemPackage
import Verdict

/// Runs containers by runc, each on an overlay over the unpacked image.
///
/// A container lives in namespaces of its own that end with the first process in them, which ends when Assay does:
/// it reads from a pipe whose other end Assay holds. So no mount and no process outlives Assay, however it ends.
public struct OCIRuntime: ContainerRuntime {
    public let name = "oci"
    private let rootfs: String
    private let scratch: String
    private let limits: ProbeLimits
    private let counter = Counter()

    /// - Parameters:
    ///   - rootfs: the unpacked image; it is not changed.
    ///   - scratch: an empty directory of this run's own.
    public init(rootfs: String, scratch: String, limits: ProbeLimits = ProbeLimits()) {
        self.rootfs = rootfs
        self.scratch = scratch
        self.limits = limits
    }

    /// Why this machine cannot run containers so; nil when it can.
    public static var unavailable: String? {
        if geteuid() != 0 { return "it takes root" }
        let missing = ["runc", "unshare", "nsenter"].filter { !isOnPath($0) }
        return missing.isEmpty ? nil : "not installed: \(missing.joined(separator: ", "))"
    }

    private static func isOnPath(_ program: String) -> Bool {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    public func start(_ spec: ContainerSpec, volumes: [String: String]) async throws(ProbeError)
        -> any RunningContainer
    {
        let id = "assay-\(getpid())-\(counter.next())"
        let place = "\(scratch)/\(id)"
        do {
            try FileManager.default.createDirectory(
                atPath: "\(place)/bundle", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            var files: [String] = []
            for (index, file) in spec.files.enumerated() {
                let path = "\(place)/file-\(index)"
                try Data(file.content.utf8).write(to: URL(filePath: path))
                guard chmod(path, mode_t(file.permissions)) == 0 else {
                    throw ProbeError(.runtime, "\(path): \(String(cString: strerror(errno)))")
                }
                files.append(path)
            }
            let config = OCIBundleConfig(
                spec: spec, limits: limits, cgroup: "/assay/\(id)", volumes: volumes, files: files)
            try Data(config.json.serialized).write(to: URL(filePath: "\(place)/config.json"))
        } catch let error as ProbeError {
            throw error
        } catch {
            throw ProbeError(.runtime, "cannot prepare a container below \(escaped(scratch)): \(error)")
        }
        return try OCIContainer(id: id, place: place, rootfs: rootfs, spec: spec, limits: limits)
    }
}

private final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

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

    init(_ arguments: [String], input: String?, outputLimit: Int) {
        standardOutput = OutputBuffer(limit: outputLimit)
        standardError = OutputBuffer(limit: outputLimit)
        let task = Task { [self] in
            do {
                let result = try await RunningProgram.run(arguments, input: input ?? "", self)
                state.withLock { $0 = .ended(result) }
            } catch {
                state.withLock { $0 = .broken("\(arguments.first ?? ""): \(escaped("\(error)"))") }
            }
        }
        self.task.withLock { $0 = task }
    }

    private static func run(_ arguments: [String], input: String, _ program: RunningProgram) async throws
        -> Int32
    {
        var options = PlatformOptions()
        // A signal of the terminal goes to Assay alone, which ends its containers itself.
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, allowedDurationToNextStep: .milliseconds(100))]
        let result = try await Subprocess.run(
            .name(arguments[0]), arguments: Arguments(Array(arguments.dropFirst())), platformOptions: options,
            input: .string(input), output: .sequence, error: .sequence
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

    /// Kills it and waits for its end.
    func kill() async {
        let task = task.withLock { $0 }
        task?.cancel()
        await task?.value
    }
}

final class OCIContainer: RunningContainer {
    private let id: String
    private let place: String
    private let spec: ContainerSpec
    private let limits: ProbeLimits
    private let program: RunningProgram
    /// Our end of the pipe that the container's life hangs on.
    private let lifeline: Mutex<Int32>

    /// What makes the mounts and runs the container, as the first process of its namespaces. `$1` the place of the
    /// container, `$2` the unpacked image, `$3` the bytes that it may write, `$4` its id.
    private static let script = """
        set -eu
        exec 3<"$1/lifeline" 4<&0
        mount -t tmpfs -o "size=$3,mode=0700" tmpfs "$1/bundle"
        cd "$1/bundle"
        mkdir rootfs upper work state
        chown --reference="$2" upper
        chmod --reference="$2" upper
        mount -t overlay -o "lowerdir=$2,upperdir=$1/bundle/upper,workdir=$1/bundle/work" overlay rootfs
        cp ../config.json .
        { read -r line <&3 || true; kill -KILL -1; } 2>/dev/null &
        runc --root state run --pid-file ../pid "$4" <&4 3<&- 4<&- &
        wait $!
        """

    init(id: String, place: String, rootfs: String, spec: ContainerSpec, limits: ProbeLimits)
        throws(ProbeError)
    {
        self.id = id
        self.place = place
        self.spec = spec
        self.limits = limits
        let pipe = "\(place)/lifeline"
        guard mkfifo(pipe, 0o600) == 0 else {
            throw ProbeError(.runtime, "\(escaped(pipe)): \(String(cString: strerror(errno)))")
        }
        // Open for both, so that nobody has to be reading yet.
        let descriptor = open(pipe, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProbeError(.runtime, "\(escaped(pipe)): \(String(cString: strerror(errno)))")
        }
        lifeline = Mutex(descriptor)
        program = RunningProgram(
            [
                "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                OCIContainer.script, "assay", place, rootfs, "\(limits.disk)", id,
            ], input: spec.input, outputLimit: limits.output)
    }

    var standardOutput: ContainerTranscript.Output { program.standardOutput.output }
    var standardError: ContainerTranscript.Output { program.standardError.output }

    func exitCode() throws(ProbeError) -> Int32? {
        guard let code = try program.exitCode() else { return nil }
        // runc writes the number of the first process when it has started it.
        if access("\(place)/pid", F_OK) != 0 {
            let complaint = standardError.text.split(separator: "\\n").last.map(String.init) ?? ""
            // As docker: 127 for a program that is not there, 126 for one that cannot be run.
            if complaint.contains("no such file or directory")
                || complaint.contains("executable file not found")
            {
                return 127
            }
            if complaint.contains("permission denied") { return 126 }
            throw ProbeError(
                .runtime,
                "the container could not be started (\(code)): \(escaped(String(complaint.prefix(400))))")
        }
        return code
    }

    func signal(_ name: String) async throws(ProbeError) {
        let result = try await runToEnd(["kill", id, name])
        if result.code == 0 { return }
        // A container that ends takes with it all that runs in its namespaces, what has sent the signal too.
        let wasKilled = result.code == 128 + SIGKILL
        for _ in 0..<(wasKilled ? 500 : 1) {
            if try program.exitCode() != nil { return }
            try? await Task.sleep(for: .milliseconds(2))
        }
        throw ProbeError(
            .runtime, "runc kill (\(result.code)): \(escaped(String(result.errors.prefix(400))))")
    }

    func execute(_ arguments: [String], user: ResolvedUser?) async throws(ProbeError) -> any RunningContainer
    {
        let user = user ?? spec.user
        var options = ["exec", "--cwd", spec.workingDirectory, "--user", "\(user.uid):\(user.gid)"]
        for group in user.supplementaryGIDs { options += ["--additional-gids", "\(group)"] }
        for variable in spec.environment { options += ["--env", "\(variable.name)=\(variable.value)"] }
        let command = try runc(options + [id] + arguments)
        return ExecutedCommand(program: RunningProgram(command, input: nil, outputLimit: limits.output))
    }

    func remove() async {
        lifeline.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
        await program.kill()
        OCIContainer.removeCgroups(of: id)
        try? FileManager.default.removeItem(atPath: place)
    }

    /// runc removes them when it ends by itself; a killed one leaves them, empty.
    private static func removeCgroups(of id: String) {
        let root = "/sys/fs/cgroup"
        let hierarchies = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).map {
            "\(root)/\($0)"
        }
        for hierarchy in hierarchies + [root] { rmdir("\(hierarchy)/assay/\(id)") }
    }

    /// The command line of runc inside the container's namespaces.
    private func runc(_ arguments: [String]) throws(ProbeError) -> [String] {
        guard let process = program.processID else { throw ProbeError(.runtime, "the container has ended") }
        let children = "/proc/\(process)/task/\(process)/children"
        let text = (try? String(contentsOfFile: children, encoding: .utf8)) ?? ""
        guard let first = text.split(separator: " ").first, let child = pid_t(first) else {
            throw ProbeError(.runtime, "the container has ended")
        }
        return [
            "nsenter", "--target", "\(child)", "--mount", "--pid", "--", "runc", "--root",
            "\(place)/bundle/state",
        ]
            + arguments
    }

    private func runToEnd(_ arguments: [String]) async throws(ProbeError) -> (code: Int32, errors: String) {
        let program = RunningProgram(try runc(arguments), input: nil, outputLimit: 4096)
        while true {
            if let code = try program.exitCode() { return (code, program.standardError.output.text) }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// A command in a container: ends with it.
private struct ExecutedCommand: RunningContainer {
    let program: RunningProgram

    var standardOutput: ContainerTranscript.Output { program.standardOutput.output }
    var standardError: ContainerTranscript.Output { program.standardError.output }

    func exitCode() throws(ProbeError) -> Int32? { try program.exitCode() }

    func signal(_ name: String) async throws(ProbeError) {
        throw ProbeError(.scenario, "signals go to containers, not to commands in them")
    }

    func execute(_ arguments: [String], user: ResolvedUser?) async throws(ProbeError) -> any RunningContainer
    {
        throw ProbeError(.scenario, "commands are run in containers, not in other commands")
    }

    func remove() async { await program.kill() }
}
