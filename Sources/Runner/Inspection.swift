import Facts
import OCIModel
import Verdict

/// What `assay inspect` shows of an image: a value that is encoded as JSON or printed.
public struct Inspection: Codable, Sendable {
    public struct Configuration: Codable, Sendable {
        public let user: String?
        public let workingDirectory: String?
        public let entrypoint: [String]?
        public let command: [String]?
        public let environment: [String]
        public let exposedPorts: [String]
        public let volumes: [String]
        public let labels: [String: String]
        public let stopSignal: String?
        public let healthcheck: [String]?
        public let shell: [String]?
    }

    public struct Layer: Codable, Sendable {
        /// From 1, the lowest first.
        public let number: Int
        public let digest: String
        public let diffID: String
        public let compression: String
        /// Bytes of the blob.
        public let size: Int64
        /// Bytes of the uncompressed archive.
        public let uncompressedSize: Int64
        public let entries: Int
        /// Bytes of regular files that the layer adds.
        public let fileBytes: Int64
        /// Bytes of those that a later layer replaces or removes.
        public let wastedBytes: Int64
        public let instruction: String?
    }

    public struct HistoryStep: Codable, Sendable {
        public let instruction: String
        /// The layer that the step made, from 1; nil when it made none or the history does not tell.
        public let layer: Int?
    }

    public struct User: Codable, Sendable {
        public let name: String
        public let uid: Int64
        public let gid: Int64
        public let home: String
        public let shell: String
    }

    public struct Group: Codable, Sendable {
        public let name: String
        public let gid: Int64
        public let members: [String]
    }

    public struct Package: Codable, Sendable {
        public let name: String
        public let version: String
        public let architecture: String
        public let status: String
    }

    public struct Distribution: Codable, Sendable {
        public let name: String
        public let version: String
        public let location: String
    }

    public struct PrivilegedFile: Codable, Sendable {
        public let path: String
        /// Octal mode bits.
        public let mode: String
        public let uid: Int64
        public let gid: Int64
    }

    public let reference: String
    public let manifestDigest: String?
    public let configDigest: String
    public let platform: String
    public let created: String?
    public let author: String?
    public let operatingSystem: String?
    public let config: Configuration
    public let layers: [Layer]
    public let history: [HistoryStep]
    /// Bytes of the layer blobs together.
    public let compressedSize: Int64
    /// Bytes of the uncompressed layers together.
    public let uncompressedSize: Int64
    /// Bytes of the regular files in the merged tree, hard links once.
    public let fileBytes: Int64
    /// Bytes of files that later layers replace or remove.
    public let wastedBytes: Int64
    /// Entries of the merged tree.
    public let entries: Int
    public let users: [User]
    public let groups: [Group]
    public let packages: [Package]
    public let distributions: [Distribution]
    public let setuidFiles: [PrivilegedFile]
    public let setgidFiles: [PrivilegedFile]
    public let capabilityFiles: [PrivilegedFile]
    /// Facts that could not be had, with the reason, one line each.
    public let missing: [String]
    /// Oddities of the image.
    public let notes: [Note]

    public init(_ analysis: ImageAnalysis) {
        let facts = analysis.facts
        let identity = analysis.identity
        let run = facts.config.run
        var missing: [String] = []
        func value<Value>(_ fact: Fact<Value>, _ name: String) -> Value? {
            switch fact {
            case .success(let value): return value
            case .failure(let error):
                missing.append("\(name): \(error.message)")
                return nil
            }
        }
        reference = identity.reference
        manifestDigest = identity.manifestDigest
        configDigest = identity.configDigest
        platform = identity.platform
        created = identity.created
        author = facts.config.author
        operatingSystem = value(facts.osRelease, "operating system").flatMap { $0.prettyName ?? $0.id }
        config = Configuration(
            user: run.user, workingDirectory: run.workingDirectory, entrypoint: run.entrypoint,
            command: run.command, environment: run.environment, exposedPorts: run.exposedPorts,
            volumes: run.volumes, labels: run.labels, stopSignal: run.stopSignal,
            healthcheck: run.healthcheckTest, shell: run.shell)
        layers = analysis.layers.enumerated().map { index, layer in
            Layer(
                number: index + 1, digest: layer.digest.description, diffID: layer.diffID.description,
                compression: layer.compression.rawValue, size: layer.size,
                uncompressedSize: layer.uncompressedSize, entries: facts.layers[index].entryCount,
                fileBytes: facts.sizes.layers[index].addedBytes,
                wastedBytes: facts.sizes.layers[index].wastedBytes,
                instruction: facts.history.step(forLayer: index)?.raw)
        }
        history = facts.history.steps.map { HistoryStep(instruction: $0.raw, layer: $0.layer.map { $0 + 1 }) }
        compressedSize = analysis.layers.reduce(0) { $0 + $1.size }
        uncompressedSize = analysis.layers.reduce(0) { $0 + $1.uncompressedSize }
        fileBytes = facts.sizes.totalBytes
        wastedBytes = facts.sizes.wastedBytes
        entries = facts.rootfs.count
        let database = value(facts.users, "users")
        users = (database?.users ?? []).map {
            User(name: $0.name, uid: $0.uid, gid: $0.gid, home: $0.home, shell: $0.shell)
        }
        groups = (database?.groups ?? []).map { Group(name: $0.name, gid: $0.gid, members: $0.members) }
        packages = (value(facts.packages, "packages")?.packages ?? []).map {
            Package(
                name: $0.name, version: $0.version, architecture: $0.architecture,
                status: $0.status.description)
        }
        distributions = (value(facts.python, "Python distributions")?.distributions ?? []).map {
            Distribution(name: $0.name, version: $0.version, location: $0.sitePackages.description)
        }
        func privileged(_ files: [SpecialFiles.File]) -> [PrivilegedFile] {
            files.map {
                PrivilegedFile(
                    path: $0.path.description, mode: String($0.permissions, radix: 8), uid: $0.uid,
                    gid: $0.gid)
            }
        }
        setuidFiles = privileged(facts.specialFiles.setuid)
        setgidFiles = privileged(facts.specialFiles.setgid)
        capabilityFiles = privileged(facts.specialFiles.withCapabilities)
        self.missing = missing
        notes = analysis.notes
    }
}
