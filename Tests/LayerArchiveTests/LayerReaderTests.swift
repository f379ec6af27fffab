import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel
import Testing

/// Puts a blob into a file and reads it as one layer.
struct LayerFixture {
    let directory: TemporaryDirectory
    let input: LayerInput

    init(blob: [UInt8], diffID: Digest, digest: Digest? = nil) throws {
        directory = try TemporaryDirectory()
        let file = try RandomAccessFile(path: try directory.write(blob, to: "layer"))
        input = LayerInput(blob: Blob(file: file), digest: digest, diffID: diffID, name: "layer 1 of 1")
    }

    init(plain: [UInt8], blob: [UInt8]? = nil) throws {
        try self.init(
            blob: blob ?? plain, diffID: try Digester.digest(of: plain),
            digest: try Digester.digest(of: blob ?? plain))
    }

    func index(plan: ContentPlan = ContentPlan(), limits: Limits = Limits()) async throws
        -> LayerReader.IndexedLayer
    {
        try #require(try await LayerReader.index([input], plan: plan, settings: .init(limits: limits)).first)
    }
}

/// Compresses with a program of the system: xz, bzip2, zstd, gzip.
func compressed(_ plain: [UInt8], by program: String) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    let input = try directory.write(plain, to: "input")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["sh", "-c", "\(program) -c < '\(input)' > '\(input).packed'"]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(program) is needed by this test")
    return try directory.read("input.packed")
}

func sampleTar(files: Int = 50, size: Int = 10_000) -> [UInt8] {
    var tar = TarBuilder()
    tar.add("opt/", .directory, mode: 0o775, uid: 50000)
    for index in 0..<files {
        var content = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: size)
        for position in stride(from: 0, to: size, by: 37) {
            content[position] = UInt8(truncatingIfNeeded: position &* 31 &+ index)
        }
        tar.add("opt/file\(index)", content: content)
    }
    return tar.archive
}

@Suite("LayerReader") struct LayerReaderTests {
    @Test(
        "each compression is told by content and gives the same members",
        arguments: ["none", "gzip", "xz", "bzip2", "zstd"])
    func compressions(program: String) async throws {
        let plain = sampleTar()
        let blob = program == "none" ? plain : try compressed(plain, by: program)
        let layer = try await LayerFixture(plain: plain, blob: blob).index()
        #expect(layer.summary.compression.rawValue == program)
        #expect(layer.table.count == 51)
        #expect(layer.summary.size == Int64(blob.count))
        #expect(layer.summary.uncompressedSize == Int64(plain.count))
        #expect(layer.summary.diffID == (try Digester.digest(of: plain)))
    }

    @Test("gzip members one after another are one stream")
    func multiMemberGzip() async throws {
        let plain = sampleTar()
        var blob: [UInt8] = []
        for start in stride(from: 0, to: plain.count, by: 7_777) {
            let piece = Array(plain[start..<min(plain.count, start + 7_777)])
            blob += start % 2 == 0 ? gzipped(piece) : try compressed(piece, by: "gzip")
        }
        let layer = try await LayerFixture(plain: plain, blob: blob).index()
        #expect(layer.table.count == 51)
    }

    @Test func emptyLayers() async throws {
        #expect(try await LayerFixture(plain: []).index().table.count == 0)
        #expect(try await LayerFixture(plain: TarBuilder().archive).index().table.count == 0)
        #expect(try await LayerFixture(plain: [], blob: gzipped([])).index().table.count == 0)
    }

    @Test func membersAreAsTheArchiveHasThem() async throws {
        var tar = TarBuilder()
        let long = String(repeating: "d/", count: 200) + "end"
        tar.add("./etc/", .directory, mode: 0o1755)
        tar.add(
            "bin/tool", content: [1, 2, 3], mode: 0o4755, uid: 3_000_000, gid: 7, mtime: 1_700_000_000,
            attributes: [("user.b", [1, 0, 2]), ("security.capability", [1, 2])])
        tar.add("bin/same", .hardLink, linkTarget: "bin/tool")
        tar.add("bin/link", .symbolicLink, linkTarget: "/bin/../etc")
        tar.add("dev/null", .characterDevice, device: (1, 3))
        tar.add("dev/sda", .blockDevice, device: (8, 0))
        tar.add("run/pipe", .fifo)
        tar.add(long, content: [9])
        tar.addWithGNULongName("gnu/" + long, content: [8])
        tar.add(rawName: [0x62, 0xFF, 0x0A, 0x63], content: [])
        let layer = try await LayerFixture(plain: tar.archive).index()
        let table = layer.table
        let names = (0..<table.count).map { Array(table.path(at: $0)) }
        #expect(names[0] == Array("./etc/".utf8))
        #expect(names[7] == Array(long.utf8))
        #expect(names[8] == Array("gnu/\(long)".utf8))
        #expect(names[9] == [0x62, 0xFF, 0x0A, 0x63])
        #expect(
            table.entries.map(\.kind) == [
                .directory, .file, .hardLink, .symbolicLink, .characterDevice, .blockDevice, .fifo, .file,
                .file, .file,
            ])
        let tool = table.entries[1]
        #expect(tool.permissions == 0o4755)
        #expect((tool.uid, tool.gid, tool.size, tool.mtime) == (3_000_000, 7, 3, 1_700_000_000))
        #expect(
            table.extendedAttributes(at: 1) == [
                ExtendedAttribute(name: "security.capability", value: [1, 2]),
                ExtendedAttribute(name: "user.b", value: [1, 0, 2]),
            ])
        #expect(table.linkTarget(at: 2).elementsEqual("bin/tool".utf8))
        #expect(table.linkTarget(at: 3).elementsEqual("/bin/../etc".utf8))
        #expect((table.entries[4].deviceMajor, table.entries[4].deviceMinor) == (1, 3))
    }

    @Test func keepsWhatThePlanAsksFor() async throws {
        var tar = TarBuilder()
        tar.add("./etc/passwd", content: Array("root".utf8))
        tar.add("etc/group", content: Array("0123456789".utf8))
        tar.add("lib/a.dist-info/METADATA", content: Array("M".utf8))
        tar.add("etc/apt/sources.list.d/x.list", content: Array("L".utf8))
        tar.add("etc/apt/sources.list.d/deeper/x.list", content: Array("N".utf8))
        let plan = ContentPlan([
            .init(.path("/etc/passwd")), .init(.path("/etc/group"), maximumBytes: 9),
            .init(.suffix(Array(".dist-info/METADATA".utf8))),
            .init(.directory("/etc/apt/sources.list.d")),
        ])
        let table = try await LayerFixture(plain: tar.archive).index(plan: plan).table
        #expect(table.contents == [0: Array("root".utf8), 2: Array("M".utf8), 3: Array("L".utf8)])
    }

    @Test("GNU sparse members have their logical size and content")
    func sparse() async throws {
        let directory = try TemporaryDirectory()
        let script =
            "cd '\(directory.path)' && truncate -s 1M hole && printf end >> hole && tar --format=pax -S -cf s.tar hole"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        try process.run()
        process.waitUntilExit()
        let plain = try directory.read("s.tar")
        #expect(plain.count < 100_000)
        let plan = ContentPlan([.init(.path("/hole"), maximumBytes: 2 << 20)])
        let table = try await LayerFixture(plain: plain).index(plan: plan).table
        #expect(table.entries.map(\.size) == [1_048_579])
        #expect(table.contents[0]?.suffix(4) == [0] + Array("end".utf8)[...])
    }

    @Test("many layers at once, of very different sizes, keep their order")
    func parallel() async throws {
        let plains = (0..<24).map { sampleTar(files: $0 == 5 ? 400 : $0, size: 4_000) }
        let fixtures = try plains.enumerated().map {
            try LayerFixture(plain: $1, blob: $0 % 2 == 0 ? $1 : gzipped($1))
        }
        let layers = try await LayerReader.index(fixtures.map(\.input), plan: ContentPlan())
        #expect(layers.map(\.table.count) == (0..<24).map { ($0 == 5 ? 400 : $0) + 1 })
    }

    @Test func progressCountsTheBlobsBytes() async throws {
        let plain = sampleTar()
        let fixture = try LayerFixture(plain: plain, blob: try compressed(plain, by: "gzip"))
        let progress = ReadProgress()
        _ = try await LayerReader.index([fixture.input], plan: ContentPlan(), progress: progress)
        #expect(progress.bytesRead == fixture.input.blob.size)
    }
}

@Suite("Damaged layers") struct DamagedLayerTests {
    private func kind(_ blob: [UInt8], plain: [UInt8], limits: Limits = Limits()) async throws
        -> LayerError.Kind?
    {
        let fixture = try LayerFixture(blob: blob, diffID: try Digester.digest(of: plain))
        do {
            _ = try await fixture.index(limits: limits)
            return nil
        } catch let error as LayerError {
            #expect(error.message.hasPrefix("layer 1 of 1"))
            return error.kind
        }
    }

    @Test("a truncated layer is never a shorter layer", arguments: ["none", "gzip", "xz", "bzip2", "zstd"])
    func truncation(program: String) async throws {
        let plain = sampleTar(files: 5, size: 3_000)
        let blob = program == "none" ? plain : try compressed(plain, by: program)
        for length in stride(from: 0, to: blob.count, by: max(1, blob.count / 60)) {
            #expect(
                try await kind(Array(blob[..<length]), plain: plain) != nil,
                "cut to \(length) of \(blob.count)")
        }
    }

    @Test("a flipped bit anywhere is noticed", arguments: ["none", "gzip", "xz", "bzip2", "zstd"])
    func bitFlips(program: String) async throws {
        let plain = sampleTar(files: 5, size: 3_000)
        let blob = program == "none" ? plain : try compressed(plain, by: program)
        for position in stride(from: 0, to: blob.count, by: max(1, blob.count / 60)) {
            var damaged = blob
            damaged[position] ^= 0x10
            let fixture = try LayerFixture(
                blob: damaged, diffID: try Digester.digest(of: plain), digest: try Digester.digest(of: blob))
            await #expect(throws: LayerError.self, "flip at \(position)") { try await fixture.index() }
        }
    }

    @Test func wrongDiffID() async throws {
        #expect(try await kind(sampleTar(files: 1), plain: sampleTar(files: 2)) == .digestMismatch)
    }

    @Test("data after the gzip stream are refused, as runtimes refuse them")
    func trailingGarbage() async throws {
        let plain = sampleTar(files: 1)
        #expect(try await kind(gzipped(plain) + [1, 2, 3], plain: plain) == .corrupt)
    }

    @Test(
        "other archive formats are not layers: libarchive would read files of the host for some",
        arguments: [
            "#mtree\n./etc/passwd type=file contents=/etc/passwd\n",
            "PK\u{3}\u{4}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            String(repeating: "not a tar archive at all ", count: 100), "070707000000000000000000",
        ])
    func otherFormats(text: String) async throws {
        let plain = Array(text.utf8)
        let found = try await kind(plain, plain: plain)
        #expect(found == .notTar || found == .truncated || found == .corrupt)
    }

    @Test func dataAfterTheArchiveAreNoted() async throws {
        let plain = TarBuilder().archive + sampleTar(files: 1)
        let layer = try await LayerFixture(plain: plain).index()
        #expect(layer.table.count == 0)
        #expect(layer.summary.oddities.list.map(\.kind) == [.trailingArchive])
    }

    @Test("limits trip, and one below does not")
    func limits() async throws {
        let plain = sampleTar(files: 9, size: 100)
        var limits = Limits()
        limits[.entries] = 9
        #expect(try await kind(plain, plain: plain, limits: limits) == .limit)
        limits[.entries] = 10
        #expect(try await kind(plain, plain: plain, limits: limits) == nil)
        limits[.layerSize] = Int64(plain.count) - 1
        #expect(try await kind(plain, plain: plain, limits: limits) == .limit)
        limits[.layerSize] = Int64(plain.count)
        #expect(try await kind(plain, plain: plain, limits: limits) == nil)
        limits[.pathLength] = 8
        #expect(try await kind(plain, plain: plain, limits: limits) == .limit)
        limits[.pathLength] = 9
        #expect(try await kind(plain, plain: plain, limits: limits) == nil)
    }

    @Test("of several damaged layers the lowest is named, whichever is read first")
    func lowestErrorWins() async throws {
        let good = sampleTar(files: 3)
        let bad = try (0..<6).map { _ in
            try LayerFixture(blob: Array(good[..<700]), diffID: try Digester.digest(of: good))
        }
        let inputs = bad.enumerated().map {
            LayerInput(blob: $1.input.blob, digest: nil, diffID: $1.input.diffID, name: "layer \($0)")
        }
        await #expect { try await LayerReader.index(inputs, plan: ContentPlan()) } throws: {
            "\($0)".hasPrefix("layer 0:")
        }
    }

    @Test func missingFile() {
        #expect { try RandomAccessFile(path: "/does/not/exist") } throws: {
            ($0 as? LayerError)?.kind == .io && "\($0)".contains("No such file")
        }
        #expect(throws: LayerError.self) { try RandomAccessFile(path: "/dev/null") }
    }
}
