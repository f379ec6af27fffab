import Suite
import Verdict

/// `{every|any|none: names, except: names}`: which of several things an expectation speaks of.
struct Quantified: Sendable {
    enum Quantifier: String, Sendable, CaseIterable {
        case every
        case any
        case none
    }

    let quantifier: Quantifier
    let names: [Template]
    let exceptions: [Template]

    /// - Parameter key: the key of the expectation that has the quantifier as value; a text or a list means every.
    init?(_ key: String, _ fields: Fields, _ reading: inout SuiteReading) {
        guard let value = fields.required(key, &reading) else { return nil }
        if value.members == nil {
            quantifier = .every
            names = fields.templates(key, &reading)
            exceptions = []
            return
        }
        let quantifiers = Quantifier.allCases.map(\.rawValue)
        guard
            let inner = Fields(
                value, "the quantifier of \(key)", allowed: quantifiers + ["except"], reading: &reading)
        else { return nil }
        let present = Quantifier.allCases.filter { inner.has($0.rawValue) }
        guard let quantifier = present.first, present.count == 1 else {
            reading.report(value.position, "\(key) needs one of every, any and none")
            return nil
        }
        self.quantifier = quantifier
        names = inner.templates(quantifier.rawValue, &reading)
        exceptions = inner.templates("except", &reading)
        if names.isEmpty { reading.report(value.position, "\(quantifier.rawValue) of \(key) names nothing") }
    }

    func names(in scope: Scope) throws(Unresolved) -> [String] { try Quantified.words(names, scope) }

    func exceptions(in scope: Scope) throws(Unresolved) -> [String] {
        try Quantified.words(exceptions, scope)
    }

    private static func words(_ templates: [Template], _ scope: Scope) throws(Unresolved) -> [String] {
        var words: [String] = []
        for template in templates { words += try template.words(in: scope) }
        return words
    }
}
