import Foundation
import FuzzTargets
import Testing

/// What libFuzzer runs for hours stands on its seeds, and on cuts and flips of them.
@Suite("Fuzz targets") struct FuzzTargetTests {
    @Test("seeds break nothing, whole, cut or with a bit flipped", arguments: FuzzTarget.allCases)
    func seeds(of target: FuzzTarget) async {
        #expect(!target.seeds.isEmpty)
        // A target waits for tasks, which no thread of the tests' own pool may do.
        let problems = await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: Self.problems(of: target)) }.start()
        }
        #expect(problems == [])
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
