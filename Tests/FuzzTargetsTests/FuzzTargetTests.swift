import Foundation
import FuzzTargets
import Testing

/// What libFuzzer runs for hours stands on its seeds, on cuts and flips of them, and on some thousand changes of them
/// at random.
@Suite("Fuzz targets") struct FuzzTargetTests {
    @Test("seeds break nothing, whole, cut or with a bit flipped", arguments: FuzzTarget.allCases)
    func seeds(of target: FuzzTarget) async {
        #expect(!target.seeds.isEmpty)
        let problems = await Self.onThread { Self.problems(of: target) }
        #expect(problems == [])
    }

    /// The same inputs in every run. Where one ends the process, its file stays: `assay-fuzz-TARGET` in the directory
    /// for temporary files, which `FUZZ_TARGET=TARGET assay-fuzzer FILE` runs again.
    @Test("seeds changed at random break nothing", arguments: FuzzTarget.allCases)
    func mutations(of target: FuzzTarget) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "assay-fuzz-\(target.rawValue)")
        let seeds = target.seeds
        // Those that write a file for each input, and merge and analyse an image, take longer.
        let count = [.layer, .archive, .elf].contains(target) ? 300 : 2_000
        let problems = await Self.onThread {
            (0..<count).compactMap { number -> String? in
                let input = Mutation.input(number, of: seeds)
                guard (try? Data(input).write(to: file)) != nil else {
                    return "\(file.path) cannot be written"
                }
                return target.run(input).map { "mutation \(number) of \(target.rawValue): \($0)" }
            }
        }
        #expect(problems == [])
        try FileManager.default.removeItem(at: file)
    }

    @Test("mutations are the same in every run, and differ from their seeds and each other")
    func repeatable() {
        let seeds = FuzzTarget.requirements.seeds
        let inputs = (0..<200).map { Mutation.input($0, of: seeds) }
        #expect(inputs == (0..<200).map { Mutation.input($0, of: seeds) })
        #expect(Set(inputs).count > 150)
        #expect(inputs.count { seeds.contains($0) } < 20)
    }

    /// A target waits for tasks, which no thread of the tests' own pool may do.
    private static func onThread(_ body: @escaping @Sendable () -> [String]) async -> [String] {
        await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: body()) }.start()
        }
    }

    private static func problems(of target: FuzzTarget) -> [String] {
        var inputs: [[UInt8]] = [[]]
        for seed in target.seeds where !seed.isEmpty {
            inputs.append(seed)
            for place in stride(from: 0, to: seed.count, by: max(1, seed.count / 20)) {
                inputs.append(Array(seed[..<place]))
                var flipped = seed
                flipped[place] ^= 1 << UInt8(place % 8)
                inputs.append(flipped)
            }
        }
        return inputs.compactMap { target.run($0) }
    }
}
