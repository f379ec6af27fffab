import Facts
import LayerArchive
import OCIModel
import RootFS
import Testing

@Suite("Special files and sizes") struct TreeSurveyTests {
    @Test func listsSpecialFiles() throws {
        let capability = ExtendedAttribute(name: "security.capability", value: [1])
        let rootfs = tree(
            Layer().file("bin/su", mode: 0o4755).file("bin/wall", mode: 0o2755, gid: 5)
                .file("bin/ping", mode: 0o755, attributes: [capability]).file("bin/ls", mode: 0o755)
                .directory("var/mail", mode: 0o2775),
            Layer().directory("tmp", mode: 0o1777).directory("open", mode: 0o777).file("tmp/all", mode: 0o666)
                .link("link", to: "open"))
        let special = try facts(rootfs).specialFiles
        #expect(special.setuid.map(\.path) == ["/bin/su"])
        #expect(special.setgid.map(\.path) == ["/bin/wall"])
        #expect(special.setgid.first?.gid == 5 && special.setgid.first?.permissions == 0o2755)
        #expect(special.withCapabilities.map(\.path) == ["/bin/ping"])
        #expect(special.worldWritable.map(\.path) == ["/open", "/tmp/all"])
        #expect(special.worldWritable.map(\.layer) == [1, 1])
        #expect(special.worldWritable.map(\.kind) == [.directory, .file])
    }

    @Test func addsUpSizes() throws {
        let rootfs = tree(
            Layer().file("a", "12345").hardLink("b", to: "a").file("c", "123"),
            Layer().file("c", "1234567").file("d", "1"), Layer().whiteout(".wh.d"))
        let sizes = try facts(rootfs).sizes
        #expect(sizes.layers.map(\.keptBytes) == [5, 7, 0])
        #expect(sizes.layers.map(\.wastedBytes) == [3, 1, 0])
        #expect(sizes.layers.map(\.addedBytes) == [8, 8, 0])
        #expect(sizes.totalBytes == 12 && sizes.wastedBytes == 4)
        #expect(sizes.efficiency == 0.75)
    }

    @Test func hugeSizesDoNotOverflow() throws {
        var table = EntryTable()
        for name in ["a", "b"] { table.append(path: name.utf8, kind: .file, permissions: 0o644, size: .max) }
        let sizes = try facts(RootFS.merging([table])).sizes
        #expect(sizes.totalBytes == .max)
        #expect(sizes.efficiency == 1)
        #expect(try facts(tree()).sizes.efficiency == 1)
    }
}
