import Testing
import Verdict

@testable import Reporting

struct TAPReportTests {
    /// The lines that are no diagnostics.
    private func tests(_ record: RunRecord, failOn: Severity = .warning) throws -> [Substring] {
        try text(.tap, record, RenderOptions(failOn: failOn)).split(separator: "\n")
            .filter { !$0.hasPrefix(" ") && !$0.hasPrefix("#") }
    }

    @Test func everyOutcomeHasItsWord() throws {
        #expect(
            try tests(.of(everyKind)) == [
                "TAP version 13", "1..9", "ok 1 - PASS title", "not ok 2 - FAIL title",
                "not ok 3 - WARN title", "not ok 4 - INFO title # TODO below the threshold warning",
                "not ok 5 - KNOWN title # TODO known, in the baseline",
                "not ok 6 - WAIVED title # TODO waived: until 2027-01-31 by ops: later",
                "not ok 7 - ERROR title", "ok 8 - SKIPPED title # SKIP skipped: deselected",
                "ok 9 - NA title # SKIP not applicable: only for others",
            ])
    }

    @Test func theThresholdSaysWhatIsToDo() throws {
        #expect(try tests(.of(everyKind), failOn: .info)[5] == "not ok 4 - INFO title")
        #expect(try tests(.of(everyKind), failOn: .error)[4].hasSuffix("# TODO below the threshold error"))
    }

    @Test func diagnosticsAreABlockOfYAML() throws {
        let record = RunRecord.of([.of("A", .fail, findings: [.of("/a \"b\" \\c")])])
        #expect(
            try text(.tap, record).hasSuffix(
                """
                not ok 1 - A title
                  ---
                  message: "path /a \\"b\\" \\\\c: expected there, observed not there"
                  severity: error
                  suite: "suites/g.yaml:7:5"
                  source: "handbook"
                  remedy: "mend it"
                  findings:
                    - subject: "path /a \\"b\\" \\\\c"
                      expected: "there"
                      observed: "not there"
                      cause: "layer 2 of 0, \(CanonicalRun.digest("2")), RUN make"
                  ...

                """))
    }

    @Test func whatYAMLForbidsIsEscaped() throws {
        let record = RunRecord.of([.of("A", .fail, findings: [.of("a\u{FFFE}\u{FFFF}\u{85}\n")])])
        #expect(
            try text(.tap, record).contains(
                #"- subject: "path a\\u{fffe}\\u{ffff}\\x85\\n""#))
    }

    @Test func listsAreBoundedAndCounted() throws {
        var finding = Finding.of("/a")
        finding.details = (1...13).map { "d\($0)" }
        let output = try text(
            .tap, .of([.of("A", .fail, findings: Array(repeating: finding, count: 12))]))
        #expect(output.split(separator: "    - subject:").count == 11)
        #expect(output.contains("        - \"3 more\"\n"))
        #expect(output.contains("  more: \"2 more findings; the JSON report has all\"\n"))
    }

    @Test func aTitleIsNoDirective() throws {
        #expect(
            try tests(.of([.of("A", .fail, title: ##"x # SKIP y \# TODO"##)])).last
                == ##"not ok 1 - A x \# SKIP y \\\# TODO"##)
    }

    @Test(arguments: Sample.allCases)
    func everyLineIsOfTheFormat(sample: Sample) throws {
        let lines = try text(.tap, sample.record).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "TAP version 13" && lines.last?.isEmpty == true)
        var number = 0
        for line in lines.dropFirst(2).dropLast() {
            if line.firstMatch(of: /^(?:not )?ok (\d+) - ./) != nil { number += 1 }
            #expect(
                line.hasPrefix("# ") || line.hasPrefix("  ")
                    || line.firstMatch(of: /^(not )?ok \d+ - ./) != nil)
        }
        #expect(lines[1] == "1..\(number)")
    }

    @Test(arguments: [Sample.noImage, .noCheck, .nothingEvaluated])
    func aRunThatProvesNothingIsNotOK(sample: Sample) throws {
        #expect(try #require(tests(sample.record).last).contains(/^not ok \d+ - no check was evaluated/))
    }

    @Test func severalImagesAreNamed() throws {
        let all = try tests(.of([.of("A", .pass)], on: ["oci:a", "oci:b"]))
        #expect(
            all.suffix(2) == ["ok 1 - A title [oci:a linux/amd64]", "ok 2 - A title [oci:b linux/amd64]"])
    }
}
