import AssayTestSupport
import Foundation
import Testing
import Verdict

/// The program under test.
enum Assay {
    /// Runs it.
    static func run(
        _ arguments: String..., input: Stream = .null, output: Stream? = nil,
        environment: [String: String?] = [:]
    ) async throws -> ToolResult {
        try await run(arguments, input: input, output: output, environment: environment)
    }

    static func run(
        _ arguments: [String], input: Stream = .null, output: Stream? = nil,
        environment: [String: String?] = [:]
    ) async throws -> ToolResult {
        try await AcceptanceTests.run(
            Setting.binary.value(), arguments, input: input, output: output, environment: environment)
    }

    /// The record of `assay check`, read from its JSON report on standard output.
    ///
    /// - Parameter only: by default no container is run; nil for every check.
    static func record(
        _ arguments: [String], only: String? = "static", input: Stream = .null, code: Int32 = 0,
        environment: [String: String?] = [:]
    ) async throws -> RunRecord {
        let result = try await run(
            ["check"] + arguments + (only.map { ["--only", $0] } ?? []) + ["--report", "json"], input: input,
            environment: environment)
        guard result.code == code else { throw ToolError(description: "expected \(code): \(result)") }
        return try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
    }
}

/// What `scripts/test` hands to the tests by environment variables.
enum Setting: String {
    case binary = "ASSAY_BINARY"
    case referenceImage = "ASSAY_REFERENCE_IMAGE"
    /// The same of Airflow 3.
    case referenceImage3 = "ASSAY_REFERENCE_IMAGE_3"
    /// A line for each mutant, `NAME=oci:PATH:TAG`.
    case mutants = "ASSAY_MUTANTS"
    /// A Python with the readers of report formats.
    case python = "ASSAY_PYTHON"

    /// A test without its setting fails: skipped, it would look like a passed one.
    func value() throws -> String {
        guard let value = ProcessInfo.processInfo.environment[rawValue], !value.isEmpty else {
            throw ToolError(description: "\(rawValue) is not set: run the acceptance tests by scripts/test")
        }
        return value
    }
}

/// The root of the project.
let projectRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
