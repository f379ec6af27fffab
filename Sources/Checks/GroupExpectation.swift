import Facts
import OCIModel
import Suite
import Verdict

/// `group: airflow`
struct GroupExpectation: Expectation {
    static let kind = ExpectationKind(
        "group", summary: "a group in /etc/group exists, and is as described; or is absent",
        keys: [
            .init("gid", "the number"), .init("members", "names of the members, as a list"),
            .init("absent", "true: no group has this name", .flag),
        ],
        passing: "group: root\ngid: 0", failing: "group: root\nabsent: true")

    private let name: Template
    private let gid: Matcher?
    private let members: Matcher?
    private let isAbsent: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("group", &reading) else { return nil }
        self.name = name
        gid = fields.matcher("gid", &reading)
        members = fields.matcher("members", &reading)
        isAbsent = fields.flag("absent", &reading) ?? false
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let database = try context.require(context.facts.users)
        let subject = Subject(.group, escaped(name))
        let group = database.group(named: name)
        let provenance =
            group.flatMap { context.provenance(ofKnownLayer: $0.layer) }
            ?? context.provenance(ofFile: "/etc/group")
        var result = Evaluation()
        result.record(
            (group == nil) == isAbsent,
            Finding(
                subject: subject, expected: isAbsent ? "absent" : "exists",
                observed: group.map { "GID \($0.gid), line \($0.line) of /etc/group" } ?? "absent",
                provenance: provenance))
        guard let group, !isAbsent else { return result }
        for (matcher, name, value) in [
            (gid, "GID", Observed.text("\(group.gid)")), (members, "members", .list(group.members)),
        ] {
            try result.compare(
                matcher, name, value, subject: subject, provenance: provenance, in: context.scope)
        }
        return result
    }
}
