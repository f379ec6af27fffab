import Checks
import ImageSource
import LayerArchive
import OCIModel
import Suite
import Verdict

/// A run of suites on images: reads each image once, judges it by every suite and collects the record.
public struct CheckRun: Sendable {
    private let suites: Task<SuiteSet, any Error>
    private let readsFactsOnly: Bool
    private let inputs: JudgeInputs
    private let reading: LayerReader.Settings
    private let probes: ProbeRun
    private let clock = ContinuousClock()

    /// Begins to load the suites, beside whatever else the run does first.
    ///
    /// - Parameters:
    ///   - names: names of built-in suites, or paths.
    ///   - reading: how layers are read.
    ///   - probes: how scenarios are run.
    public init(
        suites names: [String], inputs: JudgeInputs, reading: LayerReader.Settings, probes: ProbeSettings
    ) {
        self.inputs = inputs
        self.reading = reading
        self.probes = ProbeRun(probes)
        // Built-in suites read no contents but the facts' own (a test holds them to it): reading an image need not
        // wait until they are loaded.
        readsFactsOnly = names.allSatisfy(SuiteSource.builtinNames.contains)
        suites = Task {
            let suites = try SuiteSet(names)
            let problems = inputs.problems(for: suites.suites)
            guard problems.isEmpty else { throw SuiteError(problems) }
            return suites
        }
    }

    /// The suites with the digests of their files.
    ///
    /// - Throws: `SuiteError` with everything that is wrong with the suites, or when the inputs name arguments,
    ///   profiles or checks that no suite has.
    public var identities: [RunRecord.SuiteIdentity] {
        get async throws { try await suites.value.identities }
    }

    /// Ends the containers that run, and returns when nothing is left of them, or when it takes too long: then the next
    /// run removes the rest. What `judge` was doing with them throws `CancellationError`.
    ///
    /// - Parameter limit: an image that is being unpacked is removed for 2 s at most.
    public func stop(within limit: Duration) async {
        let limit = probes.isUnpacking ? min(limit, .seconds(2)) : limit
        let (ends, end) = AsyncStream<Void>.makeStream()
        let stopping = Task {
            await probes.stop()
            end.finish()
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            end.finish()
        }
        for await _ in ends {}
        timer.cancel()
        stopping.cancel()
        await probes.abandonUnpacking()
    }

    /// Opens, reads and judges one image.
    ///
    /// - Throws: `SuiteError` as `identities`; `ImageSourceError` when the image cannot be opened, `LayerError` when
    ///   a layer is damaged, `CancellationError` after `stop`.
    public func judge(
        _ reference: String, opener: ImageOpener, progress: RunProgress
    ) async throws -> ImageRun {
        let start = clock.now
        var run = try await read(reference, opener, progress) { analysis, verification in
            try await judge(analysis, verification, progress)
        }
        run.duration = (clock.now - start).seconds
        return run
    }

    private func judge(
        _ analysis: ImageAnalysis, _ verification: LayerReader.Verification, _ progress: RunProgress
    ) async throws -> ImageRun {
        var judgements: [Judgement] = []
        var transcripts: [ProbeTranscript] = []
        let suites = try await suites.value.suites
        let scenarios = suites.map { $0.scenarios(for: analysis.facts, inputs: inputs) }
        // Nothing is run of an image that may not be what it says.
        if !scenarios.allSatisfy(\.declarations.isEmpty) { try await verification.wait() }
        let outcomes = try await probes.outcomes(of: scenarios, for: analysis, progress: progress)
        for ((suite, scenarios), outcomes) in zip(zip(suites, scenarios), outcomes) {
            for scenario in scenarios.declarations {
                if case .observed(let transcript)? = outcomes[scenario.name] {
                    transcripts.append(transcript)
                }
            }
            judgements.append(suite.judge(analysis.facts, inputs: inputs, transcripts: outcomes))
        }
        return ImageRun(
            image: analysis.identity, profile: judgements.lazy.compactMap(\.profile).first,
            lineage: judgements.lazy.compactMap(\.lineage).first,
            judgedByDocument: inputs.judgesByDocument ? true : nil,
            parameters: CheckRun.unique(judgements.flatMap(\.parameters)),
            results: judgements.flatMap(\.results), transcripts: transcripts.isEmpty ? nil : transcripts,
            contents: ImageContents(analysis.facts), notes: analysis.notes, duration: 0
        ).masking(
            secretsOf: analysis.image.config,
            arguments: (inputs.buildArguments + inputs.buildArgumentFile).map { ($0.name, $0.value) })
    }

    /// Opens and reads one image, and tries on it whether the checks of each suite can fail. No container is run.
    ///
    /// - Throws: as `judge`.
    public func prove(
        _ reference: String, opener: ImageOpener, progress: RunProgress
    ) async throws -> (image: ImageIdentity, proofs: [SuiteProof]) {
        try await read(reference, opener, progress) { analysis, _ in
            (
                analysis.identity,
                try await suites.value.suites.map { $0.prove(analysis.facts, inputs: inputs) }
            )
        }
    }

    private func read<Output: Sendable>(
        _ reference: String, _ opener: ImageOpener, _ progress: RunProgress,
        _ body: @Sendable (ImageAnalysis, LayerReader.Verification) async throws -> Output
    ) async throws -> Output {
        let image = try await opener.open(reference)
        let bytesRead = ReadProgress()
        progress.begin(
            .layers(
                "reading \(image.name)", bytes: image.layerBytes, count: image.layerInputs.count, bytesRead))
        let plan = readsFactsOnly ? ContentPlan() : plan(for: image, try await suites.value)
        return try await ImageAnalysis.read(image, plan: plan, reading: reading, progress: bytesRead, body)
    }

    /// Contents that checks read beyond those of the facts.
    private func plan(for image: Image, _ suites: SuiteSet) -> ContentPlan {
        ContentPlan(
            suites.suites.flatMap { $0.contentPaths(config: image.config, inputs: inputs) }
                .map { ContentPlan.Rule(.path($0)) })
    }

    private static func unique(_ values: [ParameterValue]) -> [ParameterValue] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0.name).inserted }.sorted { $0.name < $1.name }
    }
}
