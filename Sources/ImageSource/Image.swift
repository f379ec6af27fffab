import LayerArchive
import OCIModel

/// An image as its documents describe it, with its layers ready to be read. Nothing of a layer has been read
/// yet; the documents have been verified by their digests.
public struct Image: Sendable {
    /// Transport and place it was read from.
    public let name: ImageName
    /// The names that the place has for it: tags of an archive of `docker save`, annotations of an OCI index.
    public let names: [String]
    /// nil where the transport keeps none (an archive of Docker's older layout).
    public let manifest: Manifest?
    public let manifestDigest: Digest?
    public let config: ImageConfig
    /// The "image ID".
    public let configDigest: Digest
    /// Lowest first.
    public let layers: [Layer]
    /// The bounds under which it was opened and is read.
    public let limits: Limits

    public struct Layer: Sendable {
        public let blob: Blob
        /// The blob's digest, where a manifest or the blob's name states one.
        public let digest: Digest?
        public let diffID: Digest
        /// As the manifest states it; nil without a manifest.
        public let mediaType: MediaType?
        /// Whether the manifest names addresses for it, or its media type is one of layers that are not handed on.
        public var isForeign = false
        /// Whether the blob has, beside the archive, a table of contents by which some runtimes take files out of it.
        public var hasOuterTableOfContents = false
    }

    /// The platform of the config.
    public var platform: Platform { config.platform }

    /// The layers as the reader wants them.
    public var layerInputs: [LayerInput] {
        layers.enumerated().map { index, layer in
            LayerInput(
                blob: layer.blob, digest: layer.digest, diffID: layer.diffID,
                name: "layer \(index + 1) of \(layers.count) (\(layer.digest ?? layer.diffID))")
        }
    }

    /// Bytes of all the layer blobs.
    public var layerBytes: Int64 { layers.reduce(0) { $0 + $1.blob.size } }
}
