import Testing
import Verdict

struct ExitDecisionTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var images: [[(Outcome, Severity)]]
        var complete = true
        var threshold = Severity.warning
        var decision: ExitDecision

        init(
            _ decision: ExitDecision, _ images: [[(Outcome, Severity)]], complete: Bool = true,
            failOn threshold: Severity = .warning
        ) {
            self.images = images
            self.complete = complete
            self.threshold = threshold
            self.decision = decision
        }

        var testDescription: String { "\(images) complete=\(complete) threshold=\(threshold)" }
    }

    @Test(arguments: [
        // What counts as conforming.
        Row(.conforming, [[(.pass, .error)]]),
        Row(.conforming, [[(.waived, .error)]]),
        Row(.conforming, [[(.pass, .error), (.skipped, .error), (.notApplicable, .error)]]),
        // A fail at or above the threshold.
        Row(.notConforming, [[(.fail, .error)]]),
        Row(.notConforming, [[(.fail, .warning)]]),
        Row(.conforming, [[(.fail, .info)]]),
        Row(.notConforming, [[(.fail, .info)]], failOn: .info),
        Row(.conforming, [[(.fail, .warning)]], failOn: .error),
        Row(.notConforming, [[(.fail, .error)]], failOn: .error),
        Row(.notConforming, [[(.pass, .error)], [(.fail, .error)]]),
        // Errors, whatever their severity.
        Row(.undecided, [[(.pass, .error), (.error, .error)]]),
        Row(.undecided, [[(.pass, .error), (.error, .info)]], failOn: .error),
        Row(.undecided, [[(.pass, .error)], [(.error, .error)]]),
        // A definite fail wins over errors and over an interruption; a light one does not.
        Row(.notConforming, [[(.error, .error), (.fail, .error)]]),
        Row(.notConforming, [[(.fail, .error)]], complete: false),
        Row(.notConforming, [[], [(.fail, .error)]]),
        Row(.undecided, [[(.error, .error), (.fail, .warning)]], failOn: .error),
        // Nothing was evaluated.
        Row(.undecided, []),
        Row(.undecided, [[]]),
        Row(.undecided, [[(.skipped, .error)]]),
        Row(.undecided, [[(.notApplicable, .error)]]),
        Row(.undecided, [[(.pass, .error)], [(.skipped, .error)]]),
        Row(.undecided, [[(.pass, .error)], []]),
        // Interrupted before a fail was seen.
        Row(.undecided, [[(.pass, .error)]], complete: false),
    ])
    func decides(row: Row) {
        let record = record(row.images.map { $0.map { result($0.0, $0.1) } }, complete: row.complete)
        #expect(ExitDecision(of: record, failOn: row.threshold) == row.decision)
    }

    @Test("an image that could not be read is never conforming, and a fail elsewhere still wins")
    func unreadableImages() {
        for (outcome, expected) in [(Outcome.pass, ExitDecision.undecided), (.fail, .notConforming)] {
            var record = record([[result(outcome, .error)]], complete: true)
            record.unreadable = [UnreadableImage(reference: "oci:x", reason: "damaged")]
            #expect(ExitDecision(of: record) == expected)
        }
    }

    @Test func infoDoesNotCountUnlessAskedFor() {
        #expect(ExitDecision(of: record([[result(.fail, .info)]])) == .conforming)
        #expect(ExitDecision(of: record([[result(.fail, .warning)]])) == .notConforming)
    }

    @Test func codesArePromised() {
        let codes: [ExitDecision: Int32] = [
            .conforming: 0, .notConforming: 1, .usage: 2, .undecided: 3, .interrupted: 130, .terminated: 143,
        ]
        #expect(Dictionary(uniqueKeysWithValues: ExitDecision.allCases.map { ($0, $0.rawValue) }) == codes)
    }

    private func record(_ images: [[CheckResult]], complete: Bool = true) -> RunRecord {
        RunRecord(
            tool: RunRecord.Tool(name: "assay", version: "0"), started: nil, complete: complete, suites: [],
            images: images.map(run))
    }
}

struct OutcomeTests {
    @Test func severitiesAreOrderedFromLightToHeavy() {
        #expect(Severity.allCases == [.info, .warning, .error])
        #expect(Severity.allCases.shuffled().sorted() == Severity.allCases)
    }

    @Test func everyOutcomeIsCounted() {
        let counts = run([result(.pass), result(.pass), result(.waived)]).counts
        #expect(
            counts == [.pass: 2, .fail: 0, .error: 0, .notApplicable: 0, .skipped: 0, .waived: 1])
    }

    @Test(arguments: Outcome.allCases)
    func onlyAJudgementIsAnEvaluation(outcome: Outcome) {
        let evaluated: Set<Outcome> = [.pass, .fail, .waived]
        #expect(run([result(outcome)]).hasEvaluatedChecks == evaluated.contains(outcome))
    }

    @Test func positionsReadAsCompilersWriteThem() {
        #expect(SourcePosition(file: "a/b.yaml", line: 3, column: 7).description == "a/b.yaml:3:7")
    }
}

private func result(_ outcome: Outcome, _ severity: Severity = .error) -> CheckResult {
    CheckResult(
        id: "C-1", title: "title", suite: "suite", group: "group", severity: severity, outcome: outcome,
        position: SourcePosition(file: "suite.yaml", line: 1, column: 1))
}

private func run(_ results: [CheckResult]) -> ImageRun {
    ImageRun(
        image: ImageIdentity(
            reference: "oci:out", manifestDigest: nil, configDigest: "sha256:0", platform: "linux/amd64",
            created: nil, layers: []),
        profile: nil, parameters: [], results: results, notes: [], duration: 0)
}
