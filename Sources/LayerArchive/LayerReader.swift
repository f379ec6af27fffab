import Glibc
import OCIModel
import Synchronization

/// Reads the layers of an image side by side, each of them once.
public enum LayerReader {
    /// One layer, verified and indexed.
    public struct IndexedLayer: Sendable {
        public let summary: LayerSummary
        public let table: EntryTable
    }

    /// How layers are read.
    public struct Settings: Sendable {
        public var limits: Limits
        /// Layers that earlier runs have indexed; nil reads everything.
        public var cache: LayerCache?
        /// The program whose process decodes the layers; nil decodes in this process.
        public var program: ReaderProgram?

        public init(
            limits: Limits = Limits(), cache: LayerCache? = nil, program: ReaderProgram? = nil
        ) {
            self.limits = limits
            self.cache = cache
            self.program = program
        }
    }

    /// Verifies and indexes layers.
    ///
    /// As many threads as there are cores take layers, the largest first. A thread that finds no layer left
    /// helps the others to digest.
    ///
    /// - Returns: the layers in the order of `inputs`.
    /// - Throws: `LayerError`: of several layers that cannot be read, the error of the lowest.
    public static func index(
        _ inputs: [LayerInput], plan: ContentPlan, settings: Settings = Settings(),
        progress: ReadProgress? = nil
    ) async throws(LayerError) -> [IndexedLayer] {
        let kept = KeptContents(settings.limits)
        guard let cache = settings.cache else {
            return try await decode(inputs, plan, settings, kept, progress) { _, _ in }
        }
        let prefix = cache.prefix(plan: plan, limits: settings.limits)
        let keys = inputs.map { cache.key(of: $0, prefix: prefix) }
        let found = await concurrently(inputs) { position in
            keys[position].flatMap {
                cache.layer(inputs[position], key: $0, limits: settings.limits, progress: progress)
            }
        }
        for layer in found { try kept.add(layer?.table.keptBytes ?? 0) }
        let missing = inputs.indices.filter { found[$0] == nil }
        guard !missing.isEmpty else { return found.compactMap { $0 } }
        defer { cache.trim(to: cache.sizeLimit) }
        let decoded = try await decode(missing.map { inputs[$0] }, plan, settings, kept, progress) {
            position, serialized in
            if let key = keys[missing[position]] { cache.store(serialized, key: key) }
        }
        var layers = found
        for (layer, result) in zip(missing, decoded) { layers[layer] = result }
        return layers.compactMap { $0 }
    }

    /// - Parameters:
    ///   - kept: contents that the image has so far.
    ///   - body: is shown the serial form of each layer that was decoded, with its position in `inputs`, on any thread.
    private static func decode(
        _ inputs: [LayerInput], _ plan: ContentPlan, _ settings: Settings, _ kept: KeptContents,
        _ progress: ReadProgress?,
        _ body: @escaping @Sendable (_ position: Int, _ serialized: UnsafeRawBufferPointer) -> Void
    ) async throws(LayerError) -> [IndexedLayer] {
        let limits = settings.limits
        if let program = settings.program {
            let request = ReadRequest(inputs: inputs, plan: plan, limits: limits)
            return try all(await program.index(request, kept: kept, progress: progress, received: body))
        }
        let isCached = settings.cache != nil
        return try await read(inputs, limits: limits, progress: progress) {
            (position, decoder) throws(LayerError) in
            var sink = IndexSink(plan: plan, limits: limits)
            let summary = try decoder.decode(into: &sink)
            try kept.add(sink.kept)
            let layer = IndexedLayer(summary: summary, table: sink.table)
            if isCached { layer.serialized.withUnsafeBytes { body(position, $0) } }
            return layer
        }
    }

    /// Verifies layers and hands their members to sinks, one for each layer.
    ///
    /// - Parameters:
    ///   - directory: an open directory. The threads that read open and make files only below it, make no
    ///     connection and start no program, where the kernel can hold them to it.
    ///   - makeSink: called once for each layer with its position in `inputs`, on the thread that reads it.
    /// - Returns: what each layer was found to be, in the order of `inputs`.
    /// - Throws: `LayerError`, of the reader or of a sink; of several, that of the lowest layer.
    public static func read<Sink: MemberSink>(
        _ inputs: [LayerInput], limits: Limits = Limits(), confinedTo directory: Int32,
        progress: ReadProgress? = nil, makeSink: @escaping @Sendable (Int) -> Sink
    ) async throws(LayerError) -> [LayerSummary] {
        try await read(inputs, limits: limits, confinedTo: directory, progress: progress) {
            (layer, decoder) throws(LayerError) in
            var sink = makeSink(layer)
            return try decoder.decode(into: &sink)
        }
    }

    private static func read<Output: Sendable>(
        _ inputs: [LayerInput], limits: Limits, confinedTo directory: Int32? = nil,
        progress: ReadProgress?,
        decode: @escaping @Sendable (Int, LayerDecoder) throws(LayerError) -> Output
    ) async throws(LayerError) -> [Output] {
        guard !inputs.isEmpty else { return [] }
        let results = Mutex([Result<Output, LayerError>?](repeating: nil, count: inputs.count))
        // Before the threads are held to a directory where nothing of it lies.
        LayerDecoder.prepare()
        await WorkerThreads.run(
            threadCount, setUp: { if let directory { Containment.confineThread(to: directory) } },
            work(inputs, limits: limits, progress: progress) { layer, decoder in
                let result = Result { () throws(LayerError) in try decode(layer, decoder) }
                results.withLock { $0[layer] = result }
                progress?.endLayer()
            })
        return try all(results.withLock { $0 })
    }

    private static func all<Output>(_ results: [Result<Output, LayerError>?]) throws(LayerError) -> [Output] {
        var outputs: [Output] = []
        for result in results {
            guard let result else { throw LayerError(.io, "a layer was not read") }
            outputs.append(try result.get())
        }
        return outputs
    }

    /// What each of several threads does until all layers are read.
    static func work(
        _ inputs: [LayerInput], limits: Limits, progress: ReadProgress?,
        decode: @escaping @Sendable (Int, LayerDecoder) -> Void
    ) -> @Sendable () -> Void {
        let order = largestFirst(inputs)
        let crew = HashCrew(layers: inputs.count)
        let next = Counter()
        return {
            while case let position = next.next(), position < order.count {
                let layer = order[position]
                decode(
                    layer,
                    LayerDecoder(input: inputs[layer], limits: limits, crew: crew, progress: progress))
                crew.layerEnded()
            }
            crew.help()
        }
    }

    /// Does something for each layer, the largest first, on as many threads as there are cores.
    private static func concurrently<Output: Sendable>(
        _ inputs: [LayerInput], _ body: @escaping @Sendable (_ position: Int) -> Output?
    ) async -> [Output?] {
        let results = Mutex([Output?](repeating: nil, count: inputs.count))
        let order = largestFirst(inputs)
        let next = Counter()
        await WorkerThreads.run(min(threadCount, inputs.count)) {
            while case let turn = next.next(), turn < order.count {
                let output = body(order[turn])
                results.withLock { $0[order[turn]] = output }
            }
        }
        return results.withLock { $0 }
    }

    private static func largestFirst(_ inputs: [LayerInput]) -> [Int] {
        inputs.indices.sorted { inputs[$0].blob.size > inputs[$1].blob.size }
    }

    /// Gives each caller another number, from 0.
    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
    }

    /// Threads that read: one for each core.
    public static var threadCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

/// Contents that are kept of all layers of an image.
final class KeptContents: Sendable {
    private let bytes = Atomic<Int>(0)
    private let limits: Limits

    init(_ limits: Limits) { self.limits = limits }

    /// - Throws: `LayerError` of kind `.limit` when there are more than the limits allow.
    func add(_ count: Int) throws(LayerError) {
        guard bytes.add(count, ordering: .relaxed).newValue <= limits[.keptContents] else {
            throw LayerError(.limit, limits.exceeded(.keptContents))
        }
    }
}
