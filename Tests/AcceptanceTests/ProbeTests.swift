import Foundation
import Testing
import Verdict

extension ReferenceImageTests {
    /// What the reference images do when they are run.
    @Suite struct ProbeTests {
        @Test(arguments: [Setting.referenceImage, .referenceImage3])
        func everyProbeIsDecided(setting: Setting) async throws {
            let image = try #require(
                try await Assay.record([setting.value()], only: "probe").images.first)
            let results = image.results.filter { $0.reason?.contains("not selected") != true }
            #expect(results.count >= 60)
            for result in results {
                #expect(
                    result.outcome == .pass || result.outcome == .notApplicable,
                    "\(result.id): \(result.outcome) \(result.reason ?? "")")
            }
            for transcript in image.transcripts ?? [] {
                #expect(transcript.runtime == "oci" && !transcript.containers.isEmpty, "\(transcript)")
            }
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            #expect(!mounts.contains("/assay/run/"), "something is still mounted")
        }

        /// Of a run by the letter of the document: what is known to differ fails, and nothing else.
        @Test func theLetterOfTheDocumentDiffers() async throws {
            let result = try await Assay.run(
                "check", ReferenceImage.reference(), "--only", EntrypointSuite.group, "--documented",
                "--report",
                "json")
            let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
            let failed = record.images.flatMap(\.results).filter { $0.outcome == .fail }
            #expect(failed.map(\.id) == ["AIR-ENTRY-024", "AIR-ENTRY-031"])
        }
    }
}
