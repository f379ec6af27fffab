import AssayTestSupport
import LayerArchive
import OCIModel
import Testing

/// Every limit of reading a layer: what it says where it is passed, and that one less is no matter.
@Suite("Limits of reading a layer") struct LimitTests {
    struct Case: Sendable, CustomStringConvertible {
        let limit: Limit
        /// The smallest value that lets the layer through.
        let value: Int64
        let plain: [UInt8]
        var blob: [UInt8]?
        var plan = ContentPlan()

        var description: String { limit.name }
    }

    private static func tar(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var tar = TarBuilder()
        build(&tar)
        return tar.archive
    }

    private static func sparse(regions: Int) -> [UInt8] {
        tar { tar in
            tar.addPAX([
                ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
                ("GNU.sparse.name", Array("sparse".utf8)), ("GNU.sparse.realsize", Array("1000".utf8)),
            ])
            let map = "\(regions)\n" + (0..<regions).map { "\($0 * 2)\n1\n" }.joined()
            let padded = Array(map.utf8) + [UInt8](repeating: 0, count: 512 - map.utf8.count % 512)
            tar.add("x", content: padded + [UInt8](repeating: 1, count: regions))
        }
    }

    static let cases: [Case] = [
        Case(limit: .entries, value: 3, plain: tar { for name in ["a", "b", "c"] { $0.add(name) } }),
        Case(limit: .pathLength, value: 200, plain: tar { $0.add(String(repeating: "n", count: 200)) }),
        Case(
            limit: .pathLength, value: 150,
            plain: tar { $0.add("a", .symbolicLink, linkTarget: String(repeating: "n", count: 150)) }),
        Case(limit: .pathDepth, value: 7, plain: tar { $0.add("a/b/c/d/e/f/g") }),
        Case(limit: .nameBytes, value: 8, plain: tar { for name in ["abcd", "efgh"] { $0.add(name) } }),
        Case(
            limit: .attributes, value: 15,
            plain: tar { $0.add("a", attributes: [("user.a", [1, 2]), ("user.b", [3])]) }),
        Case(limit: .sparseRegions, value: 9, plain: sparse(regions: 9)),
        Case(limit: .layerSize, value: 1_536, plain: tar { $0.add("a") }),
        Case(
            limit: .keptContents, value: 30,
            plain: tar {
                for name in ["a.x", "b.x", "c.x"] { $0.add(name, content: Array(repeating: 1, count: 10)) }
            },
            plan: ContentPlan([.init(.suffix(Array(".x".utf8)))])),
    ]

    @Test(arguments: cases)
    func tripsAndOneBelowDoesNot(_ example: Case) async throws {
        let layer = try LayerFixture(plain: example.plain, blob: example.blob)
        var limits = Limits()
        limits[example.limit] = example.value
        _ = try await layer.index(plan: example.plan, limits: limits)
        limits[example.limit] = example.value - 1
        await #expect {
            try await layer.index(plan: example.plan, limits: limits)
        } throws: {
            guard let error = $0 as? LayerError else { return false }
            return error.kind == .limit
                && error.message.contains("more than the limit \(example.limit.name)=\(example.value - 1)")
        }
    }

    @Test("contents count over all layers of an image")
    func keptContentsOfAllLayers() async throws {
        let plain = LimitTests.tar { $0.add("a.x", content: Array(repeating: 1, count: 10)) }
        let layers = try (0..<3).map { _ in try LayerFixture(plain: plain) }
        let plan = ContentPlan([.init(.suffix(Array(".x".utf8)))])
        var limits = Limits()
        limits[.keptContents] = 30
        _ = try await LayerReader.index(layers.map(\.input), plan: plan, settings: .init(limits: limits))
        limits[.keptContents] = 29
        await #expect {
            try await LayerReader.index(layers.map(\.input), plan: plan, settings: .init(limits: limits))
        } throws: { ($0 as? LayerError)?.kind == .limit }
    }

    @Test("the window is told before there is a decoder", arguments: ["zstd", "xz"])
    func window(program: String) async throws {
        let plain = sampleTar(files: 40, size: 30_000)
        // zstd takes the size of the content for the window where that is smaller.
        let blob = try compressed(
            plain, by: program == "xz" ? "xz --lzma2=dict=1MiB" : "zstd --single-thread")
        let layer = try LayerFixture(plain: plain, blob: blob)
        var limits = Limits()
        limits[.window] = 4 << 20
        _ = try await layer.index(limits: limits)
        limits[.window] = 1 << 16
        await #expect {
            try await layer.index(limits: limits)
        } throws: {
            ($0 as? LayerError)?.kind == .limit && "\($0)".contains("more than the limit window=65536")
        }
    }

    @Test("above 1 GiB the ratio counts, whatever the size")
    func ratio() async throws {
        // Deflate reaches 1032; 1.1 GiB of zeros and the header of a file that is as large.
        let size = (1 << 30) + (100 << 20)
        var header = TarBuilder()
        header.add("zeros", declaredSize: size)
        let blob = gzippedZeros(after: header.bytes, zeros: (size + 1024) / 258 * 258 + 2, checksum: 0)
        var limits = Limits()
        limits[.layerRatio] = 900
        let layer = try LayerFixture(blob: blob, diffID: try Digester.digest(of: []))
        await #expect {
            try await layer.index(limits: limits)
        } throws: { "\($0)".contains("more than the limit layer-ratio=900") }
        limits[.layerRatio] = 1_100
        // Its checksum is wrong, which is seen at the end.
        await #expect { try await layer.index(limits: limits) } throws: { "\($0)".contains("checksum") }
    }

    @Test func membersOfAnArchive() throws {
        let directory = try TemporaryDirectory()
        let file = try RandomAccessFile(
            path: try directory.write(sampleTar(files: 3), to: "archive.tar"))
        var limits = Limits()
        limits[.archiveMembers] = 4
        _ = try ArchiveIndex(of: file, limits: limits)
        limits[.archiveMembers] = 3
        #expect { try ArchiveIndex(of: file, limits: limits) } throws: { ($0 as? LayerError)?.kind == .limit }
    }
}

/// What is odd about a layer's data and headers, and that ordinary ones are not.
@Suite("Oddities of a layer") struct LayerOddityTests {
    private func kinds(_ plain: [UInt8], blob: [UInt8]? = nil) async throws -> [Oddity.Kind] {
        try await LayerFixture(plain: plain, blob: blob).index().summary.oddities.list.map(\.kind)
    }

    @Test func dataAfterTheEnd() async throws {
        let plain = sampleTar(files: 1)
        #expect(try await kinds(plain).isEmpty)
        #expect(try await kinds(plain + [UInt8](repeating: 0, count: 9_216)).isEmpty)
        #expect(try await kinds(plain + [1]) == [.trailingData])
        #expect(try await kinds(plain + [UInt8](repeating: 0, count: 1 << 20) + [1]) == [.trailingData])
        #expect(try await kinds(plain + plain) == [.trailingArchive])
        #expect(try await kinds(plain + [UInt8](repeating: 0, count: 512) + plain) == [.trailingArchive])
        #expect(try await kinds(plain + plain, blob: gzipped(plain) + gzipped(plain)) == [.trailingArchive])
    }

    @Test func whatGrowsTooMuch() async throws {
        var tar = TarBuilder()
        tar.add("zeros", content: [UInt8](repeating: 0, count: 65 << 20))
        let packed = try compressed(tar.archive, by: "gzip")
        #expect(try await kinds(tar.archive, blob: packed) == [.ratio])
        #expect(try await kinds(tar.archive).isEmpty)
        var small = TarBuilder()
        small.add("zeros", content: [UInt8](repeating: 0, count: 1 << 20))
        #expect(try await kinds(small.archive, blob: try compressed(small.archive, by: "gzip")).isEmpty)
    }

    @Test("a header whose checksum is wrong is damage, not a member less")
    func checksum() async throws {
        var tar = TarBuilder()
        tar.add("a", content: [1])
        tar.add("b", typeFlag: 0x30, checksumError: 1)
        tar.add("c")
        let layer = try LayerFixture(plain: tar.archive)
        await #expect { try await layer.index() } throws: { ($0 as? LayerError)?.kind == .corrupt }
    }
}
