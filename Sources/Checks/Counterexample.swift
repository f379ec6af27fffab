import Suite

extension Matcher {
    /// Values that the matcher does not accept, the one most like the present value first.
    ///
    /// - Parameters:
    ///   - present: the value that it accepts at present.
    ///   - domain: the texts that the value can be at all; nil when it can be any.
    /// - Precondition: the matcher is resolved.
    func rejected(near present: Observed, among domain: [String]? = nil) -> [Observed] {
        candidates(near: present, among: domain).filter { $0 != present && !accepts($0) }
    }

    /// Values that the matcher accepts, the one most like the present value first; arguments as of `rejected`.
    func accepted(near present: Observed, among domain: [String]? = nil) -> [Observed] {
        ([present] + candidates(near: present, among: domain)).filter { accepts($0) }
    }

    private func candidates(near present: Observed, among domain: [String]?) -> [Observed] {
        let material = literals.sorted()
        if case .list(let items) = present { return Matcher.lists(near: items, material, domain) }
        if let domain { return domain.map { .text($0) } + [.none] }
        var texts: [String] = []
        if case .text(let text) = present {
            if text.last?.isNumber == true { texts.append(text + ".1") }
            texts += Matcher.withOneItemLess(text) + [text + "x"] + material + ["x" + text]
            for part in material where !part.isEmpty { texts.append(text.replacing(part, with: "")) }
        }
        texts += material + ["violation", "1", "0", "999999", "true", ""]
        for part in material { texts += [part + "x", "x" + part] }
        return texts.map { .text($0) } + [.none]
            + (present == .none ? Matcher.lists(near: [], material, domain) : [])
    }

    /// The text as a list between colons or commas, each time without another item.
    private static func withOneItemLess(_ text: String) -> [String] {
        guard let separator = ":,".first(where: text.contains) else { return [] }
        let items = text.split(separator: separator, omittingEmptySubsequences: false)
        return items.indices.prefix(50).map { index in
            var rest = items
            rest.remove(at: index)
            return rest.joined(separator: String(separator))
        }
    }

    private static func lists(
        near items: [String], _ material: [String], _ domain: [String]?
    ) -> [Observed] {
        let extra = domain ?? ["violation"] + material + ["1/tcp"]
        var lists = extra.map { items + [$0] }
        for index in items.indices {
            var fewer = items
            fewer.remove(at: index)
            lists.append(fewer)
        }
        return (lists + extra.map { [$0] }).map { .list($0) } + [.none]
    }

    /// The texts that it is made of, and the ends of its ranges.
    private var literals: Set<String> {
        switch self {
        case .equals(let text), .contains(let text), .startsWith(let text), .endsWith(let text):
            [text.source]
        case .oneOf(let items), .list(let items): Set(items.map(\.source))
        case .not(let inner), .each(let inner): inner.literals
        case .all(let parts): parts.reduce(into: []) { $0.formUnion($1.literals) }
        case .version(let range): range.ends
        case .matches, .absent, .byRelease: []
        }
    }
}

extension VersionRange {
    /// A release at each end, and one that lies beyond.
    fileprivate var ends: Set<String> {
        var ends: Set<String> = []
        for text in ["0.0.1", "9999.0"] {
            guard let version = ReleaseVersion(text) else { continue }
            ends.formUnion([text, clamp(version).description])
        }
        return ends
    }
}
