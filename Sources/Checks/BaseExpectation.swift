import OCIModel
import Suite
import Verdict

/// `base: true`
struct BaseExpectation: Expectation {
    static let kind = ExpectationKind(
        "base",
        summary: "true: the image begins with the layers of the one given with --base, and has more",
        value: .flag, keys: [], passing: "base: true", failing: "base: false")

    private let isWanted: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard fields.required("base", &reading) != nil, let wanted = fields.flag("base", &reading) else {
            return nil
        }
        isWanted = wanted
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        guard let begins = context.lineage.beginsWithBase, let base = context.inputs.base else {
            throw Unresolved("no base is given: name it with --base")
        }
        var result = Evaluation()
        result.record(
            begins == isWanted,
            Finding(
                subject: Subject(.image, "layers"),
                expected: (isWanted ? "" : "not ")
                    + "the \(base.diffIDs.count) layers of \(escaped(base.reference)) and more on top",
                observed: context.lineage.extensionEvidence))
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        guard let base = context.inputs.base else { return [] }
        if isWanted { return [Violation("have no layers", [.diffIDs([])])] }
        let topmost = context.facts.config.diffIDs.suffix(1)
        return [Violation("begin with the layers of the base", [.diffIDs(base.diffIDs + topmost)])]
    }
}
