import FoundationEssentials

/// Reads JSON (RFC 8259) that is as plain as programs write it; whatever is not, or wrong, is nil or false, and for a
/// whole decoder, which also tells why.
struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var place = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The name of a member, without escapes.
    struct Key {
        let bytes: UnsafeBufferPointer<UInt8>

        static func ~= (name: StaticString, key: Key) -> Bool {
            key.bytes.count == name.utf8CodeUnitCount
                && name.withUTF8Buffer { $0.elementsEqual(key.bytes) }
        }
    }

    // MARK: Stepping

    /// The byte after white space (RFC 8259, section 2).
    mutating func next() -> UInt8? {
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): place += 1
            default: return bytes[place]
            }
        }
        return nil
    }

    mutating func skip(_ sign: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: sign) else { return false }
        place += 1
        return true
    }

    /// Steps over a value without looking into it: whether it is right is for the decoder to say.
    mutating func skipValue() -> Bool {
        var depth = 0
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""):
                if skipString() == nil { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                place += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return true }
                depth -= 1
                place += 1
            case UInt8(ascii: ","):
                if depth == 0 { return true }
                place += 1
            // It would be taken for a document in UTF-16.
            case 0: return false
            default: place += 1
            }
        }
        return false
    }

    /// - Returns: where the bytes between the quotation marks are.
    private mutating func skipString() -> Range<Int>? {
        guard skip("\"") else { return nil }
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                return start..<place - 1
            case UInt8(ascii: "\\"): place += 2
            default: place += 1
            }
        }
        return nil
    }

    // MARK: Objects and lists

    /// Gives each member to `read`, which has to step over its value.
    ///
    /// - Returns: false when that is no object, a key has an escape and may be another way to write the same, or `read`
    ///   returned false.
    mutating func object(_ read: (inout JSONScanner, Key) -> Bool) -> Bool {
        guard skip("{") else { return false }
        if skip("}") { return true }
        repeat {
            guard let name = skipString(), !bytes[name].contains(UInt8(ascii: "\\")), skip(":"),
                read(&self, Key(bytes: UnsafeBufferPointer(rebasing: bytes[name])))
            else { return false }
        } while skip(",")
        return skip("}")
    }

    mutating func list<Element>(_ read: (inout JSONScanner) -> Element?) -> [Element]? {
        guard skip("[") else { return nil }
        var elements: [Element] = []
        if skip("]") { return elements }
        repeat {
            guard let element = read(&self) else { return nil }
            elements.append(element)
        } while skip(",")
        return skip("]") ? elements : nil
    }

    /// What `read` gives of the list that is the one member of this name, and where in the document its elements are.
    ///
    /// - Returns: nil when it is no list, or there is none or more than one.
    mutating func list<Element>(
        named name: StaticString, _ read: (inout JSONScanner) -> Element?
    ) -> (elements: [Element], place: Range<Int>)? {
        var found: (elements: [Element], place: Range<Int>)?
        let isWhole = object { json, key in
            guard name ~= key else { return json.skipValue() }
            guard found == nil, json.next() == UInt8(ascii: "[") else { return false }
            let start = json.place + 1
            guard let elements = json.list(read) else { return false }
            found = (elements, start..<json.place - 1)
            return true
        }
        return isWhole ? found : nil
    }

    // MARK: Values

    /// Each of these sets the value that a member has; false when it was set before.
    mutating func read<Value>(_ value: inout Value?, _ read: (inout JSONScanner) -> Value?) -> Bool {
        guard value == nil else { return false }
        value = read(&self)
        return value != nil
    }

    mutating func read(_ value: inout String?) -> Bool { read(&value) { $0.string() } }
    mutating func read(_ value: inout Int?) -> Bool { read(&value) { $0.number().flatMap { Int($0) } } }
    mutating func read(_ value: inout Double?) -> Bool {
        // What is no finite one is wrong.
        read(&value) { $0.number().flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }
    }
    mutating func read(_ value: inout [String]?) -> Bool { read(&value) { $0.list { $0.string() } } }

    mutating func read<Value: RawRepresentable<String>>(_ value: inout Value?) -> Bool {
        read(&value) { $0.string().flatMap(Value.init) }
    }

    mutating func read(_ value: inout Bool?) -> Bool {
        read(&value) { json in
            for (word, flag) in [("true", true), ("false", false)]
            where json.next() != nil && json.bytes[json.place...].starts(with: word.utf8) {
                json.place += word.utf8.count
                return flag
            }
            return nil
        }
    }

    /// A value that is rare enough for a decoder of its own.
    mutating func read<Value: Decodable>(decoding value: inout Value?) -> Bool {
        read(&value) { json in
            guard json.next() != nil else { return nil }
            let start = json.place
            guard json.skipValue() else { return nil }
            return try? JSONDecoder().decode(Value.self, from: Data(json.bytes[start..<json.place]))
        }
    }

    mutating func string() -> String? {
        guard skip("\"") else { return nil }
        let start = place
        var hasEscapes = false
        var all: UInt8 = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                let text = UnsafeBufferPointer(rebasing: bytes[start..<place - 1])
                if hasEscapes { return Self.unescaped(text) }
                return all < 0x80
                    ? String(decoding: text, as: UTF8.self) : String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                place += 2
            case ..<0x20: return nil
            case let byte:
                all |= byte
                place += 1
            }
        }
        return nil
    }

    /// The text of a string with escapes (RFC 8259, section 7); nil when one is none, or is half of a pair.
    private static func unescaped(_ text: UnsafeBufferPointer<UInt8>) -> String? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var place = 0
        while place < text.count {
            guard text[place] == UInt8(ascii: "\\"), place + 1 < text.count else {
                output.append(text[place])
                place += 1
                continue
            }
            let letter = text[place + 1]
            place += 2
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(letter)
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "r"): output.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "t"): output.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "u"):
                guard var code = hexadecimal(text[place...].prefix(4)) else { return nil }
                place += 4
                if (0xD800..<0xDC00).contains(code), text[place...].starts(with: #"\u"#.utf8),
                    let low = hexadecimal(text[(place + 2)...].prefix(4)), (0xDC00..<0xE000).contains(low)
                {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                    place += 6
                }
                guard let scalar = Unicode.Scalar(code), let encoded = UTF8.encode(scalar) else { return nil }
                output += encoded
            default: return nil
            }
        }
        return String(validating: output, as: UTF8.self)
    }

    /// Of four digits.
    private static func hexadecimal(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32? {
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            return nil
        }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// The text of a number (RFC 8259, section 6).
    private mutating func number() -> String? {
        guard next() != nil else { return nil }
        let start = place
        skipSign("-")
        let whole = place
        guard skipDigits(), place == whole + 1 || bytes[whole] != UInt8(ascii: "0") else { return nil }
        if skipSign(".") { guard skipDigits() else { return nil } }
        if skipSign("e") || skipSign("E") {
            if !skipSign("+") { skipSign("-") }
            guard skipDigits() else { return nil }
        }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    @discardableResult
    private mutating func skipSign(_ sign: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: sign) else { return false }
        place += 1
        return true
    }

    /// - Returns: false when there are none.
    private mutating func skipDigits() -> Bool {
        let start = place
        while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) {
            place += 1
        }
        return place > start
    }
}
