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

    /// Changes of the image after which the first things are gone and the others are there, with these names and
    /// values. A thing that is in both lists has other values.
    func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change]

    /// Changes after which the things are there, but cannot be used; empty where there is no such state.
    func disabling(_ things: [NamedThing]) -> [Violation.Change]

    /// The values that an attribute of a thing with this name can have; nil when it can have any.
    func values(of attribute: String, _ name: String) -> [String]?
}

extension NamedThings {
    func disabling(_ things: [NamedThing]) -> [Violation.Change] { [] }
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
                if thing.isExcepted(exceptions) { continue }
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
        let bad = found.satisfying(attributes)
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

// MARK: - Violations

extension Quantified {
    /// What stands for `*` in names that are made up.
    static let fillers = ["violation", "x1", "0"]
    /// Names for which violations are made up.
    static let maximumExamples = 8

    /// The layer to which something new has to be ascribed to count; nil when any counts.
    func layerOfAdditions(_ context: EvaluationContext) -> Int? {
        guard origin == .base, context.inputs.base != nil, let start = context.lineage.extensionStart else {
            return nil
        }
        return max(0, start - 1)
    }

    /// For `every` takes from a name what it has, for `any` and `most` from as many as needed, and for `none` adds
    /// what must not be.
    func violations(
        _ things: some NamedThings, attributes: [NamedAttribute], _ context: EvaluationContext
    ) throws(Unresolved) -> [Violation] {
        let exceptions = try exceptions(in: context.scope).map(Glob.init)
        let layer = layerOfAdditions(context)
        var resolved: [NamedAttribute] = []
        for attribute in attributes {
            resolved.append(
                NamedAttribute(
                    name: attribute.name, matcher: try attribute.matcher.resolved(in: context.scope)))
        }
        var found: [(name: String, things: [NamedThing], good: [NamedThing])] = []
        for name in try names(in: context.scope) where !exceptions.contains(where: { $0.matches(name) }) {
            var all: [NamedThing] = []
            for thing in things.find(Glob(name)) where !thing.isExcepted(exceptions) {
                if try counts(layer: thing.provenance?.layer.map { $0 - 1 }, context) { all.append(thing) }
            }
            found.append((name, all, all.filter(\.isUsable).satisfying(resolved)))
        }
        let kind = things.kind.rawValue
        var violations: [Violation] = []
        func propose(_ summary: String, _ changes: [Violation.Change]) {
            if !changes.isEmpty { violations.append(Violation(summary, changes, layer: layer)) }
        }
        func propose(_ summary: String, removing old: [NamedThing], adding new: [NamedThing] = []) {
            propose(summary, things.changes(removing: old, adding: new))
        }
        switch quantifier {
        case .every:
            for (name, _, good) in found.prefix(Quantified.maximumExamples) {
                for (summary, changed) in things.without(resolved, good) {
                    propose("\(summary) the \(kind) \(escaped(name))", removing: good, adding: changed)
                }
                propose("disable the \(kind) \(escaped(name))", things.disabling(good))
                propose("remove the \(kind) \(escaped(name))", removing: good)
            }
        case .any:
            let good = found.flatMap(\.good)
            let names = escaped(found.filter { !$0.good.isEmpty }.map(\.name).joined(separator: " "))
            for (summary, changed) in things.without(resolved, good) {
                propose("\(summary) the \(kind) \(names)", removing: good, adding: changed)
            }
            propose("disable the \(kind) \(names)", things.disabling(good))
            propose("remove the \(kind) \(names)", removing: good)
        case .most:
            let present = found.filter { !$0.good.isEmpty }
            let removed = present.prefix(max(0, present.count - found.count / 2))
            let names = escaped(removed.map(\.name).joined(separator: " "))
            propose("remove the \(kind) \(names)", removing: removed.flatMap(\.good))
        case .none:
            for (name, present, _) in found.prefix(Quantified.maximumExamples) {
                for word in Quantified.fillers {
                    var thing = NamedThing(shown: Glob(name).example(word: word))
                    thing.values["name"] = .text(thing.shown)
                    guard !thing.isExcepted(exceptions), let new = things.with(resolved, thing) else {
                        continue
                    }
                    propose("add the \(kind) \(new.describe(resolved))", removing: [], adding: [new])
                    break
                }
                guard !resolved.isEmpty, let thing = present.first(where: { !$0.satisfies(resolved) }),
                    let new = things.with(resolved, thing)
                else { continue }
                propose("make the \(kind) \(new.describe(resolved))", removing: [thing], adding: [new])
            }
        }
        return violations
    }
}

extension NamedThings {
    /// The things with one attribute less, in several ways.
    fileprivate func without(
        _ attributes: [NamedAttribute], _ things: [NamedThing]
    ) -> [(summary: String, things: [NamedThing])] {
        var result: [(summary: String, things: [NamedThing])] = []
        for attribute in attributes {
            guard let present = things.first?.values[attribute.name] else { continue }
            let domain = values(of: attribute.name, things.first?.name ?? "")
            for other in attribute.matcher.rejected(near: present, among: domain).prefix(3) {
                let changed = things.map { thing in
                    var thing = thing
                    thing.values[attribute.name] = other
                    return thing
                }
                let shown = escaped(shortened(other.description, limit: 80))
                result.append(("make \(attribute.name) \(shown) of", changed))
            }
        }
        return result
    }

    /// The thing with all attributes; nil when a value cannot be thought of.
    fileprivate func with(_ attributes: [NamedAttribute], _ thing: NamedThing) -> NamedThing? {
        var thing = thing
        for attribute in attributes {
            let domain = values(of: attribute.name, thing.name)
            let present = thing.values[attribute.name] ?? .none
            let accepted = attribute.matcher.accepted(near: present, among: domain)
            guard let value = accepted.first(where: { $0 != .none }) ?? accepted.first else { return nil }
            thing.values[attribute.name] = value
        }
        return thing
    }
}

extension [NamedThing] {
    /// Those that have all attributes. Values that many share are looked at once: to match a regular expression takes
    /// its time.
    fileprivate func satisfying(_ attributes: [NamedAttribute]) -> [NamedThing] {
        var verdicts: [[Observed]: Bool] = [:]
        return filter { thing in
            let values = attributes.map { thing.values[$0.name] ?? .none }
            if let known = verdicts[values] { return known }
            let verdict = thing.satisfies(attributes)
            verdicts[values] = verdict
            return verdict
        }
    }
}

extension NamedThing {
    /// The text of a value; nil when it has none.
    func text(_ attribute: String) -> String? {
        guard case .text(let text)? = values[attribute] else { return nil }
        return text
    }

    var name: String { text("name") ?? shown }

    fileprivate func isExcepted(_ exceptions: [Glob]) -> Bool {
        exceptions.contains { names.contains(where: $0.matches) }
    }

    /// The names under which an exception can mean the thing; findings use the first.
    fileprivate var names: [String] {
        ["name", "path", "resolved"].compactMap { text($0) }
    }

    fileprivate func satisfies(_ attributes: [NamedAttribute]) -> Bool {
        attributes.allSatisfy { $0.matcher.accepts(values[$0.name] ?? .none) }
    }

    fileprivate func describe(_ attributes: [NamedAttribute]) -> String {
        let extra = attributes.map { "\($0.name) \(escaped((values[$0.name] ?? .none).description))" }
        return ([shown] + extra).joined(separator: ", ")
    }
}
