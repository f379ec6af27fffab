import AssayTestSupport
import Foundation
import Testing
import Verdict

/// Waivers and baselines on the command line: what they do to the exit code, and that nothing is hidden.
@Suite struct ExemptionTests {
    let image: SmallImage

    init() throws { image = try SmallImage() }

    private func waivers(_ items: String) throws -> String {
        try image.directory.write(Array("waivers:\n\(items)\n".utf8), to: "waivers.yaml")
    }

    // 2025-02-10.
    private let environment = ["SOURCE_DATE_EPOCH": "1739145600"]

    @Test func aWaivedFailIsZeroAndVisible() async throws {
        let file = try waivers(
            "  - {check: T-3, reason: the mirror is down, owner: ops, expires: 2025-02-10}")
        let result = try await Assay.run(
            ["check", image.layout, "--suite", image.bad, "--waivers", file], environment: environment)
        #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.output.contains("~ 1 waived") && result.output.contains("WAIVED (1)"), "\(result)")
        #expect(result.output.contains("until 2025-02-10 by ops: the mirror is down"), "\(result)")
        #expect(result.output.contains("does not exist"), "\(result)")
        let only = try await Assay.run(
            ["check", image.layout, "--suite", image.bad, "--waivers", file, "--only", "T-3"],
            environment: environment)
        #expect(only.code == 0, "\(only)")
    }

    @Test func anExpiredWaiverIsOne() async throws {
        let file = try waivers(
            "  - {check: T-3, reason: the mirror is down, owner: ops, expires: 2025-02-09}")
        let record = try await Assay.record(
            [image.layout, "--suite", image.bad, "--waivers", file], code: 1, environment: environment)
        let result = try #require(record.images.first?.results.first { $0.id == "T-3" })
        #expect(result.outcome == .fail)
        #expect(result.reason?.contains("expired on 2025-02-09, was by ops") == true)
    }

    @Test func aWaiverThatIsNotNeededIsAWarning() async throws {
        let file = try waivers(
            """
              - {check: T-1, reason: r, owner: o, expires: 2099-12-31}
              - {check: T-33, reason: r, owner: o, expires: 2099-12-31}
            """)
        let result = try await image.check(image.good, "--waivers", file)
        #expect(result.code == 0, "\(result)")
        #expect(result.errorLines.count == 2, "\(result)")
        #expect(
            result.errors.contains("waivers.yaml:2:5: the waiver is not needed: nothing that it covers fails")
        )
        #expect(result.errors.contains("no check matches T-33; did you mean T-1?"), "\(result)")
        #expect(result.output.contains("WAIVERS THAT ARE NOT NEEDED (2)"), "\(result)")
    }

    @Test(arguments: [
        "  - {check: T-3, owner: o, expires: 2099-12-31}",
        "  - {check: T-3, reason: r, owner: o, expires: soon}",
        "  - {chekc: T-3, reason: r, owner: o, expires: 2099-12-31}", "  - [",
    ])
    func aWrongFileOfWaiversIsTwo(items: String) async throws {
        let result = try await image.check(image.bad, "--waivers", try waivers(items))
        #expect(result.code == 2 && result.output.isEmpty, "\(result)")
        #expect(result.errors.contains(#/waivers\.yaml:[0-9]+:[0-9]+: /#), "\(result)")
    }

    @Test func filesThatAreNotThereAreTwo() async throws {
        for option in ["--waivers", "--baseline"] {
            let result = try await image.check(image.good, option, "/nonexistent")
            #expect(result.code == 2, "\(result)")
            expectComplaint(result)
        }
    }

    @Test func aFailOfTheBaselineIsZeroAndANewOneIsOne() async throws {
        let baseline = "\(image.directory.path)/baseline.json"
        let before = try await Assay.run(
            ["check", image.layout, "--suite", image.bad, "--report", "json=\(baseline)"],
            environment: environment)
        #expect(before.code == 1, "\(before)")
        let after = try await image.check(image.bad, "--baseline", baseline)
        #expect(after.code == 0, "\(after)")
        #expect(
            after.output.contains("1 known fail (baseline of 2025-02-10T00:00:00Z) does not count"),
            "\(after)")
        #expect(after.output.contains("[known]") && after.output.contains("✗ 1 fail"), "\(after)")
        let worse = try image.write(
            suite: """
                  - id: T-3
                    title: there is a shadow file
                    expect: [{path: /etc/shadow, type: file}, {path: /etc/gshadow, type: file}]
                """, named: "bad")
        #expect(try await image.check(worse, "--baseline", baseline).code == 1)
        let mended = try image.write(
            suite: "  - id: T-3\n    title: there is a passwd file\n    expect: {path: /etc/passwd}\n",
            named: "bad")
        let gone = try await image.check(mended, "--baseline", baseline)
        #expect(gone.code == 0 && gone.output.contains("1 fail of the baseline is gone: T-3"), "\(gone)")
    }

    @Test func aBaselineThatIsNoRecordIsTwo() async throws {
        for text in ["", "{}", "[]", #"{"version": 999}"#, "waivers: []"] {
            let file = try image.directory.write(Array(text.utf8), to: "baseline.json")
            let result = try await image.check(image.good, "--baseline", file)
            #expect(result.code == 2, "\(result)")
            expectComplaint(result)
        }
    }
}
