import Glibc
import LayerArchive
import OCIModel

/// Writes images into an OCI image layout, bit for bit, each blob verified while it is copied.
///
/// A blob appears under its name only when it is whole, and `index.json` is replaced last, so that an
/// interrupted copy leaves a layout that is valid and does not name the image.
public struct LayoutWriter: Sendable {
    public let directory: String

    public init(directory: String) { self.directory = directory }

    /// Copies an image.
    ///
    /// - Parameter tag: the name the index gives it (`org.opencontainers.image.ref.name`); replaces an image of
    ///   that name. Without one, an image of the same digest is replaced.
    /// - Returns: the manifest's digest: that of the source's manifest; an archive that has none gets one.
    /// - Throws: `ImageSourceError` of kind `.untrustworthy` when a blob is not what its digest says, or `.io`.
    public func write(_ image: Image, tag: String?, progress: ReadProgress? = nil) async throws -> Digest {
        try makeLayout()
        let layers = try await copyLayers(of: image, progress: progress)
        _ = try store(image.config.raw, digest: image.configDigest)
        let manifest = image.manifest?.raw ?? LayoutWriter.manifest(of: image, layers: layers)
        let digest = try store(manifest, digest: image.manifestDigest)
        try updateIndex(
            adding: Descriptor(
                mediaType: image.manifest?.mediaType ?? .ociManifest, digest: digest,
                size: Int64(manifest.count),
                platform: image.platform), tag: tag)
        return digest
    }

    // MARK: Blobs

    private struct CopiedLayer: Sendable {
        var digest: Digest
        var size: Int64
        var mediaType: MediaType
    }

    private func copyLayers(of image: Image, progress: ReadProgress?) async throws -> [CopiedLayer] {
        try await withThrowingTaskGroup(of: (Int, CopiedLayer).self) { group in
            for (index, layer) in image.layers.enumerated() {
                group.addTask {
                    let digest = try self.copy(layer, number: index + 1, progress: progress)
                    progress?.endLayer()
                    let mediaType = try layer.mediaType ?? LayoutWriter.mediaType(of: layer.blob)
                    return (index, CopiedLayer(digest: digest, size: layer.blob.size, mediaType: mediaType))
                }
            }
            var copied = [CopiedLayer?](repeating: nil, count: image.layers.count)
            for try await (index, layer) in group { copied[index] = layer }
            return copied.compactMap { $0 }
        }
    }

    private func copy(_ layer: Image.Layer, number: Int, progress: ReadProgress?) throws -> Digest {
        if let digest = layer.digest, isStored(digest, size: layer.blob.size) { return digest }
        let (path, output) = try makeTemporary()
        defer {
            close(output)
            unlink(path)
        }
        let digest = try mapped { () throws in
            try layer.blob.copy(to: output, algorithm: layer.digest?.algorithm ?? .sha256, progress: progress)
        }
        // Without a manifest only the diff ID vouches for a layer, and such layers are not compressed.
        let claimed = try layer.digest ?? (Compression(of: layer.blob) == .none ? layer.diffID : digest)
        guard digest == claimed else {
            throw ImageSourceError(
                .untrustworthy, "layer \(number) has the digest \(digest), not \(claimed) as it is named")
        }
        try commit(path, output, as: digest)
        return digest
    }

    /// Stores a document; verified where its digest is known.
    private func store(_ bytes: [UInt8], digest: Digest?) throws -> Digest {
        let computed = try mapped { try Digester.digest(of: bytes, digest?.algorithm ?? .sha256) }
        guard digest == nil || digest == computed else {
            throw ImageSourceError(
                .untrustworthy, "a document has the digest \(computed), not \(digest ?? computed)")
        }
        if isStored(computed, size: Int64(bytes.count)) { return computed }
        let (path, output) = try makeTemporary()
        defer {
            close(output)
            unlink(path)
        }
        try mapped { try bytes.withUnsafeBytes { try Spool.write($0, to: output) } }
        try commit(path, output, as: computed)
        return computed
    }

    private func isStored(_ digest: Digest, size: Int64) -> Bool {
        guard let blob = try? LayoutDirectory(place: directory).blob(digest), blob.size == size else {
            return false
        }
        return (try? blob.digest(digest.algorithm)) == digest
    }

    // MARK: Files

    private func makeLayout() throws {
        for path in [directory, "\(directory)/blobs", "\(directory)/blobs/sha256"] {
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("cannot make", path) }
        }
        if access("\(directory)/oci-layout", F_OK) != 0 {
            try replace("oci-layout", with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        }
    }

    private func updateIndex(adding descriptor: Descriptor, tag: String?) throws {
        var manifests: [JSON] = []
        if let blob = try? LayoutDirectory(place: directory).document("index.json") {
            let index = try mapped {
                try JSON(parsing: try blob.bytes(limit: JSONLimits.manifest.bytes), limits: .manifest)
            }
            manifests = index["manifests"]?.array ?? []
        }
        manifests.removeAll { existing in
            let name = existing["annotations"]?["org.opencontainers.image.ref.name"]?.string
            if let tag { return name == tag }
            return name == nil && existing["digest"]?.string == descriptor.digest.description
        }
        manifests.append(descriptor.json(tag: tag))
        let index = JSON.object([
            .init("schemaVersion", .number("2")), .init("mediaType", .string(MediaType.ociIndex.rawValue)),
            .init("manifests", .array(manifests)),
        ])
        try replace("index.json", with: index.serialized)
    }

    /// Replaces a document of the layout in one step.
    private func replace(_ name: String, with bytes: [UInt8]) throws {
        let (path, output) = try makeTemporary()
        defer {
            close(output)
            unlink(path)
        }
        try mapped { try bytes.withUnsafeBytes { try Spool.write($0, to: output) } }
        try commit(path, output, to: "\(directory)/\(name)")
    }

    private func makeTemporary() throws -> (path: String, descriptor: Int32) {
        var template = Array("\(directory)/blobs/.assay-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard descriptor >= 0 else { throw failure("cannot write into", directory) }
        return (path, descriptor)
    }

    private func commit(_ path: String, _ descriptor: Int32, as digest: Digest) throws {
        let folder = "\(directory)/blobs/\(digest.algorithm.rawValue)"
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw failure("cannot make", folder) }
        try commit(path, descriptor, to: "\(folder)/\(digest.encoded)")
    }

    private func commit(_ path: String, _ descriptor: Int32, to final: String) throws {
        guard fchmod(descriptor, 0o644) == 0, fsync(descriptor) == 0, rename(path, final) == 0 else {
            throw failure("cannot write", final)
        }
    }

    private func failure(_ problem: String, _ path: String) -> ImageSourceError {
        ImageSourceError(.io, "\(problem) \(escaped(path)): \(String(cString: strerror(errno)))")
    }

    private func mapped<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as LayerError {
            throw ImageSourceError(error)
        } catch let error as ModelError {
            throw ImageSourceError(error, in: escaped(directory))
        }
    }

    // MARK: Documents

    /// A manifest for an image that came without one.
    private static func manifest(of image: Image, layers: [CopiedLayer]) -> [UInt8] {
        let config = Descriptor(
            mediaType: .ociConfig, digest: image.configDigest, size: Int64(image.config.raw.count))
        let descriptors = layers.map {
            Descriptor(mediaType: $0.mediaType, digest: $0.digest, size: $0.size).json(tag: nil)
        }
        return JSON.object([
            .init("schemaVersion", .number("2")), .init("mediaType", .string(MediaType.ociManifest.rawValue)),
            .init("config", config.json(tag: nil)), .init("layers", .array(descriptors)),
        ]).serialized
    }

    private static func mediaType(of blob: Blob) throws -> MediaType {
        switch try Compression(of: blob) {
        case .gzip: .ociLayerGzip
        case .zstd: .ociLayerZstd
        case .none, .xz, .bzip2: .ociLayer
        }
    }
}

extension Descriptor {
    fileprivate func json(tag: String?) -> JSON {
        var members: [JSON.Member] = [
            .init("mediaType", .string(mediaType.rawValue)), .init("digest", .string(digest.description)),
            .init("size", .number("\(size)")),
        ]
        if let platform {
            var parts: [JSON.Member] = [
                .init("architecture", .string(platform.architecture)), .init("os", .string(platform.os)),
            ]
            if let variant = platform.variant { parts.append(.init("variant", .string(variant))) }
            members.append(.init("platform", .object(parts)))
        }
        if let tag {
            members.append(
                .init("annotations", .object([.init("org.opencontainers.image.ref.name", .string(tag))])))
        }
        return .object(members)
    }
}
