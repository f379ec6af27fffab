/// A check of which several runs on one image say different things.
public struct ResultConflict: Hashable, Codable, Sendable {
    /// Digest of the image config.
    public var configDigest: String
    public var suite: String
    /// Id of the check.
    public var check: String
    /// At least two.
    public var variants: [Variant]

    public init(configDigest: String, suite: String, check: String, variants: [Variant]) {
        self.configDigest = configDigest
        self.suite = suite
        self.check = check
        self.variants = variants
    }

    /// What one of the runs says.
    public struct Variant: Hashable, Codable, Sendable {
        /// The image as it was named in the run.
        public var reference: String
        /// Of the suite as the run had it; nil where all runs had the same.
        public var suiteDigest: String?
        public var outcome: Outcome
        /// What it was decided by, in one line.
        public var evidence: String?

        public init(reference: String, suiteDigest: String?, outcome: Outcome, evidence: String?) {
            self.reference = reference
            self.suiteDigest = suiteDigest
            self.outcome = outcome
            self.evidence = evidence
        }
    }
}

extension RunRecord {
    /// One record of what several say. The order and the grouping of the records do not matter, and a record that is
    /// there twice counts once.
    ///
    /// Runs are of one image when name, digests and platform are the same, and when both judged by the document's
    /// letter or neither did. Of each check every different result is kept, so that nothing is lost and a fail stays
    /// one; `skipped` gives way to any result. What differs on the same content is listed in `conflicts`.
    ///
    /// - Returns: nil when there is no record.
    public static func merging(_ records: [RunRecord]) -> RunRecord? {
        let records = records.enumerated().filter { number, record in
            !records[..<number].contains(record)
        }.map(\.element)
        guard var merged = records.first, records.count > 1 else { return records.first }
        for record in records.dropFirst() where merged.tool.isOlder(than: record.tool) {
            merged.tool = record.tool
        }
        merged.version = currentVersion
        merged.started = records.compactMap(\.started).min(by: precedes)
        merged.complete = records.allSatisfy(\.complete)
        merged.suites = sorted(Set(records.flatMap(\.suites))) { [$0.name, $0.digest] }
        merged.unreadable = sorted(Set(records.flatMap(\.unreadable))) {
            [$0.reference, $0.reason, $0.hint ?? ""]
        }
        var groups: [ImageKey: [ImageRun]] = [:]
        for record in records {
            for run in record.namingSuites { groups[ImageKey(run), default: []].append(run) }
        }
        merged.images = sorted(groups.values.map(ImageRun.joining)) {
            let image = $0.image
            return [
                image.reference, image.platform, image.configDigest, image.manifestDigest ?? "",
                String($0.judgedByDocument ?? false), image.created ?? "",
            ]
                + image.layers.flatMap {
                    [
                        $0.digest, $0.diffID, String($0.size), String($0.uncompressedSize),
                        $0.instruction ?? "",
                    ]
                }
        }
        merged.conflicts = merged.foundConflicts
        merged.forgetSuitesThatAreKnown()
        merged.unusedWaivers = merged.waiversUnused(of: records)
        return merged
    }

    private struct ImageKey: Hashable {
        var image: ImageIdentity
        var judgedByDocument: Bool

        init(_ run: ImageRun) { (image, judgedByDocument) = (run.image, run.judgedByDocument ?? false) }
    }

    /// The images, each result with the digest of its suite.
    private var namingSuites: [ImageRun] {
        let digests = Dictionary(suites.map { ($0.name, $0.digest) }, uniquingKeysWith: { first, _ in first })
        return images.map { run in
            var run = run
            for index in run.results.indices where run.results[index].suiteDigest == nil {
                run.results[index].suiteDigest = digests[run.results[index].suite]
            }
            return run
        }
    }

    private mutating func forgetSuitesThatAreKnown() {
        let counts = Dictionary(suites.map { ($0.name, 1) }, uniquingKeysWith: +)
        for image in images.indices {
            for index in images[image].results.indices {
                let suite = images[image].results[index].suite
                if counts[suite, default: 0] <= 1 { images[image].results[index].suiteDigest = nil }
            }
        }
        conflicts = conflicts?.map { conflict in
            var conflict = conflict
            if counts[conflict.suite, default: 0] <= 1 {
                for index in conflict.variants.indices { conflict.variants[index].suiteDigest = nil }
            }
            return conflict
        }
    }

    private struct CheckKey: Hashable {
        var configDigest: String
        var suite: String
        var check: String
    }

    private var foundConflicts: [ResultConflict]? {
        var results: [CheckKey: [(reference: String, result: CheckResult)]] = [:]
        for run in images {
            for result in run.results where result.outcome != .skipped {
                let key = CheckKey(
                    configDigest: run.image.configDigest, suite: result.suite, check: result.id)
                results[key, default: []].append((run.image.reference, result))
            }
        }
        let conflicts = results.compactMap { key, results -> ResultConflict? in
            guard results.count > 1, Set(results.map { Judgement($0.result) }).count > 1 else { return nil }
            let variants = results.map {
                ResultConflict.Variant(
                    reference: $0.reference, suiteDigest: $0.result.suiteDigest, outcome: $0.result.outcome,
                    evidence: $0.result.evidence)
            }
            return ResultConflict(
                configDigest: key.configDigest, suite: key.suite, check: key.check,
                variants: sorted(variants) {
                    [$0.outcome.rawValue, $0.reference, $0.suiteDigest ?? "", $0.evidence ?? ""]
                })
        }
        return conflicts.isEmpty ? nil : sorted(conflicts) { [$0.configDigest, $0.suite, $0.check] }
    }

    /// A waiver that one run did not need is needed when another one did.
    private func waiversUnused(of records: [RunRecord]) -> [UnusedWaiver]? {
        var used: Set<SourcePosition> = []
        for run in images {
            for finding in run.results.lazy.flatMap(\.findings) {
                if let waiver = finding.waiver { used.insert(waiver.position) }
            }
        }
        let unused = Set(records.flatMap { $0.unusedWaivers ?? [] }).filter {
            !used.contains($0.waiver.position)
        }
        return unused.isEmpty
            ? nil
            : sorted(unused) { entry in
                let waiver = entry.waiver
                return [
                    waiver.position.file, number(waiver.position.line), number(waiver.position.column),
                    waiver.check,
                    waiver.subject ?? "", waiver.image ?? "", waiver.owner, waiver.reason,
                    "\(waiver.expires)",
                    entry.reason,
                ]
            }
    }
}

extension ImageRun {
    /// One run of several on the same image. There is at least one.
    fileprivate static func joining(_ runs: [ImageRun]) -> ImageRun {
        var joined = runs[0]
        joined.parameters = sorted(Set(runs.flatMap(\.parameters))) {
            [$0.name, $0.value, $0.origin, String($0.isDefault ?? false)]
        }
        joined.duration = runs.map(\.duration).max() ?? 0
        var notes = Set(runs.flatMap(\.notes))
        let profiles = sorted(Set(runs.compactMap(\.profile))) {
            [$0.id, $0.variant ?? "", $0.title] + $0.evidence + [""] + $0.warnings
        }
        joined.profile = profiles.first
        for profile in profiles.dropFirst() where profile.id != profiles.first?.id {
            notes.insert(
                Note(
                    name: "run.release-line",
                    message: "judged by the release line \(profile.id) in another run"))
        }
        joined.notes = sorted(notes) { ["\($0.layer ?? 0)", $0.name, $0.message] }
        joined.lineage =
            sorted(Set(runs.compactMap(\.lineage))) {
                [String($0.extended), String($0.customised)]
                    + [$0.baseLayers.map(Int64.init), $0.baseSize, $0.addedSize].map { String($0 ?? -1) }
                    + $0.evidence
            }.last
        joined.baseline =
            sorted(Set(runs.compactMap(\.baseline))) {
                [$0.file, $0.started ?? "", $0.reference ?? ""] + $0.gone
            }.last
        // One image holds one thing, but for what an older tool did not look at.
        joined.contents = sorted(Set(runs.compactMap(\.contents))) { ["\($0)"] }.last
        let transcripts = sorted(Set(runs.flatMap { $0.transcripts ?? [] })) { ["\($0)"] }
        joined.transcripts = transcripts.isEmpty ? nil : transcripts
        joined.results = results(of: runs)
        return joined
    }

    private static func results(of runs: [ImageRun]) -> [CheckResult] {
        struct Key: Hashable {
            var suite: String
            var id: String
        }
        var groups: [Key: [CheckResult]] = [:]
        for result in runs.lazy.flatMap(\.results) {
            groups[Key(suite: result.suite, id: result.id), default: []].append(result)
        }
        return groups.values.flatMap(distinct).sorted { left, right in
            if left.suite != right.suite { return precedes(left.suite, right.suite) }
            let (place, other) = (left.position, right.position)
            if place.file != other.file { return precedes(place.file, other.file) }
            if place.line != other.line { return place.line < other.line }
            if left.id != right.id { return precedes(left.id, right.id) }
            return left.order.lexicographicallyPrecedes(right.order, by: precedes)
        }
    }
}

/// The different results of one check, each once.
private func distinct(_ results: [CheckResult]) -> [CheckResult] {
    if results.count == 1 { return results }
    let evaluated = results.filter { $0.outcome != .skipped }
    var kept: [(judgement: Judgement?, result: CheckResult)] = []
    for result in evaluated.isEmpty ? results : evaluated {
        let judgement = result.outcome == .skipped ? nil : Judgement(result)
        guard let place = kept.firstIndex(where: { $0.judgement == judgement }) else {
            kept.append((judgement, result))
            continue
        }
        let duration = max(kept[place].result.duration, result.duration)
        if result.order.lexicographicallyPrecedes(kept[place].result.order, by: precedes) {
            kept[place].result = result
        }
        kept[place].result.duration = duration
    }
    return kept.map(\.result)
}

/// What makes two results of one check the same: what a verdict rests on. Digests of compressed layers are not among it,
/// they are another one in each transport; and what was seen of a scenario is volatile, unlike what comes of it.
private struct Judgement: Hashable {
    var outcome: Outcome
    var severity: Severity
    var reason: String?
    var findings: [Finding]
    var undecided: [String]?
    var known: Bool?

    init(_ result: CheckResult) {
        outcome = result.outcome
        severity = result.severity
        reason = result.scenario == nil ? result.reason : nil
        findings = result.findings.map { finding in
            var finding = finding
            finding.provenance?.layerDigest = nil
            if result.scenario != nil { (finding.observed, finding.details) = ("", []) }
            return finding
        }
        undecided = result.undecided
        known = result.known
    }
}

extension CheckResult {
    /// By what results are put in order, and one is taken of several that say the same.
    fileprivate var order: [String] {
        let drift = (drift ?? []).flatMap { [$0.statement, $0.document, $0.images] + $0.sources }
        return [
            suiteDigest ?? "", position.file, number(position.line), number(position.column),
            outcome.rawValue,
            reason ?? "", title, group, severity.rawValue, source ?? "", remedy ?? "",
            known == true ? "known" : "",
        ] + statements + [""] + drift + [""] + (undecided ?? []) + [""] + findings.map { "\($0)" }
    }

    /// What the outcome was decided by, in one line; nil when there is nothing to say.
    public var evidence: String? {
        if let reason { return reason }
        guard let finding = findings.first else { return nil }
        let more = findings.count > 1 ? " (and \(findings.count - 1) more)" : ""
        return "\(finding.subject.kind.rawValue) \(finding.subject.name): \(finding.observed)\(more)"
    }
}

extension RunRecord.Tool {
    /// Versions are compared number by number.
    fileprivate func isOlder(than other: RunRecord.Tool) -> Bool {
        let (own, others) = (version, other.version)
        let numbers = [own, others].map { $0.split(separator: ".").map { Int($0) ?? 0 } }
        if numbers[0] != numbers[1] { return numbers[0].lexicographicallyPrecedes(numbers[1]) }
        return [name, own].lexicographicallyPrecedes([other.name, others], by: precedes)
    }
}

/// Numbers as words that are in order when they are.
private func number(_ value: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
}

/// By bytes: Swift takes different forms of a character for the same.
private func precedes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

private func sorted<Element>(
    _ elements: some Sequence<Element>, by key: (Element) -> [String]
) -> [Element] {
    elements.map { (key($0), $0) }
        .sorted { $0.0.lexicographicallyPrecedes($1.0, by: precedes) }
        .map(\.1)
}
