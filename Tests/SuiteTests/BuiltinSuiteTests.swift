import Foundation
import Suite
import Testing

@Suite("The suites that come with the program")
struct BuiltinSuiteTests {
    private static let conformance = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Conformance")

    @Test(
        "are the files of Conformance: run scripts/generate after a change",
        arguments: SuiteSource.builtinNames)
    func upToDate(_ name: String) throws {
        let directory = Self.conformance.appending(path: name)
        let onDisk = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
        let builtin = try SuiteSource.files(of: name)
        #expect(builtin.map(\.name) == onDisk.map { "\(name)/\($0)" }, "run scripts/generate")
        for (file, generated) in zip(onDisk, builtin) {
            let text = try String(contentsOf: directory.appending(path: file), encoding: .utf8)
            #expect(generated.text == text, "\(file) has changed: run scripts/generate")
        }
    }

    @Test("load without a diagnostic", arguments: SuiteSource.builtinNames)
    func load(_ name: String) throws {
        let document = try SuiteLoader.load(directory: SuiteSource.files(of: name))
        #expect(document.name == name)
        #expect(!document.checks.isEmpty)
    }

    @Test("cite only statements of the document's checklist")
    func statements() throws {
        let document = try SuiteLoader.load(directory: SuiteSource.files(of: "airflow"))
        let counts = [
            "A": 4, "B": 21, "C": 16, "D": 4, "E": 5, "F": 33, "G": 22, "H": 8, "I": 9, "J": 9, "K": 10,
        ]
        for check in document.checks {
            for statement in check.statements {
                let number = try #require(Int(statement.dropFirst()))
                #expect(
                    (1...(counts[String(statement.prefix(1))] ?? 0)).contains(number),
                    "\(check.id): \(statement)")
            }
            #expect(check.remedy != nil && check.source != nil, "\(check.id)")
        }
    }

    @Test("an unknown name is told what there is")
    func unknown() {
        let error = #expect(throws: SuiteError.self) { try SuiteSource.files(of: "airflw") }
        #expect(
            error?.description
                == "airflw is neither a built-in suite (airflow) nor a path; did you mean airflow?")
    }

    @Test("a path is a directory of YAML files, or one file")
    func paths() throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "assay-suite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "one.yaml")
        try Data("suite: one\n".utf8).write(to: file)
        try Data("not read".utf8).write(to: directory.appending(path: "README.md"))
        #expect(try SuiteSource.files(of: directory.path).map(\.name) == ["\(directory.path)/one.yaml"])
        #expect(try SuiteSource.files(of: file.path).map(\.text) == ["suite: one\n"])
        try Data([0x61, 0xFF]).write(to: file)
        let error = #expect(throws: SuiteError.self) { try SuiteSource.files(of: file.path) }
        #expect(error?.description == "\(file.path) is not UTF-8")
    }
}
