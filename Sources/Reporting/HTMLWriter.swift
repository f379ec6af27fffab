/// Writes HTML. Markup is the program's own, as `StaticString` makes sure; every value is escaped.
///
/// What would act instead of being shown, or is not allowed in a document (HTML, section 13.2.3.5), is written as an
/// escape in letters.
struct HTMLWriter {
    private(set) var bytes: [UInt8] = []
    private var open: [StaticString] = []

    typealias Attributes = [(name: StaticString, value: String)]

    mutating func start(_ name: StaticString, _ attributes: Attributes = []) {
        tag(name, attributes)
        open.append(name)
    }

    mutating func start(_ name: StaticString, class style: String) { start(name, [("class", style)]) }

    mutating func end() {
        guard let name = open.popLast() else { return }
        markup("</")
        markup(name)
        markup(Self.isInline(name) ? ">" : ">\n")
    }

    /// An element that has no content and no end: `input`, `meta`.
    mutating func void(_ name: StaticString, _ attributes: Attributes = []) { tag(name, attributes) }

    mutating func element(_ name: StaticString, _ text: String) { element(name, [], text) }

    /// An element with nothing but text.
    mutating func element(_ name: StaticString, _ attributes: Attributes, _ text: String) {
        start(name, attributes)
        self.text(text)
        end()
    }

    mutating func element(_ name: StaticString, class style: String, _ text: String) {
        element(name, [("class", style)], text)
    }

    /// The text on one line.
    mutating func text(_ text: String) { append(text, keepingLines: false) }

    /// The text with its line ends and tabs, for `pre`.
    mutating func lines(_ text: String) { append(text, keepingLines: true) }

    /// Markup, style or script of the program itself.
    mutating func markup(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func tag(_ name: StaticString, _ attributes: Attributes) {
        bytes.append(UInt8(ascii: "<"))
        markup(name)
        for attribute in attributes {
            bytes.append(UInt8(ascii: " "))
            markup(attribute.name)
            markup("=\"")
            text(attribute.value)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: ">"))
    }

    /// Between elements that stand in a line, a line end would be a space.
    private static func isInline(_ name: StaticString) -> Bool {
        switch name.description {
        case "a", "abbr", "b", "button", "code", "option", "output", "rect", "span", "text", "title",
            "circle",
            "line", "time":
            true
        default: false
        }
    }

    private mutating func append(_ text: String, keepingLines: Bool) {
        MarkupText.forEachPart(of: text) { part in
            switch part {
            case .plain(let run): bytes.append(contentsOf: run)
            case .scalar(let scalar): escape(scalar, keepingLines)
            }
        }
    }

    private mutating func escape(_ scalar: Unicode.Scalar, _ keepingLines: Bool) {
        switch scalar {
        case "&": markup("&amp;")
        case "<": markup("&lt;")
        case ">": markup("&gt;")
        case "\"": markup("&quot;")
        case "'": markup("&#39;")
        case "\n" where keepingLines, "\t" where keepingLines:
            bytes.append(UInt8(truncatingIfNeeded: scalar.value))
        case _ where SafeText.isControl(scalar):
            bytes += SafeText.oneLine(String(scalar)).utf8
        case _ where Self.isNoncharacter(scalar):
            bytes += "\\u{\(SafeText.hexadecimal(scalar, width: 4))}".utf8
        default: bytes += UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter
        }
    }

    /// Unicode, section 23.7.
    private static func isNoncharacter(_ scalar: Unicode.Scalar) -> Bool {
        (0xFDD0...0xFDEF).contains(scalar.value) || scalar.value & 0xFFFE == 0xFFFE
    }
}
