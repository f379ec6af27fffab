import LayerArchive
import Synchronization

/// What a run is doing, for whoever shows it while it lasts.
public final class RunProgress: Sendable {
    /// One of the parts of a run that take time.
    public enum Phase: Sendable {
        /// The layers of an image pass by: what is done with them, as "reading oci:airflow", bytes of their blobs, how
        /// many they are, and what has passed so far.
        case layers(String, bytes: Int64, count: Int, ReadProgress)
        /// Scenarios run on an image.
        case probes(image: String, count: Int)
    }

    public struct State: Sendable {
        public var phase: Phase
        /// From 1; another one for each phase.
        public var number: Int
        public var began: ContinuousClock.Instant
        /// Scenarios that have ended.
        public var ended = 0
        /// Scenarios that run, in the order in which they began.
        public var running: [(scenario: String, began: ContinuousClock.Instant)] = []

        public init(phase: Phase, number: Int, began: ContinuousClock.Instant) {
            self.phase = phase
            self.number = number
            self.began = began
        }
    }

    private let current = Mutex<State?>(nil)

    public init() {}

    /// Nil before the first phase.
    public var state: State? { current.withLock { $0 } }

    public func begin(_ phase: Phase) {
        current.withLock { state in
            state = State(phase: phase, number: (state?.number ?? 0) + 1, began: .now)
        }
    }

    func beginScenario(_ name: String) {
        current.withLock { $0?.running.append((name, .now)) }
    }

    func endScenario(_ name: String) {
        current.withLock { state in
            state?.running.removeAll { $0.scenario == name }
            state?.ended += 1
        }
    }
}
