import AssayTestSupport
import ImageSource
import LayerArchive
import OCIModel
import Testing

/// Every limit of opening an image: what it says where it is passed, and that one less is no matter.
@Suite("Limits of opening an image") struct OpeningLimitTests {
    private func expect(
        _ limit: Limit, _ value: Int64, of name: String, _ reason: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var limits = Limits()
        limits[limit] = value
        _ = try await ImageOpener(limits: limits).open(name)
        limits[limit] = value - 1
        await #expect(sourceLocation: sourceLocation) {
            try await ImageOpener(limits: limits).open(name)
        } throws: {
            guard let error = $0 as? ImageSourceError else { return false }
            return error.kind == .untrustworthy && error.message.contains(reason)
        }
    }

    @Test func documents() async throws {
        let image = sampleImage()
        let directory = try TemporaryDirectory()
        let files = try image.layoutFiles()
        let layout = "oci:" + (try directory.write(files, below: "layout"))
        let manifestSize = Int64(max(try image.manifest().count, files["index.json"]?.count ?? 0))
        try await expect(
            .manifestSize, manifestSize, of: layout, "more than the limit of \(manifestSize - 1)")
        let configSize = Int64(try image.config().count)
        try await expect(.configSize, configSize, of: layout, "more than the limit of \(configSize - 1)")
        try await expect(.layers, 2, of: layout, "more than the limit layers=1")
        // An index has manifests, and annotations in each.
        try await expect(.jsonDepth, 4, of: layout, "nested deeper than 3")
        try await expect(.indexEntries, 1, of: layout, "more than the limit index-entries=0")
    }

    @Test func indexesInIndexes() async throws {
        let image = sampleImage()
        let directory = try TemporaryDirectory()
        var files = try image.layoutFiles()
        let inner = try image.index(of: [(try image.manifest(), "test")])
        files["blobs/sha256/\(try Digester.digest(of: inner).encoded)"] = inner
        let entry =
            #"{"mediaType":"\#(MediaType.ociIndex.rawValue)","digest":"\#(try Digester.digest(of: inner))","size":\#(inner.count)}"#
        files["index.json"] = Array(#"{"schemaVersion":2,"manifests":[\#(entry)]}"#.utf8)
        let layout = "oci:" + (try directory.write(files, below: "layout"))
        try await expect(.indexDepth, 2, of: layout, "more than the limit index-depth=1")
        try await expect(.indexEntries, 2, of: layout, "more than the limit index-entries=1")
    }

    @Test func archives() async throws {
        let directory = try TemporaryDirectory()
        let bytes = try sampleImage(form: .plain).legacyDockerArchive()
        let file = "docker-archive:" + (try directory.write(bytes, to: "a.tar"))
        try await expect(.archiveMembers, 6, of: file, "more than the limit archive-members=5")
        let packed = "docker-archive:" + (try directory.write(gzipped(bytes), to: "a.tar.gz"))
        try await expect(
            .layerSize, Int64(bytes.count), of: packed, "more than the limit layer-size=\(bytes.count - 1)")
    }
}
