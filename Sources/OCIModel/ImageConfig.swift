/// The image config: how the image was made and how it runs (OCI image-spec, "Image Configuration").
public struct ImageConfig: Hashable, Sendable {
    /// RFC 3339, as written.
    public let created: String?
    public let author: String?
    public let platform: Platform
    public let run: RunConfig
    /// Digests of the uncompressed layers, lowest first.
    public let diffIDs: [Digest]
    public let history: [History]
    public let raw: [UInt8]

    /// One step of the build.
    public struct History: Hashable, Sendable {
        public let created: String?
        public let createdBy: String?
        public let comment: String?
        /// True when the step made no layer.
        public let isEmptyLayer: Bool

        public init(created: String? = nil, createdBy: String?, comment: String? = nil, isEmptyLayer: Bool) {
            self.created = created
            self.createdBy = createdBy
            self.comment = comment
            self.isEmptyLayer = isEmptyLayer
        }
    }

    /// The member `config`: what a runtime applies.
    public struct RunConfig: Hashable, Sendable {
        public var user: String?
        public var exposedPorts: [String] = []
        /// `NAME=value`, as written.
        public var environment: [String] = []
        public var entrypoint: [String]?
        public var command: [String]?
        public var volumes: [String] = []
        public var workingDirectory: String?
        public var labels: [String: String] = [:]
        public var stopSignal: String?
        /// The test of `Healthcheck` (Docker's extension of the format), as `["CMD", …]`.
        public var healthcheckTest: [String]?
        public var shell: [String]?
        public var onBuild: [String]?

        public init() {}

        /// The value of an environment variable; the last one wins, as in a process.
        public func environmentValue(_ name: String) -> String? {
            for entry in environment.reversed() {
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2, parts[0] == name { return String(parts[1]) }
            }
            return nil
        }
    }

    /// - Throws: `ModelError` of kind `.config`, `.json`, `.jsonLimit`, `.duplicateKey` or `.digest`.
    public init(parsing raw: [UInt8], limits: JSONLimits = .config) throws(ModelError) {
        let json = try JSON(parsing: raw, limits: limits)
        try json.requireExactNames(
            ["architecture", "author", "config", "created", "history", "os", "rootfs", "variant"],
            in: "image config")
        guard json.object != nil else { throw ModelError(.config, "image config is not a JSON object") }
        try json["rootfs"]?.requireExactNames(["type", "diff_ids"], in: "rootfs")
        guard let rootfs = json["rootfs"], rootfs["type"]?.string == "layers" else {
            throw ModelError(
                .config, "image config has no rootfs of type layers: it does not describe an image")
        }
        var diffIDs: [Digest] = []
        for text in try rootfs["diff_ids"].stringList(in: "rootfs.diff_ids", kind: .config) ?? [] {
            diffIDs.append(try Digest(parsing: text))
        }
        self.diffIDs = diffIDs
        created = json["created"]?.string
        author = json["author"]?.string
        platform = Platform(
            os: json["os"]?.string ?? "", architecture: json["architecture"]?.string ?? "",
            variant: json["variant"]?.string.flatMap { $0.isEmpty ? nil : $0 },
            osVersion: json["os.version"]?.string)
        run = try RunConfig(json["config"] ?? .null)
        history = (json["history"]?.array ?? []).map { entry in
            History(
                created: entry["created"]?.string, createdBy: entry["created_by"]?.string,
                comment: entry["comment"]?.string, isEmptyLayer: entry["empty_layer"]?.bool ?? false)
        }
        self.raw = raw
    }
}

extension ImageConfig.RunConfig {
    init(_ json: JSON) throws(ModelError) {
        self.init()
        try json.requireExactNames(
            [
                "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels",
                "StopSignal",
                "Healthcheck", "Shell", "OnBuild",
            ], in: "config")
        func text(_ name: String) throws(ModelError) -> String? {
            guard let value = json[name], !value.isNull else { return nil }
            guard let text = value.string else { throw ModelError(.config, "config.\(name) is not a string") }
            return text.isEmpty ? nil : text
        }
        func list(_ name: String) throws(ModelError) -> [String]? {
            try json[name].stringList(in: "config.\(name)", kind: .config)
        }
        func names(_ name: String) throws(ModelError) -> [String] {
            guard let value = json[name], !value.isNull else { return [] }
            guard let members = value.object else {
                throw ModelError(.config, "config.\(name) is not an object")
            }
            return members.map(\.name).sorted()
        }
        user = try text("User")
        exposedPorts = try names("ExposedPorts")
        environment = try list("Env") ?? []
        entrypoint = try list("Entrypoint")
        command = try list("Cmd")
        volumes = try names("Volumes")
        workingDirectory = try text("WorkingDir")
        labels = try json["Labels"].stringMap(in: "config.Labels", kind: .config)
        stopSignal = try text("StopSignal")
        healthcheckTest = try json["Healthcheck"]?["Test"].stringList(
            in: "config.Healthcheck.Test", kind: .config)
        shell = try list("Shell")
        onBuild = try list("OnBuild")
    }
}
