/// What a matcher is held against.
public enum Observed: Hashable, Sendable {
    case text(String)
    case list([String])
    /// The thing has no such value.
    case none

    /// For showing; not escaped.
    public var description: String {
        switch self {
        case .text(let text): text.isEmpty ? "empty" : text
        case .list(let items): "[" + items.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        case .none: "absent"
        }
    }
}

/// A regular expression; it has to match the whole text.
public struct Pattern: Hashable, Sendable {
    public let source: String

    /// - Returns: nil when the text is not a regular expression.
    public init?(_ source: String) {
        self.source = source
        if compiled == nil { return nil }
    }

    private var compiled: Regex<AnyRegexOutput>? { try? Regex(source) }

    public func matches(_ text: String) -> Bool {
        (try? compiled?.matchingSemantics(.unicodeScalar).wholeMatch(in: text)) != nil
    }

    /// What the first group captured when the whole text matches; the text itself when there is no group.
    public func capture(in text: String) -> String? {
        guard let match = try? compiled?.matchingSemantics(.unicodeScalar).wholeMatch(in: text) else {
            return nil
        }
        guard match.output.count > 1 else { return text }
        return match.output[1].substring.map(String.init)
    }

    /// The text with every character that has a meaning in a regular expression escaped.
    static func quote(_ text: String) -> String {
        text.reduce(into: "") { output, character in
            if "\\.[]{}()*+?^$|".contains(character) { output.append("\\") }
            output.append(character)
        }
    }
}

/// What a value has to be: the one grammar for values everywhere in a suite.
public indirect enum Matcher: Hashable, Sendable {
    case equals(Template)
    case list([Template])
    case not(Matcher)
    case matches(Template)
    case contains(Template)
    case oneOf([Template])
    case startsWith(Template)
    case endsWith(Template)
    case version(VersionRange)
    case absent(Bool)
    /// Every item of a list.
    case each(Matcher)
    case all([Matcher])
    case byRelease([Case], otherwise: Matcher?)

    public struct Case: Hashable, Sendable {
        public var range: VersionRange
        public var matcher: Matcher
    }

    /// The names of the operators, as in `{matches: …}`.
    public static let operators = [
        "equals", "not", "matches", "contains", "oneOf", "startsWith", "endsWith", "version", "absent",
        "each",
    ]
}

// MARK: - Evaluation

extension Matcher {
    /// The matcher that holds for this image: releases chosen, parameters filled in.
    ///
    /// - Throws: `Unresolved` when a parameter has no value or the release is not known.
    public func resolved(in scope: Scope) throws(Unresolved) -> Matcher {
        switch self {
        case .equals(let text): return .equals(try text.literal(in: scope))
        case .list(let items): return .list(try Matcher.literals(items, scope))
        case .oneOf(let items): return .oneOf(try Matcher.literals(items, scope))
        case .not(let inner): return .not(try inner.resolved(in: scope))
        case .each(let inner): return .each(try inner.resolved(in: scope))
        case .matches(let text):
            return .matches(Template(literal: try text.resolved(in: scope, quoting: Pattern.quote)))
        case .contains(let text): return .contains(try text.literal(in: scope))
        case .startsWith(let text): return .startsWith(try text.literal(in: scope))
        case .endsWith(let text): return .endsWith(try text.literal(in: scope))
        case .version, .absent: return self
        case .all(let parts):
            var resolved: [Matcher] = []
            for part in parts { resolved.append(try part.resolved(in: scope)) }
            return .all(resolved)
        case .byRelease(let cases, let otherwise):
            for one in cases where try scope.version.isIn(one.range) {
                return try one.matcher.resolved(in: scope)
            }
            guard let otherwise else {
                throw Unresolved("the expectation has no value for this release: \(description)")
            }
            return try otherwise.resolved(in: scope)
        }
    }

    private static func literals(_ items: [Template], _ scope: Scope) throws(Unresolved) -> [Template] {
        var output: [Template] = []
        for item in items {
            for word in try item.words(in: scope) { output.append(Template(literal: word)) }
        }
        return output
    }

    /// Whether the value is as it has to be. A value that is absent is equal to nothing and matches nothing: it satisfies `not`,
    /// `absent`, `each` and the empty list.
    ///
    /// - Precondition: the matcher is resolved.
    public func accepts(_ value: Observed) -> Bool {
        switch (self, value) {
        case (.not(let inner), _): !inner.accepts(value)
        case (.all(let parts), _): parts.allSatisfy { $0.accepts(value) }
        case (.absent(let isAbsent), _): (value == .none) == isAbsent
        case (.list(let items), .list(let values)): items.map(\.source) == values
        case (.list(let items), .none): items.isEmpty
        case (.each(let inner), .list(let values)): values.allSatisfy { inner.accepts(.text($0)) }
        case (.each, .none): true
        case (.contains(let item), .list(let values)): values.contains(item.source)
        case (.equals(let wanted), .text(let text)): text.utf8.elementsEqual(wanted.source.utf8)
        case (.oneOf(let items), .text(let text)): items.contains { text.utf8.elementsEqual($0.source.utf8) }
        case (.contains(let part), .text(let text)): part.source.isEmpty || text.contains(part.source)
        case (.startsWith(let part), .text(let text)): text.hasPrefix(part.source)
        case (.endsWith(let part), .text(let text)): text.hasSuffix(part.source)
        case (.matches(let pattern), .text(let text)): Pattern(pattern.source)?.matches(text) ?? false
        case (.version(let range), .text(let text)): ReleaseVersion(text).map(range.contains) ?? false
        default: false
        }
    }
}

extension Template {
    fileprivate func literal(in scope: Scope) throws(Unresolved) -> Template {
        Template(literal: try resolved(in: scope))
    }
}

extension Matcher: CustomStringConvertible {
    /// In words, for a finding's "expected".
    public var description: String {
        switch self {
        case .equals(let text): text.source.isEmpty ? "empty" : text.source
        case .list(let items): "[" + items.map { "\"\($0.source)\"" }.joined(separator: ", ") + "]"
        case .not(let inner): "not \(inner)"
        case .matches(let pattern): "matching \(pattern.source)"
        case .contains(let part): "containing \(part.source)"
        case .oneOf(let items): "one of \(items.map(\.source).joined(separator: ", "))"
        case .startsWith(let part): "beginning with \(part.source)"
        case .endsWith(let part): "ending with \(part.source)"
        case .version(let range): "version \(range)"
        case .absent(let isAbsent): isAbsent ? "absent" : "present"
        case .each(let inner): "each \(inner)"
        case .all(let parts): parts.map(\.description).joined(separator: " and ")
        case .byRelease(let cases, let otherwise):
            (cases.map { "\($0.matcher) for \($0.range)" } + (otherwise.map { ["else \($0)"] } ?? []))
                .joined(separator: ", ")
        }
    }

    /// The texts that it compares as a whole.
    public var texts: [String] {
        switch self {
        case .equals(let text): [text.source]
        case .oneOf(let items), .list(let items): items.map(\.source)
        case .not(let inner), .each(let inner): inner.texts
        case .all(let parts): parts.flatMap(\.texts)
        case .byRelease(let cases, let otherwise):
            cases.flatMap(\.matcher.texts) + (otherwise?.texts ?? [])
        case .matches, .contains, .startsWith, .endsWith, .version, .absent: []
        }
    }

    /// The matcher with every text that it compares as a whole changed; for values with more than one spelling.
    public func mappingTexts(_ change: (String) -> String) -> Matcher {
        func changed(_ template: Template) -> Template { Template(mapping: template, change) }
        switch self {
        case .equals(let text): return .equals(changed(text))
        case .oneOf(let items): return .oneOf(items.map(changed))
        case .list(let items): return .list(items.map(changed))
        case .not(let inner): return .not(inner.mappingTexts(change))
        case .each(let inner): return .each(inner.mappingTexts(change))
        case .all(let parts): return .all(parts.map { $0.mappingTexts(change) })
        case .byRelease(let cases, let otherwise):
            return .byRelease(
                cases.map { Case(range: $0.range, matcher: $0.matcher.mappingTexts(change)) },
                otherwise: otherwise?.mappingTexts(change))
        default: return self
        }
    }
}

extension Template {
    /// The same template when it has parameters, else its text changed.
    fileprivate init(mapping template: Template, _ change: (String) -> String) {
        let isLiteral = template.pieces.allSatisfy { if case .text = $0 { true } else { false } }
        self = isLiteral ? Template(literal: change(template.source)) : template
    }
}
