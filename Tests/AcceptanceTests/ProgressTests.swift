import AssayTestSupport
import Foundation
import Testing

extension ReferenceImageTests {
    /// What a run says while it lasts. How long it lasts is another matter on every machine: only its form is looked at.
    @Suite(.serialized) struct ProgressTests {
        private let escape = "\u{1B}[K"

        @Test func aTerminalHasOneLineWhichIsGoneInTheEnd() async throws {
            let directory = try TemporaryDirectory()
            let log = "\(directory.path)/terminal"
            let words = [
                try Setting.binary.value(), "check", try ReferenceImage.reference(), "--only", "entrypoint",
            ]
            let command =
                words.map { "'\($0)'" }.joined(separator: " ") + " > '\(directory.path)/output'"
            // script(1) of util-linux gives its command a terminal.
            let result = try await run(
                "script", ["--quiet", "--return", "--log-out", log, "--command", command],
                environment: ["CI": nil, "TERM": "xterm"])
            #expect(result.code == 0, "\(result)")
            let output = String(decoding: try directory.read("output"), as: UTF8.self)
            #expect(output.hasPrefix("✓ CONFORMS"))
            #expect(!output.contains("\u{1B}") && !output.contains("\r"))
            let terminal = String(decoding: try directory.read("terminal"), as: UTF8.self)
            let shown = terminal.components(separatedBy: "\r" + escape)
            #expect(
                shown.contains { $0.firstMatch(of: /\d+ of \d+ scenarios.*; now [a-z-]+ \d+ s/) != nil },
                "\(shown.count)")
            // Nothing but that line was there, and it is empty now.
            #expect(shown.dropFirst().dropLast().allSatisfy { !$0.contains("\n") })
            #expect(shown.last?.contains("scenarios") == false)
        }

        @Test func elsewhereAPhaseHasALine() async throws {
            let result = try await Assay.run("check", try ReferenceImage.reference(), "--only", "entrypoint")
            #expect(result.code == 0, "\(result)")
            #expect(result.errorLines.count <= 3, "\(result)")
            for line in result.errorLines {
                #expect(
                    line.wholeMatch(of: /assay: (reading|unpacking) oci:.*: [0-9.]+ [kMG]?B in \d+ layers/)
                        != nil
                        || line.wholeMatch(of: /assay: running \d+ scenarios on oci:.*/) != nil, "\(line)")
            }
            #expect(!result.errors.contains("\u{1B}") && !result.output.contains("\r"))
        }
    }
}
