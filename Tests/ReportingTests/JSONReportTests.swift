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

    // MARK: Records from elsewhere

    private func refusal(_ bytes: [UInt8]) -> ReportError? {
        #expect(throws: ReportError.self) { try JSONReport.decode(bytes) }
    }

    @Test(arguments: [("[", "]"), (#"{"version":"#, "}")])
    func refusesDeepNesting(open: String, close: String) {
        let depth = 100_000
        let document = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        #expect(refusal(Array(document.utf8))?.kind == .malformedRecord)
    }

    /// Depth where the decoder looks for nothing.
    @Test func refusesDeepNestingOfAnUnknownKey() {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(refusal(Array(#"{"version": 1, "x": \#(deep)}"#.utf8))?.kind == .malformedRecord)
    }

    @Test func refusesTooManyImages() throws {
        var record = CanonicalRun.record(images: [CanonicalRun.run([.pass])])
        let image = UnreadableImage(reference: "a", reason: "b")
        record.unreadable = Array(repeating: image, count: JSONReport.maximumImages - 1)
        #expect(
            try JSONReport.decode(JSONReport.render(record)).unreadable.count == JSONReport.maximumImages - 1)
        record.unreadable.append(image)
        let error = refusal(try JSONReport.render(record))
        #expect(error?.message == "the run record has 10,001 images; at most 10,000 are read")
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var apply: @Sendable (inout RunRecord) -> Void
    }

    @Test(arguments: [
        Damage(testDescription: "images[0].duration: -1.0") { $0.images[0].duration = -1 },
        Damage(testDescription: "images[0].duration: 1e+300") { $0.images[0].duration = 1e300 },
        Damage(testDescription: "images[0].image.layers[1].size: -1") {
            $0.images[0].image.layers[1].size = -1
        },
        Damage(testDescription: "images[0].image.layers[0].uncompressedSize: 9223372036854775807") {
            $0.images[0].image.layers[0].uncompressedSize = .max
        },
        Damage(testDescription: "images[0].lineage.baseLayers: -9223372036854775808") {
            $0.images[0].lineage?.baseLayers = .min
        },
        Damage(testDescription: "images[0].lineage.baseLayers: 4") { $0.images[0].lineage?.baseLayers = 4 },
        Damage(testDescription: "images[0].lineage.addedSize: -1") { $0.images[0].lineage?.addedSize = -1 },
        Damage(testDescription: "images[0].results[1].position.line: 0") {
            $0.images[0].results[1].position.line = 0
        },
        Damage(testDescription: "images[0].results[0].findings[1].provenance.layer: 0") {
            $0.images[0].results[0].findings[1].provenance?.layer = 0
        },
        Damage(testDescription: "images[0].results[0].findings[0].omitted: -1") {
            $0.images[0].results[0].findings[0].omitted = -1
        },
        Damage(testDescription: "images[0].transcripts[0].containers[1].standardError.byteCount: -1") {
            $0.images[0].transcripts?[0].containers[1].standardError.byteCount = -1
        },
        Damage(testDescription: "images[0].transcripts[0].services[0].connections: -1") {
            $0.images[0].transcripts?[0].services[0].connections = -1
        },
        Damage(testDescription: "images[0].transcripts[1].events[0].time: -1.0") {
            $0.images[0].transcripts?[1].events[0].time = -1
        },
        Damage(testDescription: "images[0].contents.layers[0].hiddenBytes: -1") {
            $0.images[0].contents?.layers[0].hiddenBytes = -1
        },
        Damage(testDescription: "images[0].contents.packages.packages[0].layer: 0") {
            $0.images[0].contents?.packages?.packages[0].layer = 0
        },
        Damage(testDescription: "unusedWaivers[0].waiver.position.column: 0") {
            $0.unusedWaivers?[0].waiver.position.column = 0
        },
    ])
    func refusesNumbersThatNoRunHas(damage: Damage) throws {
        var record = CanonicalRun.record
        damage.apply(&record)
        let error = refusal(try JSONReport.render(record))
        #expect(error?.kind == .malformedRecord)
        #expect(
            error?.message.contains("at \(damage.testDescription) is not from") == true, "\(error as Any)")
    }

    @Test func refusesNumbersThatAddUpToTooMuch() throws {
        var record = CanonicalRun.record
        record.images[0].image.layers[0].size = 1 << 53
        let error = refusal(try JSONReport.render(record))
        #expect(error?.message.contains("add up to") == true, "\(error as Any)")
    }

    @Test func refusesNumbersThatSwiftCannotHold() throws {
        let text = String(decoding: try JSONReport.render(CanonicalRun.record), as: UTF8.self)
        for number in ["1e400", "18446744073709551616", "\"1\"", "1.5", "null", "[]"] {
            let damaged = text.replacing(#""connections" : 3"#, with: #""connections" : \#(number)"#)
            let error = refusal(Array(damaged.utf8))
            #expect(error?.kind == .malformedRecord, "\(number)")
        }
    }

    /// Cut anywhere, a record is refused.
    @Test func refusesEveryBeginningOfARecord() throws {
        let bytes = try JSONReport.render(CanonicalRun.record(images: [CanonicalRun.run([.pass])]))
        let whole = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
        for end in stride(from: 0, through: whole, by: 7) {
            #expect(throws: ReportError.self) { try JSONReport.decode(bytes[..<end]) }
        }
    }
}
