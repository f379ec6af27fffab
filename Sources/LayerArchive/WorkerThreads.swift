import Dispatch
import Glibc

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
    ///
    /// It is called on a thread that `setUp` has not seen: what goes on then may start threads of the shared pools, and
    /// a thread is held to what its maker is held to.
    static func start(
        _ count: Int, setUp: @escaping @Sendable () -> Void = {}, _ body: @escaping @Sendable () -> Void,
        completion: @escaping @Sendable () -> Void
    ) {
        let threads = (0..<max(1, count)).compactMap { _ in
            thread {
                setUp()
                body()
            }
        }
        let end: @Sendable () -> Void = {
            for thread in threads { pthread_join(thread, nil) }
            if threads.isEmpty { body() }
            completion()
        }
        if let waiting = thread(end) {
            pthread_detach(waiting)
        } else {
            DispatchQueue.global().async(execute: end)
        }
    }

    /// - Returns: nil where the system gives no thread.
    private static func thread(_ work: @escaping @Sendable () -> Void) -> pthread_t? {
        var thread = pthread_t()
        let reference = Unmanaged.passRetained(Work(body: work))
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, reference.toOpaque())
        guard code == 0 else {
            reference.release()
            return nil
        }
        return thread
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
