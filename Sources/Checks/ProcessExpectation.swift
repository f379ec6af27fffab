import OCIModel
import Suite
import Verdict

/// `process: main`
struct ProcessExpectation: Expectation {
    static let kind = ExpectationKind(
        "process",
        summary: "a process of a container when a step last looked at it: one has all that is said",
        keys: [
            .init("name", "its program's name, cut to 15 bytes"), .init("pid", "its number in the container"),
            .init("parent", "the number of its parent; 0 for one outside of the container"),
            .init("group", "the number of its process group"),
            .init("session", "the number of its session; 0 for one outside of the container"),
            .init("absent", "true: none is so", .flag),
        ],
        passing: "process: main\npid: 1\nname: init", failing: "process: main\npid: 1\nname: sh",
        isProbe: true)

    private let selection: Selection

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard
            let selection = Selection(
                "process", ["name", "pid", "parent", "group", "session"], fields, &reading)
        else { return nil }
        self.selection = selection
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try selection.evaluate(context) { state in
            state.processes?.map { one in
                [
                    ("name", one.name), ("pid", "\(one.pid)"), ("parent", "\(one.parent)"),
                    ("group", "\(one.group)"), ("session", "\(one.session)"),
                ]
            }
        }
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}

/// `port: main`
struct PortExpectation: Expectation {
    static let kind = ExpectationKind(
        "port",
        summary:
            "a TCP port on which something in a container without services listened when a step last looked "
            + "at it: one is as is said",
        keys: [
            .init("number", "the number of the port"), .init("address", "the address, as 0.0.0.0 or ::"),
            .init("absent", "true: none is so", .flag),
        ],
        passing: "port: main\nnumber: 8080", failing: "port: main\nnumber: 8080\naddress: 127.0.0.1",
        isProbe: true)

    private let selection: Selection

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let selection = Selection("port", ["number", "address"], fields, &reading) else { return nil }
        self.selection = selection
        if !reading.serviceNames.isEmpty {
            reading.report(
                fields.node.position,
                "ports of a scenario with services are this machine's: nobody knows which are the container's"
            )
        }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try selection.evaluate(context) { state in
            state.ports?.map { [("number", "\($0.number)"), ("address", $0.address)] }
        }
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}

/// Of several things that were seen of a container, one that has all attributes, or none.
private struct Selection: Sendable {
    let kind: String
    let name: String
    let wanted: [(key: String, matcher: Matcher)]
    let isAbsent: Bool

    init?(_ kind: String, _ keys: [String], _ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.lookedAtName(kind, &reading) else { return nil }
        self.kind = kind
        self.name = name
        var wanted: [(key: String, matcher: Matcher)] = []
        for key in keys {
            if let matcher = fields.matcher(key, &reading) { wanted.append((key, matcher)) }
        }
        self.wanted = wanted
        isAbsent = fields.flag("absent", &reading) ?? false
        if wanted.isEmpty {
            reading.report(fields.node.position, "\(kind) needs one of \(keys.joined(separator: ", "))")
        }
    }

    /// - Parameter things: the attributes of each thing; nil when they could not be seen.
    func evaluate(
        _ context: EvaluationContext, _ things: (ContainerState) -> [[(key: String, value: String)]]?
    ) throws(Unresolved) -> Evaluation {
        let (container, state) = try context.state(of: name)
        let seen = things(state)
        if seen == nil, isAbsent { throw Unresolved("\(name) had ended when it was looked at") }
        let things = seen ?? []
        var resolved: [(key: String, matcher: Matcher)] = []
        for (key, matcher) in wanted { resolved.append((key, try matcher.resolved(in: context.scope))) }
        let found = things.filter { thing in
            resolved.allSatisfy { key, matcher in
                thing.contains { $0.key == key && matcher.accepts(.text($0.value)) }
            }
        }
        func described(_ thing: [(key: String, value: String)]) -> String {
            thing.map { "\($0.key) \(escaped($0.value))" }.joined(separator: ", ")
        }
        let description = resolved.map { "\($0.key) \(escaped($0.matcher.description))" }
        var result = Evaluation()
        result.record(
            found.isEmpty == isAbsent,
            Finding(
                subject: Subject(.probe, name),
                expected: "\(isAbsent ? "no" : "a") \(kind) with \(description.joined(separator: ", "))",
                observed: found.first.map { "\(kind) with \(described($0))" }
                    ?? (seen == nil ? "none: it had ended" : "none of \(things.count)")))
        result.describeRun(of: container)
        for index in result.failures.indices {
            result.failures[index].details += things.prefix(20).map { "\(kind): \(described($0))" }
        }
        return result
    }
}
