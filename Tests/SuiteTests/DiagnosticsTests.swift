import Suite
import Testing

@Suite("What a wrong suite is told")
struct DiagnosticsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var file: String
        var expected: String

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "unknown key",
            file: "group: g\nchecks:\n  - id: A-1\n    titel: x\n    title: y\n    expect: {user: root}\n",
            expected: "checks.yaml:4:5: a check has no key titel; did you mean title?"),
        Case(
            name: "missing key", file: "group: g\nchecks:\n  - id: A-1\n    expect: {user: root}\n",
            expected: "checks.yaml:3:5: a check needs the key title"),
        Case(
            name: "key without value", file: check("title:"),
            expected: "checks.yaml:4:11: title of a check has no value"),
        Case(
            name: "wrong type", file: check("title: [a]"),
            expected: "checks.yaml:4:12: title of a check is a text, not a list"),
        Case(
            name: "not a mapping", file: "group: g\nchecks:\n  - just text\n",
            expected: "checks.yaml:3:5: a check is a mapping, not a text"),
        Case(
            name: "checks not a list", file: "group: g\nchecks: {a: b}\n",
            expected: "checks.yaml:2:9: checks is a list, not a mapping"),
        Case(
            name: "bad severity", file: check("title: t\n    severity: eror"),
            expected:
                "checks.yaml:5:15: severity is one of info, warning, error, not eror; did you mean error?"),
        Case(
            name: "undeclared parameter", file: check("title: of ${AIRFLOW_UDI}"),
            expected:
                "checks.yaml:4:12: ${AIRFLOW_UDI} is not a declared parameter; did you mean ${AIRFLOW_UID}?"),
        Case(
            name: "parameter without end", file: check("title: of ${AIRFLOW_UID"),
            expected: "checks.yaml:4:12: ${ without }"),
        Case(
            name: "undeclared parameter in a condition",
            file: check("title: t\n    when: {parameters: {AIRFLOW_GID: 1}}"),
            expected: "checks.yaml:5:25: AIRFLOW_GID is not a declared parameter; did you mean AIRFLOW_UID?"),
        Case(
            name: "bad range", file: check("title: t\n    when: {versions: 2.x}"),
            expected:
                "checks.yaml:5:22: 2.x is not a version range: expected 2.8..2.11, 2.2.., ..2.0.1, 2.8, >=1.2, <2"
        ),
        Case(
            name: "reversed range", file: check("title: t\n    when: {versions: 3..2}"),
            expected:
                "checks.yaml:5:22: 3..2 is not a version range: expected 2.8..2.11, 2.2.., ..2.0.1, 2.8, >=1.2, <2"
        ),
        Case(
            name: "condition that is no mapping", file: check("title: t\n    when: always"),
            expected: "checks.yaml:5:11: a condition is a mapping, not a text"),
        Case(
            name: "bad statement", file: check("title: t\n    statements: [G16, \"16\"]"),
            expected: "checks.yaml:5:23: 16 is not a statement id: expected letters and digits, as B09"),
        Case(
            name: "bad id", file: check("title: t", id: "air-1"),
            expected: "checks.yaml:3:9: air-1 is not a check id: expected AREA-SUBJECT-001"),
        Case(
            name: "duplicate id",
            file: check("title: t") + "  - id: A-1\n    title: u\n    expect: {user: root}\n",
            expected: "checks.yaml:6:9: duplicate check id A-1; the first is at checks.yaml:3:9"),
        Case(
            name: "duplicate key", file: check("title: t\n    title: u"),
            expected: "checks.yaml:4:5: duplicate key title"),
        Case(
            name: "key that is a list", file: check("title: t\n    ? [a]\n    : b"),
            expected: "checks.yaml:5:7: a key is a text, not a list"),
        Case(
            name: "empty expect", file: "group: g\nchecks:\n  - id: A-1\n    title: t\n    expect: []\n",
            expected: "checks.yaml:5:13: expect lists no expectation"),
        Case(
            name: "no group", file: "checks:\n  - id: A-1\n    title: t\n    expect: {user: root}\n",
            expected: "checks.yaml:1:1: a subject file needs the key group"),
        Case(
            name: "not YAML", file: "group: [\n",
            expected:
                "checks.yaml:2:1: not YAML: while parsing a flow node: did not find expected node content"),
        Case(name: "empty file", file: "", expected: "checks.yaml:1:1: the file is empty"),
        Case(
            name: "two documents", file: "a: 1\n---\nb: 2\n",
            expected:
                "checks.yaml:2:1: not YAML: expected a single document in the stream: but found another document"
        ),
    ]

    private static func check(_ rest: String, id: String = "A-1") -> String {
        "group: g\nchecks:\n  - id: \(id)\n    \(rest)\n    expect: {user: root}\n"
    }

    @Test("is the place, the matter and what was meant", arguments: cases)
    func report(_ one: Case) {
        let found = diagnostics([("suite.yaml", head), ("checks.yaml", one.file)])
        #expect(found.contains(one.expected), "\(found)")
    }

    @Test("everything is reported, in the order of the lines")
    func collectsAll() {
        let found = diagnostics([
            ("suite.yaml", head),
            ("b.yaml", "group: g\nchecks:\n  - id: A-1\n    titel: x\n    severity: bad\n"),
            ("a.yaml", "group: g\ncheck: []\n"),
        ])
        #expect(
            found == [
                "a.yaml:1:1: a subject file needs the key checks",
                "a.yaml:2:1: a subject file has no key check; did you mean checks?",
                "b.yaml:3:5: a check needs the key expect", "b.yaml:3:5: a check needs the key title",
                "b.yaml:4:5: a check has no key titel; did you mean title?",
                "b.yaml:5:15: severity is one of info, warning, error, not bad",
                "suite.yaml:1:1: the suite has no check",
            ])
    }

    @Test("the number of diagnostics is bounded, and says so")
    func cap() {
        let checks = (0..<300).map { "  - id: A-\($0)\n    title: t\n    expect: {a: b}\n    wrong: x\n" }
        let error = #expect(throws: SuiteError.self) {
            try SuiteLoader.load(directory: [
                ("suite.yaml", head), ("checks.yaml", "group: g\nchecks:\n" + checks.joined()),
            ])
        }
        #expect(error?.diagnostics.count == SuiteReading.maximumDiagnostics)
        #expect(error?.omitted == 200)
        #expect(error?.description.hasSuffix("… and 200 more") == true)
    }

    @Test(
        "a suite needs one head, and sound parameters and profiles",
        arguments: [
            ("", "no file names the suite with a key suite (suite.yaml)"),
            ("suite: s\n", "suite.yaml:1:1: a suite needs the key title"),
            (
                "suite: s\ntitle: t\nparameters: {A: {title: a, type: int}}\n",
                "suite.yaml:3:34: type is one of integer, boolean, string, path, version, not int"
            ),
            (
                "suite: s\ntitle: t\nparameters: {A: {title: a, type: boolean, default: \"yes\"}}\n",
                "suite.yaml:3:52: the default of A is true or false"
            ),
            (
                "suite: s\ntitle: t\nparameters: {A: {title: a, matching: \"(\"}}\n",
                "suite.yaml:3:38: ( is not a regular expression"
            ),
            (
                "suite: s\ntitle: t\nprofiles: [{id: p, title: t, versions: \"1\", parameters: {B: x}}]\n",
                "suite.yaml:3:58: B is not a declared parameter"
            ),
            (
                "suite: s\ntitle: t\nprofiles: [{id: p, title: t}]\n",
                "suite.yaml:3:12: a profile needs the key versions"
            ),
        ])
    func heads(_ text: String, _ expected: String) {
        let found = diagnostics([("suite.yaml", text.isEmpty ? "group: g\nchecks: []\n" : text)])
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }
}

@Suite("Bounds of a suite file")
struct SyntaxLimitTests {
    @Test("an alias bomb is refused")
    func aliasBomb() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...6 {
            let items = Array(repeating: "*a\(level - 1)", count: 3).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(items)]\n"
        }
        for level in 7...9 { bomb += "a\(level): [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(diagnostics([("b.yaml", bomb)]) == ["b.yaml:1:1: the file has more than 20 aliases (*name)"])
    }

    @Test("few aliases that multiply are refused by the number of values")
    func multiplication() {
        var text = "a: &a [\(Array(repeating: "x", count: 20_000).joined(separator: ", "))]\n"
        for name in ["b", "c", "d", "e", "f", "g"] { text += "\(name): *a\n" }
        #expect(
            diagnostics([("b.yaml", text)]).first?.hasSuffix("the file has more than 100000 values") == true)
    }

    @Test("deep nesting is refused")
    func depth() {
        let text = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(diagnostics([("b.yaml", text)]) == ["b.yaml:1:65: nested deeper than 64 levels"])
    }

    @Test("a large file is refused")
    func size() {
        let text = "# " + String(repeating: "x", count: 1 << 20)
        #expect(
            diagnostics([("b.yaml", text)])
                == ["b.yaml:1:1: the file has 1048578 bytes; a suite file has at most 1048576"])
    }

    @Test("scalars are text, whatever YAML 1.1 thinks of them")
    func scalars() throws {
        let document = try document(
            """
              - id: A-1
                title: no
                source: 0644
                remedy: 3.10
                expect: {user: 2026-01-01}

            """)
        let check = try #require(document.checks.first)
        #expect(check.title.source == "no")
        #expect(check.source == "0644")
        #expect(check.remedy?.source == "3.10")
        #expect(check.expectations.first?["user"]?.scalar == "2026-01-01")
    }
}
