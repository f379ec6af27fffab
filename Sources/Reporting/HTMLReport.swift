import Verdict

/// The report as one page for browsers: nothing is loaded, and everything can be read without its script.
///
/// - Markup is the program's own; text of the record only ever becomes text (`HTMLWriter`).
/// - The content security policy allows the style and the script by their digests and nothing else.
/// - A record on several images shows each check once, with a column for each image. What was observed where a check
///   passed is shown for a single image only.
/// - Whatever is left out is counted; the JSON report has all of it.
struct HTMLReport {
    static let form = ReportForm(
        summary: "one page for a browser, which loads nothing", fileExtension: "html", bytesPerResult: 200,
        render: { record, options in render(record, options: options) })

    /// How many characters of one value are shown.
    static let valueLimit = 2_000
    /// How many findings of a check, and details of a finding, are shown.
    static let listLimit = 50

    let record: RunRecord
    let failOn: Severity
    let checks: [CheckRow]
    /// Ids of the elements of `checks` in the page.
    let anchors: [String]
    var html = HTMLWriter()

    private init(_ record: RunRecord, failOn: Severity) {
        self.record = record
        self.failOn = failOn
        checks = CheckRow.all(of: record)
        anchors = HTMLReport.anchors(of: checks)
    }

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        var report = HTMLReport(record, failOn: options.failOn)
        report.writePage()
        return report.html.bytes
    }

    var hasSeveralImages: Bool { record.images.count > 1 }

    var decision: ExitDecision { ExitDecision(of: record, failOn: failOn) }

    // MARK: Page

    private mutating func writePage() {
        html.markup("<!DOCTYPE html>\n")
        html.start("html", [("lang", "en")])
        html.markup(
            "<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"")
        html.markup(HTMLAssets.contentSecurityPolicy)
        html.markup("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        html.markup("<meta name=\"color-scheme\" content=\"light dark\">\n")
        html.element("title", title)
        html.markup("\n<style>")
        html.markup(HTMLAssets.style)
        html.markup("</style>\n</head>\n")
        html.start("body")
        html.markup(HTMLAssets.patterns)
        writeHeader()
        writeNavigation()
        html.start("main", [("id", "main"), ("tabindex", "-1")])
        if record.images.count != 1 || !record.unreadable.isEmpty { writeImages() }
        writeCauses()
        writeChecks()
        for index in record.images.indices { writeImage(index) }
        writeRun()
        html.end()
        writeFooter()
        html.markup("<script>")
        html.markup(HTMLAssets.script)
        html.markup("</script>\n")
        html.end()
        html.end()
    }

    private var title: String {
        let subject =
            record.images.count == 1 && record.unreadable.isEmpty
            ? record.images[0].image.reference : counted(imageCount, "image")
        return shortened("\(decision.symbol) \(subject) \(decision.words)", limit: 200)
    }

    private var imageCount: Int { record.images.count + record.unreadable.count }

    private mutating func writeHeader() {
        html.start("header", class: "page \(style(decision))")
        html.start("div", class: "wrap verdict")
        html.element("span", [("class", "seal"), ("aria-hidden", "true")], decision.symbol)
        html.start("div")
        html.element("h1", capitalized(decision.words))
        if let run = onlyImage {
            html.element("p", class: "reference", value(run.image.reference))
        } else {
            html.element("p", class: "reference", overview)
        }
        html.end()
        html.end()
        if let run = onlyImage {
            html.start("div", class: "wrap")
            writeCounts(run)
            writeWarnings(run)
            writeIdentity(run)
            html.end()
        } else if !record.complete {
            html.start("div", class: "wrap")
            warning("The run was interrupted: the results are partial.")
            html.end()
        }
        html.end()
    }

    /// The image of a record on nothing else.
    private var onlyImage: ImageRun? {
        record.images.count == 1 && record.unreadable.isEmpty ? record.images[0] : nil
    }

    private var overview: String {
        if imageCount == 0 { return "no image was judged" }
        let decisions = record.images.map { record.decision(on: $0, failOn: failOn) }
        let conforming = decisions.count { $0 == .conforming }
        let failing = decisions.count { $0 == .notConforming }
        return "\(counted(imageCount, "image")): \(conforming) conforming, \(failing) not conforming, "
            + "\(imageCount - conforming - failing) could not be judged"
    }

    private mutating func writeNavigation() {
        html.start("nav", [("class", "page"), ("aria-label", "Sections")])
        html.start("div", class: "wrap")
        if record.images.count != 1 || !record.unreadable.isEmpty { link("images", "Images") }
        if hasCauses { link("causes", "Fix first") }
        link("checks", "Checks")
        if !hasSeveralImages, let run = record.images.first {
            if !run.image.layers.isEmpty { link("image-1-contents", "Layers") }
            if run.contents?.packages != nil || run.contents?.distributions != nil {
                link("image-1-packages", "Packages")
            }
            if run.transcripts != nil { link("image-1-probes", "Probes") }
        }
        link("run", "Run")
        html.end()
        html.end()
    }

    private mutating func link(_ anchor: String, _ text: String) {
        html.element("a", [("href", "#\(anchor)")], text)
    }

    private mutating func writeFooter() {
        html.start("footer", class: "page")
        html.start("div", class: "wrap")
        html.element(
            "p", "\(record.tool.name) \(record.tool.version)" + (record.started.map { ", \($0)" } ?? ""))
        html.end()
        html.end()
    }

    // MARK: Images

    private mutating func writeImages() {
        startSection("images", "Images")
        for image in record.unreadable {
            html.start("p", class: "warning")
            html.element("strong", "? \(value(image.reference))")
            html.text(" could not be judged: \(value(image.reason))")
            if let hint = image.hint { html.text(". Hint: \(value(hint))") }
            html.end()
        }
        if !record.images.isEmpty {
            startTable("What became of each image", class: "images")
            tableHead(
                ["", "image", "platform", "profile"] + Outcome.allCases.map(\.words),
                numbers: Set(Outcome.allCases.map(\.words)))
            for (index, run) in record.images.enumerated() {
                let decision = record.decision(on: run, failOn: failOn)
                let counts = run.counts
                html.start("tr")
                html.element("td", class: "number", String(index + 1))
                html.start("th", [("scope", "row")])
                html.element(
                    "span", class: "badge \(style(decision))", "\(decision.symbol) \(decision.words)")
                html.text(" ")
                html.element("a", [("href", "#image-\(index + 1)")], value(run.image.reference))
                html.end()
                html.element("td", run.image.platform)
                html.element("td", run.profile.map { profile($0) } ?? "none")
                for outcome in Outcome.allCases {
                    html.element("td", class: "number", counts[outcome, default: 0].grouped)
                }
                html.end()
            }
            endTable()
        }
        html.end()
    }

    /// Everything about an image that is no check.
    private mutating func writeImage(_ index: Int) {
        let run = record.images[index]
        let prefix = "image-\(index + 1)"
        if hasSeveralImages || onlyImage == nil {
            let decision = record.decision(on: run, failOn: failOn)
            html.start("details", [("class", "image"), ("id", prefix)])
            html.start("summary")
            html.start("h2")
            html.element("span", class: "badge \(style(decision))", "\(decision.symbol) \(decision.words)")
            html.text(" Image \(index + 1): \(value(run.image.reference))")
            html.end()
            html.end()
            writeCounts(run)
            writeWarnings(run)
            writeIdentity(run)
            writeReasons(run)
            writeParts(run, prefix)
            html.end()
        } else {
            writeParts(run, prefix)
        }
    }

    private mutating func writeParts(_ run: ImageRun, _ prefix: String) {
        writeContents(run, prefix)
        writePackages(run, prefix)
        writeProbes(run, prefix)
        writeDrift(run)
        writeParameters(run)
        writeNotes(run)
    }

    mutating func writeCounts(_ run: ImageRun) {
        let counts = run.counts
        let total = run.results.count
        html.start("div", class: "counts")
        html.start(
            "svg",
            [
                ("viewBox", "0 0 1000 10"), ("preserveAspectRatio", "none"), ("class", "outcomes"),
                ("aria-hidden", "true"),
            ])
        var x = 0.0
        for outcome in Outcome.allCases where total > 0 {
            let width = Double(counts[outcome, default: 0]) / Double(total) * 1000
            if width > 0 { rectangle(Rectangle(x: x, y: 0, width: width, height: 10), style(outcome)) }
            x += width
        }
        html.end()
        html.start("ul")
        for outcome in Outcome.allCases {
            html.start("li", class: style(outcome))
            html.element("span", [("class", "symbol"), ("aria-hidden", "true")], outcome.symbol)
            html.element("b", counts[outcome, default: 0].grouped)
            html.text(" \(outcome.words)")
            html.end()
        }
        html.end()
        html.end()
    }

    mutating func writeWarnings(_ run: ImageRun) {
        if !record.complete { warning("The run was interrupted: the results are partial.") }
        if !run.hasEvaluatedChecks { warning("No check was evaluated.") }
        let light = run.results.of(.fail).count {
            $0.known != true && $0.severity < failOn
        }
        if light > 0 {
            warning(
                "\(counted(light, "fail")) below the threshold \"\(failOn.rawValue)\" "
                    + "\(light == 1 ? "does" : "do") not count.")
        }
        if let baseline = run.baseline {
            let date = baseline.started ?? "unknown date"
            if baseline.reference == nil {
                warning("The baseline of \(date) has no image to compare with: every fail counts.")
            } else {
                let known = run.results.count { $0.known == true }
                if known > 0 {
                    warning(
                        "\(counted(known, "known fail")) (baseline of \(date)) \(known == 1 ? "does" : "do") "
                            + "not count.")
                }
                if !baseline.gone.isEmpty {
                    html.element(
                        "p", class: "good",
                        value(
                            "✓ \(counted(baseline.gone.count, "fail")) of the baseline "
                                + "\(baseline.gone.count == 1 ? "is" : "are") gone: "
                                + baseline.gone.joined(separator: ", ")))
                }
            }
        }
        for line in run.profile?.warnings ?? [] { warning(line) }
    }

    private mutating func warning(_ text: String) {
        html.element("p", class: "warning", "! \(value(text))")
    }

    // MARK: Identity

    private mutating func writeIdentity(_ run: ImageRun) {
        let image = run.image
        html.start("dl", class: "identity")
        field("image ID", image.configDigest, isCode: true)
        if let digest = image.manifestDigest { field("manifest", digest, isCode: true) }
        field("platform", image.platform)
        field("created", image.created ?? "unknown")
        field("layers", layers(of: image))
        if let profile = run.profile {
            field("profile", self.profile(profile), because: profile.evidence)
        } else {
            field("profile", "none")
        }
        if let lineage = run.lineage { field("lineage", words(lineage, image), because: lineage.evidence) }
        if run.judgedByDocument == true { field("judged by", "the letter of the document (--documented)") }
        let parameters = run.parameters.filter { $0.isDefault != true }
        if !parameters.isEmpty {
            field(
                "parameters", "\(counted(parameters.count, "value")) not the default",
                because: parameters.map { "\($0.name)=\($0.value) (\($0.origin))" }, label: "which")
        }
        let waivers = waivers(of: run)
        if !waivers.isEmpty {
            field(
                "waivers", "\(waivers.count) in force or expired", because: waivers.map(\.description),
                label: "which")
        }
        if !hasSeveralImages {
            for suite in record.suites { field("suite", "\(suite.name) \(suite.digest)", isCode: true) }
            field("tool", "\(record.tool.name) \(record.tool.version)")
            if let started = record.started { field("started", started) }
        }
        field("took", seconds(run.duration))
        html.end()
    }

    func profile(_ profile: ProfileChoice) -> String {
        "\(profile.id) (\(profile.title))" + (profile.variant.map { ", \($0)" } ?? "")
    }

    private func layers(of image: ImageIdentity) -> String {
        let size = image.layers.reduce(Int64(0)) { saturatingSum($0, $1.size) }
        let uncompressed = image.layers.reduce(Int64(0)) { saturatingSum($0, $1.uncompressedSize) }
        return "\(image.layers.count), \(ByteCount(size)), \(ByteCount(uncompressed)) uncompressed"
    }

    private func words(_ lineage: LineageSummary, _ image: ImageIdentity) -> String {
        let kinds = [lineage.extended ? "extended" : nil, lineage.customised ? "customised" : nil]
        var words = kinds.compactMap(\.self).joined(separator: " and ")
        if words.isEmpty { words = "neither extended nor customised" }
        if let base = lineage.baseLayers, let baseSize = lineage.baseSize, let added = lineage.addedSize {
            words +=
                "; base \(ByteCount(baseSize)) in \(counted(base, "layer")), added \(ByteCount(added)) in "
            words += counted(image.layers.count - base, "layer")
        }
        return words
    }

    /// Those that cover a finding, each once.
    private func waivers(of run: ImageRun) -> [WaiverMark] {
        var seen: Set<WaiverMark> = []
        return run.results.indices.flatMap { place in
            let findings = run.results[place].findings
            return findings.indices.compactMap { findings[$0].waiver }.filter { seen.insert($0).inserted }
        }
    }

    mutating func field(_ name: String, _ text: String, isCode: Bool = false) {
        html.start("div")
        html.element("dt", name)
        html.start("dd")
        html.element(isCode ? "code" : "span", value(text))
        html.end()
        html.end()
    }

    private mutating func field(
        _ name: String, _ text: String, because lines: [String], label: String = "because"
    ) {
        html.start("div")
        html.element("dt", name)
        html.start("dd")
        html.element("span", value(text))
        if lines.count > 3 {
            html.start("details")
            html.element("summary", label)
            list(lines)
            html.end()
        } else if !lines.isEmpty {
            list(lines)
        }
        html.end()
        html.end()
    }

    // MARK: The rest

    /// Why checks were not evaluated; a page on one image has it at each check.
    private mutating func writeReasons(_ run: ImageRun) {
        for outcome in [Outcome.skipped, .notApplicable] {
            var order: [String] = []
            var checks: [String: [String]] = [:]
            for place in run.results.places(of: outcome) {
                let reason = run.results[place].reason ?? "no reason was given"
                if checks[reason] == nil { order.append(reason) }
                checks[reason, default: []].append(run.results[place].id)
            }
            if order.isEmpty { continue }
            html.start("details")
            html.element("summary", "\(capitalized(outcome.words)): why")
            html.start("ul")
            for reason in order {
                let ids = checks[reason] ?? []
                html.element(
                    "li",
                    value("\(outcome.symbol) \(reason): \(counted(ids.count, "check")): ")
                        + value(ids.joined(separator: ", ")))
            }
            html.end()
            html.end()
        }
    }

    private mutating func writeDrift(_ run: ImageRun) {
        let drifts = DriftOfRun.all(of: run)
        if drifts.isEmpty { return }
        startSection(nil, "Drift: document and images differ")
        startTable("Statements of the document that images are known not to keep")
        tableHead(["statement", "document", "images", "sources", "checks"])
        for drift in drifts {
            html.start("tr")
            html.element("th", [("scope", "row")], value(drift.note.statement))
            html.element("td", value(drift.note.document))
            html.element("td", value(drift.note.images))
            html.element("td", value(drift.note.sources.joined(separator: "; ")))
            html.element("td", value(drift.checks.joined(separator: ", ")))
            html.end()
        }
        endTable()
        html.end()
    }

    private mutating func writeParameters(_ run: ImageRun) {
        if run.parameters.isEmpty { return }
        startSection(nil, "Parameters")
        html.start("details")
        html.element("summary", "\(counted(run.parameters.count, "parameter")) and where the values are from")
        startTable("Parameters of the suites")
        tableHead(["parameter", "value", "origin"])
        for parameter in run.parameters {
            html.start("tr")
            html.start("th", [("scope", "row")])
            html.element("code", value(parameter.name))
            html.end()
            html.start("td")
            html.element("code", value(SafeText.visible(parameter.value)))
            html.end()
            html.element("td", value(parameter.origin))
            html.end()
        }
        endTable()
        html.end()
        html.end()
    }

    private mutating func writeNotes(_ run: ImageRun) {
        if run.notes.isEmpty { return }
        startSection(nil, "Notes")
        list(run.notes.map(\.description))
        html.end()
    }

    private mutating func writeRun() {
        startSection("run", "Run")
        html.start("dl", class: "identity")
        field("tool", "\(record.tool.name) \(record.tool.version)")
        field("started", record.started ?? "unknown")
        field("complete", record.complete ? "yes" : "no: it was interrupted")
        field("fails count from", failOn.rawValue)
        for suite in record.suites { field("suite", "\(suite.name) \(suite.digest)", isCode: true) }
        html.end()
        if let conflicts = record.conflicts {
            startTable("Conflicts: runs on one image differ")
            tableHead(["check", "image ID", "results"])
            for conflict in conflicts {
                html.start("tr")
                html.element("th", [("scope", "row")], value("\(conflict.suite) \(conflict.check)"))
                html.start("td")
                html.element("code", value(conflict.configDigest))
                html.end()
                html.start("td")
                list(conflict.variants.map { "\($0.outcome.symbol) \($0.words)" })
                html.end()
                html.end()
            }
            endTable()
        }
        if let unused = record.unusedWaivers {
            startTable("Waivers that are not needed")
            tableHead(["waiver", "why", "owner", "until", "written in"])
            for entry in unused {
                let waiver = entry.waiver
                let scope = [waiver.subject.map { "subject \($0)" }, waiver.image.map { "image \($0)" }]
                html.start("tr")
                html.element(
                    "th", [("scope", "row")],
                    value(([waiver.check] + scope.compactMap(\.self)).joined(separator: ", ")))
                html.element("td", value(entry.reason))
                html.element("td", value(waiver.owner))
                html.element("td", waiver.expires.description)
                html.element("td", value(waiver.position.description))
                html.end()
            }
            endTable()
        }
        html.end()
    }

    // MARK: Elements

    mutating func startSection(_ anchor: String?, _ title: String) {
        if let anchor { html.start("section", [("id", anchor)]) } else { html.start("section") }
        html.element("h2", title)
    }

    /// A table that scrolls by itself where it is too wide.
    mutating func startTable(_ caption: String, class style: String = "") {
        html.start(
            "div", [("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", caption)])
        if style.isEmpty { html.start("table") } else { html.start("table", class: style) }
        html.element("caption", caption)
    }

    /// - Parameter numbers: columns that are numbers.
    mutating func tableHead(_ columns: [String], numbers: Set<String> = []) {
        html.start("thead")
        html.start("tr")
        for column in columns {
            if column.isEmpty {
                html.element("td", "")
            } else if numbers.contains(column) {
                html.element("th", [("scope", "col"), ("class", "number")], column)
            } else {
                html.element("th", [("scope", "col")], column)
            }
        }
        html.end()
        html.end()
        html.start("tbody")
    }

    mutating func endTable() {
        html.end()
        html.end()
        html.end()
    }

    mutating func list(_ lines: [String]) {
        html.start("ul")
        for line in lines.prefix(Self.listLimit) { html.element("li", value(line)) }
        if lines.count > Self.listLimit { rest(lines.count - Self.listLimit, of: "lines") }
        html.end()
    }

    private mutating func rest(_ count: Int, of what: String) {
        html.element("li", class: "rest", "… \(count.grouped) more \(what); the JSON report has them")
    }

    mutating func rectangle(_ rectangle: Rectangle, _ style: String) {
        html.element(
            "rect",
            [
                ("x", decimal(rectangle.x)), ("y", decimal(rectangle.y)), ("width", decimal(rectangle.width)),
                ("height", decimal(rectangle.height)), ("class", style),
            ], "")
    }

    // MARK: Text

    /// A value of the record, of bounded length and visible even when it is empty.
    func value(_ text: String) -> String {
        SafeText.visible(shortened(text, limit: Self.valueLimit))
    }

    func shortened(_ text: String, limit: Int) -> String {
        // Most are short: no scalar is counted then.
        text.utf8.count <= limit ? text : SafeText.shortened(text, limit: limit)
    }

    func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    /// The class of what an outcome looks like.
    func style(_ outcome: Outcome) -> String {
        switch outcome {
        case .pass: "pass"
        case .fail: "fail"
        case .error: "error"
        case .notApplicable: "none"
        case .skipped: "skip"
        case .waived: "waived"
        }
    }

    func style(_ decision: ExitDecision) -> String {
        switch decision {
        case .conforming: "pass"
        case .notConforming: "fail"
        case .undecided, .usage, .interrupted, .terminated: "error"
        }
    }

    /// With one decimal, whatever the locale; nothing but digits, point and sign.
    func decimal(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e12 else { return "0" }
        let tenths = Int64((abs(number) * 10).rounded())
        let digits = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        return number < 0 && tenths > 0 ? "-\(digits)" : digits
    }

    /// A time that reads well; what is no duration is unknown.
    func seconds(_ duration: Double?) -> String {
        guard let duration, duration.isFinite, duration >= 0, duration < 1e9 else { return "unknown" }
        if duration < 0.0995 { return "\(Int((duration * 1000).rounded())) ms" }
        if duration < 99.95 {
            let tenths = Int((duration * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) s"
        }
        let whole = Int(duration.rounded())
        return "\(whole / 60) min \(whole % 60) s"
    }

    func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? .max : sum
    }
}
