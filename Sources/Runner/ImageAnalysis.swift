import Checks
import Facts
import ImageSource
import LayerArchive
import OCIModel
import RootFS
import Verdict

/// An image that was read once: verified, merged, and its facts taken.
public struct ImageAnalysis: Sendable {
    public let image: Image
    public let layers: [LayerSummary]
    public let facts: ImageFacts
    /// Oddities of the image that are no check's subject, one line each, escaped.
    public let notes: [String]

    /// Reads every layer of the image once.
    ///
    /// - Parameters:
    ///   - plan: contents that are wanted beyond those that the facts need.
    ///   - reading: how layers are read.
    /// - Throws: `LayerError` when a layer is damaged or is not what manifest and config say.
    public static func read(
        _ image: Image, plan additional: ContentPlan = ContentPlan(),
        reading: LayerReader.Settings = LayerReader.Settings(), progress: ReadProgress? = nil
    ) async throws(LayerError) -> ImageAnalysis {
        var plan = ContentPlan.facts
        plan.formUnion(additional)
        let indexed = try await LayerReader.index(
            image.layerInputs, plan: plan, settings: reading, progress: progress)
        let rootfs = RootFS.merging(indexed.map(\.table), plan: plan)
        let layers = indexed.map(\.summary)
        let facts = ImageFacts(
            config: image.config,
            layers: indexed.map { layer in
                LayerFact(
                    digest: layer.summary.digest, diffID: layer.summary.diffID, size: layer.summary.size,
                    uncompressedSize: layer.summary.uncompressedSize, entryCount: layer.table.count)
            }, rootfs: rootfs, names: image.names)
        return ImageAnalysis(
            image: image, layers: layers, facts: facts, notes: notes(layers: layers, rootfs: rootfs))
    }

    private static func notes(layers: [LayerSummary], rootfs: RootFS) -> [String] {
        let ofLayers = layers.enumerated().flatMap { index, layer in
            layer.notes.map { "layer \(index + 1): \($0)" }
        }
        var ofTree = rootfs.notes.map { "layer \($0.layer + 1): \($0.path): \($0.kind.explanation)" }
        if rootfs.notes.count == RootFS.maximumNotes {
            ofTree.append("more such oddities were not noted: the limit is \(RootFS.maximumNotes)")
        }
        return ofLayers + ofTree
    }

    /// The identity by which reports name the image.
    public var identity: ImageIdentity {
        ImageIdentity(
            reference: image.name.description, manifestDigest: image.manifestDigest?.description,
            configDigest: image.configDigest.description, platform: image.platform.description,
            created: image.config.created.map { escaped($0) },
            layers: layers.enumerated().map { index, layer in
                LayerIdentity(
                    digest: layer.digest.description, diffID: layer.diffID.description, size: layer.size,
                    uncompressedSize: layer.uncompressedSize,
                    instruction: facts.history.step(forLayer: index).map { escaped($0.raw) })
            })
    }
}

extension MergeNote.Kind {
    /// What a report says of it.
    var explanation: String {
        switch self {
        case .pathEscape: "the name climbs above the root"
        case .writeThroughLink: "written through a symbolic link to a directory"
        case .parentNotDirectory: "lies below something that is not a directory, which it replaces"
        case .rootReplaced: "would replace the root directory; not applied"
        case .danglingHardLink: "hard link to something that does not exist or is a directory; not applied"
        case .duplicateEntry: "occurs twice in the layer; the last one counts"
        case .oddWhiteout: "whiteout of something that does not exist"
        case .linkLoop: "lies behind symbolic links that lead in a circle; not applied"
        case .unknownType: "member of a type that no runtime unpacks; not applied"
        }
    }
}
