import Verdict

/// Findings in a row that say the same of different subjects, so that a report says it once.
struct FindingGroup {
    var subjects: [Subject]
    var expected: String
    var observed: String
    var provenance: Provenance?
    var details: [String]
    var waiver: WaiverMark?
    var known: Bool

    static func groups(of findings: some Sequence<Finding>) -> [FindingGroup] {
        var groups: [FindingGroup] = []
        for finding in findings {
            if let last = groups.last, last.details.isEmpty, finding.details.isEmpty,
                last.expected == finding.expected, last.observed == finding.observed,
                last.provenance == finding.provenance, last.waiver == finding.waiver,
                last.known == (finding.known ?? false)
            {
                groups[groups.count - 1].subjects.append(finding.subject)
            } else {
                groups.append(
                    FindingGroup(
                        subjects: [finding.subject], expected: finding.expected, observed: finding.observed,
                        provenance: finding.provenance, details: finding.details, waiver: finding.waiver,
                        known: finding.known ?? false))
            }
        }
        return groups
    }
}

extension Subject {
    /// "path /opt/airflow"
    var words: String { "\(kind.rawValue) \(SafeText.visible(name))" }
}
