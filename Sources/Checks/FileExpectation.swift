import OCIModel
import Suite
import Verdict

/// `file: main`
struct FileExpectation: Expectation {
    static let kind = ExpectationKind(
        "file",
        summary:
            "a file of a container when a step last looked at it, seen through symbolic links; with nothing "
            + "but its path, that there is one",
        keys: [
            .init("path", "its path, one of those that the step has", .text),
            .init("type", "file, directory, characterDevice, blockDevice, fifo or socket"),
            .init("owner", "name, by the image's /etc/passwd, or UID of the owner"),
            .init("group", "name or GID of the group"), .init("mode", "permissions as four octal digits"),
            .init("content", "its text, where the step reads it; one line end at its end is left out"),
            .init("absent", "true: there is none", .flag),
        ],
        passing: "file: main\npath: /work/note\nmode: \"0664\"\ncontent: hello",
        failing: "file: main\npath: /work/note\nowner: root", isProbe: true)

    private let name: String
    private let path: Template
    private let type: Matcher?
    private let owner: Matcher?
    private let group: Matcher?
    private let mode: Matcher?
    private let content: Matcher?
    private let isAbsent: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.lookedAtName("file", &reading),
            let path = fields.requiredTemplate("path", &reading)
        else { return nil }
        self.name = name
        self.path = path
        type = fields.fileType(&reading)
        owner = fields.matcher("owner", &reading)
        group = fields.matcher("group", &reading)
        mode = fields.mode(&reading)
        content = fields.matcher("content", &reading)
        isAbsent = fields.flag("absent", &reading) ?? false
        if isAbsent, [type, owner, group, mode, content].contains(where: { $0 != nil }) {
            reading.report(fields.node.position, "what is absent has no attributes")
        }
        if let known = reading.lookedAt[name] {
            let names = (content == nil ? known.all : known.contents).map(\.source)
            if !names.contains(path.source) {
                reading.report(
                    fields.node["path"]?.position,
                    "no step \(content == nil ? "looks at" : "reads") \(path.source) of \(name)",
                    suggestion: nearest(to: path.source, among: names))
            }
        }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let (container, state) = try context.state(of: name)
        let path = try context.resolve(path)
        guard let file = state.files.first(where: { $0.path == path }) else {
            throw Unresolved("\(escaped(path)) of \(name) was not looked at")
        }
        let subject = Subject(.probe, "\(name) \(escaped(path))")
        var result = Evaluation()
        guard let status = file.status, !isAbsent else {
            result.record(
                (file.status == nil) == isAbsent,
                Finding(
                    subject: subject, expected: isAbsent ? "absent" : "exists",
                    observed: file.status.map { "a \($0.type) of mode \(octal($0.permissions))" } ?? "absent")
            )
            result.describeRun(of: container)
            return result
        }
        func hold(_ matcher: Matcher?, _ what: String, _ value: String) throws(Unresolved) {
            try result.compare(
                matcher, what, .text(value), subject: subject, provenance: nil, in: context.scope)
        }
        try hold(type, "type", status.type)
        if let owner {
            try hold(owner, "owner", try context.name(ofUser: status.uid, neededBy: owner) ?? "\(status.uid)")
        }
        if let group {
            try hold(
                group, "group", try context.name(ofGroup: status.gid, neededBy: group) ?? "\(status.gid)")
        }
        try hold(mode, "mode", octal(status.permissions))
        if let content {
            guard let observed = status.content else {
                throw Unresolved("\(escaped(path)) of \(name) is a \(status.type): it has no text")
            }
            let text = withoutLineEnd(observed.text)
            let held = result.failures.count
            try hold(content, "content", text)
            if result.failures.count > held, observed.isTruncated {
                throw Unresolved(
                    "\(escaped(path)) of \(name) has \(observed.byteCount) bytes, more than are kept")
            }
        }
        if result.failures.isEmpty, result.proofs.isEmpty {
            result.proofs.append(
                Finding(
                    subject: subject, expected: "exists",
                    observed: "a \(status.type) of mode \(octal(status.permissions))"))
        }
        result.describeRun(of: container)
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] { [] }
}

extension Fields {
    /// The name of a container that a step of the scenario looks at.
    func lookedAtName(_ key: String, _ reading: inout SuiteReading) -> String? {
        guard let name = observedName(key, &reading) else { return nil }
        if reading.observableNames.contains(name), reading.lookedAt[name] == nil {
            reading.report(
                node[key]?.position, "no step looks at \(name): the scenario needs {look: \(name)}")
        }
        return name
    }
}

extension EvaluationContext {
    /// What a step saw of a container.
    ///
    /// - Throws: `Unresolved` when the scenario did not come to that.
    func state(of name: String) throws(Unresolved) -> (ContainerTranscript, ContainerState) {
        let container = try transcript(of: name)
        guard let state = container.state else {
            throw Unresolved(
                "\(name) was not looked at: \(transcript?.incident.map { escaped($0) } ?? "no step came to it")"
            )
        }
        return (container, state)
    }
}
