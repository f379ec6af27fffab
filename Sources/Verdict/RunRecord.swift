/// Everything one run found out: the one source of every report.
///
/// Volatile fields, which differ between two runs on the same image and suites: `started`, `ImageRun.duration`,
/// `CheckResult.duration`, and of transcripts the times, the ports and what programs print. `pinningTimes` gives the
/// times a value that is always the same.
public struct RunRecord: Hashable, Codable, Sendable {
    /// Version of this format. Readers refuse a larger one.
    public static let currentVersion = 1

    public var version = RunRecord.currentVersion
    public var tool: Tool
    /// When the run began, RFC 3339 in UTC. Volatile.
    public var started: String?
    /// False when the run was interrupted.
    public var complete: Bool
    public var suites: [SuiteIdentity]
    public var images: [ImageRun]
    /// Images that were asked for and could not be judged at all.
    public var unreadable: [UnreadableImage]
    /// Waivers that no image of the run needed; nil when there are none, or the run cannot tell.
    public var unusedWaivers: [UnusedWaiver]?
    /// Checks of which runs on the same image say different things; nil when there are none, or the record is of
    /// one run.
    public var conflicts: [ResultConflict]?

    public init(
        tool: Tool, started: String?, complete: Bool, suites: [SuiteIdentity], images: [ImageRun],
        unreadable: [UnreadableImage] = []
    ) {
        self.tool = tool
        self.started = started
        self.complete = complete
        self.suites = suites
        self.images = images
        self.unreadable = unreadable
    }

    public struct Tool: Hashable, Codable, Sendable {
        public var name: String
        public var version: String

        public init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    /// A suite and the digest of its files.
    public struct SuiteIdentity: Hashable, Codable, Sendable {
        public var name: String
        public var digest: String

        public init(name: String, digest: String) {
            self.name = name
            self.digest = digest
        }
    }
}

/// An image that could not be opened or read, or must not be trusted.
public struct UnreadableImage: Hashable, Codable, Sendable {
    /// As the user named it, escaped.
    public var reference: String
    /// What is wrong and where, in one line.
    public var reason: String
    /// What the user can do about it.
    public var hint: String?

    public init(reference: String, reason: String, hint: String? = nil) {
        self.reference = reference
        self.reason = reason
        self.hint = hint
    }
}

/// The run on one image.
public struct ImageRun: Hashable, Codable, Sendable {
    public var image: ImageIdentity
    public var profile: ProfileChoice?
    /// How the image came to be; nil when the suites do not ask.
    public var lineage: LineageSummary?
    /// True when the letter of the document decided where images are known to differ from it.
    public var judgedByDocument: Bool?
    /// What became of the baseline; nil when none was given.
    public var baseline: BaselineComparison?
    public var parameters: [ParameterValue]
    public var results: [CheckResult]
    /// What the scenarios of the probes did; nil when none was run. Volatile but for their names.
    public var transcripts: [ProbeTranscript]?
    /// Where the bytes are and what is installed; nil in records of older versions.
    public var contents: ImageContents?
    /// Oddities of the image that are no check's subject.
    public var notes: [Note]
    /// Wall time, in seconds. Volatile.
    public var duration: Double

    public init(
        image: ImageIdentity, profile: ProfileChoice?, lineage: LineageSummary? = nil,
        judgedByDocument: Bool? = nil, parameters: [ParameterValue],
        results: [CheckResult], transcripts: [ProbeTranscript]? = nil, contents: ImageContents? = nil,
        notes: [Note], duration: Double
    ) {
        self.image = image
        self.profile = profile
        self.lineage = lineage
        self.judgedByDocument = judgedByDocument
        self.parameters = parameters
        self.results = results
        self.transcripts = transcripts
        self.contents = contents
        self.notes = notes
        self.duration = duration
    }

    /// How many checks had each outcome; every outcome has a count.
    public var counts: [Outcome: Int] {
        var counts = Dictionary(uniqueKeysWithValues: Outcome.allCases.map { ($0, 0) })
        for place in results.indices { counts[results[place].outcome, default: 0] += 1 }
        return counts
    }
}

/// What was judged. The content is what counts: digests first, the reference only as it was typed.
public struct ImageIdentity: Hashable, Codable, Sendable {
    /// As the user named it, with the transport it was read through.
    public var reference: String
    /// Digest of the manifest; nil where the transport has none (a legacy archive).
    public var manifestDigest: String?
    /// Digest of the image config, the "image ID".
    public var configDigest: String
    /// `os/architecture[/variant]`.
    public var platform: String
    /// RFC 3339, as the image config says.
    public var created: String?
    public var layers: [LayerIdentity]

    public init(
        reference: String, manifestDigest: String?, configDigest: String, platform: String, created: String?,
        layers: [LayerIdentity]
    ) {
        self.reference = reference
        self.manifestDigest = manifestDigest
        self.configDigest = configDigest
        self.platform = platform
        self.created = created
        self.layers = layers
    }
}

public struct LayerIdentity: Hashable, Codable, Sendable {
    public var digest: String
    public var diffID: String
    /// Bytes of the blob.
    public var size: Int64
    /// Bytes of the uncompressed archive.
    public var uncompressedSize: Int64
    /// The step of the history that wrote it, escaped.
    public var instruction: String?

    public init(
        digest: String, diffID: String, size: Int64, uncompressedSize: Int64, instruction: String?
    ) {
        self.digest = digest
        self.diffID = diffID
        self.size = size
        self.uncompressedSize = uncompressedSize
        self.instruction = instruction
    }
}

/// The release line the image was judged by.
public struct ProfileChoice: Hashable, Codable, Sendable {
    public var id: String
    public var title: String
    /// The kind of image within the line, as "slim"; nil when the suite knows none, or it cannot be told.
    public var variant: String?
    /// What was seen that led to it, one line each.
    public var evidence: [String]
    public var warnings: [String]

    public init(
        id: String, title: String, variant: String? = nil, evidence: [String], warnings: [String]
    ) {
        self.id = id
        self.title = title
        self.variant = variant
        self.evidence = evidence
        self.warnings = warnings
    }
}

/// How an image came to be out of the standard's own.
public struct LineageSummary: Hashable, Codable, Sendable {
    /// Layers were added on top.
    public var extended: Bool
    /// Built with build arguments that change its content.
    public var customised: Bool
    /// What was seen that says so, one line each.
    public var evidence: [String]
    /// Layers of the image that was extended.
    public var baseLayers: Int?
    /// Bytes of their uncompressed archives.
    public var baseSize: Int64?
    /// Bytes of the uncompressed archives of the layers on top.
    public var addedSize: Int64?

    public init(
        extended: Bool, customised: Bool, evidence: [String], baseLayers: Int? = nil, baseSize: Int64? = nil,
        addedSize: Int64? = nil
    ) {
        self.extended = extended
        self.customised = customised
        self.evidence = evidence
        self.baseLayers = baseLayers
        self.baseSize = baseSize
        self.addedSize = addedSize
    }
}

/// A statement of the document that images are known not to keep, with both sides.
public struct DriftNote: Hashable, Codable, Sendable {
    public var statement: String
    /// What the document says.
    public var document: String
    /// What the images of the line do.
    public var images: String
    public var sources: [String]

    public init(statement: String, document: String, images: String, sources: [String]) {
        self.statement = statement
        self.document = document
        self.images = images
        self.sources = sources
    }
}

/// A parameter of the suites with the value that was used.
public struct ParameterValue: Hashable, Codable, Sendable {
    public var name: String
    public var value: String
    /// Where the value comes from: "command line", "image environment", "default" …
    public var origin: String
    /// True when it is the value that holds for the release line where nothing tells another; else nil.
    public var isDefault: Bool?

    public init(name: String, value: String, origin: String, isDefault: Bool? = nil) {
        self.name = name
        self.value = value
        self.origin = origin
        self.isDefault = isDefault
    }
}

/// One check on one image.
public struct CheckResult: Hashable, Codable, Sendable {
    public var id: String
    public var title: String
    /// Name of the suite the check belongs to.
    public var suite: String
    /// The digest of that suite; nil where the record has only one of its name.
    public var suiteDigest: String?
    /// The subject area within the suite ("user", "filesystem" …): JUnit's class name.
    public var group: String
    public var severity: Severity
    public var outcome: Outcome
    /// Why, in one line: for `error`, `notApplicable`, `skipped` and `waived`; a summary for `fail`.
    public var reason: String?
    /// For `fail` what is wrong; for `pass` what was observed, as proof.
    public var findings: [Finding]
    /// Why other parts of a check that failed could not be decided; nil when all were.
    public var undecided: [String]?
    /// True for a fail of which the baseline has whatever is not waived: it does not count.
    public var known: Bool?
    /// Ids of the document's statements that the check enforces.
    public var statements: [String]
    /// Where the document and the images differ in what the check is about; nil when they do not.
    public var drift: [DriftNote]?
    /// The section of the document.
    public var source: String?
    public var remedy: String?
    public var position: SourcePosition
    /// The scenario whose transcript it looks at; nil for a check that runs nothing.
    public var scenario: String?
    /// Seconds. Volatile.
    public var duration: Double

    public init(
        id: String, title: String, suite: String, group: String, severity: Severity, outcome: Outcome,
        reason: String? = nil, findings: [Finding] = [], statements: [String] = [],
        drift: [DriftNote]? = nil,
        source: String? = nil, remedy: String? = nil, position: SourcePosition, duration: Double = 0
    ) {
        self.id = id
        self.title = title
        self.suite = suite
        self.group = group
        self.severity = severity
        self.outcome = outcome
        self.reason = reason
        self.findings = findings
        self.statements = statements
        self.drift = drift
        self.source = source
        self.remedy = remedy
        self.position = position
        self.duration = duration
    }
}

extension [CheckResult] {
    /// Those of this outcome.
    public func of(_ outcome: Outcome) -> [CheckResult] { places(of: outcome).map { self[$0] } }

    /// The indices of those of this outcome.
    ///
    /// Results are looked at in their places: a closure would be given copies, which costs more than all that is done with
    /// most results.
    public func places(of outcome: Outcome) -> [Int] { indices.filter { self[$0].outcome == outcome } }
}
