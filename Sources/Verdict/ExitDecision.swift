/// What a finished run says to the shell.
public enum ExitDecision: Int32, Sendable, CaseIterable {
    /// Every check that was evaluated passed, or its fail is waived, known or below the threshold.
    case conforming = 0
    /// At least one check failed at or above the threshold.
    case notConforming = 1
    /// The command line, a suite or a waiver file is wrong; nothing was judged.
    case usage = 2
    /// Could not judge: image unreadable or untrustworthy, a check errored, no check was evaluated.
    case undecided = 3
    case interrupted = 130
    case terminated = 143

    /// A definite fail wins over errors; a run that evaluated nothing is not a success. A fail that the baseline
    /// has does not count, and neither does a waived one.
    ///
    /// - Parameter threshold: the lightest severity whose fail counts.
    public init(of record: RunRecord, failOn threshold: Severity = .warning) {
        func someResult(of outcome: Outcome, _ holds: (CheckResult) -> Bool = { _ in true }) -> Bool {
            record.images.contains { run in run.results.of(outcome).contains(where: holds) }
        }
        if someResult(of: .fail, { $0.known != true && $0.severity >= threshold }) {
            self = .notConforming
        } else if !record.complete || record.images.isEmpty || !record.unreadable.isEmpty
            || someResult(of: .error)
            || record.images.contains(where: { !$0.hasEvaluatedChecks })
        {
            self = .undecided
        } else {
            self = .conforming
        }
    }
}

extension ImageRun {
    /// False when every check was skipped or did not apply: such a run proves nothing.
    public var hasEvaluatedChecks: Bool {
        results.contains { $0.outcome == .pass || $0.outcome == .fail || $0.outcome == .waived }
    }
}
