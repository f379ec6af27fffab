import Verdict

/// One statement of the written standard, in our words.
public struct StatementDeclaration: Hashable, Sendable {
    /// Where a statement can be seen to hold.
    public enum Place: String, Sendable, CaseIterable {
        /// In a saved image.
        case image
        /// In a running container.
        case probe
        /// While an image is built, or by comparing two builds.
        case build
        /// In no image: it is about documents, tools or a process.
        case none
    }

    public var id: String
    /// Lines of the document, `34` or `34-38` each.
    public var lines: [String]
    public var shown: [Place]
    public var text: String
    /// Why an image cannot show it; given exactly for those that neither an image nor a container shows.
    public var reason: String?
    /// What changed in which release, or what is vague.
    public var note: String?
    /// Where the document and the images differ.
    public var drift: Drift?
    public var position: SourcePosition

    /// What the document says against what images do.
    public struct Drift: Hashable, Sendable {
        public var document: String
        public var images: String
        public var sources: [String]
    }
}

extension SuiteLoader {
    static func statements(in root: SuiteNode, _ reading: inout SuiteReading) -> [StatementDeclaration] {
        guard let value = root["statements"] else { return [] }
        if root["suite"] == nil {
            _ = Fields(root, "a file of statements", allowed: ["statements"], reading: &reading)
        }
        guard let items = value.list else {
            reading.report(value.position, "statements is a list, not \(value.kindName)")
            return []
        }
        return items.compactMap { statement($0, &reading) }
    }

    private static func statement(
        _ node: SuiteNode, _ reading: inout SuiteReading
    ) -> StatementDeclaration? {
        let keys = ["id", "lines", "shown", "text", "reason", "note", "drift"]
        guard let fields = Fields(node, "a statement", allowed: keys, reading: &reading) else { return nil }
        let id = fields.requiredText("id", &reading)
        if let id, !isStatementID(id) {
            reading.report(fields.node["id"]?.position, "\(id) is not a statement id: expected B09")
        }
        let text = fields.requiredText("text", &reading)
        _ = fields.required("shown", &reading)
        let shown = fields.texts("shown", &reading).compactMap { item -> StatementDeclaration.Place? in
            let places = StatementDeclaration.Place.allCases.map(\.rawValue)
            if let place = item.scalar.flatMap(StatementDeclaration.Place.init) { return place }
            reading.report(
                item.position, "shown is one of \(places.joined(separator: ", ")), not \(item.scalar ?? "")",
                suggestion: nearest(to: item.scalar ?? "", among: places))
            return nil
        }
        let reason = fields.text("reason", &reading)
        let needsReason = !shown.contains(.image) && !shown.contains(.probe)
        if needsReason != (reason != nil) {
            reading.report(
                node.position,
                needsReason
                    ? "a statement that no image shows needs a reason"
                    : "a statement that an image shows needs no reason")
        }
        guard let id, let text else { return nil }
        return StatementDeclaration(
            id: id, lines: fields.texts("lines", &reading).compactMap(\.scalar), shown: shown, text: text,
            reason: reason, note: fields.text("note", &reading), drift: drift(fields, &reading),
            position: node.position)
    }

    private static func drift(
        _ fields: Fields, _ reading: inout SuiteReading
    ) -> StatementDeclaration.Drift? {
        guard let value = fields.value("drift", &reading),
            let inner = Fields(
                value, "drift", allowed: ["document", "images", "sources"], reading: &reading),
            let document = inner.requiredText("document", &reading),
            let images = inner.requiredText("images", &reading)
        else { return nil }
        return StatementDeclaration.Drift(
            document: document, images: images,
            sources: inner.texts("sources", &reading).compactMap(\.scalar))
    }

    // MARK: Variants and lineage

    static func variants(in root: SuiteNode, _ reading: inout SuiteReading) -> [VariantDeclaration] {
        guard let value = root["variants"] else { return [] }
        guard let items = value.list else {
            reading.report(value.position, "variants is a list, not \(value.kindName)")
            return []
        }
        return items.compactMap { node in
            let keys = ["id", "title", "when"]
            guard let fields = Fields(node, "a variant", allowed: keys, reading: &reading),
                let id = fields.requiredText("id", &reading),
                let title = fields.requiredText("title", &reading)
            else { return nil }
            let condition = fields.value("when", &reading).flatMap { Condition(reading: $0, &reading) }
            return VariantDeclaration(id: id, title: title, condition: condition, position: node.position)
        }
    }

    static func lineage(
        _ head: Fields, parameters: [String], _ reading: inout SuiteReading
    ) -> LineageDeclaration? {
        let keys = ["lastInstruction", "containing", "customisedBy"]
        guard let value = head.value("lineage", &reading),
            let fields = Fields(value, "lineage", allowed: keys, reading: &reading),
            let instruction = fields.requiredText("lastInstruction", &reading),
            let containing = fields.requiredText("containing", &reading)
        else { return nil }
        let names = fields.texts("customisedBy", &reading).compactMap { item -> String? in
            guard let name = item.scalar, parameters.contains(name) else {
                reading.report(
                    item.position, "\(item.scalar ?? "") is not a declared parameter",
                    suggestion: nearest(to: item.scalar ?? "", among: parameters))
                return nil
            }
            return name
        }
        return LineageDeclaration(
            lastInstruction: instruction, containing: containing, customisedBy: names)
    }
}
