import OCIModel
import Suite
import Verdict

/// `took: main`
struct TookExpectation: Expectation {
    static let kind = ExpectationKind(
        "took", summary: "the seconds from the start of a container or command of the scenario to its end",
        keys: NumberWindow.keys("seconds"),
        passing: "took: main\natLeast: 2\natMost: 3", failing: "took: main\natMost: 1", isProbe: true)

    private let name: String
    private let window: NumberWindow

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.observedName("took", &reading) else { return nil }
        self.name = name
        window = NumberWindow(fields, &reading)
        if window.isEmpty { reading.report(fields.node.position, "took needs atLeast or atMost") }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let container = try context.transcript(of: name)
        let isRunning = container.exitCode == nil
        guard let holds = window.contains(container.duration, isOpen: isRunning) else {
            throw Unresolved("\(name) had not ended after \(plain(container.duration)) s")
        }
        var result = Evaluation()
        result.record(
            holds,
            Finding(
                subject: Subject(.probe, name), expected: "took \(window.description(unit: " s"))",
                observed: "took \(plain(container.duration)) s\(isRunning ? " and had not ended" : "")"))
        result.describeRun(of: container)
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}
