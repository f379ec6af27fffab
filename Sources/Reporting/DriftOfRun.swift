import Verdict

/// A statement that images are known not to keep, with the checks of a run that are about it.
struct DriftOfRun {
    var note: DriftNote
    var checks: [String]

    /// Each statement once, in the order in which the checks name it; checks that were not evaluated do not count.
    static func all(of run: ImageRun) -> [DriftOfRun] {
        var drifts: [DriftOfRun] = []
        var places: [DriftNote: Int] = [:]
        let results = run.results.filter {
            $0.drift != nil && $0.outcome != .notApplicable && $0.outcome != .skipped
        }
        for result in results {
            for note in result.drift ?? [] {
                if let place = places[note] {
                    drifts[place].checks.append(result.id)
                } else {
                    places[note] = drifts.count
                    drifts.append(DriftOfRun(note: note, checks: [result.id]))
                }
            }
        }
        return drifts
    }
}
