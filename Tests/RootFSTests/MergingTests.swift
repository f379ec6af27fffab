import LayerArchive
import OCIModel
import RootFS
import Testing

/// One layer from a few words: `d` directory, `f` file, `l` symbolic link, `h` hard link.
private func layer(_ members: [(String, String, String)]) -> EntryTable {
    var table = EntryTable()
    for (kind, path, target) in members {
        let kind: EntryKind =
            ["d": .directory, "f": .file, "l": .symbolicLink, "h": .hardLink, "c": .characterDevice][kind]
            ?? .other
        table.append(
            path: path.utf8, kind: kind, permissions: kind == .directory ? 0o755 : 0o644,
            size: kind == .file ? Int64(target.utf8.count) : 0,
            linkTarget: kind == .file ? "".utf8 : target.utf8,
            contents: kind == .file ? Array(target.utf8) : nil)
    }
    return table
}

private func paths(_ tree: RootFS) -> [String] {
    var found: [String] = []
    tree.forEachDescendant(of: tree.root) { found.append(tree.path(of: $0).description) }
    return found
}

private func content(_ tree: RootFS, _ path: ImagePath) throws -> String? {
    try tree.node(at: path).flatMap { tree.contents(of: $0) }.map { String(decoding: $0, as: UTF8.self) }
}

@Suite("Merging layers (image-spec, Applying Changesets)") struct MergingTests {
    @Test func laterLayersReplace() throws {
        let tree = RootFS.merging([
            layer([("d", "a", ""), ("f", "a/x", "old"), ("f", "a/y", "y")]), layer([("f", "a/x", "new")]),
        ])
        #expect(paths(tree) == ["/", "/a", "/a/x", "/a/y"])
        #expect(try content(tree, "/a/x") == "new")
        #expect(try tree.status(at: "/a/x")?.layer == 1)
        #expect(try tree.status(at: "/a/y")?.layer == 0)
        #expect(tree.wastedBytes == [3, 0])
    }

    @Test func whiteoutsRemoveFilesAndTrees() throws {
        let base = layer([("d", "a", ""), ("f", "a/x", "1"), ("f", "b", "2")])
        let tree = RootFS.merging([base, layer([("f", ".wh.a", ""), ("f", ".wh.b", "")])])
        #expect(paths(tree) == ["/"])
        #expect(tree.layerThatRemoved("/a/x") == 1)
        #expect(tree.layerThatRemoved("/b") == 1)
        #expect(tree.layerThatRemoved("/never") == nil)
        #expect(tree.oddities.isEmpty)
    }

    @Test("a layer's own members survive its whiteouts, in both orders", arguments: [true, false])
    func whiteoutAndReAdd(whiteoutFirst: Bool) throws {
        let members = [("f", "a/.wh.x", ""), ("f", "a/x", "new")]
        let tree = RootFS.merging([
            layer([("d", "a", ""), ("f", "a/x", "old")]), layer(whiteoutFirst ? members : members.reversed()),
        ])
        #expect(try content(tree, "/a/x") == "new")
    }

    @Test func opaqueDirectories() throws {
        let base = layer([("d", "a", ""), ("f", "a/x", "1"), ("d", "a/s", ""), ("f", "a/s/y", "2")])
        let tree = RootFS.merging([base, layer([("f", "a/z", "3"), ("f", "a/.wh..wh..opq", "")])])
        #expect(paths(tree) == ["/", "/a", "/a/z"])
        let emptied = RootFS.merging([base, layer([("f", ".wh..wh..opq", "")])])
        #expect(paths(emptied) == ["/"])
    }

    @Test(
        "whiteouts with odd names remove nothing",
        arguments: [".wh.", ".wh..", ".wh...", ".wh.nonexistent", "no/.wh.x"])
    func oddWhiteouts(name: String) {
        let tree = RootFS.merging([layer([("f", "x", "1")]), layer([("f", name, "")])])
        #expect(paths(tree) == ["/", "/x"])
        #expect(tree.oddities.list.map(\.kind) == [.oddWhiteout])
    }

    @Test func whiteoutsOfTheAUFSDriverAreBookkeeping() {
        let tree = RootFS.merging([layer([("d", ".wh..wh.plnk", ""), ("f", ".wh..wh.aufs", "")])])
        #expect(paths(tree) == ["/"])
    }

    @Test func typeChanges() throws {
        let tree = RootFS.merging([
            layer([("d", "a", ""), ("f", "a/x", "1"), ("f", "b", "2"), ("l", "c", "a")]),
            layer([("f", "a", "now a file"), ("d", "b", ""), ("f", "b/y", "3"), ("d", "c", "")]),
        ])
        #expect(paths(tree) == ["/", "/a", "/b", "/b/y", "/c"])
        #expect(try tree.status(at: "/c", followingFinalLink: false)?.kind == .directory)
    }

    @Test("a directory's member in a later layer changes it and keeps what is inside")
    func directoryMetadata() throws {
        var upper = EntryTable()
        upper.append(path: "a".utf8, kind: .directory, permissions: 0o700, uid: 5)
        let tree = RootFS.merging([layer([("d", "a", ""), ("f", "a/x", "1")]), upper])
        #expect(paths(tree) == ["/", "/a", "/a/x"])
        let status = try #require(try tree.status(at: "/a"))
        #expect((status.permissions, status.uid, status.layer) == (0o700, 5, 1))
    }

    @Test func hardLinksShareOneFile() throws {
        let tree = RootFS.merging([
            layer([("f", "a", "1"), ("h", "b", "a"), ("h", "c", "/b")]),
            layer([("f", ".wh.a", ""), ("h", "d", "c")]),
        ])
        let b = try #require(try tree.node(at: "/b"))
        let d = try #require(try tree.node(at: "/d"))
        #expect(tree.isSameFile(b, d))
        #expect(tree.status(of: b).linkCount == 3)
        #expect(try content(tree, "/d") == "1")
        #expect(tree.wastedBytes == [0, 0])
        let changed = RootFS.merging([layer([("f", "a", "1"), ("h", "b", "a")]), layer([("f", "a", "22")])])
        #expect(try content(changed, "/b") == "1")
        #expect(try content(changed, "/a") == "22")
    }

    @Test("hard links that lead nowhere", arguments: ["missing", "../../etc/shadow", "dir", "self"])
    func badHardLinks(target: String) {
        let tree = RootFS.merging([layer([("d", "dir", ""), ("h", "self", target)])])
        #expect(paths(tree) == ["/", "/dir"])
        #expect(
            tree.oddities.list.map(\.kind) == [target == "dir" ? .hardLinkToDirectory : .danglingHardLink])
    }

    @Test("members are written through links as runtimes do, inside the image")
    func writeThroughLinks() throws {
        let base = layer([
            ("d", "usr", ""), ("d", "usr/lib", ""), ("l", "lib", "usr/lib"), ("l", "out", "/../../usr"),
        ])
        let tree = RootFS.merging([
            base, layer([("f", "lib/x", "1"), ("f", "out/y", "2"), ("f", "lib/.wh.none", "")]),
        ])
        #expect(try content(tree, "/usr/lib/x") == "1")
        #expect(try content(tree, "/usr/y") == "2")
        #expect(tree.oddities.list.map(\.kind) == [.oddWhiteout, .writeThroughLink, .writeThroughLink])
        let removed = RootFS.merging([base, layer([("f", "lib/x", "1")]), layer([("f", "lib/.wh.x", "")])])
        #expect(try removed.node(at: "/usr/lib/x") == nil)
    }

    @Test func linkLoopsEnd() throws {
        let tree = RootFS.merging([layer([("l", "a", "b"), ("l", "b", "a"), ("f", "a/x", "1")])])
        #expect(tree.oddities.list.contains { $0.kind == .linkLoop })
        #expect(throws: PathError.tooManyLinks) { try tree.node(at: "/a") }
        #expect(try tree.node(at: "/a", followingFinalLink: false) != nil)
    }

    @Test func hostileNames() {
        let tree = RootFS.merging([
            layer([
                ("f", "../../etc/x", "1"), ("l", ".", "/tmp"), ("f", "/", "2"), ("f", "file", "3"),
                ("f", "file/below", "4"),
            ])
        ])
        #expect(paths(tree) == ["/", "/etc", "/etc/x", "/file", "/file/below"])
        #expect(
            tree.oddities.list.map(\.kind) == [
                .escapingPath, .rootReplaced, .rootReplaced, .parentNotDirectory, .typeChange,
            ])
    }

    @Test func missingParentsAreMade() throws {
        let tree = RootFS.merging([layer([("f", "a/b/c", "1")])])
        let status = try #require(try tree.status(at: "/a/b"))
        #expect((status.kind, status.permissions, status.uid) == (.directory, 0o755, 0))
    }

    @Test("names are bytes: NFC and NFD, and CR LF, are different files")
    func namesAreBytes() {
        let tree = RootFS.merging([
            layer([("f", "caf\u{e9}", "1"), ("f", "cafe\u{301}", "2"), ("f", "a\r\nb", "3")])
        ])
        #expect(tree.count == 4)
        #expect(tree.oddities.isEmpty)
    }

    @Test func resolvingStaysInside() throws {
        let tree = RootFS.merging([
            layer([
                ("d", "a", ""), ("l", "a/up", "../../../../etc"), ("d", "etc", ""), ("f", "etc/x", "1"),
                ("l", "dangling", "/no/where"),
            ])
        ])
        #expect(try content(tree, "/a/up/x") == "1")
        #expect(try tree.node(at: "/dangling") == nil)
        #expect(try tree.node(at: "/dangling", followingFinalLink: false) != nil)
        #expect(throws: PathError.notADirectory("/etc/x")) { try tree.node(at: "/etc/x/y") }
    }

    @Test("a path of 3000 levels is walked without recursion")
    func deepPaths() throws {
        let deep = String(repeating: "d/", count: 3_000) + "x"
        let tree = RootFS.merging([layer([("f", deep, "1")]), layer([("f", ".wh.d", "")])])
        #expect(tree.count == 1)
        let kept = RootFS.merging([layer([("f", deep, "1")])])
        var visited = 0
        kept.forEachDescendant(of: kept.root) { _ in visited += 1 }
        #expect(visited == 3_002)
    }

    @Test func keepsVersionsWhereThePlanSaysSo() throws {
        let plan = ContentPlan([.init(.path("/etc/passwd"), keepsVersions: true), .init(.path("/etc/group"))])
        let tree = RootFS.merging(
            [
                layer([("f", "etc/passwd", "1"), ("f", "etc/group", "a")]),
                layer([("f", "etc/passwd", "2"), ("f", "etc/group", "b")]),
            ],
            plan: plan)
        #expect(tree.versions(of: "/etc/passwd").map(\.layer) == [0, 1])
        #expect(tree.versions(of: "/etc/passwd").map(\.bytes) == [Array("1".utf8), Array("2".utf8)])
        #expect(tree.versions(of: "/etc/group").isEmpty)
    }

    @Test("removed and added again: the absence of what did not come back has its layer")
    func removedThenAdded() throws {
        let tree = RootFS.merging([
            layer([("d", "a", ""), ("f", "a/x", "1"), ("f", "a/y", "2")]), layer([("f", ".wh.a", "")]),
            layer([("d", "a", ""), ("f", "a/x", "3")]),
        ])
        #expect(paths(tree) == ["/", "/a", "/a/x"])
        #expect(tree.layerThatRemoved("/a/y") == 1)
        #expect(tree.layerThatRemoved("/a/x") == nil)
    }

    @Test("merging ends where it takes more steps than its limit, and says so")
    func steps() {
        let layers = [layer([("d", "a", ""), ("f", "a/b", "1"), ("f", "a/c", "2")])]
        var limits = Limits()
        var steps: Int64 = 1
        limits[.mergeSteps] = steps
        while RootFS.merging(layers, limits: limits).isIncomplete {
            steps += 1
            limits[.mergeSteps] = steps
        }
        #expect((3...20).contains(steps))
        #expect(RootFS.merging(layers, limits: limits).count == 4)
        #expect(!RootFS.merging(layers).isIncomplete)
    }
}

@Suite("Oddities of members") struct MemberOddityTests {
    private func kinds(_ layers: EntryTable...) -> [Oddity.Kind] {
        RootFS.merging(layers).oddities.list.map(\.kind)
    }

    private func member(
        _ path: String, _ kind: EntryKind = .file, uid: Int64 = 0, gid: Int64 = 0, size: Int64 = 0,
        mtime: Int64 = 0, target: String = "", device: (UInt32, UInt32) = (0, 0),
        attributes: [ExtendedAttribute] = []
    ) -> EntryTable {
        var table = EntryTable()
        table.append(
            path: path.utf8, kind: kind, permissions: 0o644, uid: uid, gid: gid, size: size, mtime: mtime,
            linkTarget: target.utf8, device: (device.0, device.1), extendedAttributes: attributes)
        return table
    }

    @Test func names() {
        #expect(kinds(member("/a")) == [.absolutePath])
        #expect(kinds(member("./a")).isEmpty)
        #expect(kinds(member("./", .directory)).isEmpty)
        #expect(kinds(member("/", .directory)).isEmpty)
    }

    @Test func ownersAndTimes() {
        #expect(kinds(member("a", uid: 4_294_967_294, gid: 4_294_967_294)).isEmpty)
        #expect(kinds(member("a", uid: 4_294_967_295)) == [.owner])
        #expect(kinds(member("a", gid: -1)) == [.owner])
        #expect(kinds(member("a", mtime: 1 << 33)).isEmpty)
        #expect(kinds(member("a", mtime: -1)).isEmpty)
        #expect(kinds(member("a", mtime: 1 << 34)) == [.time])
        #expect(kinds(member("a", mtime: -1 << 40)) == [.time])
    }

    @Test func devicesAndWhiteoutsOfOverlays() {
        #expect(kinds(member("a", .characterDevice, device: (1, 3))) == [.device])
        #expect(kinds(member("a", .blockDevice)) == [.device])
        #expect(kinds(member("a", .characterDevice)) == [.foreignWhiteout])
        #expect(kinds(member("a", .fifo)).isEmpty)
        let mark = ExtendedAttribute(name: "trusted.overlay.opaque", value: [0x79])
        #expect(kinds(member("a", .directory, attributes: [mark])) == [.foreignWhiteout])
    }

    @Test func whiteoutsOfOtherTypes() {
        for (kind, size) in [(EntryKind.directory, Int64(0)), (.symbolicLink, 0), (.hardLink, 0), (.file, 1)]
        {
            #expect(kinds(member("a"), member(".wh.a", kind, size: size)) == [.whiteoutType])
        }
        #expect(kinds(member("a"), member(".wh.a")).isEmpty)
        #expect(kinds(member("a"), member(".wh..wh..opq", .directory)) == [.whiteoutType])
        #expect(kinds(member("a"), member(".wh..wh.plnk", .directory)).isEmpty)
    }

    @Test(
        "a whiteout after what it names",
        arguments: [
            (["d/x", ".wh.d"], true), (["d/x", "d/.wh.x"], true), ([".wh.d", "d/x"], false),
            (["d/.wh.x", "d/x"], false), (["d/xy", "d/.wh.x"], false), (["./d/x", ".wh.d"], true),
            (["d/x", "d/.wh..wh..opq"], false), (["d/x/y/z", "d/.wh.x"], true), (["dx", ".wh.d"], false),
        ])
    func order(names: [String], isOdd: Bool) {
        let base = layer([("d", "d", ""), ("f", "d/x", "old")])
        let found = kinds(base, layer(names.map { ("f", $0, "") }))
        #expect(found.contains(.whiteoutOrder) == isOdd, "\(found)")
    }

    @Test func loopsOnWhichNothingLies() {
        #expect(kinds(layer([("l", "a", "b"), ("l", "b", "a")])) == [.linkLoop, .linkLoop])
        #expect(kinds(layer([("l", "a", "a/b")])) == [.linkLoop])
        #expect(kinds(layer([("l", "a", "nowhere"), ("l", "b", "a"), ("l", "c", "/")])).isEmpty)
        // Gone again.
        #expect(kinds(layer([("l", "a", "a")]), layer([("f", ".wh.a", "")])).isEmpty)
    }

    @Test func hardLinksWithData() {
        var table = member("a")
        table.append(path: "b".utf8, kind: .hardLink, permissions: 0o644, size: 3, linkTarget: "a".utf8)
        #expect(kinds(table) == [.hardLinkWithData])
    }
}
