import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// `paths: {every: [/opt/airflow/**]}`
struct PathsExpectation: Expectation {
    static let kind = ExpectationKind(
        "paths", summary: "every, any or none of the entries that match a glob is as described",
        value: .quantified,
        keys: PathAttributes.keys + [
            .init("allowNone", "true: every is also met when nothing matches", .flag)
        ],
        passing: "paths: {every: [\"/etc/*\"]}\nowner: root",
        failing: "paths: {none: [\"/etc/pass*\"]}")

    private let quantified: Quantified
    private let attributes: PathAttributes
    private let allowsNone: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("paths", fields, &reading) else { return nil }
        for glob in quantified.names + quantified.exceptions
        where !glob.source.hasPrefix("/") && !glob.source.hasPrefix("${") {
            reading.report(fields.node["paths"]?.position, "\(glob.source) is not an absolute path")
        }
        if quantified.quantifier == .most {
            reading.report(fields.node["paths"]?.position, "paths knows every, any and none, not most")
            return nil
        }
        self.quantified = quantified
        attributes = PathAttributes(fields, &reading)
        allowsNone = fields.flag("allowNone", &reading) ?? false
        if quantified.quantifier == .every, attributes.isEmptySet {
            reading.report(fields.node.position, "every needs an attribute that the paths have to have")
        }
    }

    /// Entries that share everything an attribute can look at but their place.
    private struct Look: Hashable {
        var kind: FileStatus.Kind
        var permissions: UInt16
        var uid: Int64
        var gid: Int64
        var distinct: ImagePath?
    }

    /// Entries found wrong (or, for `none`, found at all) in one layer for one reason.
    private struct Group {
        /// In the order of the tree; at most `maximumListed`.
        var nodes: [Node] = []
        var count = 0
        var finding: Finding?
    }

    /// Entries that a finding lists by name, for waivers and baselines.
    private static let maximumListed = 10_000
    /// Entries that it describes.
    private static let maximumDescribed = 10

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let rootfs = context.facts.rootfs
        let subject = Subject(.path, try quantified.names(in: context.scope).joined(separator: " "))
        let matches = try PathsExpectation.matches(quantified, context)
        var verdicts: [Look: Evaluation] = [:]
        // The attributes target and empty depend on more than the status.
        let isShared = attributes.dependsOnStatusOnly
        var satisfying: [Node] = []
        var groups: [String: Group] = [:]
        for node in matches {
            let status = rootfs.status(of: node)
            guard try quantified.counts(layer: status.layer, context) else { continue }
            var look = Look(
                kind: status.kind, permissions: status.permissions, uid: status.uid, gid: status.gid)
            if !isShared { look.distinct = rootfs.path(of: node) }
            // A link has no mode: every passes over it, any and none do not find it.
            if status.kind == .symbolicLink, attributes.describesMode, quantified.quantifier != .every {
                continue
            }
            let verdict: Evaluation
            if let known = verdicts[look] {
                verdict = known
            } else {
                verdict = try attributes.evaluate(node, subject: subject, context)
                verdicts[look] = verdict
            }
            if verdict.holds { satisfying.append(node) }
            if verdict.holds != (quantified.quantifier == .none) { continue }
            let reason = verdict.failures.map(\.expected).joined(separator: ", ")
            var group = groups["\(status.layer) \(reason)"] ?? Group()
            group.count += 1
            if group.nodes.count < PathsExpectation.maximumListed { group.nodes.append(node) }
            if group.finding == nil {
                group.finding = Finding(
                    subject: Subject(.path, rootfs.path(of: node).description), expected: expected(reason),
                    observed: "", provenance: context.provenance(ofLayer: status.layer))
            }
            groups["\(status.layer) \(reason)"] = group
        }
        return try conclude(
            matches: matches, satisfying: satisfying, groups: groups, subject: subject, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let rootfs = context.facts.rootfs
        var matches: [Node] = []
        for node in try PathsExpectation.matches(quantified, context)
        where try quantified.counts(layer: rootfs.status(of: node).layer, context) {
            matches.append(node)
        }
        switch quantified.quantifier {
        case .every, .most:
            // Files first: a directory has others below it.
            let files = matches.filter { rootfs.status(of: $0).kind == .file }
            var violations: [Violation] = []
            let others = matches.lazy.filter { rootfs.status(of: $0).kind != .file }
            for node in files.prefix(2) + others.prefix(2) {
                violations += try attributes.violations(of: node, context)
            }
            if !matches.isEmpty { return violations }
            for path in try examples(context) {
                guard let entry = try attributes.entry(at: path, context) else { continue }
                for (summary, wrong) in try attributes.without(entry, context) {
                    violations.append(added(wrong, "write and \(summary)", context))
                }
            }
            return violations
        case .any:
            var changed: [Violation.Change] = []
            var removed: [Violation.Change] = []
            let subject = Subject(.path, "")
            for node in matches where try attributes.evaluate(node, subject: subject, context).holds {
                changed += try attributes.violations(of: node, context).first?.changes ?? []
                removed.append(.remove(rootfs.path(of: node)))
            }
            let names = escaped(try quantified.names(in: context.scope).joined(separator: " "))
            let removal = Violation("remove what there is of \(names)", removed)
            return (changed.isEmpty ? [] : [Violation("make something else of \(names)", changed)]) + [
                removal
            ]
        case .none:
            var violations: [Violation] = []
            for path in try examples(context) {
                guard let entry = try attributes.entry(at: path, context) else { continue }
                violations.append(added(entry, "write \(path)", context))
            }
            return violations
        }
    }

    private func added(
        _ entry: Violation.Entry, _ summary: String, _ context: EvaluationContext
    ) -> Violation {
        Violation(
            summary, attributes.changes(to: entry, context), layer: quantified.layerOfAdditions(context))
    }

    /// A path that each of the first globs matches and no exception.
    private func examples(_ context: EvaluationContext) throws(Unresolved) -> [ImagePath] {
        let exceptions = try quantified.exceptions(in: context.scope).map { PathGlob($0) }
        return try quantified.names(in: context.scope).prefix(Quantified.maximumExamples).compactMap { name in
            Quantified.fillers.lazy.map { ImagePath(Glob(name).example(word: $0)) }.first { path in
                PathGlob(name).matches(path.bytes[...])
                    && !exceptions.contains { $0.matches(path.bytes[...]) }
            }
        }
    }

    private func conclude(
        matches: [Node], satisfying: [Node], groups: [String: Group], subject: Subject,
        _ context: EvaluationContext
    ) throws(Unresolved) -> Evaluation {
        var result = Evaluation()
        let total = matches.count
        switch quantified.quantifier {
        case .any:
            let first = satisfying.first
            let provenance = first.map {
                context.provenance(ofLayer: context.facts.rootfs.status(of: $0).layer)
            }
            result.record(
                first != nil,
                Finding(
                    subject: subject,
                    expected: "at least one entry\(attributes.isEmptySet ? "" : " as described")",
                    observed: first.map { describe($0, context) }
                        ?? "\(total.grouped) entries, none as described",
                    provenance: provenance))
        case .every, .most, .none:
            if quantified.quantifier == .every, total == 0, !allowsNone {
                throw Unresolved("nothing matches \(escaped(subject.name))")
            }
            let sorted = groups.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
            let rootfs = context.facts.rootfs
            for (_, group) in sorted {
                guard var finding = group.finding else { continue }
                let described = group.nodes.prefix(PathsExpectation.maximumDescribed)
                finding.observed = "\(group.count.grouped) of \(total.grouped) entries"
                if group.count > described.count { finding.observed += "; first \(described.count) listed" }
                finding.details = described.map { describe($0, context) }
                let others = group.nodes.dropFirst().map { rootfs.path(of: $0).description }
                finding.others = others.isEmpty ? nil : others
                let omitted = group.count - group.nodes.count
                finding.omitted = omitted == 0 ? nil : omitted
                result.failures.append(finding)
            }
            if groups.isEmpty {
                result.proofs.append(
                    Finding(
                        subject: subject, expected: expected(""),
                        observed: quantified.quantifier == .none
                            ? "none of \(total.grouped) entries" : "all of \(total.grouped) entries"))
            }
        }
        return result
    }

    private func expected(_ reason: String) -> String {
        switch (quantified.quantifier, reason.isEmpty) {
        case (.none, _): attributes.isEmptySet ? "no such entry" : "no entry as described"
        case (_, true): "every entry as described"
        case (_, false): "every entry with \(reason)"
        }
    }

    private func describe(_ node: Node, _ context: EvaluationContext) -> String {
        let rootfs = context.facts.rootfs
        let status = rootfs.status(of: node)
        let path = rootfs.path(of: node)
        let package = context.package(of: path).map { ", package \(escaped($0))" } ?? ""
        return "\(path) (\(status.kind.rawValue), \(status.octalPermissions), "
            + "\(status.uid):\(status.gid), layer \(status.layer + 1)\(package))"
    }

    /// What the globs match, each entry once, in the order of the tree. A literal path is not followed at its
    /// end; below a glob, links are entries and are not entered.
    static func matches(
        _ quantified: Quantified, _ context: EvaluationContext
    ) throws(Unresolved) -> [Node] {
        let rootfs = context.facts.rootfs
        let exceptions = try quantified.exceptions(in: context.scope).map { PathGlob($0) }
        var isSeen = Array(repeating: false, count: rootfs.placeCount)
        var result: [Node] = []
        func take(_ node: Node, _ path: ArraySlice<UInt8>) {
            guard !isSeen[node.place], !exceptions.contains(where: { $0.matches(path) }) else { return }
            isSeen[node.place] = true
            result.append(node)
        }
        for name in try quantified.names(in: context.scope) {
            let pattern = PathGlob(name)
            if pattern.glob.isLiteral {
                let path = ImagePath(name)
                if let node = try context.node(at: path, follows: false) { take(node, path.bytes[...]) }
                continue
            }
            let base = pattern.glob.baseDirectory
            guard let start = try context.node(at: base, follows: true) else { continue }
            // The tree below a linked directory has the names that the glob is written with.
            let realBase = rootfs.path(of: start)
            let isReal = realBase == base
            context.listing.value.forEach(from: start) { node, path in
                if isReal {
                    if pattern.matches(path) { take(node, path) }
                } else {
                    let written = base.bytes + path.dropFirst(realBase == .root ? 0 : realBase.bytes.count)
                    if pattern.matches(written[...]) { take(node, written[...]) }
                }
            }
        }
        return result
    }
}
