import Facts
import OCIModel
import Suite
import Verdict

/// `names: {any: ["apache/airflow:*"]}`
struct NamesExpectation: Expectation {
    static let kind = ExpectationKind(
        "names",
        summary:
            "names that the archive, layout or engine has for the image, in full or as globs; they prove nothing",
        value: .quantified, keys: [.init("tag", "what follows the last colon of the name")],
        passing: "names: {any: [\"example:*\"]}", failing: "names: {none: [\"example:*\"]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("names", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["tag"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try quantified.evaluate(Names(names: context.facts.names), attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        try quantified.violations(Names(names: context.facts.names), attributes: attributes, context)
    }

    private struct Names: NamedThings {
        let names: [String]

        var kind: Subject.Kind { .image }

        func find(_ glob: Glob) -> [NamedThing] {
            names.filter { glob.matches($0) }.map { name in
                let last = name.split(separator: "/").last ?? ""
                let tag = last.firstIndex(of: ":").map { String(last[last.index(after: $0)...]) }
                return NamedThing(
                    shown: escaped(name),
                    values: ["name": .text(name), "tag": tag.map { .text($0) } ?? .none])
            }
        }

        func provenance(ofMissing name: String) -> Provenance? { nil }

        func doubt(about glob: Glob) -> String? { nil }

        func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] {
            let removed = Set(old.map(\.name))
            let added = new.compactMap { thing -> String? in
                guard let tag = thing.text("tag") else { return thing.name.contains(":") ? nil : thing.name }
                let name = thing.name
                return name.prefix(upTo: name.lastIndex(of: ":") ?? name.endIndex) + ":" + tag
            }
            return [.names(names.filter { !removed.contains($0) } + added)]
        }

        func values(of attribute: String, _ name: String) -> [String]? { nil }
    }
}
