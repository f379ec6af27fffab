import Facts
import OCIModel
import Suite
import Verdict

/// `python: apache-airflow`
struct PythonExpectation: Expectation {
    static let kind = ExpectationKind(
        "python", summary: "the line of Python, X.Y, whose library holds a distribution",
        keys: ExpectationKind.matcherKeys,
        passing: "python: pip\nversion: \">=3.6\"", failing: "python: pip\nversion: \"..2.7\"")

    private let name: Template
    private let matcher: Matcher

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("python", &reading) else { return nil }
        self.name = name
        matcher = Matcher.inline(in: fields, &reading) ?? .absent(false)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let environment = try context.require(context.facts.python)
        let subject = Subject(.distribution, escaped(name))
        let distributions = environment.distributions(named: name)
        var result = Evaluation()
        if distributions.isEmpty {
            let source = Distributions(environment: environment, context: context)
            if let doubt = source.doubt(about: Glob(name)) { throw Unresolved(doubt) }
            result.failures.append(
                Finding(
                    subject: subject, expected: "present", observed: "absent",
                    provenance: source.provenance(ofMissing: name)))
        }
        for distribution in distributions {
            try result.compare(
                matcher, "in the library of Python", distribution.pythonVersion.map { .text($0) } ?? .none,
                subject: subject, provenance: context.provenance(ofLayer: distribution.layer),
                in: context.scope)
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let name = try context.resolve(name)
        let matcher = try matcher.resolved(in: context.scope)
        let source = Distributions(environment: try context.require(context.facts.python), context: context)
        let things = source.find(Glob(PythonEnvironment.normalize(name)))
        var violations: [Violation] = []
        for line in ["3.99", "2.0"] where !matcher.accepts(.text(line)) {
            let moved = things.map { thing in
                var thing = thing
                let site = thing.text("location").map { ImagePath($0) } ?? .root
                thing.values["location"] = .text("\(site.parent.parent)/python\(line)/site-packages")
                return thing
            }
            violations.append(
                Violation(
                    "move the distribution \(escaped(name)) to Python \(line)",
                    source.changes(removing: things, adding: moved)))
        }
        return violations + [
            Violation(
                "remove the distribution \(escaped(name))", source.changes(removing: things, adding: []))
        ]
    }
}
