import Glibc
import OCIModel
import Synchronization

/// Reads the layers of an image side by side, each of them once.
public enum LayerReader {
    /// One layer, indexed. It is what is claimed of it when its verification has ended well.
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
    /// - Returns: the layers in the order of `inputs`.
    /// - Throws: `LayerError`: of several layers that cannot be read, the error of the lowest.
    public static func index(
        _ inputs: [LayerInput], plan: ContentPlan, settings: Settings = Settings(),
        progress: ReadProgress? = nil
    ) async throws(LayerError) -> [IndexedLayer] {
        do {
            return try await index(inputs, plan: plan, settings: settings, progress: progress) { layers, _ in
                layers
            }
        } catch {
            throw error as? LayerError ?? LayerError(.io, "\(error)")
        }
    }

    /// Verifies and indexes layers, and makes something of them.
    ///
    /// Layers that are not compressed, and those in the cache, are known before they are digested: `body` goes on with
    /// them meanwhile. What it returns or throws counts only when every layer has turned out to be what is claimed of
    /// it; it may be called again when a cached layer was not that of the blob, or a file changed. As many threads as there
    /// are cores read.
    ///
    /// - Parameter body: gets the layers in the order of `inputs`, and the end of their verification, which it waits for
    ///   before it does anything that cannot be taken back.
    /// - Throws: what `body` throws, or `LayerError`: of several layers that cannot be read, the error of the lowest.
    public static func index<Output: Sendable>(
        _ inputs: [LayerInput], plan: ContentPlan, settings: Settings = Settings(),
        progress: ReadProgress? = nil,
        _ body: @Sendable (_ layers: [IndexedLayer], _ verification: Verification) async throws -> Output
    ) async throws -> Output {
        let prefix = settings.cache?.prefix(plan: plan, limits: settings.limits)
        let keys = inputs.map { input in prefix.flatMap { settings.cache?.key(of: input, prefix: $0) } }
        var isRefused = Array(repeating: false, count: inputs.count)
        var inOnePass = false
        while true {
            let indexing = Indexing(
                inputs: inputs, plan: plan, settings: settings, progress: progress, keys: keys,
                isRefused: isRefused, inOnePass: inOnePass)
            let (tables, ready) = AsyncStream<[IndexedLayer]>.makeStream()
            // Tasks of their own: threads read on to the end, whatever becomes of the caller's.
            let end = Task {
                defer { ready.finish() }
                return await indexing.run { ready.yield($0) }
            }
            let layers = await Task { await tables.first { _ in true } }.value
            var output: Result<Output, any Error>?
            if let layers {
                do {
                    output = .success(try await body(layers, Verification(end: end)))
                } catch {
                    output = .failure(error)
                }
            }
            let verified = await end.value
            for position in verified.refused { isRefused[position] = true }
            inOnePass = inOnePass || verified.hasChanged
            guard !verified.hasToBeRepeated else { continue }
            try verified.check()
            guard let output else { throw LayerError(.io, "a layer was not read") }
            return try output.get()
        }
    }

    /// The end of a verification of layers.
    public struct Verification: Sendable {
        fileprivate let end: Task<Verified, Never>

        /// Returns when every layer has been verified.
        ///
        /// - Throws: `LayerError` when one of them is not what is claimed of it.
        public func wait() async throws {
            let verified = await end.value
            guard !verified.hasToBeRepeated else {
                throw LayerError(.digestMismatch, "a layer has become another one, and is read again")
            }
            try verified.check()
        }
    }

    /// What came of the verification of each layer.
    struct Verified: Sendable {
        let results: [Result<Void, LayerError>]
        /// Cached layers that are not those of the blobs.
        let refused: [Int]
        /// Whether files changed while they were looked at twice. It may be nothing but another name.
        let hasChanged: Bool

        var hasToBeRepeated: Bool { !refused.isEmpty || hasChanged }

        /// - Throws: `LayerError`, that of the lowest layer.
        func check() throws { for result in results { try result.get() } }
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
        _ inputs: [LayerInput], limits: Limits, confinedTo directory: Int32,
        progress: ReadProgress?,
        decode: @escaping @Sendable (Int, LayerDecoder) throws(LayerError) -> Output
    ) async throws(LayerError) -> [Output] {
        guard !inputs.isEmpty else { return [] }
        let results = Mutex([Result<Output, LayerError>?](repeating: nil, count: inputs.count))
        // Before the threads are held to a directory where nothing of it lies.
        LayerDecoder.prepare()
        await WorkerThreads.run(
            threadCount, setUp: { Containment.confineThread(to: directory) },
            work(inputs, limits: limits, progress: progress) { layer, decoder in
                let result = Result { () throws(LayerError) in try decode(layer, decoder) }
                results.withLock { $0[layer] = result }
                progress?.endLayer()
            })
        var outputs: [Output] = []
        for result in results.withLock({ $0 }) {
            guard let result else { throw LayerError(.io, "a layer was not read") }
            outputs.append(try result.get())
        }
        return outputs
    }

    /// What each of several threads does until all layers are read: they take layers, the largest first. A thread that
    /// finds none left helps the others to digest.
    private static func work(
        _ inputs: [LayerInput], limits: Limits, progress: ReadProgress?,
        decode: @escaping @Sendable (Int, LayerDecoder) -> Void
    ) -> @Sendable () -> Void {
        let crew = HashCrew(layers: inputs.count)
        let jobs = largestFirst(inputs).map { layer in
            { @Sendable in
                let decoder = LayerDecoder(
                    input: inputs[layer], limits: limits, crew: crew, progress: progress)
                decode(layer, decoder)
                crew.layerEnded()
            }
        }
        return work(jobs, crew)
    }

    private static func work(_ jobs: [@Sendable () -> Void], _ crew: HashCrew) -> @Sendable () -> Void {
        let next = Counter()
        return {
            while case let position = next.next(), position < jobs.count { jobs[position]() }
            crew.help()
        }
    }

    /// What is found of a layer while layers are indexed.
    enum Finding {
        case begun
        /// What it holds, if it is what is claimed of it.
        case indexed(IndexedLayer)
        /// The end of the layer.
        case verified(Result<Void, LayerError>)
    }

    /// What each of several threads does until all layers are indexed. The largest digest comes first, since it takes
    /// longest; then what plain layers hold, so that others can go on with it; then all else, the largest first.
    ///
    /// - Parameters:
    ///   - kept: contents that the image has so far.
    ///   - inOnePass: whether no byte is looked at twice.
    ///   - report: is told what is found of the layer at a position, on any thread.
    static func indexing(
        _ inputs: [LayerInput], plan: ContentPlan, limits: Limits, kept: KeptContents,
        inOnePass: Bool, progress: ReadProgress?,
        report: @escaping @Sendable (_ layer: Int, _ finding: Finding) -> Void
    ) -> @Sendable () -> Void {
        let crew = HashCrew(layers: inputs.count)
        var jobs: [@Sendable () -> Void] = []
        var ahead: [@Sendable () -> Void] = []
        for layer in largestFirst(inputs) {
            let indexer = LayerIndexer(
                decoder: LayerDecoder(input: inputs[layer], limits: limits, crew: crew, progress: progress),
                plan: plan, kept: kept, inOnePass: inOnePass
            ) { finding in
                report(layer, finding)
                if case .verified = finding { crew.layerEnded() }
            }
            if indexer.isPlain {
                ahead.append { indexer.readMembers() }
                jobs.append { indexer.digest() }
            } else {
                jobs.append { indexer.decode() }
            }
        }
        jobs.insert(contentsOf: ahead, at: min(1, jobs.count))
        return work(jobs, crew)
    }

    /// Does something for each layer, the largest first, on as many threads as there are cores.
    static func concurrently<Output: Sendable>(
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
