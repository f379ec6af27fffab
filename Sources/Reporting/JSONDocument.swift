/// JSON (RFC 8259) with sorted keys, two spaces of indentation and a newline at the end.
///
/// Written as it is encoded: Foundation's encoder builds a tree of the whole document first.
enum JSONDocument {
    /// Control characters and bidirectional controls are `\u` escapes, so that a terminal can show the document.
    ///
    /// - Throws: `EncodingError` for a number that is infinite or none.
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        let text = JSONText()
        let value = try JSONPlace.write(value, to: text, parent: nil, key: nil)
        value.finish()
        text.bytes.append(UInt8(ascii: "\n"))
        return text.bytes
    }
}

/// The document so far. It and the places below belong to one call of `JSONDocument.bytes`.
private final class JSONText {
    var bytes: [UInt8] = []
    var depth = 0
    /// Those of all objects that are being written, the inner ones last.
    var entries: [Entry] = []
    private var sorted: [UInt8] = []
    /// The end of a line and spaces, as many as were needed so far or more.
    private var indentation = [UInt8(ascii: "\n")]

    struct Entry {
        var key: String
        var start: Int
    }

    func newline() {
        while indentation.count <= 2 * depth { indentation += repeatElement(UInt8(ascii: " "), count: 64) }
        bytes.append(contentsOf: indentation[...(2 * depth)])
    }

    func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// Puts the entries from `first` on, which begin at `start` and end the document so far, in the order of their keys,
    /// and forgets them.
    func sortEntries(from first: Int, start: Int) {
        defer { entries.removeSubrange(first...) }
        let isSorted = (first..<entries.count).dropFirst().allSatisfy {
            !(entries[$0].key < entries[$0 - 1].key)
        }
        if isSorted { return }
        sorted.removeAll(keepingCapacity: true)
        for place in (first..<entries.count).sorted(by: { entries[$0].key < entries[$1].key }) {
            let end = place + 1 < entries.count ? entries[place + 1].start : bytes.count
            sorted.append(contentsOf: bytes[entries[place].start..<end])
        }
        bytes.replaceSubrange(start..., with: sorted)
    }

    func append(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { append($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    private func append(_ text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, JSONText.isPlain(text[end]) { end += 1 }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
            if end == text.count { return }
            start = end + appendSpecial(text, at: end)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// - Returns: how many bytes the character at this place has.
    private func appendSpecial(_ text: UnsafeBufferPointer<UInt8>, at place: Int) -> Int {
        switch text[place] {
        case UInt8(ascii: "\""): bytes += #"\""#.utf8
        case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
        case UInt8(ascii: "\n"): bytes += #"\n"#.utf8
        case UInt8(ascii: "\r"): bytes += #"\r"#.utf8
        case UInt8(ascii: "\t"): bytes += #"\t"#.utf8
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

    private func appendEscape(of scalar: Unicode.Scalar) {
        bytes += ("\\u" + SafeText.hexadecimal(scalar, width: 4)).utf8
    }
}

/// The place of one value.
private final class JSONPlace: Encoder {
    let text: JSONText
    private let parent: JSONPlace?
    private let key: (any CodingKey)?
    private var form = Form.value
    private var start = 0
    private var firstEntry = 0
    private(set) var count = 0
    /// A container of an entry that is still being written.
    private var child: JSONPlace?

    private enum Form {
        case value
        case object
        case list
    }

    init(_ text: JSONText, parent: JSONPlace?, key: (any CodingKey)?) {
        self.text = text
        self.parent = parent
        self.key = key
    }

    /// Lets a value write itself; `finish` has to follow.
    static func write(
        _ value: some Encodable, to text: JSONText, parent: JSONPlace?, key: (any CodingKey)?
    ) throws -> JSONPlace {
        let place = JSONPlace(text, parent: parent, key: key)
        try value.encode(to: place)
        return place
    }

    var codingPath: [any CodingKey] { (parent?.codingPath ?? []) + (key.map { [$0] } ?? []) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    // MARK: Objects and lists

    private func begin(_ form: Form) {
        if case .value = self.form {
            self.form = form
            start = text.bytes.count
            firstEntry = text.entries.count
            text.depth += 1
        }
    }

    /// Each entry begins with a comma; that of the first becomes the bracket.
    private func beginEntry() {
        finishChild()
        text.bytes.append(UInt8(ascii: ","))
        text.newline()
        count += 1
    }

    func beginEntry(_ key: String) {
        finishChild()
        text.entries.append(JSONText.Entry(key: key, start: text.bytes.count))
        beginEntry()
        text.append(key)
        text.append(" : " as StaticString)
    }

    func beginElement() { beginEntry() }

    func nested(_ key: any CodingKey) -> JSONPlace {
        let place = JSONPlace(text, parent: self, key: key)
        child = place
        return place
    }

    private func finishChild() {
        child?.finish()
        child = nil
    }

    func finish() {
        finishChild()
        let (open, close): (UInt8, UInt8)
        switch form {
        case .value: return
        case .object: (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        case .list: (open, close) = (UInt8(ascii: "["), UInt8(ascii: "]"))
        }
        text.depth -= 1
        if count == 0 {
            text.bytes.append(open)
        } else {
            text.sortEntries(from: firstEntry, start: start)
            text.bytes[start] = open
            text.newline()
        }
        text.bytes.append(close)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        begin(.object)
        return KeyedEncodingContainer(JSONObject(place: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        begin(.list)
        return JSONList(place: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { JSONValue(place: self) }

    // MARK: Values

    /// - Parameter key: of the value in this place; nil when it is the value of the place itself.
    func write<Value: Encodable>(_ value: Value, _ key: (any CodingKey)?) throws {
        if Value.self == String.self, let text = value as? String {
            self.text.append(text)
        } else if Value.self == Double.self, let number = value as? Double {
            try write(number, key)
        } else if let key {
            try JSONPlace.write(value, to: text, parent: self, key: key).finish()
        } else {
            try value.encode(to: self)
        }
    }

    func write(_ number: Double, _ key: (any CodingKey)?) throws {
        guard number.isFinite else {
            throw EncodingError.invalidValue(
                number,
                .init(
                    codingPath: codingPath + (key.map { [$0] } ?? []),
                    debugDescription: "\(number) is no number"))
        }
        text.bytes += (Int64(exactly: number).map(String.init) ?? "\(number)").utf8
    }

    func write(_ flag: Bool) { text.append((flag ? "true" : "false") as StaticString) }

    func writeNull() { text.append("null" as StaticString) }
}

private struct JSONObject<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }

    func encodeNil(forKey key: Key) {
        place.beginEntry(key.stringValue)
        place.writeNull()
    }

    func encode(_ value: Bool, forKey key: Key) {
        place.beginEntry(key.stringValue)
        place.write(value)
    }

    func encode(_ value: String, forKey key: Key) {
        place.beginEntry(key.stringValue)
        place.text.append(value)
    }

    func encode(_ value: Double, forKey key: Key) throws {
        place.beginEntry(key.stringValue)
        try place.write(value, key)
    }

    func encode(_ value: Int, forKey key: Key) {
        place.beginEntry(key.stringValue)
        place.text.bytes += String(value).utf8
    }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        place.beginEntry(key.stringValue)
        try place.write(value, key)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        place.beginEntry(key.stringValue)
        return place.nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        place.beginEntry(key.stringValue)
        return place.nested(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        place.beginEntry("super")
        return place.nested(JSONIndex(0))
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        place.beginEntry(key.stringValue)
        return place.nested(key)
    }
}

private struct JSONList: UnkeyedEncodingContainer {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }
    var count: Int { place.count }

    func encodeNil() {
        place.beginElement()
        place.writeNull()
    }

    func encode(_ value: some Encodable) throws {
        place.beginElement()
        try place.write(value, JSONIndex(place.count - 1))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        place.beginElement()
        return place.nested(JSONIndex(place.count - 1)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        place.beginElement()
        return place.nested(JSONIndex(place.count - 1)).unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        place.beginElement()
        return place.nested(JSONIndex(place.count - 1))
    }
}

private struct JSONValue: SingleValueEncodingContainer {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }

    func encodeNil() { place.writeNull() }
    func encode(_ value: Bool) { place.write(value) }
    func encode(_ value: String) { place.text.append(value) }
    func encode(_ value: Double) throws { try place.write(value, nil) }
    func encode(_ value: Float) throws { try place.write(Double(value), nil) }
    func encode(_ value: Int) { whole(value) }
    func encode(_ value: Int8) { whole(value) }
    func encode(_ value: Int16) { whole(value) }
    func encode(_ value: Int32) { whole(value) }
    func encode(_ value: Int64) { whole(value) }
    func encode(_ value: UInt) { whole(value) }
    func encode(_ value: UInt8) { whole(value) }
    func encode(_ value: UInt16) { whole(value) }
    func encode(_ value: UInt32) { whole(value) }
    func encode(_ value: UInt64) { whole(value) }
    func encode(_ value: some Encodable) throws { try place.write(value, nil) }

    private func whole(_ value: some BinaryInteger) { place.text.bytes += String(value).utf8 }
}

/// The place of an element of a list.
private struct JSONIndex: CodingKey {
    let intValue: Int?

    init(_ index: Int) { intValue = index }
    init?(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { return nil }

    var stringValue: String { intValue.map(String.init) ?? "" }
}
