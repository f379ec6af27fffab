import Verdict

/// SARIF 2.1.0 (OASIS Standard, with errata 01), as GitHub's code scanning and other viewers of findings read it.
///
/// One run per image. What the choices are for:
/// - `automationDetails.id` has suite, repository and platform, and no tag: GitHub keeps the alerts of a category, and
///   every release would open a new set of them.
/// - A result is a finding, and its fingerprint is made of what stays the same from build to build.
/// - `locations` are places in a repository: the file that the user named as anchor, else the line of the suite. A
///   name of an image there makes GitHub refuse the file; subjects inside of the image are `logicalLocations`.
/// - Waived findings have `suppressions`, known ones `baselineState`. What could not be decided is a result of kind
///   `open`, and a notification of the invocation; so is whatever else the run could not tell.
/// - The rules are those of the results; what passed is in the JSON report.
/// - GitHub's limits hold: 20 runs, 25,000 rules and results of a run, 1,000 characters of a rule's description. What
///   does not fit is left out, the least important first, and a notification counts it.
enum SARIFReport {
    static let form = ReportForm(
        summary: "SARIF 2.1.0 for code scanning of GitHub and other viewers of findings",
        fileExtension: "sarif",
        render: { (record, options) throws(ReportError) in try render(record, options: options) })

    private static let runLimit = 20
    /// Results of a run.
    static let resultLimit = 25_000
    private static let descriptionLimit = 1_000
    private static let messageLimit = 4_000

    static func render(
        _ record: RunRecord, options: RenderOptions, resultLimit: Int = resultLimit
    ) throws(ReportError) -> [UInt8] {
        var runs = record.images.map { run(of: $0, in: record, options, resultLimit) }
        runs += record.unreadable.map { run(of: $0, in: record) }
        if runs.isEmpty {
            runs.append(
                Run(
                    record.tool, rules: [], results: [], category: category(record, ["none"]),
                    exit: ExitDecision(of: record, failOn: options.failOn),
                    notifications: RunProblem.ofRun(record).map { Notification($0) }))
        }
        distinguish(&runs)
        if runs.count > runLimit {
            // Of images that conform the least is to be told.
            let kept = Set(
                runs.indices.sorted { (runs[$0].rank, $0) < (runs[$1].rank, $1) }.prefix(runLimit))
            let left = runs.count - kept.count
            runs = runs.indices.filter(kept.contains).map { runs[$0] }
            runs[0].invocations[0].toolExecutionNotifications.append(
                Notification(
                    .warning,
                    "\(left.grouped) more images are not in this file, which has at most \(runLimit) runs; the JSON report has all"
                ))
        }
        do {
            return try JSONDocument.bytes(of: Log(runs: runs))
        } catch {
            throw ReportError(.notRepresentable, "the run record cannot be written as SARIF: \(error)")
        }
    }

    // MARK: Runs

    private static func run(
        of run: ImageRun, in record: RunRecord, _ options: RenderOptions, _ resultLimit: Int
    ) -> Run {
        var rules: [Rule] = []
        var places: [[String]: Int] = [:]
        let alerts = Alert.all(of: run)
        for alert in alerts.prefix(resultLimit) where places[[alert.result.suite, alert.result.id]] == nil {
            places[[alert.result.suite, alert.result.id]] = rules.count
            rules.append(rule(of: alert.result))
        }
        let results = alerts.prefix(resultLimit).map { alert in
            result(
                of: alert, on: run, rule: places[[alert.result.suite, alert.result.id]],
                hasBaseline: run.baseline?.reference != nil, options)
        }
        var notifications = (RunProblem.ofRun(record) + [RunProblem.ofImage(run)].compactMap(\.self))
            .map { Notification($0) }
        if alerts.count > resultLimit {
            notifications.append(
                Notification(
                    .warning,
                    "\((alerts.count - resultLimit).grouped) of \(alerts.count.grouped) results are not in this file, "
                        + "which has at most \(resultLimit.grouped); the JSON report has all"))
        }
        for alert in alerts where alert.status == .undecided {
            if notifications.count >= resultLimit { break }
            notifications.append(
                Notification(
                    .error, "\(alert.result.id): \(alert.message)", rule: alert.result.id,
                    index: places[[alert.result.suite, alert.result.id]]))
        }
        notifications += run.notes.map { Notification(.note, $0.description) }
        notifications += RunProblem.warnings(of: record).map { Notification(.warning, $0) }
        let image = run.image
        var output = Run(
            record.tool, rules: rules, results: results,
            category: category(record, [image.repository, image.platform]),
            exit: record.decision(on: run, failOn: options.failOn), notifications: notifications)
        var properties = [
            "image.reference": image.reference, "image.configDigest": image.configDigest,
            "image.platform": image.platform,
        ]
        properties["image.manifestDigest"] = image.manifestDigest
        properties["image.created"] = image.created
        properties["profile.id"] = run.profile?.id
        properties["profile.variant"] = run.profile?.variant
        for suite in record.suites { properties["suite.\(suite.name).digest"] = suite.digest }
        output.properties = properties.mapValues(line)
        output.invocations[0].startTimeUtc = utc(record.started)
        return output
    }

    /// An image without results, which a viewer must not take for one without findings: the invocation failed, and
    /// the category is another one, so that GitHub closes no alert.
    private static func run(of image: UnreadableImage, in record: RunRecord) -> Run {
        var output = Run(
            record.tool, rules: [], results: [],
            category: category(record, [image.reference, "not-judged"]), exit: .undecided,
            notifications: (RunProblem.ofRun(record) + [RunProblem.ofUnreadable(image)])
                .map { Notification($0) })
        output.properties = ["image.reference": line(image.reference)]
        return output
    }

    /// "airflow/docker.io-apache-airflow/linux-amd64/": what is before the last slash is GitHub's category.
    private static func category(_ record: RunRecord, _ parts: [String]) -> String {
        let names = record.suites.map(\.name).joined(separator: "+")
        let words = [names.isEmpty ? record.tool.name : names] + parts
        return words.map { word in
            let name = String(
                String.UnicodeScalarView(
                    word.unicodeScalars.map { scalar in
                        switch scalar {
                        case "A"..."Z", "a"..."z", "0"..."9", ".", "_", "+": scalar
                        default: "-"
                        }
                    }))
            return SafeText.shortened(name.isEmpty ? "-" : name, limit: 100)
        }.map { $0 + "/" }.joined()
    }

    /// GitHub refuses a file with two runs of one category: two tags of a repository have numbers.
    private static func distinguish(_ runs: inout [Run]) {
        var seen: [String: Int] = [:]
        for index in runs.indices {
            let category = runs[index].automationDetails.id
            let occurrence = seen[category, default: 0] + 1
            seen[category] = occurrence
            if occurrence > 1 { runs[index].automationDetails.id = "\(category)\(occurrence)/" }
        }
    }

    // MARK: Rules and results

    private static func rule(of result: CheckResult) -> Rule {
        let title = line(result.title)
        var help: [(name: String, value: String)] = []
        if let remedy = result.remedy { help.append(("Remedy", line(remedy))) }
        if let source = result.source { help.append(("Source", line(source))) }
        if !result.statements.isEmpty {
            help.append(("Statements", line(result.statements.joined(separator: ", "))))
        }
        help.append(("Suite", line(result.position.description)))
        let text = help.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        let markdown = help.map { "- **\($0.name)**: \(MarkdownReport.code($0.value))" }
            .joined(separator: "\n")
        return Rule(
            id: line(result.id), name: line(result.id),
            shortDescription: Message(text: SafeText.shortened(title, limit: descriptionLimit - 40)),
            fullDescription: Message(
                text: SafeText.shortened(
                    result.source.map { "\(title). \(line($0))" } ?? title, limit: descriptionLimit - 40)),
            help: Help(text: "\(title)\n\(text)", markdown: "\(MarkdownReport.text(title))\n\n\(markdown)"),
            defaultConfiguration: Configuration(level: Level(result.severity)),
            properties: RuleProperties(
                tags: Array(Set([result.suite, result.group].map(line))).sorted(), precision: "very-high",
                severity: result.severity == .info ? "recommendation" : result.severity.rawValue))
    }

    private static func result(
        of alert: Alert, on run: ImageRun, rule: Int?, hasBaseline: Bool, _ options: RenderOptions
    ) -> Result {
        let (check, finding) = (alert.result, alert.finding)
        var sentences = [alert.message]
        if finding?.others != nil || finding?.omitted != nil {
            let more = (finding?.others?.count ?? 0) + (finding?.omitted ?? 0)
            sentences.append("The same of \(more.grouped) more.")
        }
        if let provenance = finding?.provenance {
            sentences.append("Cause: \(CheckText.summary(of: provenance, on: run.image)).")
        }
        if let remedy = check.remedy { sentences.append("Remedy: \(remedy).") }
        sentences[0] += "."
        var result = Result(
            ruleId: line(check.id), ruleIndex: rule,
            level: alert.status == .undecided ? .none : Level(check.severity),
            kind: alert.status == .undecided ? "open" : "fail",
            message: Message(
                text: SafeText.shortened(
                    sentences.map(line).joined(separator: " "), limit: messageLimit)),
            locations: [location(of: alert, on: run, options)],
            partialFingerprints: [
                "primaryLocationLineHash": "\(alert.fingerprint):1", "finding/v1": alert.fingerprint,
            ])
        if hasBaseline, alert.status != .undecided {
            result.baselineState = alert.status == .known ? "unchanged" : "new"
        }
        if alert.status == .waived {
            let waiver = finding?.waiver.map(\.description) ?? check.reason ?? "waived"
            result.suppressions = [
                Suppression(kind: "external", status: "accepted", justification: line(waiver))
            ]
        }
        return result
    }

    private static func location(
        of alert: Alert, on run: ImageRun, _ options: RenderOptions
    ) -> Location {
        let anchor = Anchor(alert.result, alert.finding, options)
        let artifact = ArtifactLocation(anchor.path)
        var location = Location(
            physicalLocation: PhysicalLocation(
                artifactLocation: artifact, region: Region(startLine: anchor.line)))
        if let subject = alert.finding?.subject {
            let image = "\(run.image.reference)@\(run.image.manifestDigest ?? run.image.configDigest)"
            location.logicalLocations = [
                LogicalLocation(
                    name: line(subject.name), fullyQualifiedName: "\(line(image))!\(line(subject.words))",
                    kind: subject.kind.rawValue)
            ]
        }
        return location
    }

    /// One line without controls, of bounded length, that no viewer takes for a link: GitHub shows `[a](b)` in a
    /// message as one (section 3.11.6).
    private static func line(_ text: String) -> String {
        let line = SafeText.shortened(SafeText.oneLine(text), limit: SafeText.valueLimit)
        guard line.utf8.contains(UInt8(ascii: "]")) else { return line }
        return line.split(separator: "](", omittingEmptySubsequences: false).joined(separator: "] (")
    }

    private static func utc(_ time: String?) -> String? {
        guard let time, time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil else {
            return nil
        }
        return time
    }
}

// MARK: The document

extension SARIFReport {
    private struct Log: Encodable {
        var schema =
            "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
        var version = "2.1.0"
        var runs: [Run]

        enum CodingKeys: String, CodingKey {
            case schema = "$schema"
            case version
            case runs
        }
    }

    private struct Run: Encodable {
        var tool: Tool
        var automationDetails: AutomationDetails
        var columnKind = "unicodeCodePoints"
        var invocations: [Invocation]
        var results: [Result]
        var properties: [String: String]?
        /// What is not conforming comes first.
        var rank: Int

        init(
            _ tool: RunRecord.Tool, rules: [Rule], results: [Result], category: String, exit: ExitDecision,
            notifications: [Notification]
        ) {
            self.tool = Tool(driver: Driver(name: tool.name, version: tool.version, rules: rules))
            automationDetails = AutomationDetails(id: category)
            invocations = [
                Invocation(
                    executionSuccessful: exit == .conforming || exit == .notConforming,
                    exitCode: exit.rawValue, toolExecutionNotifications: notifications)
            ]
            self.results = results
            rank =
                switch exit {
                case .notConforming: 0
                case .conforming: 2
                default: 1
                }
        }

        enum CodingKeys: CodingKey {
            case tool
            case automationDetails
            case columnKind
            case invocations
            case results
            case properties
        }
    }

    private struct Tool: Encodable {
        var driver: Driver
    }

    private struct Driver: Encodable {
        var name: String
        var version: String
        var rules: [Rule]
    }

    private struct AutomationDetails: Encodable {
        var id: String
    }

    private struct Invocation: Encodable {
        var executionSuccessful: Bool
        var exitCode: Int32
        var startTimeUtc: String?
        var toolExecutionNotifications: [Notification]
    }

    private struct Notification: Encodable {
        var level: Level
        var message: Message
        var associatedRule: RuleReference?

        init(_ level: Level, _ text: String, rule: String? = nil, index: Int? = nil) {
            self.level = level
            message = Message(text: line(text))
            associatedRule = rule.map { RuleReference(id: line($0), index: index) }
        }

        init(_ problem: RunProblem) { self.init(.error, "\(problem.title): \(problem.line)") }
    }

    private struct RuleReference: Encodable {
        var id: String
        var index: Int?
    }

    private enum Level: String, Encodable {
        case error
        case warning
        case note
        case none

        init(_ severity: Severity) {
            switch severity {
            case .error: self = .error
            case .warning: self = .warning
            case .info: self = .note
            }
        }
    }

    private struct Message: Encodable {
        var text: String
    }

    private struct Help: Encodable {
        var text: String
        var markdown: String
    }

    private struct Rule: Encodable {
        var id: String
        var name: String
        var shortDescription: Message
        var fullDescription: Message
        var help: Help
        var defaultConfiguration: Configuration
        var properties: RuleProperties
    }

    private struct Configuration: Encodable {
        var level: Level
    }

    private struct RuleProperties: Encodable {
        var tags: [String]
        var precision: String
        var severity: String

        enum CodingKeys: String, CodingKey {
            case tags
            case precision
            case severity = "problem.severity"
        }
    }

    private struct Result: Encodable {
        var ruleId: String
        var ruleIndex: Int?
        var level: Level
        var kind: String
        var message: Message
        var locations: [Location]
        var partialFingerprints: [String: String]
        var baselineState: String?
        var suppressions: [Suppression]?
    }

    private struct Suppression: Encodable {
        var kind: String
        var status: String
        var justification: String
    }

    private struct Location: Encodable {
        var physicalLocation: PhysicalLocation
        var logicalLocations: [LogicalLocation]?
    }

    private struct PhysicalLocation: Encodable {
        var artifactLocation: ArtifactLocation
        var region: Region
    }

    private struct ArtifactLocation: Encodable {
        var uri: String
        var uriBaseId: String?

        /// A URI of a path (RFC 3986): relative to the root of the repository, or of the scheme `file`.
        init(_ path: String) {
            var encoded = ""
            for byte in path.utf8 {
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                    encoded.unicodeScalars.append(Unicode.Scalar(byte))
                default:
                    let digits = String(byte, radix: 16, uppercase: true)
                    encoded += byte < 0x10 ? "%0\(digits)" : "%\(digits)"
                }
            }
            let isAbsolute = path.hasPrefix("/")
            uri = isAbsolute ? "file://" + encoded : encoded
            uriBaseId = isAbsolute ? nil : "%SRCROOT%"
        }
    }

    private struct Region: Encodable {
        var startLine: Int
    }

    private struct LogicalLocation: Encodable {
        var name: String
        var fullyQualifiedName: String
        var kind: String
    }
}
