import Verdict

extension Outcome {
    /// One character, so that colour is never all that tells.
    var symbol: String {
        switch self {
        case .pass: "✓"
        case .fail: "✗"
        case .error: "?"
        case .notApplicable: "·"
        case .skipped: "-"
        case .waived: "~"
        }
    }

    /// As reports for people name it.
    var words: String {
        switch self {
        case .pass: "pass"
        case .fail: "fail"
        case .error: "error"
        case .notApplicable: "not applicable"
        case .skipped: "skipped"
        case .waived: "waived"
        }
    }
}

extension ExitDecision {
    var symbol: String {
        switch self {
        case .conforming: "✓"
        case .notConforming: "✗"
        case .undecided, .usage, .interrupted, .terminated: "?"
        }
    }

    /// The words for what the shell is told by the exit code.
    var words: String {
        switch self {
        case .conforming: "conforms"
        case .notConforming: "does not conform"
        case .undecided, .usage, .interrupted, .terminated: "could not be judged"
        }
    }
}

extension RunRecord {
    /// Of all images.
    var resultCount: Int { images.reduce(0) { $0 + $1.results.count } }

    /// What would be said of one of its images alone.
    func decision(on run: ImageRun, failOn threshold: Severity) -> ExitDecision {
        var single = self
        single.images = [run]
        single.unreadable = []
        return ExitDecision(of: single, failOn: threshold)
    }
}

/// "1 layer", "1,204 layers".
func counted(_ count: Int, _ what: String) -> String { "\(count.grouped) \(what)\(count == 1 ? "" : "s")" }
