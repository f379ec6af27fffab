import Foundation
import Testing
import Verdict

extension ReferenceImageTests {
    /// The entrypoints of the releases that are documented to differ: each conforms as that of its own release.
    @Suite struct EntrypointGenerationTests {
        struct Generation: Sendable {
            let release: String
            /// What an image of the release has for a command.
            var command: [String]?
            /// Checks that do not apply.
            let notApplicable: Set<Int>
        }

        static let generations = [
            Generation(
                release: "1.10.12", command: ["--help"],
                notApplicable: [
                    6, 8, 10, 23, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 48, 49, 50,
                ]),
            Generation(
                release: "1.10.14", command: ["--help"],
                notApplicable: [
                    6, 8, 10, 22, 23, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 48, 49, 50,
                ]),
            Generation(
                release: "2.0.1", command: ["--help"],
                notApplicable: [6, 8, 10, 23, 32, 35, 43, 44, 45, 46, 48, 49, 50]),
            Generation(
                release: "2.0.2", command: ["--help"], notApplicable: [6, 9, 23, 32, 35, 43, 44, 45, 49, 50]),
            Generation(release: "2.1.2", notApplicable: [6, 9, 32, 35, 43, 50]),
            Generation(release: "2.1.3", notApplicable: [6, 9, 32, 35, 43, 50]),
            Generation(release: "2.10.2", notApplicable: [9, 35, 43]),
            Generation(release: "3.1.5", notApplicable: [9]),
            Generation(release: "3.3.0", notApplicable: [9]),
        ]

        @Test func conformsAsItsOwnRelease() async throws {
            let judged = try await judge(EntrypointGenerationTests.generations.map { ($0, $0.release) })
            for (generation, results) in zip(EntrypointGenerationTests.generations, judged) {
                for result in results.values.sorted(by: { $0.id < $1.id }) {
                    let isApplicable = !generation.notApplicable.contains(Int(result.id.suffix(3)) ?? 0)
                    #expect(
                        result.outcome == (isApplicable ? .pass : .notApplicable),
                        "\(generation.release): \(result.id): \(result.reason ?? "")")
                }
                #expect(results.count == 50)
            }
        }

        /// Taken for that of another release it fails by what changed between them, and by nothing else.
        @Test func failsAsThatOfAnother() async throws {
            let cases: [(release: String, other: String, checks: Set<Int>)] = [
                ("1.10.12", "2.0.1", [22, 33, 36, 37, 38, 39, 40]),
                ("2.0.1", "2.0.2", [8, 10, 11, 46, 48]),
                ("2.1.2", "2.10.2", [32, 39, 50]),
                ("2.10.2", "3.1.5", [35, 43]),
                ("3.1.5", "2.10.2", []),
            ]
            let judged = try await judge(
                cases.map { one in
                    let generation = EntrypointGenerationTests.generations.first { $0.release == one.release }
                    return (try #require(generation), one.other)
                })
            for (one, results) in zip(cases, judged) {
                let failed = results.values.filter { $0.outcome == .fail }
                #expect(
                    Set(failed.compactMap { Int($0.id.suffix(3)) }) == one.checks,
                    "\(one.release) as \(one.other): \(failed.map { "\($0.id) \($0.reason ?? "")" }.sorted())"
                )
            }
        }

        /// The results of each, by the check's id.
        private func judge(_ generations: [(Generation, release: String)]) async throws -> [[String:
            CheckResult]]
        {
            let script = try String(
                contentsOfFile: "\(projectRoot)/Tests/AcceptanceTests/Entrypoints/generations",
                encoding: .utf8
            )
            let suites = try generations.enumerated().map { index, one in
                try EntrypointSuite(
                    "generation-\(index)",
                    .init(
                        script: script.replacing("entrypoint=RELEASE", with: "entrypoint=\(one.0.release)"),
                        command: one.0.command, release: one.release))
            }
            let results = try await EntrypointSuite.results(of: suites, byRelease: true)
            return try suites.map { try #require(results[$0.name]) }
        }
    }
}
