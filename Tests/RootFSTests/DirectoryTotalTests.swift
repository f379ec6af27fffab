import LayerArchive
import OCIModel
import RootFS
import Testing

@Suite("Bytes of directories") struct DirectoryTotalTests {
    private func merged(_ layers: [(path: String, size: Int64)]...) -> RootFS {
        RootFS.merging(
            layers.map { members in
                var table = EntryTable()
                for (path, size) in members {
                    table.append(
                        path: Array(path.utf8), kind: path.hasSuffix("/") ? .directory : .file,
                        permissions: 0o755, size: size)
                }
                return table
            })
    }

    private func paths(_ total: DirectoryTotal, below: String = "") -> [String] {
        let path = total.name.isEmpty ? "" : "\(below)/\(String(decoding: total.name, as: UTF8.self))"
        return ["\(path) \(total.bytes) \(total.hiddenBytes)"]
            + total.directories.flatMap { paths($0, below: path) }
    }

    @Test func filesCountForAllDirectoriesAboveThem() {
        let rootfs = merged([("a/b/one", 5), ("a/two", 3), ("c/three", 20), ("four", 1), ("empty/", 0)])
        let totals = rootfs.directoryTotals(layerCount: 1, limit: 10)
        #expect(totals.map { paths($0) } == [[" 29 0", "/c 20 0", "/a 8 0", "/a/b 5 0"]])
    }

    @Test func whatALaterLayerReplacesOrRemovesIsHidden() {
        let rootfs = merged(
            [("a/one", 5), ("b/two", 7), ("c/three", 1)],
            [("a/one", 11), ("b/.wh.two", 0), (".wh.c", 0)])
        let totals = rootfs.directoryTotals(layerCount: 2, limit: 10)
        #expect(
            totals.map { paths($0) } == [[" 0 13", "/b 0 7", "/a 0 5", "/c 0 1"], [" 11 0", "/a 11 0"]])
        #expect(totals.map(\.hiddenBytes) == rootfs.wastedBytes)
    }

    @Test func hardLinksCountOnce() {
        var table = EntryTable()
        table.append(path: Array("a/one".utf8), kind: .file, permissions: 0o644, size: 5)
        table.append(
            path: Array("b/link".utf8), kind: .hardLink, permissions: 0o644, linkTarget: Array("a/one".utf8))
        var second = EntryTable()
        second.append(path: Array("a/.wh.one".utf8), kind: .file, permissions: 0o644, size: 0)
        let kept = RootFS.merging([table, second]).directoryTotals(layerCount: 2, limit: 10)
        // One of its names is gone, the file is not.
        #expect(paths(kept[0]) == [" 5 0", "/b 5 0"])
        second.append(path: Array("b/.wh.link".utf8), kind: .file, permissions: 0o644, size: 0)
        let gone = RootFS.merging([table, second]).directoryTotals(layerCount: 2, limit: 10)
        #expect(gone[0].bytes == 0 && gone[0].hiddenBytes == 5)
    }

    @Test func theLargestOfAllLayersAreKept() {
        let rootfs = merged([("a/one", 5), ("b/two", 7)], [("c/three", 6), ("d/four", 1)])
        let totals = rootfs.directoryTotals(layerCount: 2, limit: 2)
        #expect(totals.map { paths($0) } == [[" 12 0", "/b 7 0"], [" 7 0", "/c 6 0"]])
        #expect(
            rootfs.directoryTotals(layerCount: 2, limit: 0).map { paths($0) } == [[" 12 0"], [" 7 0"]])
    }

    /// Records are read by decoders that bound how deep things are nested.
    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "d/", count: 1_000)
        let totals = merged([("\(deep)file", 5)]).directoryTotals(layerCount: 1, limit: 10_000)
        var depth = 0
        var total = try #require(totals.first)
        while let next = total.directories.first {
            #expect(next.bytes == 5)
            (depth, total) = (depth + 1, next)
        }
        #expect(depth == RootFS.maximumTotalDepth)
    }

    @Test func sumsDoNotOverflow() {
        let totals = merged([("a/one", .max), ("a/two", .max)]).directoryTotals(layerCount: 1, limit: 10)
        #expect(paths(totals[0]) == [" \(Int64.max) 0", "/a \(Int64.max) 0"])
    }

    @Test func anEmptyImageHasNothing() {
        #expect(RootFS.merging([]).directoryTotals(layerCount: 0, limit: 10).isEmpty)
        let empty = RootFS.merging([EntryTable()]).directoryTotals(layerCount: 1, limit: 10)
        #expect(empty.map { paths($0) } == [[" 0 0"]])
    }
}
