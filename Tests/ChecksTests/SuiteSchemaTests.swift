import Checks
import Foundation
import Testing

@Test("the committed schema is the one that the program prints: assay suites schema")
func committedSchema() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let file = root.appending(path: "Conformance/schema/suite.schema.json")
    let isSame = try String(contentsOf: file, encoding: .utf8) == SuiteSchema.text
    #expect(isSame, "write it again: assay suites schema > Conformance/schema/suite.schema.json")
}
