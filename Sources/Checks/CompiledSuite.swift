import Dispatch
import Facts
import OCIModel
import Suite
import Synchronization
import Verdict

/// A suite whose every expectation is compiled: it can judge images, and nothing in it is wrong in itself.
public struct CompiledSuite: Sendable {
    public let document: SuiteDocument
    let checks: [Check]
    private let profiles: [ProfileSelection.Candidate]
    private let variants: [(id: String, condition: CompiledCondition?)]

    struct Check: Sendable {
        let declaration: CheckDeclaration
        let condition: CompiledCondition?
        let expectations: [any Expectation]
        /// By the letter of the document; empty when that is no different.
        let documented: [any Expectation]
        let drift: [DriftNote]

        /// Those by which it is judged.
        func expectations(_ inputs: JudgeInputs) -> [any Expectation] {
            inputs.judgesByDocument && !documented.isEmpty ? documented : expectations
        }
    }

    /// - Throws: `SuiteError` with everything that is wrong with the expectations and conditions.
    public init(_ document: SuiteDocument) throws(SuiteError) {
        var reading = SuiteReading(parameterNames: document.parameters.map(\.name))
        variants = document.variants.map { variant in
            (variant.id, variant.condition.map { CompiledCondition($0, &reading) })
        }
        profiles = document.profiles.map { profile in
            ProfileSelection.Candidate(
                declaration: profile, condition: profile.condition.map { CompiledCondition($0, &reading) })
        }
        checks = document.checks.map { check in
            let scenario = check.scenario.flatMap(document.scenario(named:))
            reading.observableNames = scenario?.observable ?? []
            reading.serviceNames = scenario?.services.map(\.name) ?? []
            reading.lookedAt = [:]
            for name in scenario?.containersLookedAt ?? [] {
                reading.lookedAt[name] = (
                    scenario?.filesLookedAt(of: name, withContent: true) ?? [],
                    scenario?.filesLookedAt(of: name) ?? []
                )
            }
            return Check(
                declaration: check, condition: check.condition.map { CompiledCondition($0, &reading) },
                expectations: check.expectations.compactMap { compileExpectation($0, &reading) },
                documented: check.documented.compactMap { compileExpectation($0, &reading) },
                drift: check.statements.compactMap { document.statement($0) }.compactMap(DriftNote.init))
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
        let templates = checks.flatMap { $0.expectations + $0.documented }.flatMap(\.contentPaths)
        return Set(templates.compactMap { try? $0.resolved(in: scope) }.map { ImagePath($0) }).sorted()
    }

    /// Judges an image by every check of the suite. Pure: the same facts and inputs give the same judgement, apart
    /// from durations. Inputs are expected to be without problems (`JudgeInputs.problems(for:)`); build arguments
    /// that the suite does not know are passed over.
    ///
    /// - Parameter transcripts: what came of the scenarios, by their names. A check that looks at one which is not
    ///   among them is skipped.
    public func judge(
        _ facts: ImageFacts, inputs: JudgeInputs = JudgeInputs(),
        transcripts: [String: ScenarioOutcome] = [:]
    ) -> Judgement {
        let prepared = prepare(facts, inputs)
        let judged = prepared.context
        let results = Mutex([CheckResult?](repeating: nil, count: checks.count))
        DispatchQueue.concurrentPerform(iterations: checks.count) { index in
            let clock = ContinuousClock()
            let start = clock.now
            var result = self.result(of: checks[index], judged, transcripts)
            result.duration = (clock.now - start).seconds
            results.withLock { $0[index] = result }
        }
        return Judgement(
            profile: prepared.choice,
            lineage: document.lineage == nil ? nil : judged.lineage.summary(facts),
            parameters: prepared.parameters, results: results.withLock { $0.compactMap { $0 } })
    }

    /// The scenarios that checks of this image look at, with what their templates are resolved with.
    public func scenarios(
        for facts: ImageFacts, inputs: JudgeInputs = JudgeInputs()
    ) -> (declarations: [ScenarioDeclaration], scope: Scope) {
        let selected = checks.filter {
            $0.declaration.scenario != nil && inputs.reasonToSkip($0.declaration) == nil
        }
        // Telling the release line is work for nothing where no container is run.
        if selected.isEmpty {
            return ([], Scope(parameters: [:], version: .undecided(reason: "no scenario is run")))
        }
        let context = prepare(facts, inputs).context
        var names: Set<String> = []
        for check in selected {
            guard let name = check.declaration.scenario else { continue }
            if let condition = check.condition {
                guard case .holds? = try? condition.evaluate(context) else { continue }
            }
            names.insert(name)
        }
        return (document.scenarios.filter { names.contains($0.name) }, context.scope)
    }

    struct Prepared {
        var context: EvaluationContext
        var choice: ProfileChoice?
        var parameters: [ParameterValue]
    }

    /// Tells the release line, the parameters and the lineage of an image.
    func prepare(_ facts: ImageFacts, _ inputs: JudgeInputs) -> Prepared {
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
        let lineage = Lineage(
            document.lineage, facts: facts, inputs: inputs, parameters: resolved.values,
            defaults: Dictionary(
                document.parameters.map { ($0.name, $0.defaultValue ?? "") }, uniquingKeysWith: { $1 }))
        var context = EvaluationContext(
            facts: facts, scope: Scope(parameters: resolved.scope, version: selection.version),
            listing: listing, inputs: inputs, lineage: lineage)
        var choice = selection.choice
        choice?.warnings += ProfileSelection.disagreements(document, facts, resolved.values)
        context.variant = variant(context, &choice)
        return Prepared(context: context, choice: choice, parameters: resolved.values)
    }

    /// The first variant whose condition holds; the choice is told which.
    private func variant(
        _ context: EvaluationContext, _ choice: inout ProfileChoice?
    ) -> Result<String?, Unresolved> {
        for variant in variants {
            do throws(Unresolved) {
                guard let condition = variant.condition else {
                    choice?.variant = variant.id
                    return .success(variant.id)
                }
                if case .holds(let seen) = try condition.evaluate(context) {
                    choice?.variant = variant.id
                    choice?.evidence += seen.map { "\(variant.id): \($0)" }
                    return .success(variant.id)
                }
            } catch {
                let reason = "whether the image is \(variant.id) cannot be told: \(error.reason)"
                choice?.warnings.append(reason)
                return .failure(Unresolved(reason))
            }
        }
        return .success(nil)
    }

    func result(
        of check: Check, _ context: EvaluationContext, _ transcripts: [String: ScenarioOutcome] = [:]
    ) -> CheckResult {
        var context = context
        let declaration = check.declaration
        var result = CheckResult(
            id: declaration.id, title: escaped(declaration.title.shown(in: context.scope)),
            suite: document.name,
            group: declaration.group, severity: declaration.severity, outcome: .skipped,
            statements: declaration.statements, drift: check.drift.isEmpty ? nil : check.drift,
            source: declaration.source,
            remedy: declaration.remedy.map { escaped($0.shown(in: context.scope)) },
            position: declaration.position)
        result.scenario = declaration.scenario
        if let reason = context.inputs.reasonToSkip(declaration) {
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
        if let scenario = check.declaration.scenario {
            switch transcripts[scenario] ?? .skipped(reason: "no container was run") {
            case .observed(let transcript): context.transcript = transcript
            case .failed(let reason):
                (result.outcome, result.reason) = (.error, reason)
                return result
            case .skipped(let reason):
                (result.outcome, result.reason) = (.skipped, reason)
                return result
            }
        }
        var total = Evaluation()
        var unresolved: [String] = []
        for expectation in check.expectations(context.inputs) {
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
            result.undecided = unresolved.isEmpty ? nil : unresolved
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
    /// Nil when the suite does not say how an image can have been made from another.
    public var lineage: LineageSummary?
    public var parameters: [ParameterValue]
    /// In the order of the suite.
    public var results: [CheckResult]
}

extension DriftNote {
    fileprivate init?(_ statement: StatementDeclaration) {
        guard let drift = statement.drift else { return nil }
        self.init(
            statement: statement.id, document: drift.document, images: drift.images, sources: drift.sources)
    }
}
