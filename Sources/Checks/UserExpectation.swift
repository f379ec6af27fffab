import Facts
import OCIModel
import Suite
import Verdict

/// `user: airflow`
struct UserExpectation: Expectation {
    static let kind = ExpectationKind(
        "user", summary: "a user in /etc/passwd exists, and is as described; or is absent",
        keys: [
            .init("uid", "the number"), .init("gid", "the number of the primary group"),
            .init("home", "the home directory"), .init("shell", "the login shell"),
            .init("groups", "names of the supplementary groups, as a list"),
            .init("absent", "true: no user has this name", .flag),
        ],
        passing: "user: root\nuid: 0", failing: "user: root\nuid: 1")

    private let name: Template
    private let uid: Matcher?
    private let gid: Matcher?
    private let home: Matcher?
    private let shell: Matcher?
    private let groups: Matcher?
    private let isAbsent: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("user", &reading) else { return nil }
        self.name = name
        uid = fields.matcher("uid", &reading)
        gid = fields.matcher("gid", &reading)
        home = fields.matcher("home", &reading)
        shell = fields.matcher("shell", &reading)
        groups = fields.matcher("groups", &reading)
        isAbsent = fields.flag("absent", &reading) ?? false
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let database = try context.require(context.facts.users)
        let subject = Subject(.user, escaped(name))
        let user = database.user(named: name)
        let provenance =
            user.flatMap { context.provenance(ofKnownLayer: $0.layer) }
            ?? context.provenance(ofFile: "/etc/passwd")
        var result = Evaluation()
        result.record(
            (user == nil) == isAbsent,
            Finding(
                subject: subject, expected: isAbsent ? "absent" : "exists",
                observed: user.map { "UID \($0.uid), line \($0.line) of /etc/passwd" } ?? "absent",
                provenance: provenance))
        guard let user, !isAbsent else { return result }
        let supplementary = database.groups(of: user).supplementary.map(\.name)
        let values: [(Matcher?, String, Observed)] = [
            (uid, "UID", .text("\(user.uid)")), (gid, "primary GID", .text("\(user.gid)")),
            (home, "home", .text(user.home)), (shell, "shell", .text(user.shell)),
            (groups, "supplementary groups", .list(supplementary)),
        ]
        for (matcher, name, value) in values {
            try result.compare(
                matcher, name, value, subject: subject, provenance: provenance, in: context.scope)
        }
        return result
    }
}
