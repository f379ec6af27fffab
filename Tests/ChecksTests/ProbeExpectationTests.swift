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
        exit code: Int32? = 0, output: String = "hello\n", isTruncated: Bool = false
    ) -> ScenarioOutcome {
        .observed(
            ProbeTranscript(
                scenario: "one", runtime: "oci",
                containers: [
                    ContainerTranscript(
                        name: "main", command: "docker run IMAGE sh", exitCode: code,
                        standardOutput: .init(text: output, byteCount: 6, isTruncated: isTruncated))
                ]))
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
