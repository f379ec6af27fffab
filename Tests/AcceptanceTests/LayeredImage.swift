import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel

/// The reference image with layers made in code on top of it, or with another config: no container is built, and the
/// blobs of the reference image are not copied.
struct LayeredImage {
    /// What is to be changed.
    struct Draft {
        /// Lowest first.
        var layers: [(instruction: String, tar: TarBuilder)] = []
        /// Members of `config` in the image config that get another value; nil removes one.
        var config: [(name: String, value: JSON?)] = []
        /// Steps that make no layer.
        var steps: [String] = []

        mutating func add(_ instruction: String, _ build: (inout TarBuilder) -> Void) {
            var tar = TarBuilder()
            build(&tar)
            layers.append((instruction, tar))
        }
    }

    /// `oci:PATH`
    let reference: String
    private let directory: TemporaryDirectory

    init(_ draft: Draft) throws {
        let base = try Layout(ReferenceImage.reference())
        let old = try base.document(base.index["manifests"]?.array?.first)
        let config = try base.document(old["config"])
        let blobs = draft.layers.map { $0.tar.archive }

        let created = config["created"] ?? .null
        func step(_ instruction: String, isEmpty: Bool) -> JSON {
            .object(
                [.init("created", created), .init("created_by", .string(instruction))]
                    + (isEmpty ? [.init("empty_layer", .bool(true))] : []))
        }
        let history =
            draft.layers.map { step($0.instruction, isEmpty: false) }
            + draft.steps.map { step($0, isEmpty: true) }
        let run = draft.config.reduce(config["config"] ?? .object([])) { $0.setting($1.name, $1.value) }
        let rootfs = config["rootfs"] ?? .object([])
        let diffIDs = try blobs.map { JSON.string(try Digester.digest(of: $0).description) }
        let newConfig = config.setting("config", run)
            .setting("history", .array((config["history"]?.array ?? []) + history))
            .setting(
                "rootfs", rootfs.setting("diff_ids", .array((rootfs["diff_ids"]?.array ?? []) + diffIDs))
            )
            .serialized
        let layers = try blobs.map { try Layout.descriptor(.ociLayer, $0) }
        let manifest = old.setting("config", try Layout.descriptor(.ociConfig, newConfig))
            .setting("layers", .array((old["layers"]?.array ?? []) + layers)).serialized

        directory = try TemporaryDirectory()
        for blob in blobs + [newConfig, manifest] {
            try directory.write(blob, to: "blobs/sha256/\(Digester.digest(of: blob).encoded)")
        }
        for layer in old["layers"]?.array ?? [] {
            let name = try Digest(parsing: layer["digest"]?.string ?? "").encoded
            try FileManager.default.createSymbolicLink(
                atPath: "\(directory.path)/blobs/sha256/\(name)",
                withDestinationPath: "\(base.path)/blobs/sha256/\(name)")
        }
        let index = JSON.object([
            .init("schemaVersion", .number("2")),
            .init("manifests", .array([try Layout.descriptor(.ociManifest, manifest)])),
        ])
        try directory.write(index.serialized, to: "index.json")
        try directory.write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "oci-layout")
        reference = "oci:\(directory.path)"
    }

    /// The reference image's layout.
    private struct Layout {
        let path: String
        let index: JSON

        init(_ reference: String) throws {
            path = String(reference.dropFirst("oci:".count).split(separator: ":").first ?? "")
            index = try JSON(parsing: Layout.read("\(path)/index.json"), limits: .manifest)
        }

        func document(_ descriptor: JSON?) throws -> JSON {
            let digest = try Digest(parsing: descriptor?["digest"]?.string ?? "")
            return try JSON(parsing: Layout.read("\(path)/blobs/sha256/\(digest.encoded)"), limits: .config)
        }

        static func read(_ path: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        }

        static func descriptor(_ type: MediaType, _ blob: [UInt8]) throws -> JSON {
            .object([
                .init("mediaType", .string(type.rawValue)),
                .init("digest", .string(try Digester.digest(of: blob).description)),
                .init("size", .number("\(blob.count)")),
            ])
        }
    }

    /// The content of a file of the reference image; the path has no slash in front.
    static func file(_ path: String) async throws -> String {
        let base = try Layout(ReferenceImage.reference())
        let layers = try base.document(base.index["manifests"]?.array?.first)["layers"]?.array ?? []
        for layer in layers.reversed() {
            let digest = try Digest(parsing: layer["digest"]?.string ?? "")
            let blob = "\(base.path)/blobs/sha256/\(digest.encoded)"
            let result = try await run("tar", ["--extract", "--to-stdout", "--file", blob, path])
            if result.code == 0 { return result.output }
        }
        throw ToolError(description: "the reference image has no \(path)")
    }
}

extension JSON {
    /// The object with a member set, or removed by nil.
    fileprivate func setting(_ name: String, _ value: JSON?) -> JSON {
        var members = (object ?? []).filter { $0.name != name }
        if let value { members.append(.init(name, value)) }
        return .object(members)
    }
}
