import CSandbox
import Dispatch
import Glibc
import OCIModel
import Synchronization

/// The process that decodes layers for another one. Before it looks at the first byte of a layer it gives up everything
/// but memory, time and its open descriptors: what a defect of a decoder can do to it ends with it.
///
/// Descriptors: 0 the request, 1 where the answers go, 2 nothing (errors, in a build with a sanitizer), from 3 the files
/// of the blobs.
public enum ReaderService {
    /// Serves one request and ends the process. To be called while the process has one thread.
    public static func run() -> Never {
        // The thread that started it waits for it. Where it was gone before, nobody reads the answers.
        assay_end_with_parent()
        do {
            let file = try RandomAccessFile(takingOver: STDIN_FILENO, name: "request")
            let bytes = try Blob(file: file).bytes(limit: ReaderProcess.requestLimit)
            let request = try bytes.withUnsafeBytes {
                try ReadRequest(serialized: $0) { position, name in
                    try RandomAccessFile(takingOver: ReaderProcess.firstFile + Int32(position), name: name)
                }
            }
            let threads = LayerReader.threadCount
            try prepare()
            let containment = Containment.enter()
            serve(request, threads: threads, containment)
            _exit(0)
        } catch {
            _exit(1)
        }
    }

    /// Has the libraries load what they load when they are used first.
    private static func prepare() throws {
        LayerDecoder.prepare()
        for algorithm in Digest.Algorithm.allCases { _ = try Digester.digest(of: [], algorithm) }
    }

    private static func serve(_ request: ReadRequest, threads: Int, _ containment: Containment) {
        let answers = Answers()
        answers.send(.contained, containment.bytes)
        guard !request.inputs.isEmpty else { return }
        let progress = ReadProgress()
        let ended = DispatchSemaphore(value: 0)
        let handedOver = Atomic<Int>(0)
        let work = LayerReader.indexing(
            request.inputs, plan: request.plan, limits: request.limits, kept: KeptContents(request.limits),
            inOnePass: request.inOnePass, progress: progress
        ) { position, finding in
            switch finding {
            case .begun: answers.send(.begun, layer: position, [])
            case .indexed(let layer):
                answers.send(layer, position)
                handedOver.add(1, ordering: .relaxed)
            case .verified(.success): answers.send(.verified, layer: position, [])
            case .verified(.failure(let error)):
                var writer = ByteWriter()
                writer.text(error.kind.rawValue)
                writer.text(error.message)
                answers.send(.error, layer: position, writer.bytes)
            }
        }
        WorkerThreads.start(threads, work, completion: { ended.signal() })
        // When nobody reads the answers any more, SIGPIPE ends the process.
        while ended.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
            // What was handed over takes memory in the other process now.
            if handedOver.exchange(0, ordering: .relaxed) > 0 { assay_return_freed_memory() }
            var writer = ByteWriter()
            writer.integer(progress.bytesRead)
            answers.send(.progress, writer.bytes)
        }
    }

    /// Answers of several threads, one after another.
    private final class Answers: Sendable {
        private let lock = Mutex(())

        func send(_ kind: AnswerKind, layer: Int = 0, _ payload: [UInt8]) {
            send(kind, layer, size: payload.count) { write in payload.withUnsafeBytes(write) }
        }

        func send(_ layer: LayerReader.IndexedLayer, _ position: Int) {
            let form = LayerReader.IndexedLayer.SerialForm(layer)
            send(.layer, position, size: form.size) { write in form.write(write) }
        }

        /// - Parameter payload: gives its bytes, piece by piece, to what it is given.
        private func send(
            _ kind: AnswerKind, _ layer: Int, size: Int,
            payload: ((UnsafeRawBufferPointer) -> Void) -> Void
        ) {
            var header = ByteWriter()
            header.integer(kind.rawValue)
            header.integer(UInt32(layer))
            header.integer(UInt64(size))
            lock.withLock { _ in
                header.bytes.withUnsafeBytes(Answers.write)
                payload(Answers.write)
            }
        }

        /// Without anybody to answer there is nothing left to do.
        private static func write(_ bytes: UnsafeRawBufferPointer) {
            do {
                try Spool.write(bytes, to: STDOUT_FILENO)
            } catch {
                _exit(1)
            }
        }
    }
}

/// The kinds of answers: a byte, the position of the layer (4 bytes), the length of what follows (8 bytes).
enum AnswerKind: UInt8 {
    /// First of all: what holds the process.
    case contained
    case begun
    /// Bytes of blobs read so far.
    case progress
    /// The serial form of a layer, which may turn out not to be what is claimed of it.
    case layer
    /// Kind and message of an error.
    case error
    /// The layer is what is claimed of it.
    case verified

    static let headerSize = 13
}

/// What of the containment of readers holds on this system, beside the limits that hold everywhere.
public struct Containment: Sendable, Hashable {
    /// System calls are filtered: nothing can be opened, connected or started.
    public let filtersSystemCalls: Bool
    /// Version of Landlock's interface that forbids files, and from version 4 on TCP; nil where there is none.
    public let landlockVersion: Int?

    /// Bytes of data that a reader may have.
    public static let memory = 8 << 30
    /// Seconds of processor time that a reader may take.
    public static let processorTime = 3600

    /// Gives up everything else for this process, for good: no file can be opened, no connection made, no program
    /// started, no other process signalled. To be called while the process has one thread.
    public static func enter() -> Containment {
        let containment = assay_sandbox_enter(UInt64(memory), UInt64(processorTime))
        return Containment(
            filtersSystemCalls: containment.seccomp != 0,
            landlockVersion: containment.landlock > 0 ? Int(containment.landlock) : nil)
    }

    /// Holds the calling thread, for as long as it lasts, to files below an open directory.
    static func confineThread(to directory: Int32) { _ = assay_confine_thread(directory) }

    private init(filtersSystemCalls: Bool, landlockVersion: Int?) {
        self.filtersSystemCalls = filtersSystemCalls
        self.landlockVersion = landlockVersion
    }

    var bytes: [UInt8] { [filtersSystemCalls ? 1 : 0, UInt8(clamping: landlockVersion ?? 0)] }

    init(from reader: inout ByteReader) throws {
        let filters = try reader.flag()
        let version = try reader.integer(UInt8.self)
        self.init(filtersSystemCalls: filters, landlockVersion: version > 0 ? Int(version) : nil)
    }
}
