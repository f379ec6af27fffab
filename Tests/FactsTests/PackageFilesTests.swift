import Facts
import OCIModel
import Testing

@Suite("Files of Debian packages") struct PackageFilesTests {
    private static let status =
        "Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"

    private func packages(_ layer: Layer) throws -> PackageDatabase {
        try facts(tree(layer.file("var/lib/dpkg/status", Self.status))).packages.get()
    }

    @Test func aFileBelongsToThePackageThatListsIt() throws {
        let packages = try packages(
            Layer().link("bin", to: "usr/bin").file("usr/bin/dash").file("usr/bin/other")
                .file("var/lib/dpkg/info/dash.list", "/.\n/bin\n/bin/dash\n/usr/share/doc/dash/copyright\n")
                .file("var/lib/dpkg/info/libc6:amd64.list", "/usr/lib/libc.so.6\n")
                .file("var/lib/dpkg/info/dash.md5sums", "/usr/bin/other"))
        #expect(packages.owner(of: "/usr/bin/dash") == .success("dash"))
        #expect(packages.owner(of: "/bin/dash") == .success("dash"))
        #expect(packages.owner(of: "/usr/lib/libc.so.6") == .success("libc6"))
        // Whether or not the file is there.
        #expect(packages.owner(of: "/usr/share/doc/dash/copyright") == .success("dash"))
        #expect(packages.owner(of: "/usr/bin/other") == .success(nil))
    }

    @Test func aDirectoryIsAnAliasOnlyWhenItIsALink() throws {
        let packages = try packages(
            Layer().directory("bin").file("var/lib/dpkg/info/dash.list", "/bin/dash\n"))
        #expect(packages.owner(of: "/usr/bin/dash") == .success(nil))
    }

    @Test func diversionsAreFollowed() throws {
        let packages = try packages(
            Layer().file("var/lib/dpkg/info/dash.list", "/usr/bin/sh\n")
                .file(
                    "var/lib/dpkg/diversions",
                    "/usr/bin/sh\n/usr/bin/sh.distrib\nbusybox\n/usr/bin/x\n/usr/bin/x.real\n:\n"))
        #expect(packages.owner(of: "/usr/bin/sh.distrib") == .success("dash"))
        #expect(packages.owner(of: "/usr/bin/sh") == .success("busybox"))
        #expect(packages.owner(of: "/usr/bin/x") == .success(nil))
    }

    @Test func withoutListsItCannotBeTold() throws {
        #expect(try packages(Layer()).owner(of: "/usr/bin/dash").failureKind == .missing)
        let unread = Layer().file("var/lib/dpkg/info/dash.list", bytes: Array(repeating: 10, count: 5 << 20))
        #expect(try packages(unread).owner(of: "/usr/bin/dash").failureKind == .tooLarge)
    }
}
