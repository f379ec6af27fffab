import LayerArchive
import OCIModel

extension HostileCorpus {
    /// Members of a layer's archive: their names, types, owners and headers.
    static let memberCases: [HostileCase] = [
        .layer("01-name-climbs", "entry ../x", .judged([.escapingPath], entries: 2)) { tar, _ in
            tar.add("../escaped", content: Array("x".utf8))
        },
        .layer("01-name-climbs-later", "entry a/../../../x", .judged([.escapingPath])) { tar, _ in
            tar.add("a/../../../escaped", content: Array("x".utf8))
        },
        .layer("02-absolute-name", "entry with an absolute path of the host", .judged([.absolutePath])) {
            tar, workshop in
            tar.add("\(workshop.outside)/absolute", content: Array("x".utf8))
        },
        .layer("11-deep", "a path of 3,000 directories", .refused("path-length")) { tar, _ in
            tar.add(String(repeating: "d/", count: 3_000) + "x")
        },
        .layer("11-deep-and-short", "a path of 2,000 directories", .refused("path-depth")) { tar, _ in
            tar.add(String(repeating: "d/", count: 2_000) + "x")
        },
        .layer("11-less-deep", "a path of 1,000 directories", .judged(entries: 1_002)) { tar, _ in
            tar.add(String(repeating: "d/", count: 1_000) + "x")
        },
        .layer("12-long-name", "a name of 70,000 bytes", .refused("path-length")) { tar, _ in
            tar.add(String(repeating: "n", count: 70_000))
        },
        .layer("25-twice", "the same path twice in a layer", .judged([.duplicateMember], entries: 2)) {
            tar, _ in
            tar.add("a", content: Array("one".utf8))
            tar.add("a", content: Array("two".utf8))
        },
        .layer("26-file-then-directory", "a file, then a directory of its name", .judged([.typeChange])) {
            tar, _ in
            tar.add("a")
            tar.add("a/", .directory)
        },
        .layer("26-directory-then-file", "a directory, then a file of its name", .judged([.typeChange])) {
            tar, _ in
            tar.add("a/", .directory)
            tar.add("a")
        },
        .layer("45-fifo", "a fifo", .judged(entries: 2)) { tar, _ in tar.add("pipe", .fifo) },
        .layer("45-character-device", "a character device", .judged([.device], entries: 2)) { tar, _ in
            tar.add("mem", .characterDevice, device: (1, 1))
        },
        .layer("45-block-device", "a block device", .judged([.device], entries: 2)) { tar, _ in
            tar.add("disk", .blockDevice, device: (8, 0))
        },
        .layer(
            "46-type-flags",
            "members of every type flag that is none of a file, a directory, a link or a device",
            .judged([.unknownType, .archiveWarning], entries: 3)
        ) { tar, _ in
            // libarchive takes no archive for one that begins with any of them, and warns of an access list without data.
            tar.add("first", content: [0x78])
            let known = Array("\u{0}0123456gxLK".utf8)
            for flag in UInt8.min...UInt8.max where !known.contains(flag) {
                tar.add("type-\(flag)", typeFlag: flag)
            }
            tar.add("last", content: [0x78])
        },
        .layer("46-sized-type", "a member of an unknown type with data", .judged([.unknownType], entries: 2))
        {
            tar, _ in
            tar.add("vendor", typeFlag: UInt8(ascii: "Z"), content: [UInt8](repeating: 0x78, count: 700))
            tar.add("contiguous", typeFlag: UInt8(ascii: "7"), content: [0x78])
            tar.add("dump/", typeFlag: UInt8(ascii: "D"), content: Array("Ya\u{0}".utf8))
            tar.add("last", content: [0x78])
        },
        .layer("47-large-owner", "UID 2^40", .judged([.owner])) { tar, _ in tar.add("a", uid: 1 << 40) },
        .layer("47-large-group", "GID 2^50", .judged([.owner])) { tar, _ in
            tar.addPAX([("gid", Array("\(1 << 50)".utf8))])
            tar.add("a")
        },
        .layer("47-late", "modified in 2^60 s", .judged([.time])) { tar, _ in
            tar.addPAX([("mtime", Array("\(1 << 60)".utf8))])
            tar.add("a")
        },
        .layer("47-early", "modified 2^40 s before 1970", .judged([.time])) { tar, _ in
            tar.addPAX([("mtime", Array("-\(1 << 40)".utf8))])
            tar.add("a")
        },
        .layer(
            "49-names", "names with line feed, escape sequences, markup, right-to-left override",
            .judged(entries: 8)
        ) {
            tar, _ in
            for name in [
                "line\nfeed", "\u{1B}]0;title\u{7}\u{1B}[31mred", "<script>alert(1)</script>&amp;]]>",
                "\u{202E}gpj.exe", "::error::injected",
            ] { tar.add(name, .symbolicLink, linkTarget: "to \(name)") }
            tar.add(rawName: [0xFF, 0xFE, 0x80], content: [])
        },
        .layer("49-hostile-oddities", "the same names where a note shows them", .judged([.escapingPath])) {
            tar, _ in
            tar.add("../\u{1B}[31mred\n::error::\u{202E}")
        },
        .layer(
            "50-equivalent-names", "names that Unicode or a file system takes for one", .judged(entries: 7)
        ) {
            tar, _ in
            for name in ["caf\u{E9}", "cafe\u{301}", "README", "readme", "a\r\nb", "a\nb"] { tar.add(name) }
        },
        .layer("51-size-minus-one", "PAX size -1", .refused("negative")) { tar, _ in
            tar.addPAX([("size", Array("-1".utf8))])
            tar.add("a", content: Array("x".utf8))
        },
        .layer(
            "51-two-sizes", "a PAX size that is not the header's: a file that only some see",
            .judged([.readerDisagreement], entries: 2)
        ) { tar, _ in
            tar.addPAX([("size", Array("1536".utf8))])
            tar.add("a", content: [UInt8](repeating: 0x78, count: 512))
            tar.add("hidden", content: [0x78])
        },
        .layer(
            "51-one-size", "a PAX size that is the header's", .judged(entries: 2)
        ) { tar, _ in
            tar.addPAX([("size", Array("512".utf8))])
            tar.add("a", content: [UInt8](repeating: 0x78, count: 512))
        },
        .layer(
            "51-two-paths", "a PAX header with two paths, of which the later counts", .judged(entries: 2),
            checks: "  - {id: H-1, title: t, expect: {path: /later, type: file}}\n"
        ) { tar, _ in
            tar.addPAX([("path", Array("earlier".utf8)), ("path", Array("later".utf8))])
            tar.add("a")
        },
        .layer(
            "51-zero-in-path", "a PAX path with a zero byte, where it ends for some",
            .judged([.readerDisagreement], entries: 2)
        ) { tar, _ in
            tar.addPAX([("path", Array("etc\u{0}.txt".utf8))])
            tar.add("a")
        },
        .layer(
            "51-record-length", "a PAX record whose length is wrong",
            .judged([.archiveWarning, .readerDisagreement])
        ) {
            tar, _ in
            tar.addPAX(raw: Array("999 path=b\n".utf8))
            tar.add("a")
        },
        .layer("52-global-header", "a global PAX header, as git archive writes", .judged(entries: 2)) {
            tar, _ in
            tar.addPAX([("comment", Array(String(repeating: "0", count: 40).utf8))], isGlobal: true)
            tar.add("a")
        },
        .layer("53-checksum", "a header whose checksum is wrong", .refused("Damaged tar archive")) { tar, _ in
            tar.add("a", content: Array("x".utf8))
            tar.add("b", typeFlag: 0x30, checksumError: 1)
        },
        .layer("53-first-checksum", "the same in the first header", .refused("not a tar archive")) { tar, _ in
            tar.add("b", typeFlag: 0x30, checksumError: 1)
        },
        HostileCase("57-many", "300,000 entries", .judged(entries: 300_001)) { workshop in
            var number = 0
            let (blob, digest) = try gzippedBlocks {
                if number == 300_002 { return nil }
                defer { number += 1 }
                if number >= 300_000 { return [UInt8](repeating: 0, count: 512) }
                var tar = TarBuilder()
                tar.add("file\(number)")
                return tar.bytes
            }
            return try workshop.layout(
                LayoutForm([LayoutForm.Layer(blob: blob, diffID: digest, mediaType: .ociLayerGzip)]))
        },
        .layer(
            "61-root-is-a-link", "the root replaced by a link named .", .judged([.rootReplaced], entries: 1)
        ) {
            tar, workshop in
            tar.add(".", .symbolicLink, linkTarget: workshop.outside)
        },
        .layer(
            "61-root-is-a-pipe", "the root replaced by a fifo named /", .judged([.rootReplaced], entries: 1)
        ) {
            tar, _ in
            tar.add("/", .fifo)
        },
    ]
}
