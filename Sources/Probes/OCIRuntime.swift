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
    private let run: RunDirectory
    private let limits: ProbeLimits
    private let counter = Counter()
    private let program: String

    /// - Parameters:
    ///   - rootfs: the unpacked image; it is not changed.
    ///   - program: the program `assay`, which looks at files of a container in its namespaces.
    public init(rootfs: String, run: RunDirectory, limits: ProbeLimits = ProbeLimits(), program: String) {
        self.rootfs = rootfs
        self.run = run
        self.program = program
        self.limits = limits
    }

    /// What comes before a program that is to see the owners of the image: as root nothing, else a namespace in which
    /// the account is root and has the numbers that /etc/subuid and /etc/subgid give it (user_namespaces(7)).
    public static var mapping: [String] {
        geteuid() == 0 ? [] : ["unshare", "--user", "--map-auto", "--map-root-user"]
    }

    /// Runs a program that is to see the owners of the image, to its end or that of the task.
    ///
    /// - Throws: `ProbeError` when it fails.
    public static func runMapped(_ arguments: [String]) async throws(ProbeError) {
        let result = try await RunningProgram.complete(
            mapping + arguments, within: .seconds(1800), endsWithTask: true)
        guard result.code == 0 else { throw ProbeError(.unavailable, result.complaint) }
    }

    private static let namespaces =
        ["unshare"] + mapping.dropFirst() + ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]

    /// Why this machine cannot run containers so; nil when it can.
    static func obstacle() async -> String? {
        var programs = ["runc", "unshare", "nsenter"]
        if geteuid() != 0 { programs += ["newuidmap", "newgidmap"] }
        let missing = programs.filter { !RunningProgram.isInstalled($0) }
        guard missing.isEmpty else { return "not installed: \(missing.joined(separator: ", "))" }
        // Everything that a container needs of the kernel, in a namespace that is gone at once.
        let trial = """
            mount -t tmpfs tmpfs /tmp && cd /tmp && mkdir lower upper work merged &&
            mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged
            """
        do throws(ProbeError) {
            let result = try await RunningProgram.complete(
                namespaces + ["sh", "-c", trial], within: .seconds(20))
            return result.code == 0 ? nil : "the kernel does not allow it: \(result.complaint)"
        } catch {
            return error.message
        }
    }

    public func start(_ spec: ContainerSpec, volumes: [String: String]) async throws(ProbeError)
        -> any RunningContainer
    {
        if spec.memoryLimit != nil, geteuid() != 0 {
            throw ProbeError(
                .unavailable,
                "\(spec.name) needs a bound on memory, which an ordinary user cannot set: run as root")
        }
        let id = "\(run.id)-\(counter.next())"
        let place = "\(run.path)/\(id)"
        let files = try spec.writeFiles(below: place)
        _ = try spec.writeHosts(below: place)
        let config = OCIBundleConfig(
            spec: spec, limits: limits, cgroup: "/assay/\(id)", volumes: volumes, files: files, place: place,
            isMapped: geteuid() != 0)
        do {
            try FileManager.default.createDirectory(
                atPath: "\(place)/bundle", withIntermediateDirectories: true)
            try Data(config.json.serialized).write(to: URL(filePath: "\(place)/config.json"))
            try Data("\(OCIBundleConfig.hostname)\n".utf8).write(to: URL(filePath: "\(place)/hostname"))
            try Data().write(to: URL(filePath: "\(place)/resolv.conf"))
        } catch {
            throw ProbeError(.runtime, "cannot prepare a container below \(escaped(place)): \(error)")
        }
        let container = try OCIContainer(
            id: id, place: place, rootfs: rootfs, namespaces: OCIRuntime.namespaces, spec: spec,
            limits: limits, mounts: ContainerFiles.mounts(of: spec, volumes: volumes, files: files),
            assay: program)
        do throws(ProbeError) {
            try await container.holdRoot()
        } catch {
            await container.remove()
            throw error
        }
        return container
    }

    /// Lets go of containers that wait for the lifeline of a run that is gone.
    static func cutLifelines(below folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let descriptor = open("\(folder)/\(name)/lifeline", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if descriptor >= 0 { close(descriptor) }
        }
    }

    /// Removes the cgroups with such names: runc removes them when it ends by itself, a killed one leaves them, empty as
    /// soon as the kernel is done with the last process.
    static func removeCgroups(_ isWanted: (String) -> Bool) {
        let root = "/sys/fs/cgroup"
        let hierarchies = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).map {
            "\(root)/\($0)"
        }
        for folder in (hierarchies + [root]).map({ "\($0)/assay" }) {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where isWanted(name) {
                for _ in 0..<50 where rmdir("\(folder)/\(name)") != 0 && errno == EBUSY { usleep(5_000) }
            }
        }
    }
}

final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

final class OCIContainer: RunningContainer {
    private let id: String
    private let place: String
    private let spec: ContainerSpec
    private let limits: ProbeLimits
    private let program: RunningProgram
    /// What is mounted over the root by runc, where nobody else sees it.
    private let mounts: [ContainerFiles.Mount]
    private let assay: String
    /// Our end of the pipe that the container's life hangs on.
    private let lifeline: Lifeline
    /// A container whose files are looked at waits for a line of this before it begins.
    private let go: Lifeline?
    /// Its root, open so that it lasts as long as the container is looked at, and for an ordinary user the namespace
    /// in which one may look at all of it.
    private let held = Mutex<(root: FileDescriptor, user: FileDescriptor?)?>(nil)

    /// What makes the mounts and runs the container, as the first process of its namespaces. `$1` the place of the
    /// container, `$2` the unpacked image, `$3` the bytes that it may write, `$4` its id, `$5` whether it has a terminal,
    /// which script(1) makes: runc wants one of its own for that. Nothing is ever typed there.
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
        if [ -e ../go ]; then
            : >../ready
            read -r line <../go
        fi
        if [ "$5" = terminal ]; then
            mkfifo ../keyboard
            exec 4<>../keyboard
            script --quiet --return --flush --command "exec runc --root state run --pid-file ../pid $4" /dev/null <&4 3<&- 4<&- &
        else
            runc --root state run --pid-file ../pid "$4" <&4 3<&- 4<&- &
        fi
        exec 2>/dev/null
        wait $!
        """

    init(
        id: String, place: String, rootfs: String, namespaces: [String], spec: ContainerSpec,
        limits: ProbeLimits, mounts: [ContainerFiles.Mount], assay: String
    ) throws(ProbeError) {
        self.id = id
        self.place = place
        self.spec = spec
        self.limits = limits
        self.mounts = mounts
        self.assay = assay
        lifeline = try Lifeline(at: "\(place)/lifeline")
        go = spec.keepsFiles ? try Lifeline(at: "\(place)/go") : nil
        program = RunningProgram(
            namespaces + [
                "sh", "-c", OCIContainer.script, "assay", place, rootfs, "\(limits.disk)", id,
                spec.hasTerminal ? "terminal" : "",
            ], input: spec.input, outputLimit: limits.output)
    }

    var standardOutput: ContainerTranscript.Output { program.standardOutput.output }
    var standardError: ContainerTranscript.Output { program.standardError.output }

    func exitCode() throws(ProbeError) -> Int32? {
        guard let code = try program.exitCode() else { return nil }
        if hasStarted { return code }
        let complaints = spec.hasTerminal ? standardOutput : standardError
        return try startFailure(
            complaints.text.split(separator: "\n").last.map(String.init) ?? "", code: code)
    }

    /// runc writes the number of the first process when it has made it.
    private var hasStarted: Bool { access("\(place)/pid", F_OK) == 0 }

    /// Returns when the container runs, or has ended.
    private func awaitStart() async throws(ProbeError) {
        let deadline = ContinuousClock.now + RuntimeKind.patience
        while !hasStarted, try program.exitCode() == nil, !Task.isCancelled {
            guard ContinuousClock.now < deadline else {
                throw ProbeError(
                    .runtime, "runc did not start the container within \(RuntimeKind.patience)")
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Takes hold of the root of a container whose files are looked at, and lets it begin.
    func holdRoot() async throws(ProbeError) {
        guard let go else { return }
        let deadline = ContinuousClock.now + RuntimeKind.patience
        while access("\(place)/ready", F_OK) != 0 {
            guard try program.exitCode() == nil, ContinuousClock.now < deadline, !Task.isCancelled else {
                throw ProbeError(
                    .runtime,
                    "the container's mounts were not made: \(escaped(String(standardError.text.prefix(400))))"
                )
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
        let child = try child()
        do {
            let root = try FileDescriptor.open(
                "/proc/\(child)/root\(place)/bundle/rootfs", .readOnly, options: [.directory, .closeOnExec])
            held.withLock { $0 = (root, nil) }
            if geteuid() != 0 {
                let user = try FileDescriptor.open(
                    "/proc/\(child)/ns/user", .readOnly, options: .closeOnExec)
                held.withLock { $0 = (root, user) }
            }
        } catch {
            throw ProbeError(.runtime, "cannot hold the container's root: \(error)")
        }
        try go.send("\n")
    }

    func processID() async throws(ProbeError) -> pid_t? {
        try await awaitStart()
        guard try program.exitCode() == nil else { return nil }
        let text = (try? String(contentsOfFile: "\(place)/pid", encoding: .utf8)) ?? ""
        let number = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
        guard let number, let child = try? child(), let depth = ContainerProcesses.depth(of: child) else {
            return nil
        }
        return ContainerProcesses.find(number, atDepth: depth, below: child)
    }

    func files(_ wanted: [ContainerFiles.Wanted]) async throws(ProbeError) -> [ContainerState.File] {
        try await awaitStart()
        guard let (root, user) = held.withLock({ $0 }) else {
            throw ProbeError(.scenario, "\(spec.name) is not one whose files are looked at")
        }
        let look = ContainerFiles(mounts: mounts, wanted: wanted)
        guard let user else { return try look.look(below: root.rawValue) }
        return try await look.look(
            by: ["nsenter", "--user=/proc/\(getpid())/fd/\(user.rawValue)", "--", assay], below: root)
    }

    func signal(_ name: String) async throws(ProbeError) {
        try await awaitStart()
        let result = try await RunningProgram.complete(try runc(["kill", id, name]))
        // It may have ended meanwhile.
        if result.code == 0 || result.errors.contains("process already finished") { return }
        // A container that ends takes with it all that runs in its namespaces, what has sent the signal too.
        let wasKilled = result.code == 128 + SIGKILL
        for _ in 0..<(wasKilled ? 500 : 1) {
            if try program.exitCode() != nil { return }
            try? await Task.sleep(for: .milliseconds(2))
        }
        throw ProbeError(.runtime, "runc kill (\(result.code)): \(result.complaint)")
    }

    func execute(_ arguments: [String], user: ResolvedUser?) async throws(ProbeError) -> any RunningContainer
    {
        try await awaitStart()
        let user = user ?? spec.user
        var options = ["exec", "--cwd", spec.workingDirectory, "--user", "\(user.uid):\(user.gid)"]
        for group in user.allGIDs { options += ["--additional-gids", "\(group)"] }
        for variable in spec.environment { options += ["--env", "\(variable.name)=\(variable.value)"] }
        let command = try runc(options + [id] + arguments)
        return ExecutedCommand(program: RunningProgram(command, outputLimit: limits.output))
    }

    func remove() async {
        lifeline.cut()
        // It ends when the last process in its namespaces has, and with it all of their mounts.
        await program.end(within: .seconds(2))
        OCIRuntime.removeCgroups { $0 == id }
        held.withLock { held in
            try? held?.root.close()
            try? held?.user?.close()
            held = nil
        }
        try? FileManager.default.removeItem(atPath: place)
    }

    /// The first process of the namespaces that the container's are in.
    private func child() throws(ProbeError) -> pid_t {
        guard let process = program.processID else { throw ProbeError(.runtime, "the container has ended") }
        let children = "/proc/\(process)/task/\(process)/children"
        let text = (try? String(contentsOfFile: children, encoding: .utf8)) ?? ""
        guard let first = text.split(separator: " ").first, let child = pid_t(first) else {
            throw ProbeError(.runtime, "the container has ended")
        }
        return child
    }

    /// The command line of runc inside the container's namespaces.
    private func runc(_ arguments: [String]) throws(ProbeError) -> [String] {
        let child = try child()
        let user = geteuid() == 0 ? [] : ["--user"]
        return ["nsenter", "--target", "\(child)"] + user
            + ["--mount", "--pid", "--", "runc", "--root", "\(place)/bundle/state"] + arguments
    }
}

/// The exit code of a container whose program could not be run, as docker gives it: 127 for one that is not there, 126
/// for one that cannot be run.
///
/// - Parameter complaint: what the runtime says.
/// - Throws: `ProbeError` when that is about anything but the program or its working directory.
func startFailure(_ complaint: String, code: Int32) throws(ProbeError) -> Int32 {
    let isAboutProgram = ["exec: ", "chdir to cwd", "executable file"].contains(where: complaint.contains)
    if isAboutProgram {
        let words = complaint.lowercased()
        if ["no such file or directory", "not found", "not a directory"].contains(where: words.contains) {
            return 127
        }
        if words.contains("permission denied") || words.contains("exec format error") { return 126 }
    }
    throw ProbeError(
        .runtime, "the container could not be started (\(code)): \(escaped(String(complaint.prefix(400))))")
}

/// A command in a container: ends with it.
struct ExecutedCommand: RunningContainer {
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

    func processID() async throws(ProbeError) -> pid_t? { nil }

    func files(_ wanted: [ContainerFiles.Wanted]) async throws(ProbeError) -> [ContainerState.File] {
        throw ProbeError(.scenario, "files are those of containers, not of commands in them")
    }

    func remove() async { await program.kill() }
}
