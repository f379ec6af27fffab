import Foundation
import Synchronization
import Testing

@testable import LayerArchive

/// Threads that are held to something, and what goes on after them.
@Suite struct WorkerThreadsTests {
    /// The mode of seccomp of the calling thread, proc_pid_status(5).
    private static func filters() -> String? {
        let status = try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
        return status?.split(separator: "\n").first { $0.hasPrefix("Seccomp:") }.map(String.init)
    }

    @Test("what goes on when all have ended is not held to what they are")
    func completion() async {
        let seen = Mutex<(within: [String?], after: String?)>(([], nil))
        let outside = WorkerThreadsTests.filters()
        await withCheckedContinuation { continuation in
            WorkerThreads.start(
                2,
                setUp: {
                    let root = open("/proc", O_RDONLY | O_DIRECTORY)
                    Containment.confineThread(to: root)
                    close(root)
                },
                { seen.withLock { $0.within.append(WorkerThreadsTests.filters()) } },
                completion: {
                    seen.withLock { $0.after = WorkerThreadsTests.filters() }
                    continuation.resume()
                })
        }
        let (within, after) = seen.withLock { $0 }
        #expect(within.count == 2 && within.allSatisfy { $0 != nil && $0 != outside })
        #expect(after == outside)
    }

    @Test("it is run on each of the threads")
    func run() async {
        let runs = Mutex(0)
        await WorkerThreads.run(3) { runs.withLock { $0 += 1 } }
        #expect(runs.withLock { $0 } == 3)
    }
}
