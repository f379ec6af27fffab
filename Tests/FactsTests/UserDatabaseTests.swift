import Facts
import OCIModel
import RootFS
import Testing

@Suite("Users and groups") struct UserDatabaseTests {
    static let passwd = """
        root:x:0:0:root:/root:/bin/bash
        # a comment

        airflow:x:50000:0:First Last,RoomNumber:/home/airflow:/bin/bash
        twice:x:7:7::/:
        twice:x:8:8::/:
        big:x:4294967294:4294967294::/:
        """
    static let group = """
        root:x:0:airflow
        sudo:x:27:airflow,twice
        primary:x:50000:
        """

    static func database() throws -> UserDatabase {
        try facts(tree(Layer().file("etc/passwd", passwd).file("etc/group", group))).users.get()
    }

    @Test func readsUsersAndGroups() throws {
        let users = try Self.database()
        #expect(users.users.map(\.name) == ["root", "airflow", "twice", "twice", "big"])
        #expect(users.malformedLines.isEmpty)
        let airflow = try #require(users.user(named: "airflow"))
        #expect(airflow.uid == 50000 && airflow.gid == 0 && airflow.line == 4 && airflow.layer == 0)
        #expect(airflow.home == "/home/airflow" && airflow.shell == "/bin/bash")
        #expect(airflow.gecos == "First Last,RoomNumber")
        #expect(users.user(uid: 0)?.name == "root")
        #expect(users.user(named: "twice")?.uid == 7)
        #expect(users.user(named: "nobody") == nil)
        #expect(users.group(gid: 27)?.members == ["airflow", "twice"])
        #expect(users.group(named: "primary")?.gid == 50000)
        let membership = users.groups(of: airflow)
        #expect(membership.primary?.name == "root")
        #expect(membership.supplementary.map(\.name) == ["root", "sudo"])
        #expect(membership.gids == [0, 27])
    }

    @Test(
        "collects malformed lines",
        arguments: [
            "a:x:0:0", "a:x:0:0:g:h:s:more", ":x:1:1:::", "a:x:-1:0:::", "a:x:0x0:0:::", "a:x: 1:0:::",
            "a:x:4294967295:0:::", "a:x:99999999999999999999:0:::", "a:x::0:::", "+::::::", "garbage",
        ])
    func malformed(_ line: String) throws {
        let rootfs = tree(Layer().file("etc/passwd", "root:x:0:0:::\n\(line)\n"))
        let users = try facts(rootfs).users.get()
        #expect(users.users.count == 1)
        #expect(users.malformedLines.entries.map(\.line) == [2])
        #expect(users.malformedLines.entries.first?.path == "/etc/passwd")
    }

    @Test func keepsFewOfManyMalformedLines() throws {
        let text = String(repeating: "x\n", count: 100_000)
        let users = try facts(tree(Layer().file("etc/passwd", text))).users.get()
        #expect(users.malformedLines.count == 100_000)
        #expect(users.malformedLines.entries.count == MalformedEntries.maximumKept)
    }

    @Test func escapesBytesThatAreNotText() throws {
        let line = Array("a".utf8) + [0xFF] + Array(":x:1:1:::".utf8)
        let users = try facts(tree(Layer().file("etc/passwd", bytes: line))).users.get()
        #expect(users.users.map(\.name) == ["a\\xff"])
    }

    @Test func whatCannotBeRead() throws {
        #expect(try facts(tree(Layer())).users.failureKind == .missing)
        #expect(try facts(tree(Layer().directory("etc/passwd"))).users.failureKind == .malformed)
        #expect(try facts(tree(Layer().link("etc/passwd", to: "passwd"))).users.failureKind == .unreachable)
        let large = Layer().file("etc/passwd", bytes: Array(repeating: 0x0A, count: 1 << 20 + 1))
        #expect(try facts(tree(large)).users.failureKind == .tooLarge)
        let elsewhere = Layer().file("srv/users", "root:x:0:0:::").link("etc/passwd", to: "/srv/users")
        #expect(try facts(tree(elsewhere)).users.failureKind == .unread)
        let badGroup = Layer().file("etc/passwd", "").directory("etc/group")
        #expect(try facts(tree(badGroup)).users.failureKind == .malformed)
    }

    @Test func followsLinksInsideTheImage() throws {
        let rootfs = tree(
            Layer().file("etc/group", "root:x:0:0:::\n").link("etc/passwd", to: "/../../etc/group"))
        #expect(try facts(rootfs).users.get().user(named: "root")?.uid == 0)
    }

    @Test func tellsWhichLayerMadeALine() throws {
        let users = try facts(
            tree(
                Layer().file("etc/passwd", "root:x:0:0:::/bin/sh\n"),
                Layer().file("etc/passwd", "root:x:0:0:::/bin/sh\na:x:1:1:::\n"),
                Layer().file("etc/passwd", "root:x:0:0:::/bin/bash\na:x:1:1:::\n"))
        ).users.get()
        #expect(users.user(named: "root")?.layer == 2)
        #expect(users.user(named: "a")?.layer == 1)
    }

    struct Resolution: Sendable {
        let user: String?
        let uid: Int64
        let gid: Int64
        var name: String?
        var supplementary: [Int64] = []
    }

    @Test(
        "resolves the user of a config",
        arguments: [
            Resolution(user: nil, uid: 0, gid: 0, name: "root"),
            Resolution(user: "", uid: 0, gid: 0, name: "root"),
            Resolution(user: "airflow", uid: 50000, gid: 0, name: "airflow", supplementary: [0, 27]),
            Resolution(user: "50000", uid: 50000, gid: 0, name: "airflow", supplementary: [0, 27]),
            Resolution(user: "50000:", uid: 50000, gid: 0, name: "airflow", supplementary: [0, 27]),
            Resolution(user: "50000:0", uid: 50000, gid: 0, name: "airflow"),
            Resolution(user: "airflow:sudo", uid: 50000, gid: 27, name: "airflow"),
            Resolution(user: "airflow:50000", uid: 50000, gid: 50000, name: "airflow"),
            Resolution(user: "1234", uid: 1234, gid: 0),
            Resolution(user: "1234:5678", uid: 1234, gid: 5678),
            Resolution(user: ":27", uid: 0, gid: 27, name: "root"),
            Resolution(user: "00", uid: 0, gid: 0, name: "root"),
            Resolution(user: "2147483647", uid: 2_147_483_647, gid: 0),
        ])
    func resolves(_ expected: Resolution) throws {
        let user = try Self.database().resolve(expected.user)
        #expect(user.uid == expected.uid && user.gid == expected.gid && user.name == expected.name)
        #expect(user.supplementaryGIDs == expected.supplementary)
    }

    @Test(
        "refuses the user of a config",
        arguments: [
            "4294967296", "4294967295", "2147483648", "-1", "+0", "0x0", " root", "root ", "root\n", "a:b:c",
            "nobody", "airflow:nogroup", "airflow:-1", "airflow:4294967296", "0 ", "big",
        ])
    func refuses(_ user: String) throws {
        let users = try Self.database()
        #expect(throws: FactError.self) { try users.resolve(user) }
    }
}
