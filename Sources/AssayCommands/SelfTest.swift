import ArgumentParser
import Foundation
import Glibc
import HostileCorpus
import OCIModel
import Probes
import Verdict

struct SelfTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Try this installation on images that are made to break what reads them.",
        discussion: """
            Each case is an image (or a file of Assay's own) that is built in a scratch directory and given to check,
            inspect, unpack and save, as programs of their own, and started by runc where it has a program. It must be
            judged with the notes that belong to it, or refused with the reason; within 10 s and 300 MB; and nothing
            beside its own directory may change.

            Examples:
              assay selftest
              assay selftest 62 07-hard-link        # only cases whose names begin so

            Exit codes: 0 all cases hold; 1 at least one does not; 2 no case has such a name.
            """)

    @Argument(help: ArgumentHelp("Only cases whose names begin so.", valueName: "name"))
    var names: [String] = []
    @Option(help: ArgumentHelp("Seconds that a command may take.", valueName: "number")) var seconds = 10.0
    @Option(help: ArgumentHelp("Megabytes of memory that a command may have.", valueName: "number"))
    var megabytes = 300
    /// Writes the files of one case into the directory `case` of the working directory, and prints its subject. In a
    /// process of its own: the memory of the one that starts a command would count for the command.
    @Flag(help: .hidden) var write = false
    @Option(help: "Cases that run side by side.") var jobs = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard seconds > 0, megabytes > 0, jobs > 0 else {
            throw ValidationError("--seconds, --megabytes and --jobs are above 0")
        }
    }

    func run() async throws {
        let cases = HostileCorpus.cases.filter { candidate in
            names.isEmpty || names.contains { candidate.id.hasPrefix($0) }
        }
        guard !cases.isEmpty else { throw CommandExit(.usage, "no case has a name that begins so") }
        if write {
            let place = FileManager.default.currentDirectoryPath
            let workshop = HostileWorkshop(directory: "\(place)/case", outside: "\(place)/outside")
            for hostile in cases where names == [hostile.id] {
                Console.output(try hostile.write(in: workshop))
            }
            return
        }
        let scratch = try SelfTest.makeScratch()
        let interruption = Interruption { decision in
            try? FileManager.default.removeItem(atPath: scratch)
            Glibc.exit(decision.rawValue)
        }
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let runner = SelfTestRunner(
            program: try Console.programPath(), scratch: scratch, seconds: seconds,
            memory: Int64(megabytes) * 1_000_000, obstacle: await RuntimeKind.oci.obstacle())
        var held = 0
        var notStarted = 0
        for await (position, result) in results(of: cases, by: runner) {
            held += result.faults.isEmpty ? 1 : 0
            notStarted += result.obstacle == nil ? 0 : 1
            Console.output(SelfTest.row(cases[position], result))
        }
        interruption.end()
        if let obstacle = runner.obstacle, notStarted > 0 {
            Console.output("\n\(notStarted) images were not started: \(obstacle)\n")
        }
        Console.output("\n\(held) of \(cases.count) cases hold\n")
        if held < cases.count { throw CommandExit(.notConforming) }
    }

    /// Runs the cases, some side by side, and gives their results in order.
    private func results(
        of cases: [HostileCase], by runner: SelfTestRunner
    ) -> AsyncStream<(Int, SelfTestRunner.Result)> {
        let jobs = jobs
        return AsyncStream { continuation in
            Task {
                await withTaskGroup(of: (Int, SelfTestRunner.Result).self) { group in
                    var done: [Int: SelfTestRunner.Result] = [:]
                    var started = 0
                    var next = 0
                    func start() {
                        guard started < cases.count else { return }
                        let position = started
                        started += 1
                        group.addTask { (position, await runner.run(cases[position], number: position)) }
                    }
                    for _ in 0..<jobs { start() }
                    while let (position, result) = await group.next() {
                        done[position] = result
                        start()
                        while let result = done.removeValue(forKey: next) {
                            continuation.yield((next, result))
                            next += 1
                        }
                    }
                }
                continuation.finish()
            }
        }
    }

    private static func makeScratch() throws -> String {
        var template = Array(
            "\(Console.environment("TMPDIR") ?? "/var/tmp")/assay-selftest.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandExit(
                .undecided, "no scratch directory: \(String(cString: strerror(errno))); set TMPDIR")
        }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        // What the cases name must be what a reader that is led astray would write.
        return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    private static func row(_ hostile: HostileCase, _ result: SelfTestRunner.Result) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        let sign = result.faults.isEmpty ? "✓" : "✗"
        let outcome =
            switch hostile.expected {
            case .judged(let kinds, _, _) where kinds.isEmpty: "judged"
            case .judged(let kinds, _, _): kinds.map(\.rawValue).sorted().joined(separator: ", ")
            case .refused: "refused"
            }
        let figures = String(format: "%5.2f s %4d MB", result.seconds, Int(result.memory / 1_000_000))
        let first = "\(sign) \(padded(hostile.id, 30)) \(padded(outcome, 24)) \(figures)  \(hostile.title)\n"
        return first + result.faults.map { "    \(escaped($0))\n" }.joined()
    }
}
