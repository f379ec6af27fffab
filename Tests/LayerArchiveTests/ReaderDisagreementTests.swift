import AssayTestSupport
import Foundation
import LayerArchive
import Testing

private func disagreement(_ plain: [UInt8]) async throws -> String? {
    let oddities = try await LayerFixture(plain: plain, blob: gzipped(plain)).index().summary.oddities
    return oddities.list.first { $0.kind == .readerDisagreement }?.subject
}

extension TemporaryDirectory {
    /// Runs a script in the directory that writes `all.tar`, and returns that.
    fileprivate func run(_ script: String) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-e", "-c", script]
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return try read("all.tar")
    }
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
        let plain = try directory.run(script)
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

    @Test(
        "what other programs write is the same to both",
        arguments: [
            "bsdtar --format=pax -cf all.tar in", "bsdtar --format=ustar -cf all.tar in",
            "bsdtar --format=gnutar -cf all.tar in", "bsdtar --format=v7tar -cf all.tar in",
            "tar --format=posix -S --sparse-version=0.0 -cf all.tar in",
            "tar --format=posix -S --sparse-version=0.1 -cf all.tar in",
            "tar --format=posix --pax-option=comment=global -cf all.tar in",
            "tar -cf all.tar in/d && tar -rf all.tar in/one in/holes",
            "tar -cf part.tar in && head -c -10240 part.tar > all.tar",
            "python3 -c 'import tarfile; tarfile.open(\"all.tar\", \"w\", format=0).add(\"in/d\")'",
            "python3 -c 'import tarfile; tarfile.open(\"all.tar\", \"w\", format=1).add(\"in\")'",
            "python3 -c 'import tarfile; tarfile.open(\"all.tar\", \"w\", format=2).add(\"in\")'",
        ])
    func writers(command: String) async throws {
        let directory = try TemporaryDirectory()
        let plain = try directory.run(
            """
            long=$(printf 'directory-%d/' 1 2 3 4 5 6 7)
            mkdir -p "in/d/$long"
            echo one > in/one
            echo deep > "in/d/$long/file"
            ln in/one in/two
            ln -s "d/${long}file" in/three
            truncate -s 1M in/holes
            printf x | dd of=in/holes bs=1 seek=400000 conv=notrunc status=none
            touch -d '1960-01-01 00:00:00.5' in/one
            \(command)
            """)
        #expect(try await disagreement(plain) == nil)
        #expect(try await LayerFixture(plain: plain).index().table.count >= 8)
    }

    @Test("a type that nobody knows is not a file, and its data are skipped by both")
    func unknownTypes() async throws {
        var tar = TarBuilder()
        for type: UInt8 in [0x37, 0x44, 0x4D, 0x4E, 0x5A, 0x78 + 1, 0xFF] {
            tar.add("type\(type)", typeFlag: type, content: [UInt8](repeating: 1, count: 600))
        }
        tar.add("last", content: [1])
        #expect(try await disagreement(tar.archive) == nil)
        let table = try await LayerFixture(plain: tar.archive).index().table
        #expect(table.entries.map(\.kind) == Array(repeating: .other, count: 7) + [.file])
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
