import Checks
import Suite
import Testing
import Verdict

@Suite("Expectations on what a scenario ran")
struct ProbeExpectationTests {
    /// One check of one expectation on a scenario of one container.
    private func evaluate(
        _ yaml: String, _ outcome: ScenarioOutcome?, hasServices: Bool = true
    ) throws -> CheckResult {
        let indented = yaml.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n")
        let suite = try compile(
            suite: """
                scenarios:
                  one:
                    \(hasServices ? "services: {db: {kind: listener, opensAfter: 1}}" : "within: 60")
                    containers: {main: {args: [sh]}, other: {args: [sh]}}
                    steps:
                      - {start: main}
                      - {wait: main}
                      - {look: main, files: [/work, /nope, /work/large], contents: [/work/note, /work/fifo]}
                checks:
                  - id: A-1
                    title: t
                    run: one
                    expect:
                \(indented)
                """)
        return try #require(
            suite.judge(TestImage.debian.facts(), transcripts: outcome.map { ["one": $0] } ?? [:]).results
                .first)
    }

    private func transcript(
        exit code: Int32? = 0, output: String = "hello\n", isTruncated: Bool = false,
        opened: Double? = 1, incident: String? = nil, state: ContainerState? = Self.seen
    ) -> ScenarioOutcome {
        .observed(
            ProbeTranscript(
                scenario: "one", runtime: "oci",
                containers: [
                    ContainerTranscript(
                        name: "main", command: "docker run IMAGE sh", exitCode: code,
                        standardOutput: .init(text: output, byteCount: 6, isTruncated: isTruncated),
                        duration: 2.5, state: state)
                ],
                services: [
                    ServiceTranscript(
                        name: "db", kind: "listener", port: 1, connections: 2, opened: opened,
                        firstConnection: 1.5)
                ],
                events: [
                    .init(time: 0, text: "start main"), .init(time: 1, text: "db opens"),
                    .init(time: 2.5, text: "main ends with 0"),
                ], incident: incident))
    }

    private static let seen = ContainerState(
        files: [
            .init(path: "/work", status: .init(type: "directory", uid: 0, gid: 0, permissions: 0o2775)),
            .init(path: "/nope"),
            .init(
                path: "/work/note",
                status: .init(
                    type: "file", uid: 1000, gid: 0, permissions: 0o664,
                    content: .init(text: "hello\n", byteCount: 6))),
            .init(path: "/work/fifo", status: .init(type: "fifo", uid: 0, gid: 0, permissions: 0o600)),
        ],
        processes: [
            .init(pid: 1, parent: 0, group: 1, session: 1, name: "init"),
            .init(pid: 7, parent: 1, group: 7, session: 7, name: "sh"),
        ], ports: [.init(address: "0.0.0.0", number: 8080)])

    @Test("files are held against what was seen; what was not looked at is not known")
    func files() throws {
        func outcome(_ yaml: String) throws -> Outcome {
            try evaluate("file: main\n\(yaml)", transcript()).outcome
        }
        #expect(try outcome("path: /work\ntype: directory\nowner: root\nmode: 2775") == .pass)
        #expect(try outcome("path: /work\nmode: \"0755\"") == .fail)
        #expect(try outcome("path: /work/note\nowner: 1000\ngroup: 0\ncontent: {startsWith: hell}") == .pass)
        #expect(try outcome("path: /work/note\ncontent: other") == .fail)
        #expect(try outcome("path: /nope\nabsent: true") == .pass)
        #expect(try outcome("path: /nope") == .fail)
        #expect(try outcome("path: /work\nabsent: true") == .fail)
        #expect(try outcome("path: /work/fifo\ntype: fifo") == .pass)
        let noText = try evaluate("file: main\npath: /work/fifo\ncontent: x", transcript())
        #expect(noText.outcome == .error && noText.reason == "/work/fifo of main is a fifo: it has no text")
        let unseen = try evaluate("file: main\npath: /work/large", transcript())
        #expect(unseen.outcome == .error && unseen.reason == "/work/large of main was not looked at")
        let never = try evaluate("file: main\npath: /work", transcript(incident: "too late", state: nil))
        #expect(never.outcome == .error && never.reason == "main was not looked at: too late")
    }

    @Test("what was cut is no proof of what is not in it")
    func cutFile() throws {
        let content = ContainerTranscript.Output(text: "hell", byteCount: 9, isTruncated: true)
        let state = ContainerState(files: [
            .init(
                path: "/work/note",
                status: .init(type: "file", uid: 0, gid: 0, permissions: 0o644, content: content))
        ])
        let yaml = "file: main\npath: /work/note\ncontent: "
        #expect(try evaluate(yaml + "{contains: hell}", transcript(state: state)).outcome == .pass)
        #expect(try evaluate(yaml + "{contains: o}", transcript(state: state)).outcome == .error)
    }

    @Test("one process has all that is said, or none has")
    func processes() throws {
        func outcome(_ yaml: String, _ state: ContainerState = Self.seen) throws -> Outcome {
            try evaluate("process: main\n\(yaml)", transcript(state: state)).outcome
        }
        #expect(try outcome("name: sh\nparent: 1\nsession: {not: 1}\ngroup: 7") == .pass)
        #expect(try outcome("name: sh\npid: 1") == .fail)
        #expect(try outcome("name: bash\nabsent: true") == .pass)
        #expect(try outcome("name: sh\nabsent: true") == .fail)
        // Nothing runs in what has ended, but that says nothing of what ran before.
        #expect(try outcome("name: sh", ContainerState()) == .fail)
        #expect(try outcome("name: sh\nabsent: true", ContainerState()) == .error)
        let wrong = try evaluate("process: main\npid: 2", transcript())
        #expect(wrong.findings.first?.observed == "none of 2")
        #expect(
            wrong.findings.first?.details.last == "process: name sh, pid 7, parent 1, group 7, session 7")
        #expect(throws: SuiteError.self) { try evaluate("process: main", transcript()) }
    }

    @Test("ports are the container's only where it has no service")
    func ports() throws {
        func outcome(_ yaml: String, _ state: ContainerState = Self.seen) throws -> Outcome {
            try evaluate("port: main\n\(yaml)", transcript(state: state), hasServices: false).outcome
        }
        #expect(try outcome("number: 8080\naddress: 0.0.0.0") == .pass)
        #expect(try outcome("number: 80") == .fail)
        #expect(try outcome("number: 80\nabsent: true") == .pass)
        #expect(try outcome("number: 80\nabsent: true", ContainerState()) == .error)
        let error = #expect(throws: SuiteError.self) { try evaluate("port: main\nnumber: 1", transcript()) }
        #expect(error?.description.contains("ports of a scenario with services") == true)
    }

    @Test(
        "an expectation on what no step looks at is told with its place",
        arguments: [
            ("file: other\npath: /work", "no step looks at other: the scenario needs {look: other}"),
            ("file: main\npath: /wrok", "no step looks at /wrok of main; did you mean /work?"),
            ("file: main\npath: /work\ncontent: x", "no step reads /work of main"),
            ("file: main\npath: /nope\nabsent: true\nmode: 0644", "what is absent has no attributes"),
            ("file: main\npath: /work\nmode: 9", "9 is not a mode"),
            ("process: other\nname: x", "no step looks at other"),
            ("file: db\npath: /work", "db is no container of the scenario"),
        ])
    func lint(_ yaml: String, _ says: String) {
        let error = #expect(throws: SuiteError.self) { try evaluate(yaml, transcript()) }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test("connections are counted, unless the service was never open")
    func connections() throws {
        #expect(try evaluate("connections: db", transcript()).outcome == .pass)
        #expect(try evaluate("connections: db\natLeast: 3", transcript()).outcome == .fail)
        let closed = try evaluate("connections: db\natMost: 5", transcript(opened: nil))
        #expect(closed.outcome == .error)
        #expect(closed.reason == "db was never open: nobody can count what was refused")
        #expect(throws: SuiteError.self) { try evaluate("connections: bd", transcript()) }
        #expect(throws: SuiteError.self) {
            try evaluate("connections: db\natLeast: 3\natMost: 2", transcript())
        }
    }

    @Test("how long a container took is not known before it has ended, but that it took too long is")
    func took() throws {
        #expect(try evaluate("took: main\natLeast: 2.5", transcript()).outcome == .pass)
        #expect(try evaluate("took: main\natLeast: 3", transcript()).outcome == .fail)
        #expect(try evaluate("took: main\natLeast: 2", transcript(exit: nil)).outcome == .pass)
        #expect(try evaluate("took: main\natLeast: 3", transcript(exit: nil)).outcome == .error)
        #expect(try evaluate("took: main\natMost: 3", transcript(exit: nil)).outcome == .error)
        let late = try evaluate("took: main\natMost: 2", transcript(exit: nil))
        #expect(late.outcome == .fail)
        #expect(late.findings.first?.observed == "took 2.5 s and had not ended")
        #expect(throws: SuiteError.self) { try evaluate("took: main", transcript()) }
    }

    @Test("events come in their order; what a scenario did not come to is not known")
    func order() throws {
        #expect(try evaluate("order: [start main, main ends with 0]", transcript()).outcome == .pass)
        let late = try evaluate("order: [db opens, main ends with 0]\natMost: 1", transcript())
        #expect(late.findings.first?.observed == "so, in 1.5 s")
        #expect(late.findings.first?.details.last == "event: 2.5 s main ends with 0")
        let missing = try evaluate("order: [start main, db is reached]", transcript())
        #expect(missing.findings.first?.observed == "no db is reached after start main")
        let cut = try evaluate(
            "order: [start main, db is reached]", transcript(incident: "main did not end within 1 s"))
        #expect(cut.outcome == .error)
        let reversed = try evaluate(
            "order: [db opens, start main]", transcript(incident: "main did not end within 1 s"))
        #expect(reversed.outcome == .fail)
    }

    @Test(
        "the examples of every kind do what they are examples of",
        arguments: ExpectationKind.all.filter(\.isProbe))
    func examples(_ kind: ExpectationKind) throws {
        let hasServices = kind.name != "port"
        #expect(
            try evaluate(kind.passing, transcript(), hasServices: hasServices).outcome == .pass,
            "\(kind.passing)")
        let failing = try evaluate(kind.failing, transcript(), hasServices: hasServices)
        #expect(failing.outcome == .fail, "\(kind.failing)")
        #expect(failing.findings.first?.details.first == "run: docker run IMAGE sh")
    }

    @Test("the exit code is that of the container; one that had not ended has none")
    func exit() throws {
        #expect(try evaluate("exit: main\nequals: 143", transcript(exit: 143)).outcome == .pass)
        let running = try evaluate("exit: main", transcript(exit: nil))
        #expect(running.outcome == .fail)
        #expect(running.reason?.contains("it had not ended") == true)
        #expect(try evaluate("exit: main\nabsent: true", transcript(exit: nil)).outcome == .pass)
        #expect(try evaluate("exit: main\nnot: \"0\"", transcript(exit: nil)).outcome == .fail)
        #expect(try evaluate("exit: main\nnot: \"0\"", transcript(exit: 1)).outcome == .pass)
    }

    @Test(
        "a line end at the end is left out, also that of a terminal, and only one", arguments: ["\n", "\r\n"])
    func lineEnd(_ end: String) throws {
        #expect(
            try evaluate("stdout: main\nequals: hello", transcript(output: "hello\(end)")).outcome == .pass)
        let two = try evaluate("stdout: main\nequals: hello", transcript(output: "hello\(end)\(end)"))
        #expect(two.outcome == .fail)
    }

    @Test("output that was cut is no proof of what is not in it")
    func truncated() throws {
        #expect(try evaluate("stdout: main\ncontains: hell", transcript(isTruncated: true)).outcome == .pass)
        let undecided = try evaluate("stdout: main\ncontains: x", transcript(isTruncated: true))
        #expect(undecided.outcome == .error)
    }

    @Test("a broken runtime is an error, a missing one a skip with its reason; nothing is a pass")
    func undecided() throws {
        let broken = try evaluate("exit: main", .failed(reason: "runc broke"))
        #expect(broken.outcome == .error)
        #expect(broken.reason == "runc broke")
        let missing = try evaluate("exit: main", .skipped(reason: "no runc"))
        #expect(missing.outcome == .skipped)
        #expect(missing.reason == "no runc")
        #expect(try evaluate("exit: main", nil).outcome == .skipped)
        let notStarted = ProbeTranscript(scenario: "one", runtime: "oci", incident: "first did not end")
        let result = try evaluate("exit: main", .observed(notStarted))
        #expect(result.outcome == .error)
        #expect(result.reason == "main was not started: first did not end")
    }

    @Test("only what a check of the image looks at is run")
    func scenarios() throws {
        let suite = try compile(
            suite: """
                scenarios:
                  one: {containers: {main: {args: [sh]}}}
                  two: {containers: {main: {args: [sh]}}}
                checks:
                  - {id: A-1, title: t, run: one, expect: {exit: main}}
                  - {id: A-2, title: t, run: two, when: {os: alpine}, expect: {exit: main}}
                """)
        let facts = try TestImage.debian.facts()
        #expect(suite.scenarios(for: facts).declarations.map(\.name) == ["one"])
        #expect(suite.scenarios(for: facts, inputs: JudgeInputs(only: ["static"])).declarations.isEmpty)
        #expect(suite.scenarios(for: facts, inputs: JudgeInputs(only: ["probe"])).declarations.count == 1)
        #expect(suite.scenarios(for: facts, inputs: JudgeInputs(skip: ["A-1"])).declarations.isEmpty)
    }

    @Test("an expectation on a container needs a scenario that has it")
    func names() {
        #expect(throws: SuiteError.self) { try compile("exit: main") }
        #expect(throws: SuiteError.self) { try evaluate("exit: mian", transcript()) }
    }
}
