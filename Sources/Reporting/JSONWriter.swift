/// Writes JSON (RFC 8259) with two spaces of indentation.
///
/// Members are written in the order in which they come: it is the caller's to give them sorted. Control characters and
/// bidirectional controls are `\u` escapes, so that a terminal can show the document.
struct JSONWriter {
    var bytes: [UInt8] = []
    private var depth = 0
    /// A comma, the end of a line and spaces, as many as were needed so far or more.
    private var separator = Array(",\n".utf8)

    /// - Parameter capacity: bytes that the document will hardly have more of: large ones are not copied as they grow.
    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    // MARK: Objects and lists

    mutating func object(_ members: (inout JSONWriter) -> Void) {
        let start = begin()
        members(&self)
        end(UInt8(ascii: "{"), UInt8(ascii: "}"), start: start)
    }

    mutating func list<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
        let start = begin()
        for index in elements.indices {
            beginEntry()
            write(&self, elements[index])
        }
        end(UInt8(ascii: "["), UInt8(ascii: "]"), start: start)
    }

    /// - Returns: where the object or list begins, for `end`.
    mutating func begin() -> Int {
        depth += 1
        return bytes.count
    }

    /// Each entry begins with a comma; that of the first becomes the bracket.
    mutating func beginEntry() {
        newline(after: separator.startIndex)
    }

    mutating func end(_ open: UInt8, _ close: UInt8, start: Int) {
        depth -= 1
        if bytes.count == start {
            bytes.append(open)
        } else {
            bytes[start] = open
            newline(after: separator.startIndex + 1)
        }
        bytes.append(close)
    }

    private mutating func newline(after start: Int) {
        while separator.count < 2 * depth + 2 { separator += repeatElement(UInt8(ascii: " "), count: 64) }
        bytes.append(contentsOf: separator[start..<(2 * depth + 2)])
    }

    // MARK: Members

    /// Begins a member; its value has to follow.
    mutating func key(_ name: StaticString) {
        beginEntry()
        append("\"")
        append(name)
        append("\" : ")
    }

    mutating func key(_ name: String) {
        beginEntry()
        write(name)
        append(" : ")
    }

    /// A member; none when there is no value.
    mutating func member(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        key(name)
        write(text)
    }

    mutating func member(_ name: StaticString, _ number: Int?) {
        guard let number else { return }
        key(name)
        write(number)
    }

    mutating func member(_ name: StaticString, _ flag: Bool?) {
        guard let flag else { return }
        key(name)
        write(flag)
    }

    mutating func member(_ name: StaticString, _ lines: [String]?) {
        member(name, lines) { $0.write($1) }
    }

    mutating func member<Element>(
        _ name: StaticString, _ elements: [Element]?, _ write: (inout JSONWriter, Element) -> Void
    ) {
        guard let elements else { return }
        key(name)
        list(elements, write)
    }

    mutating func member(_ name: StaticString, object members: (inout JSONWriter) -> Void) {
        key(name)
        object(members)
    }

    // MARK: Values

    mutating func write(_ flag: Bool) { append(flag ? "true" : "false") }

    mutating func write(_ number: some BinaryInteger) { bytes += String(number).utf8 }

    /// The number has to be finite: JSON has no other.
    mutating func write(_ number: Double) {
        bytes += (Int64(exactly: number).map(String.init) ?? "\(number)").utf8
    }

    mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { append($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        if SafeText.all(text, JSONWriter.isPlain) { return bytes.append(contentsOf: text) }
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, JSONWriter.isPlain(text[end]) { end += 1 }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
            if end == text.count { return }
            start = end + appendSpecial(text, at: end)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// - Returns: how many bytes the character at this place has.
    private mutating func appendSpecial(_ text: UnsafeBufferPointer<UInt8>, at place: Int) -> Int {
        switch text[place] {
        case UInt8(ascii: "\""): append(#"\""#)
        case UInt8(ascii: "\\"): append(#"\\"#)
        case UInt8(ascii: "\n"): append(#"\n"#)
        case UInt8(ascii: "\r"): append(#"\r"#)
        case UInt8(ascii: "\t"): append(#"\t"#)
        case ..<0x80: appendEscape(of: Unicode.Scalar(text[place]))
        default:
            let count = text[place] < 0xE0 ? 2 : text[place] < 0xF0 ? 3 : 4
            let character = text[place..<min(place + count, text.count)]
            if let scalar = String(decoding: character, as: UTF8.self).unicodeScalars.first,
                SafeText.isControl(scalar)
            {
                appendEscape(of: scalar)
            } else {
                bytes += character
            }
            return count
        }
        return 1
    }

    private mutating func appendEscape(of scalar: Unicode.Scalar) {
        bytes += ("\\u" + SafeText.hexadecimal(scalar, width: 4)).utf8
    }
}
