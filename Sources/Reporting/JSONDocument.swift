import FoundationEssentials

/// JSON (RFC 8259) with sorted keys, two spaces of indentation and a newline at the end.
enum JSONDocument {
    /// Control characters and bidirectional controls are `\u` escapes, so that a terminal can show the document.
    ///
    /// - Throws: `EncodingError`.
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var bytes = escapingControls(in: try encoder.encode(value))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// JSON allows DEL, C1 and bidirectional controls inside strings as they are; nowhere else do they
    /// occur, so that escaping them in the finished document is safe.
    private static func escapingControls(in encoded: Data) -> [UInt8] {
        guard encoded.contains(where: { $0 >= 0x7F }) else { return Array(encoded) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.count)
        for scalar in String(decoding: encoded, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0x7F, SafeText.isControl(scalar) {
                bytes += ("\\u" + SafeText.hexadecimal(scalar, width: 4)).utf8
            } else {
                bytes += UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter
            }
        }
        return bytes
    }
}
