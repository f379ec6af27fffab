import Dispatch
import Facts
import OCIModel
import Suite
import Synchronization
import Verdict

/// A suite whose every expectation is compiled: it can judge images, and nothing in it is wrong in itself.
public struct CompiledSuite: Sendable {
    public let document: SuiteDocument
    private let checks: [Check]
    private let profiles: [ProfileSelection.Candidate]

    private struct Check: Sendable {
        let declaration: CheckDeclaration
        let condition: CompiledCondition?
        let expectations: [any Expectation]
    }

    /// - Throws: `SuiteError` with everything that is wrong with the expectations and conditions.
    public init(_ document: SuiteDocument) throws(SuiteError) {
        var reading = SuiteReading(parameterNames: document.parameters.map(\.name))
        profiles = document.profiles.map { profile in
            ProfileSelection.Candidate(
                declaration: profile, condition: profile.condition.map { CompiledCondition($0, &reading) })
        }
        checks = document.checks.map { check in
            Check(
                declaration: check, condition: check.condition.map { CompiledCondition($0, &reading) },
                expectations: check.expectations.compactMap { compileExpectation($0, &reading) })
        }
        try reading.finish()
        self.document = document
    }

    /// Files whose content the checks read, beyond those that the facts are read from; parameters in their paths
    /// are filled in as far as the image config and the user tell them.
    public func contentPaths(config: ImageConfig, inputs: JudgeInputs = JudgeInputs()) -> [ImagePath] {
        let parameters = ParameterResolution(
            document.parameters, inputs: inputs, config: config, history: BuildHistory(config: config),
            profile: nil)
        let scope = Scope(
            parameters: parameters.scope, version: .undecided(reason: "the image is not yet read"))
        let templates = checks.flatMap(\.expectations).flatMap(\.contentPaths)
        return Set(templates.compactMap { try? $0.resolved(in: scope) }.map { ImagePath($0) }).sorted()
    }

    /// Judges an image by every check of the suite. Pure: the same facts and inputs give the same judgement, apart
    /// from durations. Inputs are expected to be without problems (`JudgeInputs.problems(for:)`); build arguments
    /// that the suite does not know are passed over.
    public func judge(_ facts: ImageFacts, inputs: JudgeInputs = JudgeInputs()) -> Judgement {
        func parameters(_ profile: ProfileDeclaration?) -> ParameterResolution {
            ParameterResolution(
                document.parameters, inputs: inputs, config: facts.config, history: facts.history,
                profile: profile)
        }
        let listing = LazyPathListing(of: facts.rootfs)
        let selection = ProfileSelection(
            profiles, releaseDistributions: document.releaseDistributions, facts: facts, listing: listing,
            inputs: inputs, parameters: parameters(nil).scope)
        let resolved = parameters(selection.profile)
        let context = EvaluationContext(
            facts: facts, scope: Scope(parameters: resolved.scope, version: selection.version),
            listing: listing)
        let results = Mutex([CheckResult?](repeating: nil, count: checks.count))
        DispatchQueue.concurrentPerform(iterations: checks.count) { index in
            let clock = ContinuousClock()
            let start = clock.now
            var result = self.result(of: checks[index], inputs, context)
            let duration = (clock.now - start).components
            result.duration = Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
            results.withLock { $0[index] = result }
        }
        return Judgement(
            profile: selection.choice, parameters: resolved.values,
            results: results.withLock { $0.compactMap { $0 } })
    }

    private func result(of check: Check, _ inputs: JudgeInputs, _ context: EvaluationContext) -> CheckResult {
        let declaration = check.declaration
        var result = CheckResult(
            id: declaration.id, title: escaped(declaration.title.shown(in: context.scope)),
            suite: document.name,
            group: declaration.group, severity: declaration.severity, outcome: .skipped,
            statements: declaration.statements, source: declaration.source,
            remedy: declaration.remedy.map { escaped($0.shown(in: context.scope)) },
            position: declaration.position)
        if let reason = inputs.reasonToSkip(declaration) {
            result.reason = reason
            return result
        }
        do {
            if let condition = check.condition,
                case .doesNot(let reason) = try condition.evaluate(context)
            {
                (result.outcome, result.reason) = (.notApplicable, reason)
                return result
            }
        } catch {
            (result.outcome, result.reason) = (.error, escaped(error.reason))
            return result
        }
        var total = Evaluation()
        var unresolved: [String] = []
        for expectation in check.expectations {
            do {
                total.add(try expectation.evaluate(context))
            } catch {
                unresolved.append(error.reason)
            }
        }
        if let first = total.failures.first {
            result.outcome = .fail
            let more = total.failures.count > 1 ? " (and \(total.failures.count - 1) more)" : ""
            result.reason =
                "\(first.subject.kind.rawValue) \(first.subject.name): expected \(first.expected), "
                + "observed \(first.observed)\(more)"
            result.findings = total.failures
        } else if let first = unresolved.first {
            (result.outcome, result.reason) = (.error, first)
        } else {
            result.outcome = .pass
            result.findings = Array(total.proofs.prefix(CompiledSuite.maximumProofs))
        }
        return result
    }

    /// Findings of a check that passed.
    static let maximumProofs = 20
}

/// What a suite says of an image.
public struct Judgement: Sendable {
    /// Nil when the suite has no profiles, or the release line cannot be told.
    public var profile: ProfileChoice?
    public var parameters: [ParameterValue]
    /// In the order of the suite.
    public var results: [CheckResult]
}
