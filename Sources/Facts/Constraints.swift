import OCIModel

/// A constraints file of pip: which version each distribution may have, if it is installed.
public struct Constraints: Hashable, Sendable {
    /// One line.
    public struct Entry: Hashable, Sendable {
        public let requirement: Requirement
        /// From 1.
        public let line: Int
    }

    /// In the order of the file; names may come several times, for several markers.
    public let entries: [Entry]

    /// Reads pip's format of requirements: comments, lines continued by a backslash, options of lines (`--hash`) and
    /// lines of options, which say nothing of versions and are passed over.
    ///
    /// - Throws: `MalformedRequirement` for the first line that is none.
    public init(_ bytes: [UInt8]) throws(MalformedRequirement) {
        var entries: [Entry] = []
        var joined: [UInt8] = []
        var start = 0
        for (number, line) in Lines(bytes) {
            if joined.isEmpty { start = number }
            if line.last == UInt8(ascii: "\\") {
                joined += line.dropLast() + [UInt8(ascii: " ")]
                continue
            }
            joined += line
            let text = Constraints.requirement(in: joined)
            joined = []
            if text.isEmpty || text.hasPrefix("-") { continue }
            do {
                entries.append(Entry(requirement: try Requirement(text), line: start))
            } catch {
                throw MalformedRequirement(message: "line \(start): \(error.message)")
            }
        }
        self.entries = entries
    }

    /// The line without its comment and options.
    private static func requirement(in line: [UInt8]) -> String {
        var end = line.endIndex
        for index in line.indices where index == 0 || isSpace(line[index - 1]) {
            if line[index] == UInt8(ascii: "#") || (index > 0 && line[index...].starts(with: "--".utf8)) {
                end = index
                break
            }
        }
        return text(of: line[..<end].trimmed)
    }
}
