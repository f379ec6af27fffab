import AssayTestSupport
import Foundation
import Testing

/// The hostile corpus, through the program as it is installed.
@Suite struct SelfTestTests {
    @Test func everyCaseHolds() async throws {
        // Machines of CI are slow; what hangs does so for longer.
        let result = try await Assay.run("selftest", "--seconds", "60")
        #expect(result.code == 0, "\(result)")
        let faults = result.output.split(separator: "\n").filter { $0.hasPrefix("✗") || $0.hasPrefix("    ") }
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
        #expect(
            result.output.hasSuffix(
                "\(HostileCorpus.cases.count) of \(HostileCorpus.cases.count) cases hold\n"))
    }

    @Test func aCommandThatTakesTooLongOrTooMuchIsAFault() async throws {
        let late = try await Assay.run("selftest", "57-many", "--seconds", "0.02")
        #expect(late.code == 1, "\(late)")
        #expect(late.output.contains("check: no end after 0.02 s"))
        #expect(late.output.contains("0 of 2 cases hold"))
        let large = try await Assay.run("selftest", "55-empty", "--megabytes", "1")
        #expect(large.code == 1, "\(large)")
        #expect(large.output.contains("bytes of memory"))
    }

    @Test func unknownCases() async throws {
        let result = try await Assay.run("selftest", "nonsense")
        #expect(result.code == 2, "\(result)")
    }

    /// What the reader may take is what the user says, and the report says what was cut off.
    @Test(arguments: [
        ("entries=1", "more than the limit entries=1"),
        ("path-length=3", "more than the limit path-length=3"),
        ("layer-size=1K", "more than the limit layer-size=1024"),
        ("layers=1", "more than the limit layers=1"),
        ("manifest-size=100", "100"), ("config-size=100", "100"), ("json-depth=2", "nested deeper than 2"),
    ])
    func limits(setting: String, reason: String) async throws {
        let image = try SmallImage()
        for command in [["check", image.layout, "--suite", image.good], ["inspect", image.layout]] {
            let result = try await Assay.run(command + ["--limit", setting])
            #expect(result.code == 3, "\(result)")
            #expect(result.errors.contains(reason), "\(result)")
        }
        let wrong = try await Assay.run("inspect", image.layout, "--limit", "nonsense=1")
        #expect(wrong.code == 2, "\(wrong)")
        #expect(wrong.errors.contains("--limit"), "\(wrong)")
    }

    @Test func aFileBeyondItsLimitIsSaidToBe() async throws {
        let image = try SmallImage()
        let result = try await Assay.run("inspect", image.layout, "--limit", "passwd=10", "--format", "json")
        #expect(result.code == 0, "\(result)")
        #expect(result.output.contains("/etc/passwd: 26 bytes are more than the 10"), "\(result)")
    }
}
