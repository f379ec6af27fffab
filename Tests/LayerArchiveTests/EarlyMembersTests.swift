import AssayTestSupport
import Foundation
import Glibc
import OCIModel
import Synchronization
import Testing

@testable import LayerArchive

/// What a plain layer holds is known before its digest.
@Suite("Members ahead of the digest") struct EarlyMembersTests {
    private struct Stop: Error {}

    @Test("what is made of layers counts when they are what is claimed of them", arguments: [false, true])
    func verified(isCompressed: Bool) async throws {
        let plain = sampleTar(files: 3)
        let input = try LayerFixture(plain: plain, blob: isCompressed ? gzipped(plain) : plain)
        let count = try await LayerReader.index([input.input], plan: ContentPlan()) { layers, verification in
            try await verification.wait()
            return layers[0].table.count
        }
        #expect(count == 4)
        await #expect(throws: Stop.self) {
            try await LayerReader.index([input.input], plan: ContentPlan()) { _, _ in throw Stop() }
        }
    }

    @Test("and not when one of them is another, whatever was made of it", arguments: [false, true])
    func refused(fails: Bool) async throws {
        let good = try LayerFixture(plain: sampleTar(files: 2))
        let plain = sampleTar(files: 3)
        let wrong = try LayerFixture(blob: plain, diffID: try Digester.digest(of: plain + [0]))
        let waits = Mutex(0)
        await #expect {
            try await LayerReader.index([good.input, wrong.input], plan: ContentPlan()) {
                layers, verification in
                #expect(layers.map(\.table.count) == [3, 4])
                await #expect(throws: LayerError.self) { try await verification.wait() }
                waits.withLock { $0 += 1 }
                if fails { throw Stop() }
            }
        } throws: { ($0 as? LayerError)?.kind == .digestMismatch }
        #expect(waits.withLock { $0 } == 1)
    }

    @Test("nothing is made of layers of which one cannot be read")
    func damaged() async throws {
        let good = try LayerFixture(plain: sampleTar(files: 2))
        let plain = sampleTar(files: 3)
        let cut = Array(plain[..<5_000])
        let bad = try LayerFixture(plain: cut)
        await #expect {
            try await LayerReader.index([good.input, bad.input], plan: ContentPlan()) { _, _ in
                Issue.record("was given layers")
            }
        } throws: { ($0 as? LayerError)?.kind == .truncated }
    }

    /// What happens to the file of a layer while it is read.
    enum Change: CaseIterable { case none, name, bytes }

    @Test(
        "a file that changes while it is looked at twice has to be read again, in one pass",
        arguments: Change.allCases, [false, true])
    func changes(change: Change, inOnePass: Bool) async throws {
        let fixture = try LayerFixture(plain: sampleTar(files: 3))
        let path = fixture.directory.path + "/layer"
        let count = Mutex(0)
        let indexing = Indexing(
            inputs: [fixture.input], plan: ContentPlan(), settings: .init(), progress: nil, keys: [nil],
            isRefused: [false], inOnePass: inOnePass)
        let verified = await indexing.run { layers in
            count.withLock { $0 = layers[0].table.count }
            switch change {
            case .none: break
            // As a backup does: the state of the file changes, its bytes do not. Some systems count time in hundredths.
            case .name:
                usleep(30_000)
                #expect(link(path, path + "-too") == 0)
            // Behind what is read: only the state of the file tells.
            case .bytes:
                let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
                #expect(write(descriptor, [1], 1) == 1)
                close(descriptor)
            }
        }
        #expect(count.withLock { $0 } == 4)
        #expect(verified.hasToBeRepeated == (change != .none && !inOnePass))
        try verified.check()
    }

    @Test("an archive is the same read with its data and without them")
    func same() async throws {
        var whole = TarBuilder()
        whole.add("a/", .directory)
        whole.add("a/passwd", content: Array("root".utf8))
        whole.add("large", content: [UInt8](repeating: 7, count: 300_000))
        whole.add("liba.so", content: ELF(name: "liba.so.1", needed: ["libc.so.6"]).bytes)
        whole.add(String(repeating: "n/", count: 200), content: [UInt8](repeating: 8, count: 20_000))
        whole.add("last", content: [UInt8](repeating: 9, count: 70_000))
        let plain = whole.archive
        let archives = [
            plain, plain + [UInt8](repeating: 0, count: 40_000), plain + [1], plain + plain,
            plain + [UInt8](repeating: 0, count: 300_000) + [1],
            Array(plain[..<(plain.count - 1_024)]), Array(plain[..<(plain.count - 1_024 - 512)]),
            Array(plain[..<100_000]), Array(plain[..<1_536]), Array(plain[..<1_540]),
            // The checksum of the third header.
            plain.enumerated().map { $0.offset == 2_048 + 150 ? $0.element ^ 1 : $0.element },
        ]
        let plan = ContentPlan([
            .init(.path("/a/passwd")), .init(.path("/last")),
            .init(.suffix(Array(".so".utf8)), keeps: .linkage),
        ])
        var kinds: Set<String> = []
        for (number, archive) in archives.enumerated() {
            var outcomes: [String] = []
            for blob in [archive, gzipped(archive)] {
                do {
                    let layer = try await LayerFixture(plain: archive, blob: blob).index(plan: plan)
                    let names = (0..<layer.table.count).map { escaped(layer.table.path(at: $0)) }
                    let notes = layer.summary.oddities.list.map(\.message)
                    outcomes.append(
                        "\(names) \(layer.table.contents) \(layer.table.linkages) \(notes) "
                            + "\(layer.summary.uncompressedSize)")
                    kinds.insert("read")
                } catch let error as LayerError {
                    outcomes.append("\(error)")
                    kinds.insert(error.kind.rawValue)
                }
            }
            #expect(outcomes[0] == outcomes[1], "archive \(number)")
        }
        #expect(kinds.isSuperset(of: ["read", "truncated", "corrupt"]), "\(kinds)")
    }
}
