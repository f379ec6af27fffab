import Checks
import Facts
import Suite
import Testing
import Verdict

/// A suite of checks A-1, A-2, … from their expectations in YAML.
func compile(_ expectations: String...) throws -> CompiledSuite {
    let checks = expectations.enumerated().map { index, yaml in
        let indented = yaml.split(separator: "\n", omittingEmptySubsequences: false).map { "      \($0)" }
        return "  - id: A-\(index + 1)\n    title: t\n    expect:\n\(indented.joined(separator: "\n"))\n"
    }
    return try compile(suite: "checks:\n" + checks.joined())
}

/// A suite of one file, which says the rest after its head.
func compile(suite rest: String) throws -> CompiledSuite {
    let head = "suite: example\ntitle: Example\n"
    return try CompiledSuite(SuiteLoader.load(directory: [("suite.yaml", head + rest)]))
}

/// What becomes of one expectation on an image that was made from an empty one.
func evaluate(_ yaml: String, on image: TestImage) throws -> CheckResult {
    let inputs = JudgeInputs(base: BaseImage(reference: "scratch", diffIDs: []))
    return try #require(compile(yaml).judge(image.facts(), inputs: inputs).results.first)
}

extension CompiledSuite {
    /// Compiled once: it is the same in every test.
    static func airflow() throws -> CompiledSuite { try shared.get() }

    private static let shared = Result {
        try CompiledSuite(SuiteLoader.load(directory: SuiteSource.files(of: "airflow")))
    }
}

extension Judgement {
    func ids(_ outcome: Outcome) -> [String] { results.filter { $0.outcome == outcome }.map(\.id) }

    func result(_ id: String) throws -> CheckResult { try #require(results.first { $0.id == id }) }
}
