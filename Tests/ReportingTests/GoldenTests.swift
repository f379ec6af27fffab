import Reporting
import Testing

struct GoldenTests {
    @Test func text() throws {
        try expectGolden(ReportFormat.text.render(CanonicalRun.record), "canonical.txt")
    }

    @Test func textInColorOnANarrowTerminal() throws {
        let options = RenderOptions(width: 60, color: true)
        try expectGolden(ReportFormat.text.render(CanonicalRun.record, options: options), "narrow-color.txt")
    }

    @Test func verboseText() throws {
        let options = RenderOptions(verbose: true, failOn: .error)
        try expectGolden(ReportFormat.text.render(CanonicalRun.record, options: options), "verbose.txt")
    }

    @Test func junit() throws {
        try expectGolden(ReportFormat.junit.render(CanonicalRun.record), "canonical.xml")
    }

    @Test func json() throws {
        try expectGolden(ReportFormat.json.render(CanonicalRun.finiteRecord), "canonical.json")
    }

    @Test(arguments: ReportFormat.allCases)
    func sameRecordGivesSameBytes(format: ReportFormat) throws {
        let bytes = try format.render(CanonicalRun.finiteRecord)
        #expect(try format.render(CanonicalRun.finiteRecord) == bytes)
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(!format.summary.isEmpty)
    }

    @Test func fileExtensionsAreDistinct() {
        #expect(Set(ReportFormat.allCases.map(\.fileExtension)).count == ReportFormat.allCases.count)
    }
}
