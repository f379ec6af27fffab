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

    /// Verifies and indexes layers.
    ///
    /// As many threads as there are cores take layers, the largest first. A thread that finds no layer left
    /// helps the others to digest.
    ///
    /// - Returns: the layers in the order of `inputs`.
    /// - Throws: `LayerError`: of several layers that cannot be read, the error of the lowest.
    public static func index(
        _ inputs: [LayerInput], plan: ContentPlan, limits: Limits = Limits(),
        progress: ReadProgress? = nil
    ) async throws(LayerError) -> [IndexedLayer] {
        let kept = Atomic<Int>(0)
        return try await read(inputs, limits: limits, progress: progress) {
            (layer, decoder) throws(LayerError) in
            var sink = IndexSink(plan: plan, limits: limits)
            let summary = try decoder.decode(into: &sink)
            guard kept.add(sink.kept, ordering: .relaxed).newValue <= limits[.keptContents] else {
                throw LayerError(.limit, limits.exceeded(.keptContents))
            }
            return IndexedLayer(summary: summary, table: sink.table)
        }
    }

    /// Verifies layers and hands their members to sinks, one for each layer.
    ///
    /// - Parameter makeSink: called once for each layer with its position in `inputs`, on the thread that reads
    ///   it.
    /// - Returns: what each layer was found to be, in the order of `inputs`.
    /// - Throws: `LayerError`, of the reader or of a sink; of several, that of the lowest layer.
    public static func read<Sink: MemberSink>(
        _ inputs: [LayerInput], limits: Limits = Limits(), progress: ReadProgress? = nil,
        makeSink: @escaping @Sendable (Int) -> Sink
    ) async throws(LayerError) -> [LayerSummary] {
        try await read(inputs, limits: limits, progress: progress) { (layer, decoder) throws(LayerError) in
            var sink = makeSink(layer)
            return try decoder.decode(into: &sink)
        }
    }

    private static func read<Output: Sendable>(
        _ inputs: [LayerInput], limits: Limits, progress: ReadProgress?,
        decode: @escaping @Sendable (Int, LayerDecoder) throws(LayerError) -> Output
    ) async throws(LayerError) -> [Output] {
        guard !inputs.isEmpty else { return [] }
        let order = inputs.indices.sorted { inputs[$0].blob.size > inputs[$1].blob.size }
        let crew = HashCrew(layers: inputs.count)
        let next = Atomic<Int>(0)
        let results = Mutex([Result<Output, LayerError>?](repeating: nil, count: inputs.count))
        await WorkerThreads.run(threadCount) {
            while true {
                let position = next.add(1, ordering: .relaxed).oldValue
                guard position < order.count else { break }
                let layer = order[position]
                let decoder = LayerDecoder(
                    input: inputs[layer], limits: limits, crew: crew, progress: progress)
                let result = Result { () throws(LayerError) in try decode(layer, decoder) }
                results.withLock { $0[layer] = result }
                crew.layerEnded()
                progress?.endLayer()
            }
            crew.help()
        }
        var outputs: [Output] = []
        for result in results.withLock({ $0 }) {
            guard let result else { throw LayerError(.io, "a layer was not read") }
            outputs.append(try result.get())
        }
        return outputs
    }

    /// Threads that read: one for each core.
    public static var threadCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
