import Suite
import Verdict

/// A condition whose expectation is compiled.
struct CompiledCondition: Sendable {
    private let versions: VersionRange?
    private let parameters: [Condition.ParameterCondition]
    private let variant: String?
    private let lineage: Condition.Lineage?
    private let given: Condition.Input?
    private let all: [CompiledCondition]
    private let any: [CompiledCondition]
    private let none: [CompiledCondition]
    private let expectation: (any Expectation)?

    init(_ condition: Condition, _ reading: inout SuiteReading) {
        versions = condition.versions
        parameters = condition.parameters
        variant = condition.variant
        lineage = condition.lineage
        given = condition.given
        var compiled: [[CompiledCondition]] = []
        for list in [condition.all, condition.any, condition.none] {
            compiled.append(list.map { CompiledCondition($0, &reading) })
        }
        (all, any, none) = (compiled[0], compiled[1], compiled[2])
        expectation = condition.expectation.flatMap { compileExpectation($0, &reading) }
    }

    /// Whether the condition holds, and what was seen.
    enum Answer {
        case holds(evidence: [String])
        case doesNot(reason: String)
    }

    /// - Throws: `Unresolved` when it depends on something that is not known; a part that is definitely not met
    ///   decides without it.
    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Answer {
        var evidence: [String] = []
        var unresolved: Unresolved?
        func consider(_ part: () throws(Unresolved) -> Answer) -> String? {
            do {
                switch try part() {
                case .holds(let seen): evidence += seen
                case .doesNot(let reason): return reason
                }
            } catch {
                unresolved = unresolved ?? error
            }
            return nil
        }
        if let reason = consider({ () throws(Unresolved) in try versionAnswer(context) }) {
            return .doesNot(reason: reason)
        }
        for parameter in parameters {
            if let reason = consider({ () throws(Unresolved) in try answer(parameter, context) }) {
                return .doesNot(reason: reason)
            }
        }
        if let given, !given.isIn(context.inputs) {
            return .doesNot(reason: "only when \(given.option) is given")
        }
        if let reason = consider({ () throws(Unresolved) in try variantAnswer(context) }) {
            return .doesNot(reason: reason)
        }
        if let reason = consider({ () throws(Unresolved) in lineageAnswer(context) }) {
            return .doesNot(reason: reason)
        }
        for part in all {
            if let reason = consider({ () throws(Unresolved) in try part.evaluate(context) }) {
                return .doesNot(reason: reason)
            }
        }
        if !any.isEmpty, let reason = consider({ () throws(Unresolved) in try anyAnswer(context) }) {
            return .doesNot(reason: reason)
        }
        for part in none {
            let reason = consider { () throws(Unresolved) in
                switch try part.evaluate(context) {
                case .holds(let seen):
                    .doesNot(reason: "not for an image with " + seen.joined(separator: ", "))
                case .doesNot: .holds(evidence: [])
                }
            }
            if let reason { return .doesNot(reason: reason) }
        }
        if let reason = consider({ () throws(Unresolved) in try expectationAnswer(context) }) {
            return .doesNot(reason: reason)
        }
        if let unresolved { throw unresolved }
        return .holds(evidence: evidence)
    }

    private func versionAnswer(_ context: EvaluationContext) throws(Unresolved) -> Answer {
        guard let versions else { return .holds(evidence: []) }
        let shown: String =
            switch context.scope.version {
            case .release(let version): version.description
            case .someRelease(let line): "a release of \(line)"
            case .undecided: "unknown"
            }
        return try context.scope.version.isIn(versions)
            ? .holds(evidence: ["release \(shown)"])
            : .doesNot(reason: "for releases \(versions) only; this is \(shown)")
    }

    private func answer(
        _ condition: Condition.ParameterCondition, _ context: EvaluationContext
    ) throws(Unresolved) -> Answer {
        guard let known = context.scope.parameters[condition.name] else {
            throw Unresolved("the parameter \(condition.name) has no value")
        }
        let value = try known.get()
        let matcher = try condition.matcher.resolved(in: context.scope)
        return matcher.accepts(.text(value))
            ? .holds(evidence: ["\(condition.name) is \(value)"])
            : .doesNot(
                reason: "only when \(condition.name) is \(matcher); it is \(value.isEmpty ? "empty" : value)")
    }

    private func variantAnswer(_ context: EvaluationContext) throws(Unresolved) -> Answer {
        guard let variant else { return .holds(evidence: []) }
        let observed = try context.variant.get() ?? "of no known kind"
        return observed == variant
            ? .holds(evidence: ["the image is \(variant)"])
            : .doesNot(reason: "only for a \(variant) image; this is \(observed)")
    }

    private func lineageAnswer(_ context: EvaluationContext) -> Answer {
        switch lineage {
        case nil: return .holds(evidence: [])
        case .extended:
            let evidence = context.lineage.extensionEvidence
            return context.lineage.extensionStart != nil
                ? .holds(evidence: [evidence])
                : .doesNot(reason: "only for an image that extends another: \(evidence)")
        case .customised:
            let evidence = context.lineage.customisationEvidence
            return context.lineage.isCustomised
                ? .holds(evidence: evidence)
                : .doesNot(reason: "only for a customised image: no build argument tells that it is one")
        }
    }

    private func anyAnswer(_ context: EvaluationContext) throws(Unresolved) -> Answer {
        var reasons: [String] = []
        var unresolved: Unresolved?
        for part in any {
            do {
                switch try part.evaluate(context) {
                case .holds(let seen): return .holds(evidence: seen)
                case .doesNot(let reason): reasons.append(reason)
                }
            } catch {
                unresolved = unresolved ?? error
            }
        }
        if let unresolved { throw unresolved }
        return .doesNot(reason: reasons.joined(separator: "; "))
    }

    private func expectationAnswer(_ context: EvaluationContext) throws(Unresolved) -> Answer {
        guard let expectation else { return .holds(evidence: []) }
        let evaluation = try expectation.evaluate(context)
        func line(_ finding: Finding, _ text: String) -> String {
            "\(finding.subject.kind.rawValue) \(finding.subject.name) \(text)"
        }
        guard let failure = evaluation.failures.first else {
            return .holds(evidence: evaluation.proofs.prefix(1).map { line($0, "is \($0.observed)") })
        }
        return .doesNot(
            reason: "only for an image where "
                + line(failure, "is \(failure.expected); it is \(failure.observed)"))
    }
}

extension Condition.Input {
    fileprivate func isIn(_ inputs: JudgeInputs) -> Bool {
        switch self {
        case .base: inputs.base != nil
        case .constraints: inputs.constraints != nil
        }
    }
}
