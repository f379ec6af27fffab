import LayerArchive
import OCIModel
import Testing

@testable import RootFS

@Suite("An overlay")
struct RootFSOverlayTests {
    private static let tree: RootFS = {
        var lower = EntryTable()
        lower.append(path: "a/".utf8, kind: .directory, permissions: 0o755)
        lower.append(
            path: "a/file".utf8, kind: .file, permissions: 0o644, size: 3, contents: Array("old".utf8))
        lower.append(path: "a/hard".utf8, kind: .hardLink, permissions: 0, linkTarget: Array("a/file".utf8))
        lower.append(path: "link".utf8, kind: .symbolicLink, permissions: 0o777, linkTarget: Array("a".utf8))
        var upper = EntryTable()
        upper.append(path: "b/c".utf8, kind: .file, permissions: 0o600, size: 1)
        let plan = ContentPlan([.init(.path("/a/file"), keepsVersions: true)])
        return RootFS.merging([lower, upper], plan: plan)
    }()

    private func content(_ path: ImagePath, _ tree: RootFS) throws -> [UInt8]? {
        try tree.node(at: path).flatMap { tree.contents(of: $0) }
    }

    @Test("writes files through linked directories, and leaves the tree that it was made of alone")
    func write() throws {
        var overlay = RootFSOverlay(Self.tree)
        overlay.write(
            "/link/file", kind: .file, permissions: 0o600, uid: 7, gid: 8, content: Array("new".utf8),
            layer: 0)
        overlay.write(
            "/x/y/z", kind: .symbolicLink, permissions: 0o777, uid: 0, gid: 0, content: Array("/a".utf8),
            layer: 1)
        let tree = overlay.tree
        #expect(try content("/a/file", tree) == Array("new".utf8))
        #expect(tree.versions(of: "/a/file").map(\.layer) == [0])
        let status = try #require(try tree.status(at: "/a/file"))
        #expect((status.permissions, status.uid, status.gid, status.layer) == (0o600, 7, 8, 0))
        #expect(try tree.node(at: "/x/y/z/file") != nil)
        #expect(try content("/a/hard", tree) == Array("old".utf8))
        #expect(try content("/a/file", Self.tree) == Array("old".utf8))
        #expect(try Self.tree.node(at: "/x") == nil)
    }

    @Test("removes what is there with everything below it, and says by which layer")
    func remove() throws {
        var overlay = RootFSOverlay(Self.tree)
        overlay.remove("/a", layer: 1)
        overlay.remove("/none/at/all", layer: 1)
        overlay.remove(.root, layer: 1)
        #expect(try overlay.tree.node(at: "/a/file") == nil)
        #expect(overlay.tree.layerThatRemoved("/a/file") == 1)
        #expect(try overlay.tree.node(at: "/b/c") != nil)
        #expect(try Self.tree.node(at: "/a/file") != nil)
    }

    @Test("changes metadata of a file under all its names, and keeps its content")
    func change() throws {
        var overlay = RootFSOverlay(Self.tree)
        overlay.change("/a/file", layer: 1) { $0.permissions = 0o4755 }
        overlay.change("/none", layer: 1) { $0.uid = 1 }
        let status = try #require(try overlay.tree.status(at: "/a/hard"))
        #expect((status.permissions, status.layer) == (0o4755, 1))
        #expect(try content("/a/file", overlay.tree) == Array("old".utf8))
        #expect(try Self.tree.status(at: "/a/hard")?.permissions == 0o644)
    }
}
