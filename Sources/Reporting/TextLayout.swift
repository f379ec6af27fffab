/// Widths and line breaks for a terminal with a fixed number of columns.
enum TextLayout {
    /// Columns that a terminal uses for the text: two for East Asian wide characters and emoji, none for
    /// marks that combine with what is before them (Unicode Standard Annex 11).
    static func columns(_ text: String) -> Int {
        SafeText.isPlain(text) ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + columns($1) }
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// Breaks at spaces only: a digest or a path longer than `width` stays whole, so that it can be copied.
    static func wrap(_ text: String, width: Int) -> [String] {
        if text.utf8.count <= width, text.utf8.first != UInt8(ascii: " "), SafeText.isPlain(text) {
            return [text]
        }
        return wrap(
            text.split(separator: " ", omittingEmptySubsequences: false).map(String.init), separator: " ",
            width: width)
    }

    /// As many of the atoms as fit on each line, unbroken.
    static func wrap(_ atoms: [String], separator: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var used = 0
        for atom in atoms {
            let needed = columns(atom)
            if !line.isEmpty, used + columns(separator) + needed > width {
                while line.last == " " { line.removeLast() }
                lines.append(line)
                line = ""
                used = 0
            }
            if !line.isEmpty {
                line += separator
                used += columns(separator)
            }
            line += atom
            used += needed
        }
        lines.append(line)
        return lines
    }

    /// The beginning of the text that fits, and how many characters do not.
    static func fit(_ text: String, width: Int) -> String {
        guard columns(text) > width else { return text }
        let scalars = Array(text.unicodeScalars)
        let room = width - "… \(scalars.count) more characters".unicodeScalars.count
        var used = 0
        var kept = String.UnicodeScalarView()
        for scalar in scalars {
            used += columns(scalar)
            if used > room { break }
            kept.append(scalar)
        }
        return String(kept) + "… \(scalars.count - kept.count) more characters"
    }
}
