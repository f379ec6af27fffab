/// A JSON value as it was written: members keep their order, numbers keep their text, so that nothing is lost
/// between reading and showing (RFC 8259).
public indirect enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's own text, which satisfies the grammar of RFC 8259 section 6.
    case number(String)
    case string(String)
    case array([JSON])
    case object([Member])

    public struct Member: Hashable, Sendable {
        public let name: String
        public let value: JSON
        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { Array($0.name.utf8) == Array(name.utf8) }?.value
    }

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var object: [Member]? { if case .object(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    public var isNull: Bool { self == .null }
}

extension JSON: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

/// Bounds of what `JSON.init(parsing:limits:)` accepts.
public struct JSONLimits: Sendable {
    /// Largest document, in bytes.
    public var bytes: Int
    /// Deepest nesting of arrays and objects.
    public var depth: Int

    public init(bytes: Int, depth: Int = 64) {
        self.bytes = bytes
        self.depth = depth
    }

    /// A manifest or an index: 4 MiB, the size up to which registries must accept one (distribution-spec).
    public static let manifest = JSONLimits(bytes: 4 << 20)
    /// An image config: 8 MiB.
    public static let config = JSONLimits(bytes: 8 << 20)
}

extension JSON {
    /// Parses one JSON document.
    ///
    /// - Throws: `ModelError` of kind `.json` for a syntax error (with line and column), `.jsonLimit` beyond
    ///   `limits`, `.duplicateKey` when an object names a member twice: readers that pick a different one of
    ///   the two would see different images.
    public init(parsing bytes: [UInt8], limits: JSONLimits) throws(ModelError) {
        guard bytes.count <= limits.bytes else {
            throw ModelError(
                .jsonLimit,
                "JSON document of \(bytes.count) bytes is larger than the limit of \(limits.bytes)")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw ModelError(.json, "JSON document is not valid UTF-8")
        }
        var parser = JSONParser(bytes: bytes, maximumDepth: limits.depth)
        self = try parser.parseDocument()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var position = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func parseDocument() throws(ModelError) -> JSON {
        skipSpace()
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw syntax("unexpected text after the document") }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func syntax(_ problem: String) -> ModelError {
        let before = bytes[..<min(position, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
        return ModelError(.json, "JSON: \(problem) at line \(line), column \(column)")
    }

    private mutating func parseValue(depth: Int) throws(ModelError) -> JSON {
        switch next {
        case UInt8(ascii: "{"): return try parseObject(depth: depth + 1)
        case UInt8(ascii: "["): return try parseArray(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): return try parseNumber()
        case .none: throw syntax("document ends where a value is expected")
        case .some: throw syntax("a value is expected")
        }
    }

    private func checkDepth(_ depth: Int) throws(ModelError) {
        if depth > maximumDepth {
            throw ModelError(.jsonLimit, "JSON document is nested deeper than \(maximumDepth) levels")
        }
    }

    private mutating func parseObject(depth: Int) throws(ModelError) -> JSON {
        try checkDepth(depth)
        position += 1
        var members: [JSON.Member] = []
        var names: Set<[UInt8]> = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw syntax("a member name is expected") }
            let name = try parseString()
            guard names.insert(Array(name.utf8)).inserted else {
                throw ModelError(.duplicateKey, "JSON object has two members named \(quoted(name))")
            }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw syntax("a colon is expected") }
            position += 1
            skipSpace()
            members.append(JSON.Member(name, try parseValue(depth: depth)))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw syntax("a comma or a closing brace is expected")
            }
        }
    }

    private mutating func parseArray(depth: Int) throws(ModelError) -> JSON {
        try checkDepth(depth)
        position += 1
        var values: [JSON] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            skipSpace()
            values.append(try parseValue(depth: depth))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(values)
            default: throw syntax("a comma or a closing bracket is expected")
            }
        }
    }

    private mutating func parseWord(_ word: String, _ value: JSON) throws(ModelError) -> JSON {
        guard bytes[position...].starts(with: word.utf8) else { throw syntax("a value is expected") }
        position += word.utf8.count
        return value
    }

    private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private mutating func skipDigits() throws(ModelError) {
        guard let byte = next, isDigit(byte) else { throw syntax("a digit is expected") }
        while let byte = next, isDigit(byte) { position += 1 }
    }

    private mutating func parseNumber() throws(ModelError) -> JSON {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if next == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func parseString() throws(ModelError) -> String {
        position += 1
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"): try parseEscape(into: &content)
            case 0..<0x20: throw syntax("control character in a string")
            default: content.append(byte)
            }
        }
        throw syntax("string is not closed")
    }

    private mutating func parseEscape(into content: inout [UInt8]) throws(ModelError) {
        guard let byte = next else { throw syntax("string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try parseHexadecimalUnit()
            var units = [unit]
            if UTF16.isLeadSurrogate(unit), bytes[position...].starts(with: "\\u".utf8) {
                position += 2
                units.append(try parseHexadecimalUnit())
            }
            // A lone surrogate has no UTF-8 form: it becomes U+FFFD, as other readers make of it.
            content.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
        default: throw syntax("unknown escape in a string")
        }
    }

    private mutating func parseHexadecimalUnit() throws(ModelError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw syntax("four hexadecimal digits are expected") }
        let digits = bytes[position..<position + 4]
        let isHexadecimal = digits.allSatisfy {
            isDigit($0) || (65...70).contains($0) || (97...102).contains($0)
        }
        guard isHexadecimal, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw syntax("four hexadecimal digits are expected")
        }
        position += 4
        return unit
    }
}

extension JSON {
    /// Compact JSON with the members in their own order; used for documents that Assay itself makes.
    public var serialized: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .number(let text): output += text.utf8
        case .string(let text): JSON.writeString(text, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSON.writeString(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func writeString(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                output += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
