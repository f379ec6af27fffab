/// The Airflow release an image is judged by, as far as it is known.
public enum EffectiveVersion: Hashable, Sendable {
    /// The installed version, brought into the profile's range.
    case release(ReleaseVersion)
    /// Nothing is installed, but the profile is known: some release of it.
    case someRelease(of: VersionRange)
    /// Why no release line could be told.
    case undecided(reason: String)

    /// - Throws: `Unresolved` when the range cannot be decided.
    public func isIn(_ range: VersionRange) throws(Unresolved) -> Bool {
        switch self {
        case .release(let version): return range.contains(version)
        case .someRelease(let line):
            if let decided = line.isWithin(range) { return decided }
            throw Unresolved(
                "which release of \(line) the image holds is not known, and \(range) splits them")
        case .undecided(let reason): throw Unresolved(reason)
        }
    }
}

/// Why an expectation has no definite value for this image: the check is then an error.
public struct Unresolved: Error, Hashable, Sendable {
    public let reason: String

    public init(_ reason: String) { self.reason = reason }
}

/// What templates and by-release values are resolved with.
public struct Scope: Sendable {
    /// The value of each parameter, or why it has none.
    public var parameters: [String: Result<String, Unresolved>]
    public var version: EffectiveVersion

    public init(parameters: [String: Result<String, Unresolved>], version: EffectiveVersion) {
        self.parameters = parameters
        self.version = version
    }
}

/// A text with `${NAME}` where a parameter's value stands.
public struct Template: Hashable, Sendable {
    enum Piece: Hashable, Sendable {
        case text(String)
        case parameter(String)
    }

    let pieces: [Piece]

    /// A text as it is.
    public init(literal text: String) { pieces = text.isEmpty ? [] : [.text(text)] }

    /// - Parameter reading: receives a diagnostic for an unknown parameter or a `${` without end.
    public init(_ text: String, at node: SuiteNode, reading: inout SuiteReading) {
        var pieces: [Piece] = []
        var rest = Substring(text)
        while let open = rest.firstRange(of: "${") {
            if open.lowerBound > rest.startIndex { pieces.append(.text(String(rest[..<open.lowerBound]))) }
            guard let close = rest[open.upperBound...].firstIndex(of: "}") else {
                reading.report(node.position, "${ without }")
                rest = ""
                break
            }
            let name = String(rest[open.upperBound..<close])
            pieces.append(.parameter(name))
            if let known = reading.parameterNames, !known.contains(name) {
                reading.report(
                    node.position, "${\(name)} is not a declared parameter",
                    suggestion: nearest(to: name, among: known).map { "${\($0)}" })
            }
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.pieces = pieces
    }

    /// The text as it is written in the suite.
    public var source: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .parameter(let name): "${\(name)}"
            }
        }.joined()
    }

    /// - Throws: `Unresolved` when a parameter has no value.
    public func resolved(in scope: Scope) throws(Unresolved) -> String {
        try resolved(in: scope) { $0 }
    }

    /// - Parameter quoting: applied to the parameters' values, not to the template's own text.
    func resolved(in scope: Scope, quoting: (String) -> String) throws(Unresolved) -> String {
        var output = ""
        for piece in pieces {
            switch piece {
            case .text(let text): output += text
            case .parameter(let name): output += quoting(try value(of: name, in: scope))
            }
        }
        return output
    }

    /// The resolved text; a template that is nothing but one `${NAME}` gives the words of its value, so that a
    /// build argument with a list of packages stands for all of them, and an empty one for none.
    public func words(in scope: Scope) throws(Unresolved) -> [String] {
        if pieces.count == 1, case .parameter(let name) = pieces[0] {
            return try value(of: name, in: scope).split { $0.isWhitespace }.map(String.init)
        }
        return [try resolved(in: scope)]
    }

    /// For showing: parameters that have no value stay `${NAME}`.
    public func shown(in scope: Scope?) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): return text
            case .parameter(let name):
                guard case .success(let value)? = scope?.parameters[name] else { return "${\(name)}" }
                return value
            }
        }.joined()
    }

    private func value(of name: String, in scope: Scope) throws(Unresolved) -> String {
        guard let value = scope.parameters[name] else {
            throw Unresolved("the parameter \(name) has no value")
        }
        return try value.get()
    }
}

extension [Template] {
    /// The words of all templates, in their order.
    public func words(in scope: Scope) throws(Unresolved) -> [String] {
        var words: [String] = []
        for template in self { words += try template.words(in: scope) }
        return words
    }
}

extension Template: CustomStringConvertible {
    /// As written in the suite.
    public var description: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .parameter(let name): "${\(name)}"
            }
        }.joined()
    }
}
