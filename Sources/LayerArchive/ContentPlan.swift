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
            /// Every path whose last component has these bytes in it, as `.so.`.
            case infix([UInt8])
        }

        /// What is kept of a file.
        public enum Kept: Sendable, Hashable {
            case content
            /// Of whatever size, what it tells the dynamic linker.
            case linkage
        }

        public var pattern: Pattern
        /// Largest content that is kept, in bytes; a larger file keeps nothing and its fact is an error.
        public var maximumBytes: Int
        /// Whether the content that each layer wrote is kept, also where a later layer replaces it.
        public var keepsVersions: Bool
        public var keeps: Kept

        public init(
            _ pattern: Pattern, maximumBytes: Int = 1 << 20, keepsVersions: Bool = false,
            keeps: Kept = .content
        ) {
            self.pattern = pattern
            self.maximumBytes = maximumBytes
            self.keepsVersions = keepsVersions
            self.keeps = keeps
        }
    }

    private var byPath: [ImagePath: Rule] = [:]
    private var byDirectory: [ImagePath: Rule] = [:]
    /// Hashes of the last components of `byPath` and `byDirectory`: a cheap test before the exact one, since
    /// nearly every member of a layer is wanted by no rule.
    private var nameHashes: Set<UInt64> = []
    private var directoryHashes: Set<UInt64> = []
    /// By the last byte of the suffix.
    private var bySuffix: [UInt8: [(suffix: [UInt8], rule: Rule)]] = [:]
    private var byInfix: [(infix: [UInt8], rule: Rule)] = []

    public init(_ rules: [Rule] = []) {
        for rule in rules { insert(rule) }
    }

    /// Adds a rule; of two rules for one pattern the more generous bounds hold.
    public mutating func insert(_ rule: Rule) {
        func merged(_ existing: Rule?) -> Rule {
            Rule(
                rule.pattern, maximumBytes: max(rule.maximumBytes, existing?.maximumBytes ?? 0),
                keepsVersions: rule.keepsVersions || existing?.keepsVersions == true,
                keeps: existing?.keeps == .content ? .content : rule.keeps)
        }
        switch rule.pattern {
        case .path(let path):
            byPath[path] = merged(byPath[path])
            nameHashes.insert(ContentPlan.hash(path.name ?? []))
        case .directory(let path):
            byDirectory[path] = merged(byDirectory[path])
            directoryHashes.insert(ContentPlan.hash(path.name ?? []))
        case .suffix(let suffix):
            guard let last = suffix.last else { return }
            var rules = bySuffix[last] ?? []
            if let index = rules.firstIndex(where: { $0.suffix == suffix }) {
                rules[index].rule = merged(rules[index].rule)
            } else {
                rules.append((suffix, rule))
            }
            bySuffix[last] = rules
        case .infix(let infix):
            if let index = byInfix.firstIndex(where: { $0.infix == infix }) {
                byInfix[index].rule = merged(byInfix[index].rule)
            } else {
                byInfix.append((infix, rule))
            }
        }
    }

    public mutating func formUnion(_ other: ContentPlan) {
        for rule in other.rules { insert(rule) }
    }

    /// The rules in an order that is the same for equal plans, and of which the same plan can be made again.
    public var rules: [Rule] {
        func ordered(_ rules: [ImagePath: Rule]) -> [Rule] {
            rules.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }.map(\.value)
        }
        return ordered(byPath) + ordered(byDirectory)
            + bySuffix.sorted { $0.key < $1.key }.flatMap(\.value).map(\.rule) + byInfix.map(\.rule)
    }

    /// The rule that wants a regular file of this name, if any; `name` is the member's name in the archive. A rule
    /// for the path comes before one for the directory, and that before suffixes and infixes.
    public func rule(forMember name: UnsafeBufferPointer<UInt8>) -> Rule? {
        let (parent, last) = ContentPlan.lastComponents(of: name)
        if nameHashes.contains(ContentPlan.hash(last)), let rule = byPath[ImagePath(name)] { return rule }
        if directoryHashes.contains(ContentPlan.hash(parent)),
            let rule = byDirectory[ImagePath(name).parent]
        {
            return rule
        }
        guard let final = name.last else { return nil }
        for (suffix, rule) in bySuffix[final] ?? [] where name.count >= suffix.count {
            if name[(name.count - suffix.count)...].elementsEqual(suffix) { return rule }
        }
        return byInfix.first { ContentPlan.contains(last, $0.infix) }?.rule
    }

    private static func contains(_ name: Slice<UnsafeBufferPointer<UInt8>>, _ infix: [UInt8]) -> Bool {
        guard let first = infix.first, name.count >= infix.count else { return false }
        return (name.startIndex...name.endIndex - infix.count).contains { start in
            name[start] == first && name[start..<start + infix.count].elementsEqual(infix)
        }
    }

    /// The component before the last, and the last; empty where there is none. A name that is not normalised
    /// (`a/./b`) may give a component that is none: such names are not in archives that tools write, and a rule
    /// that does not see one keeps nothing, which is an error and not a pass.
    private static func lastComponents(
        of name: UnsafeBufferPointer<UInt8>
    ) -> (parent: Slice<UnsafeBufferPointer<UInt8>>, last: Slice<UnsafeBufferPointer<UInt8>>) {
        let slash = UInt8(ascii: "/")
        var end = name.count
        while end > 0, name[end - 1] == slash { end -= 1 }
        var start = end
        while start > 0, name[start - 1] != slash { start -= 1 }
        var parentStart = max(0, start - 1)
        while parentStart > 0, name[parentStart - 1] != slash { parentStart -= 1 }
        return (name[parentStart..<max(parentStart, start - 1)], name[start..<end])
    }

    /// FNV-1a. Collisions cost time and change nothing.
    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
