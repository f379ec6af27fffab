import Suite
import Testing

@Suite("Conditions in words, and what they mean for release lines")
struct ConditionWordsTests {
    private let profiles = """
        profiles:
          - {id: new, title: New, versions: "2.8..2.11"}
          - {id: old, title: Old, versions: "2.0..2.7"}
          - {id: first, title: First, versions: "1.10"}

        """

    private func document(when condition: String?) throws -> SuiteDocument {
        let check = "  - id: A-1\n    title: t\n" + (condition.map { "    when: \($0)\n" } ?? "")
        return try SuiteLoader.load(directory: [
            ("suite.yaml", head), ("profiles.yaml", profiles),
            ("checks.yaml", "group: g\nchecks:\n" + check + "    expect: {user: root}\n"),
        ])
    }

    private func lines(when condition: String?) throws -> [String] {
        let document = try document(when: condition)
        let check = try #require(document.checks.first)
        return document.profiles(of: check).map { $0.profile.id + ($0.isWhole ? "" : "?") }
    }

    @Test(
        arguments: [
            (nil, ["new", "old", "first"]), ("{versions: '2.8..'}", ["new"]),
            ("{versions: '..2.7'}", ["old", "first"]),
            ("{versions: '2.3..'}", ["new", "old?"]), ("{versions: '3..'}", []),
            ("{user: root}", ["new", "old", "first"]),
            ("{all: [{versions: '2..'}, {versions: '..2.7'}]}", ["old"]),
            ("{any: [{versions: '2.8..'}, {versions: '1.10'}]}", ["new", "first"]),
            ("{versions: '2..', any: [{versions: '..2.7'}, {versions: '..1.10'}]}", ["old"]),
        ] as [(String?, [String])])
    func releaseLines(condition: String?, expected: [String]) throws {
        #expect(try lines(when: condition) == expected)
    }

    @Test(arguments: [
        (
            "{versions: '2.8..', parameters: {AIRFLOW_UID: {not: '0'}}}",
            ["releases 2.8..", "AIRFLOW_UID is not 0"]
        ),
        ("{lineage: extended, given: base}", ["the image is extended", "--base is given"]),
        (
            "{any: [{versions: '2'}, {user: root, uid: 0}], none: [{label: a.b, equals: 'c: d'}]}",
            [
                "any of: releases 2; an image with {user: root, uid: 0}",
                "none of: an image with {label: a.b, equals: 'c: d'}",
            ]
        ), ("{all: [{user: root}]}", ["an image with {user: root}"]),
    ])
    func words(condition: String, expected: [String]) throws {
        #expect(try document(when: condition).checks.first?.condition?.words == expected)
    }

    @Test func aCheckIsShownAsItIsWritten() {
        let text = """
            checks:
              - id: A-1
                title: one
                expect:
                  - {user: root}

                  - {user: daemon}

              # Of the next.
              - title: two
                id: A-2
            other: value
            list: [{id: A-3}]
            """
        #expect(
            SuiteSource.item(ofLine: 2, in: text)
                == [
                    "- id: A-1", "  title: one", "  expect:", "    - {user: root}", "",
                    "    - {user: daemon}",
                ])
        #expect(SuiteSource.item(ofLine: 11, in: text) == ["- title: two", "  id: A-2"])
        #expect(SuiteSource.item(ofLine: 13, in: text) == ["list: [{id: A-3}]"])
        #expect(SuiteSource.item(ofLine: 99, in: text) == [])
    }

    @Test func everyCheckOfABuiltInSuiteIsFoundInItsFile() throws {
        for name in SuiteSource.builtinNames {
            let files = try SuiteSource.files(of: name)
            for check in try SuiteLoader.load(directory: files).checks {
                let file = try #require(files.first { $0.name == check.position.file })
                let item = SuiteSource.item(ofLine: check.position.line, in: file.text)
                #expect(
                    item.first?.hasPrefix("- ") == true && item.contains { $0.hasPrefix("  expect:") },
                    "\(check.id)")
                #expect(item.count { $0.contains("id: \(check.id)") } == 1, "\(check.id)")
            }
        }
    }
}
