import Checks
import Facts
import Foundation
import LayerArchive
import Suite
import Testing
import Verdict

@Suite("Parameters")
struct ParameterTests {
    static let suite = """
        parameters:
          UID: {title: t, default: "1", type: integer, aliases: [OLD_UID], environment: [E1, E2], label: l}
          LINE: {title: t, type: version, environment: V, matching: "([0-9]+\\\\.[0-9]+).*"}
          TEXT: {title: t, default: d, environment: T}
        profiles:
          - {id: p, title: P, versions: "1", when: {label: p}, parameters: {UID: "2"}}
        checks:
          - {id: A-1, title: "t ${UID}", expect: {environment: X, equals: "${UID}"}}

        """

    struct Case: Sendable, CustomTestStringConvertible {
        var value: String
        var origin: String
        var change: @Sendable (inout TestImage, inout JudgeInputs) -> Void

        var testDescription: String { origin }
    }

    /// Each adds to the ones before it, and wins.
    static let cases: [Case] = [
        Case(value: "1", origin: "default") { _, _ in },
        Case(value: "2", origin: "profile p") { image, _ in image.label("p", "") },
        Case(value: "3", origin: "image history, build argument OLD_UID") { image, _ in
            image.add("RUN |1 OLD_UID=3 /bin/sh -c true # buildkit", [])
        },
        Case(value: "4", origin: "image label l") { image, _ in image.label("l", "4") },
        Case(value: "5", origin: "image environment E2") { image, _ in
            image.set("E1", "")
            image.set("E2", "5")
        },
        Case(value: "6", origin: "image environment E1") { image, _ in image.set("E1", "6") },
        Case(value: "7", origin: "build argument file") { _, inputs in
            inputs.buildArgumentFile = [.init(name: "OLD_UID", value: "7")]
        },
        Case(value: "9", origin: "command line") { _, inputs in
            inputs.buildArguments = [.init(name: "UID", value: "8"), .init(name: "UID", value: "9")]
        },
    ]

    @Test("the weightier place wins, and is named", arguments: cases.indices)
    func precedence(_ last: Int) throws {
        var image = TestImage.debian
        var inputs = JudgeInputs()
        for one in Self.cases[...last] { one.change(&image, &inputs) }
        let judgement = try compile(suite: Self.suite).judge(image.facts(), inputs: inputs)
        let one = Self.cases[last]
        #expect(
            judgement.parameters.first
                == ParameterValue(
                    name: "UID", value: one.value, origin: one.origin, isDefault: last < 2 ? true : nil))
        #expect(judgement.results.first?.title == "t \(one.value)")
        #expect(judgement.results.first?.findings.first?.expected == one.value)
    }

    @Test("an observed value is reduced by its pattern; one that does not match says nothing")
    func pattern() throws {
        var image = TestImage.debian
        let suite = try compile(suite: Self.suite)
        image.set("V", "3.12.8")
        #expect(try suite.judge(image.facts()).parameters.map(\.name) == ["UID", "LINE", "TEXT"])
        #expect(try suite.judge(image.facts()).parameters[1].value == "3.12")
        image.set("V", "three")
        #expect(try suite.judge(image.facts()).parameters.map(\.name) == ["UID", "TEXT"])
    }

    @Test("an observed value of the wrong type makes an error of what needs it")
    func wrongType() throws {
        var image = TestImage.debian
        image.set("E1", "abc")
        let judgement = try compile(suite: Self.suite).judge(image.facts())
        #expect(judgement.parameters.first?.origin == "image environment E1: not an integer")
        #expect(judgement.results.first?.outcome == .error)
        #expect(
            judgement.results.first?.reason
                == "the image environment E1 says UID is abc, which is not an integer")
    }

    @Test("an empty text is a value, an empty number is none")
    func empty() throws {
        var image = TestImage.debian
        image.set("T", "")
        image.set("E1", "")
        let parameters = try compile(suite: Self.suite).judge(image.facts()).parameters
        #expect(parameters.first { $0.name == "TEXT" }?.origin == "image environment T")
        #expect(parameters.first { $0.name == "UID" }?.origin == "default")
    }
}

@Suite("A judgement")
struct JudgementTests {
    @Test("inputs that no suite understands are told so")
    func problems() throws {
        let suite = try CompiledSuite.airflow()
        var inputs = JudgeInputs(
            buildArguments: [
                .init(name: "AIRFLOW_UDI", value: "1"), .init(name: "AIRFLOW_UID", value: "x"),
                .init(name: "ADDITIONAL_RUNTIME_APT_DEPS", value: "curl"),
            ],
            buildArgumentFile: [.init(name: "INSTALL_MYSQL_CLIENT", value: "yes")], profile: "2.8",
            only: ["AIR-UZER-*"])
        #expect(
            inputs.problems(for: [suite]).map(\.description) == [
                "no suite knows the build argument AIRFLOW_UDI; did you mean AIRFLOW_UID?",
                "the build argument AIRFLOW_UID is an integer, not x",
                "the build argument INSTALL_MYSQL_CLIENT is true or false, not yes",
                "no suite has a profile 2.8 (3.1-3.3, 3.0, 2.8-2.11, 2.3-2.7, 2.2, 2.0.2-2.1, 2.0.0-2.0.1, 1.10); "
                    + "did you mean 2.2?",
                "no check matches AIR-UZER-*",
            ])
        inputs = JudgeInputs(
            buildArguments: [.init(name: "AIRFLOW_UID", value: "1")], profile: "2.2", only: ["user"])
        #expect(inputs.problems(for: [suite]) == [])
    }

    @Test("checks that are not selected are skipped, with the reason")
    func selection() throws {
        let inputs = JudgeInputs(only: ["user", "AIR-FS-00?"], skip: ["AIR-USER-001"])
        let judgement = try CompiledSuite.airflow().judge(TestImage.airflow.facts(), inputs: inputs)
        #expect(try judgement.result("AIR-USER-001").reason == "deselected by AIR-USER-001")
        #expect(try judgement.result("AIR-RUN-001").reason == "not selected")
        #expect(try judgement.result("AIR-USER-005").outcome == .pass)
        #expect(try judgement.result("AIR-FS-001").outcome == .pass)
        #expect(try judgement.result("AIR-FS-010").outcome == .skipped)
    }

    static let conditionCases: [(String, Outcome, String?)] = [
        ("{parameters: {P: b}}", Outcome.notApplicable, "only when P is b; it is a"),
        ("{parameters: {P: a}}", .pass, nil),
        ("{label: x}", .notApplicable, "only for an image where label x is present; it is absent"),
        (
            "{none: [{environment: PATH}]}", .notApplicable,
            "not for an image with environment PATH is /usr/local/bin:/usr/bin:/bin"
        ),
        ("{any: [{label: x}, {environment: PATH}]}", .pass, nil),
        ("{any: [{label: x}, {versions: \"1\"}]}", .error, "the suite does not say what its release is"),
        (
            "{all: [{versions: \"1\"}, {label: x}]}", .notApplicable,
            "only for an image where label x is present; it is absent"
        ),
        ("{versions: \"1\"}", .error, "the suite does not say what its release is"),
    ]

    @Test("conditions decide what applies, and say why not", arguments: conditionCases)
    func conditions(_ yaml: String, _ outcome: Outcome, _ reason: String?) throws {
        let suite = try compile(
            suite: "parameters: {P: {title: t, default: a}}\n"
                + "checks:\n  - {id: A-1, title: t, when: \(yaml), expect: {user: root}}\n")
        let result = try #require(suite.judge(TestImage.debian.facts()).results.first)
        #expect(result.outcome == outcome)
        #expect(result.reason == reason)
    }

    @Test("the contents that checks read are known before the image is read")
    func contents() throws {
        let suite = try compile(
            suite: "parameters: {HOME: {title: t, default: /a, environment: H}}\n"
                + "checks:\n  - {id: A-1, title: t, expect: {path: \"${HOME}/f\", content: x}}\n"
                + "  - {id: A-2, title: t, expect: {path: /etc/x, content: x}}\n"
                + "  - {id: A-3, title: t, expect: {path: /etc/y}}\n")
        var image = TestImage.debian
        image.set("H", "/b")
        #expect(try suite.contentPaths(config: image.config()) == ["/b/f", "/etc/x"])
    }

    @Test("a result says where its check is written")
    func position() throws {
        let result = try CompiledSuite.airflow().judge(TestImage.airflow.facts()).result("AIR-USER-001")
        #expect(result.position.file == "airflow/user.yaml")
        #expect(result.position.line == 4)
        #expect(result.group == "user")
        #expect(result.suite == "airflow")
        #expect(result.title == "the airflow user has UID 50000 and the primary group of its release line")
    }
}

@Suite("What a wrong expectation is told")
struct CompileDiagnosticsTests {
    static let cases: [(String, String, String?)] = [
        ("{usr: root}", "usr is no kind of expectation", "user"),
        ("{uid: 0, user: root}", "the kind of an expectation is its first key, not uid", nil),
        ("root", "an expectation is a mapping that begins with its kind", nil),
        ("{user: root, gidd: 0}", "the expectation user has no key gidd", "gid"),
        ("{user: [root]}", "user of the expectation user is a text, not a list", nil),
        ("{user: root, absent: maybe}", "absent of the expectation user is true or false", nil),
        ("{user: root, uid: {mtches: x}}", "mtches is no operator", "matches"),
        ("{runsAs: airflow}", "runsAs is a mapping, not a text", nil),
        ("{runsAs: {}}", "runsAs expects nothing", nil),
        ("{path: etc}", "etc is not an absolute path", nil),
        ("{path: /x, type: dir}", "dir is no type of file", nil),
        ("{path: /x, type: directry}", "directry is no type of file", "directory"),
        ("{path: /x, mode: 0888}", "0888 is not a mode", nil),
        ("{path: /x, chmod: g~u}", "g~u is not a list of symbolic modes", nil),
        ("{path: /x, absent: true, owner: 0}", "what is absent has no attributes", nil),
        ("{paths: {every: [/x]}}", "every needs an attribute that the paths have to have", nil),
        ("{paths: {evry: [/x]}, type: file}", "the quantifier of paths has no key evry", "every"),
        ("{packages: {every: [a], none: [b]}}", "packages needs one of every, any, most and none", nil),
        ("{packages: {none: []}}", "none of packages names nothing", nil),
        ("{commands: {every: [a]}, version: 1}", "the expectation commands has no key version", nil),
        ("{config: entrypont}", "entrypont is no key of the config", "entrypoint"),
        ("{environment: X, matches: \"(\"}", "( is not a regular expression", nil),
        ("{user: \"${X}\"}", "${X} is not a declared parameter", nil),
    ]

    @Test("is the place, the matter and what was meant", arguments: cases)
    func report(_ yaml: String, _ message: String, _ suggestion: String?) {
        let error = #expect(throws: SuiteError.self) {
            try compile(suite: "checks:\n  - id: A-1\n    title: t\n    expect: \(yaml)\n")
        }
        let found = error?.diagnostics ?? []
        #expect(
            found.contains {
                $0.message.hasPrefix(message) && (suggestion == nil || $0.suggestion == suggestion)
            },
            "\(found)")
        #expect(found.allSatisfy { $0.position?.file == "suite.yaml" && $0.position?.line == 6 })
    }
}

@Suite("The example in the documentation")
struct DocumentationTests {
    @Test("is a suite that can be used")
    func example() throws {
        let readme = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Conformance/airflow/README.md")
        let text = try String(contentsOf: readme, encoding: .utf8)
        let example = try #require(text.split(separator: "```").first { $0.hasPrefix("yaml\n") }).dropFirst(5)
        let head = """
            suite: example
            title: Example
            release: {distribution: apache-airflow}
            parameters: {NAME: {title: t, default: airflow}}

            """
        let suite = try CompiledSuite(
            SuiteLoader.load(directory: [("suite.yaml", head), ("example.yaml", String(example))]))
        let result = try #require(suite.judge(TestImage.airflow.facts()).results.first)
        #expect(result.outcome == .fail)
        #expect(result.findings.map(\.observed) == ["shell /bin/bash"])
        #expect(result.severity == .warning)
    }

    /// A run reads an image while the built-in suites are still being loaded.
    @Test func builtinSuitesReadNoContentsButTheFacts() throws {
        for name in SuiteSource.builtinNames {
            let suite = try CompiledSuite(try SuiteLoader.load(directory: try SuiteSource.files(of: name)))
            for path in try suite.contentPaths(config: TestImage.debian.config()) {
                let rule = path.bytes.withUnsafeBufferPointer { ContentPlan.facts.rule(forMember: $0) }
                #expect(rule != nil, "\(name): \(path)")
            }
        }
    }
}
