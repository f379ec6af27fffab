/// Permissions as chmod(1) takes them, four octal digits.
public func octal(_ permissions: UInt16) -> String { fourDigits(String(permissions, radix: 8)) }

/// A number of up to four digits with zeros before it.
public func fourDigits(_ number: String) -> String {
    String(repeating: "0", count: max(0, 4 - number.count)) + number
}
