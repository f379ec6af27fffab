import Testing
import Verdict

@testable import Reporting

struct GitHubReportTests {
    /// A command as GitHub's runner reads it.
    private struct Command: Equatable {
        var name: String
        var properties: [String: String]
        var message: String

        init?(_ line: Substring) {
            guard let match = line.wholeMatch(of: /::([a-z-]+)(?: ([^:]*))?::(.*)/) else { return nil }
            name = String(match.1)
            properties = [:]
            for pair in (match.2 ?? "").split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                properties[String(parts[0])] = Command.unescaped(String(parts.last ?? ""), isProperty: true)
            }
            message = Command.unescaped(String(match.3), isProperty: false)
        }

        private static func unescaped(_ text: String, isProperty: Bool) -> String {
            var text = text
            if isProperty { text = text.replacing("%3A", with: ":").replacing("%2C", with: ",") }
            return text.replacing("%0D", with: "\r").replacing("%0A", with: "\n").replacing("%25", with: "%")
        }
    }

    private func lines(_ record: RunRecord, anchor: String? = nil) throws -> [Substring] {
        try text(.github, record, RenderOptions(anchor: anchor.map { RepositoryFile(path: $0) })).split(
            separator: "\n")
    }

    private func commands(_ record: RunRecord, anchor: String? = nil) throws -> [Command] {
        let lines = try lines(record, anchor: anchor)
        let commands = lines.compactMap { Command($0) }
        // All but the last line.
        #expect(commands.count == lines.count - 1)
        return commands
    }

    @Test func everyResultHasItsLevel() throws {
        let commands = try commands(.of(everyKind))
        #expect(
            commands.map { "\($0.name) \($0.properties["title"] ?? "")" } == [
                "error FAIL title", "error ERROR title", "warning WARN title", "notice INFO title",
                "notice KNOWN title", "notice WAIVED title",
            ])
        #expect(commands[0].properties["file"] == "suites/g.yaml" && commands[0].properties["line"] == "7")
        #expect(
            commands[0].message
                == "path /fail: expected there, observed not there\ncause: layer 2 of 0, \(CanonicalRun.digest("2")), RUN make\nremedy: mend it\nsource: handbook\nsuite: suites/g.yaml:7:5"
        )
        #expect(commands[1].message.hasPrefix("could not be decided: the file was not kept"))
        #expect(commands[4].message.hasPrefix("known, in the baseline: "))
        #expect(commands[5].message.hasPrefix("waived: until 2027-01-31 by ops: later\npath /waived"))
    }

    @Test func theLastLineIsTheVerdictAndNoCommand() throws {
        #expect(
            try lines(.of(everyKind)).last
                == "assay: DOES NOT CONFORM, 1 pass, 4 fail, 1 error, 1 not applicable, 1 skipped, 1 waived")
        #expect(
            try lines(.of([.of("A", .pass)])) == [
                "assay: CONFORMS, 1 pass, 0 fail, 0 error, 0 not applicable, 0 skipped, 0 waived"
            ])
    }

    @Test func theAnchorIsWhereAnnotationsAre() throws {
        let commands = try commands(.of(everyKind), anchor: "build/Dockerfile")
        #expect(
            commands.allSatisfy {
                $0.properties["file"] == "build/Dockerfile" && $0.properties["line"] == "1"
            })
    }

    @Test(arguments: [10, 11, 25])
    func tenOfALevelAreShown(count: Int) throws {
        let fails = (1...count).map { CheckResult.of("F-\($0)", .fail) }
        let commands = try commands(.of(fails + [.of("W", .fail, severity: .warning)]))
        #expect(commands.filter { $0.name == "error" }.count == 10)
        #expect(commands.last?.name == "warning")
        if count > 10 {
            #expect(commands[9].properties["title"] == "\(count - 9) more of this level")
            #expect(
                commands[9].message.contains("F-10 title") && commands[9].message.contains("F-\(count) title")
            )
        } else {
            #expect(commands[9].properties["title"] == "F-10 title")
        }
    }

    @Test func whatIsEscapedComesBack() throws {
        let title = "100% of a:b,c; ::error::x, %0A %25"
        let command = try #require(
            try commands(.of([.of("A", .fail, title: title, findings: [.of(title)])])).first)
        #expect(command.properties["title"] == "A \(title)")
        #expect(command.message.hasPrefix("path \(title): expected there"))
    }

    @Test(arguments: Sample.allCases)
    func noLineBeginsACommandOfAnImage(sample: Sample) throws {
        for line in try lines(sample.record) {
            if line.hasPrefix("assay: ") { continue }
            let command = try #require(Command(line))
            #expect(["error", "warning", "notice"].contains(command.name))
            #expect(!line.contains("##["))
            #expect(line.utf8.count < 30_000)
        }
    }

    @Test func whatTheRunCouldNotTellIsAnError() throws {
        let record = CanonicalRun.record(
            images: [], complete: false,
            unreadable: [UnreadableImage(reference: "oci:x", reason: "damaged", hint: nil)])
        let commands = try commands(record)
        #expect(
            commands.map { $0.properties["title"] } == [
                "the image could not be judged: oci:x", "the run is incomplete",
            ])
        #expect(commands.allSatisfy { $0.name == "error" && $0.properties["file"] == nil })
    }

    @Test func warningsOfTheRunAreWarnings() throws {
        let commands = try commands(CanonicalRun.record)
        #expect(
            commands.contains {
                $0.name == "warning" && $0.message.contains("AIR-USR-001 at waivers.yaml:12:5 is not needed")
            })
        #expect(
            try self.commands(CanonicalRun.merged).contains {
                $0.message.hasPrefix("runs on one image do not agree on ")
            })
    }
}
