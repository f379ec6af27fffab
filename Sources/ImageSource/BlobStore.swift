import Glibc
import LayerArchive
import OCIModel

/// Finds blobs by their digests.
protocol BlobStore: Sendable {
    /// How messages name the place.
    var place: String { get }
    var limits: Limits { get }
    /// - Returns: nil when there is no such blob.
    func blob(_ digest: Digest) throws(LayerError) -> Blob?
    /// A document that has a name of its own (`index.json`); nil when there is none.
    func document(_ name: String) throws(LayerError) -> Blob?
}

/// `blobs/ALGORITHM/ENCODED` below a directory (OCI image-layout).
struct LayoutDirectory: BlobStore {
    let place: String
    var limits = Limits()

    func blob(_ digest: Digest) throws(LayerError) -> Blob? {
        try document("blobs/\(digest.algorithm.rawValue)/\(digest.encoded)")
    }

    func document(_ name: String) throws(LayerError) -> Blob? {
        try openIfPresent("\(place)/\(name)")
    }
}

/// The same inside a tar file.
struct LayoutArchive: BlobStore {
    let place: String
    let index: ArchiveIndex
    let limits: Limits

    func blob(_ digest: Digest) -> Blob? {
        index.blob(at: ImagePath("/blobs/\(digest.algorithm.rawValue)/\(digest.encoded)"))
    }

    func document(_ name: String) throws(LayerError) -> Blob? {
        let path = ImagePath(name)
        guard !index.duplicates.contains(path) else {
            throw LayerError(
                .corrupt,
                "\(escaped(place)): \(path) occurs twice in the archive; readers differ in which one they take"
            )
        }
        return index.blob(at: path)
    }
}

/// Blobs named by their encoded digest beside `manifest.json` (the transport `dir:`).
struct FlatDirectory: BlobStore {
    let place: String
    let limits: Limits

    func blob(_ digest: Digest) throws(LayerError) -> Blob? { try document(digest.encoded) }

    func document(_ name: String) throws(LayerError) -> Blob? {
        try openIfPresent("\(place)/\(name)")
    }
}

private func openIfPresent(_ path: String) throws(LayerError) -> Blob? {
    guard access(path, F_OK) == 0 else { return nil }
    return Blob(file: try RandomAccessFile(path: path))
}

extension BlobStore {
    /// The bytes of a blob that is a document, verified by size and digest.
    func verified(_ descriptor: Descriptor, limit: Int) throws(ImageSourceError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(LayerError) {
            guard let blob = try blob(descriptor.digest) else { throw missing(descriptor.digest) }
            guard blob.size == descriptor.size else {
                throw LayerError(
                    .sizeMismatch,
                    "\(escaped(place)): blob \(descriptor.digest) has \(blob.size) bytes, "
                        + "its descriptor says \(descriptor.size)")
            }
            bytes = try blob.bytes(limit: limit)
        } catch {
            throw ImageSourceError(error)
        }
        try verify(bytes, is: descriptor.digest)
        return bytes
    }

    func verify(_ bytes: [UInt8], is digest: Digest) throws(ImageSourceError) {
        do throws(ModelError) {
            let computed = try LayerArchive.Digester.digest(of: bytes, digest.algorithm)
            guard computed == digest else {
                throw ModelError(.digest, "blob \(digest) has the digest \(computed)")
            }
        } catch {
            throw ImageSourceError(error, in: escaped(place))
        }
    }

    func missing(_ digest: Digest) -> LayerError {
        LayerError(.truncated, "\(escaped(place)): blob \(digest) is missing")
    }

    /// A manifest and the config it names.
    func documents(
        of manifestBytes: [UInt8], digest: Digest
    ) throws(ImageSourceError) -> (manifest: Manifest, config: ImageConfig) {
        let manifest: Manifest
        do throws(ModelError) {
            manifest = try Manifest(parsing: manifestBytes, limits: limits.manifest)
        } catch {
            throw ImageSourceError(error, in: "\(escaped(place)): manifest \(digest)")
        }
        guard manifest.config.mediaType.isImageConfig else {
            throw ImageSourceError(
                .untrustworthy,
                "\(escaped(place)): manifest \(digest) is not of a container image: its config is a "
                    + quoted(manifest.config.mediaType.rawValue))
        }
        let bytes = try verified(manifest.config, limit: limits.config.bytes)
        return (manifest, try parseConfig(bytes, manifest.config.digest))
    }

    /// The image that a manifest of this store describes.
    func image(
        named name: ImageName, names: [String] = [], manifestBytes: [UInt8], digest manifestDigest: Digest
    ) throws(ImageSourceError) -> Image {
        let (manifest, config) = try documents(of: manifestBytes, digest: manifestDigest)
        guard manifest.layers.count == config.diffIDs.count else {
            throw ImageSourceError(
                .untrustworthy,
                "\(escaped(place)): the manifest has \(manifest.layers.count) layers, "
                    + "the image config has \(config.diffIDs.count) diff IDs")
        }
        try checkNumber(ofLayers: manifest.layers.count)
        var layers: [Image.Layer] = []
        for (descriptor, diffID) in zip(manifest.layers, config.diffIDs) {
            layers.append(try layer(descriptor, diffID: diffID))
        }
        return Image(
            name: name, names: names, manifest: manifest, manifestDigest: manifestDigest, config: config,
            configDigest: manifest.config.digest, layers: layers, limits: limits)
    }

    func checkNumber(ofLayers count: Int) throws(ImageSourceError) {
        guard count <= limits[.layers] else {
            throw ImageSourceError(
                .untrustworthy, "\(escaped(place)): \(count) layers, \(limits.exceeded(.layers))")
        }
    }

    func parseConfig(_ bytes: [UInt8], _ digest: Digest) throws(ImageSourceError) -> ImageConfig {
        do throws(ModelError) {
            return try ImageConfig(parsing: bytes, limits: limits.config)
        } catch {
            throw ImageSourceError(error, in: "\(escaped(place)): image config \(digest)")
        }
    }

    private func layer(_ descriptor: Descriptor, diffID: Digest) throws(ImageSourceError) -> Image.Layer {
        do throws(LayerError) {
            guard let blob = try blob(descriptor.digest) else {
                guard descriptor.urls.isEmpty else {
                    throw LayerError(
                        .truncated,
                        "\(escaped(place)): foreign layer \(descriptor.digest) is not in the image, "
                            + "and Assay fetches nothing from the addresses it names")
                }
                throw missing(descriptor.digest)
            }
            guard blob.size == descriptor.size else {
                throw LayerError(
                    .sizeMismatch,
                    "\(escaped(place)): layer \(descriptor.digest) has \(blob.size) bytes, "
                        + "its descriptor says \(descriptor.size)")
            }
            return Image.Layer(
                blob: blob, digest: descriptor.digest, diffID: diffID, mediaType: descriptor.mediaType,
                isForeign: !descriptor.urls.isEmpty || descriptor.mediaType.isForeignLayer,
                hasOuterTableOfContents: descriptor.hasChunkedManifest)
        } catch {
            throw ImageSourceError(error)
        }
    }
}
