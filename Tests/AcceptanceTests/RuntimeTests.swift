import AssayTestSupport
import Foundation
import Glibc
import Testing
import Verdict

/// Scenarios by every runtime: the same verdicts, bounded, and nothing left of them.
@Suite(.serialized) struct RuntimeTests {
    let image: ProgramImage

    init() throws { image = try ProgramImage() }

    // MARK: Verdicts do not depend on the runtime

    /// What a container sees and does, and how it can end.
    private func parity() throws -> String {
        try image.write(
            suite: #"""
                scenarios:
                  self:
                    containers:
                      main:
                        args: ['id; pwd; hostname; echo $GREETING $MINE $HOME; stat -c %a:%u:%g /etc/added; cat /etc/added; umask; touch /work/x']
                        user: "12345:0"
                        environment: {MINE: "a b"}
                        files: [{path: /etc/added, content: "text", mode: "0640"}]
                  named: {containers: {main: {args: ['id; echo $HOME'], user: app}}}
                  absent: {containers: {main: {entrypoint: [nope]}}}
                  data: {containers: {main: {entrypoint: [/etc/script]}}}
                  own125: {containers: {main: {args: ['exit 125']}}}
                  own126: {containers: {main: {args: ['exit 126']}}}
                  own127: {containers: {main: {args: ['echo gone >&2; exit 127']}}}
                  killed:
                    containers: {main: {args: ['echo ready; sleep 60']}}
                    steps:
                      - {start: main}
                      - {wait: main, stdout: {contains: ready}, within: 120}
                      - {signal: main, name: KILL}
                      - {wait: main, within: 120}
                  stdin: {containers: {main: {entrypoint: [cat], stdin: "from outside"}}}
                  network: {containers: {main: {args: ['ls /sys/class/net; grep -c : /proc/net/dev']}}}
                  steps:
                    containers:
                      main: {args: ['trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.1; done'], volumes: {data: /data}}
                      other: {args: ['cat /data/note'], user: "900:900", volumes: {data: /data}}
                    steps:
                      - {start: main}
                      - {wait: main, stdout: {contains: ready}, within: 120}
                      - {exec: main, as: note, args: [sh, -c, 'id -u; echo $GREETING > /data/note; exit 4'], user: "77:88"}
                      - {start: other}
                      - {wait: other, within: 120}
                      - {signal: main, name: TERM}
                      - {wait: main, within: 120}
                  terminal: {containers: {main: {args: ['tty; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo all >&2; exit 4'], tty: true}}}
                  untyped: {containers: {main: {args: ['read -t 1 word; exit $?'], tty: true}}}
                  temporary:
                    containers: {main: {args: ['cd /cache; ls -A; stat -c %a .; touch x && echo written'], user: "5:5", tmpfs: [/cache, /work]}}
                  crowded: {containers: {main: {args: ['for one in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait; echo all'], processes: 8, user: "9:9"}}}
                  ended:
                    containers:
                      main:
                        args: ['umask 0027; echo hello >/work/note; mkfifo /work/fifo; stat -c %a /work/note; cp /etc/passwd /data/x; ln -s /data/x /work/link; exit 3']
                        user: "0:77"
                        volumes: {data: /data}
                        files: [{path: /etc/added, content: text, mode: "0640"}]
                    steps:
                      - {start: main}
                      - {wait: main, within: 120}
                      - {look: main, files: [/work, /work/fifo, /nope, /nowhere, /loop, /etc/passwd/x], contents: [/work/note, /work/link, /etc/added, /escape/passwd, /bin/busybox]}
                  running:
                    containers:
                      main: {args: ['setsid sleep 300 & nc -l -p 8080 & echo ready; wait']}
                    steps:
                      - {start: main}
                      - {wait: main, port: 8080, within: 120}
                      - {exec: main, as: other, args: [sh, -c, 'echo beside >/tmp/beside']}
                      - {look: main, contents: [/tmp/beside]}
                  without-shell:
                    containers: {main: {entrypoint: [/bin/busybox, sleep, "300"]}}
                    steps: [{start: main}, {look: main}]
                checks:
                  - {id: P-1, title: t, run: self, expect: {exit: main, equals: 1}}
                  - {id: P-2, title: t, run: named, expect: {exit: main}}
                  - {id: P-3, title: t, run: absent, expect: {exit: main, equals: 127}}
                  - {id: P-4, title: t, run: data, expect: {exit: main, equals: 126}}
                  - {id: P-5, title: t, run: own125, expect: {exit: main, equals: 125}}
                  - {id: P-6, title: t, run: own126, expect: {exit: main, equals: 126}}
                  - {id: P-7, title: t, run: own127, expect: [{exit: main, equals: 127}, {stderr: main, contains: gone}]}
                  - {id: P-8, title: t, run: killed, expect: {exit: main, equals: 137}}
                  - {id: P-9, title: t, run: stdin, expect: {stdout: main, equals: from outside}}
                  - {id: P-10, title: t, run: network, expect: {exit: main}}
                  - {id: P-11, title: t, run: steps, expect: [{exit: main, equals: 3}, {exit: note, equals: 4}, {stdout: other, equals: hello}]}
                  - {id: P-12, title: t, run: terminal, expect: [{exit: main, equals: 4}, {stdout: main, matches: "/dev/(pts/0|console)\r\nxterm\r\nall"}, {stderr: main, equals: ""}]}
                  - {id: P-13, title: t, run: untyped, expect: {exit: main, equals: 1}}
                  - {id: P-14, title: t, run: temporary, expect: {stdout: main, equals: "1777\nwritten"}}
                  - {id: P-15, title: t, run: crowded, expect: [{exit: main, not: 0}, {stderr: main, contains: fork}]}
                  - id: P-16
                    title: t
                    run: ended
                    expect:
                      - {exit: main, equals: 3}
                      - {file: main, path: /work/note, owner: root, group: 77, mode: "0640", content: hello}
                      - {file: main, path: /work/fifo, type: fifo}
                      - {file: main, path: /work/link, content: {contains: "app:x:500"}}
                      - {file: main, path: /etc/added, mode: "0640", content: text}
                      - {file: main, path: /escape/passwd, content: {startsWith: "root:x:0:0::/root"}}
                      - {file: main, path: /nope, absent: true}
                      - {file: main, path: /nowhere, absent: true}
                      - {file: main, path: /loop, absent: true}
                      - {file: main, path: /etc/passwd/x, absent: true}
                      - {file: main, path: /bin/busybox, mode: "0755"}
                  - id: P-17
                    title: t
                    run: running
                    expect:
                      - {process: main, pid: 1, name: sh, parent: 0, session: 1}
                      - {process: main, name: sleep, parent: 1, session: {not: 1}}
                      - {process: main, name: nc, parent: 1, session: 1}
                      - {port: main, number: 8080}
                      - {port: main, number: 80, absent: true}
                      - {file: main, path: /tmp/beside, content: beside}
                  - {id: P-18, title: t, run: without-shell, expect: {process: main, pid: 1, name: busybox}}
                """#, named: "parity")
    }

    /// Everything of a record that has to be the same.
    private func comparable(_ record: RunRecord) throws -> [String] {
        let run = try #require(record.images.first)
        let results = run.results.map { "\($0.id) \($0.outcome) \($0.reason ?? "")" }
        #expect(record.images.count == 1 && run.transcripts?.count == 18)
        let containers = (run.transcripts ?? []).flatMap { transcript in
            transcript.containers.map {
                "\(transcript.scenario) \($0.name) \($0.exitCode ?? -1) \($0.standardOutput.text)"
            }
        }
        return results + containers.sorted()
    }

    @Test func everyRuntimeGivesTheSameVerdicts() async throws {
        var expected: [String]?
        for kind in TestedRuntime.Kind.allCases {
            let runtime = try await TestedRuntime(kind, below: image.directory.path)
            let record = try await runtime.record([image.layout, "--suite", try parity()])
            #expect(
                record.images.first?.results.map(\.outcome) == Array(repeating: .pass, count: 18), "\(kind)")
            let found = try comparable(record)
            #expect(found == expected ?? found, "\(kind): \(found.difference(from: expected ?? []))")
            expected = expected ?? found
            #expect(try await runtime.leftovers(marker: "no such") == [], "\(kind)")
            try await runtime.stop()
        }
    }

    // MARK: Nothing is left

    private static let stubborn = #"trap "" TERM INT HUP; echo ready; sleep 300; exit 0"#

    /// A run in the middle: a container that ignores signals, and every server of services.
    private struct MiddleOfRun {
        let runtime: TestedRuntime
        let marker = "marker-\(UUID().uuidString)"
        /// Where the servers are: one that those who run as another account may enter, and short enough for a socket.
        let temporary =
            FileManager.default.temporaryDirectory.path
            + "/assay-servers-\(UInt32.random(in: 0...UInt32.max))"
        let report: String
        let tool: RunningTool

        init(_ kind: TestedRuntime.Kind, _ image: ProgramImage) async throws {
            runtime = try await TestedRuntime(kind, below: image.directory.path)
            try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
            chmod(temporary, 0o1777)
            report = "\(runtime.cache)/partial.json"
            let suite = try image.suite(
                marker, script: RuntimeTests.stubborn,
                "services: {a: {kind: postgresql}, b: {kind: mariadb}, c: {kind: redis}, d: {kind: kdc}}")
            tool = try runtime.start(
                runtime.check([image.layout, "--suite", suite, "--report", "json=\(report)"]),
                environment: ["TMPDIR": temporary])
            try await tool.reaches("a container") { !ProgramImage.processes(with: marker).isEmpty }
            #expect(try await leftovers().count { $0.contains("server") } >= 4)
        }

        func leftovers() async throws -> [String] {
            try await runtime.leftovers(marker: marker)
                + ProgramImage.processes(in: temporary).map { "server \($0)" }
                + FileManager.default.contentsOfDirectory(atPath: temporary).map { "directory \($0)" }
        }

        func end() async throws {
            try? FileManager.default.removeItem(atPath: temporary)
            try await runtime.stop()
        }
    }

    @Test(
        arguments: [
            (.oci, SIGINT, 130), (.oci, SIGTERM, 143), (.ordinaryUser, SIGINT, 130), (.docker, SIGINT, 130),
            (.podman, SIGTERM, 143),
        ] as [(TestedRuntime.Kind, Int32, Int32)])
    func aSignalEndsEverythingFirst(kind: TestedRuntime.Kind, number: Int32, code: Int32) async throws {
        let run = try await MiddleOfRun(kind, image)
        let start = ContinuousClock.now
        run.tool.signal(number)
        let result = try await run.tool.result(within: 300)
        #expect(ContinuousClock.now - start < promptly)
        #expect(result.code == code, "\(result)")
        let left = try await run.leftovers()
        #expect(left == [], "\(left)")
        let record = try JSONDecoder().decode(
            RunRecord.self, from: Data(contentsOf: URL(filePath: run.report)))
        #expect(!record.complete)
        #expect(record.images.isEmpty)
        try await run.end()
    }

    @Test(
        arguments: [(.oci, "doctor"), (.oci, "check"), (.docker, "doctor"), (.podman, "check")]
            as [(TestedRuntime.Kind, String)])
    func whatAKilledRunLeftIsRemoved(kind: TestedRuntime.Kind, cleaner: String) async throws {
        let run = try await MiddleOfRun(kind, image)
        run.tool.signal(SIGKILL)
        _ = try await run.tool.result(within: 300)
        // Servers hang on a pipe whose other end is gone, and so do containers that are no engine's.
        func isOver(_ left: [String]) -> Bool {
            !left.contains {
                $0.hasPrefix("server") || $0.hasPrefix("directory assay-server")
                    || kind == .oci && $0.hasPrefix("process")
            }
        }
        for _ in 0..<600 where !isOver(try await run.leftovers()) {
            try await Task.sleep(for: .milliseconds(50))
        }
        let left = try await run.leftovers()
        #expect(isOver(left), "\(left)")
        #expect(left.contains { $0.hasPrefix("directory \(run.runtime.kind)-") }, "\(left)")
        #expect(left.contains { $0.hasPrefix("ps ") } == (kind != .oci), "\(left)")
        if cleaner == "doctor" {
            let doctor = try await run.runtime.start(["doctor"]).result(within: 300)
            #expect(doctor.output.contains("/run/\(kind)-"), "\(doctor)")
            let clean = try await run.runtime.start(["doctor", "--clean"]).result(within: 300)
            #expect(
                clean.code == 0 && clean.output.hasPrefix("removed what the run \(kind)-"), "\(clean)")
        } else {
            let next = try image.suite("next", script: "exit 0")
            _ = try await run.runtime.record([image.layout, "--suite", next])
        }
        // Clients of the engine that were attached to containers see by themselves that these are gone.
        for _ in 0..<600 where !run.runtime.ownProcesses.isEmpty {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await run.leftovers() == [])
        try await run.end()
    }

    @Test func aRunThatLastsIsNotTakenForALeftover() async throws {
        let marker = "marker-\(UUID().uuidString)"
        let suite = try image.suite(marker, script: "sleep 3; exit 7", expecting: 7)
        let runtime = try await TestedRuntime(.oci, below: image.directory.path)
        let tool = try runtime.start(runtime.check([image.layout, "--suite", suite]))
        try await tool.reaches("a container") { !ProgramImage.processes(with: marker).isEmpty }
        let clean = try await runtime.start(["doctor", "--clean"]).result(within: 300)
        #expect(clean.output == "there was nothing to remove\n", "\(clean)")
        #expect(try await tool.result(within: 300).code == 0)
    }

    /// Of an image that no run has unpacked yet.
    @Test(arguments: [TestedRuntime.Kind.oci, .ordinaryUser])
    func runsThatUnpackTheSameAtOnceShareOneCopy(kind: TestedRuntime.Kind) async throws {
        let large = try ProgramImage(files: 3000)
        let runtime = try await TestedRuntime(kind, below: large.directory.path)
        let marker = "marker-\(UUID().uuidString)"
        let suite = try large.suite(marker, script: "cat /many/0 /many/2999; exit 7", expecting: 7)
        let tools = try (0..<3).map { _ in
            try runtime.start(runtime.check([large.layout, "--suite", suite, "--report", "json"]))
        }
        for tool in tools {
            let result = try await tool.result(within: 300)
            #expect(result.code == 0, "\(result)")
        }
        let folder = "\(runtime.cache)/assay/\(kind == .oci || geteuid() != 0 ? "rootfs" : "rootfs-user")"
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        #expect(try await runtime.leftovers(marker: marker) == [])
    }

    // MARK: Broken runtimes

    /// A program in the place of runc that does nothing but complain.
    private func brokenRunc() throws -> String {
        let path = try image.directory.write(Array("#!/bin/sh\necho boom >&2\nexit 1\n".utf8), to: "bin/runc")
        chmod(path, 0o755)
        return path
    }

    @Test(arguments: [TestedRuntime.Kind.oci, .podman])
    func aBrokenRuntimeIsAnErrorAndNoFail(kind: TestedRuntime.Kind) async throws {
        let runc = try brokenRunc()
        var environment: [String: String?] = [:]
        if kind == .podman {
            let settings = "[engine]\nruntime = \"runc\"\n[engine.runtimes]\nrunc = [\"\(runc)\"]\n"
            environment["CONTAINERS_CONF"] = try image.directory.write(
                Array(settings.utf8), to: "containers.conf")
        } else {
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            environment["PATH"] = "\(image.directory.path)/bin:\(path)"
        }
        let runtime = try await TestedRuntime(kind, below: image.directory.path)
        let suite = try image.suite("broken", script: "exit 0")
        let record = try await runtime.record(
            [image.layout, "--suite", suite], code: 3, environment: environment)
        let result = try #require(record.images.first?.results.first)
        #expect(result.outcome == .error)
        #expect(result.reason?.contains("boom") == true, "\(result)")
        let failing = try image.write(
            suite: """
                scenarios: {one: {containers: {main: {args: [exit 0]}}}}
                checks:
                  - {id: T-1, title: t, run: one, expect: {exit: main}}
                  - {id: T-2, title: t, expect: {path: /etc/shadow}}
                """, named: "failing")
        let both = try await runtime.record(
            [image.layout, "--suite", failing], code: 1, environment: environment)
        #expect(both.images.first?.results.map(\.outcome) == [.error, .fail])
        #expect(try await runtime.leftovers(marker: "broken") == [])
    }

    /// What it has left is removed when it is there again.
    @Test func anEngineThatGoesInTheMiddleIsAnErrorAndNoFail() async throws {
        let marker = "marker-\(UUID().uuidString)"
        let suite = try image.suite(marker, script: "echo ready; sleep 300", expecting: 1)
        let runtime = try await TestedRuntime(.docker, below: image.directory.path)
        let tool = try runtime.start(
            runtime.check([image.layout, "--suite", suite, "--report", "json"]))
        try await tool.reaches("a container") { !ProgramImage.processes(with: marker).isEmpty }
        let engine = try #require(runtime.engine)
        try await engine.kill()
        let result = try await tool.result(within: 300)
        #expect(result.code == 3, "\(result)")
        let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
        #expect(record.images.first?.results.map(\.outcome) == [.error], "\(record)")
        try await engine.restart()
        #expect(try await runtime.leftovers(marker: "none").contains { $0.hasPrefix("directory docker-") })
        let clean = try await runtime.start(["doctor", "--clean"]).result(within: 300)
        #expect(clean.output.hasPrefix("removed what the run docker-"), "\(clean)")
        #expect(try await runtime.leftovers(marker: marker) == [])
        try await runtime.stop()
    }

    @Test func withoutARuntimeProbesAreSkippedAndAnAskedOneIsAnError() async throws {
        try FileManager.default.createDirectory(
            atPath: "\(image.directory.path)/empty", withIntermediateDirectories: true)
        let environment = image.environment.merging(["PATH": "\(image.directory.path)/empty"]) { $1 }
        let suite = try image.suite("none", script: "exit 0")
        let binary = try Setting.binary.value()
        for (arguments, outcome) in [([], Outcome.skipped), (["--runtime", "docker"], .error)] {
            let result = try await run(
                binary, ["check", image.layout, "--suite", suite, "--report", "json"] + arguments,
                environment: environment)
            #expect(result.code == 3, "\(result)")
            let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
            let judged = try #require(record.images.first?.results.first)
            #expect(judged.outcome == outcome)
            #expect(judged.reason?.contains("not installed") == true, "\(judged)")
        }
        let doctor = try await run(binary, ["doctor"], environment: environment)
        #expect(doctor.code == 3 && doctor.output.contains("not installed"), "\(doctor)")
    }

    // MARK: Hostile images

    struct Attack: Sendable {
        let name: String
        let script: String
        /// nil: it has not ended when its time is over.
        var code: Int32?
        /// In its standard error.
        var complaint: String?
        /// Where nothing but a measurement bounds it, it is ended, and nothing is known of it.
        var isMeasured: @Sendable (TestedRuntime.Kind) -> Bool = { _ in false }
    }

    static let attacks = [
        // What is left for the first process needs no other one, of which there may be none.
        Attack(name: "forks", script: "f() { f | f & }; f; exec sleep 60", complaint: "fork"),
        Attack(name: "writes", script: "yes"),
        Attack(name: "ignores", script: stubborn),
        Attack(name: "closes", script: "exec <&- >&- 2>&-; while :; do sleep 1; done"),
        Attack(
            name: "fills", script: "dd if=/dev/zero of=/tmp/x bs=1M count=6000 || exit 6; sleep 60", code: 6,
            complaint: "No space left", isMeasured: { $0 == .docker || $0 == .podman }),
        Attack(
            name: "fills-volume", script: "dd if=/dev/zero of=/data/x bs=1M count=6000 || exit 6; sleep 60",
            isMeasured: { _ in true }),
        Attack(
            name: "fills-memory-files", script: "dd if=/dev/zero of=/dev/shm/x bs=1M count=4000 || exit 7",
            code: 7, complaint: "No space left"),
        // One process that wants more than all may have, for who is bounded one by one; else three that take more.
        Attack(
            name: "takes-memory",
            script: """
                dd if=/dev/zero of=/dev/null bs=4500M count=1 || exit 9
                eat() { dd if=/dev/zero of=/dev/null bs=2000M || kill $$; }
                trap "exit 9" TERM
                eat & eat & eat & wait
                """, code: 9),
        Attack(name: "daemon", script: "sleep 300 & exit 8", code: 8),
    ]

    /// Each is bounded, ended, and reported as what it proves; nothing is left of it.
    @Test(arguments: TestedRuntime.Kind.allCases) func aHostileImageIsBounded(kind: TestedRuntime.Kind)
        async throws
    {
        let marker = "marker-\(UUID().uuidString)"
        let scenarios = try RuntimeTests.attacks.map { attack in
            // What does not end by itself is seen for some seconds.
            """
              \(attack.name):
                within: \(attack.code == nil && !attack.isMeasured(kind) ? 6 : 60)
                containers:
                  main: {args: [\(try JSONText.quoted(attack.script)), \(marker)], volumes: {data: /data}}
            """
        }
        let checks = RuntimeTests.attacks.enumerated().map { number, attack in
            "  - {id: T-\(number), title: t, run: \(attack.name), expect: {exit: main, equals: \(attack.code ?? 0)}}"
        }
        let suite = try image.write(
            suite: (["scenarios:"] + scenarios + ["checks:"] + checks).joined(separator: "\n"),
            named: "hostile")
        let runtime = try await TestedRuntime(kind, below: image.directory.path)
        let record = try await runtime.record([image.layout, "--suite", suite, "--jobs", "2"], code: 1)
        let run = try #require(record.images.first)
        for (number, attack) in RuntimeTests.attacks.enumerated() {
            let result = try #require(run.results.first { $0.id == "T-\(number)" })
            let transcript = run.transcripts?.first { $0.scenario == attack.name }
            let main = transcript?.containers.first
            let description = "\(attack.name): \(result) \(main?.standardError.text.suffix(300) ?? "")"
            if attack.isMeasured(kind) {
                #expect(result.outcome == .error && transcript == nil, "\(description)")
                #expect(result.reason?.contains("1073741824 bytes") == true, "\(description)")
                continue
            }
            #expect(result.outcome == (attack.code == nil ? .fail : .pass), "\(description)")
            #expect(main?.exitCode == attack.code, "\(description)")
            #expect((transcript?.incident != nil) == (attack.code == nil), "\(description)")
            if let complaint = attack.complaint {
                #expect(main?.standardError.text.contains(complaint) == true, "\(description)")
            }
            for output in [main?.standardOutput, main?.standardError] {
                #expect((output?.text.utf8.count ?? 0) <= 256 << 10, "\(attack.name)")
            }
            if attack.name == "writes" { #expect(main?.standardOutput.isTruncated == true) }
        }
        #expect(try await runtime.leftovers(marker: marker) == [])
        try await runtime.stop()
    }

    /// What a container may do, by its own account: the same as docker gives it by default, or less.
    @Test func noMorePrivilegesThanDockerGives() async throws {
        let script = #"""
            grep -E '^(Cap...|NoNewPrivs|Seccomp):' /proc/self/status
            try() { "$@" >/dev/null 2>&1; echo "$1 $2 $3: $?"; }
            try mount -t tmpfs none /tmp
            try umount /proc
            try unshare -m true
            try unshare -U true
            try swapoff /dev/zero
            try hostname other
            try date -s 2020-01-01
            try chroot / true
            try mknod /tmp/disk b 8 0
            try head -c 1 /tmp/disk
            try head -c 1 /proc/kcore
            try head -c 1 /proc/keys
            try sh -c 'echo 1 > /proc/sys/vm/drop_caches'
            try sh -c 'echo b > /proc/sysrq-trigger'
            try touch /sys/x
            ls /dev /sys/firmware
            """#
        let docker = try await TestedRuntime(.docker, below: image.directory.path)
        let oci = try await TestedRuntime(.oci, below: image.directory.path)
        for user in ["0:0", "12345:0"] {
            let suite = try image.write(
                suite: """
                    scenarios:
                      one: {containers: {main: {args: [\(JSONText.quoted(script))], user: "\(user)"}}}
                    checks:
                      - {id: T-1, title: t, run: one, expect: {exit: main}}
                    """, named: "privileges")
            func answer(_ runtime: TestedRuntime) async throws -> String {
                let record = try await runtime.record([image.layout, "--suite", suite])
                return try #require(record.images.first?.transcripts?.first?.containers.first).standardOutput
                    .text
            }
            let own = try await answer(oci)
            #expect(own.contains("CapBnd:\t00000000a80425fb\n"), "\(own)")
            #expect(own.contains("Seccomp:\t2\n"), "\(own)")
            #expect(own == (try await answer(docker)))
        }
        try await docker.stop()
    }

    /// A text as JSON, which YAML reads too.
    private enum JSONText {
        static func quoted(_ text: String) throws -> String {
            String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        }
    }
}
