import Checks
import Testing
import Verdict

@Suite("Evidence of many entries: short to read, and complete for waivers and baselines")
struct PathsEvidenceTests {
    private func findings(_ counts: Int...) throws -> [Finding] {
        var image = TestImage.debian
        for (layer, count) in counts.enumerated() {
            image.add("RUN make \(count) files", (0..<count).map { .file("/srv/\(layer)-\($0)", uid: 7) })
        }
        return try evaluate("paths: {every: [\"/srv/*\"]}\nowner: 0", on: image).findings
    }

    @Test func oneEntryIsNamed() throws {
        let finding = try #require(findings(1).first)
        #expect(finding.subject.name == "/srv/0-0" && finding.others == nil && finding.omitted == nil)
        #expect(finding.observed == "1 of 1 entries" && finding.details.count == 1)
    }

    @Test func manyEntriesAreGroupedByTheirLayer() throws {
        let found = try findings(3, 1_204)
        #expect(found.map(\.observed) == ["1,204 of 1,207 entries; first 10 listed", "3 of 1,207 entries"])
        #expect(found.map(\.details.count) == [10, 3])
        #expect(found.map { $0.subjects.count } == [1_204, 3])
        #expect(Set(found.flatMap { $0.subjects.map(\.name) }).count == 1_207)
        #expect(found[0].provenance?.instruction == "RUN make 1204 files")
    }

    @Test func aListThatIsCutSaysByHowMuch() throws {
        let finding = try #require(findings(10_003).first)
        #expect(finding.observed == "10,003 of 10,003 entries; first 10 listed")
        #expect(finding.others?.count == 9_999 && finding.omitted == 3)
    }

    @Test func everyLayerHasItsFinding() throws {
        #expect(try findings(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1).count == 12)
    }
}
