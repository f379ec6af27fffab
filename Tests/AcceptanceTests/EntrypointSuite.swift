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

    private let directory: TemporaryDirectory
    private let arguments: [String]

    init(_ change: Change) throws {
        directory = try TemporaryDirectory()
        let folder = "\(projectRoot)/Conformance/airflow"
        var containers = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasSuffix(".yaml") {
            var text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            if name == "entrypoint.yaml" {
                (text, containers) = EntrypointSuite.changed(text, change)
            } else if name == "profiles.yaml", let release = change.release {
                text = text.replacing(
                    "\nprofiles:\n",
                    with: "\nprofiles:\n  - {id: one, title: one release, versions: \"\(release)\"}\n")
            }
            try directory.write(Array(text.utf8), to: name)
        }
        guard containers > 30 else {
            throw ToolError(description: "entrypoint.yaml is not laid out as it was")
        }
        arguments =
            ["--suite", directory.path, "--only", EntrypointSuite.group]
            + (change.release == nil ? [] : ["--profile", "one"])
    }

    /// What came of each check of the group on the reference image, by its id.
    func results(skipping skipped: [String] = []) async throws -> [String: CheckResult] {
        let image = try ReferenceImage.reference()
        let result = try await Assay.run(
            ["check", image, "--report", "json", "--jobs", "2"] + arguments
                + skipped.flatMap { ["--skip", $0] })
        guard result.code != 2 else { throw ToolError(description: result.description) }
        let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
        let results = record.images.flatMap(\.results).filter { $0.outcome != .skipped }
        return Dictionary(results.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Puts the change into every container that is written out; those that are aliases of one follow it.
    private static func changed(_ text: String, _ change: Change) -> (text: String, containers: Int) {
        func quoted(_ text: String) -> String {
            String(decoding: JSON.string(text).serialized, as: UTF8.self)
        }
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
