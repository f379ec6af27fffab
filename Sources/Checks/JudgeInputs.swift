import Facts
import Suite
import Verdict

/// What the user says about an image and the run.
public struct JudgeInputs: Sendable {
    /// A build argument as given.
    public struct Argument: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A constraints file as given.
    public struct GivenConstraints: Hashable, Sendable {
        /// How the user names it.
        public var name: String
        public var constraints: Constraints

        /// - Parameter bytes: the content of the file.
        /// - Throws: `MalformedRequirement` with the first line that is no constraint.
        public init(name: String, reading bytes: [UInt8]) throws(MalformedRequirement) {
            self.name = name
            constraints = try Constraints(bytes)
        }
    }

    /// From the command line; of several for one name the last counts.
    public var buildArguments: [Argument]
    /// From a file of build arguments.
    public var buildArgumentFile: [Argument]
    /// The id of a profile to judge by, whatever the image looks like.
    public var profile: String?
    /// The image that this one was made from.
    public var base: BaseImage?
    /// The versions that distributions may have.
    public var constraints: GivenConstraints?
    /// Whether the document's letter decides where images are known to differ from it.
    public var judgesByDocument: Bool
    /// The time of the run in seconds since the epoch; nil leaves undecided what depends on it.
    public var now: Int64?
    /// Ids, groups or globs of the checks to run; empty means all.
    public var only: [String]
    /// Ids, groups or globs of checks not to run.
    public var skip: [String]

    public init(
        buildArguments: [Argument] = [], buildArgumentFile: [Argument] = [], profile: String? = nil,
        base: BaseImage? = nil, constraints: GivenConstraints? = nil, judgesByDocument: Bool = false,
        now: Int64? = nil, only: [String] = [], skip: [String] = []
    ) {
        self.buildArguments = buildArguments
        self.buildArgumentFile = buildArgumentFile
        self.profile = profile
        self.base = base
        self.constraints = constraints
        self.judgesByDocument = judgesByDocument
        self.now = now
        self.only = only
        self.skip = skip
    }

    /// What is wrong with the inputs for a run with these suites: an argument that no suite declares, a value
    /// that is not of the argument's type, a profile or a check that no suite has. Empty when all is well.
    public func problems(for suites: [CompiledSuite]) -> [SuiteDiagnostic] {
        var problems: [SuiteDiagnostic] = []
        let declared = suites.flatMap(\.document.parameters)
        for argument in buildArguments + buildArgumentFile {
            let matching = suites.compactMap { $0.document.parameter(named: argument.name) }
            if matching.isEmpty {
                let names = declared.flatMap { [$0.name] + $0.aliases }
                problems.append(
                    SuiteDiagnostic(
                        nil, "no suite knows the build argument \(argument.name)",
                        suggestion: nearest(to: argument.name, among: names)))
            }
            for objection in Set(matching.compactMap { $0.type.objection(to: argument.value) }).sorted()
            where !argument.value.isEmpty {
                problems.append(
                    SuiteDiagnostic(
                        nil, "the build argument \(argument.name) is \(objection), not \(argument.value)"))
            }
        }
        if let profile {
            let ids = suites.flatMap(\.document.profiles).map(\.id)
            if !ids.contains(profile) {
                problems.append(
                    SuiteDiagnostic(
                        nil, "no suite has a profile \(profile) (\(ids.joined(separator: ", ")))",
                        suggestion: nearest(to: profile, among: ids)))
            }
        }
        let checks = suites.flatMap(\.document.checks)
        for pattern in only + skip where !checks.contains(where: { JudgeInputs.matches(pattern, $0) }) {
            problems.append(
                SuiteDiagnostic(
                    nil, "no check matches \(pattern)",
                    suggestion: nearest(to: pattern, among: Set(checks.map(\.id) + checks.map(\.group)))))
        }
        return problems
    }

    /// Why the check is not run; nil when it is.
    func reasonToSkip(_ check: CheckDeclaration) -> String? {
        if !only.isEmpty, !only.contains(where: { JudgeInputs.matches($0, check) }) { return "not selected" }
        if let pattern = skip.first(where: { JudgeInputs.matches($0, check) }) {
            return "deselected by \(pattern)"
        }
        return nil
    }

    private static func matches(_ pattern: String, _ check: CheckDeclaration) -> Bool {
        if pattern == "static" { return check.scenario == nil }
        if pattern == "probe" { return check.scenario != nil }
        let glob = Glob(pattern)
        return glob.matches(check.id) || glob.matches(check.group)
    }
}
