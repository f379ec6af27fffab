import Testing
import Verdict

@testable import Reporting

struct GitLabReportTests {
    private func entries(_ record: RunRecord, anchor: String? = nil) throws -> [Document] {
        try Document(
            ReportFormat.gitlab.render(
                record, options: RenderOptions(anchor: anchor.map { RepositoryFile(path: $0) }))
        ).elements
    }

    @Test func everyAlertHasItsSeverity() throws {
        let entries = try entries(.of(everyKind))
        let rows = entries.map { "\($0["check_name"]?.text ?? "") \($0["severity"]?.text ?? "")" }
        #expect(rows == ["FAIL major", "ERROR critical", "WARN minor", "INFO info", "KNOWN major"])
        #expect(
            entries.compactMap { $0["description"]?.text }.prefix(2) == [
                "FAIL: path /fail: expected there, observed not there",
                "ERROR: could not be decided: the file was not kept",
            ])
        #expect(entries[4]["description"]?.text?.hasPrefix("KNOWN: known, in the baseline: ") == true)
    }

    @Test(
        arguments: [(nil, "suites/g.yaml", 7), ("./Dockerfile", "Dockerfile", 1)] as [(String?, String, Int)])
    func placesAreRelativeToTheRepository(anchor: String?, path: String, line: Int) throws {
        for entry in try entries(.of(everyKind), anchor: anchor) {
            #expect(entry["location", "path"]?.text == path)
            #expect(entry["location", "lines", "begin"]?.number == line)
        }
    }

    @Test(arguments: Sample.allCases)
    func fingerprintsAreUniqueAndEntriesComplete(sample: Sample) throws {
        let entries = try entries(sample.record)
        let fingerprints = entries.compactMap { $0["fingerprint"]?.text }
        #expect(Set(fingerprints).count == entries.count)
        for entry in entries {
            #expect(entry["description"]?.text?.isEmpty == false)
            #expect(entry["check_name"]?.text?.isEmpty == false)
            #expect(entry["location", "path"]?.text?.isEmpty == false)
            #expect(["info", "minor", "major", "critical", "blocker"].contains(entry["severity"]?.text))
        }
    }

    @Test func anImageAloneHasTheFingerprintsOfAnyName() throws {
        let one = try entries(.of(everyKind, on: ["oci:a"])).compactMap { $0["fingerprint"]?.text }
        #expect(try entries(.of(everyKind, on: ["oci:b"])).compactMap { $0["fingerprint"]?.text } == one)
        let several = try entries(.of(everyKind, on: ["oci:a:1", "oci:b:1"]))
        #expect(several.count == 2 * one.count)
        #expect(several[0]["description"]?.text?.hasSuffix("(oci:a:1 linux/amd64)") == true)
        // Tags change with every release.
        let later = try entries(.of(everyKind, on: ["oci:a:2", "oci:b:2"]))
        #expect(later.map { $0["fingerprint"]?.text } == several.map { $0["fingerprint"]?.text })
    }

    @Test func whatTheRunCouldNotTellBlocks() throws {
        let nothing = try entries(.of([.of("A", .skipped)]))
        #expect(nothing.map { $0["severity"]?.text } == ["blocker"])
        #expect(nothing[0]["description"]?.text?.hasPrefix("no check was evaluated: oci:image: ") == true)
        #expect(nothing[0]["location", "path"]?.text == "assay")
        #expect(
            try entries(.of([.of("A", .skipped)]), anchor: "Dockerfile")[0]["location", "path"]?.text
                == "Dockerfile")
        #expect(try entries(.of([.of("A", .pass)])).isEmpty)
    }
}
