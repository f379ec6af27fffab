import AssayTestSupport
import Foundation
import Testing
import Verdict

/// The recipes for continuous integration: of the schemas of those that read them, and run as they run them.
@Suite struct RecipeTests {
    private static let action = projectRoot + "/scripts/action/action.yml"
    private static let gitLab = projectRoot + "/scripts/ci-templates/assay.gitlab-ci.yml"
    private static let jenkins = projectRoot + "/scripts/ci-templates/Jenkinsfile"

    @Test(arguments: [
        ("vendor.github-actions", action),
        ("vendor.github-workflows", projectRoot + "/scripts/action/example.yml"),
        ("vendor.gitlab-ci", gitLab),
    ])
    func recipesAreOfTheirSchemas(schema: String, file: String) async throws {
        let tool = URL(fileURLWithPath: try Setting.python.value()).deletingLastPathComponent()
            .appending(path: "check-jsonschema").path
        _ = try await output(of: tool, ["--builtin-schema", schema, file])
    }

    /// The value of an expression over a YAML file, `document`, as JSON.
    private func yaml<Value: Decodable>(_ file: String, _ expression: String, as type: Value.Type)
        async throws
        -> Value
    {
        let script = """
            import json, sys
            from ruamel.yaml import YAML
            document = YAML(typ="safe").load(open(sys.argv[1], encoding="utf-8"))
            print(json.dumps(\(expression)))
            """
        let text = try await output(of: Setting.python.value(), ["-c", script, file])
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    // MARK: GitHub

    private struct Step {
        var result: ToolResult
        var outputs: [String: String]
        var summary: String
        /// Where it ran.
        var directory: TemporaryDirectory
    }

    /// Runs the step of the action as GitHub's runner does: its inputs are those given, else the defaults.
    private func runAction(_ inputs: [String: String], in directory: TemporaryDirectory) async throws -> Step
    {
        let defaults = try await yaml(
            Self.action, "{name: value.get('default', '') for name, value in document['inputs'].items()}",
            as: [String: String].self)
        #expect(Set(inputs.keys).isSubset(of: defaults.keys))
        let steps = try await yaml(
            Self.action, "[[step['run'], step['shell']] for step in document['runs']['steps']]",
            as: [[String]].self)
        let variables = try await yaml(
            Self.action, "document['runs']['steps'][0]['env']", as: [String: String].self)
        let step = try #require(steps.first)
        #expect(steps.count == 1 && step[1] == "bash")
        var environment: [String: String?] = [
            "GITHUB_ACTION_PATH": projectRoot + "/scripts/action", "GITHUB_ACTIONS": "true", "CI": "true",
            "GITHUB_OUTPUT": "\(directory.path)/outputs", "GITHUB_STEP_SUMMARY": "\(directory.path)/summary",
        ]
        for (name, expression) in variables {
            let input = try #require(expression.wholeMatch(of: /\$\{\{ inputs\.([a-z-]+) \}\}/)).1
            environment[name] = try #require(inputs[String(input)] ?? defaults[String(input)])
        }
        _ = try directory.write([], to: "outputs")
        _ = try directory.write(Array("What an earlier step said.\n".utf8), to: "summary")
        let script = try directory.write(Array("cd '\(directory.path)'\n\(step[0])\n".utf8), to: "step")
        let result = try await run(
            "bash", ["--noprofile", "--norc", "-eo", "pipefail", script], environment: environment)
        let lines = String(decoding: try directory.read("outputs"), as: UTF8.self).split(separator: "\n")
        var outputs: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            outputs[String(parts[0])] = String(try #require(parts.last))
        }
        let declared = try await yaml(
            Self.action,
            "[value['value'].split('.')[-1].split(' ')[0] for value in document['outputs'].values()]",
            as: [String].self)
        #expect(Set(outputs.keys).isSubset(of: declared))
        return Step(
            result: result, outputs: outputs,
            summary: String(decoding: try directory.read("summary"), as: UTF8.self), directory: directory)
    }

    @Test func theActionReportsWhatItFinds() async throws {
        let image = try OutcomesImage()
        let directory = image.directory
        let step = try await runAction(
            [
                "image": image.arguments[0], "suite": "\n\(image.arguments[2])\n",
                "waivers": image.arguments[6],
                "only": "O-*\n", "assay": try Setting.binary.value(), "reports": "tap=Reports/more.tap",
                "anchor": "build/Dockerfile",
            ], in: directory)
        #expect(step.result.code == 1, "\(step.result)")
        let record = try JSONDecoder().decode(
            RunRecord.self, from: Data(directory.read("Reports/assay.json")))
        let run = try #require(record.images.first)
        #expect(
            step.outputs == [
                "outcome": "not-conforming", "exit-code": "1",
                "failed": String(run.counts[.fail] ?? 0), "undecided": "1",
                "digest": try #require(run.image.manifestDigest), "json": "Reports/assay.json",
                "junit": "Reports/assay.xml", "sarif": "Reports/assay.sarif",
            ])
        // The report, then annotations at the anchor.
        #expect(step.result.output.contains("DOES NOT CONFORM"), "\(step.result)")
        #expect(step.result.output.contains("\n::error file=build/Dockerfile,line=1,title=O-FAIL there"))
        #expect(step.summary.hasPrefix("What an earlier step said.\n### ✗ DOES NOT CONFORM"))
        #expect(try directory.read("Reports/more.tap").starts(with: Array("TAP version 13\n".utf8)))
        // What is waived is no alert.
        let sarif = String(decoding: try directory.read("Reports/assay.sarif"), as: UTF8.self)
        #expect(sarif.contains("\"ruleId\": \"O-FAIL\"") && !sarif.contains("\"ruleId\": \"O-WAIVED\""))
        #expect(run.counts[.waived] == 1)
    }

    @Test func theActionSucceedsWhereTheImageConforms() async throws {
        let image = try SmallImage()
        let step = try await runAction(
            [
                "image": image.layout, "suite": image.good, "assay": try Setting.binary.value(),
                "directory": "a directory/of reports",
            ], in: image.directory)
        #expect(step.result.code == 0, "\(step.result)")
        #expect(step.outputs["outcome"] == "conforming" && step.outputs["failed"] == "0")
        #expect(step.outputs["sarif"] == "a directory/of reports/assay.sarif")
        #expect(step.summary.contains("### ✓ CONFORMS"))
    }

    @Test func theActionEndsAsAssayDoes() async throws {
        let image = try SmallImage()
        let binary = try Setting.binary.value()
        let unreadable = try await runAction(
            ["image": "oci:/nonexistent", "suite": image.good, "assay": binary], in: image.directory)
        #expect(unreadable.result.code == 3, "\(unreadable.result)")
        #expect(unreadable.outputs["outcome"] == "undecided")
        #expect(unreadable.outputs["digest"]?.isEmpty == true)
        #expect(unreadable.summary.contains("### ? COULD NOT BE JUDGED"))
        let usage = try await runAction(
            ["image": image.layout, "suite": "/nonexistent", "assay": binary], in: image.directory)
        #expect(usage.result.code == 2, "\(usage.result)")
        #expect(usage.outputs == ["outcome": "usage", "exit-code": "2"])
        let none = try await runAction(["image": " \n", "assay": binary], in: image.directory)
        #expect(none.result.code == 2 && none.outputs.isEmpty, "\(none.result)")
        #expect(none.result.output.hasPrefix("::error "))
    }

    // MARK: GitLab and Jenkins

    /// PATH with the program under test in front.
    private func path() throws -> String {
        let folder = URL(fileURLWithPath: try Setting.binary.value()).deletingLastPathComponent().path
        return folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    }

    @Test func theJobOfGitLabWritesItsArtifacts() async throws {
        let image = try OutcomesImage()
        let job = "document['.assay']"
        let script = try await yaml(Self.gitLab, "\(job)['script']", as: [String].self)
        var variables = try await yaml(Self.gitLab, "\(job)['variables']", as: [String: String].self)
        variables["ASSAY_IMAGE"] = image.arguments[0]
        variables["ASSAY_SUITE"] = image.arguments[2]
        variables["ASSAY_ARGUMENTS"] = "--waivers \(image.arguments[6]) --skip O-SKIP"
        variables["PATH"] = try path()
        let file = try image.directory.write(
            Array(
                (["set -eo pipefail", "cd '\(image.directory.path)'"] + script).joined(separator: "\n").utf8),
            to: "script")
        let result = try await run("bash", [file], environment: variables)
        #expect(result.code == 1 && result.output.contains("DOES NOT CONFORM"), "\(result)")
        let artifacts = try await yaml(
            Self.gitLab, "list(\(job)['artifacts']['reports'].values())", as: [String].self)
        #expect(artifacts.count == 2)
        for artifact in artifacts { #expect(try !image.directory.read(artifact).isEmpty) }
        let quality = try JSONSerialization.jsonObject(
            with: Data(image.directory.read("Reports/gl-code-quality-report.json")))
        let entries = try #require(quality as? [[String: Any]])
        #expect(entries.contains { $0["check_name"] as? String == "O-FAIL" })
        #expect(entries.allSatisfy { ($0["location"] as? [String: Any])?["path"] as? String == "Dockerfile" })
    }

    @Test func thePipelineOfJenkinsWritesWhatItReads() async throws {
        let image = try OutcomesImage()
        let pipeline = try String(contentsOfFile: Self.jenkins, encoding: .utf8)
        let step = try #require(pipeline.firstMatch(of: /sh '''(?s)(.*?)'''/)).1.replacing(
            #"\\"#, with: #"\"#)
        let file = try image.directory.write(
            Array("cd '\(image.directory.path)'\n\(step)\n".utf8), to: "script")
        let result = try await run(
            "sh", ["-xe", file],
            environment: [
                "ASSAY_IMAGE": image.arguments[0], "ASSAY_SUITE": image.arguments[2], "PATH": try path(),
            ])
        #expect(result.code == 1, "\(result)")
        let report = try #require(pipeline.firstMatch(of: /junit '([^']*)'/)).1
        #expect(try image.directory.read(String(report)).starts(with: Array("<?xml".utf8)))
    }
}
