import LayerArchive
import OCIModel

extension HostileCorpus {
    private static func tar(_ name: String = "a", _ text: String = "x") -> [UInt8] {
        var tar = TarBuilder()
        tar.add(name, content: Array(text.utf8))
        return tar.archive
    }

    /// The data of a layer: how they are compressed, where they end, what they are.
    static let dataCases: [HostileCase] = [
        HostileCase("13-zeros", "4 GiB of zeros in 4 MB of gzip", .judged([.ratio], entries: 2)) { workshop in
            // The digests of the archive are known; to compute them takes seconds.
            let size = 4_295_001_088
            var header = TarBuilder()
            header.add("zeros", declaredSize: size)
            let blob = gzippedZeros(after: header.bytes, zeros: size + 1024, checksum: 0x11FC_44C5)
            let digest = try Digest(
                algorithm: .sha256,
                encoded: "0a7c3c147bd65949290562236e25efe4f614ef74ff4ecc473d80598c65db14a6")
            return try workshop.layout(
                LayoutForm([LayoutForm.Layer(blob: blob, diffID: digest, mediaType: .ociLayerGzip)]))
        },
        .data(
            "14-nested-gzip", "gzip of gzip, ten deep", .refused("not a tar archive"),
            mediaType: .ociLayerGzip
        ) {
            var data = tar()
            for _ in 0..<9 { data = gzipped(data) }
            return (gzipped(data), data)
        },
        .data("14-zstd-window", "zstd with a window of 2 GiB", .refused("window"), mediaType: .ociLayerZstd) {
            ([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0x00, 0x00], [])
        },
        .data(
            "14-zstd-window-later", "the same in a second frame", .refused("memory"), mediaType: .ociLayerZstd
        ) {
            let plain = tar()
            return (zstdRaw(plain) + [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0x00, 0x00], plain)
        },
        .data(
            "14-zstd-content-size", "zstd that says it has 2^60 bytes", .refused("window"),
            mediaType: .ociLayerZstd
        ) {
            ([0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x01, 0x00, 0x00], [])
        },
        .data("14-xz-dictionary", "xz with a dictionary of 4 GiB", .refused("window")) {
            (
                [
                    0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0, 0x01, 0x69, 0x22, 0xDE, 0x36, 0x02, 0, 0x21, 0x01,
                    0x28,
                    0, 0, 0, 0, 0, 0, 0,
                ], []
            )
        },
        .data(
            "14-zstd-bomb", "2 GiB of zeros in 64 kB of zstd", .refused("layer-ratio"),
            mediaType: .ociLayerZstd
        ) {
            var header = TarBuilder()
            header.add("zeros", declaredSize: 2 << 30)
            var data: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38] + block(header.bytes, isLast: false)
            // Blocks of one byte that is repeated 128 KiB times (RFC 8878 section 3.1.1.2).
            let repeated = UInt32(128 << 10) << 3 | 1 << 1
            for _ in 0..<(2 << 30) / (128 << 10) {
                data += littleEndian(repeated, 3) + [0]
            }
            return (data + block([], isLast: true), [])
        },
        .data(
            "14-empty-members", "100,000 empty gzip members before the layer", .judged(entries: 2),
            mediaType: .ociLayerGzip
        ) {
            let plain = tar()
            let empty: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            var data: [UInt8] = []
            for _ in 0..<100_000 { data += empty }
            return (data + gzipped(plain), plain)
        },
        .layer("15-sparse", "a sparse file of 1 TiB (PAX 1.0)", .judged([.sparseFile], entries: 2)) {
            tar, _ in
            addSparse(&tar, size: 1 << 40, map: "1\n\((1 << 40) - 512)\n512\n", data: 512)
        },
        .layer("16-sparse-map", "a sparse file of 300,000 regions", .refused("sparse-regions")) { tar, _ in
            var map = "300000\n"
            for number in 0..<300_000 { map += "\(number * 2)\n1\n" }
            addSparse(&tar, size: 600_000, map: map, data: 300_000)
        },
        .layer("17-declared-size", "8 TiB declared, no data", .refused("runcated")) { tar, _ in
            tar.add("a", declaredSize: 8 << 40)
        },
        .data("18-truncated", "a layer that ends too early", .refused("runcated")) {
            let cut = Array(tar("a", String(repeating: "x", count: 5_000)).prefix(2_000))
            return (cut, cut)
        },
        .data(
            "18-truncated-gzip", "gzip data that end too early", .refused("gzip data end"),
            mediaType: .ociLayerGzip
        ) {
            let plain = tar()
            return (gzipped(plain).dropLast(20), plain)
        },
        .data(
            "22-after-gzip", "garbage after the gzip stream", .refused("follow the gzip stream"),
            mediaType: .ociLayerGzip
        ) {
            let plain = tar()
            return (gzipped(plain) + [1, 2, 3], plain)
        },
        .data(
            "23-archive-after-the-end", "two archives in a layer, one after the other",
            .judged([.trailingArchive], entries: 2)
        ) {
            let plain = tar() + tar("hidden")
            return (plain, plain)
        },
        .data(
            "23-data-after-the-end", "data after the end of the archive", .judged([.trailingData], entries: 2)
        ) {
            let plain = tar() + Array("hidden".utf8)
            return (plain, plain)
        },
        .data(
            "24-two-gzip-members", "two gzip members, an archive in each",
            .judged([.trailingArchive], entries: 2), mediaType: .ociLayerGzip
        ) {
            (gzipped(tar()) + gzipped(tar("hidden")), tar() + tar("hidden"))
        },
        other("zip", "PK\u{3}\u{4}\u{14}\u{0}" + String(repeating: "\u{0}", count: 600)),
        other("7z", "7z\u{BC}\u{AF}'\u{1C}" + String(repeating: "\u{0}", count: 600)),
        other("rar", "Rar!\u{1A}\u{7}\u{1}" + String(repeating: "\u{0}", count: 600)),
        other("cpio", "070701" + String(repeating: "0", count: 600)),
        other(
            "mtree",
            "#mtree\n./etc/passwd type=file contents=/etc/passwd\n" + String(repeating: "#", count: 600)),
        .data(
            "54-iso", "iso as a layer: 32 KiB of zeros, which end an archive, and more",
            .judged([.trailingData], entries: 1)
        ) {
            let bytes =
                [UInt8](repeating: 0, count: 32_768) + Array("\u{1}CD001\u{1}".utf8)
                + [UInt8](repeating: 0x78, count: 2_041)
            return (bytes, bytes)
        },
        .data("55-empty", "a layer of no bytes", .judged(entries: 1)) { ([], []) },
        .data(
            "56-says-zstd", "the media type says zstd, the data are gzip", .judged([.mediaType], entries: 2),
            mediaType: .ociLayerZstd
        ) {
            (gzipped(tar()), tar())
        },
        .data("56-says-tar", "the media type says tar, the data are gzip", .judged([.mediaType], entries: 2))
        {
            (gzipped(tar()), tar())
        },
    ]

    /// Data that libarchive would read as another format, were it asked to.
    private static func other(_ format: String, _ text: String) -> HostileCase {
        // Latin 1: each scalar is a byte.
        let bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        return .data("54-\(format)", "\(format) as a layer", .refused("layer 1 of 1")) { (bytes, bytes) }
    }

    private static func addSparse(_ tar: inout TarBuilder, size: Int, map: String, data: Int) {
        tar.addPAX([
            ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
            ("GNU.sparse.name", Array("sparse".utf8)), ("GNU.sparse.realsize", Array("\(size)".utf8)),
        ])
        var content = Array(map.utf8)
        content += [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
        tar.add("GNUSparseFile.0/sparse", content: content + [UInt8](repeating: 0x78, count: data))
    }

    /// A block of zstd data that is stored (RFC 8878 section 3.1.1.2).
    private static func block(_ content: [UInt8], isLast: Bool) -> [UInt8] {
        let header = UInt32(content.count) << 3 | (isLast ? 1 : 0)
        return littleEndian(header, 3) + content
    }

    static func zstdRaw(_ content: [UInt8]) -> [UInt8] {
        [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38] + block(content, isLast: true)
    }
}
