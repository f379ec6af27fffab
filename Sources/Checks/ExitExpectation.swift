import OCIModel
import Suite
import Verdict

/// `exit: main`
struct ExitExpectation: Expectation {
    static let kind = ExpectationKind(
        "exit",
        summary: "the exit code of a container or command of the scenario: 128 and its number for a signal",
        keys: ExpectationKind.matcherKeys,
        passing: "exit: main\nequals: 0", failing: "exit: main\nequals: 1", isProbe: true)

    private let name: String
    private let matcher: Matcher

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.observedName("exit", &reading) else { return nil }
        self.name = name
        matcher = Matcher.inline(in: fields, &reading) ?? .equals(Template(literal: "0"))
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let container = try context.transcript(of: name)
        let wanted = try matcher.resolved(in: context.scope)
        let observed =
            container.exitCode.map { "\($0)" }
            ?? "none: " + (context.transcript?.incident.map { escaped($0) } ?? "it had not ended")
        // Only what asks for no exit code at all is met by none: {not: 0} speaks of one.
        let holds =
            container.exitCode.map { wanted.accepts(.text("\($0)")) }
            ?? (wanted.accepts(.none) && !wanted.accepts(.text("-1")))
        var result = Evaluation()
        result.record(
            holds,
            Finding(
                subject: Subject(.probe, name), expected: "exit code \(escaped(wanted.description))",
                observed: "exit code \(observed)"))
        result.describeRun(of: container)
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}

extension Fields {
    /// The name of a container or command of the scenario that the check looks at.
    func observedName(_ key: String, _ reading: inout SuiteReading) -> String? {
        guard let name = requiredText(key, &reading) else { return nil }
        let known = reading.observableNames
        if known.isEmpty {
            reading.report(node.position, "\(key) looks at a scenario: the check needs the key run")
        } else if !known.contains(name) {
            reading.report(
                node[key]?.position, "\(name) is no container of the scenario",
                suggestion: nearest(to: name, among: known))
        }
        return name
    }
}

extension EvaluationContext {
    /// What a container did.
    ///
    /// - Throws: `Unresolved` when it was never started.
    func transcript(of name: String) throws(Unresolved) -> ContainerTranscript {
        guard let transcript else { throw Unresolved("no scenario was run") }
        guard let container = transcript.container(named: name) else {
            throw Unresolved(
                "\(name) was not started: \(transcript.incident ?? "the scenario has no such step")")
        }
        return container
    }
}

extension Evaluation {
    /// Adds how to run it again, and the end of its output, to what failed.
    mutating func describeRun(of container: ContainerTranscript) {
        for index in failures.indices {
            failures[index].details += ["run: \(container.command)"]
            for (name, output) in [
                ("stdout", container.standardOutput), ("stderr", container.standardError),
            ] {
                let lines = output.text.split(separator: "\n").suffix(10)
                failures[index].details += lines.map { "\(name): \(shortened(escaped(String($0))))" }
            }
        }
    }
}
