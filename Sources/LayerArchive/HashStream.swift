import OCIModel

/// A stream of buffers that is digested in order, by the thread that fills them or by a helper that has no
/// layer of its own left.
///
/// The buffers form a ring. The producer fills a slot, hands it on (to the decoder or to libarchive, which look
/// at it until the next one is asked for) and fills the next; a slot is filled again only when it is digested.
final class HashStream: @unchecked Sendable {
    private let crew: HashCrew
    private let slots: [UnsafeMutableRawBufferPointer]
    // Guarded by the crew's monitor, but for the contents of slots, which belong to one thread at a time.
    private var lengths: [Int]
    private var produced = 0
    private var digested = 0
    private var isDigesting = false
    private let digesters: [(algorithm: Digest.Algorithm, digester: Digester)]

    init(crew: HashCrew, slotCount: Int, slotSize: Int, algorithms: Set<Digest.Algorithm>) {
        self.crew = crew
        slots = (0..<slotCount).map { _ in
            UnsafeMutableRawBufferPointer.allocate(byteCount: slotSize, alignment: 4096)
        }
        lengths = Array(repeating: 0, count: slotCount)
        digesters = algorithms.map { ($0, Digester($0)) }
        crew.add(self)
    }

    deinit { slots.forEach { $0.deallocate() } }

    /// Pending buffers; inside the crew's lock.
    var pendingCount: Int { isDigesting ? 0 : produced - digested }

    /// Fills the next slot and queues it for digesting.
    ///
    /// - Parameter fill: writes into the slot and returns the number of bytes written; 0 at the end.
    /// - Returns: the filled part of the slot, valid until the next call; empty at the end.
    func next<Failure: Error>(
        _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> UnsafeRawBufferPointer {
        waitForSlot()
        let slot = slots[produced % slots.count]
        let count = try fill(slot)
        let filled = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(slot)[..<count])
        if count > 0 { submit(count) }
        return filled
    }

    private func waitForSlot() {
        let mustDigest = crew.monitor.withLock {
            while produced - digested >= slots.count {
                if !isDigesting { return true }
                crew.monitor.wait()
            }
            return false
        }
        if mustDigest { digestPending() }
    }

    private func submit(_ count: Int) {
        let digestsItself = crew.monitor.withLock {
            lengths[produced % slots.count] = count
            produced += 1
            guard crew.idleHelpers > 0 else { return !isDigesting }
            if pendingCount >= HashCrew.helperThreshold { crew.monitor.signalAll() }
            return false
        }
        if digestsItself { digestPending() }
    }

    /// What a buffer was filled with; inside the crew's lock, since the lengths of others change.
    private func filled(_ position: Int) -> UnsafeRawBufferPointer {
        let slot = position % slots.count
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(slots[slot])[..<lengths[slot]])
    }

    /// Digests what is pending, unless another thread is at it.
    func digestPending() {
        while true {
            let batch: [UnsafeRawBufferPointer]? = crew.monitor.withLock {
                guard !isDigesting, digested < produced else { return nil }
                isDigesting = true
                // Few at a time, so that the producer gets slots back while the rest is digested.
                return (digested..<min(produced, digested + 2 * HashCrew.helperThreshold)).map(filled)
            }
            guard let batch else { return }
            for bytes in batch {
                for (_, digester) in digesters { digester.update(bytes) }
            }
            crew.monitor.withLock {
                digested += batch.count
                isDigesting = false
                crew.monitor.signalAll()
            }
        }
    }

    /// The digests of the whole stream, by algorithm. The stream takes no more after this.
    func finish() throws(ModelError) -> [Digest.Algorithm: Digest] {
        digestPending()
        crew.monitor.withLock {
            while digested < produced { crew.monitor.wait() }
        }
        crew.remove(self)
        var digests: [Digest.Algorithm: Digest] = [:]
        for (algorithm, digester) in digesters { digests[algorithm] = try digester.finish() }
        return digests
    }

    /// Ends a stream whose layer could not be read.
    func abandon() {
        crew.monitor.withLock {
            while isDigesting { crew.monitor.wait() }
            digested = produced
        }
        crew.remove(self)
    }
}

/// The threads that have no layer left and help to digest those of others.
final class HashCrew: @unchecked Sendable {
    /// Buffers that must be pending before a helper is woken: waking costs more than digesting one.
    static let helperThreshold = 4

    let monitor = Monitor()
    // Guarded by the monitor.
    private var streams: [HashStream] = []
    private var runningLayers = 0
    private(set) var idleHelpers = 0

    init(layers: Int) { runningLayers = layers }

    func add(_ stream: HashStream) { monitor.withLock { streams.append(stream) } }

    func remove(_ stream: HashStream) { monitor.withLock { streams.removeAll { $0 === stream } } }

    func layerEnded() {
        monitor.withLock {
            runningLayers -= 1
            monitor.signalAll()
        }
    }

    /// Helps until the last layer has ended.
    func help() {
        while true {
            let stream: HashStream? = monitor.withLock {
                idleHelpers += 1
                defer { idleHelpers -= 1 }
                while runningLayers > 0 {
                    if let busiest = streams.max(by: { $0.pendingCount < $1.pendingCount }),
                        busiest.pendingCount >= HashCrew.helperThreshold
                    {
                        return busiest
                    }
                    monitor.wait()
                }
                return nil
            }
            guard let stream else { return }
            stream.digestPending()
        }
    }
}
