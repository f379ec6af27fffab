import OCIModel
import RootFS

/// The Python distributions and virtual environments of the image, found by their files: the directories
/// `*.dist-info` and `*.egg-info` that lie directly in a `site-packages` or `dist-packages` (PEP 376, PEP 566),
/// and `pyvenv.cfg` (PEP 405).
public struct PythonEnvironment: Sendable {
    /// An installed distribution.
    public struct Distribution: Sendable {
        /// As written in the metadata.
        public let name: String
        /// By PEP 503: the name to compare with.
        public let normalizedName: String
        /// As written in the metadata.
        public let version: String
        /// The directory that holds it.
        public let sitePackages: ImagePath
        /// The file that was read, METADATA or PKG-INFO.
        public let metadataPath: ImagePath
        /// What installed it, as `pip` or `uv`; nil when the distribution does not say.
        public let installer: String?
        /// The JSON text of `direct_url.json` (PEP 610); nil for a distribution that came from an index, a failure
        /// when the file exists and could not be read.
        public let directURL: Fact<String>?
        /// The fields Requires-Dist, as written; of an egg what `requires.txt` says.
        public let requiresDist: [String]
        /// The names of extras.
        public let providesExtra: [String]
        /// The compatibility tags of WHEEL, as written; nil for a distribution that is no wheel.
        public let wheelTags: [String]?
        /// The layer that wrote the metadata, lowest 0.
        public let layer: Int
        /// `X.Y` of the directory `lib/pythonX.Y`; nil for directories that serve several, as Debian's
        /// `lib/python3`.
        public let pythonVersion: String?

        /// The version for comparisons; nil when PEP 440 does not allow it.
        public var pep440Version: PEP440Version? { PEP440Version(version) }
    }

    /// A virtual environment.
    public struct VirtualEnvironment: Hashable, Sendable {
        /// The directory that holds `pyvenv.cfg`.
        public let path: ImagePath
        /// The directory of the interpreter that it was made with.
        public let home: String?
        /// That interpreter's version, as `3.12.8`.
        public let version: String?
        public let includesSystemSitePackages: Bool
        /// The layer that wrote `pyvenv.cfg`, lowest 0.
        public let layer: Int
    }

    /// In the order of their paths.
    public let distributions: [Distribution]
    public let virtualEnvironments: [VirtualEnvironment]
    /// All directories named `site-packages` or `dist-packages`.
    public let siteDirectories: [ImagePath]
    /// Distributions and environments whose files are missing, not kept, or without name or version.
    public let malformed: MalformedEntries
    private let positionsByName: [String: [Int]]
    /// By normalised name: the highest layer that removed the metadata of such a distribution.
    private let removals: [String: Int]

    /// All distributions of a name, in any spelling; several directories may each hold one.
    public func distributions(named name: String) -> [Distribution] {
        (positionsByName[Self.normalize(name)] ?? []).map { distributions[$0] }
    }

    /// The layer, lowest 0, that removed a distribution of that name from one of the site directories; of several
    /// the highest. Nil when none did.
    public func layer(thatRemoved name: Glob) -> Int? {
        if name.isLiteral { return removals[Self.normalize(name.pattern)] }
        return removals.filter { name.matches($0.key) }.values.max()
    }

    /// A name as PEP 503 compares it: lower case, and one hyphen for each run of `-`, `_` and `.`.
    public static func normalize(_ name: String) -> String {
        var result: [UInt8] = []
        for byte in name.utf8 {
            if "-_.".utf8.contains(byte) {
                if result.last != UInt8(ascii: "-") { result.append(UInt8(ascii: "-")) }
            } else {
                result.append(lowercased(byte))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// An image without a single site directory and virtual environment has no Python environment.
    static func read(from rootfs: RootFS, survey: TreeSurvey) -> Fact<PythonEnvironment> {
        if survey.siteDirectories.isEmpty, survey.virtualEnvironmentFiles.isEmpty {
            return .failure(
                FactError(.missing, "no directory named site-packages or dist-packages, and no pyvenv.cfg"))
        }
        var reader = PythonReader(rootfs: rootfs)
        for directory in survey.siteDirectories { reader.readDistributions(in: directory) }
        for file in survey.virtualEnvironmentFiles { reader.readVirtualEnvironment(file) }
        return .success(
            PythonEnvironment(
                reader: reader, siteDirectories: survey.siteDirectories.map { rootfs.path(of: $0) },
                removals: removals(in: survey.siteDirectories, of: rootfs)))
    }

    private static func removals(in directories: [Node], of rootfs: RootFS) -> [String: Int] {
        var removals: [String: Int] = [:]
        for directory in directories {
            for (name, layer) in rootfs.removedEntries(of: directory) {
                let text = String(decoding: name, as: UTF8.self)
                guard text.hasSuffix(".dist-info") || text.hasSuffix(".egg-info") else { continue }
                let key = normalize(String(text.prefix { $0 != "-" }))
                removals[key] = max(layer, removals[key] ?? layer)
            }
        }
        return removals
    }

    private init(reader: PythonReader, siteDirectories: [ImagePath], removals: [String: Int]) {
        distributions = reader.distributions
        virtualEnvironments = reader.virtualEnvironments
        malformed = reader.malformed
        self.siteDirectories = siteDirectories
        self.removals = removals
        var positions: [String: [Int]] = [:]
        for (position, distribution) in reader.distributions.enumerated() {
            positions[distribution.normalizedName, default: []].append(position)
        }
        positionsByName = positions
    }
}
