import Synchronization
import Verdict

/// The beginning of what a program writes. It goes on taking more, so that nothing is held up by the bound.
final class OutputBuffer: Sendable {
    private let content = Mutex<(bytes: [UInt8], count: Int64)>(([], 0))
    /// Bytes that are kept.
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func append(_ bytes: RawSpan) {
        content.withLock { content in
            content.count += Int64(bytes.byteCount)
            let taken = min(bytes.byteCount, max(0, limit - content.bytes.count))
            for index in 0..<taken {
                content.bytes.append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            }
        }
    }

    /// The beginning that is kept.
    var bytes: [UInt8] { content.withLock { $0.bytes } }

    /// All bytes that were written.
    var count: Int64 { content.withLock { $0.count } }

    var output: ContainerTranscript.Output {
        content.withLock { content in
            ContainerTranscript.Output(
                text: String(decoding: content.bytes, as: UTF8.self), byteCount: content.count,
                isTruncated: content.count > Int64(content.bytes.count))
        }
    }
}
