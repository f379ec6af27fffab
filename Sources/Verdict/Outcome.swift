/// What became of one check on one image.
public enum Outcome: String, Codable, Sendable, CaseIterable {
    /// Evaluated, and the image conforms.
    case pass
    /// Evaluated, and the image does not conform.
    case fail
    /// Could not be decided. Never counts as a pass.
    case error
    /// The statement does not speak of this image (its release line, or a parameter).
    case notApplicable
    /// Deselected, or a prerequisite is missing; the reason is always given.
    case skipped
    /// A fail under a dated waiver; its findings stay visible.
    case waived
}

/// How much a fail weighs. The order is from light to heavy.
public enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
    case info
    case warning
    case error

    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .info: 0
        case .warning: 1
        case .error: 2
        }
    }
}
