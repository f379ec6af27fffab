/// What an earlier run found wrong, so that only what is new counts.
///
/// A finding is known by the check, the kind and name of its subject and what was expected: not by layers, counts
/// and lines, which change with every build. What was waived in the earlier run is not known by it, and neither is a
/// finding whose subjects are not all listed: nothing can hide in the rest.
public struct Baseline: Sendable {
    /// As the user named the record, escaped.
    private let file: String
    private let record: RunRecord

    public init(_ record: RunRecord, file: String) {
        self.record = record
        self.file = file
    }

    /// The record of a run with the known fails marked, and what became of the baseline on each image.
    ///
    /// A fail is known when every finding is known or waived. It stays a fail, and does not count. Where a part of
    /// the check could not be decided, the error takes its place.
    public func marking(_ run: RunRecord) -> RunRecord {
        var run = run
        for index in run.images.indices {
            let earlier = image(for: run.images[index], in: run)
            var comparison = BaselineComparison(
                file: file, started: record.started, reference: earlier?.image.reference)
            if let earlier { Baseline.mark(&run.images[index].results, by: earlier, &comparison) }
            run.images[index].baseline = comparison
        }
        return run
    }

    /// The image of the earlier run that an image is compared with: the one of the same name and platform, else the
    /// only one of the same repository and platform; where both runs have one image, that one.
    private func image(for run: ImageRun, in current: RunRecord) -> ImageRun? {
        if record.images.count == 1, current.images.count == 1 { return record.images.first }
        let ofPlatform = record.images.filter { $0.image.platform == run.image.platform }
        for name in [\ImageIdentity.reference, \ImageIdentity.repository] {
            let same = ofPlatform.filter { $0.image[keyPath: name] == run.image[keyPath: name] }
            if same.count == 1 { return same.first }
            if !same.isEmpty { return nil }
        }
        return nil
    }

    private static func mark(
        _ results: inout [CheckResult], by earlier: ImageRun, _ comparison: inout BaselineComparison
    ) {
        var known: [CheckKey: Set<Fingerprint>] = [:]
        var order: [CheckKey] = []
        for result in earlier.results where result.outcome == .fail {
            let findings = result.findings.filter { $0.waiver.map(\.isExpired) ?? true }
            let fingerprints = Set(findings.flatMap(Fingerprint.all))
            if fingerprints.isEmpty { continue }
            if known[CheckKey(result)] == nil { order.append(CheckKey(result)) }
            known[CheckKey(result), default: []].formUnion(fingerprints)
        }
        for index in results.indices where results[index].outcome == .fail {
            let fingerprints = known[CheckKey(results[index])] ?? []
            for place in results[index].findings.indices {
                let finding = results[index].findings[place]
                let isKnown =
                    finding.omitted == nil && Fingerprint.all(finding).allSatisfy(fingerprints.contains)
                if isKnown { results[index].findings[place].known = true }
            }
            results[index].settle("what was found wrong is in the baseline")
        }
        let fixed = Set(
            results.filter { $0.outcome == .pass || $0.outcome == .notApplicable }.map { CheckKey($0) })
        comparison.gone = order.filter(fixed.contains).map(\.id)
    }

    private struct CheckKey: Hashable {
        var suite: String
        var id: String

        init(_ result: CheckResult) { (suite, id) = (result.suite, result.id) }
    }

    private struct Fingerprint: Hashable {
        var subject: Subject
        var expected: String

        static func all(_ finding: Finding) -> [Fingerprint] {
            finding.subjects.map { Fingerprint(subject: $0, expected: finding.expected) }
        }
    }
}

/// What became of a baseline on an image.
public struct BaselineComparison: Hashable, Codable, Sendable {
    /// The record, as the user named it, escaped.
    public var file: String
    /// When the earlier run began.
    public var started: String?
    /// The image of the earlier run; nil when it has none to compare with, so that every fail counts.
    public var reference: String?
    /// Ids of the checks that failed then, and now pass or do not apply.
    public var gone: [String] = []

    public init(file: String, started: String?, reference: String?, gone: [String] = []) {
        self.file = file
        self.started = started
        self.reference = reference
        self.gone = gone
    }
}

extension ImageIdentity {
    /// The reference without tag and digest.
    public var repository: String {
        guard let colon = reference.firstIndex(of: ":") else { return reference }
        let start = reference.index(after: colon)
        var name = reference[start...].prefix { $0 != "@" }
        if let tag = name.lastIndex(of: ":"), !name[tag...].contains("/") { name = name[..<tag] }
        return String(reference[..<start] + name)
    }
}

extension CheckResult {
    /// Decides anew what becomes of a fail, some findings of which are known or waived.
    ///
    /// - Parameter excuse: why nothing of it counts, should that be so.
    public mutating func settle(_ excuse: String) {
        guard outcome == .fail, !findings.isEmpty, findings.allSatisfy({ !$0.counts }) else { return }
        if let first = undecided?.first {
            outcome = .error
            reason = "\(excuse), but the rest could not be decided: \(first)"
        } else if findings.allSatisfy(\.isWaived) {
            outcome = .waived
        } else {
            known = true
        }
    }
}

extension Finding {
    /// Under a waiver that has not expired.
    public var isWaived: Bool { waiver.map { !$0.isExpired } ?? false }

    /// Neither waived nor in the baseline.
    public var counts: Bool { !isWaived && known != true }

    /// Everything that it speaks of, as far as it is listed.
    public var subjects: [Subject] { [subject] + (others ?? []).map { Subject(subject.kind, $0) } }
}
