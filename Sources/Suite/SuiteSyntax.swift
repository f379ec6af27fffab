import Verdict
import Yams

/// Reads the YAML of a suite file, within bounds, into `SuiteNode`s.
enum SuiteSyntax {
    /// Bytes of a file.
    static let maximumSize = 1 << 20
    /// Nesting of lists and mappings.
    static let maximumDepth = 64
    /// Values of a file, where a value counts each time that an alias repeats it.
    static let maximumNodes = 100_000
    /// Aliases of a file: what they can multiply to while the YAML library compares keys stays small.
    static let maximumAliases = 20

    /// - Returns: nil when the file is no usable YAML; the reason is then reported.
    static func read(_ text: String, file: String, reading: inout SuiteReading) -> SuiteNode? {
        let start = SourcePosition(file: file, line: 1, column: 1)
        guard text.utf8.count <= maximumSize else {
            reading.report(
                start, "the file has \(text.utf8.count) bytes; a suite file has at most \(maximumSize)")
            return nil
        }
        guard countAliases(text) <= maximumAliases else {
            reading.report(start, "the file has more than \(maximumAliases) aliases (*name)")
            return nil
        }
        do {
            guard let root = try Yams.compose(yaml: text) else {
                reading.report(start, "the file is empty")
                return nil
            }
            var walk = Walk(file: file)
            return walk.convert(root, depth: 0, fallback: start, reading: &reading)
        } catch {
            report(error, file: file, reading: &reading)
            return nil
        }
    }

    private static func report(_ error: any Error, file: String, reading: inout SuiteReading) {
        func position(_ mark: Mark) -> SourcePosition {
            SourcePosition(file: file, line: max(1, mark.line), column: max(1, mark.column))
        }
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let text = [context?.text, problem].compactMap { $0 }.filter { !$0.isEmpty }.joined(
                separator: ": ")
            reading.report(position(mark), "not YAML: \(text)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            reading.report(
                position(context.mark), "duplicate key \(duplicates.sorted().joined(separator: ", "))")
        case .reader(let problem, _, _, _):
            reading.report(SourcePosition(file: file, line: 1, column: 1), "not YAML: \(problem)")
        default:
            reading.report(SourcePosition(file: file, line: 1, column: 1), "not YAML: \(error)")
        }
    }

    /// `*` where a value can begin, followed by a name. Inside a quoted text it may count too much, never too
    /// little.
    private static func countAliases(_ text: String) -> Int {
        var count = 0
        var previous = UInt8(ascii: "\n")
        var isOpen = false
        for byte in text.utf8 {
            if isOpen, !" \t\n\r*/.,]}\"'".utf8.contains(byte) { count += 1 }
            isOpen = byte == UInt8(ascii: "*") && " \t\n\r[{,:".utf8.contains(previous)
            previous = byte
        }
        return count
    }

    private struct Walk {
        let file: String
        var visited = 0

        init(file: String) { self.file = file }

        mutating func convert(
            _ node: Yams.Node, depth: Int, fallback: SourcePosition, reading: inout SuiteReading
        ) -> SuiteNode? {
            let position =
                node.mark.map { SourcePosition(file: file, line: $0.line, column: $0.column) } ?? fallback
            visited += 1
            guard visited <= maximumNodes else {
                if visited == maximumNodes + 1 {
                    reading.report(position, "the file has more than \(maximumNodes) values")
                }
                return nil
            }
            guard depth < maximumDepth else {
                reading.report(position, "nested deeper than \(maximumDepth) levels")
                return nil
            }
            switch node {
            case .scalar(let scalar):
                let isPlain = scalar.style == .plain || scalar.style == .any
                let isEmpty = isPlain && ["", "~", "null"].contains(scalar.string)
                return SuiteNode(isEmpty ? .empty : .scalar(scalar.string), at: position)
            case .sequence(let sequence):
                var items: [SuiteNode] = []
                for item in sequence {
                    guard let item = convert(item, depth: depth + 1, fallback: position, reading: &reading)
                    else {
                        return nil
                    }
                    items.append(item)
                }
                return SuiteNode(.list(items), at: position)
            case .mapping(let mapping):
                var members: [SuiteNode.Member] = []
                for (keyNode, valueNode) in mapping {
                    guard
                        let key = convert(keyNode, depth: depth + 1, fallback: position, reading: &reading),
                        let value = convert(
                            valueNode, depth: depth + 1, fallback: position, reading: &reading)
                    else { return nil }
                    guard let name = key.scalar else {
                        reading.report(key.position, "a key is a text, not \(key.kindName)")
                        continue
                    }
                    if members.contains(where: { $0.key == name }) {
                        reading.report(key.position, "duplicate key \(name)")
                        continue
                    }
                    members.append(SuiteNode.Member(key: name, keyPosition: key.position, value: value))
                }
                return SuiteNode(.mapping(members), at: position)
            case .alias:
                reading.report(position, "an alias that leads nowhere")
                return nil
            }
        }
    }
}
