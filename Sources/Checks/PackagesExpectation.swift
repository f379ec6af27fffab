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
        value: .quantified,
        keys: [
            .init("version", "the version; ranges look at the upstream numbers only"),
            .init("status", "the words of dpkg, as install ok installed"),
        ],
        passing: "packages: {every: [dpkg]}", failing: "packages: {none: [dpkg]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("packages", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["version", "status"], fields, &reading)
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
                    values: [
                        "name": .text(package.name), "version": .text(package.version),
                        "status": .text(package.status.description),
                    ],
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
