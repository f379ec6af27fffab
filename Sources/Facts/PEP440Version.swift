/// A version of a Python distribution, parsed, normalised and ordered by PEP 440:
/// `[N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local]`, and the alternative spellings that PEP 440 allows.
///
/// Versions that differ only in spelling or in trailing zeros of the release are equal.
public struct PEP440Version: Hashable, Sendable {
    /// The phase of a pre-release, earliest first.
    public enum Phase: String, Sendable, CaseIterable {
        case alpha = "a"
        case beta = "b"
        case candidate = "rc"
    }

    public struct Prerelease: Hashable, Sendable {
        public let phase: Phase
        public let number: UInt64
    }

    /// A part of a local version: numbers are later than words.
    public enum LocalSegment: Hashable, Sendable {
        /// In lower case.
        case word(String)
        case number(UInt64)
    }

    public let epoch: UInt64
    /// At least one number, trailing zeros included.
    public let release: [UInt64]
    public let pre: Prerelease?
    public let post: UInt64?
    public let dev: UInt64?
    public let local: [LocalSegment]

    public var isPrerelease: Bool { pre != nil || dev != nil }

    /// Returns nil for text that PEP 440 does not allow, and for numbers above 2^64-1.
    public init?(_ text: String) {
        var parser = PEP440Parser(text)
        guard let version = parser.parse() else { return nil }
        self = version
    }

    init(
        epoch: UInt64, release: [UInt64], pre: Prerelease?, post: UInt64?, dev: UInt64?, local: [LocalSegment]
    ) {
        self.epoch = epoch
        self.release = release
        self.pre = pre
        self.post = post
        self.dev = dev
        self.local = local
    }
}

extension PEP440Version: Comparable {
    public static func == (left: PEP440Version, right: PEP440Version) -> Bool { order(left, right) == 0 }
    public static func < (left: PEP440Version, right: PEP440Version) -> Bool { order(left, right) < 0 }

    /// Equal versions hash alike: trailing zeros of the release do not count.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(epoch)
        hasher.combine(release.prefix((release.lastIndex { $0 != 0 } ?? -1) + 1))
        hasher.combine(pre)
        hasher.combine(post)
        hasher.combine(dev)
        hasher.combine(local)
    }

    private static func order(_ left: PEP440Version, _ right: PEP440Version) -> Int {
        var result = order(left.epoch, right.epoch)
        for index in 0..<max(left.release.count, right.release.count) where result == 0 {
            result = order(
                index < left.release.count ? left.release[index] : 0,
                index < right.release.count ? right.release[index] : 0)
        }
        if result == 0 { result = order(left.prereleaseRank, right.prereleaseRank) }
        if result == 0 { result = order(left.pre?.number ?? 0, right.pre?.number ?? 0) }
        // No post-release comes before one, no development release after one.
        if result == 0 { result = order(left.post == nil ? 0 : 1, right.post == nil ? 0 : 1) }
        if result == 0 { result = order(left.post ?? 0, right.post ?? 0) }
        if result == 0 { result = order(left.dev == nil ? 1 : 0, right.dev == nil ? 1 : 0) }
        if result == 0 { result = order(left.dev ?? 0, right.dev ?? 0) }
        return result == 0 ? order(left.local, right.local) : result
    }

    /// A development release of the final release comes before its pre-releases.
    private var prereleaseRank: Int {
        switch pre?.phase {
        case .alpha: 1
        case .beta: 2
        case .candidate: 3
        case nil: post == nil && dev != nil ? 0 : 4
        }
    }

    private static func order(_ left: [LocalSegment], _ right: [LocalSegment]) -> Int {
        for (one, other) in zip(left, right) {
            let result =
                switch (one, other) {
                case (.number(let one), .number(let other)): order(one, other)
                case (.word(let one), .word(let other)): order(one, other)
                case (.number, .word): 1
                case (.word, .number): -1
                }
            if result != 0 { return result }
        }
        return order(left.count, right.count)
    }

    private static func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
        left == right ? 0 : left < right ? -1 : 1
    }
}

extension PEP440Version: CustomStringConvertible {
    /// The normal form.
    public var description: String {
        var text = epoch == 0 ? "" : "\(epoch)!"
        text += release.map(String.init).joined(separator: ".")
        if let pre { text += "\(pre.phase.rawValue)\(pre.number)" }
        if let post { text += ".post\(post)" }
        if let dev { text += ".dev\(dev)" }
        let segments = local.map { segment in
            switch segment {
            case .word(let word): word
            case .number(let number): String(number)
            }
        }
        return segments.isEmpty ? text : text + "+" + segments.joined(separator: ".")
    }
}

/// The grammar of PEP 440, appendix B, read from left to right.
private struct PEP440Parser {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) { rest = Array(text.utf8.map(lowercased))[...].trimmed }

    mutating func parse() -> PEP440Version? {
        _ = skip("v")
        guard var number = takeNumber() else { return nil }
        var epoch: UInt64 = 0
        if skip("!") {
            epoch = number
            guard let first = takeNumber() else { return nil }
            number = first
        }
        var release = [number]
        while rest.first == UInt8(ascii: "."), rest.dropFirst().first.map(isDigit) == true {
            rest = rest.dropFirst()
            guard let next = takeNumber() else { return nil }
            release.append(next)
        }
        let pre = takeLabel(["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"])
        var post = takePostNumber()
        if post == nil { post = takeLabel(["post", "rev", "r"])?.number }
        let dev = takeLabel(["dev"])?.number
        guard let local = takeLocal(), rest.isEmpty, !hasOverflow else { return nil }
        let phase: PEP440Version.Phase =
            switch pre?.label.utf8.first {
            case UInt8(ascii: "a"): .alpha
            case UInt8(ascii: "b"): .beta
            default: .candidate
            }
        return PEP440Version(
            epoch: epoch, release: release, pre: pre.map { .init(phase: phase, number: $0.number) },
            post: post,
            dev: dev, local: local)
    }

    private var hasOverflow = false

    private mutating func skip(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func skipSeparator() {
        if let first = rest.first, isSeparator(first) { rest = rest.dropFirst() }
    }

    private func isSeparator(_ byte: UInt8) -> Bool { "-_.".utf8.contains(byte) }

    private mutating func takeNumber() -> UInt64? {
        let digits = rest.prefix(while: isDigit)
        guard !digits.isEmpty else { return nil }
        rest = rest[digits.endIndex...]
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else {
            hasOverflow = true
            return nil
        }
        return number
    }

    /// `[-_.]?label[-_.]?[number]`; a number that is left out is 0.
    private mutating func takeLabel(_ labels: [String]) -> (label: String, number: UInt64)? {
        let start = rest
        skipSeparator()
        guard let label = labels.first(where: { rest.starts(with: $0.utf8) }) else {
            rest = start
            return nil
        }
        rest = rest.dropFirst(label.utf8.count)
        skipSeparator()
        return (label, takeNumber() ?? 0)
    }

    /// The implicit post-release, `-number`.
    private mutating func takePostNumber() -> UInt64? {
        guard rest.first == UInt8(ascii: "-"), rest.dropFirst().first.map(isDigit) == true else { return nil }
        rest = rest.dropFirst()
        return takeNumber()
    }

    /// Empty when there is none; nil when it is malformed.
    private mutating func takeLocal() -> [PEP440Version.LocalSegment]? {
        guard skip("+") else { return [] }
        var segments: [PEP440Version.LocalSegment] = []
        for segment in rest.split(omittingEmptySubsequences: false, whereSeparator: isSeparator) {
            guard !segment.isEmpty, segment.allSatisfy({ isLetter($0) || isDigit($0) }) else { return nil }
            let text = String(decoding: segment, as: UTF8.self)
            if segment.allSatisfy(isDigit) {
                guard let number = UInt64(text) else { return nil }
                segments.append(.number(number))
            } else {
                segments.append(.word(text))
            }
        }
        rest = rest[rest.endIndex...]
        return segments
    }
}
