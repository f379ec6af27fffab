import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// What came of an expectation that could be decided.
struct Evaluation: Sendable {
    /// What is wrong; empty when the expectation holds.
    var failures: [Finding] = []
    /// What was observed, as proof.
    var proofs: [Finding] = []

    var holds: Bool { failures.isEmpty }

    /// Holds `observed` against a matcher and keeps the finding; no matcher expects nothing.
    ///
    /// - Parameter name: what is compared ("uid", "mode"); goes before both values.
    mutating func compare(
        _ matcher: Matcher?, _ name: String, _ observed: Observed, shown: String? = nil, subject: Subject,
        provenance: Provenance?, in scope: Scope
    ) throws(Unresolved) {
        guard let matcher else { return }
        let wanted = try matcher.resolved(in: scope)
        let prefix = name.isEmpty ? "" : name + " "
        let finding = Finding(
            subject: subject, expected: prefix + escaped(wanted.description),
            observed: prefix + escaped(shortened(shown ?? observed.description)), provenance: provenance)
        if wanted.accepts(observed) { proofs.append(finding) } else { failures.append(finding) }
    }

    mutating func record(_ holds: Bool, _ finding: Finding) {
        if holds { proofs.append(finding) } else { failures.append(finding) }
    }

    mutating func add(_ other: Evaluation) {
        failures += other.failures
        proofs += other.proofs
    }
}

/// A text without the line end at its end, a LF or, of a terminal, a CR LF: for Swift these two are one character.
func withoutLineEnd(_ text: String) -> String {
    text.hasSuffix("\n") || text.hasSuffix("\r\n") ? String(text.dropLast()) : text
}

/// Long values (a PATH, a file) are cut in findings.
func shortened(_ text: String, limit: Int = 400) -> String {
    text.count > limit ? "\(text.prefix(limit))…" : text
}

/// What an expectation is evaluated with.
struct EvaluationContext: Sendable {
    let facts: ImageFacts
    let scope: Scope
    let listing: LazyPathListing
    var inputs = JudgeInputs()
    var lineage = Lineage()
    /// The variant that the image is of; a reason while or where it is not known.
    var variant: Result<String?, Unresolved> = .success(nil)
    /// What the scenario of the check at hand ran; nil for a check that looks at none.
    var transcript: ProbeTranscript?

    /// The value of a fact.
    ///
    /// - Throws: `Unresolved` with the reason why there is none.
    func require<Value>(_ fact: Fact<Value>) throws(Unresolved) -> Value {
        switch fact {
        case .success(let value): return value
        case .failure(let error): throw Unresolved(error.message)
        }
    }

    func resolve(_ template: Template) throws(Unresolved) -> String { try template.resolved(in: scope) }
}
