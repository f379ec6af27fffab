import OCIModel
import RootFS

/// Reads the metadata of distributions and virtual environments.
struct PythonReader {
    let rootfs: RootFS
    private(set) var distributions: [PythonEnvironment.Distribution] = []
    private(set) var virtualEnvironments: [PythonEnvironment.VirtualEnvironment] = []
    private(set) var malformed = MalformedEntries()

    init(rootfs: RootFS) { self.rootfs = rootfs }

    private enum Field: Int, CaseIterable {
        case name
        case version
        case requiresDist
        case providesExtra

        static let names = ["name", "version", "requires-dist", "provides-extra"]
    }

    /// Reads every `*.dist-info` and `*.egg-info` in a site directory.
    mutating func readDistributions(in directory: Node) {
        let sitePackages = rootfs.path(of: directory)
        let pythonVersion = Self.pythonVersion(of: sitePackages)
        for node in rootfs.entries(of: directory) {
            let name = rootfs.name(of: node)
            let path = sitePackages.appending(name)
            if name.hasSuffix(".dist-info") {
                readDistribution(path.appending("METADATA"), in: path, sitePackages, pythonVersion)
            } else if name.hasSuffix(".egg-info") {
                let isDirectory = (try? rootfs.status(at: path))??.kind == .directory
                readDistribution(
                    isDirectory ? path.appending("PKG-INFO") : path, in: isDirectory ? path : nil,
                    sitePackages,
                    pythonVersion)
            }
        }
    }

    /// - Parameter directory: holds the distribution's other files; nil for an egg that is a single file.
    private mutating func readDistribution(
        _ metadata: ImagePath, in directory: ImagePath?, _ sitePackages: ImagePath, _ pythonVersion: String?
    ) {
        let file: FactFile
        switch rootfs.factFile(at: metadata) {
        case .success(let found): file = found
        case .failure(let error):
            malformed.append(metadata, error.message)
            return
        }
        var reader = FieldReader(file.bytes, names: Field.names)
        // As in mail, an empty line at the start means that there is no header.
        let stanza = reader.next().flatMap { $0.line == 1 ? $0 : nil }
        guard let name = stanza?.value(Field.name.rawValue), Self.isName(name) else {
            malformed.append(metadata, line: stanza?.line, "no field Name, or not the name of a distribution")
            return
        }
        guard let version = stanza?.value(Field.version.rawValue), !version.isEmpty else {
            malformed.append(metadata, line: stanza?.line, "no field Version")
            return
        }
        var requiresDist = stanza?.values(Field.requiresDist.rawValue) ?? []
        var providesExtra = stanza?.values(Field.providesExtra.rawValue) ?? []
        if requiresDist.isEmpty, let directory, let requirements = eggRequirements(in: directory) {
            requiresDist = requirements.lines
            if providesExtra.isEmpty { providesExtra = requirements.extras }
        }
        distributions.append(
            PythonEnvironment.Distribution(
                name: name, normalizedName: PythonEnvironment.normalize(name), version: version,
                sitePackages: sitePackages, metadataPath: metadata,
                installer: directory.flatMap { installer(in: $0) },
                directURL: directory.flatMap { directURL(in: $0) },
                requiresDist: requiresDist, providesExtra: providesExtra,
                wheelTags: directory.flatMap { wheelTags(in: $0) }, layer: file.layer,
                pythonVersion: pythonVersion))
    }

    private mutating func installer(in directory: ImagePath) -> String? {
        let path = directory.appending("INSTALLER")
        switch rootfs.factFile(at: path) {
        case .success(let file):
            let name = file.bytes.trimmed
            return name.isEmpty ? nil : text(of: name)
        case .failure(let error):
            if error.kind != .missing { malformed.append(path, error.message) }
            return nil
        }
    }

    /// What setuptools writes beside PKG-INFO, `requires.txt`, as fields Requires-Dist: a section `[extra:marker]`
    /// says when the requirements below it apply.
    private mutating func eggRequirements(in directory: ImagePath) -> (lines: [String], extras: [String])? {
        guard directory.name?.hasSuffix(".egg-info") == true else { return nil }
        let path = directory.appending("requires.txt")
        let file: FactFile
        switch rootfs.factFile(at: path) {
        case .success(let found): file = found
        case .failure(let error):
            if error.kind != .missing { malformed.append(path, error.message) }
            return nil
        }
        var lines: [String] = []
        var extras: [String] = []
        var condition = ""
        for (_, line) in Lines(file.bytes) {
            let line = line.trimmed
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "]") else {
                lines.append(text(of: line) + condition)
                continue
            }
            let section = line.dropFirst().dropLast()
            let extra = text(of: section.prefix { $0 != UInt8(ascii: ":") })
            let marker = text(of: section.dropFirst(extra.utf8.count + 1))
            if !extra.isEmpty, !extras.contains(extra) { extras.append(extra) }
            let conditions =
                (marker.isEmpty ? [] : [extra.isEmpty ? marker : "(\(marker))"])
                + (extra.isEmpty ? [] : ["extra == \"\(extra)\""])
            condition = conditions.isEmpty ? "" : " ; " + conditions.joined(separator: " and ")
        }
        return (lines, extras)
    }

    private mutating func wheelTags(in directory: ImagePath) -> [String]? {
        let path = directory.appending("WHEEL")
        switch rootfs.factFile(at: path) {
        case .success(let file):
            var reader = FieldReader(file.bytes, names: ["tag"])
            return reader.next()?.values(0) ?? []
        case .failure(let error):
            if error.kind != .missing { malformed.append(path, error.message) }
            return nil
        }
    }

    private func directURL(in directory: ImagePath) -> Fact<String>? {
        let fact = rootfs.factFile(at: directory.appending("direct_url.json")).map { text(of: $0.bytes) }
        if case .failure(let error) = fact, error.kind == .missing { return nil }
        return fact
    }

    /// The rule of PEP 508.
    private static func isName(_ name: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
        guard let first = name.utf8.first, let last = name.utf8.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last)
            && name.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    /// `X.Y` when the path ends with `/pythonX.Y/site-packages` or `/pythonX.Y/dist-packages`.
    private static func pythonVersion(of sitePackages: ImagePath) -> String? {
        guard let name = sitePackages.parent.name, name.starts(with: "python".utf8) else { return nil }
        let version = name.dropFirst("python".utf8.count)
        let numbers = version.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard numbers.count == 2, numbers.allSatisfy({ decimal($0) != nil }) else { return nil }
        return text(of: version)
    }

    /// Reads a `pyvenv.cfg`: lines `key = value`, keys without regard to case (PEP 405).
    mutating func readVirtualEnvironment(_ node: Node) {
        let path = rootfs.path(of: node)
        let file: FactFile
        switch rootfs.factFile(at: path) {
        case .success(let found): file = found
        case .failure(let error):
            malformed.append(path, error.message)
            return
        }
        var values: [String: String] = [:]
        for (_, line) in Lines(file.bytes) {
            guard let equalSign = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = text(of: line[..<equalSign].trimmed.map(lowercased))
            values[key] = text(of: line[(equalSign + 1)...].trimmed)
        }
        guard values["home"] != nil else {
            malformed.append(path, "no key home")
            return
        }
        virtualEnvironments.append(
            PythonEnvironment.VirtualEnvironment(
                path: path.parent, home: values["home"], version: values["version"] ?? values["version_info"],
                includesSystemSitePackages: values["include-system-site-packages"]?.lowercased() == "true",
                layer: file.layer))
    }
}
