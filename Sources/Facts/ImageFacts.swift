import OCIModel
import RootFS

/// Something read from the image, or the reason why it could not be read: a check that needs it is then an
/// error, never a pass.
public typealias Fact<Value> = Result<Value, FactError>

/// Why a fact could not be had.
public struct FactError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        /// The file that states the fact is not in the image.
        case missing
        /// The file exists and does not parse.
        case malformed
        /// The file is larger than Assay reads.
        case tooLarge
        /// The file exists and its content was not kept while the layers were read: it lies where a link leads
        /// that Assay does not foresee.
        case unread
        /// The path leads in a circle or through something that is not a directory.
        case unreachable
    }

    public let kind: Kind
    /// What is wrong, where, in one line; text from the image is escaped.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}

/// A layer as the facts need it.
public struct LayerFact: Sendable {
    /// The blob's digest as the manifest names it; the diff ID where the transport has no other.
    public let digest: Digest
    public let diffID: Digest
    /// Bytes of the blob.
    public let size: Int64
    /// Bytes of the uncompressed archive.
    public let uncompressedSize: Int64
    /// Members of the archive.
    public let entryCount: Int

    public init(digest: Digest, diffID: Digest, size: Int64, uncompressedSize: Int64, entryCount: Int) {
        self.digest = digest
        self.diffID = diffID
        self.size = size
        self.uncompressedSize = uncompressedSize
        self.entryCount = entryCount
    }
}

/// All that is known of an image without running it. A value: checks read it, nothing changes it.
public struct ImageFacts: Sendable {
    /// The names that the place it was read from has for the image. They prove nothing.
    public let names: [String]
    public let config: ImageConfig
    /// Lowest first.
    public let layers: [LayerFact]
    public let rootfs: RootFS
    public let history: BuildHistory
    public let users: Fact<UserDatabase>
    public let osRelease: Fact<OSRelease>
    public let packages: Fact<PackageDatabase>
    public let python: Fact<PythonEnvironment>
    public let aptSources: AptSources
    public let commands: CommandSearch
    public let libraries: LibrarySearch
    public let linker: DynamicLinker
    public let specialFiles: SpecialFiles
    public let sizes: SizeFacts
    public let secrets: SecretFacts
    /// Files that may hold secrets: what else does depends on the config.
    private let secretCandidates: [Node]

    public init(config: ImageConfig, layers: [LayerFact], rootfs: RootFS, names: [String] = []) {
        let survey = TreeSurvey(of: rootfs, layerCount: max(layers.count, rootfs.wastedBytes.count))
        self.init(
            config: config, layers: layers, rootfs: rootfs, names: names,
            users: UserDatabase.read(from: rootfs), osRelease: OSRelease.read(from: rootfs),
            packages: PackageDatabase.read(from: rootfs),
            python: PythonEnvironment.read(from: rootfs, survey: survey), specialFiles: survey.specialFiles,
            sizes: SizeFacts(rootfs: rootfs, survey: survey), aptSources: AptSources(rootfs: rootfs),
            secretCandidates: survey.secretCandidates)
    }

    /// The facts of the same tree with another config and other names; files are not read again.
    public func with(config: ImageConfig, names: [String]) -> ImageFacts {
        ImageFacts(
            config: config, layers: layers, rootfs: rootfs, names: names, users: users, osRelease: osRelease,
            packages: packages, python: python, specialFiles: specialFiles, sizes: sizes,
            aptSources: aptSources, secretCandidates: secretCandidates)
    }

    private init(
        config: ImageConfig, layers: [LayerFact], rootfs: RootFS, names: [String],
        users: Fact<UserDatabase>, osRelease: Fact<OSRelease>, packages: Fact<PackageDatabase>,
        python: Fact<PythonEnvironment>, specialFiles: SpecialFiles, sizes: SizeFacts,
        aptSources: AptSources, secretCandidates: [Node]
    ) {
        self.names = names
        self.config = config
        self.layers = layers
        self.rootfs = rootfs
        self.users = users
        self.osRelease = osRelease
        self.packages = packages
        self.python = python
        self.specialFiles = specialFiles
        self.sizes = sizes
        self.aptSources = aptSources
        self.secretCandidates = secretCandidates
        history = BuildHistory(config: config)
        commands = CommandSearch(config: config, rootfs: rootfs, users: users)
        libraries = LibrarySearch(config: config, rootfs: rootfs)
        linker = DynamicLinker(config: config, libraries: libraries, rootfs: rootfs)
        secrets = SecretFacts(
            config: config, history: history, rootfs: rootfs, candidates: secretCandidates)
    }
}
