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
                      - {wait: main, stdout: {contains: ready}, within: 30}
                      - {signal: main, name: KILL}
                      - {wait: main, within: 30}
                  stdin: {containers: {main: {entrypoint: [cat], stdin: "from outside"}}}
                  network: {containers: {main: {args: ['ls /sys/class/net; grep -c : /proc/net/dev']}}}
                  steps:
                    containers:
                      main: {args: ['trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.1; done'], volumes: {data: /data}}
                      other: {args: ['cat /data/note'], user: "900:900", volumes: {data: /data}}
                    steps:
                      - {start: main}
                      - {wait: main, stdout: {contains: ready}, within: 30}
                      - {exec: main, as: note, args: [sh, -c, 'id -u; echo $GREETING > /data/note; exit 4'], user: "77:88"}
                      - {start: other}
                      - {wait: other, within: 30}
                      - {signal: main, name: TERM}
                      - {wait: main, within: 30}
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
                """#, named: "parity")
    }

    /// Everything of a record that has to be the same.
    private func comparable(_ record: RunRecord) throws -> [String] {
        let run = try #require(record.images.first)
        let results = run.results.map { "\($0.id) \($0.outcome) \($0.reason ?? "")" }
        #expect(record.images.count == 1 && run.transcripts?.count == 11)
        let containers = (run.transcripts ?? []).flatMap { transcript in
            transcript.containers.map {
                "\(transcript.scenario) \($0.name) \($0.exitCode ?? -1) \($0.standardOutput.text)"
            }
        }
        return results + containers.sorted()
    }

    private func record(_ runtime: String, environment: [String: String?] = [:]) async throws -> RunRecord {
        try await Assay.record(
            [image.layout, "--suite", try parity(), "--runtime", runtime], only: nil,
            environment: image.environment.merging(environment) { $1 })
    }

    @Test func everyRuntimeGivesTheSameVerdicts() async throws {
        let own = try await record("oci")
        #expect(own.images.first?.results.map(\.outcome) == Array(repeating: .pass, count: 11))
        let expected = try comparable(own)

        let engine = try await DockerEngine(data: "\(image.directory.path)/docker")
        let docker = ["DOCKER_HOST": engine.host, "DOCKER_CONTEXT": nil] as [String: String?]
        let byDocker = try comparable(try await record("docker", environment: docker))
        #expect(byDocker == expected, "\(byDocker.difference(from: expected))")
        for question in [
            ["ps", "--all", "--quiet"], ["images", "--all", "--quiet"], ["volume", "ls", "--quiet"],
        ] {
            #expect(try await output(of: "docker", question, environment: docker) == "", "\(question)")
        }
        try await engine.stop()

        let state = "\(FileManager.default.temporaryDirectory.path)/assay-podman-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: state) }
        let podman = try podmanEnvironment(state: state)
        let byPodman = try comparable(try await record("podman", environment: podman))
        #expect(byPodman == expected, "\(byPodman.difference(from: expected))")
        for question in [["ps", "--all", "--quiet"], ["images", "--all", "--quiet"]] {
            #expect(try await output(of: "podman", question, environment: podman) == "", "\(question)")
        }
        #expect(try image.leftovers(marker: "no such").isEmpty)
    }

    /// - Parameter state: a path of at most 50 characters: with a longer one podman's own clean-up fails.
    private func podmanEnvironment(state: String) throws -> [String: String?] {
        let settings = """
            [storage]
            driver = "overlay"
            graphroot = "\(image.directory.path)/podman/root"
            runroot = "\(state)"
            """
        let file = try image.directory.write(Array(settings.utf8), to: "storage.conf")
        return ["CONTAINERS_STORAGE_CONF": file, "CONTAINER_HOST": nil]
    }

    /// By user namespaces; where the tests are root's, as the account that scripts/install-dependencies made.
    @Test func anOrdinaryUserGetsTheSameVerdicts() async throws {
        let expected = try comparable(try await record("oci"))
        guard geteuid() == 0 else { return }
        let home = "\(image.directory.path)/home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        _ = try await output(of: "chown", ["assay-test", home])
        let binary = "\(image.directory.path)/assay"
        try FileManager.default.copyItem(atPath: try Setting.binary.value(), toPath: binary)
        let suite = try parity()
        // In a directory that the account may enter.
        let result = try await run(
            "runuser",
            [
                "-u", "assay-test", "--", "env", "-C", home, "XDG_CACHE_HOME=\(home)", binary, "check",
                image.layout, "--suite", suite, "--runtime", "oci", "--report", "json",
            ])
        try #require(result.code == 0, "\(result)")
        let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
        #expect(try comparable(record) == expected)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(home)/assay/run").isEmpty)
    }

    // MARK: Nothing is left

    private static let stubborn = #"trap "" TERM INT HUP; echo ready; sleep 300; exit 0"#

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func aSignalEndsTheContainersFirst(number: Int32, code: Int32) async throws {
        let marker = "marker-\(UUID().uuidString)"
        let suite = try image.suite(marker, script: RuntimeTests.stubborn)
        let report = "\(image.directory.path)/partial.json"
        let tool = try RunningTool(
            Setting.binary.value(),
            ["check", image.layout, "--suite", suite, "--runtime", "oci", "--report", "json=\(report)"],
            environment: image.environment)
        try await ProgramImage.awaitProcess(with: marker)
        let start = ContinuousClock.now
        tool.signal(number)
        let result = try await tool.result(within: 60)
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(result.code == code, "\(result)")
        #expect(try image.leftovers(marker: marker) == [])
        let record = try JSONDecoder().decode(
            RunRecord.self, from: Data(try image.directory.read("partial.json")))
        #expect(!record.complete)
        #expect(record.images.isEmpty)
    }

    @Test func whatAKilledRunLeftTheNextOneRemoves() async throws {
        for cleaner in ["doctor", "check"] {
            let marker = "marker-\(UUID().uuidString)"
            let suite = try image.suite(marker, script: RuntimeTests.stubborn)
            let tool = try RunningTool(
                Setting.binary.value(), ["check", image.layout, "--suite", suite, "--runtime", "oci"],
                environment: image.environment)
            try await ProgramImage.awaitProcess(with: marker)
            tool.signal(SIGKILL)
            _ = try await tool.result(within: 60)
            // The containers hang on a pipe whose other end is gone.
            for _ in 0..<100 where !ProgramImage.processes(with: marker).isEmpty {
                try await Task.sleep(for: .milliseconds(20))
            }
            let left = try image.leftovers(marker: marker)
            #expect(left.count == 1 && left.allSatisfy { $0.hasPrefix("directory oci-") }, "\(left)")
            if cleaner == "doctor" {
                let result = try await Assay.run("doctor", "--clean", environment: image.environment)
                #expect(result.code == 0 && result.output.hasPrefix("removed what the run oci-"), "\(result)")
            } else {
                let next = try image.suite("next", script: "exit 0")
                let result = try await Assay.run(
                    ["check", image.layout, "--suite", next, "--runtime", "oci"],
                    environment: image.environment)
                #expect(result.code == 0, "\(result)")
            }
            #expect(try image.leftovers(marker: marker) == [])
        }
    }

    @Test func aRunThatLastsIsNotTakenForALeftover() async throws {
        let marker = "marker-\(UUID().uuidString)"
        let suite = try image.suite(marker, script: "sleep 3; exit 7", expecting: 7)
        let tool = try RunningTool(
            Setting.binary.value(), ["check", image.layout, "--suite", suite, "--runtime", "oci"],
            environment: image.environment)
        try await ProgramImage.awaitProcess(with: marker)
        let clean = try await Assay.run("doctor", "--clean", environment: image.environment)
        #expect(clean.output == "there was nothing to remove\n", "\(clean)")
        #expect(try await tool.result(within: 60).code == 0)
    }

    // MARK: Broken runtimes

    @Test func aBrokenRuntimeIsAnErrorAndNoFail() async throws {
        try image.directory.write(Array("#!/bin/sh\necho boom >&2\nexit 1\n".utf8), to: "bin/runc")
        chmod("\(image.directory.path)/bin/runc", 0o755)
        let path = "\(image.directory.path)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        let environment = image.environment.merging(["PATH": path]) { $1 }
        let suite = try image.suite("broken", script: "exit 0")
        let record = try await Assay.record(
            [image.layout, "--suite", suite, "--runtime", "oci"], only: nil, code: 3, environment: environment
        )
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
        let both = try await Assay.record(
            [image.layout, "--suite", failing, "--runtime", "oci"], only: nil, code: 1,
            environment: environment)
        #expect(both.images.first?.results.map(\.outcome) == [.error, .fail])
        #expect(try image.leftovers(marker: "broken") == [])
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

    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        /// nil: it has not ended when its time is over.
        let code: Int32?
        /// In its standard error.
        var complaint: String?
    }

    static let attacks = [
        Attack(
            testDescription: "forks without end", script: "f() { f | f & }; f; sleep 1; exit 5", code: nil,
            complaint: "fork"),
        Attack(testDescription: "writes without end", script: "yes", code: nil),
        Attack(testDescription: "ignores signals", script: stubborn, code: nil),
        Attack(
            testDescription: "fills the disk", script: "dd if=/dev/zero of=/tmp/x bs=1M count=4000 || exit 6",
            code: 6,
            complaint: "No space left"),
        Attack(
            testDescription: "takes memory",
            script: "dd if=/dev/zero of=/dev/shm/x bs=1M count=4000 || exit 7",
            code: 7, complaint: "No space left"),
        Attack(
            testDescription: "closes its pipes", script: "exec <&- >&- 2>&-; while :; do sleep 1; done",
            code: nil),
        Attack(testDescription: "leaves a daemon", script: "sleep 300 & exit 8", code: 8),
    ]

    @Test(arguments: attacks) func aHostileImageIsBounded(attack: Attack) async throws {
        let marker = "marker-\(UUID().uuidString)"
        let suite = try image.suite(
            marker, script: attack.script, "within: 8", expecting: Int(attack.code ?? 0))
        let start = ContinuousClock.now
        let record = try await Assay.record(
            [image.layout, "--suite", suite, "--runtime", "oci"], only: nil, code: attack.code == nil ? 1 : 0,
            environment: image.environment)
        #expect(ContinuousClock.now - start < .seconds(25))
        let transcript = try #require(record.images.first?.transcripts?.first)
        let main = try #require(transcript.containers.first)
        if attack.testDescription != "forks without end" { #expect(main.exitCode == attack.code) }
        if let complaint = attack.complaint {
            #expect(main.standardError.text.contains(complaint), "\(main.standardError.text.suffix(200))")
        }
        #expect(main.standardOutput.text.utf8.count <= 256 << 10)
        #expect(try image.leftovers(marker: marker) == [])
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
        let engine = try await DockerEngine(data: "\(image.directory.path)/docker")
        let docker = ["DOCKER_HOST": engine.host, "DOCKER_CONTEXT": nil] as [String: String?]
        for user in ["0:0", "12345:0"] {
            let suite = try image.write(
                suite: """
                    scenarios:
                      one: {containers: {main: {args: [\(JSONText.quoted(script))], user: "\(user)"}}}
                    checks:
                      - {id: T-1, title: t, run: one, expect: {exit: main}}
                    """, named: "privileges")
            func answer(_ runtime: String) async throws -> String {
                let record = try await Assay.record(
                    [image.layout, "--suite", suite, "--runtime", runtime], only: nil,
                    environment: image.environment.merging(docker) { $1 })
                return try #require(record.images.first?.transcripts?.first?.containers.first).standardOutput
                    .text
            }
            let own = try await answer("oci")
            #expect(own.contains("CapBnd:\t00000000a80425fb\n"), "\(own)")
            #expect(own.contains("Seccomp:\t2\n"), "\(own)")
            #expect(own == (try await answer("docker")))
        }
        try await engine.stop()
    }

    /// A text as JSON, which YAML reads too.
    private enum JSONText {
        static func quoted(_ text: String) throws -> String {
            String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        }
    }
}
