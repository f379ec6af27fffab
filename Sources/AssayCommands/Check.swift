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
        abstract: "Judge images by the checks of a suite and report.",
        discussion: """
            Examples:
              assay check docker-archive:airflow.tar
              assay check docker-daemon:my-image:ci --build-arg INSTALL_MYSQL_CLIENT=false
              assay check oci:build/out --report junit=Reports/airflow.xml --report json=Reports/airflow.json
              docker save my-image | assay check -

            Exit codes: 0 conforms; 1 a check failed at or above --fail-on; 2 wrong usage, suite or input file;
            3 could not be judged; 130, 143 interrupted.
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
    @Option(
        help: ArgumentHelp(
            "Write a report: text, junit, html or json, to standard output or to a file. May be repeated.",
            valueName: "format[=path]"))
    var report: [ReportRequest] = []
    @Option(help: "Scenarios of probes that run side by side.") var jobs = ProcessInfo.processInfo
        .activeProcessorCount
    @Option(
        help: "What runs the containers of probes: oci, docker or podman; the first that works by default.")
    var runtime: RuntimeKind?
    @Option(help: "The lightest severity whose fail counts: info, warning or error.") var failOn = Severity
        .warning
    @Option(help: "Colour in the text report: auto, always or never.") var color = ColorChoice.auto
    @Flag(name: .shortAndLong, help: "List passed checks too.") var verbose = false
    @Flag(name: .shortAndLong, help: "No text report on standard output.") var quiet = false
    @OptionGroup var options: ImageOptions

    func validate() throws { try ReportRequest.validate(report) }

    func run() async throws {
        let opener = try options.opener()
        let exemptions = try Exemptions(waivers: waivers, baseline: baseline)
        let run = CheckRun(
            suites: judging.suite, inputs: try await judging.inputs(opener),
            probes: ProbeSettings(
                jobs: jobs, cache: Cache.directory, runtime: runtime, program: try Console.programPath()))
        let session = CheckSession()
        let interruption = Interruption { decision in
            await run.stop(within: .milliseconds(2500))
            let record = await session.record(complete: false, suites: (try? run.identities) ?? [])
            try? write(exemptions.marking(record))
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
        let decision = ExitDecision(of: record, failOn: failOn)
        do {
            try write(record)
        } catch {
            // A report that could not be written is no verdict; a definite fail stays one.
            Console.error("\(error)", hint: nil)
            throw CommandExit(decision == .notConforming ? decision : .undecided)
        }
        for image in record.unreadable { Console.error(image.reason, hint: image.hint) }
        for unused in record.unusedWaivers ?? [] {
            Console.note(
                "warning: \(escaped("\(unused.waiver.position)")): the waiver is not needed: "
                    + escaped(unused.reason))
        }
        if decision != .conforming { throw CommandExit(decision) }
    }

    private func judge(_ reference: String, _ run: CheckRun, _ opener: ImageOpener) async throws -> ImageRun {
        try await ProgressDisplay.during { progress in
            try await run.judge(reference, opener: opener, progress: progress)
        }
    }

    private func write(_ record: RunRecord) throws {
        for request in report {
            guard let path = request.path else { continue }
            try AtomicFile.write(
                try request.format.render(record, options: RenderOptions(failOn: failOn)), to: path)
        }
        guard let format = report.first(where: { $0.path == nil })?.format ?? (quiet ? nil : .text) else {
            return
        }
        let options = RenderOptions(
            width: Console.width(of: STDOUT_FILENO) ?? 100, color: color.isOn(for: STDOUT_FILENO),
            verbose: verbose,
            failOn: failOn)
        Console.output(try format.render(record, options: options))
    }
}

/// `--report FORMAT[=PATH]`.
struct ReportRequest: ExpressibleByArgument {
    let format: ReportFormat
    /// nil: standard output.
    let path: String?

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let format = ReportFormat(rawValue: String(name)) else { return nil }
        self.format = format
        path = parts.count == 2 ? String(parts[1]) : nil
        if path == "" { return nil }
    }

    /// - Throws: `ValidationError` when two of the reports would go to the same place.
    static func validate(_ reports: [ReportRequest]) throws {
        guard reports.count(where: { $0.path == nil }) <= 1 else {
            throw ValidationError(
                "only one report can go to standard output: give the others a path, as junit=FILE")
        }
        let paths = reports.compactMap(\.path)
        guard Set(paths).count == paths.count else {
            throw ValidationError("two reports have the same path")
        }
    }
}

extension Severity: ExpressibleByArgument {}

extension RuntimeKind: ExpressibleByArgument {}

/// What a run has found so far: complete at its end, partial when it is interrupted.
private actor CheckSession {
    private let started = Check.started
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

extension Check {
    /// When the run began by `SOURCE_DATE_EPOCH` where it is set (reproducible-builds.org), else by the clock.
    static let startTime: Date = {
        let epoch = Console.environment("SOURCE_DATE_EPOCH").flatMap(Double.init)
        return epoch.map { Date(timeIntervalSince1970: $0) } ?? Date()
    }()

    /// The same as RFC 3339.
    static let started = startTime.formatted(.iso8601)
}
