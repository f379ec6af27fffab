import LayerArchive
import OCIModel

extension HostileCorpus {
    private static let status = "var/lib/dpkg/status"
    private static let package = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
    private static let site = "usr/lib/python3/dist-packages"

    /// A layer whose table of contents names these of its members.
    private static func toc(
        _ id: String, _ title: String, _ expected: HostileCase.Expected, names: [String], size: Int = 1
    ) -> HostileCase {
        .layer(id, title, expected) { tar, _ in
            tar.add("d/", .directory)
            tar.add("d/a", content: [0x78])
            let entries = names.map { name in
                let type = name.hasSuffix("/") ? "dir" : "reg"
                return #"{"name":"\#(name)","type":"\#(type)","size":\#(size)}"#
            }
            tar.add(
                "stargz.index.json",
                content: Array(#"{"version":1,"entries":[\#(entries.joined(separator: ","))]}"#.utf8))
        }
    }

    /// Files that facts are read from, and tables of contents.
    static let contentCases: [HostileCase] = [
        toc(
            "62-toc", "a table of contents (eStargz) that names what the archive has", .judged(entries: 4),
            names: ["d/", "d/a"]),
        toc(
            "62-toc-hides", "a table of contents that leaves a file out",
            .judged([.tableOfContents], entries: 4), names: ["d/"]),
        toc(
            "62-toc-adds", "a table of contents with a file more", .judged([.tableOfContents], entries: 4),
            names: ["d/", "d/a", "../b"]),
        toc(
            "62-toc-size", "a table of contents with another size", .judged([.tableOfContents], entries: 4),
            names: ["d/", "d/a"], size: 2),
        .layer("62-toc-none", "a table of contents that is none", .judged([.tableOfContents])) { tar, _ in
            tar.add("stargz.index.json", content: Array("[".utf8))
        },
        .layer("62-toc-large", "a table of contents of 5 MB", .judged([.unreadTableOfContents])) { tar, _ in
            tar.add("stargz.index.json", content: [UInt8](repeating: 0x20, count: 5_000_000))
        },
        HostileCase(
            "62-toc-chunked", "zstd:chunked, with a table of contents that names another file",
            .judged([.unreadTableOfContents], entries: 2)
        ) { workshop in
            // What the archive has is what is judged: runtimes that pull by the table may see something else.
            var tar = TarBuilder()
            tar.add("a", content: [0x78])
            let table = zstdRaw(Array(#"{"version":1,"entries":[{"type":"reg","name":"b","size":1}]}"#.utf8))
            func skipped(_ bytes: [UInt8]) -> [UInt8] {
                [0x50, 0x2A, 0x4D, 0x18] + littleEndian(bytes.count, 4) + bytes
            }
            var layer = try LayoutForm.Layer(tar.archive)
            let data = zstdRaw(tar.archive)
            layer.blob =
                data + skipped(table) + skipped([UInt8](repeating: 0, count: 56) + Array("GNUlInUx".utf8))
            layer.mediaType = .ociLayerZstd
            layer.members =
                #","annotations":{"io.github.containers.zstd-chunked.manifest-checksum":"\#(try Digester.digest(of: table))","io.github.containers.zstd-chunked.manifest-position":"\#(data.count + 8):\#(table.count):\#(table.count - 12):1"}"#
            return try workshop.layout(LayoutForm([layer]))
        },
        .layer("62-dpkg-long-field", "a dpkg status with a field of a million lines", .judged()) { tar, _ in
            tar.add(
                status,
                content: Array(
                    (package + "Description: x\n" + String(repeating: " x\n", count: 1_000_000)).utf8))
        },
        .layer("62-dpkg-large", "a dpkg status of 20 MB", .judged(missing: "/var/lib/dpkg/status")) {
            tar, _ in
            tar.add(status, content: [UInt8](repeating: 0x20, count: 20_000_000))
        },
        .layer("62-dpkg-no-fields", "a dpkg status that is none", .judged()) { tar, _ in
            tar.add(status, content: Array("no field\n: no name\n\u{0}\n\nPackage\n Package: x\n".utf8))
        },
        .layer("62-dpkg-name", "a package whose name is a path", .judged()) { tar, workshop in
            tar.add(
                status,
                content: Array(package.replacing("Package: a", with: "Package: ../../../etc/passwd").utf8))
            tar.add("var/lib/dpkg/info/../../../etc/passwd.list", content: Array("/x\n".utf8))
        },
        .layer("62-record-climbs", "a RECORD whose paths leave the image", .judged()) { tar, workshop in
            tar.add(
                "\(site)/a-1.dist-info/METADATA",
                content: Array("Metadata-Version: 2.1\nName: a\nVersion: 1\n".utf8))
            tar.add(
                "\(site)/a-1.dist-info/RECORD",
                content: Array(
                    "../../../../../../\(workshop.outside)/secret,,\n\(workshop.outside)/secret,sha256=x,-1\n\"unclosed,,\n"
                        .utf8))
        },
        .layer("62-metadata-large", "PKG-INFO of 500 MB", .judged([.sparseFile])) { tar, _ in
            tar.addPAX([
                ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
                ("GNU.sparse.name", Array("\(site)/a-1.egg-info/PKG-INFO".utf8)),
                ("GNU.sparse.realsize", Array("500000000".utf8)),
            ])
            tar.add(
                "x", content: Array("1\n499999999\n1\n".utf8) + [UInt8](repeating: 0, count: 498) + [0x78])
        },
        .layer("62-metadata-none", "METADATA that is none", .judged()) { tar, _ in
            tar.add("\(site)/a-1.dist-info/METADATA", content: [0xFF, 0x00, 0x0A, 0x3A, 0x0A])
            tar.add(
                "\(site)/-.dist-info/METADATA", content: Array("Name: ../../x\nVersion: \u{1B}[31m\n".utf8))
        },
        .layer("62-passwd-many", "a passwd of 30,000 users, each twice", .judged()) { tar, _ in
            var text = ""
            for number in 0..<60_000 { text += "u\(number / 2):x:\(number):0:::\n" }
            tar.add("etc/passwd", content: Array(text.prefix(1_000_000).utf8))
        },
        .layer("62-passwd-large", "a passwd of a million lines", .judged(missing: "/etc/passwd")) { tar, _ in
            tar.add("etc/passwd", content: Array(String(repeating: "u:x:1:1:::\n", count: 1_000_000).utf8))
        },
        .layer(
            "62-passwd-fields", "a passwd of two fields, of numbers that are none, of no line end", .judged()
        ) {
            tar, _ in
            tar.add(
                "etc/passwd",
                content: Array(
                    "root:x\n:x:0:0:::\nu:x:-1:99999999999999999999:::\nv:x:0x0:0:::\n\u{0}\nlast:x:1".utf8))
            tar.add("etc/group", content: Array("root\ng:x:4294967295:\n::::::\n".utf8))
        },
        .layer("62-elf-sections", "a library with 65,535 sections and none of them there", .judged()) {
            tar, _ in
            tar.add("usr/lib/liba.so", content: elf(sections: 0xFFFF, offset: 64))
            tar.add("usr/lib/libb.so.1", content: elf(sections: 0xFFFF, offset: UInt64.max - 63))
            tar.add("usr/lib/libc.so.2", content: Array(elf(sections: 1, offset: 0).prefix(20)))
        },
        .layer(
            "62-key-across-chunks", "a private key that lies across the reader's chunks", .judged(),
            checks: "  - {id: H-1, title: t, expect: {path: /root/.ssh/id_rsa, type: file}}\n"
        ) { tar, _ in
            tar.add(
                "root/padding", content: [UInt8](repeating: 0x78, count: (256 << 10) - 512 * 3 - 1024 + 490))
            tar.add("root/.ssh/id_rsa", content: Array("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n".utf8))
        },
        .layer("62-apt-sources", "apt sources of 60,000 lines, keyrings that are none", .judged()) { tar, _ in
            tar.add("etc/apt/sources.list", content: Array(String(repeating: "deb\n", count: 15_000).utf8))
            tar.add(
                "etc/apt/sources.list.d/a.sources",
                content: Array("Types: deb\nURIs: \u{0}\nSigned-By: ../../x\n".utf8))
            tar.add("usr/share/keyrings/a.gpg", content: [UInt8](repeating: 0xFF, count: 100_000))
            tar.add("etc/apt/trusted.gpg", content: [0x99, 0xFF, 0xFF])
        },
        .layer("62-loader-includes", "a configuration of the loader that includes itself", .judged()) {
            tar, _ in
            tar.add(
                "etc/ld.so.conf",
                content: Array("include /etc/ld.so.conf\ninclude /etc/ld.so.conf.d/*\n".utf8))
            tar.add("etc/ld.so.conf.d/a.conf", content: Array("include /etc/ld.so.conf\n/lib\n".utf8))
        },
        .layer("62-many-lists", "200 MB of lists of packages' files", .refused("kept-contents")) { tar, _ in
            let list = [UInt8](repeating: 0x2F, count: 4 << 20)
            for number in 0..<40 { tar.add("var/lib/dpkg/info/p\(number).list", content: list) }
        },
    ]

    /// The header of a 64-bit ELF file (System V ABI, "ELF Header") with a table of sections at an offset.
    private static func elf(sections: UInt16, offset: UInt64) -> [UInt8] {
        let kind = littleEndian(3, 2) + littleEndian(62, 2) + littleEndian(1, 4)
        let places =
            littleEndian(0, 8) + littleEndian(offset, 8) + littleEndian(offset, 8) + littleEndian(0, 4)
        let segments = littleEndian(64, 2) + littleEndian(56, 2) + littleEndian(sections, 2)
        let table = littleEndian(64, 2) + littleEndian(sections, 2) + littleEndian(sections, 2)
        return elfIdentification + kind + places + segments + table
    }

    /// The beginning of a 64-bit ELF file, in which numbers are little endian.
    static let elfIdentification: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + littleEndian(0, 9)
}
