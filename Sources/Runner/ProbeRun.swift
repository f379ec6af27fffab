import Checks
import Facts
import Foundation
import Glibc
import ImageSource
import LayerArchive
import OCIModel
import Probes
import RootFS
import Suite
import Synchronization
import Verdict

/// How the scenarios of probes are run.
public struct ProbeSettings: Sendable {
    /// Scenarios that run side by side.
    public var jobs: Int
    /// The directory of what is kept between runs.
    public var cache: String
    /// What runs the containers; nil for the first that works.
    public var runtime: RuntimeKind?
    /// The program `assay`, which unpacks images for an ordinary user.
    public var program: String

    public init(jobs: Int, cache: String, runtime: RuntimeKind? = nil, program: String) {
        self.jobs = jobs
        self.cache = cache
        self.runtime = runtime
        self.program = program
    }
}

/// The scenarios of a suite that checks of an image look at, with what their templates are resolved with.
typealias SuiteScenarios = (declarations: [ScenarioDeclaration], scope: Scope)

/// Runs the scenarios that the suites' checks look at.
final class ProbeRun: Sendable {
    private let settings: ProbeSettings
    private let state = Mutex(State())

    private struct State {
        var isStopped = false
        /// That of a run whose image is being unpacked: no container has been started.
        var unpacking: RunDirectory?
        var task: Task<[[String: ScenarioOutcome]], Never>?
    }

    init(_ settings: ProbeSettings) { self.settings = settings }

    /// - Returns: for each suite what came of its scenarios, by their names; nothing is left of them but the unpacked
    ///   image.
    /// - Throws: `CancellationError` after `stop`.
    func outcomes(
        of suites: [SuiteScenarios], for analysis: ImageAnalysis, progress: RunProgress
    ) async throws -> [[String: ScenarioOutcome]] {
        if suites.allSatisfy(\.declarations.isEmpty) { return suites.map { _ in [:] } }
        let task = try state.withLock { state in
            guard !state.isStopped else { throw CancellationError() }
            let task = Task { await run(suites, for: analysis, progress: progress) }
            state.task = task
            return task
        }
        let outcomes = await task.value
        guard !state.withLock({ $0.isStopped }) else { throw CancellationError() }
        return outcomes
    }

    /// Whether an image is being unpacked, into the cache.
    var isUnpacking: Bool { state.withLock { $0.unpacking != nil } }

    /// Gives up an image that is being unpacked. What is there of it stays in the cache, for the next run to remove: a
    /// disk may take longer for that than a user waits.
    func abandonUnpacking() async { await state.withLock { $0.unpacking }?.remove() }

    /// Ends what runs, and returns when nothing is left of it. Nothing is run any more.
    func stop() async {
        let task = state.withLock { state in
            state.isStopped = true
            return state.task
        }
        task?.cancel()
        _ = await task?.value
    }

    private func run(
        _ suites: [SuiteScenarios], for analysis: ImageAnalysis, progress: RunProgress
    ) async -> [[String: ScenarioOutcome]] {
        func all(_ outcome: ScenarioOutcome) -> [[String: ScenarioOutcome]] {
            suites.map { suite in
                Dictionary(suite.declarations.map { ($0.name, outcome) }, uniquingKeysWith: { $1 })
            }
        }
        await Leftovers.remove(cache: settings.cache)
        // runc makes devices below /dev without asking whether that is a link (CVE-2026-41579): they, and what it removes
        // there, would be this machine's.
        let devices = try? analysis.facts.rootfs.status(at: ImagePath("/dev"), followingFinalLink: false)
        guard devices?.kind != .symbolicLink else {
            return all(
                .failed(
                    reason: "/dev is a link, which runtimes may follow out of the image: nothing is started"))
        }
        let kind: RuntimeKind
        if let wanted = settings.runtime {
            if let obstacle = await wanted.obstacle() {
                return all(.failed(reason: "containers cannot be run by \(wanted.rawValue): \(obstacle)"))
            }
            kind = wanted
        } else {
            do throws(ProbeError) {
                kind = try await .firstThatWorks()
            } catch {
                return all(.skipped(reason: "containers cannot be run here: \(error.message)"))
            }
        }
        let directory: RunDirectory
        do throws(ProbeError) {
            directory = try RunDirectory(below: "\(settings.cache)/run", runtime: kind)
        } catch {
            return all(.failed(reason: error.message))
        }
        let outcomes: [[String: ScenarioOutcome]]
        do {
            switch kind {
            case .oci:
                state.withLock { $0.unpacking = directory }
                let rootfs = try await unpacked(analysis, scratch: directory.path, progress)
                state.withLock { $0.unpacking = nil }
                outcomes = await run(
                    suites, for: analysis,
                    by: OCIRuntime(rootfs: rootfs, run: directory, program: settings.program),
                    scratch: directory.path, progress: progress)
            case .docker, .podman:
                let engine = try await EngineRuntime(
                    kind, configDigest: analysis.image.configDigest, run: directory, program: settings.program
                ) { tag in
                    let file = try Spool.makeFile()
                    do {
                        try DockerArchiveWriter.write(analysis.image, tag: tag, to: file)
                    } catch {
                        close(file)
                        throw error
                    }
                    return file
                }
                outcomes = await run(
                    suites, for: analysis, by: engine, scratch: directory.path, progress: progress)
            }
        } catch {
            outcomes = all(.failed(reason: "the image could not be made ready to be run: \(error)"))
        }
        await directory.remove()
        state.withLock { $0.unpacking = nil }
        return outcomes
    }

    private func run(
        _ suites: [SuiteScenarios], for analysis: ImageAnalysis, by runtime: some ContainerRuntime,
        scratch: String, progress: RunProgress
    ) async -> [[String: ScenarioOutcome]] {
        let runner = ScenarioRunner(runtime: runtime, facts: analysis.facts, scratch: scratch)
        // Those that may take long begin first: one that begins last keeps everybody waiting.
        let scenarios = suites.indices.flatMap { suite in
            suites[suite].declarations.map { (suite: suite, declaration: $0) }
        }.sorted { $0.declaration.limit > $1.declaration.limit }
        progress.begin(.probes(image: "\(analysis.image.name)", count: scenarios.count))
        return await withTaskGroup(of: (Int, String, ScenarioOutcome).self) { group in
            var waiting = scenarios[...]
            var outcomes: [[String: ScenarioOutcome]] = suites.map { _ in [:] }
            func startNext() {
                guard !Task.isCancelled, let (suite, scenario) = waiting.popFirst() else { return }
                progress.beginScenario(scenario.name)
                let scope = suites[suite].scope
                group.addTask {
                    (suite, scenario.name, await ProbeRun.outcome(of: scenario, scope: scope, by: runner))
                }
            }
            for _ in 0..<max(1, settings.jobs) { startNext() }
            while let (suite, name, outcome) = await group.next() {
                progress.endScenario(name)
                outcomes[suite][name] = outcome
                startNext()
            }
            return outcomes
        }
    }

    private static func outcome(
        of scenario: ScenarioDeclaration, scope: Scope, by runner: ScenarioRunner
    ) async -> ScenarioOutcome {
        do throws(ProbeError) {
            return .observed(try await runner.run(scenario, scope: scope))
        } catch {
            let isUnavailable = error.kind == .unavailable
            return isUnavailable ? .skipped(reason: error.message) : .failed(reason: error.message)
        }
    }

    /// The directory that the image's tree is unpacked in, made when it is not there yet: one for each list of
    /// layers, whatever the config. Runs that unpack the same at the same time each fill a directory of their own; the
    /// first to be whole gets the name.
    ///
    /// A directory for each layer, stacked by overlays, would share layers between images, but for whiteouts that
    /// overlays want as devices or attributes, and at the price of a merge that the kernel makes and Assay did not
    /// judge.
    private func unpacked(
        _ analysis: ImageAnalysis, scratch: String, _ progress: RunProgress
    ) async throws -> String {
        let key = analysis.facts.layers.map(\.diffID.description).joined(separator: " ")
        let folder = UnpackedImages.folder(of: settings.cache)
        let place = "\(folder)/\(try Digester.digest(of: Array(key.utf8)).encoded)"
        if FileManager.default.fileExists(atPath: place) { return place }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let bytesRead = ReadProgress()
        let layers = analysis.image.layerInputs
        progress.begin(
            .layers(
                "unpacking \(analysis.image.name)", bytes: analysis.image.layerBytes, count: layers.count,
                bytesRead))
        do {
            if OCIRuntime.mapping.isEmpty {
                _ = try await RootFSWriter(preservesOwners: true).write(
                    analysis.facts.rootfs, layers: layers, to: place, limits: analysis.image.limits,
                    progress: bytesRead)
            } else {
                try await unpackMapped(analysis.image, to: place, scratch: scratch)
            }
        } catch {
            // A process that was ended leaves what it had written.
            await Leftovers.removeHalfUnpacked(cache: settings.cache)
            // Else another run was faster.
            guard FileManager.default.fileExists(atPath: place) else { throw error }
        }
        return place
    }

    /// Unpacks the image by another process, in the namespace where an ordinary user has the owners of its files.
    private func unpackMapped(_ image: Image, to place: String, scratch: String) async throws {
        var name = image.name
        let isFile = [.oci, .ociArchive, .dockerArchive, .directory].contains(name.transport)
        if !isFile || name.location == "-" {
            // What comes from a pipe or an engine cannot be read again.
            name = ImageName(.oci, "\(scratch)/layout")
            _ = try await LayoutWriter(directory: name.location).write(image, tag: nil)
        }
        let location = [name.transport.rawValue, name.location, name.selection].compactMap { $0 }
        try await OCIRuntime.runMapped(
            [
                settings.program, "unpack", "--platform", image.platform.description, "--config-digest",
                image.configDigest.description,
            ] + image.limits.settings.flatMap { ["--limit", $0] } + [
                location.joined(separator: ":"), place,
            ])
    }
}
