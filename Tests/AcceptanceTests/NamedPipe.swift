import AssayTestSupport
import Foundation
import Glibc
import Synchronization

/// A pipe both ends of which are the test's. Unlike those of `pipe`, no program that another test starts at the same time
/// inherits them, and ends stay as closed as the test has them.
final class NamedPipe: Sendable {
    let reading: Int32
    let writing: Int32
    private let directory: TemporaryDirectory
    private let isReadingClosed = Mutex(false)

    init() throws {
        directory = try TemporaryDirectory()
        let path = directory.path + "/pipe"
        guard mkfifo(path, 0o600) == 0 else { throw ToolError(description: String(cString: strerror(errno))) }
        // Without O_NONBLOCK it would wait for a writer.
        reading = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        writing = open(path, O_WRONLY | O_CLOEXEC)
        guard reading >= 0, writing >= 0, fcntl(reading, F_SETFL, 0) == 0 else {
            throw ToolError(description: "\(path): \(String(cString: strerror(errno)))")
        }
        // A reader that is gone is seen by what write returns.
        signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        closeReading()
        close(writing)
    }

    func closeReading() {
        isReadingClosed.withLock { isClosed in
            if !isClosed { close(reading) }
            isClosed = true
        }
    }

    /// Returns when all but what the pipe holds has been read by somebody else. It has no end that a reader could see.
    func fill(bytes: Int) async throws {
        // The program has its own: writing fails when it ends.
        closeReading()
        let isWritten = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let block = [UInt8](repeating: 0x20, count: 4096)
                var rest = bytes
                while rest > 0 {
                    let count = write(self.writing, block, min(rest, block.count))
                    if count < 0, errno != EINTR { break }
                    rest -= max(0, count)
                }
                continuation.resume(returning: rest == 0)
            }
        }
        guard isWritten else { throw ToolError(description: "the reader of the pipe is gone") }
    }
}
