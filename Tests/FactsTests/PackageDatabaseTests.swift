import Facts
import OCIModel
import RootFS
import Testing

@Suite("Packages") struct PackageDatabaseTests {
    static func stanza(
        _ name: String, _ version: String = "1.0", status: String = "install ok installed",
        architecture: String = "amd64", more: String = ""
    ) -> String {
        """
        Package: \(name)
        Status: \(status)
        Architecture: \(architecture)
        Version: \(version)
        \(more)Description: text
         continued: yes
         .


        """
    }

    static func packages(_ texts: String...) throws -> PackageDatabase {
        let path = "var/lib/dpkg/status"
        return try facts(tree(Layer().file(path, texts.joined()))).packages.get()
    }

    @Test func readsStanzas() throws {
        let packages = try Self.packages(
            Self.stanza(
                "libc6", "2.36-9+deb12u4",
                more: """
                    Source: glibc
                    section:  libs
                    Installed-Size: 12345
                    Provides: libc6-2.36, libc (= 1) , other:any
                    Depends: libgcc-s1,
                     libcrypt1 (>= 1:4.4)

                    """
            ),
            Self.stanza("held", status: "hold ok installed"),
            Self.stanza("gone", status: "deinstall ok config-files"),
            Self.stanza("broken", status: "install reinstreq half-installed"))
        let libc = try #require(packages.package(named: "libc6"))
        #expect(libc.version == "2.36-9+deb12u4" && libc.architecture == "amd64")
        #expect(libc.isInstalled && libc.hasFiles)
        #expect(libc.status.description == "install ok installed")
        #expect(libc.source == "glibc" && libc.section == "libs" && libc.installedSize == 12345)
        #expect(libc.provides == ["libc6-2.36", "libc", "other"])
        #expect(libc.depends == "libgcc-s1, libcrypt1 (>= 1:4.4)")
        #expect(try #require(libc.debianVersion) > #require(DebianVersion("2.36-9")))
        #expect(libc.path == "/var/lib/dpkg/status" && libc.line == 1)
        #expect(packages.installed.map(\.name) == ["libc6", "held"])
        #expect(packages.package(named: "gone")?.hasFiles == false)
        #expect(packages.package(named: "broken")?.isInstalled == false)
        #expect(packages.package(named: "broken")?.hasFiles == true)
        #expect(packages.package(named: "none") == nil)
        #expect(packages.providers(of: "libc").map(\.name) == ["libc6"])
        #expect(packages.malformedStanzas.isEmpty)
    }

    @Test func keepsEachArchitecture() throws {
        let packages = try Self.packages(
            Self.stanza("libc6", status: "deinstall ok config-files", architecture: "i386"),
            Self.stanza("libc6"))
        #expect(packages.packages(named: "libc6").map(\.architecture) == ["i386", "amd64"])
        #expect(packages.package(named: "libc6")?.architecture == "amd64")
    }

    @Test(
        "collects malformed stanzas",
        arguments: [
            "Status: install ok installed\nVersion: 1\n", "Package: a\nVersion: 1\n",
            "Package: ../../etc\nStatus: install ok installed\nVersion: 1\n",
            "Package: a\nStatus: install ok\nVersion: 1\n",
            "Package: a\nStatus: install ok mounted\nVersion: 1\n",
            "Package: a\nStatus: install ok installed\n",
            "Package: a\nPackage: b\nStatus: install ok installed\n",
            "Package: a\nno colon here\nStatus: install ok installed\nVersion: 1\n", " continuation first\n",
            ": x\n",
        ])
    func malformed(_ stanza: String) throws {
        let packages = try Self.packages(Self.stanza("good"), stanza, "\n", Self.stanza("also-good"))
        #expect(packages.packages.map(\.name) == ["good", "also-good"])
        #expect(packages.malformedStanzas.count == 1)
        #expect(packages.malformedStanzas.entries.first?.line == 9)
    }

    @Test func survivesEndlessContinuations() throws {
        let packages = try Self.packages(
            "Package: a\nStatus: install ok installed\nVersion: 1\nDepends: x\n",
            String(repeating: " y\n", count: 1_000_000), "\n", Self.stanza("b"))
        #expect(packages.packages.map(\.name) == ["a", "b"])
        #expect(packages.package(named: "a")?.depends?.utf8.count == 2_000_001)
    }

    @Test func whatIsMissing() throws {
        #expect(try facts(tree(Layer())).packages.failureKind == .missing)
        let rootfs = tree(Layer().directory("var/lib/dpkg/status"))
        #expect(try facts(rootfs).packages.failureKind == .malformed)
        #expect(try Self.packages("").packages.isEmpty)
    }

    @Test func readsDistroless() throws {
        let rootfs = tree(
            Layer().file(
                "var/lib/dpkg/status.d/base-files", "Package: base-files\nVersion: 12\nArchitecture: amd64\n"
            )
            .file("var/lib/dpkg/status.d/base-files.md5sums", "0  x\n"),
            Layer().file("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\n"))
        let packages = try facts(rootfs).packages.get()
        #expect(packages.installed.map(\.name) == ["base-files", "tzdata"])
        #expect(packages.layer(thatInstalled: "base-files") == 0)
        #expect(packages.layer(thatInstalled: "tzdata") == 1)
        #expect(packages.malformedStanzas.isEmpty)
    }

    @Test func tellsWhichLayerInstalledAndRemoved() throws {
        let path = "var/lib/dpkg/status"
        let rootfs = tree(
            Layer().file(path, Self.stanza("base") + Self.stanza("gcc") + Self.stanza("openssl", "3.0")),
            Layer().file(path, Self.stanza("base") + Self.stanza("gcc") + Self.stanza("openssl", "3.1")),
            Layer().file("etc/other"),
            Layer().file(
                path,
                Self.stanza("base") + Self.stanza("gcc", status: "deinstall ok config-files")
                    + Self.stanza("openssl", "3.1") + Self.stanza("new")))
        let packages = try facts(rootfs).packages.get()
        #expect(packages.layer(thatInstalled: "base") == 0)
        #expect(packages.layer(thatInstalled: "openssl") == 1)
        #expect(packages.layer(thatInstalled: "new") == 3)
        #expect(packages.layer(thatInstalled: "gcc") == nil)
        #expect(packages.layer(thatRemoved: "gcc") == 3)
        #expect(packages.layer(thatRemoved: "base") == nil)
    }
}
