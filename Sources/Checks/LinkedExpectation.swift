import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// `linked: {every: ["/usr/lib/python3/**/*.so"]}`
struct LinkedExpectation: Expectation {
    static let kind = ExpectationKind(
        "linked",
        summary: "the dynamic linker finds every library that these files need, and what those need in turn",
        value: .quantified,
        keys: [
            .init(
                "preloaded", "file names or globs of libraries that the loading process has already", .texts),
            .init("allowNone", "true: also met when nothing that matches is linked", .flag),
        ],
        passing: "linked: {every: [\"/usr/lib/x86_64-linux-gnu/lib[cm].so.6\"]}",
        failing: "linked: {every: [\"/usr/local/lib/**/*.so\"]}")

    private let quantified: Quantified
    private let preloaded: [Template]
    private let allowsNone: Bool

    /// Findings of one evaluation.
    private static let maximumFindings = 1_000

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("linked", fields, &reading) else { return nil }
        if quantified.quantifier != .every {
            reading.report(fields.node["linked"]?.position, "linked knows every, no other quantifier")
        }
        self.quantified = quantified
        preloaded = fields.templates("preloaded", &reading)
        allowsNone = fields.flag("allowNone", &reading) ?? false
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        var result = Evaluation()
        var doubts: [String] = []
        var count = 0
        try forEachLinked(context) { node, needs in
            count += 1
            let missing = needs.filter { $0.resolution == .missing }
            if let first = missing.first {
                guard result.failures.count < LinkedExpectation.maximumFindings else { return }
                result.failures.append(
                    Finding(
                        subject: Subject(.path, context.facts.rootfs.path(of: node).description),
                        expected: "every library that it needs is found",
                        observed: "\(escaped(first.name)) is missing",
                        provenance: context.provenance(ofMissingLibrary: first, of: node),
                        details: missing.prefix(10).map {
                            "\(escaped($0.name)), needed by \($0.neededBy)"
                        }))
            }
            for need in needs {
                if case .undecided(let reason) = need.resolution {
                    doubts.append("\(need.neededBy) needs \(escaped(need.name)): \(reason)")
                }
            }
        } undecided: {
            doubts.append($0)
        }
        if !result.holds { return result }
        if let doubt = doubts.first { throw Unresolved(doubt) }
        let names = try quantified.names(in: context.scope).joined(separator: " ")
        if count == 0, !allowsNone { throw Unresolved("nothing that is linked matches \(escaped(names))") }
        result.proofs.append(
            Finding(
                subject: Subject(.path, escaped(names)), expected: "every library that they need is found",
                observed: "all of \(count) files"))
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        var violations: [Violation] = []
        try forEachLinked(context) { node, needs in
            let path = context.facts.rootfs.path(of: node)
            guard violations.count < 3 else { return }
            for need in needs where need.neededBy == path {
                guard case .found(let found) = need.resolution else { continue }
                let others = context.facts.libraries.find(Glob("*")).map(\.path)
                    .filter { $0.name?.elementsEqual(need.name) == true }
                violations.append(
                    Violation("rm \(found)", Set([found] + others).sorted().map { .remove($0) }))
                return
            }
        } undecided: { _ in
        }
        return violations
    }

    /// Calls `body` for every linked file with what it needs beyond what is loaded already.
    private func forEachLinked(
        _ context: EvaluationContext, _ body: (Node, [DynamicLinker.Need]) -> Void,
        undecided: (String) -> Void
    ) throws(Unresolved) {
        var loaded: [Glob] = []
        for template in preloaded { loaded += try template.words(in: context.scope).map(Glob.init) }
        for node in try PathsExpectation.matches(quantified, context) {
            let status = context.facts.rootfs.status(of: node)
            guard status.kind == .file, try quantified.counts(layer: status.layer, context) else { continue }
            do {
                guard let needs = try context.facts.linker.needs(of: node) else { continue }
                body(node, needs.filter { need in !loaded.contains { $0.matches(need.name) } })
            } catch {
                undecided(error.message)
            }
        }
    }
}

extension EvaluationContext {
    /// The layer that removed a library; where none did, the one that wrote the file that needs it.
    fileprivate func provenance(ofMissingLibrary need: DynamicLinker.Need, of node: Node) -> Provenance {
        let removed = facts.libraries.layer(thatRemoved: Glob(literal: need.name))
        return provenance(ofLayer: removed ?? facts.rootfs.status(of: node).layer)
    }
}
