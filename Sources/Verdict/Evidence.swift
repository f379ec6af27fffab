/// What a finding speaks about.
public struct Subject: Hashable, Codable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case path
        case config
        case environment
        case label
        case user
        case group
        case package
        case distribution
        case command
        case library
        case source
        case secret
        case image
        case probe
    }

    public var kind: Kind
    /// The path, config key, variable, package … concerned; escaped where it comes from the image.
    public var name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// Which step of the build wrote a thing.
public struct Provenance: Hashable, Codable, Sendable {
    /// Position of the layer, the lowest being 1; nil when the step made no layer (an ENV, a USER …).
    public var layer: Int?
    /// The layer's digest as the manifest names it (compressed, where the transport has it so).
    public var layerDigest: String?
    /// The digest of the layer's uncompressed content.
    public var diffID: String?
    /// The step as the image's history tells it (`created_by`), escaped; nil when the history does not say.
    public var instruction: String?

    public init(
        layer: Int? = nil, layerDigest: String? = nil, diffID: String? = nil, instruction: String? = nil
    ) {
        self.layer = layer
        self.layerDigest = layerDigest
        self.diffID = diffID
        self.instruction = instruction
    }
}

/// One observation behind an outcome: what should be, what is, and who wrote it.
public struct Finding: Hashable, Codable, Sendable {
    public var subject: Subject
    public var expected: String
    public var observed: String
    public var provenance: Provenance?
    /// More of the same, one line each, bounded by the check that made it.
    public var details: [String]
    /// Names of the other subjects, of the same kind, that it speaks of; nil when there is one only.
    public var others: [String]?
    /// How many subjects more there are than are listed; nil when all are.
    public var omitted: Int?
    /// The waiver that covers it, also one that has expired.
    public var waiver: WaiverMark?
    /// True when the baseline has it.
    public var known: Bool?

    public init(
        subject: Subject, expected: String, observed: String, provenance: Provenance? = nil,
        details: [String] = [], others: [String]? = nil, omitted: Int? = nil
    ) {
        self.others = others
        self.omitted = omitted
        self.subject = subject
        self.expected = expected
        self.observed = observed
        self.provenance = provenance
        self.details = details
    }
}

/// A place in a suite file; line and column count from 1.
public struct SourcePosition: Hashable, Codable, Sendable, CustomStringConvertible {
    public var file: String
    public var line: Int
    public var column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }
}
