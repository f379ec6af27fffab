import Facts
import OCIModel
import RootFS
import Testing

@Suite("Commands") struct CommandSearchTests {
    static let passwd = Layer().file("etc/passwd", "root:x:0:0:::\nairflow:x:50000:0:::\n")
        .file("etc/group", "root:x:0:\nstaff:x:50:airflow\n")

    static func search(
        _ layer: Layer, user: String? = "50000", path: String? = "/usr/local/bin:/usr/bin",
        workingDirectory: String? = nil
    ) throws -> CommandSearch {
        let environment = path.map { ["PATH=\($0)"] } ?? []
        return try facts(
            tree(passwd, layer),
            config: config(user: user, environment: environment, workingDirectory: workingDirectory)
        ).commands
    }

    @Test func findsAllMatchesInOrder() throws {
        let commands = try Self.search(
            Layer().file("usr/bin/tool", "12345", mode: 0o755).file("opt/tool-2", "123", mode: 0o755)
                .link("usr/local/bin/tool", to: "../../../../opt/tool-2"))
        let found = commands.find("tool")
        #expect(found.map(\.path) == ["/usr/local/bin/tool", "/usr/bin/tool"])
        #expect(found.map(\.resolvedPath) == ["/opt/tool-2", "/usr/bin/tool"])
        #expect(found.map(\.size) == [3, 5])
        #expect(found.allSatisfy { $0.isExecutable && $0.layer == 1 })
        #expect(commands.find("tool", in: ["/usr/bin"]).map(\.path) == ["/usr/bin/tool"])
        #expect(commands.find("none").isEmpty && commands.find("").isEmpty && commands.find("..").isEmpty)
        #expect(!commands.userIsUnknown)
    }

    @Test(
        "execute permission",
        arguments: [
            ("50000", 0o755, Int64(0), Int64(0), true), ("50000", 0o644, 0, 0, false),
            ("50000", 0o655, 50000, 0, false),  // the owner's bits count for the owner
            ("50000", 0o710, 0, 0, true),  // the primary group
            ("50000", 0o710, 0, 50, true),  // a supplementary group
            ("50000:0", 0o710, 0, 50, false),  // none when the group is given
            ("50000", 0o701, 0, 0, false),  // the group's bits count for its members
            ("1234", 0o701, 1, 1, true), ("root", 0o001, 1, 1, true), ("root", 0o644, 0, 0, false),
        ])
    func permission(user: String, mode: Int, uid: Int64, gid: Int64, isExecutable: Bool) throws {
        let layer = Layer().file("usr/bin/tool", mode: UInt16(mode), uid: uid, gid: gid)
        let found = try Self.search(layer, user: user).find("tool")
        #expect(found.map(\.isExecutable) == [isExecutable])
        #expect(found.map(\.access) == [isExecutable ? .executable : .notExecutable])
    }

    @Test func directoriesMustBeSearchable() throws {
        let layer = Layer().directory("root", mode: 0o700).file("root/bin/tool", mode: 0o755)
            .link("usr/bin/tool", to: "/root/bin/tool")
        #expect(try Self.search(layer).find("tool").map(\.access) == [.unsearchable("/root")])
        #expect(try Self.search(layer, user: nil).find("tool").map(\.access) == [.executable])
    }

    @Test func whatIsNotFound() throws {
        let layer = Layer().link("usr/bin/dangling", to: "nowhere").link("usr/bin/loop", to: "loop")
            .link("usr/bin/a", to: "b").link("usr/bin/b", to: "a").directory("usr/bin/directory")
            .file("usr/bin/file", mode: 0o755).link("usr/bin/through", to: "file/x")
        let commands = try Self.search(layer)
        for name in ["dangling", "loop", "a", "directory", "through", "file/x"] {
            #expect(commands.find(name).isEmpty, "\(name)")
        }
    }

    @Test func namesWithASlashArePaths() throws {
        let layer = Layer().file("opt/bin/tool", mode: 0o755)
        let commands = try Self.search(layer, workingDirectory: "/opt")
        #expect(commands.find("/opt/bin/tool").map(\.path) == ["/opt/bin/tool"])
        #expect(commands.find("bin/tool").map(\.path) == ["/opt/bin/tool"])
        #expect(commands.find("./bin/tool").map(\.path) == ["/opt/bin/tool"])
    }

    @Test func searchPath() throws {
        let none = try Self.search(Layer(), path: nil)
        #expect(none.path.first == "/usr/local/sbin" && none.path.count == 6)
        let odd = try Self.search(Layer(), path: ":bin:/a//b/", workingDirectory: "/opt")
        #expect(odd.path == ["/opt", "/opt/bin", "/a/b"])
        #expect(try Self.search(Layer(), path: "").path.isEmpty)
    }

    @Test func unknownUserCountsAsRoot() throws {
        let commands = try Self.search(Layer().file("usr/bin/tool", mode: 0o700), user: "nobody")
        #expect(commands.userIsUnknown && commands.credentials == .root)
        #expect(commands.find("tool").map(\.isExecutable) == [true])
    }

    @Test func numericUserNeedsNoPasswd() throws {
        let commands = try facts(tree(Layer().file("bin/x", mode: 0o700)), config: config(user: "50000:7"))
            .commands
        #expect(!commands.userIsUnknown)
        #expect(commands.credentials == Credentials(uid: 50000, gids: [7]))
        #expect(commands.find("x").map(\.isExecutable) == [false])
    }

    @Test func credentialsAllow() throws {
        let rootfs = tree(Layer().file("a", mode: 0o640, uid: 1, gid: 2))
        let status = try #require(try rootfs.status(at: "/a"))
        #expect(Credentials(uid: 1, gids: []).allows(.write, on: status))
        #expect(Credentials(uid: 3, gids: [2]).allows(.read, on: status))
        #expect(!Credentials(uid: 3, gids: [2]).allows(.write, on: status))
        #expect(!Credentials(uid: 3, gids: [3]).allows(.read, on: status))
        #expect(Credentials.root.allows(.write, on: status) && !Credentials.root.allows(.execute, on: status))
    }
}
