import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// `path: /opt/airflow`
struct PathExpectation: Expectation {
    static let kind = ExpectationKind(
        "path", summary: "a file, directory or link exists, and is as described; or is absent",
        keys: PathAttributes.keys + [
            .init("content", "the text of a file; one line end at its end is left out"),
            .init("absent", "true: nothing has this name", .flag),
            .init(
                "follow", "false: a symbolic link itself is meant, not what it leads to (default true)", .flag
            ),
        ],
        passing: "path: /etc/passwd\ntype: file\nowner: root",
        failing: "path: /etc/passwd\nmode: \"0777\"")

    private let path: Template
    private let attributes: PathAttributes
    private let content: Matcher?
    private let isAbsent: Bool
    private let follows: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let path = fields.requiredTemplate("path", &reading) else { return nil }
        if !path.source.hasPrefix("/"), !path.source.hasPrefix("${") {
            reading.report(fields.node["path"]?.position, "\(path.source) is not an absolute path")
        }
        self.path = path
        attributes = PathAttributes(fields, &reading)
        content = fields.matcher("content", &reading)
        isAbsent = fields.flag("absent", &reading) ?? false
        follows = fields.flag("follow", &reading) ?? true
        if isAbsent, !attributes.isEmptySet || content != nil {
            reading.report(fields.node.position, "what is absent has no attributes")
        }
    }

    var contentPaths: [Template] { content == nil ? [] : [path] }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let path = ImagePath(try context.resolve(path))
        let subject = Subject(.path, path.description)
        let rootfs = context.facts.rootfs
        var result = Evaluation()
        if isAbsent {
            let node = try context.node(at: path, follows: false)
            let status = node.map { rootfs.status(of: $0) }
            let provenance = status.map { context.provenance(ofLayer: $0.layer) }
            result.record(
                node == nil,
                Finding(
                    subject: subject, expected: "absent",
                    observed: status.map { "a \($0.kind.rawValue) of mode \($0.octalPermissions)" }
                        ?? "absent",
                    provenance: provenance ?? context.provenance(ofMissing: path)))
            return result
        }
        guard let node = try context.node(at: path, follows: follows) else {
            let link = try context.node(at: path, follows: false)
            let target = link.flatMap { rootfs.linkTarget(of: $0) }
            result.failures.append(
                Finding(
                    subject: subject, expected: "exists",
                    observed: target.map { "a symbolic link that leads nowhere, to \(escaped($0))" }
                        ?? "does not exist",
                    provenance: link.map { context.provenance(ofLayer: rootfs.status(of: $0).layer) }
                        ?? context.provenance(ofMissing: path)))
            return result
        }
        let status = rootfs.status(of: node)
        result.add(try attributes.evaluate(node, subject: subject, context))
        if let content {
            guard
                let bytes = rootfs.contents(of: node) ?? (status.kind == .file && status.size == 0 ? [] : nil)
            else { throw Unresolved("the content of \(path) was not kept while reading the layers") }
            let text = withoutLineEnd(String(decoding: bytes, as: UTF8.self))
            try result.compare(
                content, "content", .text(text), subject: subject,
                provenance: context.provenance(ofLayer: status.layer), in: context.scope)
        }
        if result.failures.isEmpty, result.proofs.isEmpty {
            result.proofs.append(
                Finding(
                    subject: subject, expected: "exists",
                    observed: "a \(status.kind.rawValue) of mode \(status.octalPermissions)",
                    provenance: context.provenance(ofLayer: status.layer)))
        }
        return result
    }
}

extension PathExpectation {
    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let path = ImagePath(try context.resolve(path))
        let rootfs = context.facts.rootfs
        if isAbsent {
            return [Violation("write \(path)", context.adding(context.newEntry(at: path)))]
        }
        guard let node = try context.node(at: path, follows: follows) else { return [] }
        var violations = try attributes.violations(of: node, context)
        if let content = try content?.resolved(in: context.scope), let bytes = rootfs.contents(of: node) {
            let present = Observed.text(String(decoding: bytes, as: UTF8.self))
            let status = rootfs.status(of: node)
            for case .text(let text) in content.rejected(near: present).prefix(2) {
                let entry = Violation.Entry(
                    rootfs.path(of: node), permissions: status.permissions, uid: status.uid,
                    gid: status.gid, content: Array(text.utf8))
                violations.append(Violation("write another text into \(path)", [.write(entry)]))
            }
        }
        return violations + [Violation("remove \(path)", [.remove(path)])]
    }
}

extension EvaluationContext {
    /// The entry at a path; nil when there is none, also below something that is not a directory.
    func node(at path: ImagePath, follows: Bool) throws(Unresolved) -> Node? {
        do {
            return try facts.rootfs.node(at: path, followingFinalLink: follows)
        } catch {
            switch error {
            case .notADirectory: return nil
            case .tooManyLinks: throw Unresolved("\(path) leads through too many symbolic links")
            }
        }
    }

    /// The name of a user in the image's passwd, when the matcher speaks of names and not of numbers.
    func name(ofUser uid: Int64, neededBy matcher: Matcher) throws(Unresolved) -> String? {
        if try isNumeric(matcher) { return nil }
        return try require(facts.users).users.first { $0.uid == uid }?.name
    }

    func name(ofGroup gid: Int64, neededBy matcher: Matcher) throws(Unresolved) -> String? {
        if try isNumeric(matcher) { return nil }
        return try require(facts.users).groups.first { $0.gid == gid }?.name
    }

    /// Who a container that runs as this user is: a name, or numbers that need no entry.
    func credentials(of user: String) throws(Unresolved) -> Credentials {
        let users = try require(facts.users)
        do throws(FactError) {
            return try users.resolve(user).credentials
        } catch {
            throw Unresolved(error.message)
        }
    }

    private func isNumeric(_ matcher: Matcher) throws(Unresolved) -> Bool {
        let texts = try matcher.resolved(in: scope).texts
        return !texts.isEmpty && texts.allSatisfy { Int64($0) != nil }
    }
}
