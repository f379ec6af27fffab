import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel
import Testing
import Verdict

/// SIGKILL at any moment: a name that is final has all of its content, and the next run is right.
@Suite(.serialized) struct KillTests {
    private static let kills = 100
    private let directory: TemporaryDirectory
    /// Three layers, large enough for a run to be met while it reads or writes each of them.
    private let layout: String
    private let suite: String

    init() throws {
        directory = try TemporaryDirectory()
        var image = ImageBuilder()
        for layer in 0..<3 {
            image.addLayer(createdBy: "RUN make \(layer)") { tar in
                tar.add("opt/", .directory)
                for file in 0..<200 {
                    // Nothing that compresses well.
                    var state = UInt32(layer * 1000 + file + 1)
                    tar.add(
                        "opt/\(layer)-\(file)",
                        content: (0..<8_000).map { _ in
                            state = state &* 1_664_525 &+ 1_013_904_223
                            return UInt8(truncatingIfNeeded: state >> 24)
                        })
                }
            }
        }
        layout = "oci:\(try directory.write(try image.layoutFiles(), below: "layout"))"
        let checks = """
            suite: kills
            title: Example
            checks:
              - {id: T-1, title: a file of the first layer, expect: {path: /opt/0-0, type: file}}
              - {id: T-2, title: a file of the last layer, expect: {path: /opt/2-199, type: file}}
            """
        suite = try directory.write(Array(checks.utf8), to: "kills.yaml")
    }

    /// Runs a command whole, and then again and again with a kill a little later each time.
    ///
    /// - Parameters:
    ///   - prepare: makes a run begin from nothing; not before each.
    ///   - look: looks at what the killed run left.
    private func kill(
        _ arguments: [String], environment: [String: String?] = [:], prepare: () throws -> Void,
        look: (String) async throws -> Void
    ) async throws {
        var duration = Duration.seconds(2)
        for _ in 0..<3 {
            try prepare()
            let start = ContinuousClock.now
            let whole = try await Assay.run(arguments, environment: environment)
            try #require(whole.code == 0, "\(whole)")
            duration = min(duration, start.duration(to: .now))
        }
        for number in 0..<KillTests.kills {
            if number % 2 == 0 { try prepare() }
            let tool = try RunningTool(Setting.binary.value(), arguments, environment: environment)
            // Up to a little after the usual end.
            try await Task.sleep(for: duration * (Double(number + 1) / Double(KillTests.kills) * 1.2))
            tool.signal(SIGKILL)
            let code = try await tool.result(within: 300).code
            #expect(code == 137 || code == 0)
            try await look("kill \(number)")
        }
    }

    @Test func aKilledCheckLeavesNoHalfOfAReportOrOfTheCache() async throws {
        let (cache, report) = ("\(directory.path)/cache", "\(directory.path)/report.json")
        let arguments = ["check", layout, "--suite", suite, "--report", "json=\(report)"]
        let files = FileManager.default
        try await kill(arguments, environment: ["XDG_CACHE_HOME": cache]) {
            try? files.removeItem(atPath: cache)
        } look: { moment in
            if files.fileExists(atPath: report) {
                let record = try JSONDecoder().decode(
                    RunRecord.self, from: Data(try directory.read("report.json")))
                #expect(record.complete, "\(moment)")
                try files.removeItem(atPath: report)
            }
            let next = try await Assay.record(
                [layout, "--suite", suite], environment: ["XDG_CACHE_HOME": cache])
            #expect(next.images.flatMap(\.results).map(\.outcome) == [.pass, .pass], "\(moment)")
        }
    }

    @Test func aKilledSaveLeavesNoHalfOfABlob() async throws {
        let copy = "\(directory.path)/copy"
        let files = FileManager.default
        try await kill(["save", layout, "oci:\(copy):copy"]) {
            try? files.removeItem(atPath: copy)
        } look: { moment in
            let blobs = (try? files.contentsOfDirectory(atPath: "\(copy)/blobs/sha256")) ?? []
            for name in blobs where name.utf8.count == 64 {
                let bytes = try directory.read("copy/blobs/sha256/\(name)")
                #expect(try Digester.digest(of: bytes).encoded == name, "\(moment)")
            }
            if files.fileExists(atPath: "\(copy)/index.json") {
                _ = try JSON(parsing: try directory.read("copy/index.json"), limits: .manifest)
            }
            let next = try await Assay.run("save", layout, "oci:\(copy):copy")
            #expect(next.code == 0, "\(moment): \(next)")
            let record = try await Assay.record(["oci:\(copy):copy", "--suite", suite])
            #expect(record.images.flatMap(\.results).map(\.outcome) == [.pass, .pass], "\(moment)")
        }
    }
}
