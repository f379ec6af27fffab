import Verdict

/// The code quality report of GitLab: an array of alerts in the form of Code Climate.
///
/// GitLab shows description, severity and place; of equal fingerprints it keeps the first. A merge request shows what
/// its target branch has not, so that known fails are there like others; waived ones are not.
enum GitLabReport {
    static let form = ReportForm(
        summary: "code quality report of GitLab, for merge requests", fileExtension: "gitlab.json",
        bytesPerResult: 70,
        render: { record, options in render(record, options: options) })

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        var json = JSONWriter(capacity: record.resultCount * form.bytesPerResult)
        let start = json.begin()
        for (image, problem) in RunProblem.all(of: record) {
            let words = [problem.title, image, problem.line].compactMap(\.self).joined(separator: ": ")
            write(
                Entry(
                    description: words, checkName: "assay.run",
                    fingerprint: Fingerprint.of([problem.title, image ?? ""]), severity: "blocker",
                    anchor: Anchor(options)), to: &json)
        }
        var seen: [String: Int] = [:]
        for run in record.images {
            let image = record.images.count > 1 ? [run.image.repository, run.image.platform] : []
            for alert in Alert.all(of: run) where alert.status != .waived {
                var fingerprint =
                    image.isEmpty ? alert.fingerprint : Fingerprint.of(image + [alert.fingerprint])
                let occurrence = seen[fingerprint, default: 0] + 1
                seen[fingerprint] = occurrence
                if occurrence > 1 { fingerprint += "-\(occurrence)" }
                write(
                    Entry(
                        description: description(of: alert, in: record, run), checkName: alert.result.id,
                        fingerprint: fingerprint, severity: severity(of: alert),
                        anchor: Anchor(alert.result, alert.finding, options)), to: &json)
            }
        }
        json.end(UInt8(ascii: "["), UInt8(ascii: "]"), start: start)
        json.append("\n")
        return json.bytes
    }

    private struct Entry {
        var description: String
        var checkName: String
        var fingerprint: String
        var severity: String
        var anchor: Anchor?
    }

    private static func write(_ entry: Entry, to json: inout JSONWriter) {
        json.beginEntry()
        json.object { json in
            json.member("check_name", line(entry.checkName))
            json.member("description", line(entry.description))
            json.member("fingerprint", entry.fingerprint)
            json.member("location") { json in
                json.member("lines") { $0.member("begin", entry.anchor?.line ?? 1) }
                // Without an anchor there is no place for what is about no check; GitLab drops an entry that has none.
                json.member("path", entry.anchor.map { SafeText.oneLine($0.path) } ?? "assay")
            }
            json.member("severity", entry.severity)
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
