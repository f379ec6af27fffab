import Foundation
import Testing
import Verdict

extension ReferenceImageTests {
    /// Images that break one statement each: the checks of that statement fail, and no other one does.
    @Suite struct MutantTests {
        struct Mutant: Sendable, CustomTestStringConvertible {
            let name: String
            /// The checks that fail, those of severity info too.
            let checks: Set<String>
            /// What the guilty instruction has in it.
            let instruction: String
            var testDescription: String { name }
        }

        static let mutants = [
            // The group beside GID 0 is a fail of its own: it came back with the primary group.
            Mutant(
                name: "airflow-gid", checks: ["AIR-USER-001", "AIR-USER-004"],
                instruction: "sed -i '/^airflow:/s/:0:/:50000:/' /etc/passwd"),
            Mutant(name: "no-dags", checks: ["AIR-FS-002"], instruction: "rmdir \"${AIRFLOW_HOME}/dags\""),
            // build-essential has gcc, g++ and make, but not cmake, and libc6-dev and others for development.
            Mutant(
                name: "build-essential",
                checks: ["AIR-TOOL-001", "AIR-TOOL-002", "AIR-TOOL-003", "AIR-TOOL-004", "AIR-TOOL-006"],
                instruction: "apt_install build-essential"),
            // Python's driver stays: AIR-MYSQL-004 passes.
            Mutant(
                name: "no-mysql-client", checks: ["AIR-MYSQL-001", "AIR-MYSQL-002", "AIR-MYSQL-003"],
                instruction: "purge --quiet=2 --yes --autoremove"),
            Mutant(name: "workdir", checks: ["AIR-RUN-004"], instruction: "WORKDIR /opt"),
            Mutant(name: "root", checks: ["AIR-USER-006", "AIR-USER-007"], instruction: "USER root"),
        ]

        @Test func thereAreTestsOfAllMutants() throws {
            let folders = try FileManager.default.contentsOfDirectory(
                atPath: "\(projectRoot)/ReferenceImage/mutants")
            #expect(folders.sorted() == MutantTests.mutants.map(\.name).sorted())
        }

        @Test(arguments: mutants) func failsExactlyTheChecksThatSaySo(mutant: Mutant) async throws {
            let record = try await Assay.record([try reference(of: mutant.name)], code: 1)
            let results = try #require(record.images.first).results
            #expect(Set(results.filter { $0.outcome == .fail }.map(\.id)) == mutant.checks)
            #expect(results.filter { $0.outcome == .error }.map(\.id) == [])
            for result in results where result.outcome == .fail {
                let instructions = result.findings.map { $0.provenance?.instruction ?? "none" }
                #expect(!instructions.isEmpty, "\(result.id)")
                #expect(
                    instructions.contains { $0.contains(mutant.instruction) },
                    "\(result.id) blames \(instructions)")
                #expect(
                    result.findings.allSatisfy { !$0.expected.isEmpty && !$0.observed.isEmpty },
                    "\(result.id)")
                #expect(result.position.line > 0 && result.position.file.hasSuffix(".yaml"), "\(result.id)")
            }
        }

        /// Everything else is as in the reference image.
        @Test(arguments: mutants) func changesNoOtherOutcome(mutant: Mutant) async throws {
            let expected = try await MutantTests.referenceOutcomes.value
            let record = try await Assay.record([try reference(of: mutant.name)], code: 1)
            let results = try #require(record.images.first).results
            for result in results where !mutant.checks.contains(result.id) {
                #expect(result.outcome == expected[result.id], "\(result.id): \(result.reason ?? "")")
            }
        }

        @Test func theTextReportNamesTheGuiltyInstruction() async throws {
            let result = try await Assay.run("check", try reference(of: "no-dags"))
            #expect(result.code == 1, "\(result)")
            #expect(result.output.contains("AIR-FS-002") && result.output.contains("rmdir"), "\(result)")
        }

        private static let referenceOutcomes = Task {
            let record = try await Assay.record([try ReferenceImage.reference()])
            return Dictionary(
                record.images.flatMap(\.results).map { ($0.id, $0.outcome) },
                uniquingKeysWith: { first, _ in first })
        }

        private func reference(of name: String) throws -> String {
            let lines = try Setting.mutants.value().split(separator: "\n")
            let line = try #require(
                lines.first { $0.hasPrefix("\(name)=") }, "scripts/test gave no mutant \(name)")
            return String(line.dropFirst(name.count + 1))
        }
    }
}
