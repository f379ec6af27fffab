import Verdict

/// A check with its result on each image of a record.
struct CheckRow {
    /// Its index among the results of each image; nil where the run on the image has no such check.
    var places: [Int?]
    /// What is the same on every image.
    var check: CheckResult
    private(set) var outcomes: Set<Outcome> = []

    /// In the order in which the images have them.
    static func all(of record: RunRecord) -> [CheckRow] {
        struct Key: Hashable {
            var suite: String
            var id: String
            var occurrence: Int
        }
        var rows: [CheckRow] = []
        var places: [Key: Int] = [:]
        for (image, run) in record.images.enumerated() {
            var occurrences: [Key: Int] = [:]
            for index in run.results.indices {
                var key = Key(
                    suite: run.results[index].suite, id: run.results[index].id, occurrence: 0)
                if let earlier = occurrences.updateValue(0, forKey: key) {
                    occurrences[key] = earlier + 1
                    key.occurrence = earlier + 1
                }
                let place = places[key] ?? rows.count
                if place == rows.count {
                    places[key] = place
                    rows.append(
                        CheckRow(
                            places: Array(repeating: nil, count: record.images.count),
                            check: run.results[index]))
                }
                rows[place].places[image] = index
                rows[place].outcomes.insert(run.results[index].outcome)
            }
        }
        return rows
    }

    /// The outcome that needs most attention.
    var worst: Outcome {
        [.fail, .error, .waived, .skipped, .pass].first(where: outcomes.contains) ?? .notApplicable
    }

    /// Whether some image needs attention.
    var needsAttention: Bool { worst == .fail || worst == .error || worst == .waived }
}

/// A result but for its duration. What tells most of them apart is all that is hashed.
private struct SameResult: Hashable {
    private var result: CheckResult

    init(_ result: CheckResult) {
        self.result = result
        self.result.duration = 0
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(result.outcome)
        hasher.combine(result.reason)
        hasher.combine(result.findings.first?.observed)
    }
}

extension HTMLReport {
    /// Fails and errors beyond this many are closed: who looks for one has the search.
    private static let openLimit = 30
    /// Causes, and checks of a cause, that are listed in "what to fix first".
    private static let causeLimit = 25

    /// An id for each check that is an anchor whatever its name, and only one's.
    static func anchors(of checks: [CheckRow]) -> [String] {
        var seen: Set<String> = []
        return checks.map { row in
            let name = row.check.id.unicodeScalars.prefix(60).map { scalar in
                switch scalar {
                case "A"..."Z", "a"..."z", "0"..."9", "_", "-": Character(scalar)
                default: Character("_")
                }
            }
            var anchor = "check-\(String(name))"
            var number = 1
            while !seen.insert(anchor).inserted {
                number += 1
                anchor = "check-\(String(name)).\(number)"
            }
            return anchor
        }
    }

    // MARK: What to fix first

    var hasCauses: Bool { record.images.contains { $0.results.of(.fail).contains(where: isToFix) } }

    private func isToFix(_ result: CheckResult) -> Bool { result.outcome == .fail && result.known != true }

    private struct CauseOfImages {
        var provenance: Provenance?
        /// Positions of the images that have it.
        var images: [Int]
        /// Each check once, with the findings of the first image that has it.
        var fails: [(check: CheckResult, findings: [Finding])]

        /// The heaviest first, then the one with most checks.
        var weight: (Int, Int) {
            let errors = fails.count { $0.check.severity == .error }
            return (errors, fails.count)
        }
    }

    private func causesOfImages() -> [CauseOfImages] {
        var causes: [CauseOfImages] = []
        var places: [Provenance?: Int] = [:]
        for (image, run) in record.images.enumerated() {
            for cause in FailCause.all(of: run.results.of(.fail).filter(isToFix)) {
                guard let place = places[cause.provenance] else {
                    places[cause.provenance] = causes.count
                    causes.append(
                        CauseOfImages(provenance: cause.provenance, images: [image], fails: cause.fails))
                    continue
                }
                causes[place].images.append(image)
                let known = Set(causes[place].fails.map(\.check.id))
                causes[place].fails += cause.fails.filter { !known.contains($0.check.id) }
            }
        }
        return causes.enumerated().sorted { left, right in
            let weights = (left.element.weight, right.element.weight)
            return weights.0 == weights.1 ? left.offset < right.offset : weights.0 > weights.1
        }.map(\.element)
    }

    mutating func writeCauses() {
        guard hasCauses else { return }
        let causes = causesOfImages()
        let anchorOfCheck = Dictionary(
            zip(checks.map { "\($0.check.suite) \($0.check.id)" }, anchors),
            uniquingKeysWith: { first, _ in first })
        startSection("causes", "What to fix first")
        html.element("p", class: "hint", "Fails by the step of the build that caused them.")
        html.start("ol", class: "causes")
        for cause in causes.prefix(Self.causeLimit) {
            html.start("li")
            writeCause(cause.provenance)
            if hasSeveralImages { writeImageNumbers(cause.images) }
            html.start("ul")
            for fail in cause.fails.prefix(Self.causeLimit) {
                html.start("li")
                html.element("span", class: "badge fail", "✗ fail")
                html.text(" ")
                html.element(
                    "a",
                    [("href", "#\(anchorOfCheck["\(fail.check.suite) \(fail.check.id)"] ?? "checks")")],
                    shortened(fail.check.id, limit: 80))
                html.text(" \(shortened(fail.check.title, limit: 300))")
                writeSeverity(fail.check)
                if let finding = fail.findings.first {
                    html.start("p", class: "short")
                    html.element("code", shortened(finding.subject.words, limit: 200))
                    html.text(" is ")
                    html.element("code", shortened(SafeText.visible(finding.observed), limit: 200))
                    html.text(", expected ")
                    html.element("code", shortened(SafeText.visible(finding.expected), limit: 200))
                    if fail.findings.count > 1 {
                        html.text(" (and \((fail.findings.count - 1).grouped) more)")
                    }
                    html.end()
                }
                if let remedy = fail.check.remedy {
                    html.start("p", class: "short")
                    html.element("b", "Remedy: ")
                    html.text(shortened(remedy, limit: 400))
                    html.end()
                }
                html.end()
            }
            writeRest(cause.fails.count - Self.causeLimit, "checks")
            html.end()
            html.end()
        }
        writeRest(causes.count - Self.causeLimit, "causes")
        html.end()
        html.end()
    }

    private mutating func writeCause(_ provenance: Provenance?) {
        guard let provenance else {
            html.element("h3", "No single step")
            return
        }
        html.element("h3", provenance.layer.map { "Layer \($0)" } ?? "A step without a layer")
        html.element(
            "pre", shortened(provenance.instruction ?? "the history does not say which step", limit: 600))
    }

    private mutating func writeImageNumbers(_ images: [Int]) {
        html.start("p", class: "hint")
        html.text(
            images.count == record.images.count ? "all images" : images.count == 1 ? "image " : "images ")
        if images.count < record.images.count {
            for (number, image) in images.enumerated() {
                if number > 0 { html.text(", ") }
                html.element("a", [("href", "#image-\(image + 1)")], String(image + 1))
            }
        }
        html.end()
    }

    private mutating func writeRest(_ count: Int, _ what: String) {
        if count > 0 { html.element("li", class: "rest", "… \(count.grouped) more \(what), listed below") }
    }

    // MARK: All checks

    private struct Group {
        var name: String
        /// Positions in `checks`.
        var rows: [Int]
    }

    /// In the order in which the checks name them.
    private func groups() -> [Group] {
        var groups: [Group] = []
        var places: [String: Int] = [:]
        for (index, row) in checks.enumerated() {
            let name = "\(row.check.suite).\(row.check.group)"
            if let place = places[name] {
                groups[place].rows.append(index)
            } else {
                places[name] = groups.count
                groups.append(Group(name: name, rows: [index]))
            }
        }
        return groups
    }

    mutating func writeChecks() {
        let groups = groups()
        startSection("checks", "Checks")
        if checks.isEmpty { html.element("p", "There are none.") } else { writeFilter(groups) }
        if hasSeveralImages {
            html.element(
                "p", class: "hint",
                "A column for each image, by its number above: "
                    + Outcome.allCases.map { "\($0.symbol) \($0.words)" }.joined(separator: ", ") + ".")
        }
        let count = checks.count(where: \.needsAttention)
        for group in groups {
            if hasSeveralImages {
                writeMatrix(group, opensCards: count <= Self.openLimit)
            } else {
                html.start("section", [("class", "group"), ("data-group", group.name)])
                html.start("h3")
                html.text(shortened(group.name, limit: 200))
                html.element("span", class: "hint", " \(summary(of: group))")
                html.end()
                for index in group.rows { writeCard(index, isOpen: count <= Self.openLimit) }
                html.end()
            }
        }
        html.end()
    }

    private func summary(of group: Group) -> String {
        var counts: [Outcome: Int] = [:]
        for index in group.rows { counts[checks[index].worst, default: 0] += 1 }
        return Outcome.allCases.compactMap { outcome in
            counts[outcome].map { "\(outcome.symbol) \($0.grouped) \(outcome.words)" }
        }.joined(separator: "   ")
    }

    /// Hidden until the script, which it is for, shows it.
    private mutating func writeFilter(_ groups: [Group]) {
        html.start("form", [("id", "filter"), ("class", "filter"), ("role", "search"), ("hidden", "")])
        html.start("label")
        html.text("Search ")
        html.void(
            "input",
            [
                ("type", "search"), ("id", "query"), ("autocomplete", "off"), ("spellcheck", "false"),
                ("placeholder", "id, path, package, words …"),
            ])
        html.end()
        html.start("div", [("role", "group"), ("aria-label", "Outcomes that are shown")])
        var counts: [Outcome: Int] = [:]
        for row in checks { for outcome in row.outcomes { counts[outcome, default: 0] += 1 } }
        for outcome in Outcome.allCases {
            guard let count = counts[outcome] else { continue }
            html.element(
                "button",
                [
                    ("type", "button"), ("class", style(outcome)), ("data-outcome", style(outcome)),
                    ("aria-pressed", "false"),
                ], "\(outcome.symbol) \(outcome.words) \(count.grouped)")
        }
        html.end()
        if groups.count > 1 {
            html.start("label")
            html.text("Subject ")
            html.start("select", [("id", "subject")])
            html.element("option", [("value", "")], "all")
            for (index, group) in groups.enumerated() {
                html.element("option", [("value", String(index))], shortened(group.name, limit: 80))
            }
            html.end()
            html.end()
        }
        html.element("button", [("type", "button"), ("id", "toggle")], "Open all")
        html.element("output", [("id", "shown"), ("aria-live", "polite")], "")
        html.end()
    }

    /// The checks of a group against the images; below it what is to be said of those that do not just pass.
    private mutating func writeMatrix(_ group: Group, opensCards: Bool) {
        let rows = group.rows
        let needsAttention = rows.contains { checks[$0].needsAttention }
        html.start(
            "details",
            [("class", "group matrix"), ("data-group", group.name)] + (needsAttention ? [("open", "")] : []))
        html.start("summary")
        html.start("h3")
        html.text(shortened(group.name, limit: 200))
        html.element("span", class: "hint", " \(summary(of: group))")
        html.end()
        html.end()
        startTable(shortened(group.name, limit: 200), class: "matrix")
        html.start("thead")
        html.start("tr")
        html.element("th", [("scope", "col")], "check")
        for (image, run) in record.images.enumerated() {
            html.start("th", [("scope", "col")])
            html.element(
                "a",
                [
                    ("href", "#image-\(image + 1)"),
                    ("title", "\(shortened(run.image.reference, limit: 200)) \(run.image.platform)"),
                ], String(image + 1))
            html.end()
        }
        html.end()
        html.end()
        html.start("tbody")
        for index in rows { writeMatrixRow(index) }
        endTable()
        for index in rows where checks[index].needsAttention { writeCard(index, isOpen: opensCards) }
        html.end()
    }

    private mutating func writeMatrixRow(_ index: Int) {
        let row = checks[index]
        var attributes: HTMLWriter.Attributes = [("data-check", styles(of: row))]
        if !row.needsAttention { attributes.append(("id", anchors[index])) }
        html.start("tr", attributes)
        html.start("th", [("scope", "row")])
        let id = shortened(row.check.id, limit: 80)
        if row.needsAttention {
            html.element("a", [("href", "#\(anchors[index])")], id)
        } else {
            html.element("code", id)
        }
        html.text(" \(shortened(row.check.title, limit: 300))")
        html.end()
        for (image, place) in row.places.enumerated() {
            switch place.map({ record.images[image].results[$0].outcome }) {
            // The most of a large page: no escaping, no list of attributes.
            case .pass: html.markup("<td class=\"pass\">✓</td>")
            case .notApplicable: html.markup("<td class=\"none\">·</td>")
            case .skipped: html.markup("<td class=\"skip\">-</td>")
            case .fail: html.markup("<td class=\"fail\">✗ fail</td>")
            case .error: html.markup("<td class=\"error\">? error</td>")
            case .waived: html.markup("<td class=\"waived\">~ waived</td>")
            case nil: html.markup("<td></td>")
            }
        }
        html.end()
    }

    /// What the filter looks at.
    private func styles(of row: CheckRow) -> String {
        row.outcomes.map { style($0) }.sorted().joined(separator: " ")
    }

    private mutating func writeSeverity(_ check: CheckResult) {
        if check.severity != .error { html.element("span", class: "tag", check.severity.rawValue) }
        if check.known == true { html.element("span", class: "tag", "known") }
    }

    private mutating func writeCard(_ index: Int, isOpen: Bool) {
        let row = checks[index]
        let outcome = row.worst
        let opens = isOpen && (outcome == .fail || outcome == .error)
        html.start(
            "details",
            [
                ("class", "check \(style(outcome))"), ("id", anchors[index]),
                ("data-check", styles(of: row)),
            ] + (opens ? [("open", "")] : []))
        html.start("summary")
        html.element("span", class: "badge \(style(outcome))", "\(outcome.symbol) \(outcome.words)")
        html.text(" ")
        html.element("code", shortened(row.check.id, limit: 80))
        html.text(" \(shortened(row.check.title, limit: 600))")
        writeSeverity(row.check)
        html.end()
        if hasSeveralImages {
            writeResultsByImage(row)
        } else {
            writeResult(row.check, layers: record.images[0].image.layers.count)
        }
        html.start("dl", class: "facts")
        if let remedy = row.check.remedy { field("remedy", remedy) }
        if let source = row.check.source { field("source", source) }
        if !row.check.statements.isEmpty {
            field("statements", row.check.statements.joined(separator: ", "))
        }
        field("suite", row.check.position.description, isCode: true)
        if !hasSeveralImages { field("took", seconds(row.check.duration)) }
        html.end()
        html.end()
    }

    /// What is the same on several images is said once.
    private mutating func writeResultsByImage(_ row: CheckRow) {
        var results: [(result: CheckResult, images: [Int])] = []
        var places: [SameResult: Int] = [:]
        for (image, place) in row.places.enumerated() {
            guard let place, record.images[image].results[place].outcome != .pass else { continue }
            let result = record.images[image].results[place]
            let key = SameResult(result)
            if let place = places[key] {
                results[place].images.append(image)
            } else {
                places[key] = results.count
                results.append((result, [image]))
            }
        }
        let limit = 10
        for (result, images) in results.prefix(limit) {
            html.start("div", class: "byimage")
            html.start("p")
            html.element(
                "span", class: "badge \(style(result.outcome))",
                "\(result.outcome.symbol) \(result.outcome.words)")
            html.text(" on ")
            for (number, image) in images.enumerated() {
                if number > 0 { html.text(", ") }
                html.element(
                    "a", [("href", "#image-\(image + 1)")],
                    "\(image + 1) \(shortened(record.images[image].image.reference, limit: 100))")
            }
            html.end()
            writeResult(result, layers: record.images[images[0]].image.layers.count)
            html.end()
        }
        if results.count > limit {
            html.element(
                "p", class: "rest",
                "… other results on \(counted(results.dropFirst(limit).reduce(0) { $0 + $1.images.count }, "image")); "
                    + "the JSON report has them")
        }
    }

    private mutating func writeResult(_ result: CheckResult, layers: Int) {
        if let reason = result.reason {
            html.start("p", class: "reason")
            html.text(value(reason))
            html.end()
        }
        let groups = FindingGroup.groups(of: result.findings)
        for group in groups.prefix(Self.listLimit) { writeFinding(group, of: result, layers: layers) }
        if groups.count > Self.listLimit {
            html.element(
                "p", class: "rest",
                "… \((groups.count - Self.listLimit).grouped) more findings; the JSON report has them")
        }
        if let undecided = result.undecided {
            html.element("p", class: "reason", "Could not be decided:")
            list(undecided)
        }
        for note in result.drift ?? [] {
            html.start("p", class: "short")
            html.element("b", "Drift \(shortened(note.statement, limit: 40)): ")
            html.text("the document says: \(value(note.document)). The images: \(value(note.images)).")
            html.end()
        }
    }

    private mutating func writeFinding(_ group: FindingGroup, of result: CheckResult, layers: Int) {
        html.start("dl", class: "facts finding")
        html.start("div")
        html.element("dt", "subject")
        html.start("dd")
        for (number, subject) in group.subjects.prefix(Self.listLimit).enumerated() {
            if number > 0 { html.markup("<br>") }
            html.text("\(subject.kind.rawValue) ")
            html.element("code", value(subject.name))
        }
        if group.subjects.count > Self.listLimit {
            html.markup("<br>")
            html.text("… \((group.subjects.count - Self.listLimit).grouped) more; the JSON report has them")
        }
        html.end()
        html.end()
        field("expected", group.expected, isCode: true)
        html.start("div", class: result.outcome == .pass ? "" : "observed")
        html.element("dt", "observed")
        html.start("dd")
        html.element("code", value(group.observed))
        if !group.details.isEmpty { list(group.details) }
        html.end()
        html.end()
        if let provenance = group.provenance {
            html.start("div")
            html.element("dt", "cause")
            html.start("dd")
            let place = provenance.layer.map { "layer \($0) of \(layers)" } ?? "a step without a layer"
            html.text(place)
            if let digest = provenance.layerDigest ?? provenance.diffID {
                html.text(" ")
                html.element("code", class: "digest", digest)
            }
            if let instruction = provenance.instruction {
                html.element("pre", shortened(instruction, limit: Self.valueLimit))
            }
            html.end()
            html.end()
        }
        if let waiver = group.waiver {
            field(waiver.isExpired ? "! waiver" : "waived", "\(waiver.description) (\(waiver.position))")
        }
        if group.known, result.known != true { field("known", "the baseline has it") }
        html.end()
    }
}
