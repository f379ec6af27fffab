import Dispatch
import Glibc
import Synchronization

/// Threads of their own for work that waits for each other's buffers: the shared pools have no more threads than
/// cores, and one that is busy with something else would leave a reader without its helper.
enum WorkerThreads {
    /// Runs `body` on `count` threads at once and returns when all have ended. With fewer threads, where the
    /// system gives no more, `body` runs that much less often, and at least once.
    ///
    /// - Parameter setUp: is run first on each of the threads, and on no thread that does other work later.
    static func run(
        _ count: Int, setUp: @escaping @Sendable () -> Void = {}, _ body: @escaping @Sendable () -> Void
    ) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            start(count, setUp: setUp, body) { continuation.resume() }
        }
    }

    /// As `run`, but returns at once; `completion` is called when all have ended.
    static func start(
        _ count: Int, setUp: @escaping @Sendable () -> Void = {}, _ body: @escaping @Sendable () -> Void,
        completion: @escaping @Sendable () -> Void
    ) {
        let team = Team(size: max(1, count), setUp: setUp, body: body, completion: completion)
        for _ in 0..<team.size where !startThread(team) { team.leave() }
    }

    private static func startThread(_ team: Team) -> Bool {
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
        private let setUp: @Sendable () -> Void
        private let body: @Sendable () -> Void
        private let completion: @Sendable () -> Void
        private let state: Mutex<(left: Int, hasWorked: Bool)>

        init(
            size: Int, setUp: @escaping @Sendable () -> Void, body: @escaping @Sendable () -> Void,
            completion: @escaping @Sendable () -> Void
        ) {
            self.size = size
            self.setUp = setUp
            self.body = body
            self.completion = completion
            state = Mutex((left: size, hasWorked: false))
        }

        func work() {
            state.withLock { $0.hasWorked = true }
            setUp()
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
