/// A pointer to a blob: what it is, how large, and its digest (OCI image-spec, "Descriptor").
public struct Descriptor: Hashable, Sendable {
    public var mediaType: MediaType
    public var digest: Digest
    /// Size of the blob, in bytes.
    public var size: Int64
    public var platform: Platform?
    public var annotations: [String: String]
    /// Locations of a foreign layer. Never fetched.
    public var urls: [String]

    public init(
        mediaType: MediaType, digest: Digest, size: Int64, platform: Platform? = nil,
        annotations: [String: String] = [:], urls: [String] = []
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
        self.urls = urls
    }

    /// The name an index gives to a manifest (`org.opencontainers.image.ref.name`).
    public var referenceName: String? { annotations["org.opencontainers.image.ref.name"] }

    /// Whether it says that a layer is zstd:chunked (containers/storage, "zstd:chunked"): that frames which decoders skip
    /// name the files in it.
    public var hasChunkedManifest: Bool {
        ["io.github.containers.zstd-chunked", "io.containers.zstd-chunked"].contains {
            annotations["\($0).manifest-checksum"] != nil || annotations["\($0).manifest-position"] != nil
        }
    }

    /// An attestation that BuildKit stores beside an image, not an image.
    public var isAttestation: Bool {
        annotations["vnd.docker.reference.type"] == "attestation-manifest"
            || (platform?.os == "unknown" && platform?.architecture == "unknown")
    }

    private static let memberNames = [
        "mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform",
    ]

    init(_ json: JSON, in place: String) throws(ModelError) {
        try json.requireExactNames(Descriptor.memberNames, in: place)
        guard let mediaType = json["mediaType"]?.string else {
            throw ModelError(.manifest, "\(place): descriptor has no mediaType")
        }
        guard let digest = json["digest"]?.string else {
            throw ModelError(.manifest, "\(place): descriptor has no digest")
        }
        guard let size = json["size"]?.integer, size >= 0 else {
            throw ModelError(
                .manifest, "\(place): descriptor has no size, or one that is not a whole number ≥ 0")
        }
        self.init(
            mediaType: MediaType(rawValue: mediaType), digest: try Digest(parsing: digest), size: size,
            platform: json["platform"].flatMap(Platform.init(json:)),
            annotations: try json["annotations"].stringMap(in: "\(place): annotations", kind: .manifest),
            urls: json["urls"]?.array?.compactMap(\.string) ?? [])
    }
}

extension Platform {
    init?(json: JSON) {
        guard let os = json["os"]?.string, let architecture = json["architecture"]?.string else { return nil }
        self.init(
            os: os, architecture: architecture, variant: json["variant"]?.string,
            osVersion: json["os.version"]?.string)
    }
}

/// An image manifest: one config and the ordered layers (OCI image-spec, "Image Manifest").
public struct Manifest: Hashable, Sendable {
    public let mediaType: MediaType
    public let config: Descriptor
    public let layers: [Descriptor]
    public let annotations: [String: String]
    /// The bytes this was parsed from; its digest is the image's identity.
    public let raw: [UInt8]

    /// Members of a manifest and of an index: a document must not be one of them to one reader and the other to another.
    fileprivate static let memberNames = [
        "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject",
        "annotations",
    ]

    /// - Throws: `ModelError` of kind `.manifest`, `.json`, `.jsonLimit`, `.duplicateKey` or `.digest`.
    public init(parsing raw: [UInt8], limits: JSONLimits = .manifest) throws(ModelError) {
        let json = try JSON(parsing: raw, limits: limits)
        try json.requireExactNames(Manifest.memberNames, in: "manifest")
        guard json["manifests"] == nil else {
            throw ModelError(
                .manifest, "document has both config or layers and manifests: it could be read as two things")
        }
        guard json["schemaVersion"]?.integer == 2 else {
            throw ModelError(.manifest, "manifest has no schemaVersion 2")
        }
        guard let config = json["config"], let layers = json["layers"]?.array else {
            throw ModelError(.manifest, "manifest has no config or no layers")
        }
        self.config = try Descriptor(config, in: "manifest config")
        var descriptors: [Descriptor] = []
        for (index, layer) in layers.enumerated() {
            descriptors.append(try Descriptor(layer, in: "manifest layer \(index + 1)"))
        }
        self.layers = descriptors
        mediaType = MediaType(rawValue: json["mediaType"]?.string ?? MediaType.ociManifest.rawValue)
        annotations = try json["annotations"].stringMap(in: "manifest annotations", kind: .manifest)
        self.raw = raw
    }
}

/// A list of manifests, one for each platform or reference (OCI image-spec, "Image Index").
public struct Index: Hashable, Sendable {
    public let mediaType: MediaType
    public let manifests: [Descriptor]
    public let raw: [UInt8]

    /// - Throws: `ModelError` of kind `.manifest`, `.json`, `.jsonLimit`, `.duplicateKey` or `.digest`.
    public init(parsing raw: [UInt8], limits: JSONLimits = .manifest) throws(ModelError) {
        let json = try JSON(parsing: raw, limits: limits)
        try json.requireExactNames(Manifest.memberNames, in: "index")
        guard json["config"] == nil, json["layers"] == nil else {
            throw ModelError(
                .manifest, "document has both manifests and config or layers: it could be read as two things")
        }
        guard json["schemaVersion"]?.integer == 2, let manifests = json["manifests"]?.array else {
            throw ModelError(.manifest, "index has no schemaVersion 2 or no manifests")
        }
        var descriptors: [Descriptor] = []
        for (position, manifest) in manifests.enumerated() {
            descriptors.append(try Descriptor(manifest, in: "index manifest \(position + 1)"))
        }
        self.manifests = descriptors
        mediaType = MediaType(rawValue: json["mediaType"]?.string ?? MediaType.ociIndex.rawValue)
        self.raw = raw
    }
}

extension JSON {
    /// Refuses an object with a member whose name differs from one of `names` in nothing but case: readers in Go take
    /// both for one, others do not, and they would see different images.
    func requireExactNames(
        _ names: [String], in place: String
    ) throws(ModelError) {
        // Upper case first: it folds the few letters outside ASCII that Go's reader folds, too.
        func folded(_ name: String) -> String { name.uppercased().lowercased() }
        let known = Set(names)
        let foldedNames = Set(names.map(folded))
        for member in object ?? [] where !known.contains(member.name) {
            guard !foldedNames.contains(folded(member.name)) else {
                throw ModelError(
                    .duplicateKey,
                    "\(place): member \(quoted(member.name)) differs from one of the format's in nothing but "
                        + "case: readers differ in whether they take it for that one")
            }
        }
    }
}

extension Optional where Wrapped == JSON {
    /// An object of strings; absent and null are empty.
    func stringMap(in place: String, kind: ModelError.Kind) throws(ModelError) -> [String: String] {
        guard let json = self, !json.isNull else { return [:] }
        guard let members = json.object else { throw ModelError(kind, "\(place) is not an object") }
        var map: [String: String] = [:]
        for member in members {
            guard let value = member.value.string else {
                throw ModelError(kind, "\(place): \(quoted(member.name)) is not a string")
            }
            map[member.name] = value
        }
        return map
    }

    /// An array of strings; absent and null are nil.
    func stringList(in place: String, kind: ModelError.Kind) throws(ModelError) -> [String]? {
        guard let json = self, !json.isNull else { return nil }
        guard let values = json.array else { throw ModelError(kind, "\(place) is not an array") }
        var list: [String] = []
        for value in values {
            guard let text = value.string else {
                throw ModelError(kind, "\(place): an element is not a string")
            }
            list.append(text)
        }
        return list
    }
}
