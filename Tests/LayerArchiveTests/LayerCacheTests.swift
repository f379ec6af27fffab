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

    /// An uncompressed layer of so many files, claimed to be what it is.
    func plainLayer(files: Int = 3, name: String = "blob") throws -> LayerInput {
        let plain = sampleTar(files: files)
        return try input(plain, plain: plain, claimed: plain, name: name)
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
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.cache().directory)
        #expect(names.count == 1, "nothing but the entry is left")
    }

    @Test("an entry is what is used: one that says something else shows")
    func entryIsUsed() async throws {
        let fixture = try CacheFixture()
        let input = try fixture.plainLayer()
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
        let input = try fixture.plainLayer()
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

    @Test("every byte of the blob is digested, also where there is an entry")
    func digested() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let input = try fixture.input(plain, plain: plain, claimed: plain)
        _ = try await fixture.read(input)
        let progress = ReadProgress()
        _ = try await LayerReader.index(
            [input], plan: fixture.plan, settings: .init(cache: fixture.cache()), progress: progress)
        #expect(progress.bytesRead == input.blob.size)
        #expect(progress.layersRead == 1)
        // The same file, and its times put back after its bytes were changed.
        let path = fixture.directory.path + "/blob"
        var status = stat()
        #expect(stat(path, &status) == 0)
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        #expect(pwrite(descriptor, [plain[1_100] ^ 1], 1, 1_100) == 1)
        #expect(futimens(descriptor, [status.st_atim, status.st_mtim]) == 0)
        close(descriptor)
        await #expect {
            try await LayerReader.index(
                [input], plan: fixture.plan, settings: .init(cache: fixture.cache()))
        } throws: { ($0 as? LayerError)?.kind == .digestMismatch }
    }

    @Test("a layer that is not what is claimed of it is not kept, though it was known before its digest")
    func mismatch() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        let wrong = try fixture.input(plain, plain: plain + [0])
        await #expect {
            try await fixture.read(wrong)
        } throws: { ($0 as? LayerError)?.kind == .digestMismatch }
        #expect(fixture.cache().usage.layers == 0)
    }

    @Test("what was made of a cached layer is made anew when the blob has other bytes for the same content")
    func otherBlob() async throws {
        let fixture = try CacheFixture()
        let plain = sampleTar(files: 3)
        _ = try await fixture.read(try fixture.input(gzipped(plain), plain: plain))
        let other = try compressed(plain, by: "gzip")
        #expect(other != gzipped(plain))
        let input = try fixture.input(other, plain: plain)
        let digests = try await LayerReader.index(
            [input], plan: fixture.plan, settings: .init(cache: fixture.cache())
        ) { layers, _ in layers.map(\.summary.digest) }
        #expect(digests == [try Digester.digest(of: other)])
    }

    @Test("contents of layers that are kept count for the image's limit")
    func keptContents() async throws {
        let fixture = try CacheFixture()
        let inputs = try ["a", "b"].map { try fixture.plainLayer(name: $0) }
        var settings = LayerReader.Settings(cache: fixture.cache())
        settings.limits[.keptContents] = 20_000
        #expect(try await LayerReader.index(inputs, plan: fixture.plan, settings: settings).count == 2)
        settings.limits[.keptContents] = 19_999
        for inputs in [inputs, Array(inputs[..<1]), inputs] {
            let isOne = inputs.count == 1
            do {
                _ = try await LayerReader.index(inputs, plan: fixture.plan, settings: settings)
                #expect(isOne)
            } catch {
                #expect(!isOne && error.kind == .limit, "\(error)")
            }
        }
    }

    @Test("limits are part of the name: what was read under others is read again")
    func limits() async throws {
        let fixture = try CacheFixture()
        let input = try fixture.plainLayer()
        _ = try await fixture.read(input)
        var settings = LayerReader.Settings(cache: fixture.cache())
        settings.limits[.entries] = 3
        await #expect {
            try await LayerReader.index([input], plan: fixture.plan, settings: settings)
        } throws: { ($0 as? LayerError)?.kind == .limit }
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
        let input = try fixture.plainLayer()
        let rules = (0..<20).map { ContentPlan.Rule(.path(ImagePath("/opt/file\($0)"))) }
        _ = try await fixture.read(input, plan: ContentPlan(rules))
        _ = try await fixture.read(input, plan: ContentPlan(rules.reversed()))
        #expect(try fixture.entries(".layer").count == 1)
    }

    @Test("files that others may write are not used")
    func foreignEntries() async throws {
        let fixture = try CacheFixture()
        let input = try fixture.plainLayer()
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
            _ = try await fixture.read(try fixture.plainLayer(files: index + 1, name: "\(index)"))
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
        let input = try fixture.plainLayer()
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
