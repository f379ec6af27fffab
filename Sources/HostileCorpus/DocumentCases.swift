import LayerArchive
import OCIModel

extension HostileCorpus {
    private static let file: [UInt8] = {
        var tar = TarBuilder()
        tar.add("a")
        return tar.archive
    }()

    /// An image of one layer with a change of its documents.
    private static func form(
        _ id: String, _ title: String, _ expected: HostileCase.Expected,
        _ change: @escaping @Sendable (inout LayoutForm) throws -> Void
    ) -> HostileCase {
        HostileCase(id, title, expected) { workshop in
            var form = LayoutForm([try LayoutForm.Layer(file)])
            try change(&form)
            return try workshop.layout(form)
        }
    }

    private static let other = "sha256:" + String(repeating: "0", count: 64)

    private static func nested(_ count: Int) -> String {
        String(repeating: "[", count: count) + String(repeating: "]", count: count)
    }

    /// Digests, sizes, manifests, indexes and configs that lie, contradict each other, or are none.
    static let documentCases: [HostileCase] =
        [
            form("19-diff-id", "a wrong diff ID", .refused("the image config says")) {
                $0.layers[0].diffID = other
            },
            form(
                "20-digest", "a blob that has not the digest by which it is named",
                .refused("the blob's digest is")
            ) {
                $0.layers[0].namedDigest = other
            },
            form("21-size-larger", "a descriptor with a larger size", .refused("its descriptor says")) {
                $0.layers[0].namedSize = 1 << 40
            },
            form("21-size-smaller", "a descriptor with a smaller size", .refused("its descriptor says")) {
                $0.layers[0].namedSize = 0
            },
            .config(
                "38-long-history", "a history of more steps than layers", .judged([.history]),
                history: #"[{"created_by":"a"},{"created_by":"b"}]"#),
            .config("39-no-history", "no history, and null as config", .judged(), run: "null"),
            .config("40-more-diff-ids", "more diff IDs than layers", .refused("diff IDs")) { diffID in
                #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(diffID)","\#(diffID)"]}}"#
            },
            .config("40-no-diff-ids", "no diff IDs", .refused("diff IDs")) { _ in
                #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}"#
            },
            .config("41-nested", "a config of 200,000 nested arrays", .refused("nested deeper")) { _ in
                nested(200_000)
            },
            .config("41-large", "a config of 9 MiB", .refused("more than the limit")) { diffID in
                #"{"architecture":"amd64","os":"linux","author":"\#(String(repeating: "x", count: 9 << 20))","rootfs":{"type":"layers","diff_ids":["\#(diffID)"]}}"#
            },
            .config("42-duplicate-key", "a key twice", .refused("two members named")) { diffID in
                #"{"architecture":"amd64","os":"linux","config":{"User":"1"},"config":{"User":"0"},"rootfs":{"type":"layers","diff_ids":["\#(diffID)"]}}"#
            },
            .config("42-case", "a key that differs from another in case", .refused("nothing but case")) {
                diffID in
                #"{"architecture":"amd64","os":"linux","config":{"User":"1"},"Config":{"User":"0"},"rootfs":{"type":"layers","diff_ids":["\#(diffID)"]}}"#
            },
            .config(
                "42-case-only", "a key in another case than the format's", .refused("nothing but case"),
                run: #"{"user":"1"}"#),
            .config(
                "43-environment", "elements of Env without =, without a name, and empty",
                .judged([.environment]), run: #"{"Env":["PATH=/bin","NOTHING","=x",""]}"#),
        ]
        + ["4294967296", "-1", "0x0", "00", " root", "2147483648:0"].enumerated().map { number, user in
            .config(
                "48-user-\(number + 1)", "User \"\(user)\"", .judged([.user]),
                run: #"{"User":"\#(user)"}"#)
        }
        + [
            .config("48-user-root", "User \"0:0\", which is one", .judged(), run: #"{"User":"0:0"}"#),
            form("58-digest-path", "a digest that is a path", .refused("is not a digest")) {
                $0.layers[0].namedDigest = "sha256:../../../../../../etc/passwd"
            },
            form("58-digest-algorithm", "an algorithm that is a path", .refused("is not a digest")) {
                $0.layers[0].namedDigest = "../../etc:" + String(repeating: "0", count: 64)
            },
            form("59-manifest-and-index", "a manifest that is an index too", .refused("two things")) {
                $0.manifest = { #"{"schemaVersion":2,"config":\#($0),"layers":[\#($1)],"manifests":[]}"# }
            },
            form("59-manifest-case", "a manifest with layers and Layers", .refused("nothing but case")) {
                $0.manifest = { #"{"schemaVersion":2,"config":\#($0),"layers":[\#($1)],"Layers":[]}"# }
            },
            form("59-artifact", "the manifest of an artifact", .refused("not of a container image")) {
                $0.manifest = { config, _ in
                    #"{"schemaVersion":2,"config":\#(config.replacing(MediaType.ociConfig.rawValue, with: "application/vnd.example.config")),"layers":[]}"#
                }
            },
            form("59-empty-index", "an index without images", .refused("holds no image")) {
                $0.index = #"{"schemaVersion":2,"manifests":[]}"#
            },
            form("59-nested-manifest", "an index of 100,000 nested arrays", .refused("nested deeper")) {
                $0.index = nested(100_000)
            },
            form("59-one-name-twice", "two images of one name", .refused("several images")) { form in
                let second = try LayoutForm([LayoutForm.Layer(file), LayoutForm.Layer(file)])
                let documents = try [form, second].map { form in
                    let config = Array(form.configText.utf8)
                    return (config, Array(try form.manifestText(config).utf8))
                }
                form.otherBlobs = [documents[1].0, documents[1].1]
                let entries = try documents.map { _, manifest in
                    try LayoutForm.descriptor(.ociManifest, manifest).dropLast()
                        + #","annotations":{"org.opencontainers.image.ref.name":"latest"}}"#
                }
                form.index = #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#
            },
            form("59-many-images", "an index of 20,000 images", .refused("index-entries")) {
                let entry =
                    #"{"mediaType":"\#(MediaType.ociManifest.rawValue)","digest":"\#(other)","size":1}"#
                $0.index =
                    #"{"schemaVersion":2,"manifests":[\#(Array(repeating: entry, count: 20_000).joined(separator: ","))]}"#
            },
            form("59-deep-indexes", "indexes in indexes, a hundred deep", .refused("index-depth")) { form in
                var index = Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8)
                for _ in 0..<100 {
                    form.otherBlobs.append(index)
                    index = Array(
                        #"{"schemaVersion":2,"manifests":[\#(try LayoutForm.descriptor(.ociIndex, index))]}"#
                            .utf8)
                }
                form.index = String(decoding: index, as: UTF8.self)
            },
            form(
                "60-foreign", "a layer that may be fetched from an address",
                .judged([.foreignLayer], entries: 2)
            ) {
                $0.layers[0].members = #","urls":["http://127.0.0.1:1/layer"]"#
            },
            form("60-foreign-absent", "the same without the layer", .refused("fetches nothing")) {
                $0.layers[0].members = #","urls":["http://127.0.0.1:1/layer"]"#
                $0.layers[0].isAbsent = true
            },
        ]
}
