import Reporting
import Testing
import Verdict

struct JSONReportTests {
    @Test func readsBackWhatItWrote() throws {
        let record = CanonicalRun.record
        let read = try JSONReport.decode(JSONReport.render(record))
        #expect(read == record)
    }

    @Test func readsBackALongLine() throws {
        let read = try JSONReport.decode(JSONReport.render(CanonicalRun.longLine))
        #expect(read.images[0].results[0].findings[0].observed.utf8.count == 1_000_000)
    }

    @Test func writesEveryControlAsAnEscape() throws {
        let text = String(decoding: try JSONReport.render(CanonicalRun.record), as: UTF8.self)
        let raw = text.unicodeScalars.filter {
            $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.isBidiControl)
        }
        #expect(raw.isEmpty)
        #expect(text.contains(#"\u001b[31mred"#))
        #expect(text.contains(#"\u009b2J"#))
        #expect(text.contains(#"\u202egpj.exe"#))
        #expect(text.contains("</script>"))
    }

    @Test func refusesANewerVersion() throws {
        var record = CanonicalRun.record
        record.version = 2
        let bytes = try JSONReport.render(record)
        let error = #expect(throws: ReportError.self) { try JSONReport.decode(bytes) }
        #expect(error?.kind == .newerVersion)
        #expect(error?.message.contains("version 2, this tool reads up to version 1") == true)
    }

    @Test func refusesANewerVersionWhoseOtherKeysAreUnknown() {
        let error = #expect(throws: ReportError.self) {
            try JSONReport.decode(#"{"version": 7, "everything": "else"}"#.utf8)
        }
        #expect(error?.kind == .newerVersion)
    }

    @Test(arguments: [
        ("", "not a run record"), ("[]", "not a run record"), ("{}", #"the key "version" is missing"#),
        (#"{"version": 0}"#, "versions count from 1"), (#"{"version": 1}"#, "is missing"),
    ])
    func refusesWhatIsNoRecord(document: String, words: String) {
        let error = #expect(throws: ReportError.self) { try JSONReport.decode(document.utf8) }
        #expect(error?.kind == .malformedRecord)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }

    @Test func saysWhereARecordIsDamaged() throws {
        let text = String(decoding: try JSONReport.render(CanonicalRun.record), as: UTF8.self)
        let damaged = text.replacing(#""outcome" : "waived""#, with: #""outcome" : "fine\u001b[2J""#)
        let error = #expect(throws: ReportError.self) { try JSONReport.decode(damaged.utf8) }
        #expect(error?.kind == .malformedRecord)
        #expect(error?.message.contains("images[0].results[6].outcome") == true)
        #expect(error?.message.contains("\u{1B}") == false)
    }

    @Test func saysWhereADurationIsNoNumber() {
        var record = CanonicalRun.record
        record.images[0].results[5].duration = .infinity
        let error = #expect(throws: ReportError.self) { try JSONReport.render(record) }
        #expect(error?.kind == .notRepresentable)
        #expect(error?.message.contains("images[0].results[5].duration") == true)
    }
}
