import Verdict

/// When a check applies, or a profile is the right one. Everything stated has to hold.
public struct Condition: Hashable, Sendable {
    /// For a check the release it is judged by, for a profile the installed version.
    public var versions: VersionRange?
    public var parameters: [ParameterCondition] = []
    /// The id of a variant that the image is of.
    public var variant: String?
    /// How the image came to be.
    public var lineage: Lineage?
    /// Something that the user gave beside the image.
    public var given: Input?
    public var all: [Condition] = []
    public var any: [Condition] = []
    public var none: [Condition] = []
    /// The rest of the mapping: an expectation on the image, in the grammar of `expect`.
    public var expectation: SuiteNode?
    public var position: SourcePosition

    public struct ParameterCondition: Hashable, Sendable {
        public var name: String
        public var matcher: Matcher
    }

    /// How an image can have come to be out of the standard's own.
    public enum Lineage: String, Sendable, CaseIterable {
        /// Layers were added on top.
        case extended
        /// Built by the standard's Dockerfile, with build arguments that change its content.
        case customised
    }

    /// What a user can give beside the image.
    public enum Input: String, Sendable, CaseIterable {
        /// The image that was extended.
        case base
        /// The versions that distributions may have.
        case constraints

        /// The option of the command line.
        public var option: String { "--\(rawValue)" }
    }

    static let keys = ["versions", "parameters", "variant", "lineage", "given", "all", "any", "none"]

    init?(reading node: SuiteNode, _ reading: inout SuiteReading) {
        guard let members = node.members, !members.isEmpty else {
            reading.report(node.position, "a condition is a mapping, not \(node.kindName)")
            return nil
        }
        let own = SuiteNode(.mapping(members.filter { Condition.keys.contains($0.key) }), at: node.position)
        guard let fields = Fields(own, "a condition", allowed: Condition.keys, reading: &reading) else {
            return nil
        }
        position = node.position
        versions = fields.range("versions", &reading)
        for member in fields.value("parameters", &reading)?.members ?? [] {
            if let known = reading.parameterNames, !known.contains(member.key) {
                reading.report(
                    member.keyPosition, "\(member.key) is not a declared parameter",
                    suggestion: nearest(to: member.key, among: known))
            }
            if let matcher = Matcher(reading: member.value, &reading) {
                parameters.append(ParameterCondition(name: member.key, matcher: matcher))
            }
        }
        variant = fields.text("variant", &reading)
        if let variant, let known = reading.variantNames, !known.contains(variant) {
            reading.report(
                fields.node["variant"]?.position, "\(variant) is not a declared variant",
                suggestion: nearest(to: variant, among: known))
        }
        lineage = fields.choice("lineage", Lineage.allCases, &reading)
        given = fields.choice("given", Input.allCases, &reading)
        all = Condition.list(fields, "all", &reading)
        any = Condition.list(fields, "any", &reading)
        none = Condition.list(fields, "none", &reading)
        let rest = members.filter { !Condition.keys.contains($0.key) }
        if let first = rest.first {
            expectation = SuiteNode(.mapping(rest), at: first.keyPosition)
        }
    }

    private static func list(_ fields: Fields, _ key: String, _ reading: inout SuiteReading) -> [Condition] {
        guard let value = fields.value(key, &reading) else { return [] }
        guard let items = value.list, !items.isEmpty else {
            reading.report(value.position, "\(key) is a list of conditions")
            return []
        }
        return items.compactMap { Condition(reading: $0, &reading) }
    }
}
