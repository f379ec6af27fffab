/// The text of one step, `created_by` of a history entry, taken apart. Nothing in it is expanded or executed;
/// time grows with its length.
///
/// | builder | an instruction | RUN |
/// |---|---|---|
/// | BuildKit | `USER 50000` | `RUN |1 A=b /bin/bash -o pipefail -c command # buildkit` |
/// | legacy, Buildah | `/bin/sh -c #(nop)  USER 50000` | `|1 A=b /bin/sh -c command`, `/bin/sh -c command` |
struct HistoryLine {
    private(set) var instruction = BuildHistory.Instruction.other
    private(set) var arguments = ""
    private(set) var buildArguments: [BuildHistory.BuildArgument] = []
    private(set) var hasAmbiguousBuildArguments = false

    /// - Parameter declaredArguments: names from the ARG steps before this one; they settle which of several
    ///   texts like `NAME=value` begins a build argument.
    init(parsing text: String, declaredArguments: Set<String>) {
        var line = Array(text.utf8)[...].trimmed
        if line.hasSuffix(" # buildkit") { line = line.dropLast(" # buildkit".utf8.count).trimmed }
        if let (keyword, rest) = Self.keyword(of: line) {
            instruction = keyword
            if keyword == .run {
                let command = parseBuildArguments(of: rest, declared: declaredArguments)
                let shellEnd = Self.shellEnd(in: command, at: command.startIndex)
                setArguments(command[(shellEnd ?? command.startIndex)...])
            } else {
                setArguments(rest)
            }
            return
        }
        let command = parseBuildArguments(of: line, declared: declaredArguments)
        guard let shellEnd = Self.shellEnd(in: command, at: command.startIndex) else {
            instruction = command.startIndex > line.startIndex ? .run : .other
            setArguments(command)
            return
        }
        let rest = command[shellEnd...].trimmed
        let marker = "#(nop)".utf8
        if rest.starts(with: marker) {
            let operation = rest.dropFirst(marker.count).trimmed
            let (keyword, operands) = Self.keyword(of: operation) ?? (.other, operation)
            instruction = keyword
            setArguments(operands)
        } else {
            instruction = .run
            setArguments(rest)
        }
    }

    private mutating func setArguments(_ bytes: ArraySlice<UInt8>) {
        arguments = String(decoding: bytes.trimmed, as: UTF8.self)
    }

    /// The instruction that the line begins with, in capitals, and what follows.
    private static func keyword(
        of line: ArraySlice<UInt8>
    ) -> (BuildHistory.Instruction, rest: ArraySlice<UInt8>)? {
        let word = line.prefix { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        guard !word.isEmpty, word.endIndex == line.endIndex || isSpace(line[word.endIndex]),
            let keyword = BuildHistory.Instruction(rawValue: String(decoding: word, as: UTF8.self))
        else { return nil }
        return (keyword, line[word.endIndex...].trimmed)
    }
}

// MARK: - Build arguments

extension HistoryLine {
    /// Reads `|N NAME=value …` and returns the command that follows; the line itself when it begins otherwise.
    ///
    /// Builders write values without quotation marks, blanks included. So an argument ends where the next
    /// `NAME=` begins, and the last one where the shell begins.
    private mutating func parseBuildArguments(
        of line: ArraySlice<UInt8>, declared: Set<String>
    ) -> ArraySlice<UInt8> {
        guard line.first == UInt8(ascii: "|") else { return line }
        let digits = line.dropFirst().prefix(while: isDigit)
        guard digits.count <= 4, let count = decimal(digits).map(Int.init) else { return line }
        var position = digits.endIndex
        guard position < line.endIndex, line[position] == UInt8(ascii: " ") else { return line }
        position += 1
        if count == 0 { return line[position...] }

        var candidates: [(start: Int, equalSign: Int)] = []
        var command: Int?
        while position < line.endIndex {
            if candidates.count >= count, Self.shellEnd(in: line, at: position) != nil {
                command = position
                break
            }
            if let equalSign = Self.assignment(in: line, at: position) {
                candidates.append((position, equalSign))
            }
            position = Self.nextWord(in: line, after: position)
        }
        guard let first = candidates.first else {
            hasAmbiguousBuildArguments = true
            return line[digits.endIndex...].trimmed
        }
        let (starts, areCertain) = Self.choose(count, of: candidates, in: line, declared: declared)
        let last = starts.last ?? first
        // In exec form there is no shell to end the last value.
        let end = command ?? Self.nextWord(in: line, after: last.start)
        hasAmbiguousBuildArguments = !areCertain || command == nil
        for (index, argument) in starts.enumerated() {
            let limit = index + 1 < starts.count ? starts[index + 1].start : end
            var value = line[(argument.equalSign + 1)..<max(limit, argument.equalSign + 1)]
            if value.last == UInt8(ascii: " ") { value = value.dropLast() }
            buildArguments.append(
                BuildHistory.BuildArgument(
                    name: String(decoding: line[argument.start..<argument.equalSign], as: UTF8.self),
                    value: String(decoding: value, as: UTF8.self)))
        }
        return line[min(end, line.endIndex)...]
    }

    /// The places at which the `count` arguments begin, and whether there is no other choice.
    private static func choose(
        _ count: Int, of candidates: [(start: Int, equalSign: Int)], in line: ArraySlice<UInt8>,
        declared: Set<String>
    ) -> (starts: [(start: Int, equalSign: Int)], areCertain: Bool) {
        // The first argument begins at the first place, whatever follows.
        if count == 1 || candidates.count == count { return (Array(candidates.prefix(count)), true) }
        let known = candidates.filter {
            declared.contains(String(decoding: line[$0.start..<$0.equalSign], as: UTF8.self))
        }
        if known.count == count, known.first?.start == candidates.first?.start { return (known, true) }
        return (Array(candidates.prefix(count)), false)
    }

    /// The position of the `=` when a word `NAME=…` begins here.
    private static func assignment(in line: ArraySlice<UInt8>, at start: Int) -> Int? {
        guard isLetter(line[start]) || line[start] == UInt8(ascii: "_") else { return nil }
        let end = line[start...].firstIndex { !isLetter($0) && !isDigit($0) && $0 != UInt8(ascii: "_") }
        guard let end, line[end] == UInt8(ascii: "=") else { return nil }
        return end
    }

    private static func nextWord(in line: ArraySlice<UInt8>, after start: Int) -> Int {
        guard let blank = line[start...].firstIndex(of: UInt8(ascii: " ")) else { return line.endIndex }
        return blank + 1
    }
}

// MARK: - Shell

extension HistoryLine {
    private static let shells = ["sh", "bash", "dash", "ash", "zsh", "ksh"].map { Array($0.utf8) }

    /// The position after `/bin/sh -c ` or another shell with its options, when the words at `start` are one.
    private static func shellEnd(in line: ArraySlice<UInt8>, at start: Int) -> Int? {
        guard start < line.endIndex else { return nil }
        func word(at position: Int) -> ArraySlice<UInt8> {
            line[position..<(line[position...].firstIndex(of: UInt8(ascii: " ")) ?? line.endIndex)]
        }
        // The longest name of a shell is short: a long word is not one.
        let program = line[start...].prefix(256).prefix { $0 != UInt8(ascii: " ") }
        let name = program.lastIndex(of: UInt8(ascii: "/")).map { program[($0 + 1)...] } ?? program
        guard shells.contains(where: { name.elementsEqual($0) }) else { return nil }
        var position = nextWord(in: line, after: start)
        for _ in 0..<32 where position < line.endIndex {
            let option = word(at: position)
            guard let sign = option.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") else {
                return nil
            }
            position = nextWord(in: line, after: position)
            let letters = option.dropFirst()
            guard let last = letters.last, letters.allSatisfy(isLetter) else { continue }
            if last == UInt8(ascii: "c"), sign == UInt8(ascii: "-") { return position }
            // -o and -O take the name of an option.
            if last == UInt8(ascii: "o") || last == UInt8(ascii: "O") {
                position = nextWord(in: line, after: min(position, line.endIndex))
            }
        }
        return nil
    }
}
