import Testing
import Verdict

/// Every order and grouping of these records has to give the same.
struct MergingTests {
    private static func digest(_ digit: Character) -> String {
        "sha256:" + String(repeating: digit, count: 64)
    }

    private static func result(
        _ id: String, _ outcome: Outcome, observed: String? = nil, suite: String = "s", line: Int = 1,
        scenario: String? = nil, layerDigest: String? = nil, duration: Double = 1
    ) -> CheckResult {
        var result = CheckResult(
            id: id, title: "title", suite: suite, group: "g", severity: .error, outcome: outcome,
            reason: outcome == .skipped ? "not selected" : nil,
            findings: observed.map {
                [
                    Finding(
                        subject: Subject(.path, "/etc/passwd"), expected: "e", observed: $0,
                        provenance: Provenance(layer: 1, layerDigest: layerDigest, diffID: digest("d")))
                ]
            } ?? [], position: SourcePosition(file: "s.yaml", line: line, column: 3), duration: duration)
        result.scenario = scenario
        return result
    }

    private static func record(
        _ results: [CheckResult], reference: String = "oci:a", config: Character = "c",
        suites: [(String, Character)] = [("s", "1")], started: String? = "2026-11-23T12:00:00Z",
        version: String = "0.1.0", parameters: [ParameterValue] = [], complete: Bool = true
    ) -> RunRecord {
        RunRecord(
            tool: .init(name: "assay", version: version), started: started, complete: complete,
            suites: suites.map { .init(name: $0.0, digest: digest($0.1)) },
            images: [
                ImageRun(
                    image: ImageIdentity(
                        reference: reference, manifestDigest: nil, configDigest: digest(config),
                        platform: "linux/amd64", created: nil, layers: []), profile: nil,
                    parameters: parameters, results: results, notes: [], duration: 2)
            ])
    }

    private func merged(_ records: [RunRecord]) throws -> RunRecord {
        try #require(RunRecord.merging(records))
    }

    private static let records: [RunRecord] = {
        var waived = record([result("A", .waived, observed: "x")], reference: "oci:b")
        let position = SourcePosition(file: "waivers.yaml", line: 2, column: 5)
        let waiver = CalendarDay("2027-01-31").map {
            Waiver(check: "A", reason: "r", owner: "o", expires: $0, position: position)
        }
        waived.images[0].results[0].findings[0].waiver = waiver.map { WaiverMark($0, isExpired: false) }
        var unneeded = record([result("A", .pass, observed: "y")], reference: "oci:c", config: "7")
        unneeded.unusedWaivers = waiver.map { [UnusedWaiver($0, reason: "nothing to waive")] }
        unneeded.unreadable = [UnreadableImage(reference: "oci:gone", reason: "no such file")]
        var profiled = record([result("A", .pass, observed: "x", duration: 5)], started: nil)
        profiled.images[0].profile = ProfileChoice(id: "2.8", title: "t", evidence: [], warnings: [])
        var other = record([result("A", .fail, observed: "z")], suites: [("s", "2")], version: "0.10.0")
        other.images[0].profile = ProfileChoice(id: "2.9", title: "t", evidence: ["seen"], warnings: [])
        other.images[0].transcripts = [ProbeTranscript(scenario: "x", runtime: "oci")]
        return [
            record([result("A", .pass, observed: "x"), result("B", .skipped, line: 2)]),
            record(
                [result("A", .skipped), result("B", .error, line: 2)], started: "2026-11-22T12:00:00Z",
                version: "0.9.0", parameters: [ParameterValue(name: "P", value: "1", origin: "default")]),
            waived, unneeded, profiled, other,
            record([result("T", .pass, suite: "t")], suites: [("t", "3")], complete: false),
        ]
    }()

    @Test func orderDoesNotMatter() throws {
        let whole = try merged(Self.records)
        var order = Self.records
        for _ in order.indices {
            order.append(order.removeFirst())
            #expect(try merged(order) == whole)
            #expect(try merged(order.reversed()) == whole)
        }
    }

    /// Every way to cut the list, merged part by part.
    @Test func groupingDoesNotMatter() throws {
        let whole = try merged(Self.records)
        for cuts in 0..<(1 << (Self.records.count - 1)) {
            var groups: [[RunRecord]] = [[]]
            for (index, record) in Self.records.enumerated() {
                groups[groups.count - 1].append(record)
                if cuts >> index & 1 == 1, index < Self.records.count - 1 { groups.append([]) }
            }
            #expect(try merged(groups.map { try merged($0) }) == whole, "\(cuts)")
        }
    }

    @Test func aRecordCountsOnce() throws {
        let whole = try merged(Self.records)
        #expect(try merged(Self.records + Self.records) == whole)
        #expect(try merged([whole, whole]) == whole)
        #expect(try merged([whole] + Self.records) == whole)
        #expect(try merged([Self.records[0], Self.records[0]]) == Self.records[0])
        #expect(RunRecord.merging([]) == nil)
    }

    @Test func theRestOfTheRecord() throws {
        let whole = try merged(Self.records)
        #expect(whole.tool.version == "0.10.0")
        #expect(whole.started == "2026-11-22T12:00:00Z")
        #expect(!whole.complete)
        #expect(whole.suites.map(\.name) == ["s", "s", "t"])
        #expect(whole.images.map(\.image.reference) == ["oci:a", "oci:b", "oci:c"])
        #expect(whole.unreadable.map(\.reference) == ["oci:gone"])
        #expect(whole.unusedWaivers == nil, "another run needs it")
        #expect(whole.images[0].parameters.map(\.name) == ["P"])
        #expect(whole.images[0].profile?.id == "2.8")
        #expect(whole.images[0].notes.map(\.message) == ["judged by the release line 2.9 in another run"])
        #expect(whole.images[0].transcripts?.map(\.scenario) == ["x"])
    }

    /// Static checks in one job, probes in another.
    @Test func skippedGivesWay() throws {
        let whole = try merged(Array(Self.records[..<2]))
        #expect(whole.images.count == 1)
        #expect(whole.images[0].results.map(\.outcome) == [.pass, .error])
        #expect(whole.conflicts == nil)
        let skipped = try merged([
            Self.record([Self.result("A", .skipped)]), Self.record([Self.result("A", .skipped, duration: 3)]),
        ])
        #expect(skipped.images[0].results.map(\.outcome) == [.skipped])
        #expect(skipped.images[0].results[0].duration == 3)
    }

    @Test func aConflictIsListedAndTheFailStays() throws {
        let whole = try merged([
            Self.record([Self.result("A", .pass, observed: "x")]),
            Self.record([Self.result("A", .fail, observed: "z")], suites: [("s", "2")]),
        ])
        #expect(Set(whole.images[0].results.map(\.outcome)) == [.pass, .fail])
        #expect(
            Set(whole.images[0].results.compactMap(\.suiteDigest)) == [Self.digest("1"), Self.digest("2")])
        #expect(ExitDecision(of: whole) == .notConforming)
        let conflict = try #require(whole.conflicts?.first)
        #expect((conflict.suite, conflict.check) == ("s", "A"))
        #expect(conflict.configDigest == Self.digest("c"))
        #expect(conflict.variants.map(\.outcome) == [.fail, .pass])
        #expect(conflict.variants.map(\.suiteDigest) == [Self.digest("2"), Self.digest("1")])
        #expect(conflict.variants[0].evidence == "path /etc/passwd: z")
    }

    @Test func otherEvidenceIsAConflict() throws {
        let whole = try merged([
            Self.record([Self.result("A", .pass, observed: "x")]),
            Self.record([Self.result("A", .pass, observed: "y")]),
        ])
        #expect(whole.conflicts?.map(\.variants.count) == [2])
        #expect(whole.images[0].results.allSatisfy { $0.suiteDigest == nil }, "one suite, one digest")
        #expect(whole.conflicts?.allSatisfy { $0.variants.allSatisfy { $0.suiteDigest == nil } } == true)
    }

    @Test func oneImageOfSeveralNamesIsCompared() throws {
        let whole = try merged([
            Self.record([Self.result("A", .pass, observed: "x")]),
            Self.record([Self.result("A", .fail, observed: "x")], reference: "docker-daemon:a"),
        ])
        #expect(whole.images.count == 2)
        #expect(whole.conflicts?.first?.variants.map(\.reference) == ["docker-daemon:a", "oci:a"])
    }

    @Test func whatIsNoConflict() throws {
        // Another transport has other digests of layers; another run of a scenario sees other times.
        let transports = try merged([
            Self.record([Self.result("A", .pass, observed: "x", layerDigest: Self.digest("1"))]),
            Self.record(
                [Self.result("A", .pass, observed: "x", layerDigest: Self.digest("2"))], reference: "oci:z"),
        ])
        #expect(transports.conflicts == nil)
        let scenarios = try merged([
            Self.record([Self.result("A", .pass, observed: "1.2 s", scenario: "main")]),
            Self.record([Self.result("A", .pass, observed: "1.3 s", scenario: "main")]),
        ])
        #expect(scenarios.conflicts == nil)
        #expect(scenarios.images[0].results.count == 1)
        let images = try merged([
            Self.record([Self.result("A", .pass)]), Self.record([Self.result("A", .fail)], config: "d"),
        ])
        #expect(images.conflicts == nil)
        #expect(images.images.count == 2)
    }

    @Test func anOutcomeOfAScenarioIsOne() throws {
        let whole = try merged([
            Self.record([Self.result("A", .pass, scenario: "main")]),
            Self.record([Self.result("A", .fail, scenario: "main")]),
        ])
        #expect(whole.conflicts?.count == 1)
    }

    @Test func timesAreTheLongest() throws {
        let whole = try merged([
            Self.record([Self.result("A", .pass, duration: 1)]),
            Self.record([Self.result("A", .pass, duration: 3)]),
        ])
        #expect(whole.images[0].results.map(\.duration) == [3])
    }

    @Test func pinnedTimesAreZero() {
        var record = Self.record([Self.result("A", .pass)])
        record.images[0].transcripts = [
            ProbeTranscript(
                scenario: "x", runtime: "oci",
                containers: [ContainerTranscript(name: "main", command: "c", exitCode: 1, duration: 3)],
                services: [
                    ServiceTranscript(
                        name: "db", kind: "redis", port: 1, connections: 2, opened: 1, firstConnection: nil)
                ], events: [.init(time: 2, text: "t")], duration: 4)
        ]
        var other = record
        other.images[0].duration = 9
        other.images[0].results[0].duration = 9
        other.images[0].transcripts = [
            ProbeTranscript(
                scenario: "x", runtime: "oci",
                containers: [ContainerTranscript(name: "main", command: "c", exitCode: 1, duration: 5)],
                services: [
                    ServiceTranscript(
                        name: "db", kind: "redis", port: 7, connections: 2, opened: 3, firstConnection: nil)
                ], events: [.init(time: 7, text: "t")], duration: 7)
        ]
        #expect(record != other)
        #expect(record.pinningTimes == other.pinningTimes)
        other.images[0].transcripts?[0].containers[0].exitCode = 2
        #expect(record.pinningTimes != other.pinningTimes)
    }
}
