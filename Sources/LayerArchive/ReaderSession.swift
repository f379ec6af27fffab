import OCIModel

/// What a process that reads layers was asked and has answered. Nothing that it says is believed because it says so:
/// an image may have made it another program.
struct ReaderSession: Sendable {
    private let request: ReadRequest
    private let progress: ReadProgress?
    private(set) var containment: Containment?
    private let receiver: LayerReceiver
    /// The layers that were handed over.
    private var layers: [Int: LayerReader.IndexedLayer] = [:]
    /// What came of each layer in the end.
    private var results: [Int: Result<Void, LayerError>] = [:]
    private var begun: Set<Int> = []
    private var bytesRead: Int64 = 0
    /// Why there are no more answers.
    private(set) var failure: LayerError?
    private let kept: KeptContents

    init(
        _ request: ReadRequest, kept: KeptContents, progress: ReadProgress?, _ receiver: LayerReceiver
    ) {
        self.receiver = receiver
        self.request = request
        self.kept = kept
        self.progress = progress
    }

    /// Starts the process and takes its answers until it ends; ends it when it is stuck or breaks the rules.
    mutating func run(_ program: ReaderProgram) {
        let process: ReaderProcess
        do {
            process = try ReaderProcess(program, request)
        } catch {
            failure = LayerError(.reader, "the process that reads layers did not start: \(error)")
            return
        }
        do {
            try receive(from: process, patience: program.patience)
        } catch {
            process.kill()
            failure =
                error as? LayerError
                ?? LayerError(.reader, "the process that reads layers gave an answer that is none")
        }
        let end = process.wait()
        if failure == nil, end != nil || results.count < request.inputs.count {
            let reason = end ?? "it gave no reason"
            failure = LayerError(.reader, "the process that reads layers ended before it was done: \(reason)")
        }
    }

    private mutating func receive(from process: ReaderProcess, patience: Duration) throws {
        let clock = ContinuousClock()
        var deadline = clock.now + patience
        while let header = try process.read(AnswerKind.headerSize, before: deadline, Header.init) {
            guard let kind = header.kind, let count = Int(exactly: header.length), count <= largest(kind),
                let isProgress = try process.read(
                    count, before: deadline, { try take(kind, header.layer, $0) })
            else { throw MalformedBytes() }
            // Only what brings the work forward is a sign of life.
            if isProgress { deadline = clock.now + patience }
        }
    }

    private struct Header {
        let kind: AnswerKind?
        let layer: Int
        let length: UInt64

        init(_ bytes: UnsafeRawBufferPointer) throws {
            var reader = ByteReader(bytes)
            kind = AnswerKind(rawValue: try reader.integer())
            layer = Int(try reader.integer(UInt32.self))
            length = try reader.integer()
        }
    }

    /// Bytes that an answer may have.
    private func largest(_ kind: AnswerKind) -> Int {
        let limits = request.limits
        switch kind {
        case .contained: return 2
        case .begun, .verified: return 0
        case .progress: return 8
        case .error: return 1 << 20
        // Names and contents with their limits; columns, attributes and notes beside them.
        case .layer: return Int(min(limits[.nameBytes] + limits[.keptContents] + (2 << 30), 8 << 30))
        }
    }

    /// - Returns: whether the work has come forward.
    private mutating func take(
        _ kind: AnswerKind, _ layer: Int, _ payload: UnsafeRawBufferPointer
    ) throws -> Bool {
        switch kind {
        case .contained:
            guard containment == nil else { throw MalformedBytes() }
            var reader = ByteReader(payload)
            containment = try Containment(from: &reader)
            return true
        case .progress:
            var reader = ByteReader(payload)
            let bytes = try reader.integer(Int64.self)
            guard bytes > bytesRead else { return false }
            progress?.add(Int(bytes - bytesRead))
            bytesRead = bytes
            return true
        case .begun:
            guard request.inputs.indices.contains(layer), begun.insert(layer).inserted else {
                throw MalformedBytes()
            }
            return true
        case .layer:
            guard begun.contains(layer), layers[layer] == nil, results[layer] == nil else {
                throw MalformedBytes()
            }
            let indexed = try LayerReader.IndexedLayer(serialized: payload, limits: request.limits)
            guard indexed.isClaimed(by: request.inputs[layer]) else { throw MalformedBytes() }
            try kept.add(indexed.table.keptBytes)
            layers[layer] = indexed
            receiver.indexed(layer, payload)
            if layers.count == request.inputs.count {
                receiver.ready(request.inputs.indices.compactMap { layers[$0] })
            }
            return true
        case .verified:
            guard layers[layer] != nil, results[layer] == nil else { throw MalformedBytes() }
            results[layer] = .success(())
            progress?.endLayer()
            receiver.verified(layer)
            return true
        case .error:
            guard begun.contains(layer), results[layer] == nil else { throw MalformedBytes() }
            results[layer] = .failure(try ReaderSession.error(payload))
            progress?.endLayer()
            return true
        }
    }

    private static func error(_ payload: UnsafeRawBufferPointer) throws -> LayerError {
        var reader = ByteReader(payload)
        guard let kind = LayerError.Kind(rawValue: String(decoding: try reader.counted(), as: UTF8.self))
        else { throw MalformedBytes() }
        let message = try reader.message()
        try reader.end()
        return LayerError(kind, message)
    }

    /// What came of each layer. Where the process ended too early, the layers that it was reading say why.
    var outcomes: [Result<Void, LayerError>] {
        let failure = failure ?? LayerError(.reader, "the process that reads layers has not read it")
        let unfinished = begun.filter { results[$0] == nil }.sorted()
        return request.inputs.indices.map { layer in
            if let result = results[layer] { return result }
            let names = (unfinished.isEmpty ? [layer] : unfinished).map { request.inputs[$0].name }
            return .failure(failure.inLayer(names.joined(separator: " or ")))
        }
    }
}
