/// Writes a well-formed XML 1.0 document, one element per line.
///
/// Element and attribute names are the caller's own words and are written as they are; every value is
/// escaped. What XML 1.0 forbids even as a character reference (section 2.2, production `Char`) becomes U+FFFD.
struct XMLWriter {
    private(set) var bytes: [UInt8] = []
    /// How many characters became U+FFFD so far.
    private(set) var replacements = 0
    private var open: [String] = []

    /// - Parameter capacity: bytes that the document will hardly have more of: large ones are not copied as they grow.
    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
        bytes += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".utf8
    }

    /// Attributes in the order in which they are written.
    typealias Attributes = [(name: String, value: String)]

    mutating func start(_ name: String, _ attributes: Attributes = []) {
        tag(name, attributes)
        bytes += ">\n".utf8
        open.append(name)
    }

    mutating func end() {
        guard let name = open.popLast() else { return }
        indent()
        close(name)
    }

    /// An element without content.
    mutating func empty(_ name: String, _ attributes: Attributes = []) {
        tag(name, attributes)
        bytes += "/>\n".utf8
    }

    /// An element with nothing but text.
    mutating func element(_ name: String, _ attributes: Attributes = [], text: String) {
        tag(name, attributes)
        bytes.append(UInt8(ascii: ">"))
        append(text, inAttribute: false)
        close(name)
    }

    /// True for what is no `Char` of XML 1.0, section 2.2.
    static func forbids(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\r": false
        case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": true
        default: false
        }
    }

    private mutating func close(_ name: String) {
        bytes += "</".utf8
        bytes += name.utf8
        bytes += ">\n".utf8
    }

    private mutating func tag(_ name: String, _ attributes: Attributes) {
        indent()
        bytes.append(UInt8(ascii: "<"))
        bytes += name.utf8
        for attribute in attributes {
            bytes.append(UInt8(ascii: " "))
            bytes += attribute.name.utf8
            bytes += "=\"".utf8
            append(attribute.value, inAttribute: true)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    private mutating func indent() {
        bytes += repeatElement(UInt8(ascii: " "), count: 2 * open.count)
    }

    private mutating func append(_ text: String, inAttribute: Bool) {
        MarkupText.forEachPart(of: text) { part in
            switch part {
            case .plain(let run): bytes.append(contentsOf: run)
            case .scalar(let scalar): append(scalar, inAttribute)
            }
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ inAttribute: Bool) {
        switch scalar {
        case "&": bytes += "&amp;".utf8
        case "<": bytes += "&lt;".utf8
        case ">": bytes += "&gt;".utf8
        case "\"": bytes += "&quot;".utf8
        case "'": bytes += "&apos;".utf8
        case "\n" where !inAttribute, "\t" where !inAttribute:
            bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        case "\n", "\t", "\r": reference(scalar)
        case _ where Self.forbids(scalar):
            replacements += 1
            bytes += "\u{FFFD}".utf8
        case _ where SafeText.isControl(scalar): reference(scalar)
        default: bytes += UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter
        }
    }

    /// Readers see the character, while whoever prints the file sees only its number.
    private mutating func reference(_ scalar: Unicode.Scalar) {
        bytes += "&#\(scalar.value);".utf8
    }
}
