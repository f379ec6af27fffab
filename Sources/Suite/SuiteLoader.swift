import Verdict

/// Reads the files of a suite. No I/O: the texts come from a directory, or from the program itself.
public enum SuiteLoader {
    /// - Parameter files: name and text of each YAML file, in any order; the names appear in positions.
    /// - Throws: `SuiteError` with everything that is wrong, not only the first.
    public static func load(directory files: [(name: String, text: String)]) throws(SuiteError)
        -> SuiteDocument
    {
        var reading = SuiteReading()
        let roots = files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }.compactMap {
            SuiteSyntax.read($0.text, file: $0.name, reading: &reading)
        }
        let heads = roots.filter { $0["suite"] != nil }
        guard let head = heads.first else {
            if reading.isClean {
                let names = files.map(\.name).sorted().joined(separator: ", ")
                reading.report(
                    nil, "no file names the suite with a key suite (\(names.isEmpty ? "no file" : names))")
            }
            try reading.finish()
            throw SuiteError([])
        }
        for other in heads.dropFirst() {
            reading.report(other.position, "a second file names a suite; the first is \(head.position.file)")
        }
        var document = readHead(head, &reading)
        // An unreadable head would make every use of a parameter an error.
        if reading.isClean || !document.parameters.isEmpty {
            reading.parameterNames = document.parameters.map(\.name)
        }
        for root in roots {
            document.profiles += SuiteLoader.profiles(in: root, parameters: document.parameters, &reading)
            document.variants += SuiteLoader.variants(in: root, &reading)
            document.statements += SuiteLoader.statements(in: root, &reading)
        }
        reading.variantNames = document.variants.map(\.id)
        for root in roots { document.scenarios += SuiteLoader.scenarios(in: root, &reading) }
        for root in roots {
            document.checks += SuiteLoader.checks(in: root, suite: document.name, &reading)
        }
        reportDuplicates(document.checks.map { ($0.id, $0.position) }, "check", &reading)
        reportDuplicates(document.profiles.map { ($0.id, $0.position) }, "profile", &reading)
        reportDuplicates(document.variants.map { ($0.id, $0.position) }, "variant", &reading)
        reportDuplicates(document.statements.map { ($0.id, $0.position) }, "statement", &reading)
        reportDuplicates(document.scenarios.map { ($0.name, $0.position) }, "scenario", &reading)
        reportUnknownStatements(document, &reading)
        reportUnknownScenarios(document, &reading)
        if document.checks.isEmpty { reading.report(head.position, "the suite has no check") }
        try reading.finish()
        return document
    }

    private static func reportDuplicates(
        _ ids: [(String, SourcePosition)], _ what: String, _ reading: inout SuiteReading
    ) {
        var first: [String: SourcePosition] = [:]
        for (id, position) in ids {
            if let earlier = first[id] {
                reading.report(position, "duplicate \(what) id \(id); the first is at \(earlier)")
            } else {
                first[id] = position
            }
        }
    }

    /// A suite that lists the statements of its document has checks for these only.
    private static func reportUnknownStatements(_ document: SuiteDocument, _ reading: inout SuiteReading) {
        let known = Set(document.statements.map(\.id))
        guard !known.isEmpty else { return }
        for check in document.checks {
            for id in check.statements where !known.contains(id) {
                reading.report(
                    check.position, "\(check.id) names the statement \(id), which the suite does not list",
                    suggestion: nearest(to: id, among: known))
            }
        }
    }

    private static func reportUnknownScenarios(_ document: SuiteDocument, _ reading: inout SuiteReading) {
        let known = document.scenarios.map(\.name)
        for check in document.checks {
            guard let name = check.scenario, !known.contains(name) else { continue }
            reading.report(
                check.position, "\(check.id) runs \(name), which is no scenario of the suite",
                suggestion: nearest(to: name, among: known))
        }
        let run = Set(document.checks.compactMap(\.scenario))
        for scenario in document.scenarios where !run.contains(scenario.name) {
            reading.report(scenario.position, "no check looks at the scenario \(scenario.name)")
        }
    }

    // MARK: suite.yaml

    private static let headKeys = ["suite", "title", "document", "release", "parameters", "lineage"]
    private static let groupKeys = ["group", "title", "scenarios", "checks"]

    private static func readHead(_ root: SuiteNode, _ reading: inout SuiteReading) -> SuiteDocument {
        var document = SuiteDocument(
            name: "", title: "", document: "", releaseDistributions: [], parameters: [], profiles: [],
            checks: [],
            position: root.position)
        let allowed = headKeys + ["profiles", "variants", "statements", "group", "scenarios", "checks"]
        guard let fields = Fields(root, "a suite", allowed: allowed, reading: &reading) else {
            return document
        }
        document.name = fields.requiredText("suite", &reading) ?? ""
        document.title = fields.requiredText("title", &reading) ?? ""
        document.document = fields.text("document", &reading) ?? ""
        if let value = fields.value("release", &reading),
            let release = Fields(
                value, "release", allowed: ["distribution", "parameter", "repository"], reading: &reading)
        {
            document.releaseDistributions = release.texts("distribution", &reading).compactMap(\.scalar)
            document.releaseParameter = release.text("parameter", &reading)
            document.releaseRepository = release.text("repository", &reading)
        }
        if let value = fields.value("parameters", &reading) {
            guard let members = value.members else {
                reading.report(value.position, "parameters is a mapping from names to declarations")
                return document
            }
            document.parameters = members.compactMap { parameter($0, &reading) }
            let names = document.parameters.flatMap { declared in
                ([declared.name] + declared.aliases).map { ($0, declared.position) }
            }
            reportDuplicates(names, "parameter", &reading)
        }
        if let name = document.releaseParameter, document.parameter(named: name) == nil {
            reading.report(root["release"]?.position, "\(name) is not a declared parameter")
        }
        document.lineage = lineage(fields, parameters: document.parameters.map(\.name), &reading)
        return document
    }

    private static func parameter(
        _ member: SuiteNode.Member, _ reading: inout SuiteReading
    ) -> ParameterDeclaration? {
        let keys = ["title", "default", "type", "aliases", "environment", "label", "matching"]
        let what = "the parameter \(member.key)"
        guard let fields = Fields(member.value, what, allowed: keys, reading: &reading) else { return nil }
        let title = fields.requiredText("title", &reading) ?? ""
        let type = fields.choice("type", ParameterDeclaration.ValueType.allCases, &reading) ?? .string
        let defaultValue = fields.text("default", &reading)
        if let defaultValue, let objection = type.objection(to: defaultValue) {
            reading.report(fields.node["default"]?.position, "the default of \(member.key) is \(objection)")
        }
        var pattern: Pattern?
        if let text = fields.text("matching", &reading) {
            pattern = Pattern(text)
            if pattern == nil {
                reading.report(fields.node["matching"]?.position, "\(text) is not a regular expression")
            }
        }
        return ParameterDeclaration(
            name: member.key, title: title, defaultValue: defaultValue, type: type,
            aliases: fields.texts("aliases", &reading).compactMap(\.scalar),
            environment: fields.texts("environment", &reading).compactMap(\.scalar),
            labels: fields.texts("label", &reading).compactMap(\.scalar), pattern: pattern,
            position: member.keyPosition)
    }

    // MARK: profiles.yaml

    private static func profiles(
        in root: SuiteNode, parameters: [ParameterDeclaration], _ reading: inout SuiteReading
    ) -> [ProfileDeclaration] {
        guard let value = root["profiles"] else { return [] }
        if root["suite"] == nil {
            _ = Fields(root, "a file of profiles", allowed: ["profiles", "variants"], reading: &reading)
        }
        guard let items = value.list else {
            reading.report(value.position, "profiles is a list, not \(value.kindName)")
            return []
        }
        return items.compactMap { profile($0, parameters, &reading) }
    }

    private static func profile(
        _ node: SuiteNode, _ declared: [ParameterDeclaration], _ reading: inout SuiteReading
    ) -> ProfileDeclaration? {
        let keys = ["id", "title", "versions", "when", "parameters"]
        guard let fields = Fields(node, "a profile", allowed: keys, reading: &reading) else { return nil }
        let id = fields.requiredText("id", &reading)
        let title = fields.requiredText("title", &reading)
        _ = fields.required("versions", &reading)
        let versions = fields.range("versions", &reading)
        let condition = fields.value("when", &reading).flatMap { Condition(reading: $0, &reading) }
        var values: [String: String] = [:]
        for member in fields.value("parameters", &reading)?.members ?? [] {
            guard let parameter = declared.first(where: { $0.name == member.key }) else {
                reading.report(
                    member.keyPosition, "\(member.key) is not a declared parameter",
                    suggestion: nearest(to: member.key, among: declared.map(\.name)))
                continue
            }
            guard let text = member.value.scalar else {
                reading.report(member.value.position, "\(member.key) is a text, not \(member.value.kindName)")
                continue
            }
            if let objection = parameter.type.objection(to: text) {
                reading.report(member.value.position, "\(member.key) is \(objection)")
            }
            values[member.key] = text
        }
        guard let id, let title, let versions else { return nil }
        return ProfileDeclaration(
            id: id, title: title, versions: versions, condition: condition, parameters: values,
            position: node.position)
    }

    // MARK: subject files

    private static func checks(
        in root: SuiteNode, suite: String, _ reading: inout SuiteReading
    ) -> [CheckDeclaration] {
        let isHead = root["suite"] != nil
        if !isHead {
            if root["profiles"] != nil || root["variants"] != nil || root["statements"] != nil { return [] }
            guard let fields = Fields(root, "a subject file", allowed: groupKeys, reading: &reading) else {
                return []
            }
            _ = fields.required("checks", &reading)
        }
        let group = isHead ? (root["group"]?.scalar ?? suite) : (root["group"]?.scalar ?? "")
        if group.isEmpty { reading.report(root.position, "a subject file needs the key group") }
        guard let value = root["checks"] else { return [] }
        guard let items = value.list else {
            reading.report(value.position, "checks is a list, not \(value.kindName)")
            return []
        }
        let title = root["title"]?.scalar ?? group
        return items.compactMap { check($0, group: group, groupTitle: title, &reading) }
    }

    private static let checkKeys = [
        "id", "title", "statements", "source", "severity", "when", "run", "expect", "documented", "remedy",
    ]

    private static func check(
        _ node: SuiteNode, group: String, groupTitle: String, _ reading: inout SuiteReading
    ) -> CheckDeclaration? {
        guard let fields = Fields(node, "a check", allowed: checkKeys, reading: &reading) else { return nil }
        let id = fields.requiredText("id", &reading)
        if let id, !isCheckID(id) {
            reading.report(fields.node["id"]?.position, "\(id) is not a check id: expected AREA-SUBJECT-001")
        }
        let title = fields.requiredTemplate("title", &reading)
        let statements = fields.texts("statements", &reading).compactMap { item -> String? in
            guard let text = item.scalar, isStatementID(text) else {
                reading.report(
                    item.position,
                    "\(item.scalar ?? "") is not a statement id: expected letters and digits, as B09")
                return nil
            }
            return text
        }
        let severity = fields.choice("severity", Severity.allCases, &reading) ?? .error
        let condition = fields.value("when", &reading).flatMap { Condition(reading: $0, &reading) }
        let source = fields.text("source", &reading)
        let remedy = fields.template("remedy", &reading)
        let expect = fields.required("expect", &reading)
        let expectations = expect.map { $0.list ?? [$0] } ?? []
        if let expect, expectations.isEmpty { reading.report(expect.position, "expect lists no expectation") }
        let documented = fields.value("documented", &reading)
        if let documented, documented.list?.isEmpty == true {
            reading.report(documented.position, "documented lists no expectation")
        }
        guard let id, let title else { return nil }
        return CheckDeclaration(
            id: id, title: title, group: group, groupTitle: groupTitle, statements: statements,
            source: source,
            severity: severity, condition: condition, scenario: fields.text("run", &reading),
            expectations: expectations,
            documented: documented.map { $0.list ?? [$0] } ?? [], remedy: remedy,
            position: fields.node["id"]?.position ?? node.position)
    }

    private static func isCheckID(_ id: String) -> Bool {
        let parts = id.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let isUpper = { (byte: UInt8) in (65...90).contains(byte) || (48...57).contains(byte) }
        return parts.count >= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isUpper) }
    }

    static func isStatementID(_ id: String) -> Bool {
        let letters = id.utf8.prefix { (65...90).contains($0) }
        let digits = id.utf8.dropFirst(letters.count)
        return (1...8).contains(letters.count) && (1...6).contains(digits.count)
            && digits.allSatisfy { (48...57).contains($0) }
    }
}
