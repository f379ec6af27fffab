import Foundation
import Glibc
import Testing

@testable import Probes

@Suite("What runs leave") struct RunDirectoryTests {
    private let cache = FileManager.default.temporaryDirectory.appending(
        path: "assay-cache-\(UUID().uuidString)"
    ).path

    private func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    @Test("a directory lasts as long as its run, and is removed once that is gone")
    func lifetime() async throws {
        defer { try? FileManager.default.removeItem(atPath: cache) }
        var run: RunDirectory? = try RunDirectory(below: "\(cache)/run", runtime: .oci)
        let path = try #require(run?.path)
        try make("\(path)/container/rootfs")
        #expect(Leftovers.list(cache: cache).isEmpty)
        #expect(await Leftovers.remove(cache: cache).isEmpty)
        #expect(access(path, F_OK) == 0)
        run = nil
        #expect(Leftovers.list(cache: cache) == [path])
        #expect(await Leftovers.remove(cache: cache).count == 1)
        #expect(access(path, F_OK) != 0)
    }

    @Test("half unpacked images go, whole ones and what is not Assay's stay")
    func unpacked() async throws {
        defer { try? FileManager.default.removeItem(atPath: cache) }
        for name in ["rootfs/abc", "rootfs/abc.assay-x1y2z3", "run/1234", "run/something-else"] {
            try make("\(cache)/\(name)")
        }
        #expect(await Leftovers.remove(cache: cache).count == 1)
        #expect(access("\(cache)/rootfs/abc.assay-x1y2z3", F_OK) != 0)
        for name in ["rootfs/abc", "run/1234", "run/something-else"] {
            #expect(access("\(cache)/\(name)", F_OK) == 0)
        }
        #expect(UnpackedImages.list(cache: cache).map(\.path) == ["\(cache)/rootfs/abc"])
    }
}

@Suite("What runtimes complain of") struct StartFailureTests {
    @Test(
        "a program that is not there or cannot be run has docker's exit code",
        arguments: [
            (#"unable to start container process: exec: "nope": executable file not found in $PATH"#, 127),
            (#"unable to start container process: exec: "/x": stat /x: no such file or directory"#, 127),
            (#"unable to start container process: exec: "/x": permission denied: unknown"#, 126),
            (#"chdir to cwd ("/root") set in config.json failed: permission denied"#, 126),
            ("crun: executable file `nope` not found in $PATH: No such file or directory", 127),
        ] as [(String, Int32)])
    func program(complaint: String, code: Int32) throws {
        #expect(try startFailure(complaint, code: 1) == code)
    }

    @Test(
        "anything else is the runtime's fault",
        arguments: [
            "", "unable to apply cgroup configuration: mkdir: permission denied", "no space left on device",
        ])
    func other(complaint: String) {
        #expect(throws: ProbeError.self) { try startFailure(complaint, code: 1) }
    }
}
