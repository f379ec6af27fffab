import AssayTestSupport
import Foundation
import Glibc
import OCIModel
import Testing

@testable import LayerArchive

/// Layers in files, read through a cache in a directory of the test.
private struct CacheFixture {
    let directory: TemporaryDirectory
    let plan = ContentPlan([.init(.suffix(Array("file1".utf8)), maximumBytes: 1 << 20)])

    init() throws { directory = try TemporaryDirectory() }

    func cache(reader: String = "1") -> LayerCache {
        LayerCache(directory: directory.path + "/cache/layers", reader: reader)
    }

    func input(_ blob: [UInt8], plain: [UInt8], claimed: [UInt8]? = nil, name: String = "blob") throws
        -> LayerInput
    {
        let file = try RandomAccessFile(path: try directory.write(blob, to: name))
        return LayerInput(
            blob: Blob(file: file), digest: try claimed.map { try Digester.digest(of: $0) },
            diffID: try Digester.digest(of: plain), name: "layer 1 of 1")
    }

    func read(_ input: LayerInput, cache: LayerCache? = nil, plan: ContentPlan? = nil) async throws -> [UInt8]
    {
        let layers = try await LayerReader.index(
            [input], plan: plan ?? self.plan, settings: .init(cache: cache ?? self.cache()))
        return try #require(layers.first).serialized
    }

    func entries(_ suffix: String) throws -> [String] {
        let folder = directory.path + "/cache/layers"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(suffix) }.map
        {
            "\(folder)/\($0)"
        }
    }
}

@Suite("Cache of layers") struct LayerCacheTests {
    @Test("a layer that comes again is the same, and one entry")
    func hit() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 20)
        let input = try fixture.input(gzipped(plain), plain: plain, claimed: gzipped(plain))
        let first = try await fixture.read(input)
        #expect(first == (try await fixture.read(input)))
        let uncached = try await LayerReader.index([input], plan: fixture.plan)
        #expect(uncached.map(\.serialized) == [first])
        #expect(try fixture.entries(".layer").count == 1)
        #expect(fixture.cache().usage.layers == 1)
    }

    @Test("an entry is what is used: one that says something else shows")
    func entryIsUsed() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        let bytes = try await fixture.read(input)
        var table = EntryTable()
        table.append(path: "other".utf8, kind: .directory, permissions: 0o755)
        let summary = try bytes.withUnsafeBytes { try LayerReader.IndexedLayer(serialized: $0).summary }
        let other = LayerReader.IndexedLayer(summary: summary, table: table).serialized
        try Data(other).write(to: URL(fileURLWithPath: try #require(try fixture.entries(".layer").first)))
        #expect(try await fixture.read(input) == other)
    }

    @Test("a damaged or cut entry is noticed and made anew", arguments: [0, 8, 20, 40, 200, -1])
    func damage(position: Int) async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        let first = try await fixture.read(input)
        let entry = URL(fileURLWithPath: try #require(try fixture.entries(".layer").first))
        var damaged = [UInt8](try Data(contentsOf: entry))
        if position < 0 { damaged.removeLast(damaged.count / 2) } else { damaged[position] ^= 1 }
        try Data(damaged).write(to: entry)
        #expect(try await fixture.read(input) == first)
        #expect([UInt8](try Data(contentsOf: entry)) == first)
    }

    @Test("other bytes under the same name are noticed, whatever is in the cache")
    func changedBlob() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        _ = try await fixture.read(try fixture.input(plain, plain: plain, claimed: plain))
        var changed = plain
        changed[600] ^= 1
        let input = try fixture.input(changed, plain: plain, claimed: plain)
        await #expect(throws: LayerError.self) { try await fixture.read(input) }
        // The entry is for the bytes that it was made of, which may come back.
        let again = try fixture.input(plain, plain: plain, claimed: plain)
        #expect(try await fixture.read(again).count > 100)
    }

    @Test("a file with a mark is not read again, until its times change")
    func marks() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        var cache = fixture.cache()
        cache.settlingSeconds = 3600
        // As young as it is, the file gets no mark.
        let first = try await fixture.read(input, cache: cache)
        #expect(try fixture.entries(".seen").isEmpty)
        cache.settlingSeconds = -3600
        #expect(try await fixture.read(input, cache: cache) == first)
        #expect(try fixture.entries(".seen").count == 1)
        let progress = ReadProgress()
        _ = try await LayerReader.index(
            [input], plan: fixture.plan, settings: .init(cache: fixture.cache()), progress: progress)
        #expect(progress.bytesRead == input.blob.size)
        // Bytes that change take the times with them, also where somebody puts back the time of modification.
        var changed = plain
        changed[600] ^= 1
        let other = try fixture.input(changed, plain: plain, claimed: plain)
        await #expect(throws: LayerError.self) { try await fixture.read(other, cache: cache) }
        var times = [timeval(tv_sec: 1_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000, tv_usec: 0)]
        #expect(utimes(fixture.directory.path + "/blob", &times) == 0)
        await #expect(throws: LayerError.self) { try await fixture.read(other, cache: cache) }
    }

    @Test("a mark spares reading: bytes below unchanged times are not looked at")
    func trust() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        var cache = fixture.cache()
        cache.settlingSeconds = -3600
        let first = try await fixture.read(input, cache: cache)
        // The same file seen through another descriptor of which nothing can be read.
        let unreadable = open(fixture.directory.path + "/blob", O_WRONLY | O_CLOEXEC)
        let file = try RandomAccessFile(takingOver: unreadable, name: "blob")
        let blind = LayerInput(
            blob: Blob(file: file), digest: input.digest, diffID: input.diffID, name: "layer 1 of 1")
        #expect(try await fixture.read(blind, cache: cache) == first)
        await #expect(throws: LayerError.self) { try await LayerReader.index([blind], plan: fixture.plan) }
    }

    @Test("another plan, reader or claim has an entry of its own")
    func keys() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        _ = try await fixture.read(input)
        let more = ContentPlan([.init(.suffix(Array("file1".utf8))), .init(.path("/opt/file2"))])
        #expect(try await fixture.read(input, plan: more) != (try await fixture.read(input)))
        #expect(try fixture.entries(".layer").count == 2)
        _ = try await fixture.read(input, cache: fixture.cache(reader: "2"))
        #expect(try fixture.entries(".layer").count == 3)
        _ = try await fixture.read(try fixture.input(plain, plain: plain, name: "unclaimed"))
        #expect(try fixture.entries(".layer").count == 4)
        // A layer that is claimed to be another one finds no entry.
        let wrong = try fixture.input(plain, plain: plain + [0], claimed: plain)
        await #expect(throws: LayerError.self) { try await fixture.read(wrong) }
    }

    @Test("equal plans have one entry, in whatever order their rules came")
    func planOrder() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        let rules = (0..<20).map { ContentPlan.Rule(.path(ImagePath("/opt/file\($0)"))) }
        _ = try await fixture.read(input, plan: ContentPlan(rules))
        _ = try await fixture.read(input, plan: ContentPlan(rules.reversed()))
        #expect(try fixture.entries(".layer").count == 1)
    }

    @Test("files that others may write are not used")
    func foreignEntries() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        let first = try await fixture.read(input)
        let entry = try #require(try fixture.entries(".layer").first)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: entry))
        #expect(chmod(entry, 0o666) == 0)
        #expect(try await fixture.read(input) == first)
        #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: entry))) == first)
    }

    @Test("what was used longest ago goes first")
    func trimming() async throws {
        let fixture = try CacheFixture()
        for index in 0..<4 {
            let plain = sampleTar(files: index + 1)
            _ = try await fixture.read(
                try fixture.input(plain, plain: plain, claimed: plain, name: "\(index)"))
            let newest = try #require(
                try fixture.entries(".layer").max { modified($0) < modified($1) })
            var times = [
                timeval(tv_sec: 1_000_000 + index, tv_usec: 0),
                timeval(tv_sec: 1_000_000 + index, tv_usec: 0),
            ]
            #expect(utimes(newest, &times) == 0)
        }
        let all = try fixture.entries(".layer").sorted { modified($0) < modified($1) }
        fixture.cache().trim(to: fixture.cache().usage.bytes - 1)
        #expect(Set(try fixture.entries(".layer")) == Set(all.dropFirst()))
        fixture.cache().trim(to: 0)
        #expect(fixture.cache().usage.layers == 0)
        #expect(fixture.cache().usage.bytes == 0)
    }

    @Test("a cache that cannot be written changes nothing")
    func unwritable() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        let file = try fixture.directory.write([], to: "no-directory")
        let cache = LayerCache(directory: file + "/layers", reader: "1")
        #expect(try await fixture.read(input, cache: cache).count > 100)
        #expect(cache.usage.layers == 0)
    }

    @Test("many readers and writers at once see whole entries")
    func concurrency() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 10)
        let input = try fixture.input(gzipped(plain), plain: plain)
        let expected = try await LayerReader.index([input], plan: fixture.plan)[0].serialized
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for round in 0..<24 {
                group.addTask {
                    if round % 5 == 4 { fixture.cache().trim(to: 0) }
                    return try await fixture.read(input)
                }
            }
            for try await bytes in group { #expect(bytes == expected) }
        }
    }
}

private func modified(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec : 0
}
