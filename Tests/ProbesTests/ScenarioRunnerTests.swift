import Facts
import Foundation
import Glibc
import OCIModel
import RootFS
import Suite
import Synchronization
import Testing
import Verdict

@testable import Probes

/// Containers that end when their script says so, without running anything.
private final class FakeRuntime: ContainerRuntime {
    let name = "fake"
    let specs = Mutex<[ContainerSpec]>([])
    let removed = Atomic<Int>(0)
    let breaks: Bool
    let cannotRemove: Bool
    /// Bytes that each container writes into each volume.
    let bytes: Int

    init(breaks: Bool = false, cannotRemove: Bool = false, bytes: Int = 0) {
        self.breaks = breaks
        self.cannotRemove = cannotRemove
        self.bytes = bytes
    }

    final class Container: RunningContainer {
        let runtime: FakeRuntime
        let code = Mutex<Int32?>(nil)
        let output: String

        init(_ runtime: FakeRuntime, _ spec: ContainerSpec) {
            self.runtime = runtime
            output = spec.arguments.joined(separator: " ") + "\n"
            if spec.arguments.contains("connect"), let port = spec.arguments.last.flatMap({ UInt16($0) }) {
                close(TCPListener.Target.port(port).connected())
            }
            if spec.arguments.last == "end" { code.withLock { $0 = 3 } }
        }

        func exitCode() throws(ProbeError) -> Int32? { code.withLock { $0 } }
        var standardOutput: ContainerTranscript.Output { .init(text: output, byteCount: 1) }
        var standardError: ContainerTranscript.Output { .init() }
        func signal(_ name: String) async throws(ProbeError) {
            code.withLock { $0 = name == "TERM" ? 143 : 130 }
        }
        func execute(
            _ arguments: [String], user: ResolvedUser?
        ) async throws(ProbeError) -> any RunningContainer {
            let spec = runtime.specs.withLock { $0[0] }
            var own = spec
            own.arguments = arguments + ["end"]
            return Container(runtime, own)
        }
        func processID() async throws(ProbeError) -> pid_t? { code.withLock { $0 == nil ? getpid() : nil } }
        func files(_ wanted: [ContainerFiles.Wanted]) async throws(ProbeError) -> [ContainerState.File] {
            wanted.map { ContainerState.File(path: $0.path) }
        }
        func remove() async throws(ProbeError) {
            runtime.removed.add(1, ordering: .relaxed)
            if runtime.cannotRemove { throw ProbeError(.runtime, "gone") }
        }
    }

    func start(
        _ spec: ContainerSpec, volumes: [String: String]
    ) async throws(ProbeError) -> any RunningContainer {
        if breaks { throw ProbeError(.runtime, "broken") }
        specs.withLock { $0.append(spec) }
        for path in volumes.values where bytes > 0 {
            _ = FileManager.default.createFile(atPath: "\(path)/file", contents: Data(count: bytes))
        }
        return Container(self, spec)
    }
}

@Suite("Scenarios are carried out")
struct ScenarioRunnerTests {
    private func facts() throws -> ImageFacts {
        let config = """
            {"os":"linux","architecture":"amd64","config":{"Env":["A=1","B=2"],"Entrypoint":["/entry"],\
            "Cmd":["default"],"User":"5:0","WorkingDir":"/work"},"rootfs":{"type":"layers","diff_ids":[]}}
            """
        return ImageFacts(
            config: try ImageConfig(parsing: Array(config.utf8)), layers: [], rootfs: RootFS.merging([]))
    }

    private func run(_ scenario: String, _ runtime: FakeRuntime) async throws -> ProbeTranscript {
        let text = """
            suite: example
            title: Example
            scenarios:
              one: \(scenario)
            checks:
              - {id: A-1, title: t, run: one, expect: {exit: main}}
            """
        let document = try SuiteLoader.load(directory: [("suite.yaml", text)])
        let scratch = FileManager.default.temporaryDirectory.appending(
            path: "assay-probe-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        var limits = ProbeLimits()
        limits.disk = 1 << 20
        let runner = ScenarioRunner(
            runtime: runtime, facts: try facts(), scratch: scratch.path, limits: limits)
        let scope = Scope(parameters: [:], version: .undecided(reason: "none"))
        let scenario = try #require(document.scenario(named: "one"))
        let result: Result<ProbeTranscript, ProbeError>
        do throws(ProbeError) {
            result = .success(try await runner.run(scenario, scope: scope))
        } catch {
            result = .failure(error)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
        return try result.get()
    }

    @Test("what the scenario does not say is as the image has it")
    func spec() async throws {
        let runtime = FakeRuntime()
        _ = try await run("{containers: {main: {args: [end], environment: {B: \"3\"}}}}", runtime)
        let spec = try #require(runtime.specs.withLock { $0.first })
        #expect(spec.arguments == ["/entry", "end"])
        #expect(spec.environment.map { "\($0.name)=\($0.value)" }.prefix(2) == ["A=1", "B=3"])
        #expect(spec.user.uid == 5 && spec.user.gid == 0)
        #expect(spec.workingDirectory == "/work")
        #expect(!spec.sharesNetwork)
        #expect(spec.command == "docker run --rm --env B=3 IMAGE end")
    }

    @Test("an entrypoint of one's own does not get the image's command; secrets are masked")
    func entrypoint() async throws {
        let runtime = FakeRuntime()
        _ = try await run(
            "{containers: {main: {entrypoint: [sh, end], environment: {MY_PASSWORD: x}, user: \"7:8\"}}}",
            runtime)
        let spec = try #require(runtime.specs.withLock { $0.first })
        #expect(spec.arguments == ["sh", "end"])
        #expect(spec.user.uid == 7 && spec.user.gid == 8)
        #expect(
            spec.command == "docker run --rm --user 7:8 --env 'MY_PASSWORD=***' --entrypoint sh IMAGE end")
    }

    @Test("steps go on in their order, and everything is removed")
    func steps() async throws {
        let runtime = FakeRuntime()
        let transcript = try await run(
            """
            {containers: {main: {args: [x]}}, steps: [{start: main}, {wait: main, stdout: {contains: entry}}, \
            {exec: main, as: look, args: [ls]}, {signal: main, name: TERM}, {wait: main}]}
            """, runtime)
        #expect(transcript.incident == nil)
        #expect(transcript.containers.map(\.name) == ["main", "look"])
        #expect(transcript.containers.map(\.exitCode) == [143, 3])
        #expect(
            transcript.events.map(\.text) == [
                "start main", "main writes to stdout: containing entry", "run look in main",
                "look ends with 3", "send TERM to main",
                "main ends with 143",
            ])
        #expect(runtime.removed.load(ordering: .relaxed) == 2)
    }

    @Test("a look sees the files of a container that has ended, and what runs in one that has not")
    func look() async throws {
        let ended = try await run(
            "{containers: {main: {args: [end]}}, steps: [{start: main}, {wait: main}, {look: main, files: [/x]}]}",
            FakeRuntime())
        let state = try #require(ended.container(named: "main")?.state)
        #expect(state == ContainerState(files: [.init(path: "/x")]))
        #expect(ended.events.map(\.text).last == "look at main")
        // The fake container is this process.
        let running = try await run(
            "{containers: {main: {args: [x]}}, steps: [{start: main}, {look: main}]}", FakeRuntime())
        let seen = try #require(running.container(named: "main")?.state)
        #expect(seen.processes?.contains { $0.pid == Int(getpid()) && $0.parent == 0 } == true)
        #expect(seen.ports != nil && seen.files.isEmpty)
    }

    @Test("a port that nobody listens on is waited for in vain")
    func port() async throws {
        let transcript = try await run(
            "{containers: {main: {args: [x]}}, steps: [{start: main}, {wait: main, port: 1, within: 0.1}]}",
            FakeRuntime())
        #expect(transcript.incident?.hasPrefix("nothing in main listened on port 1 within ") == true)
        let ended = try await run(
            "{containers: {main: {args: [end]}}, steps: [{start: main}, {wait: main, port: 1}]}",
            FakeRuntime())
        #expect(ended.incident == nil)
    }

    @Test("a terminal has a TERM, and the command shows what a container has of its own")
    func terminal() async throws {
        let runtime = FakeRuntime()
        _ = try await run(
            "{containers: {main: {args: [end], tty: true, tmpfs: /run, memory: 64m, processes: 9}}}", runtime)
        let spec = try #require(runtime.specs.withLock { $0.first })
        #expect(spec.environment.contains { $0.name == "TERM" && $0.value == "xterm" })
        #expect(
            spec.command
                == "docker run --rm --tmpfs /run --tty --memory 67108864 --pids-limit 9 IMAGE end")
        #expect(!spec.keepsFiles)
    }

    @Test("a step that takes too long ends the scenario, and says so")
    func incident() async throws {
        let runtime = FakeRuntime()
        let transcript = try await run(
            "{within: 0.2, containers: {main: {args: [x]}}}", runtime)
        #expect(transcript.incident?.hasPrefix("main did not end within ") == true)
        #expect(transcript.containers.map(\.exitCode) == [nil])
        #expect(runtime.removed.load(ordering: .relaxed) == 1)
    }

    @Test("a container's end is seen when it comes, also while another one is waited for")
    func ends() async throws {
        let transcript = try await run(
            "{within: 0.3, containers: {late: {args: [x]}, early: {args: [end]}}}", FakeRuntime())
        #expect(
            transcript.events.map(\.text).prefix(3) == ["start late", "start early", "early ends with 3"])
        let early = try #require(transcript.container(named: "early"))
        #expect(early.exitCode == 3)
        #expect(early.duration < transcript.duration)
    }

    @Test("a service that is not open is opened by a step")
    func opening() async throws {
        let transcript = try await run(
            """
            {services: {db: {kind: listener, opens: false}}, containers: {main: {args: [end]}}, \
            steps: [{start: main}, {wait: main}, {open: db}]}
            """, FakeRuntime())
        #expect(transcript.events.map(\.text) == ["start main", "main ends with 3", "db opens"])
    }

    @Test("connections of a service are waited for, as long as something runs that could make one")
    func connections() async throws {
        func scenario(_ arguments: String, _ count: Int, within: Double = 60) -> String {
            """
            {services: {db: {kind: listener}}, containers: {main: {args: [\(arguments)]}}, \
            steps: [{start: main}, {wait: db, connections: \(count), within: \(within)}]}
            """
        }
        let reached = try await run(scenario(#"connect, "${db.port}""#, 1), FakeRuntime())
        #expect(reached.incident == nil)
        #expect(reached.events.map(\.text).contains("db sees connection 1"))
        let once = try await run(scenario(#"connect, "${db.port}""#, 2, within: 0.3), FakeRuntime())
        #expect(once.incident?.hasPrefix("db did not see connection 2 within ") == true)
        let ended = try await run(scenario("end", 1), FakeRuntime())
        #expect(ended.incident == nil && ended.events.map(\.text).contains("main ends with 3"))
    }

    @Test(
        "services have an address and files that containers get; what was seen of them is in the transcript")
    func services() async throws {
        let runtime = FakeRuntime()
        let transcript = try await run(
            """
            {services: {db: {kind: listener}, closed: {kind: listener, opens: false}}, containers: {main: \
            {args: [end], environment: {URL: "x://user:word@${db.host}:${db.port}/x"}}}}
            """, runtime)
        let spec = try #require(runtime.specs.withLock { $0.first })
        let port = try #require(transcript.service(named: "db")?.port)
        #expect(spec.environment.first { $0.name == "URL" }?.value == "x://user:word@127.0.0.1:\(port)/x")
        #expect(spec.command.contains("URL=x://user:***@127.0.0.1:\(port)/x"))
        #expect(spec.sharesNetwork)
        #expect(transcript.services.map(\.kind) == ["listener", "listener"])
        #expect(transcript.services.map { $0.opened == nil } == [false, true])
        #expect(transcript.events.map(\.text) == ["db opens", "start main", "main ends with 3"])
    }

    @Test("a suite that names no service's file, or asks for too much, is wrong")
    func wrongServices() async {
        for scenario in [
            "{services: {k: {kind: listener}}, containers: {main: {files: [{path: /a, from: k.keytab}]}}}",
            "{services: {k: {kind: kdc}}, containers: {main: {files: [{path: /a, from: k.keytap}]}}}",
            "{services: {k: {kind: kdc}}, containers: {main: {files: [{path: /a}]}}}",
            "{services: {k: {kind: listener, drops: -1}}, containers: {main: {args: [end]}}}",
            "{services: {k: {kind: listener, resets: 1001}}, containers: {main: {args: [end]}}}",
            "{services: {k: {kind: listener}}, containers: {main: {args: [end]}}, steps: [{open: k}]}",
            "{services: {k: {kind: listener}}, containers: {main: {args: [\"${k.password}\"]}}}",
        ] {
            await #expect(throws: SuiteError.self, "\(scenario)") { try await run(scenario, FakeRuntime()) }
        }
    }

    @Test("a broken runtime is thrown, not observed")
    func broken() async throws {
        let error = await #expect(throws: ProbeError.self) {
            try await run("{containers: {main: {args: [end]}}}", FakeRuntime(breaks: true))
        }
        #expect(error?.kind == .runtime)
    }

    @Test("a container that cannot be removed is a broken runtime; the others are removed")
    func removal() async throws {
        let runtime = FakeRuntime(cannotRemove: true)
        let error = await #expect(throws: ProbeError.self) {
            try await run("{containers: {main: {args: [end]}, other: {args: [end]}}}", runtime)
        }
        #expect(error?.kind == .runtime)
        #expect(runtime.removed.load(ordering: .relaxed) == 2)
    }

    @Test("volumes that are filled beyond the limit end the scenario, and nothing is known by it")
    func filledVolume() async throws {
        let scenario = "{within: 30, containers: {main: {args: [x], volumes: {data: /data}}}}"
        let runtime = FakeRuntime(bytes: 2 << 20)
        let error = await #expect(throws: ProbeError.self) { try await run(scenario, runtime) }
        #expect(error?.kind == .runtime)
        #expect(error?.message == "more than 1048576 bytes were written into volumes")
        #expect(runtime.removed.load(ordering: .relaxed) == 1)
    }

    @Test("a user that the image does not know is an error of the scenario")
    func user() async throws {
        let error = await #expect(throws: ProbeError.self) {
            try await run("{containers: {main: {args: [end], user: nobody}}}", FakeRuntime())
        }
        #expect(error?.kind == .scenario)
    }
}
