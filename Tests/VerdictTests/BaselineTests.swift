import Testing
import Verdict

@Suite("A baseline excuses what it has, and nothing else")
struct BaselineTests {
    private func finding(
        _ name: String, expected: String = "absent", others: [String]? = nil, omitted: Int? = nil,
        layer: Int? = nil, observed: String = "present"
    ) -> Finding {
        Finding(
            subject: Subject(.path, name), expected: expected, observed: observed,
            provenance: layer.map { Provenance(layer: $0) }, others: others, omitted: omitted)
    }

    private func fail(_ id: String, _ findings: [Finding], suite: String = "s") -> CheckResult {
        CheckResult(
            id: id, title: id, suite: suite, group: "g", severity: .error, outcome: .fail, findings: findings,
            position: SourcePosition(file: "s.yaml", line: 1, column: 1))
    }

    private func result(_ id: String, _ outcome: Outcome) -> CheckResult {
        CheckResult(
            id: id, title: id, suite: "s", group: "g", severity: .error, outcome: outcome,
            position: SourcePosition(file: "s.yaml", line: 1, column: 1))
    }

    private func image(
        _ results: [CheckResult], _ reference: String = "oci:out:1", platform: String = "linux/amd64"
    ) -> ImageRun {
        ImageRun(
            image: ImageIdentity(
                reference: reference, manifestDigest: nil, configDigest: "", platform: platform, created: nil,
                layers: []),
            profile: nil, parameters: [], results: results, notes: [], duration: 0)
    }

    private func record(_ images: [ImageRun], started: String = "2026-11-23T12:00:00Z") -> RunRecord {
        RunRecord(
            tool: .init(name: "assay", version: "0"), started: started, complete: true, suites: [],
            images: images)
    }

    /// What a run with these results becomes by a baseline with those.
    private func marked(_ now: [CheckResult], by earlier: [CheckResult]) -> RunRecord {
        Baseline(record([image(earlier)], started: "2026-11-01T00:00:00Z"), file: "base.json")
            .marking(record([image(now)]))
    }

    @Test func aKnownFailStaysAFailAndDoesNotCount() {
        let run = marked(
            [fail("A-1", [finding("/a", layer: 7, observed: "1,000 bytes")])],
            by: [fail("A-1", [finding("/a", layer: 2)])])
        let result = run.images[0].results[0]
        #expect(result.outcome == .fail && result.known == true)
        #expect(result.findings[0].known == true)
        #expect(ExitDecision(of: run) == .conforming)
        #expect(run.images[0].hasEvaluatedChecks)
        #expect(run.images[0].baseline?.started == "2026-11-01T00:00:00Z")
        #expect(run.images[0].baseline?.gone == [])
    }

    @Test func whatIsNewCounts() {
        let known = [fail("A-1", [finding("/a")])]
        let others = [
            fail("A-2", [finding("/a")]), fail("A-1", [finding("/b")]),
            fail("A-1", [finding("/a", expected: "file")]),
            fail("A-1", [finding("/a"), finding("/b")]), fail("A-1", [finding("/a", others: ["/b"])]),
            fail("A-1", [finding("/a", omitted: 3)]), fail("A-1", []),
            fail("A-1", [finding("/a")], suite: "t"),
        ]
        for other in others {
            let run = marked([other], by: known)
            #expect(run.images[0].results[0].known == nil, "\(other)")
            #expect(ExitDecision(of: run) == .notConforming, "\(other)")
        }
    }

    @Test func theSubjectsOfAGroupMayBeSpreadOverOtherLayers() {
        let run = marked(
            [fail("A-1", [finding("/a", layer: 1), finding("/b", others: ["/c"], layer: 2)])],
            by: [fail("A-1", [finding("/c", others: ["/b", "/a"], layer: 5)])])
        #expect(run.images[0].results[0].known == true)
    }

    @Test func anErrorIsNeverKnown() {
        let run = marked([result("A-1", .error)], by: [fail("A-1", [finding("/a")])])
        #expect(ExitDecision(of: run) == .undecided)
        #expect(run.images[0].baseline?.gone == [])
    }

    @Test func whatCouldNotBeDecidedBesideAKnownFailIsAnError() {
        var now = fail("A-1", [finding("/a")])
        now.undecided = ["/etc/shadow does not parse"]
        let run = marked([now], by: [fail("A-1", [finding("/a")])])
        let result = run.images[0].results[0]
        #expect(result.outcome == .error)
        #expect(result.reason?.hasSuffix("could not be decided: /etc/shadow does not parse") == true)
        #expect(ExitDecision(of: run) == .undecided)
    }

    @Test func whatIsGoneIsListed() {
        let run = marked(
            [
                result("A-1", .pass), result("A-2", .notApplicable), result("A-3", .skipped),
                fail("A-4", [finding("/a")]), result("A-6", .pass),
            ], by: ["A-1", "A-2", "A-3", "A-4", "A-5"].map { fail($0, [finding("/a")]) })
        #expect(run.images[0].baseline?.gone == ["A-1", "A-2"])
    }

    @Test func whatTheEarlierRunWaivedIsNotKnown() throws {
        let day = try #require(CalendarDay("2026-11-10"))
        let waiver = Waiver(
            check: "A-1", reason: "r", owner: "o", expires: day,
            position: SourcePosition(file: "w", line: 1, column: 1))
        var earlier = fail("A-1", [finding("/a"), finding("/b")])
        earlier.findings[0].waiver = WaiverMark(waiver, isExpired: false)
        earlier.findings[1].waiver = WaiverMark(waiver, isExpired: true)
        let run = marked([fail("A-1", [finding("/a"), finding("/b")])], by: [earlier])
        #expect(run.images[0].results[0].findings.map(\.known) == [nil, true])
        #expect(ExitDecision(of: run) == .notConforming)
    }

    @Test func aFailThatIsKnownAndWaivedInPartsDoesNotCount() throws {
        let day = try #require(CalendarDay("2027-01-01"))
        let waiver = Waiver(
            check: "A-1", reason: "r", owner: "o", expires: day,
            position: SourcePosition(file: "w", line: 1, column: 1))
        var now = fail("A-1", [finding("/a"), finding("/b")])
        now.findings[0].waiver = WaiverMark(waiver, isExpired: false)
        let run = marked([now], by: [fail("A-1", [finding("/b")])])
        #expect(run.images[0].results[0].known == true)
        #expect(ExitDecision(of: run) == .conforming)
    }

    @Test(arguments: [
        ("docker-daemon:apache/airflow:2.10.5", "linux/amd64", true),
        ("docker-daemon:apache/airflow:2.11.0", "linux/amd64", true),
        ("docker-daemon:apache/airflow@sha256:00", "linux/amd64", true),
        ("docker-daemon:apache/airflow", "linux/amd64", true),
        ("docker-daemon:apache/airflow:2.10.5", "linux/arm64", false),
        ("docker-daemon:apache/superset:2.10.5", "linux/amd64", false),
        ("oci:twice:1", "linux/amd64", true), ("oci:twice:3", "linux/amd64", false),
    ])
    func comparesWithTheSameRepositoryAndPlatform(reference: String, platform: String, isKnown: Bool) {
        let known = [fail("A-1", [finding("/a")])]
        let baseline = Baseline(
            record([
                image(known, "docker-daemon:apache/airflow:2.10.5"), image(known, "oci:twice:1"),
                image(known, "oci:twice:2"),
            ]), file: "base.json")
        let run = baseline.marking(record([image(known, reference, platform: platform)]))
        #expect((run.images[0].results[0].known == true) == isKnown)
        #expect((run.images[0].baseline?.reference != nil) == isKnown)
    }

    @Test func singleImagesAreComparedWhateverTheirNames() {
        let known = [fail("A-1", [finding("/a")])]
        let baseline = Baseline(record([image(known, "oci:old", platform: "linux/arm64")]), file: "base.json")
        #expect(baseline.marking(record([image(known)])).images[0].results[0].known == true)
        let two = baseline.marking(record([image(known), image(known)]))
        #expect(two.images.allSatisfy { $0.baseline?.reference == nil })
    }
}
