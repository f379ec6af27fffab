/// Which checks enforce which statement of the document, and why the others need none.
public struct StatementMap: Sendable {
    public struct Row: Hashable, Sendable {
        public let statement: StatementDeclaration
        /// Ids of the checks that name it, in the order of the suite.
        public let checks: [String]
        /// Whether one of them looks at what a container did.
        public let isProbed: Bool

        /// What becomes of the statement.
        public var account: Account {
            if !checks.isEmpty { return .enforced }
            if statement.shown.contains(.image) { return .missing }
            return statement.shown.contains(.probe) ? .waitsForProbes : .explained
        }
    }

    public enum Account: Sendable {
        /// By at least one check.
        case enforced
        /// It takes a container run to see it.
        case waitsForProbes
        /// No image and no container can show it, for the reason that the suite gives.
        case explained
        /// An image can show it, and no check does.
        case missing
    }

    /// In the order of the document.
    public let rows: [Row]

    public init(of suite: SuiteDocument) {
        rows = suite.statements.map { statement in
            let checks = suite.checks.filter { $0.statements.contains(statement.id) }
            return Row(
                statement: statement, checks: checks.map(\.id),
                isProbed: checks.contains { $0.scenario != nil })
        }
    }

    public func count(_ account: Account) -> Int { rows.count { $0.account == account } }

    /// A table in Markdown with a line of totals in front.
    public var markdown: String {
        var lines = [
            "\(rows.count - count(.missing)) of \(rows.count) statements are accounted for: "
                + "\(count(.enforced)) are enforced by checks, \(count(.waitsForProbes)) take a container run, "
                + "\(count(.explained)) cannot be seen on an image.",
            "", "| statement | lines | says | enforced by |", "|---|---|---|---|",
        ]
        for row in rows {
            let statement = row.statement
            let drift = statement.drift.map { " **Drift**: images have \($0.images)." } ?? ""
            let account: String =
                switch row.account {
                case .enforced:
                    row.checks.joined(separator: ", ")
                        + (statement.shown.contains(.probe) && !row.isProbed
                            ? "; a container run shows more" : "")
                case .waitsForProbes: "waits for probes"
                case .explained: "not seen on an image: \(statement.reason ?? "")"
                case .missing: "**nothing yet**"
                }
            let cells = [
                statement.id, statement.lines.joined(separator: ", "), statement.text + drift, account,
            ]
            lines.append("| " + cells.map(StatementMap.cell).joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }
}
