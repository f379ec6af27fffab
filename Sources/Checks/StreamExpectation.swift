import Suite
import Verdict

/// What a container or command wrote to a stream; a line end at its end is left out.
private struct StreamMatch: Sendable {
    let name: String
    let matcher: Matcher

    init?(_ stream: ScenarioStep.Stream, _ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.observedName(stream.rawValue, &reading) else { return nil }
        self.name = name
        matcher = Matcher.inline(in: fields, &reading) ?? .absent(false)
    }

    func evaluate(_ stream: ScenarioStep.Stream, _ context: EvaluationContext) throws(Unresolved)
        -> Evaluation
    {
        let container = try context.transcript(of: name)
        let output = stream == .stdout ? container.standardOutput : container.standardError
        let text = withoutLineEnd(output.text)
        var result = Evaluation()
        try result.compare(
            matcher, stream.rawValue, .text(text), subject: Subject(.probe, name), provenance: nil,
            in: context.scope)
        if !result.holds, output.isTruncated {
            throw Unresolved(
                "\(name) wrote \(output.byteCount) bytes to \(stream.rawValue), more than are kept")
        }
        result.describeRun(of: container)
        return result
    }
}

/// `stdout: main`
struct StdoutExpectation: Expectation {
    static let kind = ExpectationKind(
        "stdout", summary: "what a container or command of the scenario wrote to standard output",
        keys: ExpectationKind.matcherKeys,
        passing: "stdout: main\ncontains: hello", failing: "stdout: main\nequals: \"\"", isProbe: true)

    private let match: StreamMatch

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let match = StreamMatch(.stdout, fields, &reading) else { return nil }
        self.match = match
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try match.evaluate(.stdout, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}

/// `stderr: main`
struct StderrExpectation: Expectation {
    static let kind = ExpectationKind(
        "stderr", summary: "what a container or command of the scenario wrote to standard error",
        keys: ExpectationKind.matcherKeys,
        passing: "stderr: main\nequals: \"\"", failing: "stderr: main\ncontains: hello", isProbe: true)

    private let match: StreamMatch

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let match = StreamMatch(.stderr, fields, &reading) else { return nil }
        self.match = match
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try match.evaluate(.stderr, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}
