/// Version specifiers of PEP 440, all of which a version has to meet: `>=1.2,!=1.5.*,<2`.
///
/// Pre-releases count as the other versions do, as for what is installed already.
public struct VersionSpecifiers: Hashable, Sendable {
    public enum Operator: String, Hashable, Sendable, CaseIterable {
        // Those that begin with another one come first.
        case arbitrary = "==="
        case equal = "=="
        case compatible = "~="
        case notEqual = "!="
        case atMost = "<="
        case atLeast = ">="
        case less = "<"
        case greater = ">"
    }

    /// One comparison.
    public struct Clause: Hashable, Sendable {
        public let comparison: Operator
        /// As written, without white space around it.
        public let text: String
        let form: Form

        enum Form: Hashable, Sendable {
            case version(PEP440Version)
            /// `1.2.*`
            case prefix(PEP440Version)
            /// Behind `===`, any text.
            case text
            /// What PEP 440 does not allow and pip before 24.1 compares in its own way: `>dev`, `>=2.0.*`.
            case legacy
        }
    }

    /// In the order of the text; empty accepts every version.
    public let clauses: [Clause]

    /// Whether PEP 440 allows no such specifiers, and pip before 24.1 does.
    public var isLegacy: Bool { clauses.contains { $0.form == .legacy } }

    init(_ clauses: [Clause]) { self.clauses = clauses }

    /// Whether an installed version is meant.
    public func accept(_ version: PEP440Version) -> Bool { clauses.allSatisfy { $0.accepts(version) } }
}

extension VersionSpecifiers: CustomStringConvertible {
    /// As pip writes them: each once, in the order of their bytes, with commas between them.
    public var description: String {
        Set(clauses.map(\.description)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            .joined(separator: ",")
    }
}

extension VersionSpecifiers.Clause: CustomStringConvertible {
    public var description: String { comparison.rawValue + text }

    /// - Returns: nil for text that no pip takes for a comparison.
    init?(_ comparison: VersionSpecifiers.Operator, _ text: String) {
        self.comparison = comparison
        self.text = text
        if comparison == .arbitrary {
            form = .text
        } else if let version = PEP440Version(text) {
            // Only = and != may name a local version, and ~= needs a part that may change.
            let allowsLocal = comparison == .equal || comparison == .notEqual
            if comparison == .compatible, version.release.count < 2 || !version.local.isEmpty { return nil }
            form = allowsLocal || version.local.isEmpty ? .version(version) : .legacy
        } else if comparison == .equal || comparison == .notEqual, text.hasSuffix(".*"),
            let version = PEP440Version(String(text.dropLast(2))), version.isReleaseOnly
        {
            form = .prefix(version)
        } else {
            if comparison == .compatible { return nil }
            form = .legacy
        }
    }

    /// PEP 440, "Version specifiers".
    func accepts(_ version: PEP440Version) -> Bool {
        switch form {
        case .text: return version.description == String(decoding: text.utf8.map(lowercased), as: UTF8.self)
        case .legacy: return compareLegacy(version)
        case .prefix(let prefix): return version.begins(with: prefix) == (comparison == .equal)
        case .version(let wanted):
            let isPublic = wanted.local.isEmpty
            switch comparison {
            case .equal: return (isPublic ? version.withoutLocal : version) == wanted
            case .notEqual: return (isPublic ? version.withoutLocal : version) != wanted
            case .atMost: return version.withoutLocal <= wanted
            case .atLeast: return version.withoutLocal >= wanted
            case .compatible:
                return version.withoutLocal >= wanted && version.begins(with: wanted.withoutLastNumber)
            case .less:
                // 3.1.dev0 is not meant by <3.1.
                return version < wanted
                    && !(version.isPrerelease && !wanted.isPrerelease && version.base == wanted.base)
            case .greater:
                // Neither 3.1.post0 nor 3.1+local is meant by >3.1.
                return version > wanted
                    && !(version.base == wanted.base
                        && (version.post != nil && wanted.post == nil || !version.local.isEmpty))
            case .arbitrary: return false
            }
        }
    }

    /// The order that setuptools had before PEP 440, in which words of any kind are versions.
    private func compareLegacy(_ version: PEP440Version) -> Bool {
        let left = LegacyVersion(version.description)
        let right = LegacyVersion(text)
        return switch comparison {
        case .equal: left == right
        case .notEqual: left != right
        case .atMost: left <= right
        case .atLeast: left >= right
        case .less: left < right
        case .greater: left > right
        case .arbitrary, .compatible: false
        }
    }
}

/// A version as pip before 24.1 compares what PEP 440 does not allow.
private struct LegacyVersion: Comparable {
    private var parts: [String] = []

    init(_ text: String) {
        for part in LegacyVersion.split(text.utf8.map(lowercased)) + ["final"] {
            if part.utf8.first.map(isDigit) == true {
                parts.append(String(repeating: "0", count: max(0, 8 - part.utf8.count)) + part)
                continue
            }
            let word = "*" + (LegacyVersion.replacements[part] ?? part)
            if word < "*final" {
                while parts.last == "*final-" { parts.removeLast() }
            }
            while parts.last == "00000000" { parts.removeLast() }
            parts.append(word)
        }
    }

    private static let replacements = [
        "pre": "c", "preview": "c", "-": "final-", "rc": "c", "dev": "@",
    ]

    /// Runs of digits, runs of letters, hyphens, and what lies between them; dots are left out.
    private static func split(_ bytes: [UInt8]) -> [String] {
        func kind(_ byte: UInt8) -> Int { isDigit(byte) ? 0 : isLetter(byte) ? 1 : byte == 0x2D ? 2 : 3 }
        var parts: [[UInt8]] = []
        var last: Int?
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                last = nil
                continue
            }
            if kind(byte) == last, last != 2 {
                parts[parts.count - 1].append(byte)
            } else {
                parts.append([byte])
            }
            last = kind(byte)
        }
        return parts.map { String(decoding: $0, as: UTF8.self) }
    }

    static func < (left: LegacyVersion, right: LegacyVersion) -> Bool {
        left.parts.lexicographicallyPrecedes(right.parts) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension PEP440Version {
    /// Without the local version.
    var withoutLocal: PEP440Version {
        local.isEmpty
            ? self
            : PEP440Version(epoch: epoch, release: release, pre: pre, post: post, dev: dev, local: [])
    }

    /// Epoch and release alone.
    var base: PEP440Version {
        PEP440Version(epoch: epoch, release: release, pre: nil, post: nil, dev: nil, local: [])
    }

    var isReleaseOnly: Bool { pre == nil && post == nil && dev == nil && local.isEmpty }

    /// Epoch and release without the last number of it.
    fileprivate var withoutLastNumber: PEP440Version {
        PEP440Version(
            epoch: epoch, release: Array(release.dropLast()), pre: nil, post: nil, dev: nil, local: [])
    }

    /// Whether epoch and release are those of `prefix`, as far as that one has numbers.
    fileprivate func begins(with prefix: PEP440Version) -> Bool {
        epoch == prefix.epoch
            && prefix.release.indices.allSatisfy { index in
                prefix.release[index] == (index < release.count ? release[index] : 0)
            }
    }
}
