import ArgumentParser
import Checks
import Runner
import Suite
import Verdict

struct Suites: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suites",
        abstract: "List, show and examine suites of checks.",
        discussion: """
            Examples:
              assay suites list
              assay suites show airflow
              assay suites lint my-suite/
              assay suites map airflow > statements.md
              assay suites schema > suite.schema.json
            """,
        subcommands: [List.self, Show.self, Lint.self, Map.self, Schema.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "The suites that are built in.")

        func run() throws {
            for name in SuiteSource.builtinNames {
                let document = try SuiteSet([name]).suites[0].document
                Console.output("\(name)  \(document.title), \(document.checks.count) checks\n")
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "The parameters, release lines and checks of a suite.")

        @Argument(help: ArgumentHelp("The suite.", valueName: "name|path")) var suite: String

        func run() throws {
            let document = try SuiteSet([suite]).suites[0].document
            var lines = ["\(document.name): \(document.title)"]
            if !document.document.isEmpty { lines.append("enforces \(document.document)") }
            func section(_ title: String, _ items: [String]) {
                if !items.isEmpty { lines += ["", title] + items.map { "  \($0)" } }
            }
            section(
                "Parameters",
                document.parameters.map { parameter in
                    let names = [parameter.name] + parameter.aliases
                    let value = parameter.defaultValue.map { $0.isEmpty ? "empty" : $0 } ?? "none"
                    return "\(names.joined(separator: ", ")): \(parameter.title); default \(value)"
                })
            section("Release lines", document.profiles.map { "\($0.id): \($0.title) (\($0.versions))" })
            section("Variants", document.variants.map { "\($0.id): \($0.title)" })
            var groups: [String] = []
            for check in document.checks where !groups.contains(check.group) { groups.append(check.group) }
            for group in groups {
                let checks = document.checks.filter { $0.group == group }
                section(
                    "\(group): \(checks.first?.groupTitle ?? "")",
                    checks.map { check in
                        let statements =
                            check.statements.isEmpty ? "" : " [\(check.statements.joined(separator: " "))]"
                        return "\(check.id)  \(check.title) (\(check.severity.rawValue))\(statements)"
                    })
            }
            Console.output(lines.joined(separator: "\n") + "\n")
        }
    }

    struct Lint: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lint",
            abstract: "Say everything that is wrong with suites.",
            discussion: "Exit codes: 0 when nothing is wrong; 2 when something is.")

        @Argument(help: ArgumentHelp("The suites.", valueName: "name|path")) var suites: [String]

        func run() throws {
            var problems: [SuiteDiagnostic] = []
            var omitted = 0
            for suite in suites {
                let set: SuiteSet
                do throws(SuiteError) {
                    set = try SuiteSet([suite])
                } catch {
                    problems += error.diagnostics
                    omitted += error.omitted
                    continue
                }
                let document = set.suites[0].document
                Console.output(
                    "\(document.name): \(document.checks.count) checks, \(document.parameters.count) "
                        + "parameters, \(document.profiles.count) release lines; nothing is wrong\n")
            }
            guard problems.isEmpty else { throw SuiteError(problems, omitted: omitted) }
        }
    }

    struct Map: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "map",
            abstract: "Which checks enforce which statement of the document, as a table in Markdown.",
            discussion: "Exit code 1 when an image could show a statement and no check enforces it.")

        @Argument(help: ArgumentHelp("The suite.", valueName: "name|path")) var suite: String

        func run() throws {
            let document = try SuiteSet([suite]).suites[0].document
            guard !document.statements.isEmpty else {
                throw CommandExit(
                    .usage, "the suite \(document.name) does not list the statements of its document",
                    hint: "add a file with the key statements")
            }
            let map = StatementMap(of: document)
            Console.output(map.markdown)
            let missing = map.rows.filter { $0.account == .missing }.map(\.statement.id)
            guard missing.isEmpty else {
                throw CommandExit(
                    .notConforming, "no check enforces \(missing.joined(separator: ", "))")
            }
        }
    }

    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schema",
            abstract: "The JSON Schema of the files of a suite.")

        func run() throws { Console.output(try SuiteSchema.text) }
    }
}
