import Glibc
import ImageSource
import LayerArchive
import Runner
import Verdict

/// Says on standard error what a run is doing.
///
/// On a terminal that is one line, from half a second on, which is gone when the run is over. Elsewhere it is a line for
/// each phase, from five seconds on: whoever looks at a log wants to know where the time went, and nothing of runs
/// that take none.
struct ProgressDisplay: Sendable {
    private let task: Task<Void, Never>

    private init(_ progress: RunProgress) {
        if let width = Console.width(of: STDERR_FILENO), Console.environment("CI") == nil {
            task = Task.detached { await ProgressDisplay.showLine(progress, width: width) }
        } else {
            task = Task.detached { await ProgressDisplay.notePhases(progress) }
        }
    }

    /// Shows what `work` does as long as it lasts, however it ends.
    static func during<Value: Sendable>(_ work: (RunProgress) async throws -> Value) async throws -> Value {
        let progress = RunProgress()
        let display = ProgressDisplay(progress)
        do {
            let value = try await work(progress)
            await display.finish()
            return value
        } catch {
            await display.finish()
            throw error
        }
    }

    private func finish() async {
        task.cancel()
        await task.value
    }

    private static func showLine(_ progress: RunProgress, width: Int) async {
        try? await Task.sleep(for: .milliseconds(500))
        while !Task.isCancelled {
            if let state = progress.state {
                let line = ProgressText.line(state, at: .now)
                Console.standardError(Console.clearedLine + String(line.prefix(width - 1)))
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
        Console.standardError(Console.clearedLine)
    }

    private static func notePhases(_ progress: RunProgress) async {
        var noted = 0
        try? await Task.sleep(for: .seconds(5))
        while !Task.isCancelled {
            if let state = progress.state, state.number > noted {
                noted = state.number
                Console.note(ProgressText.note(state.phase))
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }
}

/// The words of the progress.
enum ProgressText {
    /// A phase, once.
    static func note(_ phase: RunProgress.Phase) -> String {
        switch phase {
        case .layers(let what, let bytes, let count, _):
            "\(what): \(ByteCount(bytes)) in \(count) layer\(count == 1 ? "" : "s")"
        case .probes(let image, let count): "running \(count) scenario\(count == 1 ? "" : "s") on \(image)"
        }
    }

    /// How far a phase has come. What it is done to comes last: a name may be long, and the line is cut at the width
    /// of the terminal.
    static func line(_ state: RunProgress.State, at now: ContinuousClock.Instant) -> String {
        let elapsed = state.began.duration(to: now)
        switch state.phase {
        case .layers(let what, let total, let count, let progress):
            let done = min(progress.bytesRead, total)
            let percent = total > 0 ? done * 100 / total : 100
            return "\(min(progress.layersRead, count)) of \(count) layers, "
                + "\(ByteCount(done)) of \(ByteCount(total)), \(percent) %"
                + timeLeft(elapsed, share: total > 0 ? Double(done) / Double(total) : 1) + "; \(what)"
        case .probes(let image, let count):
            let running = state.running.map { "\($0.scenario) \(seconds($0.began.duration(to: now)))" }
            return "\(state.ended) of \(count) scenarios"
                + timeLeft(elapsed, share: count > 0 ? Double(state.ended) / Double(count) : 1)
                + (running.isEmpty ? "" : "; now " + running.joined(separator: ", ")) + "; running \(image)"
        }
    }

    /// As long as it took so far, by what is left; nothing before there is anything to go by.
    private static func timeLeft(_ elapsed: Duration, share: Double) -> String {
        guard elapsed > .seconds(1), share > 0.02, share < 1 else { return "" }
        return ", \(seconds(elapsed * ((1 - share) / share))) left"
    }

    private static func seconds(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        return seconds < 100 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
    }
}

extension RunProgress {
    /// Begins the phase that passes the layers of an image by.
    func begin(_ what: String, _ image: Image) -> ReadProgress {
        let passed = ReadProgress()
        begin(.layers(what, bytes: image.layerBytes, count: image.layerInputs.count, passed))
        return passed
    }
}
