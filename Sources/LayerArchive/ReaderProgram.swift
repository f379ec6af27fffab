import OCIModel
import Synchronization

/// A program that runs `ReaderService`: each reading of an image has a process of it, which decodes the layers and
/// hands over what they hold.
public struct ReaderProgram: Sendable {
    public let path: String
    /// With the name of the program first.
    public let arguments: [String]
    /// How long the process may show no progress before it is ended.
    public var patience: Duration = .seconds(120)

    public init(path: String, arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// What holds a reader on this system.
    ///
    /// - Throws: `LayerError` of kind `.reader` when the program does not serve.
    public func containment() async throws(LayerError) -> Containment {
        let request = ReadRequest(inputs: [], plan: ContentPlan(), limits: Limits())
        let receiver = LayerReceiver(indexed: { _, _ in }, verified: { _ in }, ready: { _ in })
        let session = await run(request, KeptContents(request.limits), nil, receiver)
        if let failure = session.failure { throw failure }
        guard let containment = session.containment else {
            throw LayerError(.reader, "the process that reads layers gave no answer")
        }
        return containment
    }

    /// Reads layers in a process of the program.
    ///
    /// - Parameters:
    ///   - kept: contents that the image has so far.
    ///   - receiver: is told of layers while they come.
    /// - Returns: what came of each layer.
    func index(
        _ request: ReadRequest, kept: KeptContents, progress: ReadProgress?, _ receiver: LayerReceiver
    ) async -> [Result<Void, LayerError>] {
        await run(request, kept, progress, receiver).outcomes
    }

    private func run(
        _ request: ReadRequest, _ kept: KeptContents, _ progress: ReadProgress?, _ receiver: LayerReceiver
    ) async -> ReaderSession {
        let result = Mutex(ReaderSession(request, kept: kept, progress: progress, receiver))
        // A thread of its own, since it waits.
        await WorkerThreads.run(1) {
            var session = result.withLock { $0 }
            session.run(self)
            result.withLock { [session] in $0 = session }
        }
        return result.withLock { $0 }
    }
}
