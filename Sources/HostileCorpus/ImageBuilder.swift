import LayerArchive
import OCIModel

/// Makes images in every form a transport reads, from layers given as tar archives.
public struct ImageBuilder: Sendable {
    public enum LayerForm: Sendable {
        case plain
        case gzip
    }

    public var layers: [[UInt8]] = []
    /// The member `config` of the image config, as JSON.
    public var runConfig = JSON.object([])
    public var architecture = "amd64"
    /// `created_by` of each history entry; one that makes no layer has `isEmptyLayer`.
    public var history: [(createdBy: String, isEmptyLayer: Bool)] = []
    public var form = LayerForm.gzip
    public var tag = "test"

    public init() {}

    public mutating func addLayer(createdBy: String, _ build: (inout TarBuilder) -> Void) {
        var tar = TarBuilder()
        build(&tar)
        layers.append(tar.archive)
        history.append((createdBy, false))
    }

    /// The config document.
    public func config() throws -> [UInt8] {
        let diffIDs = try layers.map { JSON.string(try Digester.digest(of: $0).description) }
        return JSON.object([
            .init("architecture", .string(architecture)), .init("os", .string("linux")),
            .init("created", .string("2025-02-10T00:00:00Z")), .init("config", runConfig),
            .init("rootfs", .object([.init("type", .string("layers")), .init("diff_ids", .array(diffIDs))])),
            .init(
                "history",
                .array(
                    history.map { entry in
                        var members = [JSON.Member("created_by", .string(entry.createdBy))]
                        if entry.isEmptyLayer { members.append(.init("empty_layer", .bool(true))) }
                        return .object(members)
                    })),
        ]).serialized
    }

    /// Layer blobs as the form has them.
    public var blobs: [[UInt8]] { form == .gzip ? layers.map(gzipped) : layers }

    public func manifest() throws -> [UInt8] {
        let config = try config()
        func descriptor(_ type: MediaType, _ bytes: [UInt8]) throws -> JSON {
            .object([
                .init("mediaType", .string(type.rawValue)),
                .init("digest", .string(try Digester.digest(of: bytes).description)),
                .init("size", .number("\(bytes.count)")),
            ])
        }
        return JSON.object([
            .init("schemaVersion", .number("2")), .init("mediaType", .string(MediaType.ociManifest.rawValue)),
            .init("config", try descriptor(.ociConfig, config)),
            .init(
                "layers",
                .array(try blobs.map { try descriptor(form == .gzip ? .ociLayerGzip : .ociLayer, $0) })),
        ]).serialized
    }

    /// The files of an OCI layout, by path.
    public func layoutFiles() throws -> [String: [UInt8]] {
        let manifest = try manifest()
        var files: [String: [UInt8]] = ["oci-layout": Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)]
        for blob in try blobs + [config(), manifest] {
            files["blobs/sha256/\(try Digester.digest(of: blob).encoded)"] = blob
        }
        files["index.json"] = try index(of: [(manifest, tag)])
        return files
    }

    /// An index document over manifests.
    public func index(of manifests: [(bytes: [UInt8], tag: String)], architecture: String? = nil) throws
        -> [UInt8]
    {
        let entries: [JSON] = try manifests.map { manifest in
            var members: [JSON.Member] = [
                .init("mediaType", .string(MediaType.ociManifest.rawValue)),
                .init("digest", .string(try Digester.digest(of: manifest.bytes).description)),
                .init("size", .number("\(manifest.bytes.count)")),
                .init(
                    "annotations",
                    .object([.init("org.opencontainers.image.ref.name", .string(manifest.tag))])),
            ]
            if let architecture {
                let platform = JSON.object([
                    .init("architecture", .string(architecture)), .init("os", .string("linux")),
                ])
                members.append(.init("platform", platform))
            }
            return .object(members)
        }
        return JSON.object([.init("schemaVersion", .number("2")), .init("manifests", .array(entries))])
            .serialized
    }

    /// Docker's older archive: `ID/layer.tar` beside `HEX.json`.
    public func legacyDockerArchive() throws -> [UInt8] {
        var tar = TarBuilder()
        let config = try config()
        let configName = "\(try Digester.digest(of: config).encoded).json"
        tar.add(configName, content: config)
        var names: [JSON] = []
        for (index, layer) in layers.enumerated() {
            let id = String(repeating: "\(index % 10)", count: 64)
            tar.add("\(id)/", .directory)
            tar.add("\(id)/layer.tar", content: layer)
            names.append(.string("\(id)/layer.tar"))
        }
        tar.add("manifest.json", content: dockerManifest(config: configName, layers: names))
        return tar.archive
    }

    /// The archive of newer engines: an OCI layout with a `manifest.json`.
    public func dockerArchive() throws -> [UInt8] {
        var tar = TarBuilder()
        for (path, content) in try layoutFiles().sorted(by: { $0.key < $1.key }) {
            tar.add(path, content: content)
        }
        let configName = "blobs/sha256/\(try Digester.digest(of: config()).encoded)"
        let names = try blobs.map { JSON.string("blobs/sha256/\(try Digester.digest(of: $0).encoded)") }
        tar.add("manifest.json", content: dockerManifest(config: configName, layers: names))
        return tar.archive
    }

    /// The OCI layout as a tar file.
    public func ociArchive() throws -> [UInt8] {
        var tar = TarBuilder()
        for (path, content) in try layoutFiles().sorted(by: { $0.key < $1.key }) {
            tar.add(path, content: content)
        }
        return tar.archive
    }

    /// The files of a `dir:` directory.
    public func flatFiles() throws -> [String: [UInt8]] {
        var files = [
            "version": Array("Directory Transport Version: 1.1\n".utf8), "manifest.json": try manifest(),
        ]
        for blob in try blobs + [config()] { files[try Digester.digest(of: blob).encoded] = blob }
        return files
    }

    private func dockerManifest(config: String, layers: [JSON]) -> [UInt8] {
        JSON.array([
            .object([
                .init("Config", .string(config)),
                .init("RepoTags", .array([.string("example/airflow:\(tag)")])),
                .init("Layers", .array(layers)),
            ])
        ]).serialized
    }
}
