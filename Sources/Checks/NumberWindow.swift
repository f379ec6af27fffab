import OCIModel
import Suite
import Verdict

/// `atLeast:` and `atMost:` of an expectation on a number.
struct NumberWindow: Sendable {
    let atLeast: Double?
    let atMost: Double?

    /// - Parameter what: what is counted or measured, for the keys' summaries.
    static func keys(_ what: String) -> [ExpectationKind.Key] {
        [
            ExpectationKind.Key("atLeast", "\(what): no less, a number from 0", .text),
            ExpectationKind.Key("atMost", "\(what): no more, a number from 0", .text),
        ]
    }

    init(_ fields: Fields, _ reading: inout SuiteReading) {
        func number(_ key: String) -> Double? {
            guard let text = fields.text(key, &reading) else { return nil }
            guard let number = Double(text), number.isFinite, number >= 0 else {
                reading.report(fields.node[key]?.position, "\(key) is a number from 0, not \(text)")
                return nil
            }
            return number
        }
        atLeast = number("atLeast")
        atMost = number("atMost")
        if let atLeast, let atMost, atLeast > atMost {
            reading.report(fields.node["atMost"]?.position, "atMost is less than atLeast: nothing is between")
        }
    }

    var isEmpty: Bool { atLeast == nil && atMost == nil }

    /// As a finding's "expected": "at least 2 and at most 10 s".
    func description(unit: String) -> String {
        let parts = [atLeast.map { "at least \(plain($0))" }, atMost.map { "at most \(plain($0))" }]
        return parts.compactMap { $0 }.joined(separator: " and ") + unit
    }

    /// Whether a number is within.
    ///
    /// - Parameter isOpen: whether the true number may be higher than this one.
    /// - Returns: nil when that cannot be decided.
    func contains(_ number: Double, isOpen: Bool = false) -> Bool? {
        if let atMost, number > atMost { return false }
        if let atLeast, number < atLeast { return isOpen ? nil : false }
        return isOpen && atMost != nil ? nil : true
    }
}

/// A number to a tenth, without one where there is none.
func plain(_ number: Double) -> String {
    let rounded = (number * 10).rounded() / 10
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
}
