import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// `commands: {none: [gcc, "gcc-[0-9]*"]}`
struct CommandsExpectation: Expectation {
    static let kind = ExpectationKind(
        "commands",
        summary:
            "commands that the image's user can run from the image's PATH; of none, any file of that name counts",
        value: .quantified,
        keys: [
            .init("path", "where a shell finds it"),
            .init("resolved", "the file that symbolic links lead to"),
        ],
        passing: "commands: {every: [sh]}", failing: "commands: {none: [sh]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("commands", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["path", "resolved"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        if context.facts.commands.userIsUnknown, quantified.quantifier != .none {
            throw Unresolved("who runs the commands is not known: the image's User cannot be resolved")
        }
        let commands = Commands(context: context, countsAll: quantified.quantifier == .none)
        return try quantified.evaluate(commands, attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let things = Commands(context: context, countsAll: quantified.quantifier == .none)
        return try quantified.violations(things, attributes: attributes, context)
    }

    private struct Commands: NamedThings {
        let context: EvaluationContext
        /// Whether every file of the name counts; otherwise the one that a shell would run.
        let countsAll: Bool

        var kind: Subject.Kind { .command }

        func find(_ glob: Glob) -> [NamedThing] {
            let search = context.facts.commands
            let names = glob.isLiteral ? [glob.pattern] : search.names.filter { glob.matches($0) }
            return names.flatMap { name -> [NamedThing] in
                let found = search.find(name)
                if countsAll { return oncePerName(found).map { thing(name, $0) } }
                return (found.first { $0.isExecutable } ?? found.first).map { [thing(name, $0)] } ?? []
            }
        }

        private func thing(_ name: String, _ command: FoundCommand) -> NamedThing {
            let link = command.path == command.resolvedPath ? "" : ", that is \(command.resolvedPath)"
            let access =
                switch command.access {
                case .executable: ""
                case .notExecutable: ", not executable for the image's user"
                case .unsearchable(let directory):
                    ", below \(directory), which the image's user may not search"
                }
            return NamedThing(
                shown: "\(command.path)\(link)\(access)",
                values: [
                    "name": .text(name), "path": .text(command.path.description),
                    "resolved": .text(command.resolvedPath.description),
                ],
                provenance: context.provenance(ofLayer: countsAll ? layer(ofName: command) : command.layer),
                isUsable: command.isExecutable)
        }

        /// Without those that are the same entry of the same directory, seen through a linked one (`/bin`).
        private func oncePerName(_ commands: [FoundCommand]) -> [FoundCommand] {
            var seen: Set<Node> = []
            return commands.filter { command in entry(of: command).map { seen.insert($0).inserted } ?? true }
        }

        /// The name itself, which may be a link.
        private func entry(of command: FoundCommand) -> Node? {
            try? context.facts.rootfs.node(at: command.path, followingFinalLink: false)
        }

        /// The layer that made the name, where the file may have been there before.
        private func layer(ofName command: FoundCommand) -> Int {
            entry(of: command).map { context.facts.rootfs.status(of: $0).layer } ?? command.layer
        }

        func provenance(ofMissing name: String) -> Provenance? {
            if name.hasPrefix("/") { return context.provenance(ofMissing: ImagePath(name)) }
            let paths = context.facts.commands.path.map { $0.appending(name) }
            return paths.lazy.compactMap { context.provenance(ofMissing: $0) }.first
        }

        func doubt(about glob: Glob) -> String? { nil }

        /// Takes the right to run it from everybody.
        func disabling(_ things: [NamedThing]) -> [Violation.Change] {
            things.flatMap { context.facts.commands.find($0.name) }.map(\.resolvedPath).compactMap { path in
                let status = (try? context.facts.rootfs.status(at: path)).flatMap { $0 }
                return status.map { .chmod(path, permissions: $0.permissions & ~0o111) }
            }
        }

        func values(of attribute: String, _ name: String) -> [String]? {
            let directories = context.existing(context.facts.commands.path)
            let paths = directories.map { $0.appending(name).description }
            return attribute == "path"
                ? paths : paths + directories.map { $0.appending("violation").description }
        }

        func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] {
            let search = context.facts.commands
            let removed = old.flatMap { search.find($0.name) }.map { Violation.Change.remove($0.path) }
            return removed
                + new.flatMap { thing -> [Violation.Change] in
                    let name = thing.name
                    let directory = context.existing(search.path).first ?? "/usr/bin"
                    let path =
                        name.hasPrefix("/")
                        ? ImagePath(name)
                        : thing.text("path").map { ImagePath($0) } ?? directory.appending(name)
                    let resolved = thing.text("resolved").map { ImagePath($0) } ?? path
                    var link: [Violation.Change] = []
                    if resolved != path {
                        link = context.adding(
                            context.newEntry(at: path, kind: .symbolicLink, content: resolved.bytes))
                    }
                    return context.adding(
                        context.newEntry(at: resolved, isExecutable: true, content: Array("#!/bin/sh\n".utf8))
                    ) + link
                }
        }
    }
}
