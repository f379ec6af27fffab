import Verdict

extension Matcher {
    /// Reads a matcher: a text, a list, a mapping of operators, or a mapping from releases to matchers.
    ///
    /// - Returns: nil when it is none of them, which is then reported.
    public init?(reading node: SuiteNode, _ reading: inout SuiteReading) {
        switch node.value {
        case .empty:
            reading.report(node.position, "a value is missing")
            return nil
        case .scalar(let text): self = .equals(Template(text, at: node, reading: &reading))
        case .list(let items): self = .list(Matcher.templates(items, &reading))
        case .mapping(let members):
            guard !members.isEmpty else {
                reading.report(node.position, "an empty mapping expects nothing")
                return nil
            }
            let isByRelease = members.allSatisfy { $0.key == "default" || VersionRange($0.key) != nil }
            guard
                let matcher = isByRelease
                    ? Matcher.byRelease(members, &reading) : Matcher.operators(members, &reading)
            else { return nil }
            self = matcher
        }
    }

    /// Reads the matcher of an expectation that has its operators, or `value:`, beside its own keys.
    ///
    /// - Returns: nil when there is neither.
    public static func inline(in fields: Fields, _ reading: inout SuiteReading) -> Matcher? {
        let members = (fields.node.members ?? []).filter { operators.contains($0.key) }
        var parts: [Matcher] = []
        if let value = fields.matcher("value", &reading) { parts.append(value) }
        if !members.isEmpty, let matcher = Matcher.operators(members, &reading) { parts.append(matcher) }
        return parts.count > 1 ? .all(parts) : parts.first
    }

    private static func operators(_ members: [SuiteNode.Member], _ reading: inout SuiteReading) -> Matcher? {
        var parts: [Matcher] = []
        for member in members {
            guard operators.contains(member.key) else {
                let hint = "expected an operator (\(operators.joined(separator: ", "))) or version ranges"
                reading.report(
                    member.keyPosition, "\(member.key) is no operator; \(hint)",
                    suggestion: nearest(to: member.key, among: operators + ["default"]))
                continue
            }
            if let matcher = oneOperator(member, &reading) { parts.append(matcher) }
        }
        return parts.count > 1 ? .all(parts) : parts.first
    }

    private static func oneOperator(_ member: SuiteNode.Member, _ reading: inout SuiteReading) -> Matcher? {
        let node = member.value
        switch member.key {
        case "not": return Matcher(reading: node, &reading).map { .not($0) }
        case "each": return Matcher(reading: node, &reading).map { .each($0) }
        case "equals":
            if let items = node.list { return .list(templates(items, &reading)) }
            return template(member, &reading).map { .equals($0) }
        case "oneOf":
            guard let items = node.list, !items.isEmpty else {
                reading.report(node.position, "oneOf is a list of texts")
                return nil
            }
            return .oneOf(templates(items, &reading))
        case "absent":
            guard let text = node.scalar, text == "true" || text == "false" else {
                reading.report(node.position, "absent is true or false")
                return nil
            }
            return .absent(text == "true")
        case "version":
            guard let text = node.scalar, let range = VersionRange(text) else {
                reading.report(
                    node.position,
                    "\(node.scalar ?? node.kindName) is not a version range: expected \(rangeForms)")
                return nil
            }
            return .version(range)
        default:
            guard let template = template(member, &reading) else { return nil }
            switch member.key {
            case "matches":
                if Pattern(template.patternSample) == nil {
                    reading.report(node.position, "\(template.source) is not a regular expression")
                }
                return .matches(template)
            case "contains": return .contains(template)
            case "startsWith": return .startsWith(template)
            default: return .endsWith(template)
            }
        }
    }

    private static func byRelease(_ members: [SuiteNode.Member], _ reading: inout SuiteReading) -> Matcher? {
        var cases: [Case] = []
        var otherwise: Matcher?
        for member in members {
            guard let matcher = Matcher(reading: member.value, &reading) else { continue }
            if let range = VersionRange(member.key) {
                cases.append(Case(range: range, matcher: matcher))
            } else {
                otherwise = matcher
            }
        }
        return .byRelease(cases, otherwise: otherwise)
    }

    private static func template(_ member: SuiteNode.Member, _ reading: inout SuiteReading) -> Template? {
        guard let text = member.value.scalar else {
            reading.report(member.value.position, "\(member.key) is a text, not \(member.value.kindName)")
            return nil
        }
        return Template(text, at: member.value, reading: &reading)
    }

    private static func templates(_ items: [SuiteNode], _ reading: inout SuiteReading) -> [Template] {
        items.compactMap { item in
            guard let text = item.scalar else {
                reading.report(item.position, "the list has texts, not \(item.kindName)")
                return nil
            }
            return Template(text, at: item, reading: &reading)
        }
    }
}

extension Template {
    /// The template with a harmless text for each parameter, to see whether it is a regular expression.
    var patternSample: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .parameter: "x"
            }
        }.joined()
    }
}
