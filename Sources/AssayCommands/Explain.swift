import ArgumentParser
import Checks
import Runner
import Suite
import Verdict

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a check enforces and why, or what a kind of expectation can say.",
        discussion: """
            Examples:
              assay explain                 the checks of the suite, and the kinds of expectations
              assay explain AIR-USER-001    one check
              assay explain paths           one kind of expectation, with its keys and examples
            """)

    @Argument(help: "The id of a check, or the name of a kind of expectation.") var subject: String?
    @Option(
        help: ArgumentHelp(
            "A suite: the name of one that is built in, a directory or a YAML file. May be repeated.",
            valueName: "name|path"))
    var suite = ["airflow"]

    func run() throws {
        let documents = try SuiteSet(suite).suites.map(\.document)
        let checks = documents.flatMap(\.checks)
        guard let subject else {
            Console.output(Explain.overview(documents))
            return
        }
        if let check = checks.first(where: { $0.id == subject }) {
            Console.output(Explain.text(of: check))
        } else if let kind = ExpectationKind.all.first(where: { $0.name == subject }) {
            Console.output(Explain.text(of: kind))
        } else {
            let known = checks.map(\.id) + ExpectationKind.all.map(\.name)
            throw CommandExit(
                .usage, "there is no check and no kind of expectation \(subject)",
                hint: nearest(to: subject, among: known).map { "did you mean \($0)?" })
        }
    }

    private static func overview(_ documents: [SuiteDocument]) -> String {
        var lines: [String] = []
        for document in documents {
            lines.append("\(document.name): \(document.title)")
            lines += document.checks.map { "  \($0.id)  \($0.title)" }
            lines.append("")
        }
        lines.append("Kinds of expectations")
        lines += ExpectationKind.all.map { "  \($0.name): \($0.summary)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(of check: CheckDeclaration) -> String {
        let kinds = check.expectations.compactMap { node in
            ExpectationKind.all.first { $0.name == node.members?.first?.key }
        }
        var lines = ["\(check.id)  \(check.title)", ""]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { lines.append("\(name): \(value)") }
        }
        add("subject", "\(check.group) (\(check.groupTitle))")
        add("severity", check.severity.rawValue)
        add("document", check.source)
        add("statements", check.statements.joined(separator: ", "))
        add("remedy", check.remedy.map { "\($0)" })
        add("written in", "\(check.position)")
        for kind in kinds.reduce(into: [ExpectationKind](), { if !$0.contains($1) { $0.append($1) } }) {
            lines += ["", text(of: kind)]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func text(of kind: ExpectationKind) -> String {
        var lines = ["\(kind.name): \(kind.summary)"]
        lines += kind.keys.map { "  \($0.name): \($0.summary)" }
        lines += ["An ordinary image meets:"] + indented(kind.passing)
        lines += ["and does not meet:"] + indented(kind.failing)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func indented(_ text: String) -> [String] {
        text.split(separator: "\n").map { "  \($0)" }
    }
}
