import AssayTestSupport
import Foundation
import Glibc
import Testing
import Verdict

extension ReferenceImageTests {
    /// What the reference images do when they are run.
    @Suite struct ProbeTests {
        private func expectDecided(_ record: RunRecord, by runtime: String, atLeast count: Int) {
            let results = record.images.flatMap(\.results).filter {
                $0.reason?.contains("not selected") != true
            }
            #expect(results.count >= count)
            for result in results {
                #expect(
                    result.outcome == .pass || result.outcome == .notApplicable,
                    "\(runtime): \(result.id): \(result.outcome) \(result.reason ?? "")")
            }
            for transcript in record.images.flatMap({ $0.transcripts ?? [] }) {
                #expect(transcript.runtime == runtime && !transcript.containers.isEmpty, "\(transcript)")
            }
        }

        private func expectNothingMounted() throws {
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            #expect(!mounts.contains("/assay/run/"), "something is still mounted")
        }

        @Test func everyProbeIsDecidedByDockerAsByOCI() async throws {
            let reference = try ReferenceImage.reference()
            let own = try await Assay.record([reference, "--runtime", "oci"], only: "probe")
            expectDecided(own, by: "oci", atLeast: 60)
            try expectNothingMounted()

            let directory = try TemporaryDirectory()
            let docker = try await TestedRuntime(
                .docker, below: directory.path, dockerData: try await ReferenceImage.form("docker-engine"))
            let record = try await docker.record([reference, "--only", "probe"])
            expectDecided(record, by: "docker", atLeast: 60)
            #expect(record.differences(from: own) == [])
            #expect(try await docker.leftovers(marker: "no such") == [])
            try await docker.stop()
        }

        @Test func everyProbeOfTheNextReleaseIsDecided() async throws {
            expectDecided(
                try await Assay.record(
                    [try Setting.referenceImage3.value(), "--runtime", "oci"], only: "probe"),
                by: "oci", atLeast: 60)
            try expectNothingMounted()
        }

        @Test(arguments: [TestedRuntime.Kind.ordinaryUser, .podman])
        func theEntrypointIsJudgedTheSame(kind: TestedRuntime.Kind) async throws {
            let own = try await Assay.record(
                [try ReferenceImage.reference(), "--runtime", "oci"], only: EntrypointSuite.group)
            let directory = try TemporaryDirectory()
            let runtime = try await TestedRuntime(kind, below: directory.path)
            let record = try await runtime.record(
                [try await readableReference(below: directory.path), "--only", EntrypointSuite.group])
            expectDecided(record, by: kind == .podman ? "podman" : "oci", atLeast: 40)
            #expect(record.differences(from: own) == [])
            #expect(try await runtime.leftovers(marker: "no such") == [])
            try await runtime.stop()
        }

        /// The reference image where every account may read it.
        private func readableReference(below directory: String) async throws -> String {
            let reference = try ReferenceImage.reference().dropFirst("oci:".count)
            let colon = try #require(reference.lastIndex(of: ":"))
            let copy = "\(directory)/layout"
            // Links where they can be made.
            _ = try await output(
                of: "sh",
                [
                    "-c", #"cp -r --link "$1" "$2" 2>/dev/null || { rm -rf "$2" && cp -r "$1" "$2"; }"#, "sh",
                    String(reference[..<colon]), copy,
                ])
            return "oci:\(copy)\(reference[colon...])"
        }

        /// A signal while an image is given to an engine.
        @Test(arguments: [TestedRuntime.Kind.docker, .podman])
        func aSignalBeforeTheFirstContainerLeavesNothing(kind: TestedRuntime.Kind) async throws {
            let directory = try TemporaryDirectory()
            let runtime = try await TestedRuntime(kind, below: directory.path)
            let reference = try await readableReference(below: directory.path)
            let tool = try runtime.start(runtime.check([reference, "--only", EntrypointSuite.group]))
            func hasBegun() -> Bool { runtime.ownProcesses.contains { $0.contains(" load ") } }
            try await tool.reaches("the engine's load", hasBegun)
            let start = ContinuousClock.now
            tool.signal(SIGINT)
            let result = try await tool.result(within: 300)
            #expect(ContinuousClock.now - start < promptly)
            #expect(result.code == 130, "\(result)")
            #expect(try await runtime.leftovers(marker: "no such") == [])
            try await runtime.stop()
        }

        /// A signal while the image is unpacked for the first time: a disk may take long to remove what is there.
        @Test func aSignalWhileTheImageIsUnpackedLeavesNothingButTheCache() async throws {
            let directory = try TemporaryDirectory()
            let runtime = try await TestedRuntime(.oci, below: directory.path)
            let tool = try runtime.start(
                runtime.check([try ReferenceImage.reference(), "--only", EntrypointSuite.group]))
            try await tool.reaches("unpacking") { !runtime.halfUnpacked.isEmpty }
            // Time enough for some thousand files.
            try await Task.sleep(for: .seconds(2))
            let start = ContinuousClock.now
            tool.signal(SIGINT)
            let result = try await tool.result(within: 300)
            #expect(ContinuousClock.now - start < promptly)
            #expect(result.code == 130, "\(result)")
            let cached = runtime.halfUnpacked.map { "directory \(URL(filePath: $0).lastPathComponent)" }
            #expect(try await runtime.leftovers(marker: "no such").filter { !cached.contains($0) } == [])
            let cleaned = try await runtime.start(["doctor", "--clean"]).result()
            #expect(cleaned.code == 0, "\(cleaned)")
            #expect(runtime.halfUnpacked == [])
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
