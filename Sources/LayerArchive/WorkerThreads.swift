import Dispatch
import Glibc
import Synchronization

/// Threads of their own for work that waits for each other's buffers: the shared pools have no more threads than
/// cores, and one that is busy with something else would leave a reader without its helper.
enum WorkerThreads {
    /// Runs `body` on `count` threads at once and returns when all have ended. With fewer threads, where the
    /// system gives no more, `body` runs that much less often, and at least once.
    static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let team = Team(size: max(1, count), body: body, completion: { continuation.resume() })
            for _ in 0..<team.size where !start(team) { team.leave() }
        }
    }

    private static func start(_ team: Team) -> Bool {
        var thread = pthread_t()
        let reference = Unmanaged.passRetained(team)
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Team>.fromOpaque(argument).takeRetainedValue().work() }
                return nil
            }, reference.toOpaque())
        guard code == 0 else {
            reference.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private final class Team: Sendable {
        let size: Int
        private let body: @Sendable () -> Void
        private let completion: @Sendable () -> Void
        private let state: Mutex<(left: Int, hasWorked: Bool)>

        init(size: Int, body: @escaping @Sendable () -> Void, completion: @escaping @Sendable () -> Void) {
            self.size = size
            self.body = body
            self.completion = completion
            state = Mutex((left: size, hasWorked: false))
        }

        func work() {
            state.withLock { $0.hasWorked = true }
            body()
            leave()
        }

        /// One thread less; the last one ends the work, and does it where no thread could be made.
        func leave() {
            let (isLast, mustWork) = state.withLock { state in
                state.left -= 1
                return (state.left == 0, state.left == 0 && !state.hasWorked)
            }
            guard isLast else { return }
            guard mustWork else { return completion() }
            DispatchQueue.global().async {
                self.body()
                self.completion()
            }
        }
    }
}
