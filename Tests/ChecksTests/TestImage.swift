import Checks
import Facts
import LayerArchive
import OCIModel
import RootFS

/// An image in the making; a test changes what it is about.
struct TestImage {
    struct Member {
        var path: String
        var kind: EntryKind = .file
        var mode: UInt16 = 0o644
        var uid: Int64 = 0
        var gid: Int64 = 0
        var text = ""
        var target = ""
        var linkage: Linkage?
        /// False: the content is there, but the run did not keep it.
        var isKept = true
    }

    struct Layer {
        var instruction: String
        var members: [Member] = []
        /// True: a step of the history that makes no layer.
        var isEmpty = false
    }

    var names: [String] = []
    var architecture = "amd64"
    var user: String?
    var entrypoint: [String]?
    var command: [String]?
    var workingDirectory: String?
    var ports: [String] = []
    var volumes: [String] = []
    var stopSignal: String?
    var environment: [(name: String, value: String)] = []
    var labels: [(name: String, value: String)] = []
    var layers: [Layer] = []
    /// Steps without layer that come after those of the layers.
    var steps: [String] = []
    /// What a Dockerfile adds that begins with `FROM` and this image.
    var extensions: [Layer] = []

    func facts() throws -> ImageFacts {
        let config = try config()
        let layers = layers + extensions.filter { !$0.isEmpty }
        let layerFacts = try layers.indices.map { index in
            let digest = try TestImage.digest(of: index)
            return LayerFact(digest: digest, diffID: digest, size: 1, uncompressedSize: 1, entryCount: 1)
        }
        return ImageFacts(
            config: config, layers: layerFacts, rootfs: RootFS.merging(layers.map(\.table), plan: .facts),
            names: names)
    }

    /// This image without what extends it.
    func base() throws -> BaseImage {
        BaseImage(reference: "base", diffIDs: try layers.indices.map(TestImage.digest))
    }

    static func digest(of layer: Int) throws -> Digest {
        try Digest(algorithm: .sha256, encoded: String(repeating: "\(layer % 10)", count: 64))
    }

    func config() throws -> ImageConfig {
        func strings(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }
        func names(_ values: [String]) -> JSON { .object(values.map { .init($0, .object([])) }) }
        var run: [JSON.Member] = [
            .init("Env", strings(environment.map { "\($0.name)=\($0.value)" })),
            .init("Labels", .object(labels.map { .init($0.name, .string($0.value)) })),
            .init("ExposedPorts", names(ports)), .init("Volumes", names(volumes)),
        ]
        if let user { run.append(.init("User", .string(user))) }
        if let entrypoint { run.append(.init("Entrypoint", strings(entrypoint))) }
        if let command { run.append(.init("Cmd", strings(command))) }
        if let stopSignal { run.append(.init("StopSignal", .string(stopSignal))) }
        if let workingDirectory { run.append(.init("WorkingDir", .string(workingDirectory))) }
        let history = (layers + steps.map { Layer(instruction: $0, isEmpty: true) } + extensions).map {
            step in
            JSON.object(
                [.init("created_by", .string(step.instruction))]
                    + (step.isEmpty ? [.init("empty_layer", .bool(true))] : []))
        }
        let count = layers.count + extensions.count { !$0.isEmpty }
        let digests = try (0..<count).map { JSON.string(try TestImage.digest(of: $0).description) }
        return try ImageConfig(
            parsing: JSON.object([
                .init("os", .string("linux")), .init("architecture", .string(architecture)),
                .init("config", .object(run)), .init("history", .array(history)),
                .init(
                    "rootfs", .object([.init("type", .string("layers")), .init("diff_ids", .array(digests))])),
            ]).serialized)
    }
}

extension TestImage.Layer {
    var table: EntryTable {
        var table = EntryTable()
        for member in members {
            table.append(
                path: Array(member.path.dropFirst().utf8), kind: member.kind, permissions: member.mode,
                uid: member.uid, gid: member.gid, size: Int64(member.text.utf8.count),
                linkTarget: Array(member.target.utf8),
                contents: member.kind == .file && member.isKept ? Array(member.text.utf8) : nil,
                linkage: member.linkage)
        }
        return table
    }
}

extension TestImage.Member {
    static func file(
        _ path: String, _ text: String = "x", mode: UInt16 = 0o644, uid: Int64 = 0, gid: Int64 = 0
    ) -> Self {
        Self(path: path, mode: mode, uid: uid, gid: gid, text: text)
    }

    /// - Parameter machine: `e_machine` of ELF, 62 for x86-64.
    static func library(
        _ path: String, needs: [String] = [], runpath: String? = nil, machine: UInt16 = 62
    ) -> Self {
        let section = DynamicSection(
            name: path.utf8.split(separator: UInt8(ascii: "/")).last.map { Array($0) },
            needed: needs.map { Array($0.utf8) }, runpath: runpath.map { Array($0.utf8) },
            format: DynamicSection.Format(machine: machine))
        return Self(path: path, mode: 0o755, text: "ELF", linkage: .dynamic(section))
    }

    static func command(_ path: String, mode: UInt16 = 0o755, uid: Int64 = 0, gid: Int64 = 0) -> Self {
        Self(path: path, mode: mode, uid: uid, gid: gid, text: "#!")
    }

    static func directory(_ path: String, mode: UInt16 = 0o755, uid: Int64 = 0, gid: Int64 = 0) -> Self {
        Self(path: path, kind: .directory, mode: mode, uid: uid, gid: gid)
    }

    static func link(_ path: String, to target: String) -> Self {
        Self(path: path, kind: .symbolicLink, mode: 0o777, target: target)
    }

    static func removal(of path: String) -> Self {
        let parts = path.split(separator: "/")
        return Self(path: "/" + (parts.dropLast() + [".wh.\(parts.last ?? "")"]).joined(separator: "/"))
    }

    static func distribution(
        _ name: String, _ version: String, in site: String, uid: Int64 = 0, extras: [String] = [],
        requires: [String] = []
    ) -> Self {
        Self(
            path: "\(site)/\(name.replacing("-", with: "_"))-\(version).dist-info/METADATA", mode: 0o664,
            uid: uid,
            text: "Metadata-Version: 2.1\nName: \(name)\nVersion: \(version)\n"
                + extras.map { "Provides-Extra: \($0)\n" }.joined()
                + requires.map { "Requires-Dist: \($0)\n" }.joined())
    }
}

/// A dpkg database with these packages, each `name` or `name=version`.
func dpkgStatus(_ packages: [String]) -> String {
    packages.map { package in
        let parts = package.split(separator: "=")
        let version = parts.count == 2 ? parts[1] : "1.0"
        return
            "Package: \(parts[0])\nStatus: install ok installed\nArchitecture: amd64\nVersion: \(version)\n\n"
    }.joined()
}

extension TestImage {
    /// Changes the member with this path in the topmost layer that has it.
    mutating func change(_ path: String, _ body: (inout Member) -> Void) {
        for layer in layers.indices.reversed() {
            if let position = layers[layer].members.lastIndex(where: { $0.path == path }) {
                body(&layers[layer].members[position])
                return
            }
        }
    }

    /// Leaves out every member at or below this path.
    mutating func drop(_ path: String) {
        for layer in layers.indices {
            layers[layer].members.removeAll { $0.path == path || $0.path.hasPrefix(path + "/") }
        }
    }

    mutating func add(_ instruction: String, _ members: [Member]) {
        layers.append(Layer(instruction: instruction, members: members))
    }

    mutating func addSource(_ line: String) {
        add("RUN echo deb", [.file("/etc/apt/sources.list.d/added.list", line + "\n")])
    }

    /// Adds a step on top of the finished image; without members it makes no layer.
    mutating func extend(_ instruction: String, _ members: [Member] = []) {
        extensions.append(Layer(instruction: instruction, members: members, isEmpty: members.isEmpty))
    }

    /// The topmost member with this path.
    func member(_ path: String) -> Member {
        (layers + extensions).reversed().lazy.compactMap { $0.members.last { $0.path == path } }.first
            ?? .file(path, "")
    }

    /// A member as it is, with something else about it.
    func changed(_ path: String, _ body: (inout Member) -> Void) -> Member {
        var member = member(path)
        body(&member)
        return member
    }

    /// Adds a layer with a member that differs from what there is.
    mutating func rewrite(_ instruction: String, _ path: String, _ body: (inout Member) -> Void) {
        add(instruction, [changed(path, body)])
    }

    /// The database of dpkg with more packages.
    func installing(_ packages: String...) -> Member {
        changed("/var/lib/dpkg/status") { $0.text += dpkgStatus(packages) }
    }

    /// The database of dpkg without some packages; each as `dpkgStatus` has it, by the beginning of its name.
    func purging(_ packages: String...) -> Member {
        changed("/var/lib/dpkg/status") { member in
            let stanzas = member.text.split(separator: "\n\n").filter { stanza in
                !packages.contains { stanza.hasPrefix("Package: \($0)") }
            }
            member.text = stanzas.map { $0 + "\n\n" }.joined()
        }
    }

    /// A distribution in the user library, as pip installs it and the build leaves it.
    static func installed(
        _ name: String, _ version: String, in site: String, uid: Int64 = 50000, directURL: String? = nil,
        extras: [String] = [], requires: [String] = [], files: [String] = []
    ) -> [Member] {
        let metadata = Member.distribution(
            name, version, in: site, uid: uid, extras: extras, requires: requires)
        let folder = String(metadata.path.dropLast("/METADATA".count))
        let record = (["\(folder.dropFirst(site.count + 1))/METADATA"] + files).map { "\($0),,\n" }.joined()
        var texts = [("RECORD", record), ("INSTALLER", "pip\n")]
        if let directURL { texts.append(("direct_url.json", directURL)) }
        return [.directory(folder, mode: 0o775, uid: uid), metadata]
            + texts.map { .file("\(folder)/\($0)", $1, mode: 0o664, uid: uid) }
    }

    /// The directory that Airflow is installed in.
    var site: String {
        for path in layers.lazy.flatMap(\.members).map(\.path) {
            if let end = path.firstRange(of: "/apache_airflow-") { return String(path[..<end.lowerBound]) }
        }
        return TestImage.site
    }

    mutating func set(_ name: String, _ value: String?) {
        environment.removeAll { $0.name == name }
        if let value { environment.append((name, value)) }
    }

    mutating func label(_ name: String, _ value: String?) {
        labels.removeAll { $0.name == name }
        if let value { labels.append((name, value)) }
    }
}
