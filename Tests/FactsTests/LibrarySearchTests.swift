import Facts
import OCIModel
import Testing

@Suite("Libraries") struct LibrarySearchTests {
    @Test func searchesTheLinkersDirectories() throws {
        let rootfs = tree(
            Layer().link("lib", to: "usr/lib").file("usr/lib/x86_64-linux-gnu/libssl.so.3", "1234")
                .link("usr/lib/x86_64-linux-gnu/libssl.so", to: "libssl.so.3")
                .link("usr/lib/x86_64-linux-gnu/libssl.so.9", to: "nowhere")
                .file("opt/lib/libssl.so.1").file("srv/lib/libssl.so.2").file("other/libssl.so.4"),
            Layer().file("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n")
                .file("etc/ld.so.conf.d/a.conf", "# comment\n/srv/lib # more\ninclude ../ld.so.conf\n")
                .file("etc/ld.so.conf.d/b.txt", "/other\n"))
        let libraries = try facts(rootfs, config: config(environment: ["LD_LIBRARY_PATH=/opt/lib:"]))
            .libraries
        let found = libraries.find(Glob("libssl.so*"))
        #expect(
            found.map(\.path) == [
                "/opt/lib/libssl.so.1", "/srv/lib/libssl.so.2", "/lib/x86_64-linux-gnu/libssl.so",
                "/lib/x86_64-linux-gnu/libssl.so.3",
            ])
        #expect(found.last?.resolvedPath == "/usr/lib/x86_64-linux-gnu/libssl.so.3")
        #expect(found.last?.size == 4 && found.last?.layer == 0)
        #expect(libraries.unreadFiles.isEmpty)
    }

    @Test func followsThePlatform() throws {
        let rootfs = tree(Layer().file("usr/lib/aarch64-linux-gnu/libm.so.6"))
        #expect(
            try facts(rootfs, config: config(architecture: "arm64")).libraries.find(Glob("libm.*")).count == 1
        )
        #expect(try facts(rootfs).libraries.find(Glob("libm.*")).isEmpty)
    }

    @Test func tellsWhichLayerRemovedALibrary() throws {
        let libraries = try facts(
            tree(
                Layer().file("usr/lib/libmariadb.so.3").file("usr/lib/libm.so.6"),
                Layer().file("usr/lib/.wh.libmariadb.so.3"))
        ).libraries
        #expect(libraries.layer(thatRemoved: Glob("libmariadb.so.*")) == 1)
        #expect(libraries.layer(thatRemoved: Glob("libm.so.*")) == nil)
    }

    @Test func saysWhatItCouldNotRead() throws {
        let rootfs = tree(Layer().directory("etc/ld.so.conf"))
        #expect(try facts(rootfs).libraries.unreadFiles == ["/etc/ld.so.conf"])
    }
}
