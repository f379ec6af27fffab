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
    /// Hashes of the last components of `byPath` and `byDirectory`: a cheap test before the exact one, since
    /// nearly every member of a layer is wanted by no rule.
    private var nameHashes: Set<UInt64> = []
    private var directoryHashes: Set<UInt64> = []
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
            nameHashes.insert(ContentPlan.hash(path.name ?? []))
        case .directory(let path):
            byDirectory[path] = merged(byDirectory[path])
            directoryHashes.insert(ContentPlan.hash(path.name ?? []))
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
        let (parent, last) = ContentPlan.lastComponents(of: name)
        if nameHashes.contains(ContentPlan.hash(last)), let rule = byPath[ImagePath(name)] { return rule }
        guard directoryHashes.contains(ContentPlan.hash(parent)) else { return nil }
        return byDirectory[ImagePath(name).parent]
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
