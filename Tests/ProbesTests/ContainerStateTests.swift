import Foundation
import Glibc
import Testing
import Verdict

@testable import Probes

@Suite("Containers are looked at from outside")
struct ContainerStateTests {
    /// A directory that stands for a container's root, beside one that stands for a volume.
    private final class Tree {
        let place = FileManager.default.temporaryDirectory.appending(path: "assay-look-\(UUID().uuidString)")
        var root: String { "\(place.path)/root" }
        var volume: String { "\(place.path)/volume" }

        init() throws {
            for folder in ["root/etc", "root/work", "volume"] {
                try FileManager.default.createDirectory(
                    at: place.appending(path: folder), withIntermediateDirectories: true)
            }
            try write("root/etc/passwd", "inside")
            try write("volume/x", "shared")
            try write("secret", "outside")
        }

        deinit { try? FileManager.default.removeItem(at: place) }

        func write(_ path: String, _ text: String) throws {
            try Data(text.utf8).write(to: place.appending(path: path))
        }

        func link(_ path: String, to target: String) throws {
            try #require(symlink(target, "\(root)/\(path)") == 0)
        }

        /// The content of a file as the container sees it; nil when there is none.
        func read(_ path: String) throws -> String? {
            try look(path)?.content?.text
        }

        func look(_ path: String) throws -> ContainerState.File.Status? {
            let files = ContainerFiles(
                mounts: [.init(path: "/data", source: volume)],
                wanted: [.init(path: path, readsContent: true)])
            let directory = open(root, O_RDONLY | O_DIRECTORY)
            defer { close(directory) }
            return try #require(try files.look(below: directory).first).status
        }
    }

    @Test("links lead to where the container would go, never out of it")
    func links() throws {
        let tree = try Tree()
        try tree.link("absolute", to: "/etc/passwd")
        try tree.link("escape", to: "../../../../..\(tree.place.path)/secret")
        try tree.link("up", to: "../../etc")
        try tree.link("host", to: "\(tree.place.path)/secret")
        try tree.link("work/volume", to: "/data/x")
        try tree.link("loop", to: "/loop")
        try tree.link("nowhere", to: "/nope/x")
        #expect(try tree.read("/absolute") == "inside")
        #expect(try tree.read("/up/passwd") == "inside")
        #expect(try tree.read("/up/../../../etc//./passwd") == "inside")
        #expect(try tree.read("/work/volume") == "shared")
        #expect(try tree.read("/data/../data/x") == "shared")
        for path in ["/escape", "/host", "/loop", "/nowhere", "/etc/passwd/x", "/nope"] {
            #expect(try tree.look(path) == nil, "\(path)")
        }
        #expect(try tree.look("/data/..")?.type == "directory")
    }

    @Test("kinds, modes and owners are seen; what is no file is not opened")
    func status() throws {
        let tree = try Tree()
        try #require(mkfifo("\(tree.root)/fifo", 0o600) == 0)
        chmod("\(tree.root)/etc/passwd", 0o4640)
        chmod("\(tree.root)/work", 0o1777)
        let file = try #require(try tree.look("/etc/passwd"))
        #expect(file.type == "file" && file.permissions == 0o4640)
        #expect(file.uid == Int64(geteuid()) && file.gid == Int64(getegid()))
        #expect(try tree.look("/work")?.permissions == 0o1777)
        let fifo = try #require(try tree.look("/fifo"))
        #expect(fifo.type == "fifo" && fifo.content == nil)
    }

    @Test("a large file is cut, and says so")
    func large() throws {
        let tree = try Tree()
        try tree.write("root/large", String(repeating: "x", count: 100_000))
        let content = try #require(try tree.look("/large")?.content)
        #expect(content.text.utf8.count == ContainerFiles.contentLimit)
        #expect(content.byteCount == 100_000 && content.isTruncated)
    }

    @Test("a process below another one is found, with its session")
    func processes() async throws {
        let program = RunningProgram(["setsid", "--fork", "--wait", "sleep", "60"], outputLimit: 1)
        var names: [String] = []
        for _ in 0..<500 where !names.contains("sleep") {
            try await Task.sleep(for: .milliseconds(10))
            guard let pid = program.processID else { continue }
            names = (ContainerProcesses.below(pid) ?? []).map(\.name)
        }
        let pid = try #require(program.processID)
        let seen = try #require(ContainerProcesses.below(pid))
        let child = try #require(seen.first { $0.name == "sleep" })
        #expect(seen.contains { $0.name == "setsid" && $0.parent == 0 && $0.pid == child.parent })
        #expect(child.session == child.pid && child.group == child.pid)
        kill(pid_t(child.pid), SIGKILL)
        await program.end()
        #expect(ContainerProcesses.below(pid) == nil)
        #expect(ContainerProcesses.ports(of: pid) == nil)
    }

    @Test(
        "addresses are read as the kernel writes them",
        arguments: [
            ("0100007F:1F90", "127.0.0.1", 8080), ("00000000:0016", "0.0.0.0", 22),
            ("00000000000000000000000001000000:0050", "::1", 80),
            ("00000000000000000000000000000000:FFFF", "::", 65535),
        ] as [(Substring, String, UInt16)])
    func addresses(_ text: Substring, _ address: String, _ number: UInt16) {
        #expect(ContainerProcesses.port(text) == ContainerState.Port(address: address, number: number))
    }

    @Test(
        "what is no address is none",
        arguments: ["", "0100007F", "0100007F:", "01:50", "x:1", "0100007F:10000"])
    func noAddress(_ text: String) { #expect(ContainerProcesses.port(text[...]) == nil) }

    @Test("a port that listens is seen, until it is closed")
    func ports() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        try #require(isBound)
        let port = ContainerState.Port(address: "127.0.0.1", number: UInt16(bigEndian: address.sin_port))
        #expect(ContainerProcesses.ports(of: getpid())?.contains(port) == true)
        close(listener)
        #expect(ContainerProcesses.ports(of: getpid())?.contains(port) == false)
    }
}
