import Glibc
import OCIModel
import Synchronization

/// A named pipe that Assay holds open: a program that reads from it sees its end when Assay cuts it, or ends itself,
/// however that comes.
final class Lifeline: Sendable {
    private let descriptor: Mutex<Int32>

    /// - Parameter path: where the pipe is made.
    init(at path: String) throws(ProbeError) {
        guard mkfifo(path, 0o600) == 0 else { throw Lifeline.failure(path) }
        // Open for both, so that nobody has to be reading yet.
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Lifeline.failure(path) }
        self.descriptor = Mutex(descriptor)
    }

    private static func failure(_ path: String) -> ProbeError {
        ProbeError(.runtime, "\(escaped(path)): \(String(cString: strerror(errno)))")
    }

    /// Writes a few bytes for whoever reads from it.
    func send(_ text: String) throws(ProbeError) {
        let bytes = Array(text.utf8)
        let written = descriptor.withLock { write($0, bytes, bytes.count) }
        guard written == bytes.count else {
            throw ProbeError(.runtime, "cannot write to a pipe: \(String(cString: strerror(errno)))")
        }
    }

    func cut() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    deinit { cut() }
}
