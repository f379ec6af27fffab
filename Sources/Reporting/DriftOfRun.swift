import Verdict

/// A statement that images are known not to keep, with the checks of a run that are about it.
struct DriftOfRun {
    var note: DriftNote
    var checks: [String]

    /// Each statement once, in the order in which the checks name it; checks that were not evaluated do not count.
    static func all(of run: ImageRun) -> [DriftOfRun] {
        var drifts: [DriftOfRun] = []
        var places: [DriftNote: Int] = [:]
        for place in run.results.indices where run.results[place].drift != nil {
            let result = run.results[place]
            if result.outcome == .notApplicable || result.outcome == .skipped { continue }
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
