/// A file of the user's repository at which findings are shown, as an image has no place there. Of a Dockerfile the lines
/// are known.
public struct RepositoryFile: Hashable, Sendable {
    /// Bytes of a file of which lines are looked up.
    public static let sizeLimit = 1 << 20

    /// Relative to the root of the repository.
    public let path: String
    /// Where each instruction begins, by its text in one line; nil for one that is there twice.
    private var lines: [String: Int?] = [:]

    /// - Parameter dockerfile: the content; "" where it is not known, or the file is none.
    public init(path: String, dockerfile: String = "") {
        self.path = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        for (line, instruction) in Self.instructions(dockerfile) {
            lines[instruction] = lines.keys.contains(instruction) ? .some(nil) : .some(line)
        }
    }

    /// The line of the instruction that made a step of an image's history (`created_by`).
    ///
    /// - Returns: nil where none is the same, or several are: a line is never a guess.
    func line(of step: String) -> Int? {
        var step = Self.joined(step)
        if step.hasSuffix(" # buildkit") { step = String(step.dropLast(" # buildkit".count)) }
        if let mark = step.firstRange(of: "#(nop)") { step = Self.joined(String(step[mark.upperBound...])) }
        if let line = lines[step] { return line }
        // "RUN |1 NAME=value /bin/bash -o pipefail -c COMMAND": the shell and the arguments are not in the file.
        var rest = step[...]
        while let option = rest.firstRange(of: " -c ") {
            rest = rest[option.upperBound...]
            if let line = lines["RUN \(rest)"] { return line }
        }
        return nil
    }

    /// The instructions of a Dockerfile, each with the line it begins at; flags of RUN are not in the history.
    private static func instructions(_ text: String) -> [(line: Int, text: String)] {
        var instructions: [(line: Int, text: String)] = []
        var start = 0
        var parts: [Substring] = []
        var documents: [Substring] = []
        // CR and LF are one character.
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            let words = line.trimmingPrefix(while: \.isWhitespace)
            if let end = documents.first {
                if words == end || line == end { documents.removeFirst() }
                continue
            }
            // A comment or an empty line is none of an instruction that goes on either.
            if words.isEmpty || words.first == "#" { continue }
            if parts.isEmpty { start = index + 1 }
            var part = line
            while part.last?.isWhitespace == true { part.removeLast() }
            let goesOn = part.last == "\\"
            parts.append(goesOn ? part.dropLast() : part)
            if goesOn { continue }
            let instruction = parts.joined(separator: " ")
            parts = []
            documents = instruction.matches(of: /<<-?(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/).map(\.2)
            instructions.append((start, named(joined(instruction))))
        }
        return instructions
    }

    private static func named(_ instruction: String) -> String {
        let parts = instruction.split(separator: " ", maxSplits: 1)
        guard let name = parts.first?.uppercased(), var rest = parts.dropFirst().first else {
            return instruction
        }
        if name == "RUN" {
            while rest.hasPrefix("--"), let space = rest.firstIndex(of: " ") {
                rest = rest[rest.index(after: space)...]
            }
        }
        return "\(name) \(rest)"
    }

    /// With one space where there is white space.
    private static func joined(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
