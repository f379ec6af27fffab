import Checks
import Suite
import Testing
import Verdict

@Suite("A waiver covers what it says, as long as it says")
struct WaiversTests {
    private func result(
        _ id: String, _ outcome: Outcome = .fail, _ subjects: [String] = ["/a"], others: [String]? = nil,
        omitted: Int? = nil
    ) -> CheckResult {
        CheckResult(
            id: id, title: id, suite: "s", group: "g", severity: .error, outcome: outcome, reason: "is wrong",
            findings: subjects.map {
                Finding(
                    subject: Subject(.path, $0), expected: "absent", observed: "present", others: others,
                    omitted: omitted)
            }, position: SourcePosition(file: "s.yaml", line: 1, column: 1))
    }

    private func record(_ results: [CheckResult]) -> RunRecord {
        RunRecord(
            tool: .init(name: "assay", version: "0"), started: nil, complete: true, suites: [],
            images: [
                ImageRun(
                    image: ImageIdentity(
                        reference: "docker-daemon:apache/airflow:2.10.5", manifestDigest: Self.digest("a"),
                        configDigest: Self.digest("c"), platform: "linux/amd64", created: nil, layers: []),
                    profile: nil, parameters: [], results: results, notes: [], duration: 0)
            ])
    }

    private static func digest(_ digit: Character) -> String {
        "sha256:" + String(repeating: digit, count: 64)
    }

    /// What results become by waivers, which lack owner and reason here, on 2026-11-23.
    private func marked(_ results: [CheckResult], by waivers: String...) throws -> RunRecord {
        let items = waivers.map {
            "  - {\($0), reason: mirror is down, owner: ops\($0.contains("expires") ? "" : ", expires: 2027-01-31")}\n"
        }
        let list = try WaiverFile.read([("w.yaml", "waivers:\n" + items.joined())])
        return Waivers(list, today: try #require(CalendarDay("2026-11-23"))).marking(record(results))
    }

    @Test(arguments: [
        "check: A-1", "check: A-*", "check: A-1, subject: /a", "check: A-1, subject: '/**'",
        "check: A-1, image: '\(digest("a"))'", "check: A-1, image: '\(digest("c"))'",
        "check: A-1, image: 'docker-daemon:apache/airflow:*'", "check: A-1, image: 'apache/airflow:2.10.*'",
        "check: A-1, expires: 2026-11-23",
    ])
    func aFailIsWaived(waiver: String) throws {
        let run = try marked([result("A-1")], by: waiver)
        let result = run.images[0].results[0]
        #expect(result.outcome == .waived)
        #expect(result.reason?.hasSuffix("by ops: mirror is down") == true)
        #expect(result.findings[0].waiver?.position.line == 2)
        #expect(result.findings[0].observed == "present")
        #expect(run.unusedWaivers == nil)
        #expect(ExitDecision(of: run) == .conforming && run.images[0].hasEvaluatedChecks)
    }

    @Test(arguments: [
        ("check: A-2", "no check matches A-2; did you mean A-1?"),
        ("check: A-1, subject: /b", "no finding is of the subject /b"),
        ("check: A-1, image: '\(digest("b"))'", "no image of the run is \(digest("b"))"),
        ("check: A-1, image: 'apache/*'", nil),
        ("check: A-1, image: 'airflow:*'", "no image of the run is airflow:*"),
    ])
    func whatIsNotNamedStaysAFail(waiver: String, unused: String?) throws {
        let run = try marked([result("A-1")], by: waiver)
        guard let unused else { return #expect(run.images[0].results[0].outcome == .waived) }
        #expect(run.images[0].results[0] == result("A-1"))
        #expect(run.unusedWaivers?.map(\.reason) == [unused])
        #expect(ExitDecision(of: run) == .notConforming)
    }

    @Test func aWaiverOfSomeFindingsLeavesTheFail() throws {
        let run = try marked([result("A-1", .fail, ["/a", "/b"])], by: "check: A-1, subject: /a")
        let result = run.images[0].results[0]
        #expect(result.outcome == .fail && result.findings.map(\.isWaived) == [true, false])
        #expect(ExitDecision(of: run) == .notConforming && run.unusedWaivers == nil)
        let both = try marked(
            [self.result("A-1", .fail, ["/a", "/b"])], by: "check: A-1, subject: /a",
            "check: A-1, subject: /b")
        #expect(both.images[0].results[0].outcome == .waived)
    }

    @Test func aGroupOfEntriesIsCoveredAsAWhole() throws {
        let within = try marked([result("A-1", others: ["/a/b", "/a/c"])], by: "check: A-1, subject: '/a**'")
        #expect(within.images[0].results[0].outcome == .waived)
        let beyond = try marked([result("A-1", others: ["/a/b", "/c"])], by: "check: A-1, subject: '/a**'")
        #expect(beyond.images[0].results[0].outcome == .fail)
        let cut = result("A-1", others: ["/a/b"], omitted: 1)
        #expect(try marked([cut], by: "check: A-1, subject: '/**'").images[0].results[0].outcome == .fail)
        #expect(try marked([cut], by: "check: A-1").images[0].results[0].outcome == .waived)
    }

    @Test func anExpiredWaiverSaysSoAndCoversNothing() throws {
        let run = try marked([result("A-1")], by: "check: A-1, expires: 2026-11-22")
        let result = run.images[0].results[0]
        #expect(result.outcome == .fail && result.findings[0].waiver?.isExpired == true)
        #expect(
            result.reason == "is wrong; a waiver expired on 2026-11-22, was by ops: mirror is down")
        #expect(run.unusedWaivers == nil && ExitDecision(of: run) == .notConforming)
        let renewed = try marked([self.result("A-1")], by: "check: A-1, expires: 2026-11-22", "check: A-1")
        #expect(renewed.images[0].results[0].outcome == .waived)
    }

    @Test func whatCouldNotBeDecidedBesideAWaivedFailIsAnError() throws {
        var partly = result("A-1")
        partly.undecided = ["/etc/shadow does not parse"]
        let run = try marked([partly], by: "check: A-1")
        #expect(run.images[0].results[0].outcome == .error)
        #expect(
            run.images[0].results[0].reason?.contains("waived, but the rest could not be decided") == true)
        #expect(ExitDecision(of: run) == .undecided)
    }

    @Test(
        arguments: [
            (Outcome.pass, "nothing that it covers fails"), (.notApplicable, "nothing that it covers fails"),
            (.skipped, nil), (.error, nil),
        ] as [(Outcome, String?)])
    func aWaiverOfWhatDoesNotFailIsUnused(outcome: Outcome, reason: String?) throws {
        let run = try marked([result("A-1", outcome)], by: "check: A-1")
        #expect(run.images[0].results[0] == result("A-1", outcome))
        #expect(run.unusedWaivers?.first?.reason == reason)
    }

    @Test func aPartialRunDoesNotTellWhatIsUnused() throws {
        let list = try WaiverFile.read([
            ("w.yaml", "waivers:\n  - {check: A-1, reason: r, owner: o, expires: 2027-01-31}\n")
        ])
        let waivers = Waivers(list, today: try #require(CalendarDay("2026-11-23")))
        var partial = record([result("A-1", .pass)])
        partial.complete = false
        #expect(waivers.marking(partial).unusedWaivers == nil)
        partial.complete = true
        partial.unreadable = [UnreadableImage(reference: "oci:x", reason: "damaged")]
        #expect(waivers.marking(partial).unusedWaivers == nil)
    }

    @Test("a check that fails and is undecided in another part says both")
    func undecidedPartsAreKept() throws {
        let suite = try compile(
            suite: """
                checks:
                  - id: A-1
                    title: t
                    expect:
                      - {path: /nonexistent}
                      - paths: {every: ["/nonexistent/**"]}
                        owner: root

                """)
        let result = try #require(suite.judge(TestImage.airflow.facts()).results.first)
        #expect(result.outcome == .fail && result.undecided == ["nothing matches /nonexistent/**"])
    }

    @Test("what should not be there is told by its own name")
    func absenceNamesTheThing() throws {
        let result = try evaluate("packages: {none: [\"*\"]}", on: TestImage.airflow)
        let names = result.findings.map(\.subject.name)
        #expect(result.outcome == .fail && !names.contains("*") && Set(names).count == names.count)
    }
}
