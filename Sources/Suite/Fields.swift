import Verdict

/// The members of one mapping of a suite, read by name; keys that are not allowed are reported at once.
public struct Fields: Sendable {
    public let node: SuiteNode
    let what: String

    /// - Parameters:
    ///   - what: what the mapping describes, for messages: "a check", "the expectation user".
    ///   - allowed: every key the mapping may have.
    /// - Returns: nil when the value is not a mapping, which is then reported.
    public init?(_ node: SuiteNode, _ what: String, allowed: [String], reading: inout SuiteReading) {
        guard let members = node.members else {
            reading.report(node.position, "\(what) is a mapping, not \(node.kindName)")
            return nil
        }
        for member in members where !allowed.contains(member.key) {
            reading.report(
                member.keyPosition, "\(what) has no key \(member.key)",
                suggestion: nearest(to: member.key, among: allowed))
        }
        self.node = node
        self.what = what
    }

    public func has(_ key: String) -> Bool { node[key] != nil }

    /// The value of a key; reports a key without value.
    public func value(_ key: String, _ reading: inout SuiteReading) -> SuiteNode? {
        guard let value = node[key] else { return nil }
        if value.value == .empty {
            reading.report(value.position, "\(key) of \(what) has no value")
            return nil
        }
        return value
    }

    /// As `value`, for a key that must be there.
    public func required(_ key: String, _ reading: inout SuiteReading) -> SuiteNode? {
        if node[key] == nil { reading.report(node.position, "\(what) needs the key \(key)") }
        return value(key, &reading)
    }

    public func text(_ key: String, _ reading: inout SuiteReading) -> String? {
        value(key, &reading).flatMap { asText($0, key, &reading) }
    }

    public func requiredText(_ key: String, _ reading: inout SuiteReading) -> String? {
        required(key, &reading).flatMap { asText($0, key, &reading) }
    }

    public func template(_ key: String, _ reading: inout SuiteReading) -> Template? {
        guard let value = value(key, &reading), let text = asText(value, key, &reading) else { return nil }
        return Template(text, at: value, reading: &reading)
    }

    public func requiredTemplate(_ key: String, _ reading: inout SuiteReading) -> Template? {
        _ = required(key, &reading)
        return node[key] == nil ? nil : template(key, &reading)
    }

    /// `true` or `false`; nil when the key is not there.
    public func flag(_ key: String, _ reading: inout SuiteReading) -> Bool? {
        guard let value = value(key, &reading) else { return nil }
        switch value.scalar {
        case "true": return true
        case "false": return false
        default:
            reading.report(value.position, "\(key) of \(what) is true or false")
            return nil
        }
    }

    /// A text, or a list of texts.
    public func texts(_ key: String, _ reading: inout SuiteReading) -> [SuiteNode] {
        guard let value = value(key, &reading) else { return [] }
        if value.scalar != nil { return [value] }
        guard let items = value.list else {
            reading.report(
                value.position, "\(key) of \(what) is a text or a list of texts, not \(value.kindName)")
            return []
        }
        return items.filter { item in
            if item.scalar != nil { return true }
            reading.report(item.position, "\(key) of \(what) lists texts, not \(item.kindName)")
            return false
        }
    }

    /// As `texts`, with parameters in them.
    public func templates(_ key: String, _ reading: inout SuiteReading) -> [Template] {
        texts(key, &reading).map { Template($0.scalar ?? "", at: $0, reading: &reading) }
    }

    public func matcher(_ key: String, _ reading: inout SuiteReading) -> Matcher? {
        value(key, &reading).flatMap { Matcher(reading: $0, &reading) }
    }

    /// A range of versions.
    public func range(_ key: String, _ reading: inout SuiteReading) -> VersionRange? {
        guard let value = value(key, &reading), let text = asText(value, key, &reading) else { return nil }
        let range = VersionRange(text)
        if range == nil {
            reading.report(value.position, "\(text) is not a version range: expected \(rangeForms)")
        }
        return range
    }

    /// The value of a key that is one of an enumeration's raw values.
    public func choice<Value: RawRepresentable>(
        _ key: String, _ values: [Value], _ reading: inout SuiteReading
    ) -> Value? where Value.RawValue == String {
        guard let text = text(key, &reading) else { return nil }
        if let value = Value(rawValue: text) { return value }
        let names = values.map(\.rawValue)
        reading.report(
            node[key]?.position, "\(key) is one of \(names.joined(separator: ", ")), not \(text)",
            suggestion: nearest(to: text, among: names))
        return nil
    }

    private func asText(_ value: SuiteNode, _ key: String, _ reading: inout SuiteReading) -> String? {
        if let text = value.scalar { return text }
        reading.report(value.position, "\(key) of \(what) is a text, not \(value.kindName)")
        return nil
    }
}

let rangeForms = "2.8..2.11, 2.2.., ..2.0.1, 2.8, >=1.2, <2"
