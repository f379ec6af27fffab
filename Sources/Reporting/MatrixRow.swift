import Verdict

/// A check with its outcome on each image of a run.
struct MatrixRow {
    var suite: String
    var id: String
    var title: String
    /// One for each image, in their order; nil where the check was not among those of the run. Of several results the
    /// weightiest.
    var outcomes: [Outcome?]

    /// In the order in which the images name them.
    static func rows(of record: RunRecord) -> [MatrixRow] {
        struct Key: Hashable {
            var suite: String
            var id: String
        }
        var rows: [MatrixRow] = []
        var places: [Key: Int] = [:]
        for (image, run) in record.images.enumerated() {
            for index in run.results.indices {
                let outcome = run.results[index].outcome
                let key = Key(suite: run.results[index].suite, id: run.results[index].id)
                let place = places[key] ?? rows.count
                if place == rows.count {
                    places[key] = place
                    rows.append(
                        MatrixRow(
                            suite: key.suite, id: key.id, title: run.results[index].title,
                            outcomes: Array(repeating: nil, count: record.images.count)))
                }
                let earlier = rows[place].outcomes[image]
                if earlier.map({ $0.weight < outcome.weight }) ?? true {
                    rows[place].outcomes[image] = outcome
                }
            }
        }
        return rows
    }
}

extension Outcome {
    /// The order in which one is shown instead of another.
    fileprivate var weight: Int {
        switch self {
        case .skipped: 0
        case .notApplicable: 1
        case .pass: 2
        case .waived: 3
        case .error: 4
        case .fail: 5
        }
    }
}

extension ResultConflict.Variant {
    /// "fail by oci:airflow, suite sha256:…: user airflow: UID 1000"
    var words: String {
        let suite = suiteDigest.map { ", suite \($0)" } ?? ""
        return "\(outcome.words) on \(reference)\(suite)" + (evidence.map { ": \($0)" } ?? "")
    }
}
