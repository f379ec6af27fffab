import Testing

@testable import AssayCommands
@testable import LayerArchive
@testable import Runner

@Suite("Words of the progress") struct ProgressTextTests {
    private let begin = ContinuousClock.now

    private func layers(_ bytes: Int64, _ count: Int, _ passed: ReadProgress = ReadProgress())
        -> RunProgress.State
    {
        RunProgress.State(
            phase: .layers("reading oci:x", bytes: bytes, count: count, passed), number: 1, began: begin)
    }

    private func probes(ended: Int, running: [String]) -> RunProgress.State {
        var state = RunProgress.State(phase: .probes(image: "oci:x", count: 8), number: 2, began: begin)
        state.ended = ended
        state.running = running.map { ($0, begin + .seconds(30)) }
        return state
    }

    @Test func layersAreCountedWithTheirBytes() {
        let passed = ReadProgress()
        passed.add(250_000_000)
        passed.endLayer()
        let line = ProgressText.line(layers(1_000_000_000, 4, passed), at: begin + .seconds(3))
        #expect(line == "1 of 4 layers, 250.0 MB of 1.0 GB, 25 %, 9 s left; reading oci:x")
    }

    /// More passes by than was said: a blob is read twice, or is larger than its descriptor says.
    @Test func neverMoreThanAll() {
        let passed = ReadProgress()
        passed.add(20)
        for _ in 0..<3 { passed.endLayer() }
        #expect(
            ProgressText.line(layers(10, 2, passed), at: begin + .seconds(9))
                == "2 of 2 layers, 10 B of 10 B, 100 %; reading oci:x")
        #expect(
            ProgressText.line(layers(0, 0), at: begin + .seconds(9))
                == "0 of 0 layers, 0 B of 0 B, 100 %; reading oci:x")
    }

    @Test func withoutAnythingToGoByThereIsNoTimeLeft() {
        let passed = ReadProgress()
        passed.add(1)
        #expect(!ProgressText.line(layers(1_000, 4, passed), at: begin + .seconds(30)).contains("left"))
        passed.add(499)
        #expect(!ProgressText.line(layers(1_000, 4, passed), at: begin + .milliseconds(900)).contains("left"))
        #expect(
            ProgressText.line(layers(1_000, 4, passed), at: begin + .seconds(200)).hasSuffix(
                ", 3 min 20 s left; reading oci:x"))
    }

    @Test func scenariosAreCountedAndThoseThatRunAreNamed() {
        #expect(
            ProgressText.line(probes(ended: 0, running: ["main", "late"]), at: begin + .seconds(42))
                == "0 of 8 scenarios; now main 12 s, late 12 s; running oci:x")
        #expect(
            ProgressText.line(probes(ended: 6, running: []), at: begin + .seconds(60))
                == "6 of 8 scenarios, 20 s left; running oci:x")
    }

    @Test func aPhaseHasALine() {
        #expect(ProgressText.note(layers(422_700_000, 18).phase) == "reading oci:x: 422.7 MB in 18 layers")
        #expect(ProgressText.note(layers(1, 1).phase) == "reading oci:x: 1 B in 1 layer")
        #expect(ProgressText.note(.probes(image: "oci:x", count: 1)) == "running 1 scenario on oci:x")
    }

    @Test func aPhaseEndsTheOneBefore() throws {
        let progress = RunProgress()
        #expect(progress.state == nil)
        progress.begin(.probes(image: "oci:x", count: 2))
        progress.beginScenario("one")
        progress.beginScenario("two")
        progress.endScenario("one")
        let state = try #require(progress.state)
        #expect(state.number == 1 && state.ended == 1 && state.running.map(\.scenario) == ["two"])
        progress.begin(.probes(image: "oci:y", count: 1))
        #expect(
            progress.state?.number == 2 && progress.state?.ended == 0
                && progress.state?.running.isEmpty == true)
    }
}
