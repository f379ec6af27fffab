import AssayTestSupport
import Testing

/// What is said of the process that reads layers is so on kernels that cannot hold it too.
@Suite struct ContainmentTests {
    private func doctor(without lack: String) async throws -> [String] {
        // Neither runtimes nor what is kept are looked at: both may take long.
        let cache = try TemporaryDirectory()
        let result = try await run(
            builtProgram("old-kernel"), [lack, Setting.binary.value(), "doctor"],
            environment: ["PATH": "/nonexistent", "XDG_CACHE_HOME": cache.path])
        #expect(result.code == 3, "\(result)")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(
            lines.firstIndex(of: "what holds the process that reads layers"), "\(result)")
        return lines[(start + 1)...].prefix { !$0.isEmpty }.map { String($0.drop { $0 == " " }) }
    }

    @Test func doctorSaysWhatIsMissing() async throws {
        let neither = try await doctor(without: "both")
        #expect(
            neither.map { $0.prefix(16) } == [
                "✗ seccomp       ", "✗ landlock      ", "✗ containment   ", "limits          ",
            ])
        #expect(neither.contains { $0.hasPrefix("✗ containment") && $0.contains("none") })
        #expect(!neither.contains { $0.contains("✓") })
        let noFilter = try await doctor(without: "seccomp")
        #expect(noFilter.first?.hasPrefix("✗ seccomp") == true, "\(noFilter)")
        let noLandlock = try await doctor(without: "landlock")
        #expect(noLandlock.first?.hasPrefix("✓ seccomp") == true, "\(noLandlock)")
        #expect(noLandlock.dropFirst().first?.hasPrefix("✗ landlock") == true, "\(noLandlock)")
        #expect(!noLandlock.contains { $0.contains("containment") })
    }

    @Test func imagesAreJudgedTheSame() async throws {
        let image = try SmallImage()
        let program = try builtProgram("old-kernel")
        for command in [
            ["check", image.layout, "--suite", image.good, "--no-cache"],
            ["inspect", image.layout, "--no-cache"],
        ] {
            let binary = try Setting.binary.value()
            let usual = try await run(binary, command)
            let old = try await run(program, ["both", binary] + command)
            #expect(old.code == 0 && usual.code == 0, "\(old)")
            let lines = [usual, old].map {
                $0.output.split(separator: "\n").filter { !$0.contains("started") }
            }
            #expect(lines[0] == lines[1])
        }
    }
}
