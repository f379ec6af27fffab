import Verdict

/// JSON (RFC 8259) with sorted keys, two spaces of indentation and a newline at the end.
///
/// Written as it is encoded: Foundation's encoder builds a tree of the whole document first. Results of checks, the most of
/// a large record, write themselves (CheckResult+JSON.swift).
enum JSONDocument {
    /// - Parameter capacity: bytes that the document will hardly have more of.
    /// - Throws: `EncodingError` for a number that is infinite or none.
    static func bytes(of value: some Encodable, capacity: Int = 0) throws -> [UInt8] {
        let text = JSONText(capacity: capacity)
        let value = try JSONPlace.write(value, to: text, parent: nil, key: nil)
        value.finish()
        text.json.append("\n")
        return text.json.bytes
    }
}

/// The document so far. It and the places below belong to one call of `JSONDocument.bytes`.
private final class JSONText {
    var json: JSONWriter
    /// Those of all objects that are being written, the inner ones last.
    var entries: [Entry] = []
    private var sorted: [UInt8] = []

    struct Entry {
        var key: String
        var start: Int
    }

    init(capacity: Int) { json = JSONWriter(capacity: capacity) }

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
            let end = place + 1 < entries.count ? entries[place + 1].start : json.bytes.count
            sorted.append(contentsOf: json.bytes[entries[place].start..<end])
        }
        json.bytes.replaceSubrange(start..., with: sorted)
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
            start = text.json.begin()
            firstEntry = text.entries.count
        }
    }

    func beginEntry(_ key: String) {
        finishChild()
        text.entries.append(JSONText.Entry(key: key, start: text.json.bytes.count))
        text.json.key(key)
        count += 1
    }

    func beginElement() {
        finishChild()
        text.json.beginEntry()
        count += 1
    }

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
        if count > 0 { text.sortEntries(from: firstEntry, start: start) }
        text.json.end(open, close, start: start)
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
            self.text.json.write(text)
        } else if Value.self == Double.self, let number = value as? Double {
            try write(number, key)
        } else if Value.self == [CheckResult].self, let results = value as? [CheckResult],
            // Whatever cannot be written is for the way below, which tells where it is.
            results.allSatisfy(\.duration.isFinite)
        {
            self.text.json.list(results) { $0.write($1) }
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
        text.json.write(number)
    }

    func write(_ flag: Bool) { text.json.write(flag) }

    func writeNull() { text.json.append("null") }
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
        place.text.json.write(value)
    }

    func encode(_ value: Double, forKey key: Key) throws {
        place.beginEntry(key.stringValue)
        try place.write(value, key)
    }

    func encode(_ value: Int, forKey key: Key) {
        place.beginEntry(key.stringValue)
        place.text.json.write(value)
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
    func encode(_ value: String) { place.text.json.write(value) }
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

    private func whole(_ value: some BinaryInteger) { place.text.json.write(value) }
}

/// The place of an element of a list.
private struct JSONIndex: CodingKey {
    let intValue: Int?

    init(_ index: Int) { intValue = index }
    init?(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { return nil }

    var stringValue: String { intValue.map(String.init) ?? "" }
}
