import Foundation
import LayerArchive
import OCIModel

/// Where the files of a case are written.
public struct HostileWorkshop: Sendable {
    /// The case's own directory.
    public let directory: String
    /// A directory that is no reader's business: names and links of the case lead there.
    public let outside: String

    public init(directory: String, outside: String) {
        self.directory = directory
        self.outside = outside
    }

    /// Writes a file below the case's directory and returns its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = URL(fileURLWithPath: "\(directory)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// An OCI layout with an image of these layers, not compressed.
    func image(_ layers: [[UInt8]]) throws -> String {
        try layout(LayoutForm(try layers.map { try LayoutForm.Layer($0) }))
    }

    /// An OCI layout, and the name of its image.
    func layout(_ form: LayoutForm) throws -> String {
        let config = Array(form.configText.utf8)
        let manifest = Array(try form.manifestText(config).utf8)
        try write(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: "image/oci-layout")
        for blob in form.layers.filter({ !$0.isAbsent }).map(\.blob) + [config, manifest] + form.otherBlobs {
            try write(blob, to: "image/blobs/sha256/\(try Digester.digest(of: blob).encoded)")
        }
        for layer in form.layers where layer.namedDigest != nil && !layer.isAbsent {
            let name = layer.namedDigest?.split(separator: ":").last.map(String.init) ?? ""
            if name.count == 64 { try write(layer.blob, to: "image/blobs/sha256/\(name)") }
        }
        let entry = try LayoutForm.descriptor(.ociManifest, manifest)
        let index = form.index ?? #"{"schemaVersion":2,"manifests":[\#(entry)]}"#
        try write(Array(index.utf8), to: "image/index.json")
        return "oci:\(directory)/image"
    }
}

/// An OCI layout as text, so that every lie of its documents can be told.
struct LayoutForm {
    struct Layer {
        var blob: [UInt8]
        var diffID: String
        var mediaType = MediaType.ociLayer
        /// What the manifest says instead of the blob's digest and size.
        var namedDigest: String?
        var namedSize: Int?
        /// More members of the descriptor, each after a comma.
        var members = ""
        /// Whether the blob is left out.
        var isAbsent = false

        /// A layer that is not compressed.
        init(_ plain: [UInt8]) throws {
            blob = plain
            diffID = try Digester.digest(of: plain).description
        }

        init(blob: [UInt8], diffID: Digest, mediaType: MediaType) {
            self.blob = blob
            self.diffID = diffID.description
            self.mediaType = mediaType
        }
    }

    var layers: [Layer]
    /// The member `config` of the config.
    var run = "{}"
    /// The member `history`, if there is one.
    var history: String?
    var architecture = "amd64"
    /// The whole documents, instead of those that the layers make.
    var config: String?
    var manifest: ((_ config: String, _ layers: String) -> String)?
    var index: String?
    var otherBlobs: [[UInt8]] = []

    init(_ layers: [Layer]) { self.layers = layers }

    var configText: String {
        let diffIDs = layers.map { "\"\($0.diffID)\"" }.joined(separator: ",")
        return config
            ?? #"{"architecture":"\#(architecture)","os":"linux","config":\#(run),"rootfs":{"type":"layers","diff_ids":[\#(diffIDs)]}"#
            + (history.map { ",\"history\":\($0)}" } ?? "}")
    }

    func manifestText(_ config: [UInt8]) throws -> String {
        let configDescriptor = try LayoutForm.descriptor(.ociConfig, config)
        let layerDescriptors = try layers.map { layer in
            let digest = try layer.namedDigest ?? Digester.digest(of: layer.blob).description
            return
                #"{"mediaType":"\#(layer.mediaType.rawValue)","digest":"\#(digest)","size":\#(layer.namedSize ?? layer.blob.count)\#(layer.members)}"#
        }.joined(separator: ",")
        return manifest?(configDescriptor, layerDescriptors)
            ?? #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest.rawValue)","config":\#(configDescriptor),"layers":[\#(layerDescriptors)]}"#
    }

    static func descriptor(_ type: MediaType, _ bytes: [UInt8]) throws -> String {
        #"{"mediaType":"\#(type.rawValue)","digest":"\#(try Digester.digest(of: bytes))","size":\#(bytes.count)}"#
    }
}
