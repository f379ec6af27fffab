import OCIModel
import Synchronization

/// One reading of the layers of an image: those that the cache has are digested here, the others are read.
struct Indexing: Sendable {
    let inputs: [LayerInput]
    let plan: ContentPlan
    let settings: LayerReader.Settings
    let progress: ReadProgress?
    /// The names of cached layers; nil without a cache.
    let keys: [String?]
    /// The layers that are not taken from the cache, since it has others.
    let isRefused: [Bool]
    /// Whether no byte is looked at twice: what plain layers hold is not known before their digests then.
    let inOnePass: Bool

    /// - Parameter ready: is given all layers as soon as there are all of them, on any thread; they may turn out not to
    ///   be what is claimed of them.
    func run(_ ready: @escaping @Sendable ([LayerReader.IndexedLayer]) -> Void) async
        -> LayerReader.Verified
    {
        let cached = await LayerReader.concurrently(inputs) { position -> LayerReader.IndexedLayer? in
            guard let cache = settings.cache, let key = keys[position], !isRefused[position] else {
                return nil
            }
            return cache.layer(inputs[position], key: key, limits: settings.limits)
        }
        let kept = KeptContents(settings.limits)
        for layer in cached {
            do throws(LayerError) {
                try kept.add(layer?.table.keptBytes ?? 0)
            } catch {
                return LayerReader.Verified(
                    results: Array(repeating: .failure(error), count: inputs.count), refused: [],
                    hasChanged: false)
            }
        }
        let missing = inputs.indices.filter { cached[$0] == nil }
        let files = inOnePass ? [] : missing.map { inputs[$0].blob.file }
        let states = files.map(\.state)
        async let digests = confirm(cached)
        var results = [Result<Void, LayerError>](repeating: .success(()), count: inputs.count)
        if missing.isEmpty {
            ready(cached.compactMap { $0 })
        } else {
            let read = await read(missing, kept: kept) { layers in
                var all = cached
                for (position, layer) in zip(missing, layers) { all[position] = layer }
                ready(all.compactMap { $0 })
            }
            for (position, result) in zip(missing, read) { results[position] = result }
            if let cache = settings.cache { cache.trim(to: cache.sizeLimit) }
        }
        let isConfirmed = await digests
        let refused = inputs.indices.filter { cached[$0] != nil && !isConfirmed[$0] }
        // What was looked at twice has to have stayed the same.
        let hasChanged = zip(files, states).contains { file, state in state == nil || file.state != state }
        return LayerReader.Verified(results: results, refused: refused, hasChanged: hasChanged)
    }

    /// Whether each blob has the bytes that the cached layer was made of.
    private func confirm(_ cached: [LayerReader.IndexedLayer?]) async -> [Bool] {
        await LayerReader.concurrently(inputs) { position in
            guard let cache = settings.cache, let key = keys[position], let layer = cached[position] else {
                return true
            }
            return cache.confirms(inputs[position], as: layer.summary, key: key, progress: progress)
        }.map { $0 == true }
    }

    /// Reads the layers at some positions.
    private func read(
        _ positions: [Int], kept: KeptContents,
        _ ready: @escaping @Sendable ([LayerReader.IndexedLayer]) -> Void
    ) async -> [Result<Void, LayerError>] {
        let missing = positions.map { inputs[$0] }
        let drafts = Mutex([Int: LayerCache.Draft]())
        let receiver = LayerReceiver(
            indexed: { layer, serialized in
                guard let cache = settings.cache, let draft = cache.draft(serialized) else { return }
                drafts.withLock { $0[layer] = draft }
            },
            verified: { layer in
                guard let cache = settings.cache, let key = keys[positions[layer]],
                    let draft = drafts.withLock({ $0.removeValue(forKey: layer) })
                else { return }
                cache.keep(draft, key: key)
            },
            ready: ready)
        if let program = settings.program {
            let request = ReadRequest(
                inputs: missing, plan: plan, limits: settings.limits, inOnePass: inOnePass)
            return await program.index(request, kept: kept, progress: progress, receiver)
        }
        return await readHere(missing, kept: kept, receiver)
    }

    /// Reads layers in this process.
    private func readHere(
        _ missing: [LayerInput], kept: KeptContents, _ receiver: LayerReceiver
    ) async -> [Result<Void, LayerError>] {
        struct State {
            var layers: [LayerReader.IndexedLayer?]
            var results: [Result<Void, LayerError>?]
        }
        let state = Mutex(
            State(
                layers: Array(repeating: nil, count: missing.count),
                results: Array(repeating: nil, count: missing.count)))
        let isCached = settings.cache != nil
        await WorkerThreads.run(
            LayerReader.threadCount,
            LayerReader.indexing(
                missing, plan: plan, limits: settings.limits, kept: kept, inOnePass: inOnePass,
                progress: progress
            ) { layer, finding in
                switch finding {
                case .begun: break
                case .indexed(let indexed):
                    if isCached { indexed.serialized.withUnsafeBytes { receiver.indexed(layer, $0) } }
                    let all = state.withLock { state in
                        state.layers[layer] = indexed
                        return state.layers.compactMap { $0 }
                    }
                    if all.count == missing.count { receiver.ready(all) }
                case .verified(let result):
                    progress?.endLayer()
                    if case .success = result { receiver.verified(layer) }
                    state.withLock { $0.results[layer] = result }
                }
            })
        return state.withLock { state in
            state.results.map { $0 ?? .failure(LayerError(.io, "a layer was not read")) }
        }
    }
}

/// Who is told of layers while they are read.
struct LayerReceiver: Sendable {
    /// The serial form of the layer at a position, which may turn out not to be what is claimed of it.
    let indexed: @Sendable (_ layer: Int, _ serialized: UnsafeRawBufferPointer) -> Void
    /// The layer is what is claimed of it.
    let verified: @Sendable (_ layer: Int) -> Void
    /// All layers, once there are all of them.
    let ready: @Sendable (_ layers: [LayerReader.IndexedLayer]) -> Void
}
