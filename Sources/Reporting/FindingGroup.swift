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
            // The last group is looked at in its place: a copy would make each append copy all subjects.
            let last = groups.count - 1
            if last >= 0, groups[last].details.isEmpty, finding.details.isEmpty,
                groups[last].expected == finding.expected, groups[last].observed == finding.observed,
                groups[last].provenance == finding.provenance, groups[last].waiver == finding.waiver,
                groups[last].known == (finding.known ?? false)
            {
                groups[last].subjects.append(finding.subject)
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
