import Facts
import Suite
import Verdict

/// Waivers, applied to what a run found.
public struct Waivers: Sendable {
    private struct Entry {
        var waiver: Waiver
        var check: Glob
        var subject: Glob?
        var isExpired: Bool

        init(_ waiver: Waiver, today: CalendarDay) {
            self.waiver = waiver
            check = Glob(waiver.check)
            subject = waiver.subject.map { Glob($0) }
            isExpired = waiver.expires < today
        }

        /// A finding that does not list all its subjects is covered by a waiver for all subjects only.
        func covers(_ finding: Finding) -> Bool {
            guard let subject else { return true }
            return finding.omitted == nil && finding.subjects.allSatisfy { subject.matches($0.name) }
        }

        func speaks(of image: ImageIdentity) -> Bool {
            guard let pattern = waiver.image else { return true }
            if pattern.hasPrefix("sha256:") {
                return pattern == image.manifestDigest || pattern == image.configDigest
            }
            let glob = Glob(pattern)
            let location = image.reference.drop { $0 != ":" }.dropFirst()
            return glob.matches(image.reference) || glob.matches(String(location))
        }
    }

    private let entries: [Entry]

    /// - Parameter today: the day on which the run began, in UTC.
    public init(_ waivers: [Waiver], today: CalendarDay) {
        entries = waivers.map { Entry($0, today: today) }
    }

    /// The record with the findings marked that a waiver covers. A fail is waived when all its findings are under
    /// waivers that have not expired; where a part of the check could not be decided, the error takes its place.
    /// Waivers that nothing needed are listed.
    public func marking(_ record: RunRecord) -> RunRecord {
        var record = record
        var used: Set<Int> = []
        for image in record.images.indices {
            let identity = record.images[image].image
            let applicable = entries.indices.filter { entries[$0].speaks(of: identity) }
            for index in record.images[image].results.indices
            where record.images[image].results[index].outcome == .fail {
                used.formUnion(mark(&record.images[image].results[index], applicable))
            }
        }
        let unused = entries.indices.compactMap { index in
            used.contains(index)
                ? nil
                : reasonUnused(entries[index], record).map { UnusedWaiver(entries[index].waiver, reason: $0) }
        }
        record.unusedWaivers = unused.isEmpty ? nil : unused
        return record
    }

    /// - Returns: the waivers that cover a finding.
    private func mark(_ result: inout CheckResult, _ applicable: [Int]) -> Set<Int> {
        let matching = applicable.filter { entries[$0].check.matches(result.id) }
        var used: Set<Int> = []
        for place in result.findings.indices {
            let covering = matching.filter { entries[$0].covers(result.findings[place]) }
            used.formUnion(covering)
            // Of several the one that holds longest counts.
            guard let best = covering.max(by: { entries[$0].waiver.expires < entries[$1].waiver.expires })
            else {
                continue
            }
            result.findings[place].waiver = WaiverMark(
                entries[best].waiver, isExpired: entries[best].isExpired)
        }
        let marks = result.findings.compactMap(\.waiver)
        result.settle("what was found wrong is waived")
        switch result.outcome {
        case .waived: result.reason = Waivers.joined(marks)
        case .fail:
            let expired = marks.filter(\.isExpired)
            if !expired.isEmpty {
                result.reason = [result.reason, "a waiver " + Waivers.joined(expired)].compactMap(\.self)
                    .joined(separator: "; ")
            }
        default: break
        }
        return used
    }

    private static func joined(_ marks: [WaiverMark]) -> String {
        var lines: [String] = []
        for mark in marks where !lines.contains(mark.description) { lines.append(mark.description) }
        return lines.joined(separator: "; ")
    }

    /// Why a waiver was not needed; nil when the run cannot tell: it is partial, an image could not be read, or a
    /// check was skipped or not decided.
    private func reasonUnused(_ entry: Entry, _ record: RunRecord) -> String? {
        let ids = Set(record.images.flatMap(\.results).map(\.id))
        guard !ids.isEmpty else { return nil }
        if !ids.contains(where: { entry.check.matches($0) }) {
            let meant = nearest(to: entry.waiver.check, among: ids.sorted())
            return "no check matches \(entry.waiver.check)" + (meant.map { "; did you mean \($0)?" } ?? "")
        }
        guard record.complete, record.unreadable.isEmpty else { return nil }
        let images = record.images.filter { entry.speaks(of: $0.image) }
        if images.isEmpty { return "no image of the run is \(entry.waiver.image ?? "")" }
        let results = images.flatMap(\.results).filter { entry.check.matches($0.id) }
        if results.contains(where: { $0.outcome == .skipped || $0.outcome == .error }) { return nil }
        return results.contains { $0.outcome == .fail || $0.outcome == .waived }
            ? "no finding is of the subject \(entry.waiver.subject ?? "")" : "nothing that it covers fails"
    }
}
