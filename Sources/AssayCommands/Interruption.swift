import Dispatch
import Glibc
import Synchronization
import Verdict

/// Calls a handler once when the user or the system asks the process to end (SIGINT, SIGTERM).
final class Interruption: Sendable {
    private let isOver = Mutex(false)

    init(handler: @escaping @Sendable (ExitDecision) async -> Void) {
        for (number, decision) in [(SIGINT, ExitDecision.interrupted), (SIGTERM, .terminated)] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            // The handler keeps its source alive: it watches as long as the process lasts.
            source.setEventHandler {
                withExtendedLifetime(source) {
                    guard self.end() else { return }
                    Task { await handler(decision) }
                }
            }
            source.resume()
        }
    }

    /// From here on a signal changes nothing: the run is over, or another signal has ended it.
    ///
    /// - Returns: false when it was over before.
    @discardableResult
    func end() -> Bool {
        isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
    }

    /// Signals change nothing while `work` goes on, so that it leaves no temporary file. After it they end the process
    /// as any other.
    static func holdingOff<Value>(_ work: () -> Value) -> Value {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_IGN) }
        defer {
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
        return work()
    }
}
