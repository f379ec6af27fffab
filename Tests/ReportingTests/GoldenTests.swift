import Foundation
import Reporting
import Testing
import Verdict

struct GoldenTests {
    /// These are `Reports/examples/` too.
    @Test(arguments: ReportFormat.allCases)
    func canonical(format: ReportFormat) throws {
        try expectGolden(
            format.render(CanonicalRun.record), Golden.example("canonical.\(format.fileExtension)"))
    }

    @Test(arguments: ReportFormat.allCases, [Sample.incomplete, .merged])
    func others(format: ReportFormat, sample: Sample) throws {
        try expectGolden(
            format.render(sample.record), Golden.named("\(sample.rawValue).\(format.fileExtension)"))
    }

    @Test func textInColorOnANarrowTerminal() throws {
        let options = RenderOptions(width: 60, color: true)
        try expectGolden(
            ReportFormat.text.render(CanonicalRun.record, options: options), Golden.named("narrow-color.txt"))
    }

    @Test func verboseText() throws {
        let options = RenderOptions(verbose: true, failOn: .error)
        try expectGolden(
            ReportFormat.text.render(CanonicalRun.record, options: options), Golden.named("verbose.txt"))
    }

    /// No file is left over from a format that is gone.
    @Test func everyExampleIsOfAFormat() throws {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Golden.example("").path)
        #expect(Set(files) == Set(ReportFormat.allCases.map { "canonical.\($0.fileExtension)" }))
    }

    @Test(arguments: ReportFormat.allCases)
    func sameRecordGivesSameBytes(format: ReportFormat) throws {
        let bytes = try format.render(CanonicalRun.record)
        #expect(try format.render(CanonicalRun.record) == bytes)
        #expect(bytes.last == UInt8(ascii: "\n"))
        #expect(!format.summary.isEmpty)
    }

    @Test(arguments: ReportFormat.allCases, Sample.allCases)
    func everyRecordIsTextWithoutControls(format: ReportFormat, sample: Sample) throws {
        let text = try #require(String(validating: format.render(sample.record), as: UTF8.self))
        let controls = text.unicodeScalars.filter {
            ($0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t")
                || $0.properties.isBidiControl
        }
        #expect(controls.isEmpty)
    }

    /// A report of a line of a million characters is still one, and has at most a few times its size.
    @Test(arguments: ReportFormat.allCases)
    func aLongLineIsBounded(format: ReportFormat) throws {
        let bytes = try format.render(CanonicalRun.longLine)
        #expect(bytes.count < 8_000_000)
    }

    @Test func fileExtensionsAreDistinct() {
        #expect(Set(ReportFormat.allCases.map(\.fileExtension)).count == ReportFormat.allCases.count)
    }
}
