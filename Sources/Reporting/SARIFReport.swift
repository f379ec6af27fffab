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
        fileExtension: "sarif", bytesPerResult: 700,
        render: { record, options in render(record, options: options) })

    private static let runLimit = 20
    /// Results of a run.
    static let resultLimit = 25_000
    private static let descriptionLimit = 1_000
    private static let messageLimit = 4_000

    static func render(
        _ record: RunRecord, options: RenderOptions, resultLimit: Int = resultLimit
    ) -> [UInt8] {
        var runs = record.images.map { run(of: $0, in: record, options, resultLimit) }
        runs += record.unreadable.map { run(of: $0, in: record) }
        if runs.isEmpty {
            runs.append(
                Run(
                    category: category(record, ["none"]),
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
            runs[0].notifications.append(
                Notification(
                    .warning,
                    "\(left.grouped) more images are not in this file, which has at most \(runLimit) runs; the JSON report has all"
                ))
        }
        var json = JSONWriter(capacity: record.resultCount * form.bytesPerResult)
        json.object { json in
            json.member(
                "$schema",
                "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
            var rules = Rules()
            json.member("runs", runs) { write($1, of: record, options, &rules, to: &$0) }
            json.member("version", "2.1.0")
        }
        json.append("\n")
        return json.bytes
    }

    // MARK: Runs

    private static func run(
        of run: ImageRun, in record: RunRecord, _ options: RenderOptions, _ resultLimit: Int
    ) -> Run {
        let alerts = Alert.all(of: run)
        var rules: [CheckResult] = []
        var places: [Check: Int] = [:]
        let results = alerts.prefix(resultLimit).map { alert in
            let check = Check(alert.result)
            let place = places[check] ?? rules.count
            if place == rules.count {
                places[check] = place
                rules.append(alert.result)
            }
            return Run.Result(alert: alert, rule: place)
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
                    index: places[Check(alert.result)]))
        }
        notifications += run.notes.map { Notification(.note, $0.description) }
        notifications += RunProblem.warnings(of: record).map { Notification(.warning, $0) }
        let image = run.image
        var output = Run(
            category: category(record, [image.repository, image.platform]),
            exit: record.decision(on: run, failOn: options.failOn), notifications: notifications)
        output.judged = Run.Judged(run: run, rules: rules, results: results, started: utc(record.started))
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
        return output
    }

    /// An image without results, which a viewer must not take for one without findings: the invocation failed, and
    /// the category is another one, so that GitHub closes no alert.
    private static func run(of image: UnreadableImage, in record: RunRecord) -> Run {
        var output = Run(
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
            let category = runs[index].category
            let occurrence = seen[category, default: 0] + 1
            seen[category] = occurrence
            if occurrence > 1 { runs[index].category = "\(category)\(occurrence)/" }
        }
    }

    // MARK: The document

    /// A run as far as it has to be known before others are written.
    private struct Run {
        var category: String
        var exit: ExitDecision
        var notifications: [Notification]
        var properties: [String: String]?
        /// nil: no image was.
        var judged: Judged?

        init(category: String, exit: ExitDecision, notifications: [Notification]) {
            self.category = category
            self.exit = exit
            self.notifications = notifications
        }

        struct Judged {
            var run: ImageRun
            /// Each check once.
            var rules: [CheckResult]
            var results: [Result]
            /// When the run began, if it is a time of SARIF's.
            var started: String?
        }

        struct Result {
            var alert: Alert
            /// Position in `rules`.
            var rule: Int
        }

        /// What is not conforming comes first.
        var rank: Int {
            switch exit {
            case .notConforming: 0
            case .conforming: 2
            default: 1
            }
        }
    }

    private struct Check: Hashable {
        var suite: String
        var id: String

        init(_ result: CheckResult) {
            suite = result.suite
            id = result.id
        }
    }

    private struct Notification {
        var level: Level
        var text: String
        var rule: (id: String, index: Int?)?

        init(_ level: Level, _ text: String, rule: String? = nil, index: Int? = nil) {
            self.level = level
            self.text = text
            self.rule = rule.map { ($0, index) }
        }

        init(_ problem: RunProblem) { self.init(.error, "\(problem.title): \(problem.line)") }
    }

    private enum Level: String {
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

    private static func write(
        _ run: Run, of record: RunRecord, _ options: RenderOptions, _ rules: inout Rules,
        to json: inout JSONWriter
    ) {
        json.object { json in
            json.member("automationDetails") { $0.member("id", run.category) }
            json.member("columnKind", "unicodeCodePoints")
            json.member("invocations", [run]) { json, run in
                json.object { json in
                    json.member(
                        "executionSuccessful", run.exit == .conforming || run.exit == .notConforming)
                    json.member("exitCode", Int(run.exit.rawValue))
                    json.member("startTimeUtc", run.judged?.started)
                    json.member("toolExecutionNotifications", run.notifications) { write($1, to: &$0) }
                }
            }
            if let properties = run.properties {
                json.member("properties") { json in
                    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
                        json.key(name)
                        json.write(value)
                    }
                }
            }
            json.member("results", run.judged?.results ?? []) { json, result in
                if let run = run.judged?.run { write(result, on: run, options, to: &json) }
            }
            json.member("tool") { json in
                json.member("driver") { json in
                    json.member("name", record.tool.name)
                    json.member("rules", run.judged?.rules ?? []) { rules.write($1, to: &$0) }
                    json.member("version", record.tool.version)
                }
            }
        }
    }

    private static func write(_ notification: Notification, to json: inout JSONWriter) {
        json.object { json in
            if let rule = notification.rule {
                json.member("associatedRule") { json in
                    json.member("id", line(rule.id))
                    json.member("index", rule.index)
                }
            }
            json.member("level", notification.level.rawValue)
            write(line(notification.text), as: "message", to: &json)
        }
    }

    private static func write(_ text: String, as name: StaticString, to json: inout JSONWriter) {
        json.member(name) { $0.member("text", text) }
    }

    /// Rules as they were written: most images of a record have the same.
    private struct Rules {
        private var written: [Check: (result: CheckResult, bytes: [UInt8])] = [:]

        mutating func write(_ result: CheckResult, to json: inout JSONWriter) {
            let check = Check(result)
            if let earlier = written[check], areSame(earlier.result, result) {
                json.bytes += earlier.bytes
            } else {
                let start = json.bytes.count
                writeRule(of: result, to: &json)
                written[check] = (result, Array(json.bytes[start...]))
            }
        }

        private func areSame(_ left: CheckResult, _ right: CheckResult) -> Bool {
            left.title == right.title && left.group == right.group && left.severity == right.severity
                && left.remedy == right.remedy && left.source == right.source
                && left.statements == right.statements && left.position == right.position
        }
    }

    private static func writeRule(of result: CheckResult, to json: inout JSONWriter) {
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
        json.object { json in
            json.member("defaultConfiguration") { $0.member("level", Level(result.severity).rawValue) }
            write(
                SafeText.shortened(
                    result.source.map { "\(title). \(line($0))" } ?? title, limit: descriptionLimit - 40),
                as: "fullDescription", to: &json)
            json.member("help") { json in
                json.member("markdown", "\(MarkdownReport.text(title))\n\n\(markdown)")
                json.member("text", "\(title)\n\(text)")
            }
            json.member("id", line(result.id))
            json.member("name", line(result.id))
            json.member("properties") { json in
                json.member("precision", "very-high")
                json.member(
                    "problem.severity",
                    result.severity == .info ? "recommendation" : result.severity.rawValue)
                let (suite, group) = (line(result.suite), line(result.group))
                json.member("tags", suite == group ? [suite] : [suite, group].sorted())
            }
            write(
                SafeText.shortened(title, limit: descriptionLimit - 40), as: "shortDescription", to: &json)
        }
    }

    private static func write(
        _ result: Run.Result, on run: ImageRun, _ options: RenderOptions, to json: inout JSONWriter
    ) {
        let alert = result.alert
        json.object { json in
            if run.baseline?.reference != nil, alert.status != .undecided {
                json.member("baselineState", alert.status == .known ? "unchanged" : "new")
            }
            json.member("kind", alert.status == .undecided ? "open" : "fail")
            json.member(
                "level", (alert.status == .undecided ? .none : Level(alert.result.severity)).rawValue)
            json.member("locations", [alert]) { writeLocation(of: $1, on: run, options, to: &$0) }
            write(message(of: alert, on: run), as: "message", to: &json)
            json.member("partialFingerprints") { json in
                json.member("finding/v1", alert.fingerprint)
                json.member("primaryLocationLineHash", "\(alert.fingerprint):1")
            }
            json.member("ruleId", line(alert.result.id))
            json.member("ruleIndex", result.rule)
            if alert.status == .waived {
                let waiver = alert.finding?.waiver.map(\.description) ?? alert.result.reason ?? "waived"
                json.member("suppressions", [waiver]) { json, waiver in
                    json.object { json in
                        json.member("justification", line(waiver))
                        json.member("kind", "external")
                        json.member("status", "accepted")
                    }
                }
            }
        }
    }

    private static func message(of alert: Alert, on run: ImageRun) -> String {
        let finding = alert.finding
        var sentences = [alert.message + "."]
        if finding?.others != nil || finding?.omitted != nil {
            let more = (finding?.others?.count ?? 0) + (finding?.omitted ?? 0)
            sentences.append("The same of \(more.grouped) more.")
        }
        if let provenance = finding?.provenance {
            sentences.append("Cause: \(CheckText.summary(of: provenance, on: run.image)).")
        }
        if let remedy = alert.result.remedy { sentences.append("Remedy: \(remedy).") }
        return SafeText.shortened(sentences.map(line).joined(separator: " "), limit: messageLimit)
    }

    private static func writeLocation(
        of alert: Alert, on run: ImageRun, _ options: RenderOptions, to json: inout JSONWriter
    ) {
        let anchor = Anchor(alert.result, alert.finding, options)
        let isAbsolute = anchor.path.hasPrefix("/")
        json.object { json in
            if let subject = alert.finding?.subject {
                let image = "\(run.image.reference)@\(run.image.manifestDigest ?? run.image.configDigest)"
                json.member("logicalLocations", [subject]) { json, subject in
                    json.object { json in
                        json.member("fullyQualifiedName", "\(line(image))!\(line(subject.words))")
                        json.member("kind", subject.kind.rawValue)
                        json.member("name", line(subject.name))
                    }
                }
            }
            json.member("physicalLocation") { json in
                json.member("artifactLocation") { json in
                    json.member("uri", (isAbsolute ? "file://" : "") + uri(anchor.path))
                    json.member("uriBaseId", isAbsolute ? nil : "%SRCROOT%")
                }
                json.member("region") { $0.member("startLine", anchor.line) }
            }
        }
    }

    /// A URI of a path (RFC 3986): relative to the root of the repository, or what is after `file://`.
    private static func uri(_ path: String) -> String {
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        if path.utf8.allSatisfy(isPlain) { return path }
        var encoded = ""
        for byte in path.utf8 {
            if isPlain(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += byte < 0x10 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }

    // MARK: Text

    /// One line without controls, of bounded length, that no viewer takes for a link: GitHub shows `[a](b)` in a
    /// message as one (section 3.11.6).
    private static func line(_ text: String) -> String {
        let line = SafeText.shortened(SafeText.oneLine(text), limit: SafeText.valueLimit)
        guard SafeText.has("](", in: line) else { return line }
        return line.split(separator: "](", omittingEmptySubsequences: false).joined(separator: "] (")
    }

    private static func utc(_ time: String?) -> String? {
        guard let time, time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil else {
            return nil
        }
        return time
    }
}
