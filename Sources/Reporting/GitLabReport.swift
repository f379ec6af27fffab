import Verdict

/// The code quality report of GitLab: an array of alerts in the form of Code Climate.
///
/// GitLab shows description, severity and place; of equal fingerprints it keeps the first. A merge request shows what
/// its target branch has not, so that known fails are there like others; waived ones are not.
enum GitLabReport {
    static let form = ReportForm(
        summary: "code quality report of GitLab, for merge requests", fileExtension: "gitlab.json",
        render: { (record, options) throws(ReportError) in try render(record, options: options) })

    private struct Entry: Encodable {
        var description: String
        var checkName: String
        var fingerprint: String
        var severity: String
        var location: Location

        enum CodingKeys: String, CodingKey {
            case description
            case checkName = "check_name"
            case fingerprint
            case severity
            case location
        }
    }

    private struct Location: Encodable {
        var path: String
        var lines: Lines

        /// Without an anchor there is no place for what is about no check; GitLab drops an entry that has none.
        init(_ anchor: Anchor?) {
            path = anchor.map { SafeText.oneLine($0.path) } ?? "assay"
            lines = Lines(begin: anchor?.line ?? 1)
        }
    }

    private struct Lines: Encodable {
        var begin: Int
    }

    static func render(
        _ record: RunRecord, options: RenderOptions
    ) throws(ReportError) -> [UInt8] {
        var entries = RunProblem.all(of: record).map { image, problem in
            let words = [problem.title, image, problem.line].compactMap(\.self).joined(separator: ": ")
            return Entry(
                description: line(words), checkName: "assay.run",
                fingerprint: Fingerprint.of([problem.title, image ?? ""]), severity: "blocker",
                location: Location(Anchor(options)))
        }
        var seen: [String: Int] = [:]
        for run in record.images {
            let image = record.images.count > 1 ? [run.image.repository, run.image.platform] : []
            for alert in Alert.all(of: run) where alert.status != .waived {
                var entry = Entry(
                    description: line(description(of: alert, in: record, run)),
                    checkName: line(alert.result.id),
                    fingerprint: image.isEmpty
                        ? alert.fingerprint : Fingerprint.of(image + [alert.fingerprint]),
                    severity: severity(of: alert),
                    location: Location(Anchor(alert.result, alert.finding, options)))
                let occurrence = seen[entry.fingerprint, default: 0] + 1
                seen[entry.fingerprint] = occurrence
                if occurrence > 1 { entry.fingerprint += "-\(occurrence)" }
                entries.append(entry)
            }
        }
        do {
            return try JSONDocument.bytes(of: entries)
        } catch {
            throw ReportError(.notRepresentable, "the run record cannot be written for GitLab: \(error)")
        }
    }

    private static func description(of alert: Alert, in record: RunRecord, _ run: ImageRun) -> String {
        let known = alert.status == .known ? "known, in the baseline: " : ""
        let image = record.images.count > 1 ? " (\(run.image.reference) \(run.image.platform))" : ""
        return "\(alert.result.id): \(known)\(alert.message)\(image)"
    }

    private static func severity(of alert: Alert) -> String {
        if alert.status == .undecided { return "critical" }
        switch alert.result.severity {
        case .error: return "major"
        case .warning: return "minor"
        case .info: return "info"
        }
    }

    private static func line(_ text: String) -> String {
        SafeText.shortened(SafeText.oneLine(text), limit: 2 * SafeText.valueLimit)
    }
}
