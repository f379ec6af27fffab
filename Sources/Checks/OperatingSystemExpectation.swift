import Facts
import OCIModel
import Suite
import Verdict

/// `os: debian`
struct OperatingSystemExpectation: Expectation {
    static let kind = ExpectationKind(
        "os", summary: "the distribution that os-release names (its ID), and its release",
        keys: [
            .init("version", "VERSION_ID, as 12"), .init("codename", "VERSION_CODENAME, as bookworm"),
        ],
        passing: "os: debian\nversion: {version: \">=10\"}", failing: "os: alpine")

    private let id: Template
    private let version: Matcher?
    private let codename: Matcher?

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let id = fields.requiredTemplate("os", &reading) else { return nil }
        self.id = id
        version = fields.matcher("version", &reading)
        codename = fields.matcher("codename", &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let release = try context.require(context.facts.osRelease)
        let subject = Subject(.path, release.path.description)
        let provenance = context.provenance(ofLayer: release.layer)
        var result = Evaluation()
        let values: [(Matcher?, String, String?)] = [
            (.equals(id), "ID", release.id), (version, "VERSION_ID", release.versionID),
            (codename, "VERSION_CODENAME", release.versionCodename),
        ]
        for (matcher, name, value) in values {
            try result.compare(
                matcher, name, value.map { .text($0) } ?? .none, subject: subject, provenance: provenance,
                in: context.scope)
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let release = try context.require(context.facts.osRelease)
        guard let original = EditedFile(release.path, context) else { return [] }
        var violations: [Violation] = []
        for (matcher, name) in [
            (codename, "VERSION_CODENAME"), (version, "VERSION_ID"), (Matcher.equals(id), "ID"),
        ] {
            let matcher = try matcher?.resolved(in: context.scope)
            let present = release[name].map { Observed.text($0) } ?? .none
            for value in matcher?.rejected(near: present).prefix(2) ?? [] {
                var file = original
                for field in release.fields where field.name == name { file[field.line] = nil }
                if case .text(let text) = value { file.append("\(name)='\(text)'") }
                violations.append(
                    Violation("make \(name) \(escaped(value.description))", [file.change]))
            }
        }
        return violations
    }
}
