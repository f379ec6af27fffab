import Facts
import OCIModel
import Testing

@Suite("os-release") struct OSReleaseTests {
    static let debian = """
        PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        VERSION_ID="12"
        VERSION_CODENAME=bookworm
        # comment
        ID=debian
        ID_LIKE='a b'
        HOME_URL="https://www.debian.org/\\$x"
        """

    @Test func readsTheLinkedFile() throws {
        let rootfs = tree(
            Layer().file("usr/lib/os-release", Self.debian).link(
                "etc/os-release", to: "../usr/lib/os-release"),
            Layer().file("etc/debian_version", "12.5\n"))
        let release = try facts(rootfs).osRelease.get()
        #expect(release.id == "debian")
        #expect(release.idLike == ["a", "b"])
        #expect(release.versionID == "12")
        #expect(release.versionCodename == "bookworm")
        #expect(release.prettyName == "Debian GNU/Linux 12 (bookworm)")
        #expect(release["HOME_URL"] == "https://www.debian.org/$x")
        #expect(release["NONE"] == nil)
        #expect(release.path == "/usr/lib/os-release" && release.layer == 0)
        #expect(release.debianVersion == "12.5")
        #expect(release.malformedLines.isEmpty)
    }

    @Test func fallsBack() throws {
        #expect(try facts(tree(Layer().file("usr/lib/os-release", "ID=x\n"))).osRelease.get().id == "x")
        #expect(try facts(tree(Layer())).osRelease.failureKind == .missing)
        #expect(try facts(tree(Layer().directory("etc/os-release"))).osRelease.failureKind == .malformed)
    }

    @Test(
        "quoting",
        arguments: [
            ("A=b", "b"), ("A=", ""), ("A=\"\"", ""), ("A='b c'", "b c"), ("A=\"b\\\"c\"", "b\"c"),
            ("A=\"b\\nc\"", "b\\nc"), ("A='b\\c'", "b\\c"), ("A=b\\ c", "b c"), ("  A=b  ", "b"),
            ("A=1\nA=2", "2"),
            ("A=b=c", "b=c"),
        ])
    func quoting(_ text: String, _ value: String) throws {
        let release = try facts(tree(Layer().file("etc/os-release", text))).osRelease.get()
        #expect(release["A"] == value)
        #expect(release.malformedLines.isEmpty)
    }

    @Test(
        "malformed lines",
        arguments: [
            "A", "=b", "A B=c", "A=\"b", "A='b", "A=\"b\"c", "A=b c", "A=$b", "A=\"`id`\"", "A=b\\", "A=b;c",
            "\u{1}",
        ])
    func malformed(_ line: String) throws {
        let release = try facts(tree(Layer().file("etc/os-release", "ID=x\n\(line)"))).osRelease.get()
        #expect(release.malformedLines.entries.map(\.line) == [2])
        #expect(release.fields.count == 1)
    }
}
