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
        ]
        for (matcher, name, value) in values {
            try result.compare(
                matcher, name, value, subject: subject, provenance: provenance, in: context.scope)
        }
        try result.compare(
            groups, "supplementary groups", .list(supplementary), subject: subject,
            provenance: context.provenance(ofFile: "/etc/group"), in: context.scope)
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let name = try context.resolve(name)
        let database = try context.require(context.facts.users)
        guard let passwd = EditedFile("/etc/passwd", context) else { return [] }
        guard let user = database.user(named: name), !isAbsent else {
            var file = passwd
            file.append("\(name):x:54321:0::/nonexistent:/usr/sbin/nologin")
            return [Violation("add the user \(escaped(name))", [file.change])]
        }
        var violations: [Violation] = []
        let fields: [(Matcher?, Int, String, String, [String]?)] = [
            (uid, 2, "UID", "\(user.uid)", UserExpectation.numbers),
            (gid, 3, "primary GID", "\(user.gid)", UserExpectation.numbers),
            (home, 5, "home", user.home, nil), (shell, 6, "shell", user.shell, nil),
        ]
        for (matcher, field, what, value, domain) in fields {
            let matcher = try matcher?.resolved(in: context.scope)
            for case .text(let other) in matcher?.rejected(near: .text(value), among: domain).prefix(2) ?? []
            {
                var file = passwd
                file.setField(field, ofLine: user.line, to: other)
                violations.append(
                    Violation("give the user \(escaped(name)) the \(what) \(escaped(other))", [file.change]))
            }
        }
        if let groups = try groups?.resolved(in: context.scope), let file = EditedFile("/etc/group", context)
        {
            let present = database.groups(of: user).supplementary.map(\.name)
            for case .list(let others) in groups.rejected(near: .list(present)).prefix(2) {
                violations.append(
                    Violation(
                        "give the user \(escaped(name)) the groups \(escaped(others.joined(separator: ", ")))",
                        [UserExpectation.setGroups(others, of: user, database, file).change]))
            }
        }
        var file = passwd
        file[user.line] = nil
        return violations + [Violation("remove the user \(escaped(name))", [file.change])]
    }

    /// Numbers that few images give to a user or group, and root's.
    static let numbers = ["54321", "0", "1", "54322"]

    private static func setGroups(
        _ names: [String], of user: UserDatabase.User, _ database: UserDatabase, _ group: EditedFile
    ) -> EditedFile {
        var file = group
        for group in database.groups {
            let others = group.members.filter { $0 != user.name }
            let members = names.contains(group.name) ? others + [user.name] : others
            file.setField(3, ofLine: group.line, to: members.joined(separator: ","))
        }
        for name in names where database.group(named: name) == nil {
            file.append("\(name):x:54321:\(user.name)")
        }
        return file
    }
}
