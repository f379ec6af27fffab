import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel
import RootFS
import Testing

@Suite("Unpacking") struct RootFSWriterTests {
    private struct Layered {
        let directory: TemporaryDirectory
        let inputs: [LayerInput]
        let tree: RootFS

        init(_ archives: [[UInt8]]) async throws {
            directory = try TemporaryDirectory()
            var inputs: [LayerInput] = []
            for (index, archive) in archives.enumerated() {
                let file = try RandomAccessFile(path: try directory.write(archive, to: "layer\(index)"))
                inputs.append(
                    LayerInput(
                        blob: Blob(file: file), digest: nil, diffID: try Digester.digest(of: archive),
                        name: "layer \(index)"))
            }
            self.inputs = inputs
            tree = RootFS.merging(try await LayerReader.index(inputs, plan: ContentPlan()).map(\.table))
        }

        func unpack(to name: String = "out", preservesOwners: Bool = geteuid() == 0) async throws -> String {
            let path = "\(directory.path)/\(name)"
            _ = try await RootFSWriter(preservesOwners: preservesOwners).write(tree, layers: inputs, to: path)
            return path
        }
    }

    /// What is there beside the layers.
    private func outputs(_ layered: Layered) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: layered.directory.path)
            .filter { !$0.hasPrefix("layer") }
    }

    @Test("a cancelled task ends it, with nothing left")
    func cancellation() async throws {
        let layered = try await Layered([archive { tar in tar.add("file", content: Array("text".utf8)) }])
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await layered.unpack()
        }
        task.cancel()
        await #expect(throws: LayerError.self) { try await task.value }
        #expect(try outputs(layered).isEmpty)
    }

    @Test("of two that write the same one is first; the other one leaves nothing")
    func competition() async throws {
        let layered = try await Layered([
            archive { tar in
                for number in 0..<200 { tar.add("file\(number)", content: Array("text".utf8)) }
            }
        ])
        let tasks = (0..<2).map { _ in Task { try await layered.unpack() } }
        var results: [Result<String, any Error>] = []
        for task in tasks { results.append(await task.result) }
        #expect(results.count { (try? $0.get()) != nil } == 1)
        #expect(
            results.count { if case .failure(let error) = $0 { error is UnpackError } else { false } } == 1)
        #expect(try outputs(layered) == ["out"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: "\(layered.directory.path)/out").count == 200)
    }

    private func archive(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var tar = TarBuilder()
        build(&tar)
        return tar.archive
    }

    private func status(_ path: String) throws -> stat {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path): \(String(cString: strerror(errno)))")
        return status
    }

    @Test("the merged tree, with modes, links, times and what later layers changed")
    func mergedTree() async throws {
        let image = try await Layered([
            archive { tar in
                tar.add("d/", .directory, mode: 0o755)
                tar.add("d/old", content: Array("old".utf8))
                tar.add("d/gone", content: Array("gone".utf8))
                tar.add("d/suid", content: Array("s".utf8), mode: 0o4711, mtime: 1_600_000_000)
                tar.add("d/same", .hardLink, linkTarget: "d/suid")
                tar.add("link", .symbolicLink, linkTarget: "/etc/passwd")
                tar.add("pipe", .fifo)
            },
            archive { tar in
                tar.add("d/", .directory, mode: 0o555, mtime: 1_700_000_000)
                tar.add("d/.wh.gone", content: [])
                tar.add("d/old", content: Array("new".utf8), mode: 0o600)
            },
        ])
        let out = try await image.unpack()
        #expect(try image.directory.read("out/d/old") == Array("new".utf8))
        #expect(access("\(out)/d/gone", F_OK) != 0)
        #expect(try status("\(out)/d").st_mode & 0o7777 == 0o555)
        #expect(try status("\(out)/d").st_mtim.tv_sec == 1_700_000_000)
        #expect(try status("\(out)/d/suid").st_mode & 0o7777 == 0o4711)
        #expect(try status("\(out)/d/suid").st_mtim.tv_sec == 1_600_000_000)
        #expect(try status("\(out)/d/suid").st_ino == status("\(out)/d/same").st_ino)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(out)/link") == "/etc/passwd")
        #expect(try status("\(out)/pipe").st_mode & S_IFMT == S_IFIFO)
    }

    @Test("blocks of zeros become holes, and every byte is the one of the layer")
    func holes() async throws {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var mixed = [UInt8](repeating: 0, count: 5_000) + [7]
        mixed += [UInt8](repeating: 0, count: 40_000) + [8, 9] + [UInt8](repeating: 0, count: 3_000)
        let dense = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 | 1) }
        let image = try await Layered([
            archive { tar in
                tar.add("zeros", content: zeros)
                tar.add("mixed", content: mixed)
                tar.add("ends-with-zeros", content: dense + zeros)
                tar.add("one-zero", content: [0])
                tar.add("empty", content: [])
                tar.add("dense", content: dense)
            }
        ])
        let out = try await image.unpack()
        for (name, content) in [
            ("zeros", zeros), ("mixed", mixed), ("ends-with-zeros", dense + zeros), ("one-zero", [0]),
            ("empty", []), ("dense", dense),
        ] {
            #expect(try image.directory.read("out/\(name)") == content, "\(name)")
        }
        #expect(try status("\(out)/zeros").st_blocks == 0)
        #expect(try status("\(out)/ends-with-zeros").st_blocks * 512 < 100_000)
    }

    @Test(
        "as root: the owner is that of the layer, whatever the directory hands on",
        .enabled(if: geteuid() == 0, "takes root"), arguments: [mode_t(0o755), 0o2755])
    func owners(mode: mode_t) async throws {
        let image = try await Layered([
            archive { tar in
                tar.add("d/", .directory, mode: 0o2755, gid: 5)
                tar.add("d/root", content: [1])
                tar.add("d/other", content: [1], uid: 50_000)
                tar.add("d/group", content: [1], gid: 5)
                tar.add("link", .symbolicLink, linkTarget: "d")
            }
        ])
        #expect(chown(image.directory.path, 0, 7) == 0 && chmod(image.directory.path, mode) == 0)
        let out = try await image.unpack()
        for (name, uid, gid) in [
            ("d", 0, 5), ("d/root", 0, 0), ("d/other", 50_000, 0), ("d/group", 0, 5), ("link", 0, 0),
        ] as [(String, uid_t, gid_t)] {
            let found = try status("\(out)/\(name)")
            #expect((found.st_uid, found.st_gid) == (uid, gid), "\(name)")
        }
    }

    @Test(
        "as root: owners, devices, capabilities and other attributes",
        .enabled(if: geteuid() == 0, "takes root"))
    func privileged() async throws {
        let image = try await Layered([
            archive { tar in
                tar.add("null", .characterDevice, mode: 0o666, uid: 7, gid: 8, device: (1, 3))
                tar.add("sda", .blockDevice, device: (259, 70_000))
                tar.add("file", content: [1], uid: 50_000, gid: 5, attributes: [("user.note", [1, 2, 3])])
                tar.add("link", .symbolicLink, uid: 50_000, gid: 6, linkTarget: "file")
            }
        ])
        let out = try await image.unpack()
        let null = try status("\(out)/null")
        #expect((null.st_uid, null.st_gid, null.st_rdev) == (7, 8, 0x103))
        // makedev(259, 70000) by <sys/sysmacros.h>
        let device: UInt = 0x11110370
        #expect(try status("\(out)/sda").st_rdev == device)
        #expect(try status("\(out)/file").st_uid == 50_000)
        #expect(try status("\(out)/link").st_gid == 6)
    }

    @Test("as anybody: all of it the caller's own, devices left out")
    func withoutOwners() async throws {
        let image = try await Layered([
            archive { tar in
                tar.add("null", .characterDevice, device: (1, 3))
                tar.add("file", content: [1], uid: 50_000)
            }
        ])
        let report = try await RootFSWriter(preservesOwners: false).write(
            image.tree, layers: image.inputs, to: "\(image.directory.path)/out")
        #expect(report.omitted == ["/null: a device, which takes root"])
        #expect(try status("\(image.directory.path)/out/file").st_uid == geteuid())
    }

    @Test("hostile names and links write nothing outside")
    func staysInside() async throws {
        let image = try await Layered([
            archive { tar in
                tar.add("../escape", content: [1])
                tar.add("/absolute", content: [2])
                tar.add("out", .symbolicLink, linkTarget: "../..")
                tar.add("out/through", content: [3])
                tar.add("etc", .symbolicLink, linkTarget: "/etc")
                tar.add("etc/assay-was-here", content: [4])
                tar.add("hard", .hardLink, linkTarget: "../../../etc/hostname")
                tar.add(rawName: [0x66, 0xFF, 0x0A], content: [5])
            }
        ])
        let before = try FileManager.default.contentsOfDirectory(atPath: image.directory.path)
        let out = try await image.unpack()
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: image.directory.path))
                == Set(before + ["out"]))
        #expect(access("/etc/assay-was-here", F_OK) != 0)
        for (name, byte) in [("escape", UInt8(1)), ("absolute", 2), ("through", 3)] {
            #expect(try image.directory.read("out/\(name)") == [byte])
        }
        #expect(access("\(out)/hard", F_OK) != 0)
    }

    @Test("a damaged layer leaves nothing behind")
    func nothingHalf() async throws {
        let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        let image = try await Layered([archive { $0.add("a/b/file", content: content) }])
        let path = try image.directory.write(Array(image.directory.read("layer0").prefix(100_000)), to: "cut")
        let input = LayerInput(
            blob: Blob(file: try RandomAccessFile(path: path)), digest: nil, diffID: image.inputs[0].diffID,
            name: "layer")
        await #expect(throws: LayerError.self) {
            try await RootFSWriter(preservesOwners: false).write(
                image.tree, layers: [input], to: "\(image.directory.path)/out")
        }
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: image.directory.path)) == [
                "layer0", "cut",
            ])
    }

    @Test func refusesADirectoryThatIsNotEmpty() async throws {
        let image = try await Layered([archive { $0.add("file", content: [1]) }])
        await #expect(throws: UnpackError.self) { try await image.unpack(to: "") }
        try FileManager.default.createDirectory(
            atPath: "\(image.directory.path)/empty", withIntermediateDirectories: false)
        _ = try await image.unpack(to: "empty/")
    }
}
