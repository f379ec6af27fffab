import Facts
import OCIModel
import Suite
import Verdict

/// `packages: {none: [gcc]}`
struct PackagesExpectation: Expectation {
    static let kind = ExpectationKind(
        "packages",
        summary:
            "Debian packages are installed, or none of them has files in the image; names or globs, exact",
        keys: [.init("version", "the version; ranges look at the upstream numbers only")],
        passing: "packages: {every: [dpkg]}", failing: "packages: {none: [dpkg]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("packages", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["version"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let packages = Packages(database: try context.require(context.facts.packages), context: context)
        return try quantified.evaluate(packages, attributes: attributes, context)
    }

    private struct Packages: NamedThings {
        let database: PackageDatabase
        let context: EvaluationContext

        var kind: Subject.Kind { .package }

        func find(_ glob: Glob) -> [NamedThing] {
            let candidates =
                glob.isLiteral
                ? database.packages(named: glob.pattern) : database.packages.filter { glob.matches($0.name) }
            return candidates.filter(\.hasFiles).map { package in
                NamedThing(
                    shown: escaped("\(package.name) \(package.version) (\(package.status))"),
                    values: ["name": .text(package.name), "version": .text(package.version)],
                    provenance: context.provenance(ofKnownLayer: database.layer(thatInstalled: package.name)),
                    isUsable: package.isInstalled)
            }
        }

        func provenance(ofMissing name: String) -> Provenance? {
            context.provenance(ofKnownLayer: database.layer(thatRemoved: name))
        }

        func doubt(about glob: Glob) -> String? {
            guard let first = database.malformedStanzas.entries.first else { return nil }
            return "\(database.malformedStanzas.count) records of dpkg do not parse, the first: \(first)"
        }
    }
}

/// `distributions: {every: [apache-airflow]}`
struct DistributionsExpectation: Expectation {
    static let kind = ExpectationKind(
        "distributions",
        summary: "Python distributions are installed, or none of them is; names (in any spelling) or globs",
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
}
