import Suite
import Verdict

/// `{every|any|most|none: names, except: names, from: extension}`: which of several things an expectation speaks of.
struct Quantified: Sendable {
    enum Quantifier: String, Sendable, CaseIterable {
        case every
        case any
        /// More than half of the names.
        case most
        case none
    }

    let quantifier: Quantifier
    let names: [Template]
    let exceptions: [Template]
    let origin: Origin

    /// Which layers a thing must come from to count.
    enum Origin: String, Sendable, CaseIterable {
        case anywhere
        /// Those on top of the standard's image.
        case `extension`
        /// Those of the base that the user gives; without one, all.
        case base
    }

    /// - Parameter key: the key of the expectation that has the quantifier as value; a text or a list means every.
    init?(_ key: String, _ fields: Fields, _ reading: inout SuiteReading) {
        guard let value = fields.required(key, &reading) else { return nil }
        if value.members == nil {
            quantifier = .every
            names = fields.templates(key, &reading)
            exceptions = []
            origin = .anywhere
            return
        }
        let quantifiers = Quantifier.allCases.map(\.rawValue)
        guard
            let inner = Fields(
                value, "the quantifier of \(key)", allowed: quantifiers + ["except", "from"],
                reading: &reading)
        else { return nil }
        let present = Quantifier.allCases.filter { inner.has($0.rawValue) }
        guard let quantifier = present.first, present.count == 1 else {
            reading.report(value.position, "\(key) needs one of every, any, most and none")
            return nil
        }
        self.quantifier = quantifier
        names = inner.templates(quantifier.rawValue, &reading)
        exceptions = inner.templates("except", &reading)
        origin = inner.choice("from", Origin.allCases, &reading) ?? .anywhere
        if names.isEmpty { reading.report(value.position, "\(quantifier.rawValue) of \(key) names nothing") }
    }

    /// Whether a thing that this layer (lowest 0) wrote counts.
    ///
    /// - Throws: `Unresolved` when only some layers count, and the layer or the base is not known.
    func counts(layer: @autoclosure () -> Int?, _ context: EvaluationContext) throws(Unresolved) -> Bool {
        if origin == .anywhere || (origin == .base && context.inputs.base == nil) { return true }
        guard let start = context.lineage.extensionStart else {
            if origin == .base { return true }
            throw Unresolved("which layers extend the image is not known: give the base with --base")
        }
        guard let layer = layer() else { throw Unresolved("which layer added it is not known") }
        return (layer >= start) == (origin == .extension)
    }

    func names(in scope: Scope) throws(Unresolved) -> [String] { try names.words(in: scope) }

    func exceptions(in scope: Scope) throws(Unresolved) -> [String] { try exceptions.words(in: scope) }
}
