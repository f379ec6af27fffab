import Verdict

/// A suite as its files say it; expectations are not yet compiled, for which the kinds of checks are needed.
public struct SuiteDocument: Hashable, Sendable {
    public var name: String
    public var title: String
    /// The written standard that the suite enforces.
    public var document: String
    /// The Python distributions whose version is the release of the image; the first that is installed counts.
    public var releaseDistributions: [String]
    public var parameters: [ParameterDeclaration]
    /// Newest first.
    public var profiles: [ProfileDeclaration]
    public var checks: [CheckDeclaration]
    /// Where the suite is named.
    public var position: SourcePosition

    public func parameter(named name: String) -> ParameterDeclaration? {
        parameters.first { $0.name == name || $0.aliases.contains(name) }
    }
}

/// Something a suite wants to know from its user or the image, such as a build argument.
public struct ParameterDeclaration: Hashable, Sendable {
    public enum ValueType: String, Sendable, CaseIterable {
        case integer
        case boolean
        case string
        case path
        case version

        /// Why `text` is no value of this type; nil when it is one.
        public func objection(to text: String) -> String? {
            switch self {
            case .string: nil
            case .integer: Int(text) == nil ? "an integer" : nil
            case .boolean: text == "true" || text == "false" ? nil : "true or false"
            case .path: text.hasPrefix("/") ? nil : "an absolute path"
            case .version: ReleaseVersion(text) == nil ? "a version" : nil
            }
        }
    }

    public var name: String
    public var title: String
    /// Nil when only the image or the user can tell.
    public var defaultValue: String?
    public var type: ValueType
    /// Other names of the same argument, as later releases have them.
    public var aliases: [String]
    /// Variables of the image config that repeat the value; the first that is set counts.
    public var environment: [String]
    /// Labels that repeat it.
    public var labels: [String]
    /// What to take of an observed value: its first group; an observed value that does not match is not used.
    public var pattern: Pattern?
    public var position: SourcePosition

    /// The value as observed in the image, reduced by `pattern`.
    public func reduce(_ observed: String) -> String? {
        guard let pattern else { return observed }
        return pattern.capture(in: observed)
    }
}

/// A release line with its own expectations.
public struct ProfileDeclaration: Hashable, Sendable {
    public var id: String
    public var title: String
    public var versions: VersionRange
    public var condition: Condition?
    /// Values of parameters that differ from their defaults in this line.
    public var parameters: [String: String]
    public var position: SourcePosition
}

/// One check: an invariant with what it enforces.
public struct CheckDeclaration: Hashable, Sendable {
    public var id: String
    public var title: Template
    public var group: String
    /// The group in words.
    public var groupTitle: String
    public var statements: [String]
    public var source: String?
    public var severity: Severity
    public var condition: Condition?
    /// All must hold.
    public var expectations: [SuiteNode]
    public var remedy: Template?
    public var position: SourcePosition
}
