import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel
import Testing

/// Images that must not be trusted: whatever is wrong with them, the reason is one line and the code is 3.
@Suite struct CorruptionTests {
    /// What is done to an OCI layout or to the members of an archive.
    enum Damage: String, CaseIterable, Sendable {
        case flippedFirstByte
        case flippedMiddleByte
        case flippedLastByte
        case truncated
        case empty
        case longer
        case missing

        /// The file as it is afterwards; nil when it is gone.
        func applied(to bytes: [UInt8]) -> [UInt8]? {
            var bytes = bytes
            switch self {
            case .flippedFirstByte: bytes[0] ^= 1
            case .flippedMiddleByte: bytes[bytes.count / 2] ^= 0x10
            case .flippedLastByte: bytes[bytes.count - 1] ^= 0x80
            case .truncated: bytes.removeLast(bytes.count / 3)
            case .empty: bytes = []
            case .longer: bytes.append(0x20)
            case .missing: return nil
            }
            return bytes
        }
    }

    /// Every blob of the sample: its layers, its config and its manifest.
    private static func blobs(of image: ImageBuilder) throws -> [[UInt8]] {
        try image.blobs + [image.config(), image.manifest()]
    }

    @Test(arguments: Damage.allCases, [ImageBuilder.LayerForm.gzip, .plain])
    func aDamagedBlobOfALayout(damage: Damage, form: ImageBuilder.LayerForm) async throws {
        var image = SmallImage.sample()
        image.form = form
        for (number, blob) in try CorruptionTests.blobs(of: image).enumerated() {
            let directory = try TemporaryDirectory()
            var files = try image.layoutFiles()
            files[try blobPath(blob)] = damage.applied(to: blob)
            let layout = try directory.write(files, below: "layout")
            try await expectUntrusted("oci:\(layout)", "\(damage) blob \(number)")
        }
    }

    @Test(arguments: Damage.allCases)
    func aDamagedMemberOfALegacyArchive(damage: Damage) async throws {
        let image = SmallImage.sample()
        let config = try image.config()
        let configName = "\(try Digester.digest(of: config).encoded).json"
        let manifest = Array(
            #"[{"Config":"\#(configName)","RepoTags":["x:y"],"Layers":["0/layer.tar","1/layer.tar"]}]"#.utf8)
        let members: [(String, [UInt8])] = [
            (configName, config), ("0/layer.tar", image.layers[0]), ("1/layer.tar", image.layers[1]),
        ]
        for damaged in members.indices {
            var tar = TarBuilder()
            for (number, member) in members.enumerated() {
                guard number == damaged else {
                    tar.add(member.0, content: member.1)
                    continue
                }
                if let bytes = damage.applied(to: member.1) { tar.add(member.0, content: bytes) }
            }
            tar.add("manifest.json", content: manifest)
            let directory = try TemporaryDirectory()
            let file = try directory.write(tar.archive, to: "image.tar")
            try await expectUntrusted("docker-archive:\(file)", "\(damage) \(members[damaged].0)")
        }
    }

    @Test(arguments: Damage.allCases)
    func aDamagedMemberOfANewerArchive(damage: Damage) async throws {
        let image = SmallImage.sample()
        let names = try image.blobs.map { "\"\(try blobPath($0))\"" }.joined(separator: ",")
        let manifest = Array(
            #"[{"Config":"\#(try blobPath(image.config()))","RepoTags":["x:y"],"Layers":[\#(names)]}]"#.utf8)
        for (number, blob) in try CorruptionTests.blobs(of: image).enumerated() {
            var tar = TarBuilder()
            for (path, content) in try image.layoutFiles().sorted(by: { $0.key < $1.key }) {
                let isDamaged = try path == blobPath(blob)
                if let bytes = isDamaged ? damage.applied(to: content) : content {
                    tar.add(path, content: bytes)
                }
            }
            tar.add("manifest.json", content: manifest)
            let directory = try TemporaryDirectory()
            let file = try directory.write(tar.archive, to: "image.tar")
            try await expectUntrusted("docker-archive:\(file)", "\(damage) blob \(number)")
        }
    }

    @Test func aTruncatedArchive() async throws {
        let image = SmallImage.sample()
        for archive in [try image.legacyDockerArchive(), try image.dockerArchive()] {
            for count in [archive.count / 4, archive.count / 2, archive.count - 1_500] {
                let directory = try TemporaryDirectory()
                let file = try directory.write(Array(archive.prefix(count)), to: "image.tar")
                try await expectUntrusted("docker-archive:\(file)", "\(count) of \(archive.count) bytes")
                let packed = gzipped(archive)
                let half = try directory.write(Array(packed.prefix(packed.count / 2)), to: "image.tar.gz")
                try await expectUntrusted("docker-archive:\(half)", "half of the compressed archive")
            }
        }
    }

    /// Descriptors that say something else than the blobs: the layout is complete, and each digest but one holds.
    @Test func aWrongSizeInADescriptor() async throws {
        let image = SmallImage.sample()
        let manifest = String(decoding: try image.manifest(), as: UTF8.self)
        for blob in try image.blobs + [image.config()] {
            for wrong in [blob.count - 1, blob.count + 1, 0] {
                let lying = Array(
                    manifest.replacing("\"size\":\(blob.count)", with: "\"size\":\(wrong)").utf8)
                try #require(lying != Array(manifest.utf8))
                try await expectUntrusted(image: image, manifest: lying, "size \(wrong) for \(blob.count)")
            }
        }
    }

    @Test func aManifestThatNamesAnotherConfig() async throws {
        let image = SmallImage.sample()
        var other = SmallImage.sample()
        other.addLayer(createdBy: "RUN more") { $0.add("more") }
        let manifest = String(decoding: try image.manifest(), as: UTF8.self)
        let (config, otherConfig) = (try image.config(), try other.config())
        let lying = manifest.replacing(
            try Digester.digest(of: config).encoded, with: try Digester.digest(of: otherConfig).encoded
        ).replacing("\"size\":\(config.count)", with: "\"size\":\(otherConfig.count)")
        try #require(lying != manifest)
        try await expectUntrusted(
            image: image, manifest: Array(lying.utf8), extra: [otherConfig], "a config of three layers")
    }

    @Test func aManifestThatNamesAConfigWithOtherLayers() async throws {
        let image = SmallImage.sample()
        var other = ImageBuilder()
        other.addLayer(createdBy: "ADD one") { $0.add("one") }
        other.addLayer(createdBy: "ADD two") { $0.add("two") }
        let manifest = String(decoding: try image.manifest(), as: UTF8.self)
        let (config, otherConfig) = (try image.config(), try other.config())
        let lying = manifest.replacing(
            try Digester.digest(of: config).encoded, with: try Digester.digest(of: otherConfig).encoded
        ).replacing("\"size\":\(config.count)", with: "\"size\":\(otherConfig.count)")
        try await expectUntrusted(
            image: image, manifest: Array(lying.utf8), extra: [otherConfig], readsLayers: true,
            "a config of other layers")
    }

    @Test func layersInTheWrongOrder() async throws {
        let image = SmallImage.sample()
        var swapped = image
        swapped.layers.swapAt(0, 1)
        let config = try image.config()
        let swappedConfig = try swapped.config()
        let manifest = String(decoding: try swapped.manifest(), as: UTF8.self).replacing(
            try Digester.digest(of: swappedConfig).encoded, with: try Digester.digest(of: config).encoded)
        try await expectUntrusted(
            image: image, manifest: Array(manifest.utf8), readsLayers: true, "layers in the wrong order")
    }

    // MARK: Expectations

    /// An image of which everything is as it should be but its manifest.
    private func expectUntrusted(
        image: ImageBuilder, manifest: [UInt8], extra: [[UInt8]] = [], readsLayers: Bool = false,
        _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var files = try image.layoutFiles()
        for blob in [manifest] + extra { files[try blobPath(blob)] = blob }
        files["index.json"] = try image.index(of: [(manifest, "test")])
        let directory = try TemporaryDirectory()
        let layout = try directory.write(files, below: "layout")
        try await expectUntrusted(
            "oci:\(layout)", readsLayers: readsLayers, what, sourceLocation: sourceLocation)
    }

    /// - Parameter readsLayers: whether only the uncompressed layers show what is wrong. `save` copies blobs as they
    ///   are and does not look into them.
    private func expectUntrusted(
        _ name: String, readsLayers: Bool = false, _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let directory = try TemporaryDirectory()
        let suite = try directory.write(
            Array(
                "suite: s\ntitle: t\nchecks:\n  - id: T-1\n    title: t\n    expect: {config: user, equals: \"50000\"}\n"
                    .utf8),
            to: "suite.yaml")
        let result = try await Assay.run("check", name, "--suite", suite, "--quiet")
        #expect(result.code == 3, "\(what): \(result)", sourceLocation: sourceLocation)
        expectComplaint(result, sourceLocation: sourceLocation)
        let copying = readsLayers ? [] : [["save", name, "oci:\(directory.path)/saved"]]
        for arguments in [["inspect", name], ["unpack", name, "\(directory.path)/tree"]] + copying {
            let other = try await Assay.run(arguments)
            #expect(other.code == 3, "\(what): \(other)", sourceLocation: sourceLocation)
            expectComplaint(other, sourceLocation: sourceLocation)
        }
        // Nothing half-written stays under the name that was asked for.
        #expect(
            !FileManager.default.fileExists(atPath: "\(directory.path)/tree"), "\(what)",
            sourceLocation: sourceLocation)
        #expect(
            !FileManager.default.fileExists(atPath: "\(directory.path)/saved/index.json"), "\(what)",
            sourceLocation: sourceLocation)
    }
}
