import LayerArchive
import OCIModel
import RootFS
import Testing

@Suite("Files that layers hide") struct HiddenFileTests {
    private struct Member {
        var path: String
        var kind = EntryKind.file
        var text = "content"
        var mode: UInt16 = 0o644
        var mtime: Int64 = 1
    }

    private func merged(_ layers: [Member]..., plan: ContentPlan = ContentPlan()) -> RootFS {
        RootFS.merging(
            layers.map { members in
                var table = EntryTable()
                for member in members {
                    table.append(
                        path: Array(member.path.utf8), kind: member.kind, permissions: member.mode,
                        size: Int64(member.text.utf8.count), mtime: member.mtime,
                        contents: Array(member.text.utf8))
                }
                return table
            }, plan: plan)
    }

    @Test func removedAndReplacedFilesAreListed() {
        let rootfs = merged(
            [Member(path: "a"), Member(path: "d", kind: .directory), Member(path: "d/b"), Member(path: "c")],
            [Member(path: ".wh.d"), Member(path: "a", text: "other")], [Member(path: ".wh.a")])
        let hidden = Array(rootfs.hiddenFiles)
        #expect(hidden.map(\.path) == ["/d/b", "/a", "/a"])
        #expect(hidden.map(\.status.layer) == [0, 0, 1])
        #expect(hidden.map(\.hiddenBy) == [1, 1, 2])
        #expect(hidden.map(\.status.size) == [7, 7, 5])
        #expect(hidden.allSatisfy { $0.contents == nil && !$0.isCopied })
    }

    @Test func aChangeOfModeIsACopy() {
        let changed = merged([Member(path: "a")], [Member(path: "a", mode: 0o755)])
        #expect(changed.hiddenFiles.map(\.isCopied) == [true])
        let rewritten = merged([Member(path: "a")], [Member(path: "a", mode: 0o755, mtime: 2)])
        #expect(rewritten.hiddenFiles.map(\.isCopied) == [false])
        let touchedOnly = merged([Member(path: "a")], [Member(path: "a")])
        #expect(touchedOnly.hiddenFiles.map(\.isCopied) == [false])
    }

    @Test func contentsAreKeptForRulesThatWantVersions() {
        let plan = ContentPlan([.init(.path("/a"), keepsVersions: true), .init(.path("/b"))])
        let rootfs = merged(
            [Member(path: "a"), Member(path: "b")], [Member(path: ".wh.a"), Member(path: ".wh.b")], plan: plan
        )
        #expect(rootfs.hiddenFiles.map(\.contents) == [Array("content".utf8), nil])
    }

    @Test func theSameNameTwiceInOneLayerIsNotHiding() {
        #expect(Array(merged([Member(path: "a"), Member(path: "a")]).hiddenFiles).isEmpty)
    }
}
