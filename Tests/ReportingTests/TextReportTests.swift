import Testing
import Verdict

@testable import Reporting

struct TextReportTests {
    private func text(_ record: RunRecord, _ options: RenderOptions = RenderOptions()) -> String {
        String(decoding: TextReport.render(record, options: options), as: UTF8.self)
    }

    private func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    @Test func onlyKnownFailsConformAndAreCounted() {
        var run = CanonicalRun.run([.pass, .fail, .fail])
        run.baseline = BaselineComparison(file: "b", started: "2026-11-01T12:00:00Z", reference: "oci:b")
        for index in 1...2 { run.results[index].known = true }
        let known = text(CanonicalRun.record(images: [run]))
        #expect(known.hasPrefix("✓ CONFORMS"))
        #expect(known.contains("✗ 2 fail "))
        #expect(known.contains("2 known fails (baseline of 2026-11-01T12:00:00Z) do not count"))
        #expect(known.contains("KNOWN FAILS, BY CAUSE (2)") && !known.contains("FAILED, BY CAUSE"))
        #expect(known.contains("✗ C-1  check  [known]"))
        run.results[2].known = nil
        let new = text(CanonicalRun.record(images: [run]))
        #expect(new.hasPrefix("✗ DOES NOT CONFORM") && new.contains("\nFAILED, BY CAUSE (1)"))
    }

    @Test func parametersWithTheirDefaultsAreForTheVerboseReport() {
        let record = CanonicalRun.record
        #expect(!text(record).contains("AIRFLOW_UID=50000 (default)"))
        #expect(text(record, RenderOptions(verbose: true)).contains("AIRFLOW_UID=50000 (default)"))
        #expect(text(record).contains("INSTALL_MYSQL_CLIENT= (command line)"))
    }

    @Test(arguments: [
        ([Outcome.pass, .waived, .notApplicable], "✓ CONFORMS"),
        ([.pass, .fail, .error], "✗ DOES NOT CONFORM"),
        ([.pass, .error], "? COULD NOT BE JUDGED"), ([.skipped], "? COULD NOT BE JUDGED"),
        ([], "? COULD NOT BE JUDGED"),
    ])
    func theVerdictComesFirst(outcomes: [Outcome], words: String) {
        let one = CanonicalRun.record(images: [CanonicalRun.run(outcomes)])
        #expect(lines(text(one))[0] == "\(words)  oci:build/out")
        let two = CanonicalRun.record(images: [CanonicalRun.run(outcomes), CanonicalRun.run(outcomes)])
        #expect(lines(text(two))[0] == words)
    }

    @Test func noImageIsNoVerdict() {
        #expect(
            text(CanonicalRun.record(images: [])).hasPrefix("? COULD NOT BE JUDGED\n  no image was judged\n"))
    }

    @Test func anInterruptedRunIsMarked() {
        let record = CanonicalRun.record(images: [CanonicalRun.run([.pass])], complete: false)
        #expect(text(record).hasPrefix("? COULD NOT BE JUDGED"))
        #expect(text(record).contains("! the run was interrupted: the results are partial"))
    }

    @Test func aFailBelowTheThresholdIsNamed() {
        let record = CanonicalRun.record(images: [CanonicalRun.run([.fail], severity: .warning)])
        #expect(text(record).hasPrefix("✗ DOES NOT CONFORM"))
        let lenient = text(record, RenderOptions(failOn: .error))
        #expect(lenient.hasPrefix("✓ CONFORMS"))
        #expect(lenient.contains("! 1 of the fails is below the threshold \"error\" and does not count"))
    }

    @Test(arguments: [0, 40, 60, 80, 100, 200])
    func staysWithinTheWidth(width: Int) {
        for line in lines(text(CanonicalRun.record, RenderOptions(width: width))) {
            let fits = TextLayout.columns(String(line)) <= max(40, width)
            let words = line.split(separator: " ")
            let unbreakable = words.contains { TextLayout.columns(String($0)) > 16 } || words.count <= 2
            #expect(fits || unbreakable, "\(line)")
        }
    }

    @Test(arguments: [40, 100])
    func digestsAreNeverBroken(width: Int) {
        let report = text(CanonicalRun.record, RenderOptions(width: width))
        for digit in "abcf123" { #expect(report.contains(CanonicalRun.digest(digit))) }
    }

    @Test(arguments: [false, true])
    func nothingActsOnTheTerminal(verbose: Bool) {
        let report = text(CanonicalRun.record, RenderOptions(verbose: verbose))
        #expect(!report.unicodeScalars.contains { $0 != "\n" && SafeText.isControl($0) })
        #expect(report.contains(#"\x1b[31mred"#))
        #expect(report.contains(#"\x9b2J"#))
        #expect(report.contains(#"\u{202e}gpj.exe\u{2066}"#))
    }

    @Test(arguments: [40, 50, 60, 70, 80, 90, 100])
    func noLineIsACommandOfACILogReader(width: Int) {
        for space in [" ", "\u{3000}", "\u{A0}"] {
            var run = CanonicalRun.run([.fail])
            run.notes = [
                Note(
                    name: "name",
                    message: String(
                        repeating: "word ::error::injected\(space)::warning::too ##vso[task.x]y ##[error]z ",
                        count: 20))
            ]
            let report = text(CanonicalRun.record(images: [run]), RenderOptions(width: width))
            for line in lines(report) {
                #expect(!line.trimmingPrefix(while: \.isWhitespace).hasPrefix("::"))
            }
            #expect(!report.contains("##[") && !report.contains("##vso["))
            #expect(report.contains("#\\#vso[task.x]y"))
        }
    }

    @Test func colorOnlyUnderlines() {
        let plain = text(CanonicalRun.record)
        let color = text(CanonicalRun.record, RenderOptions(color: true))
        #expect(!plain.contains("\u{1B}"))
        #expect(color.contains("\u{1B}[31m✗ DOES NOT CONFORM"))
        #expect(color.replacing(/\u{1B}\[[0-9]*m/, with: "") == plain)
    }

    @Test func failsAreGroupedByCause() throws {
        let report = text(CanonicalRun.record(images: [CanonicalRun.hostileRun]))
        let headings = [
            "layer 1 of 3", "layer 2 of 3", "layer 3 of 3", "step without a layer", "no single step",
        ]
        let places = try headings.map { try #require(report.firstRange(of: "\n  \($0)")).lowerBound }
        #expect(places == places.sorted())
        let second = report[places[1]..<places[2]]
        #expect(second.contains("AIR-USER-001") && second.contains("AIR-FS-101"))
        #expect(second.contains("UID 1000") && !second.contains("owner 1000"))
        let third = report[places[2]..<places[3]]
        #expect(third.contains("AIR-USER-001") && third.contains("owner 1000"))
    }

    @Test func whatIsLeftOutIsCounted() {
        let report = text(CanonicalRun.record)
        #expect(report.contains("… 2 more findings"))
        #expect(!report.contains("/opt/airflow/dags/d12"))
        #expect(text(CanonicalRun.record, RenderOptions(verbose: true)).contains("/opt/airflow/dags/d12"))
        let long = text(CanonicalRun.longLine)
        #expect(long.utf8.count < 4000)
        #expect(long.contains("999400 more characters"))
        #expect(text(CanonicalRun.longLine, RenderOptions(verbose: true)).utf8.count > 2_000_000)
    }

    @Test func reasonsAreListedOnce() {
        let report = text(CanonicalRun.record)
        #expect(report.contains("- no container runtime on this machine: AIR-PROBE-002, AIR-PROBE-003"))
        #expect(report.contains("· only for release lines before 2.0: AIR-GOSU-001"))
        #expect(report.contains("  airflow.packages 1, airflow.user 1\n"))
    }

    @Test(arguments: [
        ("plain", 5), ("日本語", 6), ("e\u{301}", 1), ("😀", 2), ("\u{200B}", 0), ("ü", 1), ("한", 2), ("", 0),
    ])
    func columnsOfATerminal(text: String, columns: Int) {
        #expect(TextLayout.columns(text) == columns)
    }

    @Test func wrappingKeepsEverySpaceWithinALine() {
        #expect(TextLayout.wrap("a  b", width: 10) == ["a  b"])
        #expect(TextLayout.wrap("aaa bbb ccc", width: 7) == ["aaa bbb", "ccc"])
        #expect(TextLayout.wrap("aaaaaaaaaa b", width: 4) == ["aaaaaaaaaa", "b"])
        #expect(TextLayout.wrap("", width: 4) == [""])
        #expect(TextLayout.wrap("aaa  bbb", width: 4) == ["aaa", "bbb"])
    }

    @Test func fittingSaysHowMuchIsMissing() {
        let fitted = TextLayout.fit(String(repeating: "日", count: 100), width: 40)
        #expect(fitted == "日日日日日日日日日… 91 more characters")
        #expect(TextLayout.fit("short", width: 40) == "short")
    }

    @Test(arguments: [
        ("", false), ("#", false), ("a#b#", false), ("##", true), ("# ##", true), ("a ##b", true),
        ("é##", true),
    ])
    func aPatternIsFoundWhereverItIs(text: String, isThere: Bool) {
        #expect(SafeText.has("##", in: text) == isThere)
    }

    @Test(arguments: [
        ("::error::x", "\\::error::x"), (" ::x", "\\ ::x"), ("\u{2003}::x", "\\\u{2003}::x"),
        ("a::x", "a::x"),
        ("##[error]x", "#\\#[error]x"), ("a ##vso[x]", "a #\\#vso[x]"), ("# buildkit", "# buildkit"),
        ("é", "é"), ("", ""),
    ])
    func aLineIsNoCommand(line: String, inert: String) {
        #expect(SafeText.inert(line) == inert)
    }
}
