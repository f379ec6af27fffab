import Verdict

/// The fails that one step of the build caused.
struct FailCause {
    /// nil: no step is known.
    var provenance: Provenance?
    var fails: [(check: CheckResult, findings: [Finding])]

    /// Lower layers come first, steps without a layer next, what no step is known for last. A check whose findings have
    /// several causes is told under each, with the findings that belong there.
    static func all(of fails: some Sequence<CheckResult>) -> [FailCause] {
        var causes: [FailCause] = []
        var places: [Provenance?: Int] = [:]
        func add(_ check: CheckResult, _ findings: [Finding], to provenance: Provenance?) {
            let place = places[provenance] ?? causes.count
            if place == causes.count {
                places[provenance] = place
                causes.append(FailCause(provenance: provenance, fails: []))
            }
            causes[place].fails.append((check, findings))
        }
        for check in fails {
            if check.findings.count <= 1 {
                add(check, check.findings, to: check.findings.first?.provenance)
                continue
            }
            var findings: [Provenance?: [Finding]] = [:]
            var order: [Provenance?] = []
            for finding in check.findings {
                if findings[finding.provenance] == nil { order.append(finding.provenance) }
                findings[finding.provenance, default: []].append(finding)
            }
            for provenance in order { add(check, findings[provenance] ?? [], to: provenance) }
        }
        return causes.enumerated().sorted { left, right in
            (left.element.rank, left.offset) < (right.element.rank, right.offset)
        }.map(\.element)
    }

    private var rank: Int {
        guard let provenance else { return Int.max }
        return provenance.layer ?? Int.max - 1
    }
}
