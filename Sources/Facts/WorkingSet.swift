import OCIModel
import RootFS

/// The distributions that one interpreter sees, as `importlib.metadata` and pip find them: along `sys.path`, the
/// first of a name counts.
public struct WorkingSet: Sendable {
    /// The site directories in the order of `sys.path`.
    public let searchPath: [ImagePath]
    /// What markers are evaluated for.
    public let markers: MarkerEnvironment
    /// What wheels the interpreter takes.
    let platform: WheelPlatform?
    /// By normalised name.
    public private(set) var distributions: [String: PythonEnvironment.Distribution] = [:]
    /// What may be there beside `distributions`.
    public private(set) var doubts: [Doubt] = []

    /// Something that could not be read, or that pip would find and Assay does not look for.
    public struct Doubt: Hashable, Sendable {
        /// The normalised name of the distribution; nil when it can be any.
        public let name: String?
        /// In one line; escaped.
        public let reason: String
    }

    /// The distribution of a name, in any spelling.
    public func distribution(named name: String) -> PythonEnvironment.Distribution? {
        distributions[PythonEnvironment.normalize(name)]
    }

    /// Why nothing can be said of a distribution; nil when all was read.
    public func doubt(about normalizedName: String) -> String? {
        doubts.first { $0.name == nil || $0.name == normalizedName }?.reason
    }

    /// Whether pip is one that refuses what PEP 440 does not allow: from 24.1, and where there is none.
    var isStrict: Bool { hasPip(from: "24.1") }

    /// Whether pip is one that looks at the platforms of wheels: from 24.2, and where there is none.
    var comparesPlatforms: Bool { hasPip(from: "24.2") }

    private func hasPip(from first: String) -> Bool {
        guard let pip = distribution(named: "pip")?.pep440Version, let first = PEP440Version(first) else {
            return true
        }
        return pip >= first
    }

    fileprivate init(
        searchPath: [ImagePath], markers: MarkerEnvironment, platform: WheelPlatform?,
        environment: PythonEnvironment, rootfs: RootFS
    ) {
        self.searchPath = searchPath
        self.markers = markers
        self.platform = platform
        let byDirectory = Dictionary(grouping: environment.distributions, by: \.sitePackages)
        let malformed = environment.malformed
        for directory in searchPath {
            var own: [String: PythonEnvironment.Distribution] = [:]
            for distribution in byDirectory[directory] ?? [] where !distribution.isLeftover {
                let name = distribution.normalizedName
                if let other = own[name], !other.isSame(as: distribution) {
                    addDoubt(
                        name,
                        "\(directory) has \(escaped(name)) twice, and which one counts is not decided: "
                            + "\(escaped(other.version)) and \(escaped(distribution.version))")
                }
                own[name] = distribution
            }
            for entry in malformed.entries where entry.path.isWithin(directory) {
                let name = entry.path.components.dropFirst(directory.components.count).first ?? []
                addDoubt(WorkingSet.distributionName(name), "\(entry)")
            }
            distributions.merge(own) { first, _ in first }
        }
        for directory in searchPath {
            guard let node = try? rootfs.node(at: directory) else { continue }
            for entry in rootfs.entries(of: node) { noteOtherForms(entry, in: directory, rootfs) }
        }
        if malformed.count > malformed.entries.count {
            doubts.append(Doubt(name: nil, reason: "too many distributions cannot be read"))
        }
    }

    /// What was found further ahead on the path is beyond doubt.
    private mutating func addDoubt(_ name: String, _ reason: String) {
        if distributions[name] == nil { doubts.append(Doubt(name: name, reason: reason)) }
    }

    /// Eggs, links to sources in development, and files that add directories to the path (`site` of Python's
    /// library): they hold distributions where Assay does not read them.
    private mutating func noteOtherForms(_ entry: Node, in directory: ImagePath, _ rootfs: RootFS) {
        let name = rootfs.name(of: entry)
        let path = directory.appending(name)
        if name.hasSuffix(".egg") || name.hasSuffix(".egg-link") {
            addDoubt(WorkingSet.distributionName(name), "\(path) is not read")
        }
        guard name.hasSuffix(".pth") else { return }
        let file: FactFile
        switch rootfs.factFile(at: path) {
        case .success(let found): file = found
        case .failure(let error):
            doubts.append(Doubt(name: nil, reason: error.message))
            return
        }
        for (_, line) in Lines(file.bytes) {
            let line = line.trimmed
            if line.isEmpty || line.first == UInt8(ascii: "#") || line.starts(with: "import".utf8) {
                continue
            }
            let added = line.first == UInt8(ascii: "/") ? ImagePath(line) : directory.appending(line)
            guard !searchPath.contains(added), let node = try? rootfs.node(at: added) else { continue }
            for entry in rootfs.entries(of: node) {
                let name = rootfs.name(of: entry)
                guard name.hasSuffix(".dist-info") || name.hasSuffix(".egg-info") else { continue }
                addDoubt(
                    WorkingSet.distributionName(name),
                    "\(added.appending(name)) is on the path by \(path), and is not read")
            }
        }
    }

    /// `some_name-1.0.dist-info`, `some.name.egg-link`
    private static func distributionName(_ fileName: ArraySlice<UInt8>) -> String {
        let endings: [StaticString] = [".dist-info", ".egg-info", ".egg-link", ".egg"]
        var stem = fileName
        for ending in endings where stem.hasSuffix(ending) { stem = stem.dropLast(ending.utf8CodeUnitCount) }
        return PythonEnvironment.normalize(
            String(decoding: stem.prefix { $0 != UInt8(ascii: "-") }, as: UTF8.self))
    }
}

extension PythonEnvironment.Distribution {
    /// pip renames what it replaces, `~ip-24.0.dist-info`, and passes over what is left of it.
    fileprivate var isLeftover: Bool { metadataPath.parent.name?.first == UInt8(ascii: "~") }

    fileprivate func isSame(as other: PythonEnvironment.Distribution) -> Bool {
        version == other.version && requiresDist == other.requiresDist
    }
}

extension ImageFacts {
    /// What the interpreter sees that a distribution is installed for, run without `-I`.
    ///
    /// A virtual environment has its own site directory, and the base's where `pyvenv.cfg` says so (PEP 405); a
    /// user library has that of the `pythonX.Y` on the image's PATH behind it (PEP 370); `dist-packages` belong to
    /// Debian's `python3`. Directories of `PYTHONPATH` come first. Another user's library is not looked at.
    public func workingSet(holding distribution: PythonEnvironment.Distribution) -> Fact<WorkingSet> {
        python.flatMap { environment in
            SearchPath(facts: self, environment: environment).find(from: distribution.sitePackages).map {
                WorkingSet(
                    searchPath: $0.directories, markers: $0.markers, platform: wheelPlatform(for: $0.markers),
                    environment: environment, rootfs: rootfs)
            }
        }
    }
}

extension ImageFacts {
    private func wheelPlatform(for markers: MarkerEnvironment) -> WheelPlatform? {
        PEP440Version(markers.pythonVersion).map {
            WheelPlatform(python: $0, machine: markers.machine, libc: glibc)
        }
    }

    /// The version of the GNU C library without Debian's revision.
    private var glibc: PEP440Version? {
        guard case .success(let database) = packages,
            let version = database.package(named: "libc6")?.debianVersion
        else { return nil }
        return PEP440Version(String(version.upstream.prefix { $0.isNumber || $0 == "." }))
    }
}

/// Finds the interpreter that a site directory belongs to, and the directories that it looks into.
private struct SearchPath {
    let facts: ImageFacts
    let environment: PythonEnvironment

    struct Found {
        var directories: [ImagePath]
        var markers: MarkerEnvironment
    }

    func find(from site: ImagePath) -> Fact<Found> {
        Result { () throws(FactError) in
            var found = try interpreter(of: site)
            found.directories = try pythonPath() + found.directories
            var seen: Set<ImagePath> = []
            found.directories = found.directories.filter { seen.insert($0).inserted }
            return found
        }
    }

    private func interpreter(of site: ImagePath) throws(FactError) -> Found {
        if site.name?.elementsEqual("dist-packages".utf8) == true { return try debian() }
        let library = site.parent
        let prefix = library.parent.parent
        guard let line = environment.distributions.first(where: { $0.sitePackages == site })?.pythonVersion
        else { throw FactError(.malformed, "\(site) is in the library of no known Python") }
        let program = "python\(line)"
        let configuration = prefix.appending("pyvenv.cfg")
        if let venv = environment.virtualEnvironments.first(where: { $0.path == prefix }) {
            let base =
                venv.includesSystemSitePackages
                ? directories(ofPrefix: ImagePath(venv.home ?? "").parent, line) : []
            return Found(directories: [site] + base, markers: markers(line, venv.version))
        }
        if exists(configuration) {
            throw FactError(.malformed, "\(configuration) makes a virtual environment and cannot be read")
        }
        if exists(prefix.appending("bin").appending(program)) {
            return Found(directories: [site], markers: markers(line, nil))
        }
        guard let base = prefixOnPath(program) else {
            throw FactError(.missing, "no \(program) is on the PATH of the image, for which \(site) is made")
        }
        return Found(directories: [site] + directories(ofPrefix: base, line), markers: markers(line, nil))
    }

    private func debian() throws(FactError) -> Found {
        guard let program = resolved("/usr/bin/python3"), let name = program.name,
            name.starts(with: "python".utf8)
        else { throw FactError(.missing, "which Python /usr/bin/python3 is cannot be told") }
        let line = String(decoding: name.dropFirst("python".utf8.count), as: UTF8.self)
        return Found(
            directories: debianDirectories(line),
            markers: MarkerEnvironment(pythonVersion: line, pythonFullVersion: nil, machine: machine))
    }

    private func debianDirectories(_ line: String) -> [ImagePath] {
        known([
            ImagePath("/usr/local/lib/python\(line)/dist-packages"), "/usr/lib/python3/dist-packages",
            ImagePath("/usr/lib/python\(line)/dist-packages"),
        ])
    }

    private func directories(ofPrefix prefix: ImagePath, _ line: String) -> [ImagePath] {
        prefix == "/usr"
            ? debianDirectories(line)
            : known([prefix.appending("lib/python\(line)/site-packages")])
    }

    /// Directories without a site directory among them hold no distributions that Assay would find.
    private func known(_ directories: [ImagePath]) -> [ImagePath] {
        directories.compactMap { resolved($0) }.filter { environment.siteDirectories.contains($0) }
    }

    /// The prefix of the first interpreter of that name on the PATH that is no virtual environment's.
    private func prefixOnPath(_ program: String) -> ImagePath? {
        for directory in (facts.config.run.environmentValue("PATH") ?? "").split(separator: ":")
        where directory.hasPrefix("/") {
            let path = ImagePath(String(directory)).appending(program)
            if exists(path.parent.parent.appending("pyvenv.cfg")) { continue }
            if let file = resolved(path) { return file.parent.parent }
        }
        return nil
    }

    /// - Throws: when a directory of `PYTHONPATH` holds distributions and is no site directory.
    private func pythonPath() throws(FactError) -> [ImagePath] {
        var directories: [ImagePath] = []
        for text in (facts.config.run.environmentValue("PYTHONPATH") ?? "").split(separator: ":") {
            guard let directory = resolved(ImagePath(String(text))),
                let node = try? facts.rootfs.node(at: directory)
            else { continue }
            if environment.siteDirectories.contains(directory) {
                directories.append(directory)
                continue
            }
            for entry in facts.rootfs.entries(of: node) {
                let name = facts.rootfs.name(of: entry)
                if name.hasSuffix(".dist-info") || name.hasSuffix(".egg-info") {
                    throw FactError(
                        .unread, "\(directory.appending(name)) is on the PYTHONPATH and is not read")
                }
            }
        }
        return directories
    }

    // MARK: Versions

    /// The full version is that of the environment or of the variables that images of Python and of Airflow have;
    /// nil when they disagree.
    private func markers(_ line: String, _ ofEnvironment: String?) -> MarkerEnvironment {
        let claims =
            [ofEnvironment]
            + ["PYTHON_VERSION", "AIRFLOW_PYTHON_VERSION"].map {
                facts.config.run.environmentValue($0)
            }
        let full = Set(
            claims.compactMap { $0 }.filter { claim in
                claim.hasPrefix(line + ".") && PEP440Version(claim).map { $0.release.count == 3 } == true
            })
        return MarkerEnvironment(
            pythonVersion: line, pythonFullVersion: full.count == 1 ? full.first : nil, machine: machine)
    }

    private var machine: String? {
        switch facts.config.platform.architecture {
        case "amd64": "x86_64"
        case "arm64": "aarch64"
        case "ppc64le", "riscv64", "s390x": facts.config.platform.architecture
        default: nil
        }
    }

    // MARK: Files

    private func exists(_ path: ImagePath) -> Bool { resolved(path) != nil }

    private func resolved(_ path: ImagePath) -> ImagePath? {
        (try? facts.rootfs.node(at: path)).map { facts.rootfs.path(of: $0) }
    }
}
