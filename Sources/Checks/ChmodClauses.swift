/// The symbolic modes of chmod(1), asserted rather than applied: `g=u,o-w` holds of a mode that applying it
/// would not change.
struct ChmodClauses: Hashable, Sendable {
    private struct Action: Hashable {
        enum Operator: Hashable { case add, remove, set }
        enum Source: Hashable {
            /// Of `rwxXst`.
            case letters([Character])
            /// The bits of `u`, `g` or `o`.
            case copy(Character)
        }

        var who: [Character]
        var operation: Operator
        var source: Source
    }

    let source: String
    private let actions: [Action]

    /// - Returns: nil when the text is not a comma-separated list of `[ugoa…][+-=][rwxXst…|u|g|o]`.
    init?(_ text: String) {
        source = text
        var actions: [Action] = []
        for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
            var rest = clause
            var who: [Character] = []
            while let letter = rest.first, "ugoa".contains(letter) {
                who += letter == "a" ? ["u", "g", "o"] : [letter]
                rest = rest.dropFirst()
            }
            if who.isEmpty { who = ["u", "g", "o"] }
            if rest.isEmpty { return nil }
            while let sign = rest.first {
                rest = rest.dropFirst()
                let operation: Action.Operator
                switch sign {
                case "+": operation = .add
                case "-": operation = .remove
                case "=": operation = .set
                default: return nil
                }
                let letters = rest.prefix { !"+-=".contains($0) }
                rest = rest.dropFirst(letters.count)
                if letters.count == 1, let letter = letters.first, "ugo".contains(letter) {
                    actions.append(Action(who: who, operation: operation, source: .copy(letter)))
                } else if letters.allSatisfy({ "rwxXst".contains($0) }) {
                    actions.append(Action(who: who, operation: operation, source: .letters(Array(letters))))
                } else {
                    return nil
                }
            }
        }
        self.actions = actions
    }

    func holds(for mode: UInt16, isDirectory: Bool) -> Bool {
        apply(to: mode, isDirectory: isDirectory) == mode
    }

    /// The mode that chmod would leave, with a umask of 0.
    func apply(to mode: UInt16, isDirectory: Bool) -> UInt16 {
        var mode = mode
        for action in actions {
            let bits = bits(of: action, mode: mode, isDirectory: isDirectory)
            switch action.operation {
            case .add: mode |= bits
            case .remove: mode &= ~bits
            case .set: mode = mode & ~cleared(by: action, isDirectory: isDirectory) | bits
            }
        }
        return mode
    }

    private static func shift(_ who: Character) -> UInt16 {
        switch who {
        case "u": 6
        case "g": 3
        default: 0
        }
    }

    private func bits(of action: Action, mode: UInt16, isDirectory: Bool) -> UInt16 {
        var bits: UInt16 = 0
        for who in action.who {
            let shift = ChmodClauses.shift(who)
            switch action.source {
            case .copy(let source): bits |= ((mode >> ChmodClauses.shift(source)) & 7) << shift
            case .letters(let letters):
                for letter in letters {
                    switch letter {
                    case "r": bits |= 4 << shift
                    case "w": bits |= 2 << shift
                    case "x": bits |= 1 << shift
                    case "X": if isDirectory || mode & 0o111 != 0 { bits |= 1 << shift }
                    case "s": bits |= who == "u" ? 0o4000 : who == "g" ? 0o2000 : 0
                    default: bits |= 0o1000
                    }
                }
            }
        }
        return bits
    }

    /// `=` takes away what it does not name; the set-ID bits of a directory stay, as in GNU chmod.
    private func cleared(by action: Action, isDirectory: Bool) -> UInt16 {
        var cleared: UInt16 = 0
        for who in action.who {
            cleared |= 7 << ChmodClauses.shift(who)
            if !isDirectory { cleared |= who == "u" ? 0o4000 : who == "g" ? 0o2000 : 0 }
        }
        return cleared
    }
}
