import AssayTestSupport
import Foundation
import OCIModel
import Testing
import Verdict

/// The suite airflow with another entrypoint: a file is mounted over that of the image in every container, so that
/// no image has to be built and unpacked.
struct EntrypointSuite {
    /// What differs from the image as it is.
    struct Change {
        /// The script; nil for that of the image.
        var script: String?
        var mode = "0755"
        /// The program and its arguments instead of the image's.
        var entrypoint: [String]?
        /// The command of an image of the release.
        var command: [String]?
        /// The release to judge by, whatever is installed.
        var release: String?
    }

    /// The checks of the entrypoint alone.
    static let group = "entrypoint"
    /// Those of what it waits for, and of Kerberos.
    static let filesOfOtherGroups = [
        "waits": ["waits.yaml", "waits-broker.yaml"], "kerberos": ["kerberos-probes.yaml"],
    ]

    /// Of the changed suite.
    let name: String
    private let directory: TemporaryDirectory

    /// - Parameters:
    ///   - name: one that no other suite of the run has.
    ///   - group: the group whose scenarios are changed.
    ///   - replacing: what else is another text in the files of that group.
    init(
        _ name: String, _ change: Change, group: String = group,
        replacing replacements: [(from: String, to: String)] = []
    ) throws {
        self.name = name
        directory = try TemporaryDirectory()
        let folder = "\(projectRoot)/Conformance/airflow"
        var changes = 0
        let files = EntrypointSuite.filesOfOtherGroups[group] ?? []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder)
        where file.hasSuffix(".yaml") {
            var text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            switch file {
            case "entrypoint.yaml" where group == EntrypointSuite.group:
                let (changed, containers) = EntrypointSuite.changed(text, change)
                guard containers > 30 else {
                    throw ToolError(description: "\(file) is not laid out as it was")
                }
                (text, changes) = (changed, changes + 1)
            case _ where files.contains(file):
                for one in replacements where text.contains(one.from) {
                    text = text.replacing(one.from, with: one.to)
                    changes += 1
                }
                text = try EntrypointSuite.withScript(text, change)
                changes += 1
            case "suite.yaml": text = text.replacing("\nsuite: airflow\n", with: "\nsuite: \(name)\n")
            case "profiles.yaml":
                let profile = change.release.map {
                    "  - {id: \(EntrypointSuite.profile), title: one release, versions: \"\($0)\"}\n"
                }
                text = text.replacing("\nprofiles:\n", with: "\nprofiles:\n\(profile ?? "")")
            default: break
            }
            try directory.write(Array(text.utf8), to: file)
        }
        guard changes == max(1, files.count + replacements.count) else {
            throw ToolError(description: "the files of \(group) are not laid out as they were")
        }
    }

    /// The profile of a suite that judges by one release.
    private static let profile = "one"

    /// What came of each check of the group on the reference image, by the suite's name and the check's id. The
    /// image is read once.
    static func results(
        of suites: [EntrypointSuite], byRelease: Bool = false, only: [String] = [group],
        skipping skipped: [String] = [], jobs: Int = 4
    ) async throws -> [String: [String: CheckResult]] {
        var arguments = try ["check", ReferenceImage.reference(), "--report", "json", "--jobs", "\(jobs)"]
        for selection in only { arguments += ["--only", selection] }
        for suite in suites { arguments += ["--suite", suite.directory.path] }
        if byRelease { arguments += ["--profile", profile] }
        for selection in skipped { arguments += ["--skip", selection] }
        let result = try await Assay.run(arguments)
        guard [0, 1, 3].contains(result.code) else { throw ToolError(description: result.description) }
        let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
        return Dictionary(
            grouping: record.images.flatMap(\.results).filter { $0.outcome != .skipped }, by: \.suite
        ).mapValues { Dictionary($0.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }) }
    }

    /// Puts the script into every container of every scenario.
    private static func withScript(_ text: String, _ change: Change) throws -> String {
        guard let script = change.script else { throw ToolError(description: "no script to put in") }
        let file = "    files: [{path: /entrypoint, mode: \"\(change.mode)\", content: \(quoted(script))}]"
        var lines = text.components(separatedBy: "\n")
        let end = lines.firstIndex(of: "checks:") ?? lines.endIndex
        guard !lines[..<end].contains(where: { $0.hasPrefix("    files:") }) else {
            throw ToolError(description: "a scenario has files of its own")
        }
        for header in lines[..<end].indices.reversed()
        where lines[header].wholeMatch(of: #/ {2}[a-z0-9-]+:/#) != nil {
            lines.insert(file, at: header + 1)
        }
        return lines.joined(separator: "\n")
    }

    /// A text as JSON, which YAML reads too; an asterisk in it is not counted as the alias that it is not.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSON.string(text).serialized, as: UTF8.self).replacing("*", with: "\\u002a")
    }

    /// Puts the change into every container that is written out; those that are aliases of one follow it.
    private static func changed(_ text: String, _ change: Change) -> (text: String, containers: Int) {
        func list(_ words: [String]) -> String { "[" + words.map(quoted).joined(separator: ", ") + "]" }
        let file = change.script.map {
            "{path: /entrypoint, mode: \"\(change.mode)\", content: \(quoted($0))}"
        }
        var lines = text.components(separatedBy: "\n")
        let end = lines.firstIndex(of: "checks:") ?? lines.endIndex
        let headers = lines[..<end].indices.filter {
            lines[$0].wholeMatch(of: #/ {6}[a-z-]+:( &[a-z-]+)?/#) != nil
        }
        // From the last to the first: what is put in moves what follows.
        for header in headers.reversed() {
            let block = lines[(header + 1)..<end].prefix { $0.hasPrefix("        ") }
            if let file {
                if let files = block.firstIndex(of: "        files:") {
                    lines.insert("          - \(file)", at: files + 1)
                } else {
                    lines.insert("        files: [\(file)]", at: header + 1)
                }
            }
            let hasArguments = block.contains { $0.hasPrefix("        args:") }
            let hasEntrypoint = block.contains { $0.hasPrefix("        entrypoint:") }
            if let entrypoint = change.entrypoint, !hasEntrypoint {
                lines.insert("        entrypoint: \(list(entrypoint))", at: header + 1)
            }
            if let command = change.command, !hasArguments, !hasEntrypoint {
                lines.insert("        args: \(list(command))", at: header + 1)
            }
        }
        return (lines.joined(separator: "\n"), headers.count)
    }
}
