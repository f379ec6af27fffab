import Foundation
import HostileCorpus
import OCIModel
import Runner
import Verdict

/// Gives a hostile case to the commands of an installed program and says what did not come of it as it should.
struct SelfTestRunner: Sendable {
    struct Result: Sendable {
        /// What is wrong, a line each; none when the case holds.
        var faults: [String] = []
        /// Why the image was not started although it can be; nil where it was, or there is nothing to start.
        var obstacle: String?
        /// Wall time of the slowest command, in seconds.
        var seconds = 0.0
        /// Memory of the largest, in bytes.
        var memory: Int64 = 0
    }

    let program: String
    let scratch: String
    /// What a command may take.
    let seconds: Double
    let memory: Int64
    /// Why this machine starts no containers; nil when it does.
    let obstacle: String?

    /// - Parameter number: tells the case's directory from those of others.
    func run(_ hostile: HostileCase, number: Int) async -> Result {
        let place = "\(scratch)/\(number)"
        var trial = Trial(runner: self, hostile: hostile, place: place)
        do {
            try await trial.run()
        } catch {
            trial.result.faults.append("could not be tried: \(error)")
        }
        try? FileManager.default.removeItem(atPath: place)
        return trial.result
    }
}

/// One case.
private struct Trial {
    let runner: SelfTestRunner
    let hostile: HostileCase
    /// The directory of the case's files, of what surrounds them, and of the commands' work.
    let place: String
    var result = SelfTestRunner.Result()

    private var work: String { "\(place)/work" }
    /// Most lines of a sanitizer's report that are shown.
    private static let maximumReport = 30
    /// What is in the file that no command may read.
    private let secret = "secret-\(UUID().uuidString)"

    init(runner: SelfTestRunner, hostile: HostileCase, place: String) {
        self.runner = runner
        self.hostile = hostile
        self.place = place
    }

    mutating func run() async throws {
        for name in ["case", "outside", "work/temporary"] {
            try FileManager.default.createDirectory(
                atPath: "\(place)/\(name)", withIntermediateDirectories: true)
        }
        try Data(secret.utf8).write(to: URL(fileURLWithPath: "\(place)/outside/secret"))
        let writing = try await MeasuredProgram.run(
            [runner.program, "selftest", "--write", hostile.id], in: place, environment: [:], limit: 60)
        guard writing.code == 0 else { return fault("cannot be written: \(firstLine(writing.errors))") }
        let subject = String(decoding: writing.output, as: UTF8.self)
        let before = Surroundings(of: place, without: "work")
        switch hostile.input {
        case .image:
            try await tryImage(subject)
            if let begins = hostile.begins { try await tryStart(subject, begins: begins) }
        case .suite: try await tryInput(["suites", "lint", subject])
        case .waivers: try await tryInput(["check", "oci:nowhere", "--waivers", subject])
        }
        for name in Surroundings(of: place, without: "work").differences(from: before) {
            fault("\(name) beside the case was changed")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: "\(work)/temporary")
        if !left.isEmpty { fault("left behind: \(left.sorted().joined(separator: ", "))") }
    }

    private mutating func fault(_ text: String) { result.faults.append(text) }

    private mutating func command(_ arguments: [String]) async throws -> MeasuredProgram {
        let program = try await MeasuredProgram.run(
            [runner.program] + arguments, in: work,
            environment: [
                "TMPDIR": "\(work)/temporary", "XDG_CACHE_HOME": "\(work)/cache", "NO_COLOR": "1", "CI": "1",
            ], limit: runner.seconds)
        result.seconds = max(result.seconds, program.seconds)
        result.memory = max(result.memory, program.memory)
        if program.isLate {
            fault("\(arguments[0]): no end after \(runner.seconds) s")
        } else if let signal = program.signal {
            fault("\(arguments[0]): ended by signal \(signal)")
        }
        let errors = String(decoding: program.errors, as: UTF8.self).split(separator: "\n")
        if errors.contains(where: { $0.contains("Sanitizer: ") }) {
            fault("\(arguments[0]): a sanitizer reports")
            errors.prefix(Trial.maximumReport).forEach { fault(String($0)) }
        }
        if program.memory > runner.memory { fault("\(arguments[0]): \(program.memory) bytes of memory") }
        for (name, bytes) in [("output", program.output), ("errors", program.errors)] {
            if String(decoding: bytes, as: UTF8.self).contains(secret) {
                fault("\(arguments[0]): its \(name) show a file of the host")
            }
            if bytes.contains(where: { $0 < 0x20 && $0 != 0x0A }) {
                fault("\(arguments[0]): its \(name) have control characters")
            }
        }
        return program
    }

    // MARK: Images

    private mutating func tryImage(_ image: String) async throws {
        let suite = """
            suite: selftest
            title: Self-test
            checks:
              - {id: S-1, title: there is a root, expect: {path: /, type: directory}}
            \(hostile.checks)
            """
        try Data(suite.utf8).write(to: URL(fileURLWithPath: "\(work)/suite.yaml"))
        let checked = try await command([
            "check", image, "--suite", "\(work)/suite.yaml", "--report", "text", "--report",
            "json=record.json",
        ])
        let inspected = try await command(["inspect", image, "--format", "json"])
        let unpacked = try await command(["unpack", "--no-same-owner", image, "tree"])
        let saved = try await command(["save", image, "oci:saved"])
        let isUnpacked = FileManager.default.fileExists(atPath: "\(work)/tree")
        switch hostile.expected {
        case .judged(let kinds, let entries, let missing):
            for (name, program) in [
                ("check", checked), ("inspect", inspected), ("unpack", unpacked), ("save", saved),
            ] where program.code != 0 {
                fault("\(name): exit code \(program.code ?? -1): \(firstLine(program.errors))")
            }
            try compare(record: checked.code == nil ? nil : "\(work)/record.json", kinds)
            if inspected.code == 0 { try compare(inspected.output, kinds, entries, missing) }
            if !isUnpacked { fault("unpack: there is no tree") }
        case .refused(let reason):
            for (name, program) in [("check", checked), ("inspect", inspected), ("unpack", unpacked)] {
                expect(program, of: name, code: ExitDecision.undecided.rawValue, reason)
            }
            // It copies blobs as they are, and does not look into layers.
            if ![0, ExitDecision.undecided.rawValue].contains(saved.code) {
                fault("save: exit code \(saved.code ?? -1): \(firstLine(saved.errors))")
            }
            if isUnpacked { fault("unpack: there is a tree") }
        }
    }

    private mutating func expect(_ program: MeasuredProgram, of name: String, code: Int32, _ reason: String) {
        if program.code != code {
            fault("\(name): exit code \(program.code ?? -1), not \(code): \(firstLine(program.errors))")
        }
        if !String(decoding: program.errors, as: UTF8.self).contains(reason) {
            fault("\(name): the reason is not \(quoted(reason)): \(firstLine(program.errors))")
        }
    }

    private mutating func compare(record path: String?, _ kinds: Set<Oddity.Kind>) throws {
        guard let path, let data = FileManager.default.contents(atPath: path) else {
            return fault("check: there is no record")
        }
        let record = try JSONDecoder().decode(RunRecord.self, from: data)
        guard let image = record.images.first else { return fault("check: the record has no image") }
        compare(image.notes, kinds, of: "check")
    }

    private mutating func compare(_ notes: [Note], _ kinds: Set<Oddity.Kind>, of name: String) {
        let found = Set(notes.map(\.name))
        let expected = Set(kinds.map(\.rawValue))
        if found != expected {
            fault(
                "\(name): the notes are \(found.sorted()), not \(expected.sorted()): "
                    + notes.map(\.description).joined(separator: "; "))
        }
    }

    private mutating func compare(
        _ output: [UInt8], _ kinds: Set<Oddity.Kind>, _ entries: Int?, _ missing: String?
    ) throws {
        let inspection = try JSONDecoder().decode(Inspection.self, from: Data(output))
        compare(inspection.notes, kinds, of: "inspect")
        if let entries, inspection.entries != entries {
            fault("inspect: \(inspection.entries) entries, not \(entries)")
        }
        if let missing, !inspection.missing.contains(where: { $0.contains(missing) }) {
            fault("inspect: nothing is said of \(missing)")
        }
    }

    // MARK: Containers

    private mutating func tryStart(_ image: String, begins: Bool) async throws {
        guard runner.obstacle == nil else { return result.obstacle = runner.obstacle }
        let suite = """
            suite: start
            title: Start
            scenarios:
              start:
                containers: {main: {entrypoint: [/program]}}
            checks:
              - {id: S-1, title: it ends, run: start, expect: {exit: main, equals: 0}}
            """
        try Data(suite.utf8).write(to: URL(fileURLWithPath: "\(work)/start.yaml"))
        _ = try await command([
            "check", image, "--suite", "\(work)/start.yaml", "--runtime", "oci", "--report", "text",
            "--report",
            "json=start.json",
        ])
        // What was unpacked may have owners that only the program can remove.
        let cleaning = try await command(["doctor", "--clean", "--all"])
        if cleaning.code != 0 {
            fault("doctor: exit code \(cleaning.code ?? -1): \(firstLine(cleaning.errors))")
        }
        guard let data = FileManager.default.contents(atPath: "\(work)/start.json") else {
            return fault("check: there is no record of the start")
        }
        let record = try JSONDecoder().decode(RunRecord.self, from: data)
        guard let start = record.images.first?.results.first else {
            return fault("check: the record has no result of the start")
        }
        let isExpected = begins ? start.outcome == .pass : [.fail, .error].contains(start.outcome)
        if !isExpected {
            fault("check: the start is \(start.outcome.rawValue): \(start.reason ?? "\(start.findings)")")
        }
    }

    // MARK: Own files

    private mutating func tryInput(_ arguments: [String]) async throws {
        guard case .refused(let reason) = hostile.expected else { return fault("it has no reason") }
        let program = try await command(arguments)
        expect(program, of: arguments[0], code: ExitDecision.usage.rawValue, reason)
    }

    private func firstLine(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 0x0A }.prefix(300), as: UTF8.self)
    }
}
