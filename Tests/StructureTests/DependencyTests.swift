import Foundation
import Testing

/// The table of modules in the README, as edges: what each target may depend on.
private let allowed: [String: Set<String>] = [
    "CArchive": [], "CISAL": [], "COpenSSL": [], "CSandbox": [], "CXattr": [],
    "OCIModel": [],
    "Verdict": [],
    "LayerArchive": ["CArchive", "CISAL", "COpenSSL", "CSandbox", "CXattr", "OCIModel"],
    "RootFS": ["LayerArchive", "OCIModel"],
    "ImageSource": ["LayerArchive", "OCIModel", "Subprocess", "SystemPackage"],
    "Facts": ["LayerArchive", "RootFS", "OCIModel"],
    "Suite": ["Verdict", "Yams"],
    "Checks": ["Facts", "OCIModel", "RootFS", "Suite", "Verdict"],
    "Probes": ["Facts", "LayerArchive", "OCIModel", "Suite", "Verdict", "Subprocess", "SystemPackage"],
    "Runner": [
        "Checks", "Facts", "ImageSource", "LayerArchive", "OCIModel", "Probes", "RootFS", "Suite", "Verdict",
    ],
    "Reporting": ["Verdict"],
    "HostileCorpus": ["LayerArchive", "OCIModel"],
    "AssayCommands": [
        "Checks", "HostileCorpus", "ImageSource", "LayerArchive", "OCIModel", "Probes", "Reporting", "RootFS",
        "Runner", "Suite",
        "Verdict",
        "ArgumentParser",
    ],
    "assay": ["AssayCommands"],
]

/// Modules that a source file may import beside its target's own edges. An import without an edge would leave the
/// build unaware that the file has to be compiled again.
private let systemModules: Set<String> = [
    "Swift", "Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization", "Testing",
]

private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite("Structure") struct DependencyTests {
    private struct Package: Decodable {
        struct Target: Decodable {
            let name: String
            let type: String
            let dependencies: [Dependency]
        }

        struct Dependency: Decodable {
            let name: String

            init(from decoder: any Decoder) throws {
                // {"byName": [name, …]} or {"product": [name, package, …]} or {"target": [name, …]}
                let container = try decoder.singleValueContainer()
                let fields = try container.decode([String: [String?]].self)
                name = fields.values.first?.first.flatMap { $0 } ?? ""
            }
        }

        let targets: [Target]
    }

    private func package() throws -> Package {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
            "assay-dump-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path, "dump-package",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "swift package dump-package")
        return try JSONDecoder().decode(Package.self, from: output)
    }

    @Test("the package has exactly the edges of the table")
    func edges() throws {
        var found: [String: Set<String>] = [:]
        let ofTests: Set = ["AssayTestSupport", "FuzzTargets", "old-kernel", "unruly-reader"]
        for target in try package().targets where target.type != "test" && !ofTests.contains(target.name) {
            found[target.name] = Set(target.dependencies.map(\.name))
        }
        #expect(found == allowed)
    }

    @Test("the README's table names the same edges")
    func readme() throws {
        let text = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        for (module, edges) in allowed where !module.hasPrefix("C") || module == "Checks" {
            let row = text.split(separator: "\n").first { $0.hasPrefix("| `\(module)` |") }
            let cells = try #require(row, "no row for \(module)").split(separator: "|").map(String.init)
            let named = cells.last.map { $0.split { " ,`".contains($0) }.map(String.init) } ?? []
            #expect(
                Set(named.filter { $0 != "-" && $0 != "C" && $0 != "modules" })
                    == edges.filter { !$0.hasPrefix("C") || $0 == "Checks" }, "\(module)")
        }
    }

    @Test("nothing is imported without an edge")
    func imports() throws {
        for (module, direct) in allowed {
            let folder = root.appendingPathComponent("Sources/\(module)")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
                $0.hasSuffix(".swift")
            }
            for file in files {
                let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                for line in text.split(separator: "\n") where line.hasPrefix("import ") {
                    let name = String(line.split(separator: " ")[1])
                    #expect(
                        systemModules.contains(name) || direct.contains(name),
                        "\(module)/\(file) imports \(name)")
                }
            }
        }
    }
}
