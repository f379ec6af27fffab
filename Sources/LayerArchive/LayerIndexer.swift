import OCIModel
import Synchronization

/// Indexes one layer: what it holds and its digest, which are found in one pass over compressed data, and by two threads
/// where the layer is not compressed.
final class LayerIndexer: Sendable {
    private let decoder: LayerDecoder
    private let plan: ContentPlan
    private let kept: KeptContents
    private let report: @Sendable (LayerReader.Finding) -> Void
    private let state = Mutex(State())
    /// Whether members and digest are found apart.
    let isPlain: Bool

    private struct State {
        var hasBegun = false
        var members: Result<Void, LayerError>?
        var digest: Result<Void, LayerError>?
    }

    /// - Parameters:
    ///   - kept: contents of all layers of the image.
    ///   - inOnePass: whether a plain layer is read as a compressed one.
    ///   - report: is told what is found, in the order of `LayerReader.Finding`.
    init(
        decoder: LayerDecoder, plan: ContentPlan, kept: KeptContents, inOnePass: Bool,
        report: @escaping @Sendable (LayerReader.Finding) -> Void
    ) {
        self.decoder = decoder
        self.plan = plan
        self.kept = kept
        self.report = report
        // What cannot be read is refused when it is decoded.
        isPlain = !inOnePass && (try? decoder.isPlain()) == true
    }

    /// Reads a layer that is compressed, or in one pass.
    func decode() {
        begin()
        report(.verified(index()))
    }

    /// Reads what a plain layer holds.
    func readMembers() {
        begin()
        end(members: index())
    }

    /// Digests a plain layer.
    func digest() {
        begin()
        let result = Result { () throws(LayerError) in
            try decoder.verifyPlain(while: {
                state.withLock { state in
                    if case .failure = state.members { return false }
                    return true
                }
            })
        }
        end(digest: result)
    }

    private func begin() {
        let isFirst = state.withLock { state in
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        if isFirst { report(.begun) }
    }

    private func index() -> Result<Void, LayerError> {
        var sink = IndexSink(plan: plan, limits: decoder.limits)
        do throws(LayerError) {
            let summary = isPlain ? try decoder.membersOfPlain(into: &sink) : try decoder.decode(into: &sink)
            try kept.add(sink.kept)
            report(.indexed(LayerReader.IndexedLayer(summary: summary, table: sink.table)))
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Notes one half; the later of both ends the layer. Members that cannot be read say more than a digest that is not
    /// the claimed one.
    private func end(members: Result<Void, LayerError>? = nil, digest: Result<Void, LayerError>? = nil) {
        let result: Result<Void, LayerError>? = state.withLock { state in
            state.members = members ?? state.members
            state.digest = digest ?? state.digest
            guard let members = state.members, let digest = state.digest else { return nil }
            if case .failure = members { return members }
            return digest
        }
        if let result { report(.verified(result)) }
    }
}
