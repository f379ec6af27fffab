import ArgumentParser
import Foundation
import LayerArchive
import OCIModel
import Probes
import Verdict

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what can run containers here, what probes may use, and what runs have left.",
        discussion: """
            Examples:
              assay doctor
              assay doctor --clean          # remove what killed runs have left
              assay doctor --clean --all    # the unpacked images too

            Exit codes: 0 something can run containers; 3 nothing can.
            """)

    @Flag(help: "Remove what runs have left whose process is gone; every check does so too.") var clean =
        false
    @Flag(help: "With --clean: remove the unpacked images too.") var all = false

    func validate() throws {
        if all, !clean { throw ValidationError("--all goes with --clean") }
    }

    func run() async throws {
        let cache = Cache.directory
        if clean {
            var lines = await Leftovers.remove(cache: cache)
            if all { lines += await UnpackedImages.remove(cache: cache) }
            Console.output(lines.isEmpty ? "there was nothing to remove\n" : lines.map { $0 + "\n" }.joined())
            return
        }
        var works = false
        Console.output("runtimes of probes; --runtime takes one, otherwise it is the first that works\n")
        for kind in RuntimeKind.allCases {
            let obstacle = await kind.obstacle()
            works = works || obstacle == nil
            Doctor.row(obstacle == nil, kind.rawValue, obstacle ?? kind.missingLimits ?? "works")
        }
        Console.output("\nprograms that services of scenarios need\n")
        for program in ServicePrograms.names {
            let path = ServicePrograms.path(of: program)
            Doctor.row(path != nil, program, path ?? "not installed")
        }
        let limits = ProbeLimits()
        Console.output("\nlimits of a container\n")
        Doctor.row(nil, "processes", "\(limits.processes)")
        Doctor.row(nil, "memory", Doctor.size(limits.memory))
        Doctor.row(nil, "disk", Doctor.size(limits.disk))
        Doctor.row(nil, "output", "\(Doctor.size(Int64(limits.output))) of each stream are kept")
        Console.output("\nwhat holds the process that reads layers\n")
        await Doctor.reader()
        Console.output("\nlimits of reading; --limit NAME=VALUE sets one\n")
        for limit in Limit.allCases {
            let value = limit.defaultValue
            Doctor.row(
                nil, limit.name,
                (limit.unit == .bytes ? Doctor.size(value) : "\(value)").padding(
                    toLength: 10, withPad: " ", startingAt: 0) + limit.summary)
        }
        Console.output("\ncache \(cache)\n")
        for line in Cache.description { Doctor.row(nil, line.name, line.text) }
        let leftovers = Leftovers.list(cache: cache)
        Doctor.row(
            nil, "leftovers",
            leftovers.isEmpty
                ? "none" : leftovers.joined(separator: ", ") + ": assay doctor --clean removes them")
        if !works { throw CommandExit(.undecided) }
    }

    private static func reader() async {
        let containment: Containment
        do {
            containment = try await ReaderMode.program.containment()
        } catch {
            return Doctor.row(false, "process", "\(error)")
        }
        Doctor.row(
            containment.filtersSystemCalls, "seccomp",
            containment.filtersSystemCalls
                ? "opens no file, makes no connection, starts no program" : "the system does not filter calls"
        )
        Doctor.row(
            containment.landlockVersion != nil, "landlock",
            containment.landlockVersion.map { "no files, version \($0)" }
                ?? "not in force: the kernel does not have it")
        if !containment.filtersSystemCalls, containment.landlockVersion == nil {
            Doctor.row(
                false, "containment",
                "none: what takes the reader over can do what you can; it only opens no further file")
        }
        Doctor.row(
            nil, "limits",
            "\(Doctor.size(Int64(Containment.memory))) of memory, \(Containment.processorTime) s of processor time, "
                + "ended after \(ReaderMode.program.patience.components.seconds) s without progress")
    }

    private static func row(_ mark: Bool?, _ name: String, _ text: String) {
        let sign = mark.map { $0 ? "✓" : "✗" } ?? " "
        Console.output(
            "  \(sign) \(name.padding(toLength: max(16, name.count), withPad: " ", startingAt: 0)) \(text)\n")
    }

    /// Bytes in the largest binary unit that leaves a number of at least 1.
    static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 {
                return "\(value == value.rounded() ? "\(Int(value))" : String(format: "%.1f", value)) \(unit)"
            }
            value /= 1024
        }
        return "\(value == value.rounded() ? "\(Int(value))" : String(format: "%.1f", value)) TiB"
    }
}
