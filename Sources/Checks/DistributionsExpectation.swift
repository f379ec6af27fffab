import Facts
import OCIModel
import Suite
import Verdict

/// `distributions: {every: [apache-airflow]}`
struct DistributionsExpectation: Expectation {
    static let kind = ExpectationKind(
        "distributions",
        summary: "Python distributions are installed, or none of them is; names (in any spelling) or globs",
        value: .quantified,
        keys: [
            .init("version", "the version"), .init("location", "the site-packages directory that holds it"),
            .init("installer", "what installed it, as pip or uv"),
            .init("directURL", "the text of direct_url.json, which a distribution from an index has not"),
        ],
        passing: "distributions: {every: [pip]}", failing: "distributions: {none: [pip]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("distributions", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["version", "location", "installer", "directURL"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let environment = try context.require(context.facts.python)
        let distributions = Distributions(environment: environment, context: context)
        return try quantified.evaluate(distributions, attributes: attributes, context)
    }
}

struct Distributions: NamedThings {
    let environment: PythonEnvironment
    let context: EvaluationContext

    var kind: Subject.Kind { .distribution }

    func find(_ glob: Glob) -> [NamedThing] {
        let candidates =
            glob.isLiteral
            ? environment.distributions(named: glob.pattern)
            : environment.distributions.filter { glob.matches($0.normalizedName) }
        return candidates.map { distribution in
            var directURL = Observed.none
            if case .success(let text)? = distribution.directURL { directURL = .text(text) }
            return NamedThing(
                shown: escaped("\(distribution.name) \(distribution.version)")
                    + " in \(distribution.sitePackages)",
                values: [
                    "name": .text(distribution.normalizedName), "version": .text(distribution.version),
                    "location": .text(distribution.sitePackages.description),
                    "installer": distribution.installer.map { .text($0) } ?? .none, "directURL": directURL,
                ],
                provenance: context.provenance(ofLayer: distribution.layer))
        }
    }

    func provenance(ofMissing name: String) -> Provenance? {
        context.provenance(ofKnownLayer: environment.layer(thatRemoved: Glob(name)))
    }

    /// Metadata that could not be read of a distribution which its directory says may be meant.
    func doubt(about glob: Glob) -> String? {
        environment.malformed.entries.first { entry in
            entry.path.components.contains { component in
                let name = String(decoding: component, as: UTF8.self)
                guard name.hasSuffix(".dist-info") || name.hasSuffix(".egg-info") else { return false }
                let stem = PythonEnvironment.normalize(String(name.prefix { $0 != "-" }))
                let wanted = glob.isLiteral ? Glob(PythonEnvironment.normalize(glob.pattern)) : glob
                return wanted.matches(stem)
            }
        }.map { "the metadata of a distribution cannot be read: \($0)" }
    }
}
