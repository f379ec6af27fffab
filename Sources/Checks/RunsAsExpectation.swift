import Facts
import OCIModel
import Suite
import Verdict

/// `runsAs: {name: airflow}`
struct RunsAsExpectation: Expectation {
    static let kind = ExpectationKind(
        "runsAs",
        summary: "the image's User, resolved as a runtime does, is this user: {name, uid, gid}",
        value: .mapping([
            .init("name", "the name in /etc/passwd"), .init("uid", "the number"),
            .init("gid", "the number of the group"),
        ]), keys: [], passing: "runsAs: {uid: 0, name: root}", failing: "runsAs: {uid: {not: 0}}")

    private let name: Matcher?
    private let uid: Matcher?
    private let gid: Matcher?

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let value = fields.required("runsAs", &reading),
            let inner = Fields(value, "runsAs", allowed: ["name", "uid", "gid"], reading: &reading)
        else { return nil }
        name = inner.matcher("name", &reading)
        uid = inner.matcher("uid", &reading)
        gid = inner.matcher("gid", &reading)
        if name == nil, uid == nil, gid == nil { reading.report(value.position, "runsAs expects nothing") }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let facts = context.facts
        let database = try context.require(facts.users)
        let subject = Subject(.config, "User")
        let provenance = context.provenance(ofStep: facts.history.lastStep(.user))
        var result = Evaluation()
        let user: ResolvedUser
        do {
            user = try database.resolve(facts.config.run.user)
        } catch {
            result.failures.append(
                Finding(
                    subject: subject, expected: "a user that a runtime can resolve", observed: error.message,
                    provenance: provenance))
            return result
        }
        let shown = " (User \(facts.config.run.user.map { quoted($0) } ?? "absent"))"
        let values: [(Matcher?, String, Observed)] = [
            (name, "name", user.name.map { .text($0) } ?? .none), (uid, "UID", .text("\(user.uid)")),
            (gid, "GID", .text("\(user.gid)")),
        ]
        for (matcher, name, value) in values {
            try result.compare(
                matcher, name, value, shown: value.description + shown, subject: subject,
                provenance: provenance,
                in: context.scope)
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let database = try context.require(context.facts.users)
        let candidates = ["0", "54321", "54321:54321", "root"] + database.users.prefix(20).map(\.name)
        var violations: [Violation] = []
        for candidate in candidates {
            guard let user = try? database.resolve(candidate) else { continue }
            let values: [(Matcher?, Observed)] = [
                (name, user.name.map { .text($0) } ?? .none), (uid, .text("\(user.uid)")),
                (gid, .text("\(user.gid)")),
            ]
            for (matcher, value) in values {
                guard let matcher = try matcher?.resolved(in: context.scope), !matcher.accepts(value) else {
                    continue
                }
                violations.append(
                    Violation(
                        "USER \(escaped(candidate))", [.config(key: "User", value: .string(candidate))]))
                break
            }
        }
        return Array(violations.prefix(4))
    }
}
