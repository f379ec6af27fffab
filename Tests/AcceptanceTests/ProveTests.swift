import Foundation
import Testing
import Verdict

/// `assay prove`, as far as its output tells.
private struct ProofOutput: Decodable {
    struct Proof: Decodable {
        let suite: String
        let checks: [Check]
    }

    struct Check: Decodable {
        let id: String
        let verdict: String
        let violation: String?
        let others: [String]
        let vacuousParts: [String]
    }

    let proofs: [Proof]

    init(_ result: ToolResult) throws {
        self = try JSONDecoder().decode(ProofOutput.self, from: Data(result.outputBytes))
    }
}

@Suite struct ProveTests {
    @Test func saysWhatKilledEachCheck() async throws {
        let image = try SmallImage()
        let result = try await Assay.run("prove", image.layout, "--suite", image.good)
        #expect(result.code == 0, "\(result)")
        #expect(result.output.contains("✓ T-2  chown 54321 /etc/passwd"), "\(result)")
        #expect(result.output.hasSuffix("good: 2 of 2 passing checks can be killed\n"), "\(result)")
    }

    @Test func aVacuousCheckEndsWithOne() async throws {
        let image = try SmallImage()
        let suite = try image.write(
            suite: """
                  - id: T-1
                    title: nothing that does not count is there
                    expect: {paths: {none: ["/opt/*"], except: ["/opt/**"]}}
                """, named: "vacuous")
        let result = try await Assay.run(
            "prove", image.layout, "--suite", suite, "--report", "json")
        #expect(result.code == 1, "\(result)")
        #expect(try ProofOutput(result).proofs.first?.checks.map(\.verdict) == ["vacuous"])
    }

    @Test func aCheckThatDoesNotPassIsNotTried() async throws {
        let image = try SmallImage()
        let result = try await Assay.run("prove", image.layout, "--suite", image.bad, "--only", "T-3")
        #expect(result.code == 3, "\(result)")
        #expect(result.output.contains("fail (1): T-3"), "\(result)")
        #expect(result.errorLines.first?.contains("no check was tried") == true, "\(result)")
    }

    @Test func whatIsWrongWithTheCommandLineEndsWithTwo() async throws {
        let image = try SmallImage()
        #expect(try await Assay.run("prove", image.layout, "--suite", "/none").code == 2)
        #expect(try await Assay.run("prove", image.layout, "--report", "junit").code == 2)
        #expect(try await Assay.run("prove", "oci:/none").code == 3)
    }
}

extension ReferenceImageTests {
    @Suite struct ProofTests {
        /// A check that passes on the image can be made to fail, in all its parts, and no unrelated one with it.
        @Test(arguments: [Setting.referenceImage, .referenceImage3])
        func everyCheckOfTheAirflowSuiteCanFail(setting: Setting) async throws {
            let result = try await Assay.run("prove", setting.value(), "--report", "json")
            let checks = try #require(ProofOutput(result).proofs.first).checks.filter {
                $0.verdict != "notTried"
            }
            #expect(checks.count >= 90)
            for check in checks where check.verdict != "killed" || !check.vacuousParts.isEmpty {
                Issue.record("\(check)")
            }
            #expect(result.code == 0)
        }
    }
}
