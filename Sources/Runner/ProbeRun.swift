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
import Verdict

/// Runs the scenarios that the suites' checks look at, for one image.
struct ProbeRun: Sendable {
    /// Scenarios that run side by side.
    var jobs: Int
    /// The directory of what is unpacked and made; kept between runs.
    var cache: String

    /// - Returns: what came of each scenario, by its name; nothing is left of it but the unpacked image.
    func outcomes(
        of scenarios: [ScenarioDeclaration], scope: Scope, for analysis: ImageAnalysis
    ) async -> [String: ScenarioOutcome] {
        func all(_ outcome: ScenarioOutcome) -> [String: ScenarioOutcome] {
            Dictionary(scenarios.map { ($0.name, outcome) }, uniquingKeysWith: { $1 })
        }
        if scenarios.isEmpty { return [:] }
        if let reason = OCIRuntime.unavailable {
            return all(.skipped(reason: "containers cannot be run here: \(reason)"))
        }
        let scratch = "\(cache)/run/\(getpid())"
        let runner: ScenarioRunner
        do {
            let rootfs = try await unpacked(analysis)
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            runner = ScenarioRunner(
                runtime: OCIRuntime(rootfs: rootfs, scratch: scratch), facts: analysis.facts, scratch: scratch
            )
        } catch {
            return all(.failed(reason: "the image could not be unpacked to run it: \(error)"))
        }
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        return await withTaskGroup(of: (String, ScenarioOutcome).self) { group in
            var waiting = scenarios[...]
            var outcomes: [String: ScenarioOutcome] = [:]
            func startNext() {
                guard let scenario = waiting.popFirst() else { return }
                group.addTask {
                    (scenario.name, await ProbeRun.outcome(of: scenario, scope: scope, by: runner))
                }
            }
            for _ in 0..<max(1, jobs) { startNext() }
            while let (name, outcome) = await group.next() {
                outcomes[name] = outcome
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
            return .failed(reason: error.message)
        }
    }

    /// The directory that the image's tree is unpacked in, made when it is not there yet: one for each list of
    /// layers, whatever the config.
    private func unpacked(_ analysis: ImageAnalysis) async throws -> String {
        let key = analysis.facts.layers.map(\.diffID.description).joined(separator: " ")
        let place = "\(cache)/rootfs/\(try Digester.digest(of: Array(key.utf8)).encoded)"
        if FileManager.default.fileExists(atPath: place) { return place }
        try FileManager.default.createDirectory(
            atPath: "\(cache)/rootfs", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        do {
            _ = try await RootFSWriter(preservesOwners: true).write(
                analysis.facts.rootfs, layers: analysis.image.layerInputs, to: place)
        } catch  where FileManager.default.fileExists(atPath: place) {
            // Another run was faster.
        }
        return place
    }
}
