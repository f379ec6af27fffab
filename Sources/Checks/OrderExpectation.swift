import OCIModel
import Suite
import Verdict

/// `order: [db opens, main ends with 0]`
struct OrderExpectation: Expectation {
    static let kind = ExpectationKind(
        "order",
        summary: "events of the scenario that come one after another: `start NAME`, `NAME ends with CODE`, "
            + "`send SIGNAL to NAME`, `run COMMAND in NAME`, `SERVICE opens`, `SERVICE is reached`",
        value: .texts, keys: NumberWindow.keys("seconds from the first to the last"),
        passing: "order: [start main, db opens, main ends with 0]\natMost: 3",
        failing: "order: [main ends with 0, db opens]", isProbe: true)

    private let events: [Template]
    private let window: NumberWindow

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        events = fields.templates("order", &reading)
        window = NumberWindow(fields, &reading)
        if reading.observableNames.isEmpty {
            reading.report(fields.node.position, "order looks at a scenario: the check needs the key run")
        }
        if events.count < 2 { reading.report(fields.node.position, "order lists two events or more") }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        guard let transcript = context.transcript else { throw Unresolved("no scenario was run") }
        var wanted: [String] = []
        for event in events { wanted.append(try context.resolve(event)) }
        var found: [ProbeTranscript.Event] = []
        var rest = transcript.events[...]
        for text in wanted {
            guard let index = rest.firstIndex(where: { $0.text == text }) else { break }
            found.append(rest[index])
            rest = rest[(index + 1)...]
        }
        if found.count < wanted.count, !transcript.events.contains(where: { $0.text == wanted[found.count] }),
            let incident = transcript.incident
        {
            throw Unresolved(
                "the scenario ended before \(escaped(wanted[found.count])): \(escaped(incident))")
        }
        let seconds = (found.last?.time ?? 0) - (found.first?.time ?? 0)
        let isComplete = found.count == wanted.count
        var result = Evaluation()
        let limit = window.isEmpty ? "" : ", \(window.description(unit: " s"))"
        let finding = Finding(
            subject: Subject(.probe, transcript.scenario),
            expected: escaped(wanted.joined(separator: ", then ")) + limit,
            observed: isComplete
                ? "so, in \(plain(seconds)) s"
                : "no \(escaped(wanted[found.count]))"
                    + (found.last.map { " after \(escaped($0.text))" } ?? ""))
        result.record(isComplete && window.contains(seconds) == true, finding)
        for container in transcript.containers { result.describeRun(of: container) }
        for index in result.failures.indices {
            result.failures[index].details += transcript.events.prefix(40).map { event in
                "event: \(plain(event.time)) s \(escaped(event.text))"
            }
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}
