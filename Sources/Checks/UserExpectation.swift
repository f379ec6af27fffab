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
            .init("absent", "true: no user has this name"),
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

/// `group: airflow`
struct GroupExpectation: Expectation {
    static let kind = ExpectationKind(
        "group", summary: "a group in /etc/group exists, and is as described; or is absent",
        keys: [
            .init("gid", "the number"), .init("members", "names of the members, as a list"),
            .init("absent", "true: no group has this name"),
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

/// `runsAs: {name: airflow}`
struct RunsAsExpectation: Expectation {
    static let kind = ExpectationKind(
        "runsAs",
        summary: "the image's User, resolved as a runtime does, is this user: {name, uid, gid}",
        keys: [], passing: "runsAs: {uid: 0, name: root}", failing: "runsAs: {uid: {not: 0}}")

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
}
