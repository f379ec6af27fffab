import Verdict

/// JUnit XML in the dialect that Jenkins, GitLab and GitHub's test result actions have in common.
///
/// One `testsuite` per image, one `testcase` per check. The format has no standard; the choices here:
/// - `classname` is `<suite>.<group>`, in a closed alphabet, because Jenkins splits it at the last dot into
///   package and class. A record on several images puts the image in between, because GitLab keeps only the
///   first of several cases with the same class name and name.
/// - The text of `failure`, `error` and `skipped` repeats their `message`, because GitLab shows only the text
///   and Jenkins shows the message first.
/// - A known fail is a `failure` that says so: the format has no word for it, and hidden it would be forgotten.
/// - A run that proves nothing has an `error` case that says so: no viewer shows an empty file as a problem.
enum JUnitReport {
    static let form = ReportForm(
        summary: "JUnit XML for Jenkins, GitLab and other test result viewers", fileExtension: "xml",
        bytesPerResult: 600,
        render: { record, _ in render(record) })

    static let strictForm = ReportForm(
        summary: "JUnit XML that Jenkins' xUnit plugin and pytest's schema accept",
        fileExtension: "strict.xml", bytesPerResult: 600,
        render: { record, _ in render(record, strict: true) })

    /// - Parameter strict: leave out what the schema of Jenkins' xUnit plugin and of pytest does not have: file and line
    ///   of a test case, which GitLab shows.
    static func render(_ record: RunRecord, strict: Bool = false) -> [UInt8] {
        let suites = testSuites(of: record)
        var writer = XMLWriter(capacity: record.resultCount * form.bytesPerResult)
        let names = record.suites.map(\.name).joined(separator: ", ")
        writer.start(
            "testsuites",
            [("name", names.isEmpty ? record.tool.name : names)] + counts(of: suites, withSkipped: false)
                + [("time", SafeText.seconds(suites.reduce(0) { $0 + max(0, $1.time) }))])
        var noted = 0
        for (index, suite) in suites.enumerated() {
            write(suite, index, strict, started: record.started, notedBefore: noted, to: &writer)
            noted = writer.replacements
        }
        writer.end()
        return writer.bytes
    }

    // MARK: What is written

    private struct TestSuite {
        var name: String
        var time: Double
        var properties: XMLWriter.Attributes = []
        /// On the image that the suite is of.
        var run: ImageRun?
        var cases: [TestCase]
        var notes: [String] = []
    }

    private struct TestCase {
        var className: String
        var name: String
        var content: Content
    }

    private enum Content {
        /// A position in the results of the run: what is said of one is not made before it is written, for all of it is large.
        case result(Int)
        case status(Status)
    }

    private enum Status {
        case passed
        case failure(type: String, message: String, text: String)
        case error(type: String, message: String, text: String)
        case skipped(message: String)
    }

    private static func testSuites(of record: RunRecord) -> [TestSuite] {
        var suites = record.images.map { run in
            var suite = TestSuite(
                name: "\(run.image.reference) \(run.image.platform)", time: run.duration,
                properties: properties(of: run, in: record), run: run,
                cases: testCases(of: run, naming: record.images.count > 1),
                notes: run.notes.map(\.description))
            if let problem = RunProblem.ofImage(run) { suite.cases.append(testCase(problem)) }
            return suite
        }
        for image in record.unreadable {
            suites.append(
                TestSuite(
                    name: image.reference, time: 0, cases: [testCase(RunProblem.ofUnreadable(image))]))
        }
        let problems = RunProblem.ofRun(record).map(testCase)
        let unused = (record.unusedWaivers ?? []).map { entry in
            TestCase(
                className: "assay.waivers", name: "\(entry.waiver.check) at \(entry.waiver.position)",
                content: .status(
                    .skipped(message: "the waiver is not needed: \(CheckText.joinedLines(entry.reason))")))
        }
        let conflicts = (record.conflicts ?? []).map { conflict in
            TestCase(
                className: "assay.conflicts",
                name: "\(conflict.suite) \(conflict.check) on \(conflict.configDigest)",
                content: .status(
                    .skipped(
                        message: (["runs on one image do not agree"]
                            + conflict.variants.map { CheckText.joinedLines($0.words) })
                            .joined(separator: "\n"))))
        }
        if !conflicts.isEmpty { suites.append(TestSuite(name: "conflicts", time: 0, cases: conflicts)) }
        if !unused.isEmpty { suites.append(TestSuite(name: "waivers", time: 0, cases: unused)) }
        if !problems.isEmpty {
            suites.append(TestSuite(name: "run", time: 0, cases: problems))
        }
        return numberingDuplicates(suites)
    }

    /// A case about the run itself, not about a check.
    private static func testCase(_ problem: RunProblem) -> TestCase {
        TestCase(
            className: "assay.run", name: problem.title,
            content: .status(
                .error(
                    type: "undecided", message: problem.title,
                    text: ([problem.title] + problem.lines).joined(separator: "\n"))))
    }

    /// GitLab drops, without a word, all but the first case of the same class name and name.
    private static func numberingDuplicates(_ suites: [TestSuite]) -> [TestSuite] {
        struct Key: Hashable {
            var className: String
            var name: String
        }
        var seen: [Key: Int] = [:]
        seen.reserveCapacity(suites.reduce(0) { $0 + $1.cases.count })
        var suites = suites
        for suite in suites.indices {
            for index in suites[suite].cases.indices {
                let key = Key(
                    className: suites[suite].cases[index].className, name: suites[suite].cases[index].name)
                guard let earlier = seen.updateValue(1, forKey: key) else { continue }
                seen[key] = earlier + 1
                suites[suite].cases[index].name += " [\(earlier + 1)]"
            }
        }
        return suites
    }

    private static func properties(of run: ImageRun, in record: RunRecord) -> XMLWriter.Attributes {
        var properties: XMLWriter.Attributes = [
            ("image.reference", run.image.reference),
            ("image.manifest.digest", run.image.manifestDigest ?? "none"),
            ("image.config.digest", run.image.configDigest),
            ("image.platform", run.image.platform),
            ("image.created", run.image.created ?? "unknown"),
            ("image.layers", String(run.image.layers.count)),
            ("tool.name", record.tool.name),
            ("tool.version", record.tool.version),
            ("run.complete", String(record.complete)),
        ]
        if run.judgedByDocument == true { properties.append(("run.documented", "true")) }
        for suite in record.suites { properties.append(("suite.\(suite.name).digest", suite.digest)) }
        if let profile = run.profile {
            properties.append(("profile.id", profile.id))
            properties.append(("profile.title", profile.title))
            if let variant = profile.variant { properties.append(("profile.variant", variant)) }
            for (number, line) in profile.evidence.enumerated() {
                properties.append(("profile.evidence.\(number + 1)", line))
            }
            for (number, line) in profile.warnings.enumerated() {
                properties.append(("profile.warning.\(number + 1)", line))
            }
        }
        if let lineage = run.lineage { properties += self.properties(of: lineage) }
        if let baseline = run.baseline { properties += self.properties(of: baseline, run) }
        properties += DriftOfRun.all(of: run).flatMap { drift in
            let name = "drift.\(drift.note.statement)"
            return [
                ("\(name).document", drift.note.document), ("\(name).images", drift.note.images),
                ("\(name).sources", drift.note.sources.joined(separator: "; ")),
                ("\(name).checks", drift.checks.joined(separator: ", ")),
            ]
        }
        for parameter in run.parameters {
            properties.append(("parameter.\(parameter.name)", parameter.value))
            properties.append(("parameter.\(parameter.name).origin", parameter.origin))
        }
        return properties
    }

    private static func properties(of lineage: LineageSummary) -> XMLWriter.Attributes {
        var properties: XMLWriter.Attributes = [
            ("lineage.extended", String(lineage.extended)),
            ("lineage.customised", String(lineage.customised)),
        ]
        for (number, line) in lineage.evidence.enumerated() {
            properties.append(("lineage.evidence.\(number + 1)", line))
        }
        if let layers = lineage.baseLayers { properties.append(("lineage.base.layers", String(layers))) }
        if let size = lineage.baseSize { properties.append(("lineage.base.bytes", String(size))) }
        if let size = lineage.addedSize { properties.append(("lineage.added.bytes", String(size))) }
        return properties
    }

    private static func properties(of baseline: BaselineComparison, _ run: ImageRun) -> XMLWriter.Attributes {
        [
            ("baseline.started", baseline.started ?? "unknown"),
            ("baseline.image", baseline.reference ?? "none: every fail counts"),
            ("baseline.known", String(run.results.count { $0.known == true })),
            ("baseline.gone", baseline.gone.joined(separator: ", ")),
        ]
    }

    private static func testCases(of run: ImageRun, naming namesImage: Bool) -> [TestCase] {
        struct Group: Hashable {
            var suite: String
            var name: String
        }
        var classNames: [Group: String] = [:]
        let image = namesImage ? ["\(run.image.reference) \(run.image.platform)"] : []
        return run.results.indices.map { index in
            let group = Group(suite: run.results[index].suite, name: run.results[index].group)
            let className =
                classNames[group]
                ?? ([group.suite] + image + [group.name]).map(closedAlphabet).joined(separator: ".")
            classNames[group] = className
            return TestCase(
                className: className, name: "\(run.results[index].id) \(run.results[index].title)",
                content: .result(index))
        }
    }

    private static func status(of result: CheckResult, on run: ImageRun) -> Status {
        switch result.outcome {
        case .pass: return .passed
        case .fail:
            let message =
                (result.known == true ? "known, in the baseline: " : "") + CheckText.summary(of: result)
            return .failure(
                type: result.id, message: message,
                text: CheckText.full(of: result, message: message, on: run))
        case .error:
            let message = CheckText.summary(of: result)
            return .error(
                type: result.id, message: message,
                text: CheckText.full(of: result, message: message, on: run))
        case .skipped, .notApplicable, .waived: return .skipped(message: CheckText.excuse(of: result))
        }
    }

    /// What was seen by a check that does not fail, and what would be one of it.
    private static func output(of result: CheckResult, on run: ImageRun) -> String {
        switch result.outcome {
        case .pass: CheckText.text(of: result.findings, on: run.image)
        case .waived:
            CheckText.full(
                of: result,
                message: "waived, this fail is hidden: \(CheckText.summary(of: result, withReason: false))",
                on: run)
        case .fail, .error, .skipped, .notApplicable: ""
        }
    }

    // MARK: Attributes

    private static func closedAlphabet(_ text: String) -> String {
        func isClosed(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "_", "-": true
            default: false
            }
        }
        if !text.isEmpty, text.unicodeScalars.allSatisfy(isClosed) { return text }
        let output = text.unicodeScalars.map { isClosed($0) ? UInt8(ascii: $0) : UInt8(ascii: "_") }
        return output.isEmpty ? "_" : String(decoding: output, as: UTF8.self)
    }

    /// ISO 8601 without a zone, as the format has it; nil when the record's time is not RFC 3339 in UTC.
    private static func timestamp(_ started: String?) -> String? {
        guard let time = started?.wholeMatch(of: /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]00:00)/)
        else { return nil }
        return String(time.1)
    }

    private static func counts(of suites: [TestSuite], withSkipped: Bool) -> XMLWriter.Attributes {
        var (tests, failures, errors, skipped) = (0, 0, 0, 0)
        func count(_ outcome: Outcome) {
            tests += 1
            switch outcome {
            case .pass: break
            case .fail: failures += 1
            case .error: errors += 1
            case .skipped, .notApplicable, .waived: skipped += 1
            }
        }
        for suite in suites {
            for index in suite.cases.indices {
                switch suite.cases[index].content {
                case .result(let place): if let run = suite.run { count(run.results[place].outcome) }
                case .status(.passed): count(.pass)
                case .status(.failure): count(.fail)
                case .status(.error): count(.error)
                case .status(.skipped): count(.skipped)
                }
            }
        }
        return [
            ("tests", String(tests)), ("failures", String(failures)), ("errors", String(errors)),
        ] + (withSkipped ? [("skipped", String(skipped))] : [])
    }

    // MARK: Writing

    private static func write(
        _ suite: TestSuite, _ index: Int, _ strict: Bool, started: String?, notedBefore: Int,
        to writer: inout XMLWriter
    ) {
        // Jenkins tells suites of one name apart by the id: two runs on one image.
        var attributes: XMLWriter.Attributes = [("name", suite.name), ("id", String(index))]
        attributes += counts(of: [suite], withSkipped: true)
        attributes.append(("time", SafeText.seconds(suite.time)))
        if let timestamp = timestamp(started) { attributes.append(("timestamp", timestamp)) }
        // Ant's schema wants a name; that of the machine would make another file on each.
        attributes.append(("hostname", "localhost"))
        writer.start("testsuite", attributes)
        if !suite.properties.isEmpty {
            writer.start("properties")
            for property in suite.properties {
                writer.empty("property", [("name", property.name), ("value", property.value)])
            }
            writer.end()
        }
        for testCase in suite.cases {
            switch testCase.content {
            case .status(let status): write(testCase, 0, nil, status, to: &writer)
            case .result(let place):
                if let run = suite.run { write(testCase, run.results[place], on: run, strict, to: &writer) }
            }
        }
        writeNotes(suite.notes, notedBefore: notedBefore, to: &writer)
        writer.end()
    }

    private static func write(
        _ testCase: TestCase, _ result: CheckResult, on run: ImageRun, _ strict: Bool,
        to writer: inout XMLWriter
    ) {
        write(
            testCase, result.duration, strict ? nil : result.position, status(of: result, on: run),
            output: output(of: result, on: run), to: &writer)
    }

    private static func write(
        _ testCase: TestCase, _ time: Double, _ position: SourcePosition?, _ status: Status,
        output: String = "", to writer: inout XMLWriter
    ) {
        var attributes: XMLWriter.Attributes = [
            ("classname", testCase.className), ("name", testCase.name), ("time", SafeText.seconds(time)),
        ]
        if let position {
            attributes.append(("file", position.file))
            attributes.append(("line", String(position.line)))
        }
        if case .passed = status, output.isEmpty {
            writer.empty("testcase", attributes)
            return
        }
        writer.start("testcase", attributes)
        switch status {
        case .passed: break
        case .failure(let type, let message, let text):
            writer.element("failure", [("type", type), ("message", shortened(message))], text: bounded(text))
        case .error(let type, let message, let text):
            writer.element("error", [("type", type), ("message", shortened(message))], text: bounded(text))
        case .skipped(let message):
            writer.element("skipped", [("message", shortened(message))], text: bounded(message))
        }
        if !output.isEmpty { writer.element("system-out", text: bounded(output)) }
        writer.end()
    }

    /// Jenkins keeps as much of a text as this; libxml2 refuses a file with a text of 10 MB, GitLab one of 30 MB.
    private static func bounded(_ text: String) -> String { SafeText.shortened(text, limit: 100_000) }

    /// The element's text has the whole message.
    private static func shortened(_ message: String) -> String {
        SafeText.shortened(message, limit: 1000)
    }

    private static func writeNotes(
        _ notes: [String], notedBefore: Int, to writer: inout XMLWriter
    ) {
        var replaced = writer.replacements - notedBefore
        for scalar in notes.joined().unicodeScalars where XMLWriter.forbids(scalar) { replaced += 1 }
        var lines = notes.map(CheckText.indented)
        if replaced > 0 {
            lines.append(
                "\(replaced) characters that XML 1.0 forbids are shown as U+FFFD; the JSON report has them all"
            )
        }
        if !lines.isEmpty { writer.element("system-out", text: lines.joined(separator: "\n")) }
    }
}
