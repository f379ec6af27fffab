import OCIModel

/// A record of a file that does not parse: what a fact leaves out, and why.
public struct MalformedEntry: Hashable, Sendable, CustomStringConvertible {
    public let path: ImagePath
    /// The line on which the record begins, from 1; nil when the whole file is meant.
    public let line: Int?
    /// What is wrong; text from the image is escaped.
    public let reason: String

    public var description: String {
        line.map { "\(path):\($0): \(reason)" } ?? "\(path): \(reason)"
    }
}

/// Malformed records in the order of their files; the first `maximumKept` are kept, all are counted.
public struct MalformedEntries: Hashable, Sendable {
    public static let maximumKept = 100

    public private(set) var entries: [MalformedEntry] = []
    /// Number of malformed records, those beyond `maximumKept` included.
    public private(set) var count = 0

    public var isEmpty: Bool { count == 0 }

    mutating func append(_ path: ImagePath, line: Int? = nil, _ reason: @autoclosure () -> String) {
        count += 1
        if entries.count < Self.maximumKept {
            entries.append(MalformedEntry(path: path, line: line, reason: reason()))
        }
    }

    mutating func append(contentsOf other: MalformedEntries) {
        entries.append(contentsOf: other.entries.prefix(Self.maximumKept - entries.count))
        count += other.count
    }
}
