import Verdict

/// A suite as its files say it; expectations are not yet compiled, for which the kinds of checks are needed.
public struct SuiteDocument: Hashable, Sendable {
    public var name: String
    public var title: String
    /// The written standard that the suite enforces.
    public var document: String
    /// The Python distributions whose version is the release of the image; the first that is installed counts.
    public var releaseDistributions: [String]
    /// The parameter by which an image claims to be of a release.
    public var releaseParameter: String?
    /// The repository whose tags begin with a release, as `apache/airflow`.
    public var releaseRepository: String?
    public var parameters: [ParameterDeclaration]
    /// Newest first.
    public var profiles: [ProfileDeclaration]
    /// Kinds of images within a release line; the first whose condition holds counts.
    public var variants: [VariantDeclaration] = []
    /// How an image that was made from the standard's own is told from it.
    public var lineage: LineageDeclaration?
    /// What the written standard says, in its order; empty when the suite does not list it.
    public var statements: [StatementDeclaration] = []
    /// What the probes run.
    public var scenarios: [ScenarioDeclaration] = []
    public var checks: [CheckDeclaration]
    /// Where the suite is named.
    public var position: SourcePosition

    public func scenario(named name: String) -> ScenarioDeclaration? { scenarios.first { $0.name == name } }

    public func statement(_ id: String) -> StatementDeclaration? { statements.first { $0.id == id } }

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

/// A kind of images within a release line, as the slim ones.
public struct VariantDeclaration: Hashable, Sendable {
    public var id: String
    public var title: String
    /// Nil for the kind of all that are of no other.
    public var condition: Condition?
    public var position: SourcePosition
}

/// By which step of the history the standard's own image ends, and which build arguments make it another one.
public struct LineageDeclaration: Hashable, Sendable {
    /// The keyword of the Dockerfile instruction, as `ENTRYPOINT`.
    public var lastInstruction: String
    /// What that step's text contains.
    public var containing: String
    /// Parameters: an image that tells another value than the default was customised.
    public var customisedBy: [String]
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
    /// The scenario that it looks at: the check is a probe. Nil for one that needs no container.
    public var scenario: String? = nil
    /// All must hold.
    public var expectations: [SuiteNode]
    /// What must hold by the letter of the document, where images are known to differ from it.
    public var documented: [SuiteNode]
    public var remedy: Template?
    public var position: SourcePosition
}
