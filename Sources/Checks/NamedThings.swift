import Facts
import OCIModel
import Suite
import Verdict

/// Something with a name that a quantifier can speak of: a package, a distribution, a command, a library.
struct NamedThing {
    /// As findings show it, escaped.
    var shown: String
    /// What attributes are held against, by the attribute's name.
    var values: [String: Observed] = [:]
    var provenance: Provenance?
    /// False for a thing that is there in part only: it does not count as present, but neither as absent.
    var isUsable = true
}

/// Where named things come from.
protocol NamedThings {
    var kind: Subject.Kind { get }

    /// The things that a name or glob means.
    func find(_ glob: Glob) -> [NamedThing]

    /// Who removed the thing; nil when nobody did, or the history does not tell.
    func provenance(ofMissing name: String) -> Provenance?

    /// Why something may have been overlooked: then nothing can be said of an absence. Nil when all was read.
    func doubt(about glob: Glob) -> String?
}

/// A matcher for one attribute of named things.
struct NamedAttribute: Sendable {
    let name: String
    let matcher: Matcher

    static func read(_ names: [String], _ fields: Fields, _ reading: inout SuiteReading) -> [NamedAttribute] {
        names.compactMap { name in
            fields.matcher(name, &reading).map { NamedAttribute(name: name, matcher: $0) }
        }
    }
}

extension Quantified {
    /// Evaluates the quantifier: `every` wants at least one thing with the attributes for each name, `any` for at
    /// least one name, `most` for more than half of the names, `none` for no name.
    func evaluate(
        _ things: some NamedThings, attributes: [NamedAttribute], _ context: EvaluationContext
    ) throws(Unresolved) -> Evaluation {
        let names = try names(in: context.scope)
        let exceptions = try exceptions(in: context.scope).map(Glob.init)
        var resolved: [NamedAttribute] = []
        for attribute in attributes {
            resolved.append(
                NamedAttribute(
                    name: attribute.name, matcher: try attribute.matcher.resolved(in: context.scope)))
        }
        var result = Evaluation()
        var doubts: [String] = []
        for name in names {
            if exceptions.contains(where: { $0.matches(name) }) { continue }
            let glob = Glob(name)
            var found: [NamedThing] = []
            for thing in things.find(glob) {
                if exceptions.contains(where: { thing.names.contains(where: $0.matches) }) { continue }
                if try counts(layer: thing.provenance?.layer.map { $0 - 1 }, context) { found.append(thing) }
            }
            let outcome =
                quantifier == .none
                ? absence(of: name, found, resolved, things) : presence(of: name, found, resolved, things)
            result.add(outcome)
            let isDecidedByAbsence = quantifier == .none ? outcome.holds : !outcome.holds
            if isDecidedByAbsence, let doubt = things.doubt(about: glob) { doubts.append(doubt) }
        }
        switch quantifier {
        case .any:
            if let proof = result.proofs.first { return Evaluation(proofs: [proof]) }
            if let doubt = doubts.first { throw Unresolved(doubt) }
            return Evaluation(failures: [noneOf(names, result, things)])
        case .most:
            let considered = result.proofs.count + result.failures.count
            if result.proofs.count * 2 > considered { return Evaluation(proofs: result.proofs) }
            if let doubt = doubts.first, (result.proofs.count + doubts.count) * 2 > considered {
                throw Unresolved(doubt)
            }
            return Evaluation(failures: result.failures)
        case .every, .none:
            // What was found where nothing should be stays a fail, whatever else was overlooked.
            let isCertain = quantifier == .none ? !result.holds : doubts.isEmpty
            if let doubt = doubts.first, !isCertain { throw Unresolved(doubt) }
            if names.isEmpty {
                result.proofs.append(
                    Finding(
                        subject: Subject(.image, "image"), expected: "nothing is named", observed: "nothing"))
            }
            return result
        }
    }

    private func presence(
        of name: String, _ found: [NamedThing], _ attributes: [NamedAttribute], _ things: some NamedThings
    ) -> Evaluation {
        let subject = Subject(things.kind, escaped(name))
        let wanted = (["present"] + attributes.map { "\($0.name) \($0.matcher)" }).joined(separator: ", ")
        if let good = found.first(where: { $0.isUsable && $0.satisfies(attributes) }) {
            return Evaluation(proofs: [
                Finding(
                    subject: subject, expected: escaped(wanted), observed: good.describe(attributes),
                    provenance: good.provenance)
            ])
        }
        let best = found.first { $0.isUsable } ?? found.first
        return Evaluation(failures: [
            Finding(
                subject: subject, expected: escaped(wanted),
                observed: best.map { $0.describe(attributes) } ?? "absent",
                provenance: best == nil ? things.provenance(ofMissing: name) : best?.provenance,
                details: found.count > 1 ? found.prefix(10).map { $0.describe(attributes) } : [])
        ])
    }

    private func absence(
        of name: String, _ found: [NamedThing], _ attributes: [NamedAttribute], _ things: some NamedThings
    ) -> Evaluation {
        let wanted =
            attributes.isEmpty
            ? "absent" : "none with " + attributes.map { "\($0.name) \($0.matcher)" }.joined(separator: ", ")
        let bad = found.filter { $0.satisfies(attributes) }
        if bad.isEmpty {
            return Evaluation(proofs: [
                Finding(
                    subject: Subject(things.kind, escaped(name)), expected: escaped(wanted),
                    observed: found.isEmpty ? "absent" : "\(found.count) found, none of them so")
            ])
        }
        return Evaluation(
            failures: bad.map { thing in
                Finding(
                    subject: Subject(things.kind, escaped(thing.names.first ?? name)),
                    expected: escaped(wanted),
                    observed: thing.describe(attributes), provenance: thing.provenance)
            })
    }

    private func noneOf(_ names: [String], _ result: Evaluation, _ things: some NamedThings) -> Finding {
        let nearest = result.failures.first { $0.observed != "absent" } ?? result.failures.first
        let removed = result.failures.first { $0.provenance != nil }
        return Finding(
            subject: Subject(things.kind, escaped(names.joined(separator: " "))),
            expected: "any of them present",
            observed: nearest.map(\.observed) ?? "absent",
            provenance: nearest?.provenance ?? removed?.provenance)
    }
}

extension NamedThing {
    /// The names under which an exception can mean the thing; findings use the first.
    fileprivate var names: [String] {
        ["name", "path", "resolved"].compactMap { key in
            guard case .text(let text)? = values[key] else { return nil }
            return text
        }
    }

    fileprivate func satisfies(_ attributes: [NamedAttribute]) -> Bool {
        attributes.allSatisfy { $0.matcher.accepts(values[$0.name] ?? .none) }
    }

    fileprivate func describe(_ attributes: [NamedAttribute]) -> String {
        let extra = attributes.map { "\($0.name) \(escaped((values[$0.name] ?? .none).description))" }
        return ([shown] + extra).joined(separator: ", ")
    }
}
