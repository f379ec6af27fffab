import OCIModel
import Suite
import Verdict

/// `connections: db`
struct ConnectionsExpectation: Expectation {
    static let kind = ExpectationKind(
        "connections",
        summary: "how many connections a service of the scenario accepted; without a window, at least one",
        keys: NumberWindow.keys("connections"),
        passing: "connections: db\natLeast: 2\natMost: 3", failing: "connections: db\natMost: 1",
        isProbe: true)

    private let name: String
    private let window: NumberWindow

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.serviceName("connections", &reading) else { return nil }
        self.name = name
        window = NumberWindow(fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        guard let transcript = context.transcript else { throw Unresolved("no scenario was run") }
        guard let service = transcript.service(named: name) else {
            throw Unresolved("\(name) was not started")
        }
        guard service.opened != nil else {
            throw Unresolved("\(name) was never open: nobody can count what was refused")
        }
        var result = Evaluation()
        let count = service.connections
        let holds = window.isEmpty ? count > 0 : window.contains(Double(count)) == true
        result.record(
            holds,
            Finding(
                subject: Subject(.probe, name),
                expected: "connections "
                    + (window.isEmpty ? "at least 1" : window.description(unit: "")),
                observed: "connections \(count)"))
        for container in transcript.containers { result.describeRun(of: container) }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}

extension Fields {
    /// The name of a service of the scenario that the check looks at.
    func serviceName(_ key: String, _ reading: inout SuiteReading) -> String? {
        guard let name = requiredText(key, &reading) else { return nil }
        if reading.observableNames.isEmpty {
            reading.report(node.position, "\(key) looks at a scenario: the check needs the key run")
        } else if !reading.serviceNames.contains(name) {
            reading.report(
                node[key]?.position, "\(name) is no service of the scenario",
                suggestion: nearest(to: name, among: reading.serviceNames))
        }
        return name
    }
}
