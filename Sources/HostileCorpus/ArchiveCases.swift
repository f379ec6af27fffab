import LayerArchive
import OCIModel

extension HostileCorpus {
    private static let layer: [UInt8] = {
        var tar = TarBuilder()
        tar.add("a")
        return tar.archive
    }()

    private static func config(_ layers: Int = 1) throws -> [UInt8] {
        let diffID = try Digester.digest(of: layer)
        let list = Array(repeating: "\"\(diffID)\"", count: layers).joined(separator: ",")
        return Array(
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(list)]}}"#.utf8)
    }

    private static func manifest(_ layers: [String], config: String = "config.json", tags: String = "x:y")
        -> [UInt8]
    {
        let list = layers.map { "\"\($0)\"" }.joined(separator: ",")
        return Array(#"[{"Config":"\#(config)","RepoTags":["\#(tags)"],"Layers":[\#(list)]}]"#.utf8)
    }

    /// Archives of `docker save` whose members are not what their manifest says.
    static let archiveCases: [HostileCase] = [
        .archive("27-two-manifests", "two manifest.json", .refused("occurs twice")) { tar, _ in
            tar.add("config.json", content: try config())
            tar.add("l/layer.tar", content: layer)
            tar.add("manifest.json", content: manifest(["l/layer.tar"]))
            tar.add("manifest.json", content: Array("[]".utf8))
        },
        .archive("28-two-images", "two images", .refused("several images")) { tar, _ in
            tar.add("config.json", content: try config())
            tar.add("l/layer.tar", content: layer)
            let one = manifest(["l/layer.tar"]).dropFirst().dropLast()
            tar.add("manifest.json", content: Array("[".utf8) + one + Array(",".utf8) + one + Array("]".utf8))
        },
        .archive("29-empty-manifest", "manifest.json is []", .refused("holds no image")) { tar, _ in
            tar.add("manifest.json", content: Array("[]".utf8))
        },
        .archive("29-no-json", "manifest.json is no JSON", .refused("JSON")) { tar, _ in
            tar.add("manifest.json", content: [0xFF, 0x00, 0x7B])
        },
        .archive("29-nested-manifest", "manifest.json of 100,000 nested arrays", .refused("nested deeper")) {
            tar, _ in
            tar.add("manifest.json", content: [UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        },
        .archive(
            "30-layer-path", "a layer's path leads out of the archive", .refused("leads out of the archive")
        ) {
            tar, _ in
            tar.add("config.json", content: try config())
            tar.add("manifest.json", content: manifest(["../../etc/passwd"]))
        },
        .archive("30-config-path", "the config's path is absolute", .refused("leads out of the archive")) {
            tar, workshop in
            tar.add("manifest.json", content: manifest([], config: "\(workshop.outside)/secret"))
        },
        .archive(
            "31-link-to-layer", "a layer is a link to another, as Docker wrote them", .judged(entries: 2)
        ) {
            tar, _ in
            tar.add("config.json", content: try config(2))
            tar.add("0/layer.tar", content: layer)
            tar.add("1/layer.tar", .symbolicLink, linkTarget: "../0/layer.tar")
            tar.add("manifest.json", content: manifest(["0/layer.tar", "1/layer.tar"]))
        },
        .archive("31-link-in-a-circle", "a layer is a link to itself", .refused("is missing")) { tar, _ in
            tar.add("config.json", content: try config())
            tar.add("0/layer.tar", .symbolicLink, linkTarget: "layer.tar")
            tar.add("manifest.json", content: manifest(["0/layer.tar"]))
        },
        .archive("31-link-out", "a layer is a link to a file of the host", .refused("is missing")) {
            tar, workshop in
            tar.add("config.json", content: try config())
            tar.add("0/layer.tar", .symbolicLink, linkTarget: "\(workshop.outside)/secret")
            tar.add("manifest.json", content: manifest(["0/layer.tar"]))
        },
        .archive("57-many-members", "an archive of 150,000 members", .refused("archive-members")) { tar, _ in
            for number in 0..<150_000 { tar.add("\(number)", .symbolicLink, linkTarget: "x") }
        },
        .archive("62-repository-tag", "RepoTags that are a path", .judged(entries: 2)) { tar, _ in
            tar.add("config.json", content: try config())
            tar.add("0/layer.tar", content: layer)
            tar.add("manifest.json", content: manifest(["0/layer.tar"], tags: "../../x:\\u001b[31my"))
        },
    ]
}
