import Facts
import Foundation
import Glibc
import LayerArchive
import OCIModel
import Synchronization
import SystemPackage
import Verdict

/// Runs containers by docker or podman, through their command lines, on an image in their store.
///
/// Nothing that a container writes is kept by the engine, and every container carries the run's id in the label
/// `assay.run`, by which the next run finds what a killed one left.
public struct EngineRuntime: ContainerRuntime {
    public var name: String { client.kind.rawValue }
    private let client: EngineClient
    /// As the engine knows the image.
    private let image: String
    private let run: RunDirectory
    private let limits: ProbeLimits
    private let counter = Counter()
    private let program: String

    /// The name of an image that a run gives the engine, and takes away again.
    public static func tag(of run: RunDirectory) -> String { "localhost/assay/probe:\(run.id)" }

    /// Takes the image that the engine has already, else gives it one.
    ///
    /// - Parameters:
    ///   - kind: docker or podman.
    ///   - configDigest: the image ID.
    ///   - program: the program `assay`, which looks at files of podman's containers.
    ///   - archive: makes an open file with the image as `docker save` writes it, under the name that it is given;
    ///     it stays the caller's, who closes it.
    /// - Throws: `ProbeError` when the engine does not take it, and whatever `archive` throws.
    public init(
        _ kind: RuntimeKind, configDigest: Digest, run: RunDirectory, limits: ProbeLimits = ProbeLimits(),
        program: String, archive: (_ tag: String) throws -> Int32
    ) async throws {
        client = EngineClient(kind)
        self.run = run
        self.limits = limits
        self.program = program
        let tag = EngineRuntime.tag(of: run)
        let known = try await RunningProgram.complete(
            client.program + ["image", "inspect", "--format", "{{len .RepoTags}}", configDigest.encoded])
        guard known.code != 0 else {
            // An image with a name gets another one, so that it lasts as long as this run. One without would be
            // removed with that name.
            let hasName = known.output.trimmingCharacters(in: .whitespacesAndNewlines) != "0"
            if hasName { try await client.run("tag", configDigest.encoded, tag) }
            image = hasName ? tag : configDigest.encoded
            return
        }
        let file = try archive(tag)
        defer { Glibc.close(file) }
        // podman copies what it does not open by itself, and leaves its own files behind when it is killed.
        let input = kind == .podman ? ["--input", "/dev/stdin"] : []
        let loaded = try await RunningProgram.complete(
            client.program + ["load", "--quiet"] + input, file: FileDescriptor(rawValue: file),
            environment: .inherit.updating(["TMPDIR": run.path]), within: .seconds(1800), endsWithTask: true)
        guard loaded.code == 0 else {
            throw ProbeError(.runtime, "\(kind.rawValue) load: \(loaded.complaint)")
        }
        image = tag
    }

    public func start(_ spec: ContainerSpec, volumes: [String: String]) async throws(ProbeError)
        -> any RunningContainer
    {
        let id = "\(run.id)-\(counter.next())"
        let place = "\(run.path)/\(id)"
        let files = try spec.writeFiles(below: place)
        let hosts = try spec.writeHosts(below: place)
        let options = options(of: spec, id: id, volumes: volumes, files: files, hosts: hosts)
        let command: [String]
        if client.kind == .podman {
            // Only `run` has --passwd: podman would give an unknown user a line in /etc/passwd.
            command = ["run", "--passwd=false"] + options
        } else {
            // Warnings of the engine come from `create`, not into the container's standard error.
            try await client.run(["create"] + options)
            command = ["start", "--attach"] + (spec.input == nil ? [] : ["--interactive"]) + [id]
        }
        let program = RunningProgram(client.program + command, input: spec.input, outputLimit: limits.output)
        return EngineContainer(
            client: client, id: id, place: place, spec: spec, program: program, limits: limits,
            mounts: ContainerFiles.mounts(of: spec, volumes: volumes, files: files), assay: self.program)
    }

    private func options(
        of spec: ContainerSpec, id: String, volumes: [String: String], files: [String], hosts: String
    ) -> [String] {
        let memory = min(spec.memoryLimit ?? limits.memory, limits.memory)
        var options = [
            "--name", id, "--label", "assay.run=\(run.id)", "--pull", "never", "--no-healthcheck",
            "--log-driver", "none", "--network", spec.sharesNetwork ? "host" : "none", "--hostname", "probe",
            "--pids-limit", "\(min(spec.processLimit ?? limits.processes, limits.processes))", "--memory",
            "\(memory)", "--memory-swap", "\(memory)", "--user", "\(spec.user.uid):\(spec.user.gid)",
            "--workdir",
            spec.workingDirectory,
        ]
        if spec.hasTerminal { options.append("--tty") }
        let isPodman = client.kind == .podman
        for path in spec.temporaryDirectories {
            // podman would fill it with what the image has there.
            let mount = ContainerSpec.temporaryOptions + (isPodman ? ["notmpcopyup"] : [])
            options += ["--tmpfs", "\(path):\(mount.joined(separator: ","))"]
        }
        if isPodman {
            options += ["--http-proxy=false", "--unsetenv", "container"]
            // What the container has of its own would go too.
            if !spec.environment.contains(where: { $0.name == "TERM" }) { options += ["--unsetenv", "TERM"] }
            // As `oci` has it: what an image calls a volume is part of its file system.
            options += ["--image-volume", "ignore"]
            options += EngineRuntime.ulimits
            // podman would tell names of this machine also where its network is not.
            if !spec.sharesNetwork {
                options += [
                    "--no-hosts", "--mount", EngineRuntime.mount(hosts, "/etc/hosts", readOnly: false),
                ]
            }
        }
        if spec.input != nil { options.append("--interactive") }
        for group in spec.user.supplementaryGIDs { options += ["--group-add", "\(group)"] }
        for variable in spec.environment { options += ["--env", "\(variable.name)=\(variable.value)"] }
        for volume in spec.volumes {
            if let source = volumes[volume.name] {
                options += ["--mount", EngineRuntime.mount(source, volume.path, readOnly: false)]
            }
        }
        for (file, source) in zip(spec.files, files) {
            options += ["--mount", EngineRuntime.mount(source, file.path, readOnly: true)]
        }
        let program = spec.arguments.first ?? ""
        // podman takes a text that begins with a bracket for a list.
        let entrypoint =
            client.kind == .podman
            ? String(decoding: JSON.array([.string(program)]).serialized, as: UTF8.self) : program
        return options + ["--entrypoint", entrypoint, image] + spec.arguments.dropFirst()
    }

    /// A bind mount as engines read it: fields of CSV (RFC 4180).
    private static func mount(_ source: String, _ path: String, readOnly: Bool) -> String {
        func field(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
        return
            (["type=bind", field("source=\(source)"), field("target=\(path)")]
            + (readOnly ? ["readonly"] : []))
            .joined(separator: ",")
    }

    /// The limits of this process. podman would raise them, which not every machine allows; its own bound for
    /// processes is the kernel's for their numbers.
    private static let ulimits: [String] = {
        func limit(_ resource: __rlimit_resource, at most: UInt) -> String {
            var limit = rlimit()
            getrlimit(Int32(resource.rawValue), &limit)
            return "\(min(limit.rlim_cur, most)):\(min(limit.rlim_max, most))"
        }
        let numbers = (try? String(contentsOfFile: "/proc/sys/kernel/pid_max", encoding: .utf8)) ?? ""
        let most = UInt(numbers.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 32_768
        return [
            "--ulimit", "nofile=\(limit(RLIMIT_NOFILE, at: 1 << 20))", "--ulimit",
            "nproc=\(limit(__RLIMIT_NPROC, at: most))",
        ]
    }()

    /// Removes what a run has made in an engine: containers with its label, and the image's name, with its last name
    /// the image.
    ///
    /// - Throws: `ProbeError` when the engine cannot be asked.
    static func removeLeftovers(of run: String, _ kind: RuntimeKind) async throws(ProbeError) {
        let client = EngineClient(kind)
        let containers = try await client.run(
            "ps", "--all", "--quiet", "--no-trunc", "--filter", "label=assay.run=\(run)")
        if !containers.isEmpty {
            try await client.removeContainers(containers.split(separator: "\n").map(String.init))
        }
        let tag = "localhost/assay/probe:\(run)"
        if !(try await client.run("images", "--quiet", tag)).isEmpty { try await client.run("rmi", tag) }
    }
}

/// A container of an engine.
private final class EngineContainer: RunningContainer {
    private let client: EngineClient
    private let id: String
    private let place: String
    private let spec: ContainerSpec
    private let program: RunningProgram
    private let limits: ProbeLimits
    private let watch: DiskWatch
    private let mounts: [ContainerFiles.Mount]
    private let assay: String
    private let end = Mutex<Result<Int32, ProbeError>?>(nil)

    init(
        client: EngineClient, id: String, place: String, spec: ContainerSpec, program: RunningProgram,
        limits: ProbeLimits, mounts: [ContainerFiles.Mount], assay: String
    ) {
        self.client = client
        self.id = id
        self.place = place
        self.spec = spec
        self.program = program
        self.limits = limits
        self.mounts = mounts
        self.assay = assay
        // Engines bound what a container writes on few file systems only.
        watch = DiskWatch(limit: limits.disk) {
            let question =
                #"{{.SizeRw}}{{range .Mounts}}{{if eq .Type "volume"}}{{"\n"}}{{.Source}}{{end}}{{end}}"#
            let answer = try? await client.run(
                "inspect", "--type", "container", "--size", "--format", question, id)
            guard let lines = answer?.split(separator: "\n").map(String.init),
                let size = lines.first.flatMap(Int64.init)
            else { return nil }
            // The image's own volumes, where this account may look.
            let volumes = lines.count > 1 ? await DiskWatch.usage(of: Array(lines.dropFirst())) : 0
            return size + (volumes ?? 0)
        } onExcess: {
            _ = try? await client.run("kill", "--signal", "KILL", id)
        }
        Task { [self] in
            await program.end()
            watch.stop()
            let result: Result<Int32, ProbeError>
            do throws(ProbeError) {
                result = .success(try await code())
            } catch {
                result = .failure(error)
            }
            end.withLock { $0 = result }
        }
    }

    var standardOutput: ContainerTranscript.Output { program.standardOutput.output }
    var standardError: ContainerTranscript.Output { program.standardError.output }

    func exitCode() throws(ProbeError) -> Int32? { try end.withLock { $0 }?.get() }

    /// The exit code of the container, when the command line that was attached to it has ended. That one's own does
    /// not tell a container's 125 to 127 from the engine's.
    private func code() async throws(ProbeError) -> Int32 {
        let complaint = standardError.text.split(separator: "\n").last.map(String.init) ?? ""
        let own = try program.exitCode() ?? -1
        let answer: String
        do throws(ProbeError) {
            answer = try await state("{{.State.StartedAt}} {{.State.ExitCode}} {{.State.Running}}")
        } catch {
            throw ProbeError(
                .runtime, "the container could not be run (\(own)): \(escaped(String(complaint.prefix(400))))"
            )
        }
        // The zero time of Go stands for never.
        if answer.hasPrefix("0001-01-01") { return try startFailure(complaint, code: own) }
        if watch.isExceeded {
            throw ProbeError(.runtime, "the container wrote more than \(limits.disk) bytes and was ended")
        }
        let fields = answer.split(separator: " ")
        guard fields.last == "false", fields.count >= 2, let code = Int32(fields[fields.count - 2]) else {
            throw ProbeError(.runtime, "\(client.kind.rawValue) lost the container while it ran")
        }
        return code
    }

    private func state(_ format: String) async throws(ProbeError) -> String {
        try await client.run("inspect", "--type", "container", "--format", format, id)
    }

    /// Returns when the container runs, or has ended.
    private func awaitStart() async throws(ProbeError) {
        let deadline = ContinuousClock.now + RuntimeKind.patience
        while try exitCode() == nil, !Task.isCancelled {
            let known = try? await state("{{.State.StartedAt}}")
            if let known, !known.hasPrefix("0001-01-01") { return }
            guard ContinuousClock.now < deadline else {
                throw ProbeError(
                    .runtime,
                    "\(client.kind.rawValue) did not start the container within \(RuntimeKind.patience)")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func signal(_ name: String) async throws(ProbeError) {
        try await awaitStart()
        do throws(ProbeError) {
            try await client.run("kill", "--signal", name, id)
        } catch {
            // It may have ended meanwhile.
            guard try await state("{{.State.Running}}") == "false" else { throw error }
        }
    }

    func execute(_ arguments: [String], user: ResolvedUser?) async throws(ProbeError) -> any RunningContainer
    {
        try await awaitStart()
        let user = user ?? spec.user
        var options = ["exec", "--user", "\(user.uid):\(user.gid)", "--workdir", spec.workingDirectory]
        for variable in spec.environment { options += ["--env", "\(variable.name)=\(variable.value)"] }
        return ExecutedCommand(
            program: RunningProgram(client.program + options + [id] + arguments, outputLimit: limits.output))
    }

    func processID() async throws(ProbeError) -> pid_t? {
        try await awaitStart()
        guard try exitCode() == nil, let number = pid_t(try await state("{{.State.Pid}}")), number > 0 else {
            return nil
        }
        return number
    }

    func files(_ wanted: [ContainerFiles.Wanted]) async throws(ProbeError) -> [ContainerState.File] {
        try await awaitStart()
        guard client.kind == .docker else {
            // podman's own copies belong to whoever makes them, and are without volumes when the container has ended.
            let mount = (client.program + ["mount", id]).joined(separator: " ")
            let look = ["sh", "-c", "root=$(\(mount)) && exec \"$@\" <\"$root\"", "sh", assay]
            return try await ContainerFiles(mounts: mounts, wanted: wanted).look(
                by: (geteuid() == 0 ? [] : ["podman", "unshare"]) + look, below: nil)
        }
        var files: [ContainerState.File] = []
        for one in wanted { files.append(try await file(one)) }
        return files
    }

    /// By the first member of the archive that docker makes of it.
    private func file(_ wanted: ContainerFiles.Wanted) async throws(ProbeError) -> ContainerState.File {
        let limit = 2 * ContainerFiles.contentLimit
        let copy = RunningProgram(
            client.program + ["cp", "--follow-link", "\(id):\(wanted.path)", "-"], outputLimit: limit)
        let deadline = ContinuousClock.now + .seconds(60)
        // A directory would bring all that is below it.
        while try copy.exitCode() == nil, copy.standardOutput.count < limit {
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                await copy.kill()
                throw ProbeError(.runtime, "\(client.kind.rawValue) cp did not end within 60 s")
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
        if let code = try copy.exitCode(), code != 0 {
            let complaint = copy.standardError.output.text.lowercased()
            let isAbsent = [
                "could not find the file", "no such file", "not a directory", "too many links",
            ].contains(where: complaint.contains)
            if isAbsent { return ContainerState.File(path: wanted.path) }
            throw ProbeError(
                .runtime, "\(client.kind.rawValue) cp (\(code)): \(escaped(String(complaint.prefix(400))))")
        }
        await copy.kill()
        do throws(LayerError) {
            let member = try TarMember(
                firstOf: copy.standardOutput.bytes, contentLimit: ContainerFiles.contentLimit)
            return ContainerState.File(path: wanted.path, status: member.status(wanted.readsContent))
        } catch {
            throw ProbeError(.runtime, "\(client.kind.rawValue) cp: \(error.message)")
        }
    }

    func remove() async throws(ProbeError) {
        do throws(ProbeError) {
            try await client.removeContainers([id])
            await program.kill()
        } catch {
            // podman may have been about to make it.
            await program.kill()
            if !(try await client.run("ps", "--all", "--quiet", "--filter", "name=^\(id)$")).isEmpty {
                try await client.removeContainers([id])
            }
        }
        try? FileManager.default.removeItem(atPath: place)
    }
}

extension TarMember {
    fileprivate func status(_ readsContent: Bool) -> ContainerState.File.Status {
        let type =
            switch kind {
            case .directory: "directory"
            case .characterDevice: "characterDevice"
            case .blockDevice: "blockDevice"
            case .fifo: "fifo"
            case .socket: "socket"
            default: "file"
            }
        var status = ContainerState.File.Status(type: type, uid: uid, gid: gid, permissions: permissions)
        if readsContent, type == "file" {
            status.content = ContainerTranscript.Output(
                text: String(decoding: content, as: UTF8.self), byteCount: size,
                isTruncated: Int64(content.count) < size)
        }
        return status
    }
}
