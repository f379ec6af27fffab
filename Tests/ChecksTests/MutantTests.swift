import Checks
import Foundation
import Suite
import Testing

@Suite("Images that break one statement")
struct MutantTests {
    @Test("fail the checks of the statement, and no other", arguments: Mutant.all)
    func fails(_ mutant: Mutant) throws {
        let suite = try CompiledSuite.airflow()
        let judgement = try mutant.judge(by: suite)
        #expect(Set(judgement.ids(.fail)) == Set(mutant.fails))
        #expect(judgement.ids(.error) == [])
        let result = try judgement.result(mutant.fails[0])
        if let statement = mutant.statement {
            #expect(result.statements.contains(statement), "\(result.id) \(result.statements)")
        }
        let finding = try #require(result.findings.first)
        if let expected = mutant.instruction {
            let instruction = try #require(finding.provenance?.instruction, "\(finding)")
            #expect(instruction.contains(expected), "\(instruction)")
        }
    }

    @Test("there is one for every check")
    func everyCheck() throws {
        let killed = Set(Mutant.all.flatMap(\.fails))
        let survivors = try CompiledSuite.airflow().document.checks.map(\.id).filter { !killed.contains($0) }
        #expect(survivors == [])
    }

    /// A line of the matrix that `scripts/mutants` makes a report of.
    private struct Row: Encodable {
        var mutant: String
        var statement: String?
        var line: String
        var expected: [String]
        var failing: [String]
        var errors: [String]
    }

    @Test(
        "are written to the matrix that is asked for",
        .enabled(if: ProcessInfo.processInfo.environment["ASSAY_MUTANT_MATRIX"] != nil))
    func matrix() throws {
        let suite = try CompiledSuite.airflow()
        var rows = try Mutant.all.map { mutant in
            let judgement = try mutant.judge(by: suite)
            return Row(
                mutant: mutant.name, statement: mutant.statement, line: mutant.line.name,
                expected: mutant.fails.sorted(), failing: judgement.ids(.fail).sorted(),
                errors: judgement.ids(.error))
        }
        rows += try ConformingImage.all.map { conforming in
            let image = conforming.make()
            let judgement = try suite.judge(image.facts(), inputs: conforming.inputs(image))
            return Row(
                mutant: "none", line: conforming.name, expected: conforming.lost.sorted(),
                failing: judgement.ids(.fail).sorted(), errors: judgement.ids(.error))
        }
        let path = try #require(ProcessInfo.processInfo.environment["ASSAY_MUTANT_MATRIX"])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(rows).write(to: URL(fileURLWithPath: path))
    }
}
