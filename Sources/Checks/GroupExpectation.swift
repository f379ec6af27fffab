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

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let name = try context.resolve(name)
        let database = try context.require(context.facts.users)
        guard let original = EditedFile("/etc/group", context) else { return [] }
        guard let group = database.group(named: name), !isAbsent else {
            var file = original
            file.append("\(name):x:54321:")
            return [Violation("add the group \(escaped(name))", [file.change])]
        }
        var violations: [Violation] = []
        func set(_ field: Int, _ what: String, _ value: String) {
            var file = original
            file.setField(field, ofLine: group.line, to: value)
            violations.append(
                Violation("give the group \(escaped(name)) the \(what) \(escaped(value))", [file.change]))
        }
        let gid = try gid?.resolved(in: context.scope)
        let numbers = gid?.rejected(near: .text("\(group.gid)"), among: UserExpectation.numbers) ?? []
        for case .text(let other) in numbers.prefix(2) { set(2, "GID", other) }
        let members = try members?.resolved(in: context.scope)
        for case .list(let others) in members?.rejected(near: .list(group.members)).prefix(2) ?? [] {
            set(3, "members", others.joined(separator: ","))
        }
        var file = original
        file[group.line] = nil
        return violations + [Violation("remove the group \(escaped(name))", [file.change])]
    }
}
