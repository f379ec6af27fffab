import Foundation
import Testing
import Verdict

@testable import Reporting

struct RecordPartsTests {
    @Test(arguments: Sample.allCases)
    func partsAreTheWhole(sample: Sample) throws {
        let bytes = try JSONReport.render(sample.record)
        let parts = try #require(RecordParts(bytes))
        #expect(parts.decoded() == sample.record)
    }

    @Test func whiteSpaceAndOrderDoNotMatter() throws {
        let bytes = try JSONReport.render(CanonicalRun.record)
        let document = try JSONSerialization.jsonObject(with: Data(bytes))
        let compact = [UInt8](try JSONSerialization.data(withJSONObject: document))
        #expect(RecordParts(compact)?.decoded() == CanonicalRun.record)
    }

    /// Brackets, quotation marks and backslashes of strings are text.
    @Test func stringsAreNotLookedInto() throws {
        var record = CanonicalRun.record
        record.tool.version = #"}]"images":[{\"#
        record.images[0].image.reference = #"\"]},{"images" : [\\"#
        #expect(RecordParts(try JSONReport.render(record))?.decoded() == record)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"version": 1}"#, #"{"images": {}}"#, #"{"images": [1]}"#, #"{"images": [{}, ]}"#,
        #"{"images": [{}"#, #"{"images": [], "images": []}"#, #"{"im\u0061ges": []}"#, #"{"images": [{]}"#,
        "{\"images\": [{\0}]}", #"{"a": {"images": []}}"#, #"{"images" []}"#, #"{"images": ["\"#,
    ])
    func whatIsNotPlainIsForTheWholeDocument(text: String) {
        #expect(RecordParts(Array(text.utf8)) == nil)
    }

    @Test(arguments: [
        (#""version" : 1"#, #""version" : 2"#), (#""complete" : true"#, #""complete" : 1"#),
        (#""outcome" : "waived""#, #""outcome" : "fine""#),
    ])
    func aPartThatIsWrongIsForTheWholeDocument(old: String, new: String) throws {
        let text = String(decoding: try JSONReport.render(CanonicalRun.record), as: UTF8.self)
        let damaged = text.replacing(old, with: new)
        #expect(damaged != text)
        #expect(try #require(RecordParts(Array(damaged.utf8))).decoded() == nil)
    }
}
