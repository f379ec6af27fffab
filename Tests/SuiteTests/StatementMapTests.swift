import Foundation
import Suite
import Testing

@Suite("Which checks enforce which statement")
struct StatementMapTests {
    private static let conformance = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Conformance")

    private func airflow() throws -> SuiteDocument {
        try SuiteLoader.load(directory: SuiteSource.files(of: "airflow"))
    }

    @Test("all 141 statements of the document are accounted for")
    func complete() throws {
        let map = StatementMap(of: try airflow())
        let parts = [
            "A": 4, "B": 21, "C": 16, "D": 4, "E": 5, "F": 33, "G": 22, "H": 8, "I": 9, "J": 9, "K": 10,
        ]
        let expected = parts.flatMap { part, count in (1...count).map { "\(part)\($0 < 10 ? "0" : "")\($0)" }
        }
        #expect(map.rows.map(\.statement.id) == expected.sorted())
        #expect(map.rows.filter { $0.account == .missing }.map(\.statement.id) == [])
        // Where document and code disagree, both sides are written down.
        #expect(
            map.rows.filter { $0.statement.drift != nil }.map(\.statement.id) == [
                "C06", "C14", "D01", "F09", "F11", "F12", "F17", "F25", "F30", "G22", "H07", "I02", "I08",
            ])
    }

    @Test("the README of a suite has its table: run scripts/generate --with BINARY after a change")
    func readme() throws {
        let readme = try String(
            contentsOf: Self.conformance.appending(path: "airflow/README.md"), encoding: .utf8)
        let table = StatementMap(of: try airflow()).markdown
        #expect(readme.contains("-->\n\n\(table)\n<!-- end of statements -->"))
    }

    @Test("a check that runs a container shows what takes one")
    func probed() throws {
        let text = """
            suite: example
            title: Example
            statements: [{id: A01, shown: [image, probe], text: a}, {id: A02, shown: [image, probe], text: b}]
            group: example
            scenarios: {one: {containers: {main: }}}
            checks:
              - {id: EXAMPLE-001, title: t, statements: [A01, A02], expect: {user: root}}
              - {id: EXAMPLE-002, title: t, statements: [A01], run: one, expect: {exit: main}}
            """
        let map = StatementMap(of: try SuiteLoader.load(directory: [("suite.yaml", text)]))
        #expect(map.rows.map(\.isProbed) == [true, false])
        #expect(map.markdown.contains("| a | EXAMPLE-001, EXAMPLE-002 |"))
        #expect(map.markdown.contains("| b | EXAMPLE-001; a container run shows more |"))
    }

    @Test("a statement that an image can show and no check names is missing")
    func missing() throws {
        func map(_ statements: String, checks: String = "[A01]") throws -> StatementMap {
            let text = """
                suite: example
                title: Example
                statements: \(statements)
                group: example
                checks:
                  - {id: EXAMPLE-001, title: t, statements: \(checks), expect: {user: root}}
                """
            return StatementMap(
                of: try SuiteLoader.load(directory: [("suite.yaml", text)]))
        }
        let two = "{id: A01, shown: image, text: a}, {id: A02, shown: image, text: b}"
        let rest = "{id: A03, shown: probe, text: c}, {id: A04, shown: none, text: d, reason: e}"
        let accounts = try map("[\(two), \(rest)]").rows.map(\.account)
        #expect(accounts == [.enforced, .missing, .waitsForProbes, .explained])
        #expect(throws: SuiteError.self) { try map("[\(two)]", checks: "[A09]") }
        #expect(throws: SuiteError.self) { try map("[{id: A01, shown: none, text: a}]") }
        #expect(throws: SuiteError.self) { try map("[{id: A01, shown: image, text: a, reason: b}]") }
    }
}
