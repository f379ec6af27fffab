import Glibc

/// A lock with one condition. Used where threads hand buffers to each other; nothing waits in it for the
/// outside world.
final class Monitor: @unchecked Sendable {
    // Heap cells: POSIX forbids moving a mutex, and Swift may move a stored property.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Inside `withLock`: waits for `signalAll`.
    func wait() { pthread_cond_wait(condition, mutex) }

    func signalAll() { pthread_cond_broadcast(condition) }
}
