import Foundation
import Glibc
import Testing
import Verdict

/// Signals in the middle of a run.
@Suite struct InterruptionTests {
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func aSignalLeavesAPartialReportThatSaysSo(number: Int32, code: Int32) async throws {
        let image = try SmallImage()
        let report = "\(image.directory.path)/partial.json"
        let pipe = try NamedPipe()
        let tool = try RunningTool(
            Setting.binary.value(),
            ["check", image.layout, "-", "--suite", image.good, "--report", "json=\(report)"],
            input: .descriptor(pipe.reading))
        // More than a pipe holds: once it is written, the tool has judged the first image and reads the second one.
        try await pipe.fill(bytes: 1 << 20)
        tool.signal(number)
        let result = try await tool.result(within: 300)
        #expect(result.code == code, "\(result)")
        #expect(result.errors == "assay: error: interrupted; the report is incomplete\n", "\(result)")
        let record = try JSONDecoder().decode(
            RunRecord.self, from: Data(try image.directory.read("partial.json")))
        #expect(!record.complete)
        #expect(record.images.count == 1)
        #expect(record.images.first?.results.map(\.outcome) == [.pass, .pass])
    }

    @Test func aSignalBeforeAnythingWasJudgedIsNoVerdictEither() async throws {
        let image = try SmallImage()
        let pipe = try NamedPipe()
        let tool = try RunningTool(
            Setting.binary.value(), ["check", "-", "--suite", image.good, "--report", "junit"],
            input: .descriptor(pipe.reading))
        try await pipe.fill(bytes: 1 << 20)
        tool.signal(SIGINT)
        let result = try await tool.result(within: 300)
        #expect(result.code == 130, "\(result)")
        #expect(result.output.contains("the run is incomplete"), "\(result)")
    }

    /// Commands that make no report end as the shell expects of them.
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func otherCommandsEndBySignals(number: Int32, code: Int32) async throws {
        let pipe = try NamedPipe()
        let tool = try RunningTool(
            Setting.binary.value(), ["inspect", "-"], input: .descriptor(pipe.reading))
        try await pipe.fill(bytes: 1 << 20)
        tool.signal(number)
        #expect(try await tool.result(within: 300).code == code)
    }
}
