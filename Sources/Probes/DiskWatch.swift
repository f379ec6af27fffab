import Synchronization

/// Looks again and again at how much is written where nothing bounds it.
final class DiskWatch: Sendable {
    private let wasExceeded = Atomic<Bool>(false)
    private let task: Mutex<Task<Void, Never>?> = Mutex(nil)

    /// - Parameters:
    ///   - limit: bytes.
    ///   - interval: how long nothing is looked at in between.
    ///   - size: the bytes at a moment; nil when that cannot be told then.
    ///   - onExcess: called once, when it is more than the limit; nothing is looked at any more.
    init(
        limit: Int64, every interval: Duration = .seconds(1), size: @escaping @Sendable () async -> Int64?,
        onExcess: @escaping @Sendable () async -> Void = {}
    ) {
        let task = Task { [weak self] in
            while (try? await Task.sleep(for: interval)) != nil {
                guard let bytes = await size(), bytes > limit else { continue }
                self?.wasExceeded.store(true, ordering: .relaxed)
                return await onExcess()
            }
        }
        self.task.withLock { $0 = task }
    }

    var isExceeded: Bool { wasExceeded.load(ordering: .relaxed) }

    func stop() { task.withLock { $0 }?.cancel() }

    deinit { stop() }

    /// The bytes that files below directories take on the disk, as far as they can be seen.
    static func usage(of paths: [String]) async -> Int64? {
        let program = OCIRuntime.mapping + ["du", "--summarize", "--total", "--block-size=1", "--"] + paths
        let lines = try? await RunningProgram.complete(program).output.split(separator: "\n")
        return lines?.last?.split(separator: "\t").first.flatMap { Int64($0) }
    }
}
