import OCIModel
import Suite
import Verdict

/// What there is to say of a kind of expectation; `assay explain`, help texts and documentation are made of it.
public struct ExpectationKind: Hashable, Sendable {
    /// The key that it is recognised by.
    public let name: String
    /// One line: what is expected of what.
    public let summary: String
    /// What stands behind the name.
    public let value: ValueKind
    public let keys: [Key]
    /// An expectation in YAML that an ordinary image meets.
    public let passing: String
    /// One that it does not meet.
    public let failing: String
    /// Whether it looks at what a scenario ran, not at the image.
    public let isProbe: Bool

    public struct Key: Hashable, Sendable {
        public let name: String
        public let summary: String
        public let value: ValueKind

        init(_ name: String, _ summary: String, _ value: ValueKind = .matcher) {
            self.name = name
            self.summary = summary
            self.value = value
        }
    }

    /// What can be written behind a key.
    public enum ValueKind: Hashable, Sendable {
        case text
        case texts
        case flag
        case matcher
        case quantified
        /// An operator of matchers, by its name.
        case matcherOperator
        /// A mapping with these keys.
        case mapping([Key])
    }

    init(
        _ name: String, summary: String, value: ValueKind = .text, keys: [Key], passing: String,
        failing: String, isProbe: Bool = false
    ) {
        self.name = name
        self.summary = summary
        self.value = value
        self.keys = keys
        self.passing = passing
        self.failing = failing
        self.isProbe = isProbe
    }

    /// Every kind, in the order of the documentation.
    public static var all: [ExpectationKind] { expectationTypes.map { $0.kind } }

    /// `value:` and the operators, for kinds that hold one value against a matcher.
    static let matcherKeys =
        [Key("value", "what it has to be: any matcher, also one by release")]
        + Matcher.operators.map { Key($0, "the operator of matchers", .matcherOperator) }
}

/// One compiled expectation: a pure function of an image's facts.
protocol Expectation: Sendable {
    static var kind: ExpectationKind { get }

    /// - Returns: nil when something is wrong that leaves nothing to evaluate; it is then reported.
    init?(_ fields: Fields, _ reading: inout SuiteReading)

    /// - Throws: `Unresolved` when it cannot be decided.
    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation

    /// Changes of the image, each of which ought to make the expectation fail, given that it holds at present; the
    /// smallest first. Empty only where the image gives nothing to break, and for what a container does, which is
    /// not known of a changed image. `assay prove` tries them one after another.
    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation]

    /// Files whose content it reads.
    var contentPaths: [Template] { get }
}

extension Expectation {
    var contentPaths: [Template] { [] }
}

private let expectationTypes: [any Expectation.Type] = [
    UserExpectation.self, GroupExpectation.self, RunsAsExpectation.self, PathExpectation.self,
    PathsExpectation.self, PackagesExpectation.self, CommandsExpectation.self, LibrariesExpectation.self,
    DistributionsExpectation.self, PythonExpectation.self, OperatingSystemExpectation.self,
    ConfigExpectation.self, EnvironmentExpectation.self, LabelExpectation.self, NamesExpectation.self,
    BaseExpectation.self, ExitExpectation.self, StdoutExpectation.self, StderrExpectation.self,
    TookExpectation.self, OrderExpectation.self, ConnectionsExpectation.self, FileExpectation.self,
    ProcessExpectation.self, PortExpectation.self,
    RequirementsExpectation.self, SatisfiedExpectation.self, ConstraintsExpectation.self,
    RecordExpectation.self, LinkedExpectation.self, LayersExpectation.self, AptSourcesExpectation.self,
    SecretsExpectation.self,
]

/// Compiles one item of `expect`, or the expectation of a condition; its first key decides the kind.
///
/// - Returns: nil when it is wrong, which is then reported.
func compileExpectation(_ node: SuiteNode, _ reading: inout SuiteReading) -> (any Expectation)? {
    guard let members = node.members, let first = members.first else {
        reading.report(node.position, "an expectation is a mapping that begins with its kind")
        return nil
    }
    guard let type = expectationTypes.first(where: { $0.kind.name == first.key }) else {
        let names = expectationTypes.map { $0.kind.name }
        let isMisplaced = members.contains { names.contains($0.key) }
        reading.report(
            first.keyPosition,
            isMisplaced
                ? "the kind of an expectation is its first key, not \(first.key)"
                : "\(first.key) is no kind of expectation (\(names.joined(separator: ", ")))",
            suggestion: isMisplaced ? nil : nearest(to: first.key, among: names))
        return nil
    }
    let allowed = [type.kind.name] + type.kind.keys.map(\.name)
    let what = "the expectation \(type.kind.name)"
    guard let fields = Fields(node, what, allowed: allowed, reading: &reading) else { return nil }
    return type.init(fields, &reading)
}
