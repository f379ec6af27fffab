import Verdict

/// The report for a reader at a terminal: verdict, what was judged, fails by cause, then the rest.
///
/// Whatever is left out is counted. Words and symbols carry the meaning, colour only underlines it. No line
/// can act on the terminal or be taken for a command by a CI log reader.
struct TextReport {
    static let form = ReportForm(
        summary: "verdict, causes and remedies for a reader at a terminal", fileExtension: "txt",
        bytesPerResult: 150,
        render: { record, options in render(record, options: options) })

    /// How many findings of a check, and details of a finding, are shown unless all are asked for.
    private static let listLimit = 10

    /// How many causes, and remedies of each, are told first.
    private static let firstLimit = 3
    /// How many rows of the matrix are shown unless all are asked for.
    private static let matrixLimit = 40

    private let record: RunRecord
    private let options: RenderOptions
    private let width: Int
    private var output: [UInt8] = []

    private init(_ record: RunRecord, options: RenderOptions) {
        self.record = record
        self.options = options
        width = max(40, options.width)
    }

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        var report = TextReport(record, options: options)
        report.writeRun()
        return report.output
    }

    private mutating func writeRun() {
        if record.images.count != 1 || !record.unreadable.isEmpty { writeOverview() }
        for run in record.images {
            if record.images.count > 1 {
                blank()
                put(String(repeating: "─", count: width), style: .dim)
            }
            write(run)
        }
        writeConflicts()
        writeUnusedWaivers()
        blank()
        field("tool", "\(record.tool.name) \(record.tool.version)")
        for suite in record.suites { field("suite", "\(suite.name) \(suite.digest)") }
        if let started = record.started { field("started", started) }
    }

    // MARK: Verdict

    private func style(_ decision: ExitDecision) -> Style {
        switch decision {
        case .conforming: .green
        case .notConforming: .red
        case .undecided, .usage, .interrupted, .terminated: .yellow
        }
    }

    private func decision(on run: ImageRun) -> ExitDecision {
        record.decision(on: run, failOn: options.failOn)
    }

    private mutating func writeOverview() {
        let verdict = ExitDecision(of: record, failOn: options.failOn)
        let decisions = record.images.map { decision(on: $0) }
        let conforming = decisions.count { $0 == .conforming }
        let failing = decisions.count { $0 == .notConforming }
        put("\(verdict.symbol) \(verdict.words.uppercased())", style: style(verdict))
        if record.images.isEmpty, record.unreadable.isEmpty {
            put("no image was judged", indent: 2)
            writeIncomplete()
        } else {
            put(
                "\(record.images.count + record.unreadable.count) images: \(conforming) conforming, "
                    + "\(failing) not conforming, "
                    + "\(decisions.count - conforming - failing + record.unreadable.count) could not be judged",
                indent: 2)
        }
        for image in record.unreadable {
            put("\(image.reference): \(image.reason)", indent: 2, style: .yellow)
            if let hint = image.hint { put("hint: \(hint)", indent: 4) }
        }
        writeMatrix(decisions)
    }

    /// The images with their counts, and the checks that do not pass everywhere, with an outcome for each image.
    private mutating func writeMatrix(_ decisions: [ExitDecision]) {
        guard record.images.count > 1 else { return }
        heading("IMAGES", record.images.count)
        let columns = String(record.images.count).count
        for (number, run) in record.images.enumerated() {
            let verdict = decisions[number]
            let counts = run.counts
            let words = [Outcome.pass, .fail, .error, .waived].compactMap { outcome in
                counts[outcome].flatMap { $0 == 0 ? nil : "\($0) \(outcome.words)" }
            }
            let name = String(number + 1)
            let margin = String(repeating: " ", count: columns - name.count)
            put(
                "\(margin)\(name) \(verdict.symbol) \(run.image.reference) \(run.image.platform): \(words.joined(separator: ", "))",
                indent: 2, hanging: columns + 3, style: style(verdict))
        }
        let rows = MatrixRow.rows(of: record).filter { row in
            row.outcomes.contains { $0 == .fail || $0 == .error || $0 == .waived }
        }
        if rows.isEmpty { return }
        heading("CHECKS BY IMAGES", rows.count)
        // More images than fit are in the sections below.
        let shown = min(record.images.count, (width - 30) / (columns + 1))
        func line(_ cells: [String]) -> String {
            cells.prefix(shown).map { String(repeating: " ", count: columns - TextLayout.columns($0)) + $0 }
                .joined(separator: " ")
        }
        put(line(record.images.indices.map { String($0 + 1) }), indent: 2, style: .dim)
        for row in options.verbose ? rows[...] : rows.prefix(Self.matrixLimit) {
            put(
                "\(line(row.outcomes.map { $0?.symbol ?? " " }))  \(row.id)  \(TextLayout.fit(value(row.title), width: max(20, width - 30)))",
                indent: 2, hanging: shown * (columns + 1) + 1)
        }
        let rest = rows.count - Self.matrixLimit
        if rest > 0, !options.verbose { put("… \(rest) more checks; the verbose report has them", indent: 2) }
        if shown < record.images.count {
            put("… \(record.images.count - shown) more images do not fit", indent: 2)
        }
    }

    private mutating func writeIncomplete() {
        if !record.complete {
            put("! the run was interrupted: the results are partial", indent: 2, style: .yellow)
        }
    }

    private mutating func write(_ run: ImageRun) {
        let verdict = decision(on: run)
        put(
            "\(verdict.symbol) \(verdict.words.uppercased())  \(run.image.reference)", hanging: 2,
            style: style(verdict))
        let counts = run.counts
        let atoms = Outcome.allCases.map { "\($0.symbol) \(counts[$0, default: 0]) \($0.words)" }
        for line in TextLayout.wrap(atoms, separator: "   ", width: width - 2) { put(line, indent: 2) }
        writeIncomplete()
        if !run.hasEvaluatedChecks { put("! no check was evaluated", indent: 2, style: .yellow) }
        let fails = run.results.of(.fail)
        let light = fails.count {
            $0.known != true && $0.severity < options.failOn
        }
        if light > 0 {
            put(
                "! \(light) of the fails \(light == 1 ? "is" : "are") below the threshold "
                    + "\"\(options.failOn.rawValue)\" and \(light == 1 ? "does" : "do") not count",
                indent: 2, style: .yellow)
        }
        if let baseline = run.baseline { write(baseline, run) }
        let new = fails.filter { $0.known != true }
        writeFixFirst(new, of: run)
        writeIdentity(run)
        writeFails(new, of: run, title: "FAILED, BY CAUSE")
        writeErrors(run)
        writeFails(fails.filter { $0.known == true }, of: run, title: "KNOWN FAILS, BY CAUSE")
        writeWaived(run)
        writeDrift(run)
        if !run.notes.isEmpty {
            heading("NOTES", run.notes.count)
            for note in run.notes { put("- \(value(note.description))", indent: 2, hanging: 2) }
        }
        writeReasons(run, outcome: .skipped, title: "SKIPPED")
        writeReasons(run, outcome: .notApplicable, title: "NOT APPLICABLE")
        writePasses(run)
    }

    // MARK: What was judged

    private mutating func writeIdentity(_ run: ImageRun) {
        let image = run.image
        blank()
        field("image ID", image.configDigest)
        if let digest = image.manifestDigest { field("manifest", digest) }
        field("platform", image.platform)
        field("created", image.created ?? "unknown")
        field("layers", String(image.layers.count))
        if let profile = run.profile {
            let variant = profile.variant.map { ", \($0)" } ?? ""
            field("profile", "\(profile.id) (\(profile.title))\(variant)")
            for line in profile.evidence { field("", "because \(line)") }
            for line in profile.warnings { field("! warning", line, style: .yellow) }
        } else {
            field("profile", "none")
        }
        if let lineage = run.lineage { write(lineage, layers: image.layers.count) }
        if run.judgedByDocument == true { field("judged by", "the letter of the document (--documented)") }
        for parameter in run.parameters where options.verbose || parameter.isDefault != true {
            field("parameter", "\(parameter.name)=\(parameter.value) (\(parameter.origin))")
        }
    }

    private mutating func write(_ lineage: LineageSummary, layers: Int) {
        let kinds = [lineage.extended ? "extended" : nil, lineage.customised ? "customised" : nil]
        let words = kinds.compactMap(\.self).joined(separator: " and ")
        field("lineage", words.isEmpty ? "neither extended nor customised" : words)
        for line in lineage.evidence { field("", "because \(line)") }
        if let base = lineage.baseLayers, let baseSize = lineage.baseSize, let addedSize = lineage.addedSize {
            field(
                "size",
                "base \(baseSize.grouped) bytes in \(counted(base, "layer")), added \(addedSize.grouped) bytes in "
                    + counted(layers - base, "layer"))
        }
    }

    private mutating func write(_ baseline: BaselineComparison, _ run: ImageRun) {
        let date = baseline.started ?? "unknown date"
        guard baseline.reference != nil else {
            put(
                "! the baseline of \(date) has no image to compare with: every fail counts", indent: 2,
                style: .yellow)
            return
        }
        let known = run.results.count { $0.known == true }
        if known > 0 {
            put(
                "! \(counted(known, "known fail")) (baseline of \(date)) \(known == 1 ? "does" : "do") not count",
                indent: 2, style: .yellow)
        }
        let gone = baseline.gone.count
        if gone > 0 {
            put(
                "! \(counted(gone, "fail")) of the baseline \(gone == 1 ? "is" : "are") gone: "
                    + baseline.gone.joined(separator: ", "),
                indent: 2, hanging: 2, style: .green)
        }
    }

    // MARK: Fails

    /// The steps whose change mends most: those with the weightiest fails first, then those with more of them.
    private mutating func writeFixFirst(_ fails: [CheckResult], of run: ImageRun) {
        let causes = FailCause.all(of: fails.filter { $0.severity >= options.failOn })
        guard causes.count > 1 else { return }
        func weight(_ cause: FailCause) -> (Severity, Int) {
            (cause.fails.map(\.check.severity).max() ?? .info, cause.fails.count)
        }
        let first = causes.enumerated().sorted { left, right in
            let (mine, other) = (weight(left.element), weight(right.element))
            return mine == other ? left.offset < right.offset : mine > other
        }.prefix(Self.firstLimit)
        heading("FIX FIRST", first.count, of: causes.count)
        for (number, (_, cause)) in first.enumerated() {
            let place =
                cause.provenance.map { self.place(of: $0, layers: run.image.layers.count) }
                ?? "no single step"
            let ids = limited(cause.fails.map(\.check.id))
            let more = cause.fails.count > ids.count ? ", \(cause.fails.count - ids.count) more" : ""
            put("\(number + 1)  \(ids.joined(separator: ", "))\(more)", indent: 2, hanging: 3, style: .bold)
            put(place, indent: 5)
            if let instruction = cause.provenance?.instruction {
                put(TextLayout.fit(SafeText.oneLine(instruction), width: width - 5), indent: 5)
            }
            var told: Set<String> = []
            for remedy in cause.fails.compactMap(\.check.remedy).filter({ told.insert($0).inserted }).prefix(
                Self.firstLimit)
            {
                put("- \(value(remedy))", indent: 5, hanging: 2)
            }
        }
    }

    private mutating func writeFails(_ fails: [CheckResult], of run: ImageRun, title: String) {
        if fails.isEmpty { return }
        heading(title, fails.count)
        for (number, cause) in FailCause.all(of: fails).enumerated() {
            if number > 0 { blank() }
            writeCause(cause.provenance, layers: run.image.layers.count)
            for fail in cause.fails { write(fail.check, findings: fail.findings, indent: 4) }
        }
    }

    private func place(of provenance: Provenance, layers: Int) -> String {
        let place = provenance.layer.map { "layer \($0) of \(layers)" } ?? "step without a layer"
        return [place, provenance.layerDigest ?? provenance.diffID].compactMap(\.self).joined(separator: "  ")
    }

    private mutating func writeCause(_ provenance: Provenance?, layers: Int) {
        guard let provenance else {
            put("no single step", indent: 2, style: .bold)
            return
        }
        put(place(of: provenance, layers: layers), indent: 2, hanging: 2, style: .bold)
        let instruction = SafeText.oneLine(provenance.instruction ?? "the history does not say which step")
        put(options.verbose ? instruction : TextLayout.fit(instruction, width: width - 2), indent: 2)
    }

    /// Under a heading that does not tell the cause, `layers` is how many the image has, and each finding
    /// tells its own.
    private mutating func write(
        _ check: CheckResult, findings: [Finding], indent: Int, layers: Int? = nil
    ) {
        let weight = check.severity == .error ? "" : "  [\(check.severity.rawValue)]"
        put(
            "\(check.outcome.symbol) \(check.id)  \(value(check.title))\(weight)\(check.known == true ? "  [known]" : "")",
            indent: indent,
            hanging: 2,
            style: style(check.outcome))
        let inner = indent + 2
        // The reason of a fail is its findings in one line, that of a waived one their waivers.
        let isTold =
            check.outcome == .fail || check.outcome == .waived && findings.contains(where: \.isWaived)
        if let reason = check.reason, !isTold || findings.isEmpty {
            field("reason", reason, indent: inner)
        }
        for group in FindingGroup.groups(of: limited(findings)) {
            for (number, subject) in group.subjects.enumerated() {
                field(number == 0 ? "subject" : "", subject.words, indent: inner)
            }
            field("expected", group.expected, indent: inner)
            field("observed", group.observed, indent: inner, style: style(check.outcome))
            if let layers, let provenance = group.provenance {
                field("cause", place(of: provenance, layers: layers), indent: inner)
                if let instruction = provenance.instruction { field("", instruction, indent: inner) }
            }
            for detail in limited(group.details) { field("", "- \(detail)", indent: inner) }
            writeRest(of: group.details.count, "details", indent: inner)
            if let waiver = group.waiver {
                field(
                    waiver.isExpired ? "! waiver" : "waived", waiver.description, indent: inner,
                    style: .yellow)
                field("", waiver.position.description, indent: inner, style: .dim)
            }
            if group.known, check.known != true { field("known", "the baseline has it", indent: inner) }
        }
        writeRest(of: findings.count, "findings", indent: inner)
        for reason in check.undecided ?? [] { field("undecided", reason, indent: inner) }
        if let remedy = check.remedy { field("remedy", remedy, indent: inner) }
        if let source = check.source {
            let statements = check.statements.isEmpty ? "" : " [\(check.statements.joined(separator: ", "))]"
            field("source", source + statements, indent: inner)
        } else if !check.statements.isEmpty {
            field("statements", check.statements.joined(separator: ", "), indent: inner)
        }
        field("suite", check.position.description, indent: inner, style: .dim)
    }

    private func limited<Element>(_ list: [Element]) -> ArraySlice<Element> {
        options.verbose ? list[...] : list.prefix(Self.listLimit)
    }

    private mutating func writeRest(of count: Int, _ what: String, indent: Int) {
        let rest = count - Self.listLimit
        if rest > 0, !options.verbose {
            field("", "… \(rest) more \(what); the verbose report has them", indent: indent)
        }
    }

    // MARK: Everything else

    private mutating func writeErrors(_ run: ImageRun) {
        let errors = run.results.of(.error)
        if errors.isEmpty { return }
        heading("ERRORS, NOT DECIDED", errors.count)
        for check in errors {
            write(check, findings: check.findings, indent: 2, layers: run.image.layers.count)
        }
    }

    private mutating func writeWaived(_ run: ImageRun) {
        let waived = run.results.of(.waived)
        if waived.isEmpty { return }
        heading("WAIVED", waived.count)
        for check in waived {
            write(check, findings: check.findings, indent: 2, layers: run.image.layers.count)
        }
    }

    /// The statements that images are known not to keep, of the checks that were evaluated.
    private mutating func writeDrift(_ run: ImageRun) {
        let drifts = DriftOfRun.all(of: run)
        if drifts.isEmpty { return }
        heading("DRIFT, DOCUMENT AND IMAGES DIFFER", drifts.count)
        for drift in drifts {
            let note = drift.note
            put("\(note.statement)  \(drift.checks.joined(separator: ", "))", indent: 2, hanging: 2)
            field("document", note.document, indent: 4)
            field("images", note.images, indent: 4)
            for (number, source) in note.sources.enumerated() {
                field(number == 0 ? "sources" : "", source, indent: 4)
            }
        }
    }

    /// Where runs on the same image do not agree.
    private mutating func writeConflicts() {
        guard let conflicts = record.conflicts else { return }
        heading("CONFLICTS, RUNS ON ONE IMAGE DIFFER", conflicts.count)
        for conflict in conflicts {
            put(
                "! \(conflict.suite) \(conflict.check)  on \(conflict.configDigest)", indent: 2, hanging: 2,
                style: .yellow)
            for variant in conflict.variants {
                field(
                    "", "\(variant.outcome.symbol) \(variant.words)", indent: 2,
                    style: style(variant.outcome))
            }
        }
    }

    private mutating func writeUnusedWaivers() {
        guard let unused = record.unusedWaivers else { return }
        heading("WAIVERS THAT ARE NOT NEEDED", unused.count)
        for entry in unused {
            put("! \(value(entry.reason))", indent: 2, hanging: 2, style: .yellow)
            let waiver = entry.waiver
            let scope = [waiver.subject.map { "subject \($0)" }, waiver.image.map { "image \($0)" }]
            field("waiver", ([waiver.check] + scope.compactMap(\.self)).joined(separator: ", "), indent: 4)
            field("owner", "\(waiver.owner), until \(waiver.expires)", indent: 4)
            field("written in", waiver.position.description, indent: 4, style: .dim)
        }
    }

    /// One entry per reason, with the checks it kept from being evaluated; where these are many, how many.
    private mutating func writeReasons(_ run: ImageRun, outcome: Outcome, title: String) {
        let places = run.results.places(of: outcome)
        if places.isEmpty { return }
        heading(title, places.count)
        for (reason, checks) in grouped(places, by: { run.results[$0].reason ?? "no reason was given" }) {
            let areMany = checks.count > Self.listLimit * 2 && !options.verbose
            let which =
                areMany
                ? "\(checks.count) checks" : checks.map { run.results[$0].id }.joined(separator: ", ")
            put("\(outcome.symbol) \(value(reason)): \(which)", indent: 2, hanging: 2)
        }
    }

    private mutating func writePasses(_ run: ImageRun) {
        let passes = run.results.places(of: .pass)
        if passes.isEmpty { return }
        heading("PASSED", passes.count)
        let groups = grouped(passes, by: { "\(run.results[$0].suite).\(run.results[$0].group)" })
        if options.verbose {
            for (group, checks) in groups {
                put("\(group) \(checks.count)", indent: 2, style: .bold)
                for check in checks.map({ run.results[$0] }) {
                    put("\(Outcome.pass.symbol) \(check.id)  \(value(check.title))", indent: 4, hanging: 2)
                }
            }
        } else {
            put(groups.map { "\($0.key) \($0.places.count)" }.joined(separator: ", "), indent: 2)
        }
    }

    /// Places of results in groups, which are in the order in which they first appear.
    private func grouped(
        _ places: [Int], by key: (Int) -> String
    ) -> [(key: String, places: [Int])] {
        var groups: [(key: String, places: [Int])] = []
        var numbers: [String: Int] = [:]
        for place in places {
            let name = key(place)
            if let number = numbers[name] {
                groups[number].places.append(place)
            } else {
                numbers[name] = groups.count
                groups.append((name, [place]))
            }
        }
        return groups
    }

    private func style(_ outcome: Outcome) -> Style {
        switch outcome {
        case .pass: .green
        case .fail: .red
        case .error, .waived: .yellow
        case .notApplicable, .skipped: .dim
        }
    }

    // MARK: Lines

    /// Parameters of the control sequence Select Graphic Rendition (ECMA-48, 8.3.117).
    private enum Style: String {
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    private static let labelWidth = 11

    private mutating func blank() { output.append(UInt8(ascii: "\n")) }

    private mutating func heading(_ title: String, _ count: Int, of all: Int? = nil) {
        blank()
        let all = all.map { $0 == count ? "" : " of \($0)" } ?? ""
        put("\(title) (\(count)\(all))", style: .bold)
    }

    /// The text, broken at spaces; lines after the first are indented by `hanging` columns more.
    private mutating func put(
        _ text: String, indent: Int = 0, hanging: Int = 0, style: Style? = nil
    ) {
        let lines = TextLayout.wrap(SafeText.oneLine(text), width: width - indent - hanging)
        for (number, line) in lines.enumerated() {
            indentLine(by: indent + (number == 0 ? 0 : hanging))
            endLine(SafeText.inert(line), style)
        }
    }

    /// A label and a value beside it.
    private mutating func field(
        _ label: String, _ content: String, indent: Int = 2, style: Style? = nil
    ) {
        let lines = TextLayout.wrap(value(content), width: width - indent - Self.labelWidth)
        for (number, line) in lines.enumerated() {
            let name = number == 0 ? label : ""
            indentLine(by: indent)
            if !name.isEmpty { output += painted(name, .dim).utf8 }
            // Labels are of ASCII.
            indentLine(by: Self.labelWidth - name.utf8.count)
            endLine(SafeText.inert(line), style)
        }
    }

    private mutating func indentLine(by columns: Int) {
        output += repeatElement(UInt8(ascii: " "), count: columns)
    }

    private mutating func endLine(_ text: String, _ style: Style?) {
        output += painted(text, style).utf8
        blank()
    }

    /// A value from the record, on one line, of bounded length, and visible even when it is empty.
    private func value(_ text: String) -> String {
        let line = SafeText.visible(SafeText.oneLine(text))
        return options.verbose ? line : SafeText.shortened(line, limit: SafeText.valueLimit)
    }

    private func painted(_ text: String, _ style: Style?) -> String {
        guard options.color, let style else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }
}
