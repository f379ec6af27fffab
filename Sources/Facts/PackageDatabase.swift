import OCIModel
import RootFS

/// The packages that dpkg says the image has: `/var/lib/dpkg/status` (deb-control(5), dpkg-query(1)), and the
/// files of `/var/lib/dpkg/status.d`, which images without dpkg have instead ("distroless").
public struct PackageDatabase: Sendable {
    /// A stanza of the database.
    public struct Package: Hashable, Sendable {
        public let name: String
        /// As written; empty for a package that is not on the disk and has none.
        public let version: String
        public let architecture: String
        public let status: Status
        /// The name of the source package, with its version in parentheses where that differs; nil when it is the
        /// package's own name.
        public let source: String?
        public let section: String?
        /// KiB, as the package's author estimated.
        public let installedSize: Int64?
        /// Names of the virtual packages that this one provides, without versions.
        public let provides: [String]
        /// The field Depends as written, on one line; nil when there is none.
        public let depends: String?
        /// The file and line of the stanza.
        public let path: ImagePath
        public let line: Int

        /// The version for comparisons; nil when dpkg would not accept it.
        public var debianVersion: DebianVersion? { DebianVersion(version) }
        /// Whether it is installed and configured, and is to stay: `install ok installed` or
        /// `hold ok installed`.
        public var isInstalled: Bool {
            status.state == .installed && status.flag == "ok"
                && (status.want == .install || status.want == .hold)
        }
        /// Whether files of it are on the disk, in whatever state: what "must be absent" is about.
        public var hasFiles: Bool { status.state != .notInstalled && status.state != .configFiles }
    }

    /// The three words of the field Status.
    public struct Status: Hashable, Sendable, CustomStringConvertible {
        /// What is wanted.
        public enum Want: String, Sendable, CaseIterable {
            case unknown
            case install
            case hold
            case deinstall
            case purge
        }

        /// What is there.
        public enum State: String, Sendable, CaseIterable {
            case notInstalled = "not-installed"
            case configFiles = "config-files"
            case halfInstalled = "half-installed"
            case unpacked
            case halfConfigured = "half-configured"
            case triggersAwaited = "triggers-awaited"
            case triggersPending = "triggers-pending"
            case installed
        }

        public let want: Want
        /// `ok`, or `reinstreq` for a package that is broken.
        public let flag: String
        public let state: State

        public var description: String { "\(want.rawValue) \(flag) \(state.rawValue)" }
    }

    /// In the order of the database; a package of several architectures has a stanza for each.
    public let packages: [Package]
    /// Stanzas without a name, with an unknown status, or that dpkg could not read otherwise.
    public let malformedStanzas: MalformedEntries
    private let positionsByName: [String: [Int]]
    private let timeline: RecordTimeline<[String]>
    private let files: PackageFiles

    public var installed: [Package] { packages.filter(\.isInstalled) }

    /// All stanzas of a name, one for each architecture.
    public func packages(named name: String) -> [Package] {
        (positionsByName[name] ?? []).map { packages[$0] }
    }

    /// The stanza of a name; of several the first that is installed, else the first.
    public func package(named name: String) -> Package? {
        let candidates = packages(named: name)
        return candidates.first(where: \.isInstalled) ?? candidates.first
    }

    /// The installed packages that provide a virtual package.
    public func providers(of name: String) -> [Package] { installed.filter { $0.provides.contains(name) } }

    /// The layer (lowest 0) that installed the present version of a package; nil when the package has no files in
    /// the image, or the versions of the database were not kept.
    public func layer(thatInstalled name: String) -> Int? { timeline.writtenBy[Array(name.utf8)] }

    /// The layer (lowest 0) that removed a package which a lower layer had; nil when none did.
    public func layer(thatRemoved name: String) -> Int? { timeline.removedBy[Array(name.utf8)] }

    /// The name of the package that a file belongs to, whether the file is there or not; nil for a file of none. A
    /// directory of the root that is a link into /usr is the same as what it leads to.
    public func owner(of path: ImagePath) -> Fact<String?> { files.owner(of: path) }

    private init(stanzas: PackageStanzas, timeline: RecordTimeline<[String]>, files: PackageFiles) {
        self.files = files
        packages = stanzas.packages
        malformedStanzas = stanzas.malformed
        self.timeline = timeline
        var positions: [String: [Int]] = [:]
        for (position, package) in stanzas.packages.enumerated() {
            positions[package.name, default: []].append(position)
        }
        positionsByName = positions
    }
}

// MARK: - Reading

extension PackageDatabase {
    private static let statusPath: ImagePath = "/var/lib/dpkg/status"
    private static let directoryPath: ImagePath = "/var/lib/dpkg/status.d"

    static func read(from rootfs: RootFS) -> Fact<PackageDatabase> {
        do throws(FactError) {
            var stanzas = PackageStanzas()
            var timeline = RecordTimeline<[String]>()
            let status = try existing(rootfs.factFile(at: statusPath))
            if let status {
                stanzas = PackageStanzas(parsing: status.bytes, path: status.path)
                for version in rootfs.versions(of: status.path) {
                    let records =
                        version.bytes == status.bytes
                        ? stanzas.records : PackageStanzas(parsing: version.bytes, path: status.path).records
                    timeline.advance(to: records, layer: version.layer)
                }
            }
            let files = try statusDirectory(of: rootfs)
            if status == nil, files == nil {
                throw FactError(.missing, "neither \(statusPath) nor \(directoryPath) exists")
            }
            for file in files ?? [] {
                let own = PackageStanzas(parsing: file.bytes, path: file.path, defaultStatus: .installed)
                stanzas.append(own)
                timeline.add(own.records, layer: file.layer)
            }
            return .success(
                PackageDatabase(
                    stanzas: stanzas, timeline: timeline, files: PackageFiles(rootfs: rootfs)))
        } catch {
            return .failure(error)
        }
    }

    private static func existing(_ file: Fact<FactFile>) throws(FactError) -> FactFile? {
        if case .failure(let error) = file, error.kind == .missing { return nil }
        return try file.get()
    }

    /// The files of status.d but for the lists of checksums; nil when there is no such directory.
    private static func statusDirectory(of rootfs: RootFS) throws(FactError) -> [FactFile]? {
        let found: Node?
        do {
            found = try rootfs.node(at: directoryPath)
        } catch {
            throw FactError(.unreachable, "\(directoryPath) cannot be reached")
        }
        guard let directory = found, rootfs.status(of: directory).kind == .directory else { return nil }
        var files: [FactFile] = []
        for node in rootfs.entries(of: directory) {
            if rootfs.status(of: node).kind == .directory || rootfs.name(of: node).hasSuffix(".md5sums") {
                continue
            }
            files.append(try rootfs.factFile(at: rootfs.path(of: node)).get())
        }
        return files
    }
}
