import Glibc
import ImageSource
import LayerArchive
import Synchronization

/// One line on standard error that says how much of an image has been read; gone when the reading is done.
/// Nothing appears where standard error is no terminal, or within the first half second.
struct ProgressLine: Sendable {
    private let task: Task<Void, Never>?

    init(label: String, total: Int64, progress: ReadProgress) {
        guard let width = Console.width(of: STDERR_FILENO), Console.environment("CI") == nil else {
            task = nil
            return
        }
        task = Task.detached {
            try? await Task.sleep(for: .milliseconds(500))
            while !Task.isCancelled {
                let done = progress.bytesRead
                let percent = total > 0 ? min(100, done * 100 / total) : 100
                let text = "\(label): \(ByteCount(done)) of \(ByteCount(total)), \(percent) %"
                Console.standardError("\r\u{1B}[K" + String(text.prefix(width - 1)))
                try? await Task.sleep(for: .milliseconds(100))
            }
            Console.standardError("\r\u{1B}[K")
        }
    }

    func finish() async {
        task?.cancel()
        await task?.value
    }

    /// Shows a line as long as `work` lasts, however it ends.
    static func during<Value>(
        _ label: String, total: Int64, _ work: (ReadProgress) async throws -> Value
    ) async throws -> Value {
        let progress = ReadProgress()
        let line = ProgressLine(label: label, total: total, progress: progress)
        do {
            let value = try await work(progress)
            await line.finish()
            return value
        } catch {
            await line.finish()
            throw error
        }
    }
}

/// A number of bytes in a unit that reads well: decimal units, as registries and disks count.
struct ByteCount: CustomStringConvertible {
    let bytes: Int64

    init(_ bytes: Int64) { self.bytes = bytes }

    var description: String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1_000 { return unit == "B" ? "\(bytes) B" : "\(oneDecimal(value)) \(unit)" }
            value /= 1_000
        }
        return "\(oneDecimal(value)) TB"
    }

    private func oneDecimal(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// A progress line that begins when the image is known.
final class ProgressLineHolder: Sendable {
    private let line = Mutex<ProgressLine?>(nil)

    /// Shows a line from when the image is known until `work` ends, however it ends.
    static func during<Value: Sendable>(
        _ work: (_ start: @escaping @Sendable (Image, ReadProgress) -> Void) async throws -> Value
    ) async throws -> Value {
        let holder = ProgressLineHolder()
        do {
            let value = try await work { image, progress in
                holder.start(
                    ProgressLine(
                        label: "reading \(image.name)", total: image.layerBytes, progress: progress))
            }
            await holder.finish()
            return value
        } catch {
            await holder.finish()
            throw error
        }
    }

    private func start(_ new: ProgressLine) { line.withLock { $0 = new } }

    private func finish() async {
        await line.withLock { $0 }?.finish()
    }
}
