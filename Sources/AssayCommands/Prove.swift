import ArgumentParser
import Checks
import Foundation
import Glibc
import ImageSource
import LayerArchive
import Reporting
import Runner
import Verdict

struct Prove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Try whether the checks of a suite can fail.",
        discussion: """
            Each check that passes on the image is judged again on the image with a violation laid over it in memory: \
            another owner, a file less, a package more. A check that no violation makes fail is vacuous: its pass \
            proves nothing.

            A check that fails by the violation of another one is unrelated when it did not fail before, enforces no \
            statement that the other enforces, has no finding on the same subject, on a path above or below it or on \
            a command where the other is about the PATH, and uses no parameter whose value the violation changes. \
            Violations are tried in order until one makes the check fail and no unrelated one.

            Examples:
              assay prove docker-archive:airflow.tar
              assay prove oci:build/out --suite my-suite/ --only 'ACME-FS-*' --report json=proof.json

            Exit codes: 0 every check that was tried can be made to fail, and alone; 1 a check, or one of its \
            expectations, is vacuous, or only fails with unrelated ones; 2 wrong usage or suite; 3 the image could \
            not be read, or no check was tried.
            """)

    @Argument(help: "The image, TRANSPORT:LOCATION.") var image: String
    @OptionGroup var judging: JudgeOptions
    @Option(
        help: ArgumentHelp(
            "Write a report: text or json, to standard output or to a file. May be repeated.",
            valueName: "format[=path]"))
    var report: [ReportRequest] = []
    @OptionGroup var options: ReadingOptions

    func validate() throws {
        guard report.allSatisfy({ $0.format == .text || $0.format == .json }) else {
            throw ValidationError("a report of proofs is text or json")
        }
        try ReportRequest.validate(report)
    }

    func run() async throws {
        let files = try ReportFile.all(report, references: [image])
        let opener = try options.opener()
        let run = CheckRun(
            suites: judging.suite, inputs: try await judging.inputs(opener), reading: options.settings,
            probes: ProbeSettings(jobs: 1, cache: Cache.directory, program: try Console.programPath()))
        // A wrong suite comes first: then no image is read.
        let suites = try await run.identities
        let (identity, proofs) = try await ProgressDisplay.during { progress in
            try await run.prove(image, opener: opener, progress: progress)
        }
        let record = ProofRecord(
            tool: .init(name: "assay", version: AssayCommand.version), suites: suites, image: identity,
            proofs: proofs)
        for file in files { try AtomicFile.write(try record.render(file.format), to: file.path) }
        Console.output(try record.render(report.first { $0.path == nil }?.format ?? .text))
        if !proofs.allSatisfy(\.isSound) { throw CommandExit(.notConforming) }
        guard proofs.contains(where: { $0.count(.notTried) < $0.checks.count }) else {
            throw CommandExit(
                .undecided, "no check was tried: none passes on the image, or none was selected")
        }
    }
}

/// What a run of `assay prove` found out.
private struct ProofRecord: Encodable {
    let tool: RunRecord.Tool
    let suites: [RunRecord.SuiteIdentity]
    let image: ImageIdentity
    let proofs: [SuiteProof]

    func render(_ format: ReportFormat) throws -> [UInt8] {
        guard format == .json else { return Array(ProofText(image: image, proofs: proofs).text.utf8) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}
