import ArgumentParser
import Checks
import Foundation
import Glibc
import ImageSource
import LayerArchive
import OCIModel
import Probes
import Reporting
import Runner
import Suite
import Verdict

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Judge images by the checks of a suite and report.",
        discussion: """
            Examples:
              assay check docker-archive:airflow.tar
              assay check docker-daemon:my-image:ci --build-arg INSTALL_MYSQL_CLIENT=false
              assay check oci:build/out --report junit=Reports/airflow.xml --report json=Reports/
              docker save my-image | assay check -

            Exit codes: 0 conforms; 1 a check failed at or above --fail-on; 2 wrong usage, suite or input file;
            3 could not be judged, or a report could not be written; 130, 143 interrupted; 141 the reader of standard
            output went away.
            """)

    @Argument(help: "The images, TRANSPORT:LOCATION each.") var images: [String]
    @OptionGroup var judging: JudgeOptions
    @Option(
        help: ArgumentHelp(
            "A file of waivers: fails that somebody answers for until a day. May be repeated.",
            valueName: "file"))
    var waivers: [String] = []
    @Option(
        help: ArgumentHelp(
            "The JSON report of an earlier run: what it found wrong is known and does not count.",
            valueName: "file"))
    var baseline: String?
    @OptionGroup var reports: ReportOptions
    @Option(help: "Scenarios of probes that run side by side.") var jobs = ProcessInfo.processInfo
        .activeProcessorCount
    @Option(
        help: "What runs the containers of probes: oci, docker or podman; the first that works by default.")
    var runtime: RuntimeKind?
    @OptionGroup var options: ReadingOptions

    func run() async throws {
        try RunTime.validate()
        let files = try ReportFile.all(reports.report, references: images)
        let opener = try options.opener()
        let exemptions = try Exemptions(waivers: waivers, baseline: baseline)
        let run = CheckRun(
            suites: judging.suite, inputs: try await judging.inputs(opener), reading: options.settings,
            probes: ProbeSettings(
                jobs: jobs, cache: Cache.directory, runtime: runtime, program: try Console.programPath()))
        let session = CheckSession()
        let interruption = Interruption { decision in
            // On a busy machine it takes longer than the second that it usually takes; what is left is worse than that.
            await run.stop(within: .seconds(10))
            let record = await session.record(complete: false, suites: (try? run.identities) ?? [])
            _ = write(exemptions.marking(record), to: files)
            Console.error("interrupted; the report is incomplete", hint: nil)
            Glibc.exit(decision.rawValue)
        }
        for reference in images {
            do {
                await session.add(try await judge(reference, run, opener))
            } catch let error as ImageSourceError where error.kind == .reference {
                throw error
            } catch is CancellationError {
                break
            } catch {
                // A wrong suite comes first: then nothing is judged at all.
                _ = try await run.identities
                await session.addUnreadable(reference, error)
            }
        }
        // After a signal its handler ends the process, with the partial report.
        while !interruption.end() { try? await Task.sleep(for: .seconds(60)) }
        let record = exemptions.marking(
            await session.record(complete: true, suites: try run.identities))
        let allWritten = write(record, to: files)
        for image in record.unreadable { Console.error(image.reason, hint: image.hint) }
        for unused in record.unusedWaivers ?? [] {
            Console.note(
                "warning: \(escaped("\(unused.waiver.position)")): the waiver is not needed: "
                    + escaped(unused.reason))
        }
        try reports.end(record, allWritten: allWritten)
    }

    private func judge(_ reference: String, _ run: CheckRun, _ opener: ImageOpener) async throws -> ImageRun {
        try await ProgressDisplay.during { progress in
            try await run.judge(reference, opener: opener, progress: progress)
        }
    }

    private func write(_ record: RunRecord, to files: [ReportFile]) -> Bool {
        reports.write(RunTime.isPinned ? record.pinningTimes : record, to: files)
    }
}

extension RuntimeKind: ExpressibleByArgument {}

/// What a run has found so far: complete at its end, partial when it is interrupted.
private actor CheckSession {
    private let started = RunTime.started
    private var images: [ImageRun] = []
    private var unreadable: [UnreadableImage] = []

    func add(_ image: ImageRun) { images.append(image) }

    func addUnreadable(_ reference: String, _ error: any Error) {
        let hint = (error as? ImageSourceError)?.hint
        unreadable.append(UnreadableImage(reference: escaped(reference), reason: "\(error)", hint: hint))
    }

    func record(complete: Bool, suites: [RunRecord.SuiteIdentity]) -> RunRecord {
        RunRecord(
            tool: .init(name: "assay", version: AssayCommand.version), started: started, complete: complete,
            suites: suites, images: images, unreadable: unreadable)
    }
}
