import AssayTestSupport
import Foundation
import LayerArchive
import Testing

private func disagreement(_ plain: [UInt8]) async throws -> String? {
    let notes = try await LayerFixture(plain: plain, blob: gzipped(plain)).index().summary.notes
    return notes.first { $0.hasPrefix("reader disagreement: ") }
}

@Suite("Second reader of headers") struct ReaderDisagreementTests {
    @Test(
        "what GNU tar writes is the same to both",
        arguments: ["v7", "oldgnu", "gnu", "ustar", "posix"],
        ["", "--numeric-owner --owner=4000000000", "-S"])
    func formats(format: String, options: String) async throws {
        let directory = try TemporaryDirectory()
        let isOld = ["v7", "ustar"].contains(format)
        // Such formats have no room for large numbers and no sparse files.
        if isOld, !options.isEmpty { return }
        let deep =
            format == "v7"
            ? "d"
            : format == "ustar" ? String(repeating: "long/", count: 30) : String(repeating: "é/", count: 150)
        let script = """
            set -e
            cd '\(directory.path)'
            mkdir -p 'in/\(deep)'
            echo one > in/one
            echo deep > 'in/\(deep)/file'
            ln in/one in/two
            ln -s one in/three
            \(isOld ? "" : "ln 'in/\(deep)/file' in/five; ln -s 'in/\(deep)/file' in/six")
            \(format == "v7" ? "" : "mkfifo in/four")
            truncate -s 3M in/holes
            for at in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
                printf x | dd of=in/holes bs=1 seek=$((at * 100000)) conv=notrunc status=none
            done
            head -c 700 /dev/zero > in/block
            : > in/empty
            tar --format=\(format) \(options) -cf all.tar in
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let plain = try directory.read("all.tar")
        #expect(try await disagreement(plain) == nil)
        #expect(try await LayerFixture(plain: plain).index().table.count > 7)
    }

    @Test("odd and legal archives are the same to both")
    func legal() async throws {
        var tar = TarBuilder()
        let long = String(repeating: "d/", count: 200) + "end"
        tar.addPAX(
            [("comment", Array("made from a commit".utf8)), ("path", Array("other".utf8))], isGlobal: true)
        tar.add("./etc/", .directory)
        tar.add("old-directory/", content: [])
        tar.add("etc/passwd", content: [1, 2, 3], attributes: [("user.a", [1, 0, 2])])
        tar.add("etc/same", .hardLink, linkTarget: "etc/passwd")
        tar.add(long, .symbolicLink, linkTarget: long)
        tar.addWithGNULongName("gnu/" + long, content: [8])
        tar.add(rawName: [0x62, 0xFF, 0x0A, 0x63], content: [])
        tar.add("dev/null", .characterDevice, device: (1, 3))
        tar.addPAX([("size", Array("600".utf8)), ("mtime", Array("1.5".utf8))])
        tar.add("same-size", content: [UInt8](repeating: 1, count: 600))
        tar.add("last", content: [UInt8](repeating: 1, count: 511))
        #expect(try await disagreement(tar.archive) == nil)
        #expect(try await disagreement(tar.bytes) == nil)
        #expect(try await disagreement(TarBuilder().archive) == nil)
    }

    @Test("a size that the extended header contradicts is a disagreement, whoever heeds which")
    func sizes() async throws {
        var tar = TarBuilder()
        tar.addPAX([("size", Array("1024".utf8))])
        tar.add("file", content: [UInt8](repeating: 1, count: 512))
        tar.add("hidden", content: [])
        let note = try #require(try await disagreement(tar.archive))
        #expect(note.contains("1024 bytes by its extended header and 512 by its header"), "\(note)")
    }

    @Test("data of a hard link are members to one reader")
    func hardLinkWithData() async throws {
        var inner = TarBuilder()
        inner.add("smuggled", content: [])
        var tar = TarBuilder()
        tar.add("file", content: [1])
        tar.addPAX([("mtime", Array("1.5".utf8))])
        tar.add("link", .hardLink, content: inner.bytes, linkTarget: "file")
        tar.add("last", content: [])
        let note = try #require(try await disagreement(tar.archive))
        #expect(note.contains("smuggled") && note.contains("last"), "\(note)")
    }

    @Test("a name that ends at a zero byte for one reader")
    func zeroInName() async throws {
        var tar = TarBuilder()
        tar.addPAX([("path", Array("etc/shadow\0.txt".utf8))])
        tar.add("file", content: [1])
        let note = try #require(try await disagreement(tar.archive))
        #expect(note.contains(#"etc/shadow\x00.txt"#), "\(note)")
    }

    @Test("records that are malformed")
    func malformedRecords() async throws {
        var tar = TarBuilder()
        tar.addPAX([("path", Array("renamed".utf8))])
        tar.add("file", content: [1])
        var bytes = tar.archive
        // The length of the first record.
        bytes[512] = UInt8(ascii: "9")
        let note = try #require(try await disagreement(bytes))
        #expect(note.contains("records are malformed"), "\(note)")
    }
}
