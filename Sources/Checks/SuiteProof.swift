import Dispatch
import Facts
import Suite
import Synchronization
import Verdict

/// What became of the checks of a suite when the image was changed so that each of them ought to fail.
///
/// A check is killed by a violation that makes it fail. A check that nothing kills is vacuous: its pass proves
/// nothing. Another check that fails by the same violation and did not fail before is unrelated when it
///
/// - enforces no statement of the document that the killed check enforces,
/// - has no finding on a subject of the killed check's findings, nor on a path above or below one, nor on a command
///   where the other is on the PATH that it is found by,
/// - and uses no parameter whose value the violation changed.
///
/// The violations of a check are tried in their order until one kills it without failing an unrelated check.
public struct SuiteProof: Hashable, Codable, Sendable {
    public var suite: String
    /// In the order of the suite.
    public var checks: [CheckProof]

    public func count(_ verdict: CheckProof.Verdict) -> Int { checks.count { $0.verdict == verdict } }

    /// Whether every check that was tried can be killed, in all its parts, without failing an unrelated one.
    public var isSound: Bool {
        checks.allSatisfy { ($0.verdict == .killed && $0.vacuousParts.isEmpty) || $0.verdict == .notTried }
    }
}

/// What became of one check.
public struct CheckProof: Hashable, Codable, Sendable {
    public enum Verdict: String, Codable, Sendable, CaseIterable {
        /// A violation made it fail, and no unrelated check.
        case killed
        /// Only violations that fail unrelated checks made it fail.
        case killedWithOthers
        /// No violation made it fail.
        case vacuous
        /// It does not pass on the image, or was not selected.
        case notTried
    }

    public var id: String
    public var title: String
    /// On the image as it is.
    public var outcome: Outcome
    public var verdict: Verdict
    /// The violation that killed it, in words.
    public var violation: String?
    /// The unrelated checks that fail by it.
    public var others: [String]
    /// Of a check with several expectations those that no violation breaks, counted from 1, with their kinds.
    public var vacuousParts: [String]
    /// Why it was not tried; of a vacuous check what was tried.
    public var details: [String]
}

extension CompiledSuite {
    /// Violations of one expectation that are tried.
    static let maximumViolations = 16

    /// Lays violations over an image and judges it again, for each check that passes on it.
    ///
    /// - Parameter inputs: as of `judge`; `only` and `skip` choose the checks that are tried, the others are still
    ///   judged.
    public func prove(_ facts: ImageFacts, inputs: JudgeInputs = JudgeInputs()) -> SuiteProof {
        var inputsOfAll = inputs
        (inputsOfAll.only, inputsOfAll.skip) = ([], [])
        let prover = Prover(suite: self, facts: facts, inputs: inputsOfAll)
        let proofs = Mutex([CheckProof?](repeating: nil, count: checks.count))
        DispatchQueue.concurrentPerform(iterations: checks.count) { index in
            let proof = prover.proof(
                ofCheck: index, reasonToSkip: inputs.reasonToSkip(checks[index].declaration))
            proofs.withLock { $0[index] = proof }
        }
        return SuiteProof(suite: document.name, checks: proofs.withLock { $0.compactMap { $0 } })
    }
}

/// The image as it is, and what is asked of it again and again.
private struct Prover: Sendable {
    let suite: CompiledSuite
    let facts: ImageFacts
    let inputs: JudgeInputs
    let context: EvaluationContext
    let parameters: [ParameterValue]
    let results: [CheckResult]
    /// By check, the names of the parameters that its text uses.
    let usedParameters: [Set<String>]

    init(suite: CompiledSuite, facts: ImageFacts, inputs: JudgeInputs) {
        self.suite = suite
        self.facts = facts
        self.inputs = inputs
        let prepared = suite.prepare(facts, inputs)
        context = prepared.context
        parameters = prepared.parameters
        results = suite.judge(facts, inputs: inputs).results
        usedParameters = suite.document.checks.map(\.usedParameters)
    }

    func proof(ofCheck index: Int, reasonToSkip: String?) -> CheckProof {
        let result = results[index]
        var proof = CheckProof(
            id: result.id, title: result.title, outcome: result.outcome, verdict: .notTried, others: [],
            vacuousParts: [], details: [])
        if let reason = reasonToSkip ?? (result.outcome == .pass ? nil : result.reason) {
            proof.details = [reason]
            return proof
        }
        let check = suite.checks[index]
        let expectations = check.expectations(inputs)
        var tried: [String] = []
        var unbroken: [String] = []
        for (number, expectation) in expectations.enumerated() {
            var isBroken = false
            for violation in violations(of: expectation, &tried) {
                guard let kill = kill(index, expectation, violation) else {
                    tried.append(violation.summary)
                    continue
                }
                isBroken = true
                if proof.verdict != .killed, proof.violation == nil || kill.others.isEmpty {
                    proof.verdict = kill.others.isEmpty ? .killed : .killedWithOthers
                    (proof.violation, proof.others) = (violation.summary, kill.others)
                }
                if proof.verdict == .killed { break }
            }
            if !isBroken { unbroken.append("\(number + 1) (\(type(of: expectation).kind.name))") }
        }
        if proof.violation == nil {
            proof.verdict = .vacuous
            proof.details = tried.isEmpty ? ["there is nothing in the image to break"] : tried
        } else {
            proof.vacuousParts = unbroken
        }
        return proof
    }

    private func violations(of expectation: any Expectation, _ tried: inout [String]) -> [Violation] {
        do throws(Unresolved) {
            return Array(try expectation.violations(context).prefix(CompiledSuite.maximumViolations))
        } catch {
            tried.append("no violation can be made up: \(error.reason)")
            return []
        }
    }

    private struct Kill {
        /// The unrelated checks that fail too.
        var others: [String]
    }

    /// What happens when the violation makes the check fail by this expectation; nil when it does
    /// not.
    private func kill(
        _ index: Int, _ expectation: any Expectation, _ violation: Violation
    ) -> Kill? {
        guard let changed = try? facts.applying(violation) else { return nil }
        let prepared = suite.prepare(changed, inputs)
        let killed = suite.result(of: suite.checks[index], prepared.context)
        guard killed.outcome == .fail, (try? expectation.evaluate(prepared.context))?.holds == false else {
            return nil
        }
        let changedParameters = Set(
            zip(parameters, prepared.parameters).filter { $0.value != $1.value }.map { $0.1.name })
        var others: [String] = []
        for (other, before) in results.enumerated() where other != index && before.outcome != .fail {
            if !changedParameters.isDisjoint(with: usedParameters[other]) { continue }
            if !Set(before.statements).isDisjoint(with: killed.statements) { continue }
            let after = suite.result(of: suite.checks[other], prepared.context)
            if after.outcome == .fail, !Prover.speakOfTheSame(killed.findings, after.findings) {
                others.append(after.id)
            }
        }
        return Kill(others: others)
    }

    private static func speakOfTheSame(_ left: [Finding], _ right: [Finding]) -> Bool {
        left.contains { one in right.contains { one.subject.isRelated(to: $0.subject) } }
    }
}

extension Subject {
    /// The same thing, a path above or below it, or the PATH that a command is found by.
    fileprivate func isRelated(to other: Subject) -> Bool {
        switch (kind, other.kind) {
        case (.path, .path): name.isAtOrAbove(other.name) || other.name.isAtOrAbove(name)
        case (.environment, .command): name == "PATH"
        case (.command, .environment): other.name == "PATH"
        // A finding about several things of which any would do names them all.
        default: kind == other.kind && !words.isDisjoint(with: other.words)
        }
    }
}

extension Subject {
    private var words: Set<Substring> { Set(name.split(separator: " ")) }
}

extension String {
    fileprivate func isAtOrAbove(_ path: String) -> Bool {
        path == self || path.hasPrefix(hasSuffix("/") ? self : self + "/")
    }
}

extension CheckDeclaration {
    /// The names of the parameters that its condition and its expectations name.
    fileprivate var usedParameters: Set<String> {
        var names: Set<String> = []
        func collect(_ node: SuiteNode) {
            switch node.value {
            case .empty: break
            case .scalar(let text):
                for part in text.split(separator: "${", omittingEmptySubsequences: false).dropFirst()
                where part.contains("}") {
                    names.insert(String(part.prefix { $0 != "}" }))
                }
            case .list(let items): items.forEach(collect)
            case .mapping(let members): members.forEach { collect($0.value) }
            }
        }
        func collect(_ condition: Condition) {
            names.formUnion(condition.parameters.map(\.name))
            condition.expectation.map(collect)
            for part in condition.all + condition.any + condition.none { collect(part) }
        }
        (expectations + documented).forEach(collect)
        condition.map(collect)
        return names
    }
}
