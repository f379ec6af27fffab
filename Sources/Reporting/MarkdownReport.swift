import Verdict

/// Markdown (GitHub's) for a step summary, a comment or a wiki: the verdict first, then what to mend, then the rest.
///
/// GitHub refuses a summary of more than 1 MiB as a whole. What matters least is left out so that the report stays
/// below, and it says what: passed checks first, fails last.
struct MarkdownReport {
    static let form = ReportForm(
        summary: "Markdown for the summary of a GitHub job, at most 1 MB", fileExtension: "md",
        bytesPerResult: 10,
        render: { record, options in render(record, options: options) })

    /// Bytes of UTF-8, below GitHub's 1,048,576 by what else a step may say.
    static let budget = 1_000_000
    /// What the report says of what it leaves out.
    private static let reserve = 2_000
    /// How many findings of a check, and details of a finding, are shown.
    private static let listLimit = 10

    /// A heading and items below it, which are made as long as there is room for them.
    private struct Section {
        /// What is left out last has the lowest.
        var rank: Rank
        /// What the items are, for the statement of what is left out.
        var what: String
        var opening: String
        var closing = ""
        var count = 0
        var item: (Int) -> String = { _ in "" }
    }

    private enum Rank: Int, CaseIterable {
        case overview
        case image
        case fails
        case errors
        case warnings
        case known
        case waived
        case drift
        case notes
        case skipped
        case notApplicable
        case passed
    }

    private let record: RunRecord
    private let options: RenderOptions

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        let report = MarkdownReport(record: record, options: options)
        return Array(fitting(report.sections, into: budget - reserve).utf8)
    }

    /// The sections in their order, filled in the order of their ranks.
    private static func fitting(_ sections: [Section], into budget: Int) -> String {
        var room = budget
        var texts: [String?] = Array(repeating: nil, count: sections.count)
        var left: [(what: String, count: Int)] = []
        func leave(_ count: Int, _ what: String) {
            if let place = left.firstIndex(where: { $0.what == what }) {
                left[place].count += count
            } else {
                left.append((what, count))
            }
        }
        let order = sections.indices.sorted {
            (sections[$0].rank.rawValue, $0) < (sections[$1].rank.rawValue, $1)
        }
        for place in order {
            let section = sections[place]
            let more = { (rest: Int) in "- … \(rest.grouped) more \(section.what)\n" }
            let frame =
                section.opening.utf8.count + section.closing.utf8.count + more(section.count).utf8.count
            guard frame <= room else {
                leave(max(1, section.count), section.what)
                continue
            }
            room -= frame
            var text = section.opening
            var shown = 0
            while shown < section.count {
                let item = section.item(shown)
                guard item.utf8.count <= room else { break }
                room -= item.utf8.count
                text += item
                shown += 1
            }
            if shown < section.count {
                text += more(section.count - shown)
                leave(section.count - shown, section.what)
            }
            texts[place] = text + section.closing
        }
        var output = texts.compactMap(\.self).joined()
        if !left.isEmpty {
            let words = left.map { "\($0.count.grouped) \($0.what)" }.joined(separator: ", ")
            output += "\n> **Cut**: GitHub shows no summary of more than 1 MiB. Left out are \(words). "
            output += "The JSON report has all.\n"
        }
        return output
    }

    // MARK: Sections

    private var sections: [Section] {
        var sections = [overview]
        for run in record.images {
            sections.append(Section(rank: .image, what: "images", opening: head(of: run)))
            let fails = run.results.of(.fail)
            sections += checks(.fails, "failed checks", "Failed", fails.filter { $0.known != true }, run)
            sections += checks(
                .errors, "undecided checks", "Errors, not decided",
                run.results.of(.error), run)
            sections += checks(
                .known, "known fails", "Known fails, in the baseline", fails.filter { $0.known == true }, run)
            sections += checks(
                .waived, "waived fails", "Waived", run.results.of(.waived), run)
            sections += drift(run)
            sections += folded(.notes, "notes", "Notes", run.notes.map { "- \(Self.code($0.description))\n" })
            sections += folded(
                .skipped, "reasons of skipped checks", "Skipped", reasons(of: .skipped, run),
                counts: run.counts[.skipped])
            sections += folded(
                .notApplicable, "reasons of checks that are not applicable", "Not applicable",
                reasons(of: .notApplicable, run), counts: run.counts[.notApplicable])
            sections += passes(run)
        }
        sections += folded(
            .warnings, "warnings", "Warnings",
            RunProblem.warnings(of: record).map { "- \(Self.code($0.description))\n" })
        sections.append(
            Section(rank: .overview, what: "statements of the tool and the suites", opening: footer))
        return sections
    }

    private var overview: Section {
        let decision = ExitDecision(of: record, failOn: options.failOn)
        let name = isOfOneImage ? record.images.first.map { " \(Self.code($0.image.reference))" } ?? "" : ""
        var lines = ["### \(decision.symbol) \(decision.words.uppercased())\(name)"]
        let problems = RunProblem.all(of: record)
        if !problems.isEmpty { lines.append("") }
        for (image, problem) in problems {
            let name = image.map { " \(Self.code($0))" } ?? ""
            lines.append("- **\(Self.text(problem.title))**\(name): \(Self.text(problem.line))")
        }
        let needsTable = record.images.count > 1
        if needsTable {
            lines.append("")
            lines.append(
                "| verdict | image | " + Outcome.allCases.map(\.words).joined(separator: " | ") + " |")
            lines.append("|---|---|" + String(repeating: "---:|", count: Outcome.allCases.count))
        }
        let runs = needsTable ? record.images : []
        return Section(
            rank: .overview, what: "images in the table", opening: lines.joined(separator: "\n") + "\n",
            count: runs.count,
            item: { index in
                let run = runs[index]
                let decision = record.decision(on: run, failOn: options.failOn)
                let counts = run.counts
                return
                    "| \(decision.symbol) \(decision.words.uppercased()) | \(Self.code("\(run.image.reference) \(run.image.platform)")) | "
                    + Outcome.allCases.map { String(counts[$0, default: 0]) }.joined(separator: " | ")
                    + " |\n"
            })
    }

    /// Then one heading has the verdict and the image.
    private var isOfOneImage: Bool { record.images.count == 1 && record.unreadable.isEmpty }

    private func head(of run: ImageRun) -> String {
        let decision = record.decision(on: run, failOn: options.failOn)
        let counts = run.counts
        var output = "\n"
        if !isOfOneImage {
            output +=
                "#### \(decision.symbol) \(decision.words.uppercased()) \(Self.code(run.image.reference))\n\n"
        }
        output +=
            Outcome.allCases.map { "\($0.symbol) \(counts[$0, default: 0]) \($0.words)" }
            .joined(separator: ", ") + "\n\n"
        let light = run.results.of(.fail).count {
            $0.known != true && $0.severity < options.failOn
        }
        if light > 0 {
            output += "**Fails below the threshold \(options.failOn.rawValue), which do not count: "
            output += "\(light.grouped)**\n\n"
        }
        if let baseline = run.baseline {
            output += self.words(of: baseline, run).map { "**\($0)**\n\n" } ?? ""
        }
        output += "| | |\n|---|---|\n"
        func row(_ name: String, _ value: String?) {
            if let value { output += "| \(name) | \(Self.code(value)) |\n" }
        }
        row("image ID", run.image.configDigest)
        row("manifest", run.image.manifestDigest)
        row("platform", run.image.platform)
        row("created", run.image.created)
        row("layers", String(run.image.layers.count))
        let variant = run.profile?.variant.map { ", \($0)" } ?? ""
        row("profile", run.profile.map { "\($0.id) (\($0.title))\(variant)" })
        for line in (run.profile?.evidence ?? []).prefix(Self.listLimit) { row("because", line) }
        for line in (run.profile?.warnings ?? []).prefix(Self.listLimit) { row("warning", line) }
        if run.judgedByDocument == true { row("judged by", "the letter of the document") }
        for parameter in run.parameters.filter({ $0.isDefault != true }).prefix(5 * Self.listLimit) {
            row("parameter", "\(parameter.name)=\(parameter.value) (\(parameter.origin))")
        }
        return output
    }

    private func words(of baseline: BaselineComparison, _ run: ImageRun) -> String? {
        if baseline.reference == nil {
            return "The baseline has no image to compare with: every fail counts."
        }
        let known = run.results.count { $0.known == true }
        let words = [
            known > 0 ? "Known fails, which do not count: \(known.grouped)." : nil,
            baseline.gone.isEmpty
                ? nil : "Fails of the baseline that are gone: \(baseline.gone.count.grouped).",
        ]
        let text = words.compactMap(\.self).joined(separator: " ")
        return text.isEmpty ? nil : text
    }

    private func checks(
        _ rank: Rank, _ what: String, _ title: String, _ checks: [CheckResult], _ run: ImageRun
    ) -> [Section] {
        if checks.isEmpty { return [] }
        // Of the fails, those that weigh most come first.
        let ordered = checks.enumerated().sorted {
            $0.element.severity != $1.element.severity
                ? $0.element.severity > $1.element.severity : $0.offset < $1.offset
        }.map(\.element)
        return [
            Section(
                rank: rank, what: what, opening: "\n##### \(title) (\(checks.count.grouped))\n\n",
                count: ordered.count, item: { item(ordered[$0], run) })
        ]
    }

    private func item(_ check: CheckResult, _ run: ImageRun) -> String {
        let weight = check.severity == .error ? "" : " (\(check.severity.rawValue))"
        var output =
            "- \(check.outcome.symbol) \(Self.code(check.id)) **\(Self.text(check.title))**\(weight)\n"
        func line(_ text: String) { output += "  - \(text)\n" }
        if check.outcome == .error || check.findings.isEmpty || check.outcome == .waived,
            let reason = check.reason
        {
            line("reason: \(Self.code(reason))")
        }
        for group in FindingGroup.groups(of: check.findings.prefix(Self.listLimit)) {
            let subjects = group.subjects.map { Self.code($0.words) }.joined(separator: ", ")
            line("\(subjects): expected \(Self.code(group.expected)), observed \(Self.code(group.observed))")
            if let provenance = group.provenance {
                line("cause: \(Self.code(CheckText.summary(of: provenance, on: run.image)))")
            }
            for detail in group.details.prefix(Self.listLimit) { output += "    - \(Self.code(detail))\n" }
            let rest = group.details.count - Self.listLimit
            if rest > 0 { output += "    - … \(rest.grouped) more\n" }
            if let waiver = group.waiver { line("waiver: \(Self.code(waiver.description))") }
            if group.known, check.known != true { line("known: the baseline has it") }
        }
        let rest = check.findings.count - Self.listLimit
        if rest > 0 { line("… \(rest.grouped) more findings; the JSON report has all") }
        for reason in (check.undecided ?? []).prefix(Self.listLimit) {
            line("undecided: \(Self.code(reason))")
        }
        if let remedy = check.remedy { line("remedy: \(Self.code(remedy))") }
        if let source = check.source { line("source: \(Self.text(source))") }
        line("suite: \(Self.code(check.position.description))")
        return output
    }

    private func drift(_ run: ImageRun) -> [Section] {
        let drifts = DriftOfRun.all(of: run)
        return folded(
            .drift, "statements that drift", "Drift, document and images differ",
            drifts.map { drift in
                "- \(Self.code(drift.note.statement)) (\(drift.checks.map(Self.code).joined(separator: ", ")))\n"
                    + "  - document: \(Self.text(drift.note.document))\n"
                    + "  - images: \(Self.text(drift.note.images))\n"
                    + "  - sources: \(Self.text(drift.note.sources.joined(separator: "; ")))\n"
            })
    }

    private func reasons(of outcome: Outcome, _ run: ImageRun) -> [String] {
        var order: [String] = []
        var checks: [String: [String]] = [:]
        for place in run.results.places(of: outcome) {
            let reason = run.results[place].reason ?? "no reason was given"
            if checks[reason] == nil { order.append(reason) }
            checks[reason, default: []].append(run.results[place].id)
        }
        return order.map { reason in
            let ids = checks[reason] ?? []
            let which =
                ids.count > 2 * Self.listLimit
                ? "\(ids.count.grouped) checks" : ids.map(Self.code).joined(separator: ", ")
            return "- \(Self.text(reason)): \(which)\n"
        }
    }

    private func passes(_ run: ImageRun) -> [Section] {
        let passes = run.results.places(of: .pass)
        if passes.isEmpty { return [] }
        return [
            Section(
                rank: .passed, what: "passed checks", opening: Self.opening("Passed", passes.count),
                closing: Self.closing, count: passes.count,
                item: { index in
                    let place = passes[index]
                    return
                        "- \(Self.code(run.results[place].id)) \(Self.text(run.results[place].title))\n"
                })
        ]
    }

    private func folded(
        _ rank: Rank, _ what: String, _ title: String, _ items: [String], counts: Int? = nil
    ) -> [Section] {
        if items.isEmpty { return [] }
        return [
            Section(
                rank: rank, what: what, opening: Self.opening(title, counts ?? items.count),
                closing: Self.closing, count: items.count, item: { items[$0] })
        ]
    }

    private static func opening(_ title: String, _ count: Int) -> String {
        "\n<details><summary>\(title) (\(count.grouped))</summary>\n\n"
    }

    private static let closing = "\n</details>\n"

    private var footer: String {
        let suites = record.suites.prefix(2 * Self.listLimit).map {
            ", suite \(Self.text($0.name)) \(Self.code($0.digest))"
        }
        let started = record.started.map { ", started \(Self.text($0))" } ?? ""
        return
            "\n\(Self.text(record.tool.name)) \(Self.text(record.tool.version))\(suites.joined())\(started)\n"
    }

    // MARK: Escaping

    /// A value, as inline code: in it GitHub finds neither people nor issues that it would tell of it.
    static func code(_ value: String) -> String { "<code>\(text(SafeText.visible(value)))</code>" }

    /// Text that Markdown shows as it is: one line, of bounded length, without a character that means something.
    ///
    /// Character references can be used anywhere, in tables too, and never for structure (CommonMark 0.31, section 2.5);
    /// a code span cannot: a backslash before a pipe would end the cell of a table.
    static func text(_ value: String) -> String {
        let line = SafeText.shortened(SafeText.oneLine(value), limit: SafeText.valueLimit)
        let hasAddress = SafeText.has("www.", in: line)
        guard hasAddress || line.utf8.contains(where: isMarkup) else { return line }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(2 * line.utf8.count)
        for byte in line.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case _ where isMarkup(byte):
                bytes += "&#".utf8
                bytes += String(byte).utf8
                bytes.append(UInt8(ascii: ";"))
            default: bytes.append(byte)
            }
        }
        let output = String(decoding: bytes, as: UTF8.self)
        return hasAddress ? output.replacing("www.", with: "www&#46;") : output
    }

    /// ASCII characters that begin something inside of a line, here or on GitHub.
    private static func isMarkup(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""),
            UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "*"), UInt8(ascii: "_"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "|"), UInt8(ascii: "\\"), UInt8(ascii: "~"), UInt8(ascii: "#"),
            UInt8(ascii: "!"), UInt8(ascii: "@"), UInt8(ascii: "$"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: "^"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
