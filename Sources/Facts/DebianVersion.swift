/// A Debian package version, `[epoch:]upstream[-revision]`, ordered as dpkg orders them (deb-version(7)).
///
/// Versions that differ only in leading zeros, or in a missing epoch or revision of 0, are equal.
public struct DebianVersion: Sendable {
    /// 0...2147483647; 0 when the version has none.
    public let epoch: Int64
    public let upstream: String
    /// Empty when the version has none.
    public let revision: String
    /// As it was written.
    public let text: String

    /// Returns nil for text that dpkg refuses: an empty part, a character that is not allowed, a bad epoch. A
    /// version that does not begin with a digit is accepted: dpkg only warns of it.
    public init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        var epoch: Int64 = 0
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            guard let number = decimal(rest[..<colon]), number <= Int64(Int32.max) else { return nil }
            epoch = number
            rest = rest[(colon + 1)...]
        }
        var revision: ArraySlice<UInt8> = []
        if let hyphen = rest.lastIndex(of: UInt8(ascii: "-")) {
            revision = rest[(hyphen + 1)...]
            guard !revision.isEmpty else { return nil }
            rest = rest[..<hyphen]
        }
        func isAllowed(_ part: ArraySlice<UInt8>, marks: StaticString) -> Bool {
            part.allSatisfy { byte in
                isLetter(byte) || isDigit(byte) || marks.withUTF8Buffer { $0.contains(byte) }
            }
        }
        guard !rest.isEmpty, isAllowed(rest, marks: ".+-:~"), isAllowed(revision, marks: ".+~") else {
            return nil
        }
        self.epoch = epoch
        upstream = String(decoding: rest, as: UTF8.self)
        self.revision = String(decoding: revision, as: UTF8.self)
        self.text = text
    }

    /// Compares as dpkg's `verrevcmp` does: runs of non-digits by a changed alphabet, in which `~` comes before
    /// the end and letters before all other characters, and runs of digits as numbers of any length.
    private static func order(_ left: String.UTF8View, _ right: String.UTF8View) -> Int {
        var left = left[...]
        var right = right[...]
        while !left.isEmpty || !right.isEmpty {
            while left.first.map(isDigit) == false || right.first.map(isDigit) == false {
                let difference = weight(left.first) - weight(right.first)
                if difference != 0 { return difference }
                left = left.dropFirst()
                right = right.dropFirst()
            }
            let leftDigits = left.prefix(while: isDigit)
            let rightDigits = right.prefix(while: isDigit)
            left = left.dropFirst(leftDigits.count)
            right = right.dropFirst(rightDigits.count)
            let leftNumber = leftDigits.drop { $0 == UInt8(ascii: "0") }
            let rightNumber = rightDigits.drop { $0 == UInt8(ascii: "0") }
            if leftNumber.count != rightNumber.count { return leftNumber.count - rightNumber.count }
            for (one, other) in zip(leftNumber, rightNumber) where one != other {
                return Int(one) - Int(other)
            }
        }
        return 0
    }

    /// A digit, and the end, weigh nothing: they end a run of non-digits.
    private static func weight(_ byte: UInt8?) -> Int {
        guard let byte, !isDigit(byte) else { return 0 }
        if byte == UInt8(ascii: "~") { return -1 }
        return isLetter(byte) ? Int(byte) : Int(byte) + 256
    }

    private static func order(_ left: DebianVersion, _ right: DebianVersion) -> Int {
        if left.epoch != right.epoch { return left.epoch < right.epoch ? -1 : 1 }
        let upstream = order(left.upstream.utf8, right.upstream.utf8)
        return upstream != 0 ? upstream : order(left.revision.utf8, right.revision.utf8)
    }
}

extension DebianVersion: Comparable {
    public static func == (left: DebianVersion, right: DebianVersion) -> Bool { order(left, right) == 0 }
    public static func < (left: DebianVersion, right: DebianVersion) -> Bool { order(left, right) < 0 }
}

extension DebianVersion: CustomStringConvertible {
    public var description: String { text }
}
