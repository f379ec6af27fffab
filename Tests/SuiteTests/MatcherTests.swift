import Suite
import Testing

@Suite("Matchers")
struct MatcherTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var yaml: String
        var accepted: [Observed]
        var refused: [Observed]

        var testDescription: String { yaml }
    }

    static let cases: [Case] = [
        Case(yaml: "a", accepted: [.text("a")], refused: [.text("A"), .text(""), .none, .list(["a"])]),
        Case(yaml: "\"\"", accepted: [.text("")], refused: [.none, .text("a")]),
        Case(yaml: "${AIRFLOW_UID}", accepted: [.text("50000")], refused: [.text("1")]),
        Case(
            yaml: "[a, b]", accepted: [.list(["a", "b"])],
            refused: [.list(["b", "a"]), .list(["a"]), .text("a")]),
        Case(yaml: "[]", accepted: [.none, .list([])], refused: [.list(["a"]), .text("")]),
        Case(yaml: "{equals: [a]}", accepted: [.list(["a"])], refused: [.none]),
        Case(yaml: "{not: a}", accepted: [.text("b"), .none], refused: [.text("a")]),
        Case(
            yaml: "{not: {contains: a}}", accepted: [.text("b"), .list(["b"])],
            refused: [.text("ba"), .list(["a"])]),
        Case(
            yaml: "{matches: \"[0-9]+\"}", accepted: [.text("12")], refused: [.text("12a"), .text(""), .none]),
        Case(
            yaml: "{matches: \"${AIRFLOW_UID}.?\"}", accepted: [.text("50000"), .text("500001")],
            refused: [.text("5")]),
        Case(
            yaml: "{contains: b}", accepted: [.text("abc"), .list(["a", "b"])],
            refused: [.list(["abc"]), .none]),
        Case(yaml: "{oneOf: [a, b]}", accepted: [.text("a"), .text("b")], refused: [.text("c"), .none]),
        Case(yaml: "{startsWith: a}", accepted: [.text("ab")], refused: [.text("ba"), .none]),
        Case(yaml: "{endsWith: a}", accepted: [.text("ba")], refused: [.text("ab"), .none]),
        Case(
            yaml: "{startsWith: a, endsWith: b}", accepted: [.text("acb")],
            refused: [.text("ac"), .text("cb")]),
        Case(
            yaml: "{version: \"2.8..2.11\"}",
            accepted: [.text("2.8"), .text("2.11.3"), .text("1:2.9-1+deb12u1")],
            refused: [.text("2.12"), .text("x"), .none]),
        Case(yaml: "{version: \">=1.2\"}", accepted: [.text("1.2"), .text("3")], refused: [.text("1.1.9")]),
        Case(yaml: "{absent: true}", accepted: [.none], refused: [.text(""), .list([])]),
        Case(yaml: "{absent: false}", accepted: [.text(""), .list([])], refused: [.none]),
        Case(
            yaml: "{each: {endsWith: /tcp}}", accepted: [.list(["1/tcp", "2/tcp"]), .list([]), .none],
            refused: [.list(["1/tcp", "1/udp"]), .text("1/tcp")]),
        Case(
            yaml: "{\"..2.0.1\": old, \"2.8..2.11\": new, default: other}", accepted: [.text("new")],
            refused: [.text("old"), .text("other")]),
        Case(yaml: "{\"..2.0.1\": old, default: [a]}", accepted: [.list(["a"])], refused: [.text("old")]),
        // Canonically equivalent, but other bytes.
        Case(yaml: "\"\\u00e9\"", accepted: [.text("\u{e9}")], refused: [.text("e\u{301}")]),
    ]

    @Test("accept what they say, and nothing else", arguments: cases)
    func evaluate(_ one: Case) throws {
        let resolved = try matcher(one.yaml).resolved(in: scope())
        for value in one.accepted { #expect(resolved.accepts(value), "\(value)") }
        for value in one.refused { #expect(!resolved.accepts(value), "\(value)") }
    }

    @Test("a parameter's value in a regular expression stands for itself")
    func quoting() throws {
        let resolved = try matcher("{matches: \"${AIRFLOW_UID}\"}").resolved(in: scope(uid: "a.c+"))
        #expect(resolved.accepts(.text("a.c+")))
        #expect(!resolved.accepts(.text("abcc")))
    }

    @Test("a release that is not known leaves a choice by release open")
    func undecided() throws {
        let byRelease = try matcher("{\"2.8..\": a, default: b}")
        let error = #expect(throws: Unresolved.self) { try byRelease.resolved(in: scope(nil)) }
        #expect(error?.reason == "nothing is installed")
        #expect(try matcher("a").resolved(in: scope(nil)).accepts(.text("a")))
    }

    @Test("a choice without a value for the release is not decided")
    func missingCase() throws {
        let byRelease = try matcher("{\"3..\": a}")
        #expect(throws: Unresolved.self) { try byRelease.resolved(in: scope()) }
    }

    @Test(
        "that are wrong are refused",
        arguments: [
            ("{equal: a}", "equal is no operator", "equals"), ("{}", "an empty mapping expects nothing", nil),
            ("{oneOf: a}", "oneOf is a list of texts", nil),
            ("{absent: yes}", "absent is true or false", nil),
            ("{version: x}", "x is not a version range", nil),
            ("{matches: \"(\"}", "( is not a regular expression", nil),
            ("{contains: [a]}", "contains is a text, not a list", nil),
            ("{\"2.8..\": }", "a value is missing", nil),
            ("{\"2.8..\": a, defalt: b}", "2.8.. is no operator", nil),
            ("[a, [b]]", "the list has texts, not a list", nil),
        ])
    func refused(_ yaml: String, _ message: String, _ suggestion: String?) {
        let error = #expect(throws: SuiteError.self) { try matcher(yaml) }
        let found = error?.diagnostics ?? []
        #expect(
            found.contains {
                $0.message.hasPrefix(message) && (suggestion == nil || $0.suggestion == suggestion)
            }, "\(found)")
    }
}

@Suite("Templates")
struct TemplateTests {
    @Test("a template that is one parameter gives its words, others one text")
    func words() throws {
        var reading = SuiteReading(parameterNames: ["AIRFLOW_UID"])
        let node = SuiteNode(.empty, at: .init(file: "f", line: 1, column: 1))
        let one = Template("${AIRFLOW_UID}", at: node, reading: &reading)
        let mixed = Template("a ${AIRFLOW_UID}", at: node, reading: &reading)
        #expect(try one.words(in: scope(uid: "a  b\n")) == ["a", "b"])
        #expect(try one.words(in: scope(uid: "")) == [])
        #expect(try mixed.words(in: scope(uid: "b c")) == ["a b c"])
        #expect(mixed.shown(in: nil) == "a ${AIRFLOW_UID}")
    }

    @Test("a parameter without value leaves the template open")
    func unresolved() throws {
        var reading = SuiteReading()
        let node = SuiteNode(.empty, at: .init(file: "f", line: 1, column: 1))
        let template = Template("${OTHER}", at: node, reading: &reading)
        #expect(throws: Unresolved("the parameter OTHER has no value")) { try template.resolved(in: scope()) }
    }
}
