import Verdict

/// What came of a scenario: what was seen, or why nothing could be seen.
public enum ScenarioOutcome: Hashable, Sendable {
    case observed(ProbeTranscript)
    /// The runtime broke: nothing is known of the image.
    case failed(reason: String)
    /// It was not run, for want of something that this machine does not have.
    case skipped(reason: String)
}
