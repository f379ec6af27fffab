/// Something odd about an image that leaves it judgeable: what runtimes and scanners may take for something else, or
/// pass over.
public struct Oddity: Hashable, Sendable {
    /// What it is. The raw values are stable names: reports show them, scripts match them.
    public enum Kind: String, Sendable, CaseIterable {
        case escapingPath = "tar.path.escape"
        case absolutePath = "tar.path.absolute"
        case danglingHardLink = "tar.hardlink.dangling"
        case hardLinkToDirectory = "tar.hardlink.directory"
        case hardLinkWithData = "tar.hardlink.data"
        case duplicateMember = "tar.duplicate"
        case typeChange = "tar.type-change"
        case unknownType = "tar.typeflag"
        case archiveWarning = "tar.warning"
        case trailingData = "layer.trailing-data"
        case trailingArchive = "layer.trailing-archive"
        case foreignLayer = "layer.foreign"
        case mediaType = "mediatype.mismatch"
        case ratio = "size.ratio"
        case sparseFile = "size.sparse"
        case writeThroughLink = "fs.write-through-link"
        case parentNotDirectory = "fs.parent-not-dir"
        case rootReplaced = "fs.root-replaced"
        case linkLoop = "fs.symlink.loop"
        case device = "fs.device"
        case oddWhiteout = "whiteout.odd"
        case whiteoutType = "whiteout.type"
        case whiteoutOrder = "whiteout.order"
        case foreignWhiteout = "whiteout.foreign-style"
        case owner = "owner.out-of-range"
        case time = "time.out-of-range"
        case environment = "config.env.malformed"
        case user = "config.user"
        case history = "history.count"
        case tableOfContents = "toc.mismatch"
        case unreadTableOfContents = "toc.unread"
        case readerDisagreement = "reader.disagreement"
    }

    public let kind: Kind
    /// Position of the layer, lowest 0; nil for the image's documents.
    public let layer: Int?
    /// What it is about, in one line of at most `maximumLength` characters; text from the image is escaped.
    public let subject: String

    public static let maximumLength = 200

    public init(_ kind: Kind, layer: Int? = nil, _ subject: String) {
        self.kind = kind
        self.layer = layer
        self.subject =
            subject.count > Oddity.maximumLength ? subject.prefix(Oddity.maximumLength - 1) + "…" : subject
    }

    /// What it is about, and what was made of it.
    public var message: String { "\(subject): \(kind.explanation)" }
}

extension Oddity.Kind {
    /// What it means, and what was made of it, in a few words.
    public var explanation: String {
        switch self {
        case .escapingPath: "the name climbs above the root, where it ends"
        case .absolutePath: "the name begins with a slash, which readers remove or refuse"
        case .danglingHardLink: "hard link to something that does not exist; not applied"
        case .hardLinkToDirectory: "hard link to a directory; not applied"
        case .hardLinkWithData: "hard link with data of its own, which readers write or ignore"
        case .duplicateMember: "occurs twice in the layer; the last one counts"
        case .typeChange: "occurs twice in the layer, as two types of file; the last one counts"
        case .unknownType: "member of a type that no runtime unpacks; not applied"
        case .archiveWarning: "the archive reader warned"
        case .trailingData: "data follow the end of the archive; not read"
        case .trailingArchive:
            "another archive follows the end of the archive, which some readers read; not read"
        case .foreignLayer: "the layer may be fetched from elsewhere; the one that is here was read"
        case .mediaType: "the media type does not say how the layer is compressed"
        case .ratio: "the layer grows to more than a hundred times its size"
        case .sparseFile: "sparse file, of which the archive has only parts; no image builder writes them"
        case .writeThroughLink: "written through a symbolic link to a directory"
        case .parentNotDirectory: "lies below something that is not a directory, which it replaces"
        case .rootReplaced: "would replace the root directory; not applied"
        case .linkLoop: "symbolic links that lead in a circle"
        case .device: "device"
        case .oddWhiteout: "whiteout of something that does not exist"
        case .whiteoutType: "whiteout that is not an empty regular file; applied"
        case .whiteoutOrder:
            "a later whiteout of the same layer names it; it stays, as the specification says"
        case .foreignWhiteout: "whiteout in the style of overlayfs, which is none in a layer; not applied"
        case .owner: "owner or group is not in 0...4294967294"
        case .time: "modification time is not in the years 1901 to 2446"
        case .environment: "element of Env that is not NAME=value; runtimes differ in what they make of it"
        case .user: "user that a runtime refuses or takes for another"
        case .history: "the history does not tell which step made which layer"
        case .tableOfContents:
            "the table of contents names other files than the archive; runtimes may use either"
        case .unreadTableOfContents: "the table of contents was not compared with the archive"
        case .readerDisagreement: "runtimes and scanners may see different files; one of the two is shown"
        }
    }
}

/// Oddities in the order in which they were met. Of each kind the first of each layer are kept and all are counted,
/// so that a million of them cost no more than a few, and hide none of another kind.
public struct Oddities: Hashable, Sendable {
    private struct Group: Hashable, Sendable {
        let kind: Oddity.Kind
        let layer: Int?
    }

    /// How many of a kind are kept of a layer.
    public static let keptOfEach = 5

    /// Those that were kept, in the order in which they were met.
    public private(set) var kept: [Oddity] = []
    private var counts: [Group: Int] = [:]

    public init() {}

    public var isEmpty: Bool { kept.isEmpty }

    /// Those that were kept, and for each kind and layer with more of them one that says how many.
    public var list: [Oddity] {
        let more = counts.filter { $0.value > Oddities.keptOfEach }.map { group, count in
            Oddity(
                group.kind, layer: group.layer,
                "\(count - Oddities.keptOfEach) more that are not listed")
        }
        return kept
            + more.sorted { ($0.layer ?? -1, $0.kind.rawValue) < ($1.layer ?? -1, $1.kind.rawValue) }
    }

    public mutating func note(
        _ kind: Oddity.Kind, layer: Int? = nil, _ subject: @autoclosure () -> String
    ) {
        let group = Group(kind: kind, layer: layer)
        let count = counts[group, default: 0] + 1
        counts[group] = count
        if count <= Oddities.keptOfEach { kept.append(Oddity(kind, layer: layer, subject())) }
    }

    /// How many there are of each kind that has more than were kept, of no layer.
    public var more: [(kind: Oddity.Kind, count: Int)] {
        counts.compactMap { group, count in
            group.layer == nil && count > Oddities.keptOfEach ? (group.kind, count) : nil
        }.sorted { $0.kind.rawValue < $1.kind.rawValue }
    }

    /// Says that there are so many of a kind of which the first were noted.
    public mutating func note(_ kind: Oddity.Kind, count: Int) {
        counts[Group(kind: kind, layer: nil), default: 0] = count
    }

    /// Adds what was met in a layer that did not know its position.
    public mutating func append(_ other: Oddities, layer: Int) {
        kept += other.kept.map { Oddity($0.kind, layer: layer, $0.subject) }
        for (group, count) in other.counts {
            counts[Group(kind: group.kind, layer: layer), default: 0] += count
        }
    }

    public mutating func append(_ other: Oddities) {
        kept += other.kept
        counts.merge(other.counts, uniquingKeysWith: +)
    }
}
