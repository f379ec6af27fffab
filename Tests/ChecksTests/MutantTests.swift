import AssayTestSupport
import Checks
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

    @Test("there is one for every check that runs no container")
    func everyCheck() throws {
        let killed = Set(Mutant.all.flatMap(\.fails))
        let checks = try CompiledSuite.airflow().document.checks.filter { $0.scenario == nil }
        let survivors = checks.map(\.id).filter { !killed.contains($0) }
        #expect(survivors == [])
    }

    @Test("are rows of the matrix that scripts/mutants asks for", .enabled(if: MutantRow.file != nil))
    func matrix() throws {
        let suite = try CompiledSuite.airflow()
        let mutants = try Mutant.all.map { mutant in
            let judgement = try mutant.judge(by: suite)
            return MutantRow(
                mutant: mutant.name, statement: mutant.statement, image: mutant.line.name,
                expected: mutant.fails, failing: judgement.ids(.fail), errors: judgement.ids(.error))
        }
        let conforming = try ConformingImage.all.map { conforming in
            let image = conforming.make()
            let judgement = try suite.judge(image.facts(), inputs: conforming.inputs(image))
            return MutantRow(
                mutant: nil, statement: nil, image: conforming.name, expected: conforming.lost,
                failing: judgement.ids(.fail), errors: judgement.ids(.error))
        }
        try MutantRow.write(mutants + conforming, to: #require(MutantRow.file))
    }
}
