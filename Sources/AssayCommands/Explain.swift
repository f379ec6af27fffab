import ArgumentParser
import Checks
import OCIModel
import Runner
import Suite
import Verdict

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what a check or statement is about and why, or what a kind of expectation can say.",
        discussion: """
            Examples:
              assay explain                 the checks of the suite, and the kinds of expectations
              assay explain AIR-USER-001    one check
              assay explain B09             one statement of the document, with the checks that enforce it
              assay explain paths           one kind of expectation, with its keys and examples
            """)

    @Argument(help: "The id of a check or statement, or the name of a kind of expectation.")
    var subject: String?
    @Option(
        help: ArgumentHelp(
            "A suite: the name of one that is built in, a directory or a YAML file. May be repeated.",
            valueName: "name|path"))
    var suite = ["airflow"]

    func run() throws {
        let documents = try SuiteSet(suite).suites.map(\.document)
        guard let subject else {
            Console.output(Explain.overview(documents))
            return
        }
        var texts: [String] = []
        for (name, document) in zip(suite, documents) {
            if let check = document.checks.first(where: { $0.id == subject }) {
                let file = try SuiteSource.files(of: name).first { $0.name == check.position.file }
                let written = file.map { SuiteSource.item(ofLine: check.position.line, in: $0.text) } ?? []
                texts.append(Explanation(of: check, in: document, written: written).text)
            }
            if let statement = document.statement(subject) {
                texts.append(Explanation(of: statement, in: document).text)
            }
        }
        if let kind = ExpectationKind.all.first(where: { $0.name == subject }) {
            texts.append(Explanation(of: kind).text)
        }
        guard !texts.isEmpty else {
            let known =
                documents.flatMap { $0.checks.map(\.id) + $0.statements.map(\.id) }
                + ExpectationKind.all.map(\.name)
            throw CommandExit(
                .usage, "there is no check, statement or kind of expectation \(escaped(subject))",
                hint: nearest(to: subject, among: known).map { "did you mean \($0)?" })
        }
        Console.output(texts.joined(separator: "\n"))
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
}

/// What `assay explain` says of one thing.
struct Explanation {
    private var lines: [String]

    var text: String { lines.joined(separator: "\n") + "\n" }

    /// - Parameter written: the check as its file has it.
    init(of check: CheckDeclaration, in document: SuiteDocument, written: [String]) {
        lines = ["\(check.id)  \(check.title)", ""]
        add("subject", "\(check.group) (\(check.groupTitle))")
        add("severity", check.severity.rawValue)
        add("document", check.source)
        add("remedy", check.remedy?.description)
        add("applies", Explanation.scope(of: check, in: document))
        for condition in check.condition?.words ?? [] { lines.append("  only if \(condition)") }
        for id in check.statements {
            guard let statement = document.statement(id) else {
                add("statement", id)
                continue
            }
            lines.append("")
            add(statement)
        }
        section("As written in \(check.position)", written)
        section(
            "To waive it, as long as somebody answers for that (assay check --waivers FILE)",
            [
                "waivers:", "  - check: \(check.id)", "    reason: why this may be so",
                "    owner: who answers for it",
                "    expires: YYYY-MM-DD",
            ])
        var kinds: [ExpectationKind] = []
        for node in check.expectations + check.documented {
            let kind = ExpectationKind.all.first { $0.name == node.members?.first?.key }
            if let kind, !kinds.contains(kind) { kinds.append(kind) }
        }
        for kind in kinds { lines += [""] + Explanation(of: kind).lines }
    }

    init(of statement: StatementDeclaration, in document: SuiteDocument) {
        lines = []
        add(statement)
        let checks = document.checks.filter { $0.statements.contains(statement.id) }
        section(
            checks.isEmpty ? "No check enforces it" : "Enforced by",
            checks.map { "\($0.id)  \($0.title) (\($0.severity.rawValue))" })
    }

    init(of kind: ExpectationKind) {
        lines = ["\(kind.name): \(kind.summary)"]
        lines += kind.keys.map { "  \($0.name): \($0.summary)" }
        lines += ["An ordinary image meets:"] + kind.passing.split(separator: "\n").map { "  \($0)" }
        lines += ["and does not meet:"] + kind.failing.split(separator: "\n").map { "  \($0)" }
    }

    private mutating func add(_ name: String, _ value: String?) {
        if let value, !value.isEmpty { lines.append("\(name): \(value)") }
    }

    private mutating func section(_ title: String, _ items: [String]) {
        lines += ["", title] + items.map { $0.isEmpty ? "" : "  \($0)" }
    }

    private mutating func add(_ statement: StatementDeclaration) {
        let places = statement.lines.joined(separator: ", ")
        lines.append("\(statement.id)  \(statement.text)")
        if !places.isEmpty {
            add(
                "  document",
                "\(statement.lines.count == 1 && !places.contains("-") ? "line" : "lines") \(places)")
        }
        add("  shown by", statement.shown.map(\.rawValue).joined(separator: ", "))
        add("  reason", statement.reason)
        add("  note", statement.note)
        guard let drift = statement.drift else { return }
        lines.append("  drift: the document and the images differ")
        add("    document", drift.document)
        add("    images", drift.images)
        add("    sources", drift.sources.joined(separator: "; "))
    }

    private static func scope(of check: CheckDeclaration, in document: SuiteDocument) -> String {
        if document.profiles.isEmpty { return "" }
        let found = document.profiles(of: check)
        if found.isEmpty { return "to no release line of the suite" }
        if found.count == document.profiles.count, found.allSatisfy(\.isWhole) {
            return "to every release line"
        }
        let names = found.map { $0.profile.id + ($0.isWhole ? "" : " (in part)") }
        return "to the release lines \(names.joined(separator: ", "))"
    }
}
