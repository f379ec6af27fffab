/// Text from a record, made safe to show.
///
/// Whoever made the record has escaped what comes from an image; this is the second lock on the same door.
enum SafeText {
    /// How many characters of one value reports show that are not asked for all of it.
    static let valueLimit = 600

    /// True for scalars that act instead of being shown: C0, DEL and C1 controls, line separators, the
    /// byte order mark and bidirectional controls.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    /// True for ASCII without controls: the text needs no more looking at, and each byte of it is a column. Most text is.
    static func isPlain(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { all($0) { $0 >= 0x20 && $0 < 0x7F } }
    }

    /// True when it holds for all bytes. None ends the search, so that several are looked at in one step: most texts are
    /// plain to the end.
    static func all(_ bytes: UnsafeBufferPointer<UInt8>, _ holds: (UInt8) -> Bool) -> Bool {
        var others: UInt8 = 0
        for byte in bytes { others |= holds(byte) ? 0 : 1 }
        return others == 0
    }

    /// The text with every control written as an escape (`\n`, `\x1b`, `\u{202e}`), so that it is one line.
    static func oneLine(_ text: String) -> String {
        guard !isPlain(text), text.unicodeScalars.contains(where: isControl) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\t": output += "\\t"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case _ where !isControl(scalar): output.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x100:
                output += "\\x" + hexadecimal(scalar, width: 2)
            default: output += "\\u{" + hexadecimal(scalar, width: 4) + "}"
            }
        }
        return output
    }

    /// The text itself, or its first `limit` Unicode scalars and how many more there are.
    static func shortened(_ text: String, limit: Int) -> String {
        if text.utf8.count <= limit { return text }
        let scalars = text.unicodeScalars
        guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            end != scalars.endIndex
        else { return text }
        let more = scalars.distance(from: end, to: scalars.endIndex)
        return String(scalars[..<end]) + "… \(more) more characters"
    }

    /// The text, or words that say that there is none.
    static func visible(_ text: String) -> String { text.isEmpty ? "(empty)" : text }

    /// Seconds with three decimals and a point, whatever the locale; what is no duration is zero.
    static func seconds(_ duration: Double) -> String {
        guard duration.isFinite, duration > 0 else { return "0.000" }
        let milliseconds = Int64((min(duration, 1e9) * 1000).rounded())
        let fraction = milliseconds % 1000
        return String(milliseconds / 1000) + (fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".")
            + String(fraction)
    }

    /// GitHub's runner takes a line that begins with `::`, and `##[` anywhere, for a command; Azure Pipelines
    /// and TeamCity have `##vso[` and `##teamcity[`. A backslash makes them plain text.
    static func inert(_ line: String) -> String {
        let marked =
            has("##", in: line) ? line.replacing(/##(?=[A-Za-z]*\[)/, with: "#\\#") : line
        // Most lines begin with what is neither.
        guard let first = marked.utf8.first, first <= 0x20 || first >= 0x80 || first == UInt8(ascii: ":")
        else { return marked }
        let begin = marked.unicodeScalars.drop { $0.properties.isWhitespace }
        return begin.starts(with: "::".unicodeScalars) ? "\\" + marked : marked
    }

    /// True when the text has the pattern, which is of ASCII and not empty.
    static func has(_ pattern: StaticString, in text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            pattern.withUTF8Buffer { pattern in
                for start in bytes.indices.dropLast(pattern.count - 1) where bytes[start] == pattern[0] {
                    if bytes[start...].starts(with: pattern) { return true }
                }
                return false
            }
        }
    }

    /// A path or other short text between quotation marks, for messages.
    static func quoted(_ text: String) -> String { "\"\(shortened(oneLine(text), limit: 300))\"" }

    /// The scalar's number in hexadecimal, with leading zeros.
    static func hexadecimal(_ scalar: Unicode.Scalar, width: Int) -> String {
        let digits = String(scalar.value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
