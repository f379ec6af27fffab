/// A fail that somebody answers for, until a day.
public struct Waiver: Hashable, Codable, Sendable {
    /// The id of a check, or a glob for several.
    public var check: String
    /// A glob for the names of the subjects that it covers; nil covers all.
    public var subject: String?
    /// The manifest's or the config's digest, or a glob for references; nil means every image.
    public var image: String?
    public var reason: String
    /// Who answers for it.
    public var owner: String
    /// The last day on which it holds, in UTC.
    public var expires: CalendarDay
    /// Where it is written.
    public var position: SourcePosition

    public init(
        check: String, subject: String? = nil, image: String? = nil, reason: String, owner: String,
        expires: CalendarDay, position: SourcePosition
    ) {
        self.check = check
        self.subject = subject
        self.image = image
        self.reason = reason
        self.owner = owner
        self.expires = expires
        self.position = position
    }
}

/// What a waiver says of a finding that it covers.
public struct WaiverMark: Hashable, Codable, Sendable {
    public var reason: String
    public var owner: String
    /// The last day on which it holds.
    public var expires: CalendarDay
    /// True when that day was over when the run began: the finding counts then.
    public var isExpired: Bool
    public var position: SourcePosition

    public init(_ waiver: Waiver, isExpired: Bool) {
        reason = waiver.reason
        owner = waiver.owner
        expires = waiver.expires
        self.isExpired = isExpired
        position = waiver.position
    }

    /// "until 2027-01-31 by release@example.org: the mirror is down"
    public var description: String {
        isExpired
            ? "expired on \(expires), was by \(owner): \(reason)" : "until \(expires) by \(owner): \(reason)"
    }
}

/// A waiver that no image of the run needed.
public struct UnusedWaiver: Hashable, Codable, Sendable {
    public var waiver: Waiver
    /// Why it was not needed, in one line.
    public var reason: String

    public init(_ waiver: Waiver, reason: String) {
        self.waiver = waiver
        self.reason = reason
    }
}

/// A day of the Gregorian calendar, as RFC 3339 writes it: `2027-01-31`.
public struct CalendarDay: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
    public let description: String

    /// - Returns: nil when the text is not a day that there is, between the years 0001 and 9999.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let zero = UInt8(ascii: "0")
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int? {
            var number = 0
            for byte in bytes[range] {
                guard (zero...zero + 9).contains(byte) else { return nil }
                number = number * 10 + Int(byte - zero)
            }
            return number
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), year > 0,
            (1...12).contains(month)
        else { return nil }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        description = String(text)
    }

    /// The day of a time in UTC as RFC 3339 writes it, `2026-11-23T12:00:00Z`.
    ///
    /// - Returns: nil when it is none.
    public init?(ofTime time: String) {
        guard time.utf8.count > 10, time.utf8.dropFirst(10).first == UInt8(ascii: "T"), time.hasSuffix("Z")
        else {
            return nil
        }
        self.init(time.prefix(10))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let day = CalendarDay(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a day: 2027-01-31 is one")
        }
        self = day
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: CalendarDay, right: CalendarDay) -> Bool {
        left.description < right.description
    }
}
