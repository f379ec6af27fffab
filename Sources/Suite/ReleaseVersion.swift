/// A release as version ranges compare it: its numbers only. `1:10.11.6-0+deb12u1` is 10.11.6 and `2.0.0rc1`,
/// like `2.0.0.dev0`, is 2.0.0: a pre-release belongs to the line of its release.
public struct ReleaseVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Without trailing zeros.
    let components: [Int]
    public let description: String

    /// - Returns: nil when the text does not begin with a number (after an optional `v` or Debian epoch).
    public init?(_ text: String) {
        var rest = Substring(text)
        if let colon = rest.firstIndex(of: ":"), rest[..<colon].allSatisfy(\.isWholeNumber) {
            rest = rest[rest.index(after: colon)...]
        }
        if rest.first == "v" { rest = rest.dropFirst() }
        var numbers: [Int] = []
        while let digits = Optional(rest.prefix { $0.isASCII && $0.isNumber }), let number = Int(digits) {
            numbers.append(number)
            rest = rest.dropFirst(digits.count)
            guard rest.first == "." else { break }
            rest = rest.dropFirst()
        }
        guard !numbers.isEmpty else { return nil }
        description = numbers.map(String.init).joined(separator: ".")
        while numbers.count > 1, numbers.last == 0 { numbers.removeLast() }
        components = numbers
    }

    public static func == (left: ReleaseVersion, right: ReleaseVersion) -> Bool {
        left.components == right.components
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(components) }

    public static func < (left: ReleaseVersion, right: ReleaseVersion) -> Bool {
        left.components.lexicographicallyPrecedes(right.components)
    }
}

/// A span of releases: `2.8..2.11` (both ends included, 2.11.3 too), `..2.0.1`, `2.2..`, `2.8` (2.8 and 2.8.x),
/// `>=1.2`, `>1.2`, `<=1.2`, `<2`, `==2.8.1`.
public struct VersionRange: Hashable, Sendable, CustomStringConvertible {
    struct Bound: Hashable, Sendable {
        var version: ReleaseVersion
        /// For an upper bound: releases that begin with it are within.
        var includesPatches: Bool
        var isInclusive = true
    }

    let lower: Bound?
    let upper: Bound?
    public let description: String

    /// - Returns: nil when the text is none of the forms, or the lower end lies above the upper.
    public init?(_ text: String) {
        func bound(_ part: Substring, patches: Bool, inclusive: Bool = true) -> Bound? {
            let isPlain = !part.isEmpty && part.allSatisfy { ($0.isASCII && $0.isNumber) || $0 == "." }
            guard isPlain, part.first != ".", part.last != ".", !part.contains("..") else { return nil }
            return ReleaseVersion(String(part)).map {
                Bound(version: $0, includesPatches: patches, isInclusive: inclusive)
            }
        }
        description = text
        let trimmed = text.filter { $0 != " " }
        if let dots = trimmed.firstRange(of: "..") {
            let (low, high) = (trimmed[..<dots.lowerBound], trimmed[dots.upperBound...])
            lower = bound(low, patches: true)
            upper = bound(high, patches: true)
            guard (lower != nil) != low.isEmpty, (upper != nil) != high.isEmpty,
                !(low.isEmpty && high.isEmpty)
            else { return nil }
            if let lower, let upper, upper.version < lower.version { return nil }
            return
        }
        let comparison = trimmed.prefix { "<>=".contains($0) }
        let rest = trimmed.dropFirst(comparison.count)
        switch comparison {
        case ">=": (lower, upper) = (bound(rest, patches: true), nil)
        case ">": (lower, upper) = (bound(rest, patches: false, inclusive: false), nil)
        case "<=": (lower, upper) = (nil, bound(rest, patches: false))
        case "<": (lower, upper) = (nil, bound(rest, patches: false, inclusive: false))
        case "==": (lower, upper) = (bound(rest, patches: false), bound(rest, patches: false))
        case "": (lower, upper) = (bound(rest, patches: true), bound(rest, patches: true))
        default: return nil
        }
        if lower == nil, upper == nil { return nil }
    }

    public func contains(_ version: ReleaseVersion) -> Bool {
        isAtOrAboveLower(version) && isAtOrBelowUpper(version)
    }

    /// The release nearest to `version` within the range.
    public func clamp(_ version: ReleaseVersion) -> ReleaseVersion {
        if let lower, !isAtOrAboveLower(version) { return lower.version }
        if let upper, !isAtOrBelowUpper(version) { return upper.version }
        return version
    }

    /// Whether every release of the range is in `other`; nil when some are and some are not.
    func isWithin(_ other: VersionRange) -> Bool? {
        guard let lower, let upper else { return nil }
        let (holdsLower, holdsUpper) = (other.contains(lower.version), other.contains(upper.version))
        if holdsLower, holdsUpper {
            // 2.0..2.3 is not within ..2.3.1: some 2.3.x lie above it.
            guard let end = other.upper else { return true }
            return end.version < upper.version || end.covers(upper) ? true : nil
        }
        if holdsLower || holdsUpper { return nil }
        let isBelow =
            !other.isAtOrAboveLower(upper.version)
            && other.lower?.version.begins(with: upper.version) == false
        return isBelow || !other.isAtOrBelowUpper(lower.version) ? false : nil
    }

    private func isAtOrAboveLower(_ version: ReleaseVersion) -> Bool {
        guard let lower else { return true }
        return version > lower.version || (lower.isInclusive && version == lower.version)
    }

    private func isAtOrBelowUpper(_ version: ReleaseVersion) -> Bool {
        guard let upper else { return true }
        if upper.includesPatches, version.begins(with: upper.version) { return true }
        return version < upper.version || (upper.isInclusive && version == upper.version)
    }
}

extension VersionRange.Bound {
    /// Whether every release that `other` admits at the upper end is admitted by this upper end.
    fileprivate func covers(_ other: VersionRange.Bound) -> Bool {
        if version == other.version {
            // 2.1 admits 2.1.5, and 2.1.0 does not.
            return !other.includesPatches
                || (includesPatches && version.written.count <= other.version.written.count)
        }
        return version > other.version
            && !(other.includesPatches && version.begins(with: other.version))
    }
}

extension ReleaseVersion {
    /// 2.11.3 begins with 2.11; 2.1 does not begin with 2.10, nor with 2.1.0's patches left out.
    func begins(with prefix: ReleaseVersion) -> Bool {
        let wanted = prefix.written
        let padded = written + Array(repeating: 0, count: max(0, wanted.count - written.count))
        return padded.starts(with: wanted)
    }

    /// The numbers as written, zeros at the end included.
    fileprivate var written: [Int] { description.split(separator: ".").compactMap { Int($0) } }
}
