import Foundation
import Glibc
import Testing
import Verdict

/// Signals in the middle of a run.
@Suite struct InterruptionTests {
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)])
    func aSignalLeavesAPartialReportThatSaysSo(number: Int32, code: Int32) async throws {
        let image = try SmallImage()
        let report = "\(image.directory.path)/partial.json"
        let pipe = try Pipe()
        let tool = try RunningTool(
            Setting.binary.value(),
            ["check", image.layout, "-", "--suite", image.good, "--report", "json=\(report)"],
            input: .descriptor(pipe.reading))
        // More than a pipe holds: once it is written, the tool has judged the first image and reads the second one.
        try await pipe.fill(bytes: 1 << 20)
        tool.signal(number)
        let result = try await tool.result(within: 60)
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
        let pipe = try Pipe()
        let tool = try RunningTool(
            Setting.binary.value(), ["check", "-", "--suite", image.good, "--report", "junit"],
            input: .descriptor(pipe.reading))
        try await pipe.fill(bytes: 1 << 20)
        tool.signal(SIGINT)
        let result = try await tool.result(within: 60)
        #expect(result.code == 130, "\(result)")
        #expect(result.output.contains("the run is incomplete"), "\(result)")
    }

    /// Commands that make no report end as the shell expects of them.
    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)])
    func otherCommandsEndBySignals(number: Int32, code: Int32) async throws {
        let pipe = try Pipe()
        let tool = try RunningTool(Setting.binary.value(), ["inspect", "-"], input: .descriptor(pipe.reading))
        try await pipe.fill(bytes: 1 << 20)
        tool.signal(number)
        #expect(try await tool.result(within: 60).code == code)
    }
}

/// A pipe whose writing end stays open, so that the reader never sees the end.
private final class Pipe: Sendable {
    let reading: Int32
    private let writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw ToolError(description: String(cString: strerror(errno))) }
        (reading, writing) = (ends[0], ends[1])
        // A reader that is gone is seen by what write returns.
        Glibc.signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        close(reading)
        close(writing)
    }

    /// Returns when all but what the pipe holds has been read.
    func fill(bytes: Int) async throws {
        let isWritten = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let block = [UInt8](repeating: 0x20, count: 4096)
                var rest = bytes
                while rest > 0 {
                    let count = write(self.writing, block, min(rest, block.count))
                    if count < 0, errno != EINTR { break }
                    rest -= max(0, count)
                }
                continuation.resume(returning: rest == 0)
            }
        }
        guard isWritten else { throw ToolError(description: "the reader of the pipe is gone") }
    }
}
