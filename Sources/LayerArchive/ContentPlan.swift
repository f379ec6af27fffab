import OCIModel

/// Which file contents a run keeps while it reads the layers: everything else is hashed and dropped.
public struct ContentPlan: Sendable {
    /// One pattern of wanted paths.
    public struct Rule: Sendable, Hashable {
        public enum Pattern: Sendable, Hashable {
            /// Exactly this path.
            case path(ImagePath)
            /// Every file directly inside this directory.
            case directory(ImagePath)
            /// Every path that ends with these bytes, as `.dist-info/METADATA`.
            case suffix([UInt8])
        }

        public var pattern: Pattern
        /// Largest content that is kept, in bytes; a larger file keeps nothing and its fact is an error.
        public var maximumBytes: Int
        /// Whether the content that each layer wrote is kept, also where a later layer replaces it.
        public var keepsVersions: Bool

        public init(_ pattern: Pattern, maximumBytes: Int = 1 << 20, keepsVersions: Bool = false) {
            self.pattern = pattern
            self.maximumBytes = maximumBytes
            self.keepsVersions = keepsVersions
        }
    }

    private var byPath: [ImagePath: Rule] = [:]
    private var byDirectory: [ImagePath: Rule] = [:]
    /// Last components of `byPath`: a cheap test before the exact one.
    private var lastComponents: Set<[UInt8]> = []
    private var bySuffix: [(suffix: [UInt8], rule: Rule)] = []

    public init(_ rules: [Rule] = []) {
        for rule in rules { insert(rule) }
    }

    /// Adds a rule; of two rules for one pattern the more generous bounds hold.
    public mutating func insert(_ rule: Rule) {
        func merged(_ existing: Rule?) -> Rule {
            Rule(
                rule.pattern, maximumBytes: max(rule.maximumBytes, existing?.maximumBytes ?? 0),
                keepsVersions: rule.keepsVersions || existing?.keepsVersions == true)
        }
        switch rule.pattern {
        case .path(let path):
            byPath[path] = merged(byPath[path])
            lastComponents.insert(Array(path.name ?? []))
        case .directory(let path): byDirectory[path] = merged(byDirectory[path])
        case .suffix(let suffix):
            if let index = bySuffix.firstIndex(where: { $0.suffix == suffix }) {
                bySuffix[index].rule = merged(bySuffix[index].rule)
            } else {
                bySuffix.append((suffix, rule))
            }
        }
    }

    public mutating func formUnion(_ other: ContentPlan) {
        for rule in other.rules { insert(rule) }
    }

    public var rules: [Rule] { Array(byPath.values) + Array(byDirectory.values) + bySuffix.map(\.rule) }

    /// The rule that wants a regular file of this name, if any; `name` is the member's name in the archive.
    public func rule(forMember name: UnsafeBufferPointer<UInt8>) -> Rule? {
        for (suffix, rule) in bySuffix where name.count >= suffix.count {
            if name[(name.count - suffix.count)...].elementsEqual(suffix) { return rule }
        }
        guard let last = name.lastIndex(where: { $0 != UInt8(ascii: "/") }) else { return nil }
        let start = name[..<last].lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        if lastComponents.contains(Array(name[start...last])) {
            let path = ImagePath(name)
            if let rule = byPath[path] { return rule }
        }
        return byDirectory.isEmpty ? nil : byDirectory[ImagePath(name).parent]
    }
}
