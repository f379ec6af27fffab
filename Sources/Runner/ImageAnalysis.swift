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
    /// Oddities of the image that are no check's subject.
    public let notes: [Note]

    /// Reads every layer of the image once.
    ///
    /// - Parameters:
    ///   - plan: contents that are wanted beyond those that the facts need.
    ///   - reading: how layers are read; the limits are the image's.
    /// - Throws: `LayerError` when a layer is damaged or is not what manifest and config say.
    public static func read(
        _ image: Image, plan additional: ContentPlan = ContentPlan(),
        reading: LayerReader.Settings = LayerReader.Settings(), progress: ReadProgress? = nil
    ) async throws -> ImageAnalysis {
        try await read(image, plan: additional, reading: reading, progress: progress) { analysis, _ in
            analysis
        }
    }

    /// Reads every layer of the image once, and makes something of the image while digests are computed.
    ///
    /// - Parameter body: as of `LayerReader.index`: what it returns or throws counts only when every layer has been
    ///   verified, and it waits for that before it does anything that cannot be taken back.
    /// - Throws: what `body` throws, and as the other `read`.
    public static func read<Output: Sendable>(
        _ image: Image, plan additional: ContentPlan = ContentPlan(),
        reading: LayerReader.Settings = LayerReader.Settings(), progress: ReadProgress? = nil,
        _ body: @Sendable (ImageAnalysis, LayerReader.Verification) async throws -> Output
    ) async throws -> Output {
        let limits = image.limits
        var reading = reading
        reading.limits = limits
        var plan = ContentPlan.facts(limits)
        plan.insert(
            .init(.path(TableOfContents.path), maximumBytes: Int(limits[.manifestSize])))
        plan.formUnion(additional)
        return try await LayerReader.index(
            image.layerInputs, plan: plan, settings: reading, progress: progress
        ) { [plan] layers, verification in
            try await body(ImageAnalysis(image, layers, plan: plan), verification)
        }
    }

    /// Merges layers and takes the facts.
    private init(_ image: Image, _ indexed: [LayerReader.IndexedLayer], plan: ContentPlan) throws {
        let limits = image.limits
        let rootfs = RootFS.merging(indexed.map(\.table), plan: plan, limits: limits)
        guard !rootfs.isIncomplete else {
            throw LayerError(.limit, "merging the layers takes \(limits.exceeded(.mergeSteps))")
        }
        let layers = indexed.map(\.summary)
        let facts = ImageFacts(
            config: image.config,
            layers: indexed.map { layer in
                LayerFact(
                    digest: layer.summary.digest, diffID: layer.summary.diffID, size: layer.summary.size,
                    uncompressedSize: layer.summary.uncompressedSize, entryCount: layer.table.count)
            }, rootfs: rootfs, names: image.names)
        var oddities = ImageAnalysis.oddities(of: image, layers: layers, facts: facts)
        for (index, layer) in indexed.enumerated() {
            guard let oddity = TableOfContents.oddity(of: layer.table, limits: limits) else { continue }
            oddities.note(oddity.kind, layer: index, oddity.subject)
        }
        let notes = oddities.list.map {
            Note(name: $0.kind.rawValue, layer: $0.layer.map { $0 + 1 }, message: $0.message)
        }
        self.image = image
        self.layers = layers
        self.facts = facts
        self.notes = notes
    }

    /// What is odd about documents, layers and tree.
    private static func oddities(
        of image: Image, layers: [LayerSummary], facts: ImageFacts
    ) -> Oddities {
        var oddities = image.config.oddities
        do throws(FactError) {
            _ = try UserDatabase.resolve(image.config.run.user, by: facts.users)
        } catch {
            // Where /etc/passwd cannot be read nothing is known of the user.
            if case .success = facts.users { oddities.note(.user, error.message) }
            if case .failure(let missing) = facts.users, missing.kind == .missing {
                oddities.note(.user, error.message)
            }
        }
        for (index, (layer, summary)) in zip(image.layers, layers).enumerated() {
            if layer.isForeign { oddities.note(.foreignLayer, layer: index, summary.digest.description) }
            if layer.hasOuterTableOfContents {
                oddities.note(.unreadTableOfContents, layer: index, "zstd:chunked \(summary.digest)")
            }
            if let mediaType = layer.mediaType, let stated = mediaType.compression,
                stated != summary.compression, summary.size > 0
            {
                oddities.note(
                    .mediaType, layer: index,
                    "\(quoted(mediaType.rawValue)) of \(summary.compression.rawValue) data")
            }
            oddities.append(summary.oddities, layer: index)
        }
        oddities.append(facts.rootfs.oddities)
        return oddities
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
