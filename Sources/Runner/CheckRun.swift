import Checks
import ImageSource
import LayerArchive
import OCIModel
import Suite
import Verdict

/// A run of suites on images: reads each image once, judges it by every suite and collects the record.
public struct CheckRun: Sendable {
    public let suites: SuiteSet
    public let inputs: JudgeInputs
    private let clock = ContinuousClock()

    /// - Throws: `SuiteError` when the inputs name arguments, profiles or checks that no suite has.
    public init(suites: SuiteSet, inputs: JudgeInputs) throws(SuiteError) {
        let problems = inputs.problems(for: suites.suites)
        guard problems.isEmpty else { throw SuiteError(problems) }
        self.suites = suites
        self.inputs = inputs
    }

    /// Opens, reads and judges one image.
    ///
    /// - Throws: `ImageSourceError` when the image cannot be opened, `LayerError` when a layer is damaged.
    public func judge(
        _ reference: String, opener: ImageOpener, progress: @Sendable (Image, ReadProgress) -> Void
    ) async throws -> ImageRun {
        let start = clock.now
        let image = try await opener.open(reference)
        let bytesRead = ReadProgress()
        progress(image, bytesRead)
        let analysis = try await ImageAnalysis.read(image, plan: plan(for: image), progress: bytesRead)
        let judgements = suites.suites.map { $0.judge(analysis.facts, inputs: inputs) }
        let elapsed = (clock.now - start).components
        return ImageRun(
            image: analysis.identity, profile: judgements.lazy.compactMap(\.profile).first,
            parameters: CheckRun.unique(judgements.flatMap(\.parameters)),
            results: judgements.flatMap(\.results), notes: analysis.notes,
            duration: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    }

    /// Contents that checks read beyond those of the facts.
    private func plan(for image: Image) -> ContentPlan {
        ContentPlan(
            suites.suites.flatMap { $0.contentPaths(config: image.config, inputs: inputs) }
                .map { ContentPlan.Rule(.path($0)) })
    }

    private static func unique(_ values: [ParameterValue]) -> [ParameterValue] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0.name).inserted }.sorted { $0.name < $1.name }
    }
}
