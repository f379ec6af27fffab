/// A bound on what an image may make of the reader's memory and time.
public enum Limit: Int, Sendable, CaseIterable {
    case manifestSize
    case configSize
    case jsonDepth
    case indexEntries
    case indexDepth
    case archiveMembers
    case layers
    case layerSize
    case layerRatio
    case window
    case entries
    case nameBytes
    case pathLength
    case pathDepth
    case attributes
    case sparseRegions
    case mergeSteps
    case keptContents
    case passwd
    case dpkgStatus
    case dpkgList
    case metadata
    case record

    public enum Unit: Sendable {
        case bytes
        case number
    }

    /// The name by which it is set.
    public var name: String { properties.name }

    public var unit: Unit { properties.unit }

    /// What it bounds, in a few words.
    public var summary: String { properties.summary }

    /// The value that holds where nothing else is said.
    public var defaultValue: Int64 { properties.value }

    /// The values that can be set.
    public var range: ClosedRange<Int64> {
        switch self {
        // The parser and the choice of an image go down by recursion.
        case .jsonDepth: 1...512
        case .indexDepth: 1...64
        // Names are found by offsets of 32 bits.
        case .nameBytes: 1...Int64(UInt32.max)
        case .entries, .archiveMembers, .indexEntries: 1...Int64(Int32.max)
        case .layers: 1...100_000
        default: 1...(1 << 50)
        }
    }

    public init?(named name: String) {
        guard let limit = Limit.allCases.first(where: { $0.name == name }) else { return nil }
        self = limit
    }

    private struct Properties {
        let name: String
        let value: Int64
        let unit: Unit
        let summary: String

        init(_ name: String, _ value: Int64, _ unit: Unit, _ summary: String) {
            self.name = name
            self.value = value
            self.unit = unit
            self.summary = summary
        }
    }

    private var properties: Properties {
        switch self {
        // Registries must accept a manifest of 4 MiB (distribution-spec, "Pushing Manifests").
        case .manifestSize: Properties("manifest-size", 4 << 20, .bytes, "a manifest or an index")
        case .configSize: Properties("config-size", 8 << 20, .bytes, "an image config")
        case .jsonDepth: Properties("json-depth", 64, .number, "nesting of arrays and objects in JSON")
        case .indexEntries: Properties("index-entries", 10_000, .number, "images that indexes name")
        case .indexDepth: Properties("index-depth", 8, .number, "indexes inside indexes")
        case .archiveMembers:
            Properties("archive-members", 100_000, .number, "members of docker-archive: or oci-archive:")
        case .layers: Properties("layers", 1_000, .number, "layers of an image")
        case .layerSize: Properties("layer-size", 1 << 40, .bytes, "a layer or an archive, uncompressed")
        case .layerRatio:
            // Deflate reaches 1032.
            Properties("layer-ratio", 2_000, .number, "uncompressed to compressed size, above 1 GiB")
        // What libarchive lets zstd have, and `zstd --long` needs.
        case .window: Properties("window", 128 << 20, .bytes, "the window that zstd or xz data ask for")
        case .entries: Properties("entries", 5_000_000, .number, "members of a layer")
        case .nameBytes: Properties("name-bytes", 1 << 30, .bytes, "names and link targets of a layer")
        // PATH_MAX of Linux: no runtime unpacks a longer one.
        case .pathLength: Properties("path-length", 4_096, .bytes, "a member's name or link target")
        case .pathDepth: Properties("path-depth", 1_024, .number, "components of a member's name")
        case .attributes: Properties("attributes", 1 << 20, .bytes, "extended attributes of a member")
        case .sparseRegions: Properties("sparse-regions", 65_536, .number, "regions of a sparse file")
        case .mergeSteps:
            Properties("merge-steps", 50_000_000, .number, "names looked at while layers are merged")
        case .keptContents:
            Properties("kept-contents", 128 << 20, .bytes, "contents of files that facts are read from")
        case .passwd: Properties("passwd", 1 << 20, .bytes, "/etc/passwd and /etc/group")
        case .dpkgStatus: Properties("dpkg-status", 16 << 20, .bytes, "/var/lib/dpkg/status")
        case .dpkgList: Properties("dpkg-list", 4 << 20, .bytes, "the list of a Debian package's files")
        case .metadata: Properties("metadata", 1 << 20, .bytes, "METADATA and PKG-INFO of a distribution")
        case .record: Properties("record", 4 << 20, .bytes, "RECORD of a distribution")
        }
    }
}

/// A value for each limit.
public struct Limits: Hashable, Sendable {
    private var values = Limit.allCases.map(\.defaultValue)

    /// The defaults.
    public init() {}

    public subscript(limit: Limit) -> Int64 {
        get { values[limit.rawValue] }
        set { values[limit.rawValue] = newValue }
    }

    /// What a message says of something that goes beyond a limit.
    public func exceeded(_ limit: Limit) -> String {
        "more than the limit \(limit.name)=\(self[limit]) (\(limit.summary))"
    }

    /// Those that are not the defaults, as `set` takes them.
    public var settings: [String] {
        Limit.allCases.filter { self[$0] != $0.defaultValue }.map { "\($0.name)=\(self[$0])" }
    }

    /// Bounds of a manifest or an index.
    public var manifest: JSONLimits {
        JSONLimits(bytes: Int(self[.manifestSize]), depth: Int(self[.jsonDepth]))
    }

    /// Bounds of an image config.
    public var config: JSONLimits { JSONLimits(bytes: Int(self[.configSize]), depth: Int(self[.jsonDepth])) }
}

extension Limit.Unit {
    /// A whole number of it, of bytes with a suffix K, M, G or T (binary) as well; nil for other text.
    public func value(of text: String) -> Int64? {
        var digits = text[...]
        var shift = 0
        if self == .bytes, let last = digits.last, let position = Array("KMGT").firstIndex(of: last) {
            shift = 10 * (position + 1)
            digits.removeLast()
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits),
            case let (value, overflow) = number.multipliedReportingOverflow(by: 1 << shift), !overflow
        else { return nil }
        return value
    }
}

extension Limits {
    /// Sets a limit by `NAME=VALUE`; sizes may have a suffix K, M, G or T (binary), as in `layer-size=64G`.
    ///
    /// - Throws: `ModelError` of kind `.limit` for a name that no limit has, or a value that it cannot have.
    public mutating func set(_ text: String) throws(ModelError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let limit = Limit(named: String(parts[0])) else {
            let names = Limit.allCases.map(\.name).joined(separator: ", ")
            throw ModelError(.limit, "\(quoted(text)) is not NAME=VALUE with one of these names: \(names)")
        }
        guard let value = limit.unit.value(of: String(parts[1])), limit.range.contains(value) else {
            throw ModelError(
                .limit,
                "\(quoted(String(parts[1]))) is no value for \(limit.name): expected a whole number in "
                    + "\(limit.range.lowerBound)...\(limit.range.upperBound)"
                    + (limit.unit == .bytes ? ", or one with a suffix K, M, G or T" : ""))
        }
        self[limit] = value
    }
}
