import OCIModel

/// A requirement of PEP 508: `name[extra] >=1,<2 ; marker`, or `name @ url ; marker`.
public struct Requirement: Hashable, Sendable {
    /// As written.
    public let name: String
    /// By PEP 503: the name to compare with.
    public let normalizedName: String
    /// As written.
    public let extras: [String]
    public let specifiers: VersionSpecifiers
    public let url: String?
    public let marker: Marker?

    /// - Throws: `MalformedRequirement` for text that PEP 508 does not allow. Versions that only pip before 24.1
    ///   allows are kept (`VersionSpecifiers.isLegacy`).
    public init(_ text: String) throws(MalformedRequirement) {
        var parser = RequirementParser(text)
        self = try parser.requirement()
    }

    init(name: String, extras: [String], specifiers: VersionSpecifiers, url: String?, marker: Marker?) {
        self.name = name
        normalizedName = PythonEnvironment.normalize(name)
        self.extras = extras
        self.specifiers = specifiers
        self.url = url
        self.marker = marker
    }

    /// Whether it applies; without marker it does.
    ///
    /// - Returns: nil when that depends on something that is not known.
    public func applies(in environment: MarkerEnvironment, extra: String = "") -> Bool? {
        marker.map { $0.holds(in: environment, extra: extra) } ?? true
    }
}

extension Requirement: CustomStringConvertible {
    /// As pip writes it.
    public var description: String {
        var text = name
        if !extras.isEmpty { text += "[\(Set(extras).sorted().joined(separator: ","))]" }
        text += specifiers.description
        if let url { text += "@ \(url)" + (marker == nil ? "" : " ") }
        if let marker { text += "; \(marker)" }
        return text
    }
}

/// Why a text is no requirement.
public struct MalformedRequirement: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with which text, in one line; escaped.
    public let message: String

    public var description: String { message }
}

/// Reads from left to right; bounded by the length of the text and by the depth of parentheses.
private struct RequirementParser {
    private let text: String
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        self.text = text
        rest = Array(text.utf8)[...].trimmed
    }

    private static let maximumDepth = 32

    private func malformed(_ reason: String) -> MalformedRequirement {
        MalformedRequirement(message: "\(quoted(text)) is no requirement: \(reason)")
    }

    mutating func requirement() throws(MalformedRequirement) -> Requirement {
        guard let name = takeName() else { throw malformed("it does not begin with a name") }
        skipSpace()
        let extras = try takeExtras()
        skipSpace()
        var url: String?
        var specifiers = VersionSpecifiers([])
        if skip("@") {
            skipSpace()
            let bytes = rest.prefix { !isSpace($0) }
            guard !bytes.isEmpty else { throw malformed("no URL behind the @") }
            rest = rest[bytes.endIndex...]
            url = String(decoding: bytes, as: UTF8.self)
        } else {
            specifiers = try takeSpecifiers()
        }
        skipSpace()
        var marker: Marker?
        if skip(";") { marker = try takeExpression(depth: 0) }
        skipSpace()
        guard rest.isEmpty else {
            throw malformed("\(quoted(String(decoding: rest, as: UTF8.self), limit: 40)) cannot stand there")
        }
        return Requirement(name: name, extras: extras, specifiers: specifiers, url: url, marker: marker)
    }

    // MARK: Name, extras, versions

    private mutating func takeName() -> String? {
        let bytes = rest.prefix { isLetter($0) || isDigit($0) || "-_.".utf8.contains($0) }
        // It ends with a letter or digit: what comes behind is of something else.
        guard let first = bytes.first, isLetter(first) || isDigit(first),
            let last = bytes.lastIndex(where: { isLetter($0) || isDigit($0) })
        else { return nil }
        rest = rest[(last + 1)...]
        return String(decoding: bytes[...last], as: UTF8.self)
    }

    private mutating func takeExtras() throws(MalformedRequirement) -> [String] {
        guard skip("[") else { return [] }
        var extras: [String] = []
        skipSpace()
        while let extra = takeName() {
            extras.append(extra)
            skipSpace()
            guard skip(",") else { break }
            skipSpace()
        }
        guard skip("]") else { throw malformed("no ] behind the extras") }
        return extras
    }

    private mutating func takeSpecifiers() throws(MalformedRequirement) -> VersionSpecifiers {
        let isEnclosed = skip("(")
        var clauses: [VersionSpecifiers.Clause] = []
        skipSpace()
        while let comparison = takeOperator() {
            skipSpace()
            let end = comparison == .arbitrary ? ";)" : ",;)"
            let bytes = rest.prefix { !isSpace($0) && !end.utf8.contains($0) }
            rest = rest[bytes.endIndex...]
            let version = String(decoding: bytes, as: UTF8.self)
            guard !bytes.isEmpty, let clause = VersionSpecifiers.Clause(comparison, version) else {
                throw malformed("\(comparison.rawValue) with \(quoted(version, limit: 40))")
            }
            clauses.append(clause)
            skipSpace()
            guard skip(",") else { break }
            skipSpace()
        }
        if isEnclosed, !skip(")") { throw malformed("no ) behind the versions") }
        return VersionSpecifiers(clauses)
    }

    private mutating func takeOperator() -> VersionSpecifiers.Operator? {
        guard let first = rest.first, "=~!<>".utf8.contains(first) else { return nil }
        return VersionSpecifiers.Operator.allCases.first { skip($0.rawValue) }
    }

    // MARK: Markers

    private mutating func takeExpression(depth: Int) throws(MalformedRequirement) -> Marker {
        guard depth < Self.maximumDepth else { throw malformed("too many parentheses") }
        var members = [try takeMember(depth)]
        var junctions: [Marker.Junction] = []
        while true {
            skipSpace()
            if skipWord("and") {
                junctions.append(.and)
            } else if skipWord("or") {
                junctions.append(.or)
            } else {
                return .expression(members, junctions)
            }
            members.append(try takeMember(depth))
        }
    }

    private mutating func takeMember(_ depth: Int) throws(MalformedRequirement) -> Marker {
        skipSpace()
        if skip("(") {
            let inner = try takeExpression(depth: depth + 1)
            guard skip(")") else { throw malformed("no ) in the marker") }
            return inner
        }
        let left = try takeOperand()
        skipSpace()
        let comparison = try takeComparison()
        skipSpace()
        let right = try takeOperand()
        switch (left, right) {
        case (.variable, .text), (.text, .variable): return .comparison(left, comparison, right)
        default: throw malformed("a marker compares a variable with a text")
        }
    }

    private mutating func takeOperand() throws(MalformedRequirement) -> Marker.Operand {
        if let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            let bytes = rest.dropFirst().prefix { $0 != quote }
            guard bytes.endIndex < rest.endIndex else { throw malformed("a quotation mark has no end") }
            rest = rest[(bytes.endIndex + 1)...]
            return .text(String(decoding: bytes, as: UTF8.self))
        }
        let word = rest.prefix { isLetter($0) || isDigit($0) || "_.".utf8.contains($0) }
        // Older spellings have dots.
        var name = String(
            decoding: word.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }, as: UTF8.self)
        if name == "python_implementation" { name = Marker.Variable.platformPythonImplementation.rawValue }
        guard let variable = Marker.Variable(rawValue: name) else {
            throw malformed("the marker has neither a variable nor a text where one should be")
        }
        rest = rest[word.endIndex...]
        return .variable(variable)
    }

    private mutating func takeComparison() throws(MalformedRequirement) -> Marker.Comparison {
        if let comparison = takeOperator() { return .version(comparison) }
        if skipWord("in") { return .contained }
        if skipWord("not") {
            skipSpace()
            if skipWord("in") { return .notContained }
        }
        throw malformed("the marker has no comparison")
    }

    // MARK: Bytes

    private mutating func skipSpace() { rest = rest.drop(while: isSpace) }

    private mutating func skip(_ token: String) -> Bool {
        guard rest.starts(with: token.utf8) else { return false }
        rest = rest.dropFirst(token.utf8.count)
        return true
    }

    private mutating func skipWord(_ word: String) -> Bool {
        guard rest.starts(with: word.utf8) else { return false }
        let following = rest.dropFirst(word.utf8.count)
        if let next = following.first, isLetter(next) || isDigit(next) || next == UInt8(ascii: "_") {
            return false
        }
        rest = following
        return true
    }
}
