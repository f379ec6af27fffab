import AssayTestSupport
import Foundation
import Testing

/// `assay suites` and `assay explain`.
@Suite struct SuiteCommandTests {
    let image: SmallImage

    init() throws { image = try SmallImage() }

    private func wrong(_ name: String) throws -> String {
        try image.write(suite: "  - id: T-1\n    title: t\n    expekt: {user: root}", named: name)
    }

    @Test func builtInSuitesAreListed() async throws {
        let result = try await Assay.run("suites", "list")
        #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.output.contains(#/(?m)^airflow  .+, [0-9]+ checks$/#), "\(result)")
    }

    @Test func aSuiteIsShown() async throws {
        let result = try await Assay.run("suites", "show", "airflow")
        #expect(result.code == 0, "\(result)")
        for words in ["Parameters\n", "Release lines\n  3.1-3.3: ", "AIRFLOW_UID: ", "  AIR-USER-001  "] {
            #expect(result.output.contains(words), "\(words)")
        }
        #expect(try await Assay.run("suites", "show", "airflwo").code == 2)
    }

    @Test func lintSaysEverythingOfEverySuite() async throws {
        let good = try await Assay.run("suites", "lint", "airflow", image.good)
        #expect(good.code == 0 && good.errors.isEmpty, "\(good)")
        #expect(good.output.split(separator: "\n").count == 2, "\(good)")
        let bad = try await Assay.run(
            "suites", "lint", try wrong("one"), image.good, try wrong("two"), "nonexistent")
        #expect(bad.code == 2, "\(bad)")
        #expect(bad.output.contains("good: 2 checks"), "\(bad)")
        for place in ["one.yaml:6:5: ", "two.yaml:6:5: ", "nonexistent is neither"] {
            #expect(bad.errors.contains(place), "\(place) \(bad)")
        }
        #expect(bad.errors.contains("did you mean expect?"), "\(bad)")
        #expect(try await Assay.run("suites", "lint").code == 2)
    }

    @Test func mapNeedsStatements() async throws {
        let listed = try image.directory.write(
            Array(
                """
                suite: mapped
                title: Example
                statements:
                  - {id: A01, lines: "1", shown: [image], text: the user is root}
                  - {id: A02, lines: "2", shown: [none], text: read this, reason: it is advice}
                checks:
                  - {id: T-1, title: t, statements: [A01], expect: {user: root}}
                """.utf8), to: "mapped.yaml")
        let mapped = try await Assay.run("suites", "map", listed)
        #expect(
            mapped.code == 0 && mapped.output.contains("| A01 | 1 | the user is root | T-1 |"), "\(mapped)")
        let missing = try image.directory.write(
            Array(
                try String(contentsOfFile: listed, encoding: .utf8)
                    .replacing("statements: [A01], ", with: "").utf8), to: "mapped.yaml")
        let result = try await Assay.run("suites", "map", missing)
        #expect(result.code == 1 && result.errors.contains("no check enforces A01"), "\(result)")
        #expect(try await Assay.run("suites", "map", image.good).code == 2)
    }

    @Test func aCheckIsExplained() async throws {
        let result = try await Assay.run("explain", "AIR-FS-002")
        #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
        for words in [
            "severity: error", "remedy: make ", "applies: to the release lines ", "F25  ", "drift: ",
            "As written in airflow/filesystem.yaml:", "  - id: AIR-FS-002\n    title: ",
            "  waivers:\n    - check: AIR-FS-002",
            "path: a file, directory or link", "An ordinary image meets:", "and does not meet:",
        ] {
            #expect(result.output.contains(words), "\(words)\n\(result.output)")
        }
    }

    @Test func aStatementIsExplained() async throws {
        let result = try await Assay.run("explain", "B09")
        #expect(result.code == 0, "\(result)")
        #expect(
            result.output.hasPrefix("B09  ") && result.output.contains("Enforced by\n  AIR-"), "\(result)")
    }

    @Test func whatIsUnknownIsTwoWithWhatWasMeant() async throws {
        let result = try await Assay.run("explain", "AIR-FS-0002")
        #expect(result.code == 2 && result.errors.contains("did you mean AIR-FS-"), "\(result)")
        expectComplaint(result)
    }

    @Test(arguments: [["explain"], ["suites"]])
    func helpHasAnExample(command: [String]) async throws {
        let result = try await Assay.run(command + ["--help"])
        #expect(result.code == 0 && result.output.contains(#/Examples?:\n +assay /#), "\(result)")
    }

    // MARK: The schema

    private func validate(_ files: [String]) async throws -> ToolResult {
        let schema = try image.directory.write(
            try await Assay.run("suites", "schema").outputBytes, to: "schema.json")
        return try await run(
            Setting.python.value(), ["-m", "check_jsonschema", "--schemafile", schema] + files)
    }

    @Test func everySuiteIsValidByTheSchema() async throws {
        let folder = "\(projectRoot)/Conformance"
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter {
            $0.hasSuffix(".yaml")
        }
        #expect(files.count >= 10)
        let result = try await validate(files.map { "\(folder)/\($0)" } + [image.good, image.bad])
        #expect(result.code == 0, "\(result)")
    }

    @Test(arguments: [
        "  - {id: T-1, title: t, expekt: {user: root}}", "  - {id: T-1, title: t}",
        "  - {id: T-1, title: t, expect: []}",
        "  - {id: t, title: t, expect: {user: root}}",
        "  - {id: T-1, title: t, expect: {user: root, owner: x}}",
        "  - {id: T-1, title: t, severity: fatal, expect: {user: root}}",
        "  - {id: T-1, title: t, expect: {paths: {every: [/a], none: [/b]}, owner: root}}",
        "  - {id: T-1, title: t, when: {lineage: old}, expect: {user: root}}",
    ])
    func aBrokenSuiteIsNot(checks: String) async throws {
        let file = try image.write(suite: checks, named: "broken")
        let result = try await validate([file])
        #expect(result.code == 1, "\(result)")
        #expect(try await Assay.run("suites", "lint", file).code == 2)
    }
}
