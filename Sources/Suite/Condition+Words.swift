extension Condition {
    /// Everything that the condition asks for, one line each.
    public var words: [String] {
        var lines: [String] = []
        if let versions { lines.append("releases \(versions)") }
        lines += parameters.map { "\($0.name) is \($0.matcher)" }
        if let variant { lines.append("the image is of the variant \(variant)") }
        if let lineage { lines.append("the image is \(lineage.rawValue)") }
        if let given { lines.append("\(given.option) is given") }
        lines += all.flatMap(\.words)
        if !any.isEmpty { lines.append("any of: " + Condition.alternatives(any)) }
        if !none.isEmpty { lines.append("none of: " + Condition.alternatives(none)) }
        if let expectation { lines.append("an image with \(expectation)") }
        return lines
    }

    private static func alternatives(_ conditions: [Condition]) -> String {
        conditions.map { $0.words.joined(separator: " and ") }.joined(separator: "; ")
    }

    /// How much of a release line the condition can hold for, by its versions alone.
    ///
    /// - Returns: false for none of it; nil for a part of it, or when no end of the line tells.
    func admits(_ line: VersionRange) -> Bool? {
        var answers = all.map { $0.admits(line) }
        if let versions { answers.append(line.isWithin(versions)) }
        if !any.isEmpty {
            let parts = any.map { $0.admits(line) }
            answers.append(parts.contains(true) ? true : parts.allSatisfy { $0 == false } ? false : nil)
        }
        if answers.contains(false) { return false }
        return answers.contains(nil) ? nil : true
    }
}

extension SuiteDocument {
    /// The release lines that a check applies to as far as releases decide it, and whether to the whole line.
    public func profiles(of check: CheckDeclaration) -> [(profile: ProfileDeclaration, isWhole: Bool)] {
        profiles.compactMap { profile in
            guard let condition = check.condition else { return (profile, true) }
            switch condition.admits(profile.versions) {
            case false: return nil
            case let answer: return (profile, answer == true)
            }
        }
    }
}

extension SuiteNode: CustomStringConvertible {
    /// The value in YAML's flow style, on one line.
    public var description: String {
        switch value {
        case .empty: "null"
        case .scalar(let text): SuiteNode.quoted(text)
        case .list(let items): "[" + items.map(\.description).joined(separator: ", ") + "]"
        case .mapping(let members):
            "{" + members.map { "\(SuiteNode.quoted($0.key)): \($0.value)" }.joined(separator: ", ") + "}"
        }
    }

    /// In quotes where a plain text would be taken for something else.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.wholeMatch(of: /[A-Za-z0-9_\/.$][A-Za-z0-9_\/.@+=$ -]*/) != nil && text.last != " "
        return isPlain && text != "null" ? text : "'" + text.replacing("'", with: "''") + "'"
    }
}

extension SuiteSource {
    /// The lines of a file in which a check is written, as they are.
    ///
    /// - Parameters:
    ///   - line: where its id is; counts from 1.
    /// - Returns: the item of the list that holds the line, without the indentation that all its lines have; the
    ///   line alone when it is in none.
    public static func item(ofLine line: Int, in text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.indices.contains(line - 1) else { return [] }
        func indentation(_ line: String) -> Int { line.prefix { $0 == " " }.count }
        func begins(_ line: String) -> Bool { line.dropFirst(indentation(line)).hasPrefix("- ") }
        var start = line - 1
        if !begins(lines[start]) {
            let inner = indentation(lines[start])
            guard
                let found = lines[..<start].lastIndex(where: { begins($0) && indentation($0) < inner }),
                lines[found...start].dropFirst().allSatisfy({
                    $0.isEmpty || indentation($0) > indentation(lines[found])
                })
            else { return [lines[start].trimmingPrefix { $0 == " " }].map(String.init) }
            start = found
        }
        let outer = indentation(lines[start])
        let rest = lines[(start + 1)...].prefix { $0.allSatisfy { $0 == " " } || indentation($0) > outer }
        var item = [lines[start]] + rest
        while item.last?.allSatisfy({ $0 == " " }) == true { item.removeLast() }
        return item.map { String($0.dropFirst(min(outer, indentation($0)))) }
    }
}
