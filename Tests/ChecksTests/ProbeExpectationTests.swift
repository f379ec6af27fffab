import Checks
import Suite
import Testing
import Verdict

@Suite("Expectations on what a scenario ran")
struct ProbeExpectationTests {
    /// One check of one expectation on a scenario of one container.
    private func evaluate(_ yaml: String, _ outcome: ScenarioOutcome?) throws -> CheckResult {
        let indented = yaml.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n")
        let suite = try compile(
            suite: """
                scenarios:
                  one:
                    services: {db: {kind: listener, opensAfter: 1}}
                    containers: {main: {args: [sh]}}
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
        opened: Double? = 1, incident: String? = nil
    ) -> ScenarioOutcome {
        .observed(
            ProbeTranscript(
                scenario: "one", runtime: "oci",
                containers: [
                    ContainerTranscript(
                        name: "main", command: "docker run IMAGE sh", exitCode: code,
                        standardOutput: .init(text: output, byteCount: 6, isTruncated: isTruncated),
                        duration: 2.5)
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
        #expect(try evaluate(kind.passing, transcript()).outcome == .pass, "\(kind.passing)")
        let failing = try evaluate(kind.failing, transcript())
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
