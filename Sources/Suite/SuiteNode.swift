import Verdict

/// A value of a suite file with the place where it is written. Scalars are text, as written: the suite language
/// has its own types, so that `0644`, `3.10` and `no` are what they look like.
public struct SuiteNode: Hashable, Sendable {
    public enum Value: Hashable, Sendable {
        case empty
        case scalar(String)
        case list([SuiteNode])
        case mapping([Member])
    }

    /// A key of a mapping, in the order of the file.
    public struct Member: Hashable, Sendable {
        public var key: String
        public var keyPosition: SourcePosition
        public var value: SuiteNode

        public init(key: String, keyPosition: SourcePosition, value: SuiteNode) {
            self.key = key
            self.keyPosition = keyPosition
            self.value = value
        }
    }

    public var value: Value
    public var position: SourcePosition

    public init(_ value: Value, at position: SourcePosition) {
        self.value = value
        self.position = position
    }

    public var scalar: String? { if case .scalar(let text) = value { text } else { nil } }

    public var list: [SuiteNode]? { if case .list(let items) = value { items } else { nil } }

    public var members: [Member]? { if case .mapping(let members) = value { members } else { nil } }

    public subscript(key: String) -> SuiteNode? { members?.first { $0.key == key }?.value }

    /// What the value is, for messages.
    var kindName: String {
        switch value {
        case .empty: "nothing"
        case .scalar: "a text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}
