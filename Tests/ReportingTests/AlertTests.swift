import Testing
import Verdict

@testable import Reporting

struct AlertTests {
    private func alerts(_ results: [CheckResult]) -> [Alert] {
        RunRecord.of(results).images.flatMap(Alert.all(of:))
    }

    private func fingerprint(_ result: CheckResult) throws -> String {
        try #require(alerts([result]).first).fingerprint
    }

    /// The values of the reference implementation.
    @Test(arguments: [
        ([], "6c62272e07bb014262b821756295c58d"), (["a"], "d228cb696f1a8caf78912b704e4a8964"),
        (["foobar"], "343e1662793c64bf6f0d3597ba446f18"),
    ])
    func bytesAreMixedAsFNVDoes(parts: [String], digits: String) {
        #expect(Fingerprint.ofBytes(parts.flatMap(\.utf8)) == digits)
    }

    @Test func whatMattersMostComesFirst() {
        #expect(
            alerts(everyKind.reversed()).map(\.result.id)
                == ["FAIL", "ERROR", "WARN", "INFO", "KNOWN", "WAIVED"])
        #expect(alerts(everyKind).map(\.status) == [.fail, .undecided, .fail, .fail, .known, .waived])
    }

    @Test func theFingerprintIsOfCheckSubjectAndExpectation() throws {
        let base = try fingerprint(.of("A", .fail, findings: [.of("/a")]))
        #expect(try fingerprint(.of("B", .fail, findings: [.of("/a")])) != base)
        #expect(try fingerprint(.of("A", .fail, findings: [.of("/b")])) != base)
        #expect(try fingerprint(.of("A", .fail, findings: [.of("/a", expected: "else")])) != base)
        #expect(try fingerprint(.of("A", .fail)) != base)
        #expect(try fingerprint(.of("A", .error)) != base)
    }

    @Test func theFingerprintIsTheSameInEveryBuild() throws {
        let base = try fingerprint(.of("A", .fail, findings: [.of("/a")]))
        var moved = CheckResult.of(
            "A", .fail, severity: .info, title: "other", findings: [.of("/a", observed: "other")])
        moved.position.line = 99
        moved.findings[0].provenance = nil
        #expect(try fingerprint(moved) == base)
        moved.known = true
        #expect(try fingerprint(moved) == base)
    }

    @Test func onePathMoreIsNoOtherAlert() throws {
        let two = try fingerprint(.of("A", .fail, findings: [.of("/a", others: ["/b"])]))
        let three = try fingerprint(.of("A", .fail, findings: [.of("/0", others: ["/a", "/b"])]))
        #expect(two == three)
    }

    @Test func equalFingerprintsAreNumbered() {
        let finding = Finding.of("/a")
        let all = alerts([.of("A", .fail, findings: [finding, finding, finding])]).map(\.fingerprint)
        #expect(Set(all).count == 3)
        #expect(all[1] == all[0] + "-2" && all[2] == all[0] + "-3")
    }

    @Test func partOfAFailMayBeWaivedKnownOrUndecided() {
        var result = CheckResult.of(
            "A", .fail,
            findings: [
                .of("/a"), .of("/b", known: true), .of("/c", waiver: CanonicalRun.current),
                .of("/d", waiver: CanonicalRun.expired),
            ])
        result.undecided = ["/e was not read"]
        let all = alerts([result])
        #expect(all.map(\.status) == [.fail, .fail, .undecided, .known, .waived])
        #expect(all.map(\.finding?.subject.name) == ["/a", "/d", nil, "/b", "/c"])
        #expect(all[2].message == "could not be decided: /e was not read")
    }
}
