import OCIModel

/// A pattern for names and paths, matched byte by byte against the whole text.
///
/// | pattern | matches |
/// |---|---|
/// | `*` | any bytes but `/`, also none |
/// | `**` | any bytes, also `/` and none |
/// | `**/` at the start or after `/` | any number of directories, also none |
/// | `?` | one byte other than `/` |
/// | `[abc]`, `[a-z]`, `[!a]`, `[^a]` | one byte other than `/` of the set, or not of it |
/// | `\x` | the byte `x` itself |
///
/// A `[` that is never closed stands for itself; a leading dot is not special. Time grows with the length of the
/// text times the length of the pattern at worst: no pattern and no name makes it exponential.
public struct Glob: Hashable, Sendable {
    /// As it was written.
    public let pattern: String
    private let tokens: [Token]
    /// The bytes that every match begins with.
    private let literalPrefix: [UInt8]

    private enum Token: Hashable {
        case byte(UInt8)
        case set(ByteSet)
        /// `*`
        case anyInComponent
        /// `**`
        case any
        /// `**/`: either nothing, or anything that ends with a slash; always followed by `.anyUpToSlash`.
        case optionalDirectories
        case anyUpToSlash
    }

    public init(_ pattern: String) {
        self.pattern = pattern
        tokens = Self.tokens(of: Array(pattern.utf8))
        var prefix: [UInt8] = []
        for case .byte(let byte) in tokens.prefix(while: { if case .byte = $0 { true } else { false } }) {
            prefix.append(byte)
        }
        literalPrefix = prefix
    }

    /// The pattern that only this text matches.
    public init(literal text: [UInt8]) {
        pattern = String(decoding: text, as: UTF8.self)
        tokens = text.map { .byte($0) }
        literalPrefix = text
    }

    /// Whether the pattern names exactly one text.
    public var isLiteral: Bool { literalPrefix.count == tokens.count }

    /// The deepest directory in which everything that the pattern matches lies, when the pattern is of absolute
    /// paths: a search may begin there.
    public var baseDirectory: ImagePath {
        let end = literalPrefix.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return ImagePath(literalPrefix[..<end])
    }

    /// A text that the pattern matches.
    ///
    /// - Parameter word: what stands for each `*` and `**`; has no slash.
    public func example(word: String) -> String {
        var bytes: [UInt8] = []
        for token in tokens {
            switch token {
            case .byte(let byte): bytes.append(byte)
            case .set(let set):
                let printable = Array("a0".utf8) + (0x21...0x7E)
                bytes.append(printable.first(where: set.contains) ?? UInt8(ascii: "a"))
            case .anyInComponent, .any: bytes += Array(word.utf8)
            case .optionalDirectories, .anyUpToSlash: break
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    public func matches(_ path: ImagePath) -> Bool { matches(path.bytes) }

    public func matches(_ text: String) -> Bool { matches(Array(text.utf8)) }

    public func matches(_ text: some RandomAccessCollection<UInt8>) -> Bool {
        guard text.starts(with: literalPrefix) else { return false }
        if isLiteral { return text.count == literalPrefix.count }
        var run = Run(tokens: tokens, first: literalPrefix.count)
        for byte in text.dropFirst(literalPrefix.count) {
            run.consume(byte)
            if run.isStuck { return false }
        }
        return run.isComplete
    }

    /// The positions in the pattern that the text read so far can have led to.
    private struct Run {
        let tokens: [Token]
        private var active: [Int] = []
        /// For each position, the step in which it was last activated.
        private var activatedIn: [Int]
        private var step = 1

        init(tokens: [Token], first: Int) {
            self.tokens = tokens
            activatedIn = Array(repeating: 0, count: tokens.count + 1)
            activate(first)
        }

        var isStuck: Bool { active.isEmpty }
        var isComplete: Bool { activatedIn[tokens.count] == step }

        mutating func consume(_ byte: UInt8) {
            let previous = active
            active.removeAll(keepingCapacity: true)
            step += 1
            for position in previous where position < tokens.count {
                switch tokens[position] {
                case .byte(let wanted): if byte == wanted { activate(position + 1) }
                case .set(let set): if set.contains(byte) { activate(position + 1) }
                case .anyInComponent: if byte != UInt8(ascii: "/") { activate(position) }
                case .any: activate(position)
                case .optionalDirectories: break
                case .anyUpToSlash:
                    activate(position)
                    if byte == UInt8(ascii: "/") { activate(position + 1) }
                }
            }
        }

        /// Activates a position and those that are reached from it without a byte.
        private mutating func activate(_ position: Int) {
            var next = position
            while activatedIn[next] != step {
                activatedIn[next] = step
                active.append(next)
                guard next < tokens.count else { return }
                switch tokens[next] {
                case .anyInComponent, .any: next += 1
                case .optionalDirectories:
                    if activatedIn[next + 1] != step {
                        activatedIn[next + 1] = step
                        active.append(next + 1)
                    }
                    next += 2
                case .byte, .set, .anyUpToSlash: return
                }
            }
        }
    }
}

extension Glob {
    private static func tokens(of pattern: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var position = 0
        while position < pattern.count {
            let byte = pattern[position]
            switch byte {
            case UInt8(ascii: "*"):
                let end = pattern[position...].firstIndex { $0 != UInt8(ascii: "*") } ?? pattern.count
                let startsComponent = position == 0 || pattern[position - 1] == UInt8(ascii: "/")
                if end - position == 1 {
                    tokens.append(.anyInComponent)
                    position = end
                } else if startsComponent, end < pattern.count, pattern[end] == UInt8(ascii: "/") {
                    tokens += [.optionalDirectories, .anyUpToSlash]
                    position = end + 1
                } else {
                    tokens.append(.any)
                    position = end
                }
            case UInt8(ascii: "?"):
                tokens.append(.set(.anyButSlash))
                position += 1
            case UInt8(ascii: "["):
                if let (set, end) = ByteSet.parse(pattern, from: position + 1) {
                    tokens.append(.set(set))
                    position = end
                } else {
                    tokens.append(.byte(byte))
                    position += 1
                }
            case UInt8(ascii: "\\") where position + 1 < pattern.count:
                tokens.append(.byte(pattern[position + 1]))
                position += 2
            default:
                tokens.append(.byte(byte))
                position += 1
            }
        }
        return tokens
    }
}

/// A set of byte values that never holds the slash.
private struct ByteSet: Hashable {
    private var words: [UInt64] = [0, 0, 0, 0]

    static let anyButSlash: ByteSet = {
        var set = ByteSet()
        set.complement()
        return set
    }()

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] & (1 << UInt64(byte & 63)) != 0 }

    private mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    private mutating func complement() {
        for index in words.indices { words[index] = ~words[index] }
        removeSlash()
    }

    private mutating func removeSlash() { words[0] &= ~(1 << UInt64(UInt8(ascii: "/"))) }

    /// The set whose text begins at `start`, after the opening bracket, and the position after the closing one;
    /// nil when there is no closing bracket.
    static func parse(_ pattern: [UInt8], from start: Int) -> (set: ByteSet, end: Int)? {
        var set = ByteSet()
        var position = start
        let isNegated =
            position < pattern.count
            && (pattern[position] == UInt8(ascii: "!") || pattern[position] == UInt8(ascii: "^"))
        if isNegated { position += 1 }
        let first = position
        while position < pattern.count {
            // A closing bracket that comes first is a member of the set (POSIX).
            if pattern[position] == UInt8(ascii: "]"), position > first {
                if isNegated { set.complement() }
                set.removeSlash()
                return (set, position + 1)
            }
            if pattern[position] == UInt8(ascii: "\\"), position + 1 < pattern.count { position += 1 }
            let low = pattern[position]
            if position + 2 < pattern.count, pattern[position + 1] == UInt8(ascii: "-"),
                pattern[position + 2] != UInt8(ascii: "]")
            {
                let high = pattern[position + 2]
                if low <= high { for byte in low...high { set.insert(byte) } }
                position += 3
            } else {
                set.insert(low)
                position += 1
            }
        }
        return nil
    }
}
