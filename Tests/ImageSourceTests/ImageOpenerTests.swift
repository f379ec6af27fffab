import AssayTestSupport
import ImageSource
import LayerArchive
import OCIModel
import Testing

/// A small image of two layers.
func sampleImage(marker: String = "x", architecture: String = "amd64", form: ImageBuilder.LayerForm = .gzip)
    -> ImageBuilder
{
    var image = ImageBuilder()
    image.form = form
    image.architecture = architecture
    image.runConfig = .object([.init("User", .string("50000"))])
    image.addLayer(createdBy: "ADD rootfs") { tar in
        tar.add("etc/", .directory)
        tar.add("etc/passwd", content: Array("root:x:0:0::/root:/bin/sh\n".utf8))
    }
    image.addLayer(createdBy: "RUN echo \(marker)") { $0.add("marker", content: Array(marker.utf8)) }
    return image
}

/// Opens an image and reads its layers: everything that must fail for a bad image.
@discardableResult
func read(_ name: String, platform: Platform? = nil) async throws -> Image {
    let image = try await ImageOpener(platform: platform).open(name)
    _ = try await LayerReader.index(image.layerInputs, plan: ContentPlan())
    return image
}

@Suite("Transports") struct TransportTests {
    @Test("one image through every file transport, with and without naming the transport")
    func transports() async throws {
        let image = sampleImage()
        var plain = image
        plain.form = .plain
        let directory = try TemporaryDirectory()
        let layout = try directory.write(try image.layoutFiles(), below: "layout")
        let flat = try directory.write(try image.flatFiles(), below: "flat")
        let legacy = try directory.write(try plain.legacyDockerArchive(), to: "legacy.tar")
        let modern = try directory.write(try plain.dockerArchive(), to: "modern.tar")
        let contained = try directory.write(try image.dockerArchive(), to: "containerd.tar")
        let archive = try directory.write(try image.ociArchive(), to: "oci.tar")
        let packed = try directory.write(gzipped(try plain.legacyDockerArchive()), to: "legacy.tar.gz")
        let expected = try Digester.digest(of: image.config())
        let names = [
            "oci:\(layout)", "oci:\(layout):test", layout, "\(layout):test", "dir:\(flat)", flat,
            "docker-archive:\(legacy)",
            legacy, "docker-archive:\(legacy):example/airflow:test", "docker-archive:\(legacy):@0", modern,
            contained,
            "docker-archive:\(contained)", "oci-archive:\(archive)", "oci-archive:\(archive):test", archive,
            packed,
        ]
        for name in names {
            let found = try await read(name)
            #expect(found.configDigest == expected, "\(name)")
            #expect(found.layers.count == 2)
        }
    }

    @Test("an archive that has a manifest keeps its digest")
    func manifestDigest() async throws {
        let image = sampleImage()
        let directory = try TemporaryDirectory()
        let found = try await read(try directory.write(try image.dockerArchive(), to: "a.tar"))
        #expect(found.manifestDigest == (try Digester.digest(of: image.manifest())))
        #expect(found.layers[0].mediaType == .ociLayerGzip)
        let legacy = try await read(try directory.write(try image.legacyDockerArchive(), to: "b.tar"))
        #expect(legacy.manifestDigest == nil)
    }

    @Test("layers of the legacy archive that are links to others")
    func linkedLayers() async throws {
        let image = sampleImage()
        let config = try image.config()
        let name = "\(try Digester.digest(of: config).encoded).json"
        var tar = TarBuilder()
        tar.add(name, content: config)
        tar.add("one/layer.tar", content: image.layers[0])
        tar.add("two/layer.tar", content: image.layers[1])
        tar.add("three/layer.tar", .symbolicLink, linkTarget: "../one/layer.tar")
        tar.add("four/layer.tar", .hardLink, linkTarget: "two/layer.tar")
        let manifest =
            #"[{"Config":"\#(name)","RepoTags":null,"Layers":["three/layer.tar","four/layer.tar"]}]"#
        tar.add("manifest.json", content: Array(manifest.utf8))
        let directory = try TemporaryDirectory()
        try await read(try directory.write(tar.archive, to: "linked.tar"))
    }

    @Test(
        "names that do not parse, or name what Assay does not read",
        arguments: [
            ("", ImageSourceError.Kind.reference), ("docker://apache/airflow:2.10.5", .reference),
            ("oci:", .reference),
            ("docker-daemon:-H", .reference), ("/no/such/file", .notFound),
            ("docker-archive:/no/such", .notFound),
            ("oci:/no/such/layout", .notFound), ("dir:/tmp", .io),
        ])
    func badNames(name: String, kind: ImageSourceError.Kind) async {
        await #expect { try await read(name) } throws: { ($0 as? ImageSourceError)?.kind == kind }
    }

    @Test("a path may have colons")
    func colons() throws {
        let existing: (String) -> Bool = { $0 == "/a:b/c" }
        #expect(
            try ImageName.parse("oci:/a:b/c:tag", fileExists: existing)
                == .named(ImageName(.oci, "/a:b/c", selection: "tag")))
        #expect(try ImageName.parse("oci:/a:b/c", fileExists: existing) == .named(ImageName(.oci, "/a:b/c")))
        #expect(
            try ImageName.parse("oci:/x:1:2", fileExists: existing)
                == .named(ImageName(.oci, "/x", selection: "1:2")))
        #expect(try ImageName.parse("-", fileExists: existing) == .standardInput)
        #expect(
            try ImageName.parse("apache/airflow:2.10.5", fileExists: existing)
                == .plain("apache/airflow:2.10.5"))
    }
}

@Suite("Several images in one place") struct SelectionTests {
    private func message(_ name: String, platform: Platform? = nil) async -> String {
        do {
            _ = try await ImageOpener(platform: platform).open(name)
            return "opened"
        } catch {
            return error.kind == .ambiguous ? error.message : "another error: \(error)"
        }
    }

    @Test func tagsOfALayout() async throws {
        let one = sampleImage(marker: "one")
        let two = sampleImage(marker: "two")
        let directory = try TemporaryDirectory()
        var files = try one.layoutFiles().merging(try two.layoutFiles()) { first, _ in first }
        files["index.json"] = try one.index(of: [(one.manifest(), "one"), (two.manifest(), "two")])
        let layout = try directory.write(files, below: "layout")
        #expect(try await read("oci:\(layout):two").configDigest == (try Digester.digest(of: two.config())))
        #expect(await message("oci:\(layout)").contains("it holds: one (linux/amd64); two (linux/amd64)"))
        #expect(await message("oci:\(layout):three").contains("holds no image \"three\""))
    }

    @Test("platforms of a nested index, an attestation beside them")
    func platforms() async throws {
        let amd64 = sampleImage()
        let arm64 = sampleImage(architecture: "arm64")
        let directory = try TemporaryDirectory()
        var files = try amd64.layoutFiles().merging(try arm64.layoutFiles()) { first, _ in first }
        func entry(_ bytes: [UInt8], _ architecture: String, _ os: String) throws -> String {
            #"{"mediaType":"\#(MediaType.ociManifest.rawValue)","digest":"\#(try Digester.digest(of: bytes))","size":\#(bytes.count),"platform":{"os":"\#(os)","architecture":"\#(architecture)"}}"#
        }
        let nested = Array(
            #"{"schemaVersion":2,"manifests":[\#(try entry(amd64.manifest(), "amd64", "linux")),\#(try entry(arm64.manifest(), "arm64", "linux")),\#(try entry(amd64.manifest(), "unknown", "unknown"))]}"#
                .utf8)
        let digest = try Digester.digest(of: nested)
        files["blobs/sha256/\(digest.encoded)"] = nested
        files["index.json"] = Array(
            #"{"schemaVersion":2,"manifests":[{"mediaType":"\#(MediaType.ociIndex.rawValue)","digest":"\#(digest)","size":\#(nested.count),"annotations":{"org.opencontainers.image.ref.name":"2.10.5"}}]}"#
                .utf8)
        let layout = try directory.write(files, below: "layout")
        let arm = try await read(
            "oci:\(layout):2.10.5", platform: Platform(os: "linux", architecture: "arm64"))
        #expect(arm.platform.architecture == "arm64")
        #expect(await message("oci:\(layout)").contains("2.10.5 (linux/amd64); 2.10.5 (linux/arm64)"))
        let missing = Platform(os: "linux", architecture: "s390x")
        #expect(await message("oci:\(layout)", platform: missing).contains("no image linux/s390x"))
    }

    @Test("of an index whose other platforms are not there, the one that is there is taken")
    func sparseIndex() async throws {
        let amd64 = sampleImage()
        let arm64 = sampleImage(architecture: "arm64")
        var files = try amd64.layoutFiles()
        func entry(_ image: ImageBuilder) throws -> String {
            let bytes = try image.manifest()
            return #"{"mediaType":"\#(MediaType.ociManifest.rawValue)","#
                + #""digest":"\#(try Digester.digest(of: bytes))","size":\#(bytes.count),"#
                + #""platform":{"os":"linux","architecture":"\#(image.architecture)"}}"#
        }
        let index = #"{"schemaVersion":2,"manifests":[\#(try entry(arm64)),\#(try entry(amd64))]}"#
        files["index.json"] = Array(index.utf8)
        let directory = try TemporaryDirectory()
        let layout = try directory.write(files, below: "layout")
        #expect(try await read("oci:\(layout)").platform.architecture == "amd64")
        let absent = Platform(os: "linux", architecture: "arm64")
        await #expect { try await read("oci:\(layout)", platform: absent) } throws: {
            "\($0)".contains("is missing")
        }
        var tar = TarBuilder()
        for (path, content) in files.sorted(by: { $0.key < $1.key }) { tar.add(path, content: content) }
        let config = "blobs/sha256/\(try Digester.digest(of: amd64.config()).encoded)"
        let layers = try amd64.blobs.map { #""blobs/sha256/\#(try Digester.digest(of: $0).encoded)""# }
        let manifest =
            #"[{"Config":"\#(config)","RepoTags":null,"Layers":[\#(layers.joined(separator: ","))]}]"#
        tar.add("manifest.json", content: Array(manifest.utf8))
        let archive = try await read(try directory.write(tar.archive, to: "sparse.tar"))
        #expect(archive.manifestDigest == (try Digester.digest(of: amd64.manifest())))
    }

    @Test func anImageWithoutLayers() async throws {
        let image = ImageBuilder()
        let config = try image.config()
        let name = "\(try Digester.digest(of: config).encoded).json"
        var tar = TarBuilder()
        tar.add(name, content: config)
        tar.add(
            "manifest.json", content: Array(#"[{"Config":"\#(name)","RepoTags":null,"Layers":null}]"#.utf8))
        let directory = try TemporaryDirectory()
        #expect(try await read(try directory.write(tar.archive, to: "scratch.tar")).layers.isEmpty)
    }

    @Test func imagesOfADockerArchive() async throws {
        let one = sampleImage(marker: "one")
        let two = sampleImage(marker: "two")
        var tar = TarBuilder()
        var items: [String] = []
        for (image, tag) in [(one, "apache/airflow:one"), (two, "docker.io/apache/airflow:two")] {
            let config = try image.config()
            let name = "\(try Digester.digest(of: config).encoded).json"
            tar.add(name, content: config)
            for (index, layer) in image.layers.enumerated() {
                tar.add("\(name)-\(index)/layer.tar", content: layer)
            }
            items.append(
                #"{"Config":"\#(name)","RepoTags":["\#(tag)"],"Layers":["\#(name)-0/layer.tar","\#(name)-1/layer.tar"]}"#
            )
        }
        tar.add("manifest.json", content: Array("[\(items.joined(separator: ","))]".utf8))
        let directory = try TemporaryDirectory()
        let file = try directory.write(tar.archive, to: "both.tar")
        #expect(
            try await read("\(file):apache/airflow:two").configDigest
                == (try Digester.digest(of: two.config())))
        #expect(
            try await read("docker-archive:\(file):@0").configDigest
                == (try Digester.digest(of: one.config())))
        #expect(await message(file).contains("it holds: apache/airflow:one (linux/amd64)"))
        #expect(await message("docker-archive:\(file):apache/airflow:three").contains("holds no image"))
    }
}

@Suite("Images that cannot be trusted") struct UntrustworthyImageTests {
    /// Changes the files of a layout and expects the image to be refused.
    private func refuses(_ change: (inout [String: [UInt8]], ImageBuilder) throws -> Void) async throws
        -> String
    {
        let image = sampleImage()
        var files = try image.layoutFiles()
        try change(&files, image)
        let directory = try TemporaryDirectory()
        let layout = try directory.write(files, below: "layout")
        do {
            try await read("oci:\(layout):test")
        } catch let error as ImageSourceError {
            #expect(error.kind == .untrustworthy || error.kind == .notFound || error.kind == .ambiguous)
            return error.message
        } catch let error as LayerError {
            return error.message
        }
        Issue.record("the image was accepted")
        return ""
    }

    private func blobName(_ bytes: [UInt8]) throws -> String {
        "blobs/sha256/\(try Digester.digest(of: bytes).encoded)"
    }

    @Test("one flipped byte in any file of the layout")
    func flippedBytes() async throws {
        for (name, bytes) in try sampleImage().layoutFiles() where name != "oci-layout" {
            for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 12)) {
                _ = try await refuses { files, _ in
                    var damaged = bytes
                    damaged[position] ^= 0x04
                    files[name] = damaged
                }
            }
        }
    }

    @Test func truncatedAndMissingBlobs() async throws {
        for blob in try sampleImage().blobs + [sampleImage().config(), sampleImage().manifest()] {
            let shorter = try await refuses { files, _ in files[try blobName(blob)] = blob.dropLast() }
            #expect(shorter.contains("descriptor says"))
            let missing = try await refuses { files, _ in files[try blobName(blob)] = nil }
            #expect(missing.contains("is missing"))
        }
    }

    @Test("a manifest that names another image's config")
    func foreignConfig() async throws {
        let reason = try await refuses { files, image in
            let other = sampleImage(marker: "other")
            let config = try other.config()
            files[try blobName(config)] = config
            let text = String(decoding: try image.manifest(), as: UTF8.self)
                .replacing(
                    "\(try Digester.digest(of: image.config()))", with: "\(try Digester.digest(of: config))"
                )
                .replacing("\"size\":\(try image.config().count)", with: "\"size\":\(config.count)")
            files[try blobName(Array(text.utf8))] = Array(text.utf8)
            files["index.json"] = try image.index(of: [(Array(text.utf8), "test")])
        }
        #expect(reason.contains("but the image config says"))
    }

    @Test func numberOfLayers() async throws {
        let reason = try await refuses { files, image in
            var more = image
            more.layers.append(TarBuilder().archive)
            let config = try more.config()
            files[try blobName(config)] = config
            let text = String(decoding: try image.manifest(), as: UTF8.self)
                .replacing(
                    "\(try Digester.digest(of: image.config()))", with: "\(try Digester.digest(of: config))"
                )
                .replacing("\"size\":\(try image.config().count)", with: "\"size\":\(config.count)")
            files[try blobName(Array(text.utf8))] = Array(text.utf8)
            files["index.json"] = try image.index(of: [(Array(text.utf8), "test")])
        }
        #expect(reason.contains("2 layers"))
        #expect(reason.contains("3 diff IDs"))
    }

    @Test(
        "docker archives that point out of themselves, or are not what they say",
        arguments: [
            (#"[{"Config":"/etc/passwd","Layers":[]}]"#, "leads out of the archive"),
            (#"[{"Config":"../../etc/passwd","Layers":[]}]"#, "leads out of the archive"),
            (#"[{"Config":"missing.json","Layers":[]}]"#, "is missing"), ("[]", "it holds no image"),
            ("{}", "is not an array"),
            ("nonsense", "JSON"), (#"[{"Config":"c.json"}]"#, "without Config or Layers"),
            (#"[{"Config":"link.json","Layers":[]}]"#, "is missing"),
            (#"[{"Config":"c.json","Config":"d.json","Layers":[]}]"#, "two members"),
        ])
    func dockerArchives(manifest: String, reason: String) async throws {
        var tar = TarBuilder()
        tar.add("link.json", .symbolicLink, linkTarget: "/etc/passwd")
        tar.add("manifest.json", content: Array(manifest.utf8))
        let directory = try TemporaryDirectory()
        let file = try directory.write(tar.archive, to: "a.tar")
        await #expect { try await read("docker-archive:\(file)") } throws: { "\($0)".contains(reason) }
    }

    @Test("an archive in which two readers see different members is refused")
    func contradictorySizes() async throws {
        let bytes = try sampleImage().dockerArchive()
        let directory = try TemporaryDirectory()
        var tar = TarBuilder()
        tar.addPAX([("size", Array("1".utf8))])
        tar.add("manifest.json", content: [1, 2])
        let path = try directory.write(tar.bytes + bytes, to: "a.tar")
        await #expect { try await read("docker-archive:\(path)") } throws: {
            "\($0)".contains("1 bytes by its extended header and 2 by its header")
        }
        tar = TarBuilder()
        tar.addPAX([("size", Array("2".utf8))])
        tar.add("more.json", content: [1, 2])
        try directory.write(tar.bytes + bytes, to: "b.tar")
        try await read("docker-archive:\(directory.path)/b.tar")
    }

    @Test("two members of one name: readers differ in which one they take")
    func duplicateMembers() async throws {
        let image = sampleImage(form: .plain)
        var tar = TarBuilder()
        tar.appendRaw(Array(try image.legacyDockerArchive().dropLast(1024)))
        tar.add("manifest.json", content: Array("[]".utf8))
        let directory = try TemporaryDirectory()
        let file = try directory.write(tar.archive, to: "a.tar")
        await #expect { try await read(file) } throws: { "\($0)".contains("occurs twice") }
    }

    @Test(
        "files that are no archive",
        arguments: [
            [UInt8](), Array("hello".utf8), [UInt8](repeating: 0x41, count: 5_000), gzipped(Array("x".utf8)),
        ])
    func notArchives(bytes: [UInt8]) async throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(bytes, to: "a.tar")
        await #expect { try await read("docker-archive:\(file)") } throws: {
            ($0 as? ImageSourceError)?.kind == .untrustworthy
        }
    }

    @Test func truncatedDockerArchive() async throws {
        let bytes = try sampleImage(form: .plain).legacyDockerArchive()
        let directory = try TemporaryDirectory()
        for length in stride(from: 600, to: bytes.count - 1024, by: 512) {
            let file = try directory.write(Array(bytes[..<length]), to: "a.tar")
            await #expect(throws: (any Error).self, "cut to \(length)") {
                try await read("docker-archive:\(file)")
            }
        }
    }
}

@Suite("LayoutWriter") struct LayoutWriterTests {
    @Test("copies bit for bit, from an archive too, and may be repeated")
    func copies() async throws {
        let image = sampleImage()
        let directory = try TemporaryDirectory()
        let source = try directory.write(try image.layoutFiles(), below: "layout")
        let writer = LayoutWriter(directory: "\(directory.path)/copy")
        for _ in 0..<2 {
            let digest = try await writer.write(try await read("oci:\(source)"), tag: "v1")
            #expect(digest == (try Digester.digest(of: image.manifest())))
        }
        for blob in try image.blobs + [image.config(), image.manifest()] {
            #expect(try directory.read("copy/blobs/sha256/\(try Digester.digest(of: blob).encoded)") == blob)
        }
        let copy = try await read("oci:\(directory.path)/copy:v1")
        #expect(copy.configDigest == (try Digester.digest(of: image.config())))

        let legacy = try directory.write(
            try sampleImage(form: .plain).legacyDockerArchive(), to: "legacy.tar")
        _ = try await writer.write(try await read(legacy), tag: "v2")
        let second = try await read("oci:\(directory.path)/copy:v2")
        #expect(second.configDigest == copy.configDigest)
        #expect(second.layers[0].mediaType == .ociLayer)
        #expect(try await read("oci:\(directory.path)/copy:v1").manifestDigest == copy.manifestDigest)
    }

    @Test("a blob that is not what its digest says is not copied, and the layout does not name the image")
    func damagedSource() async throws {
        let image = sampleImage()
        var files = try image.layoutFiles()
        let name = "blobs/sha256/\(try Digester.digest(of: image.blobs[1]).encoded)"
        files[name]?[20] ^= 1
        let directory = try TemporaryDirectory()
        let source = try directory.write(files, below: "layout")
        let opened = try await ImageOpener().open("oci:\(source)")
        await #expect {
            try await LayoutWriter(directory: "\(directory.path)/copy").write(opened, tag: nil)
        } throws: {
            ($0 as? ImageSourceError)?.kind == .untrustworthy
        }
        await #expect(throws: ImageSourceError.self) { try await read("oci:\(directory.path)/copy") }
        #expect(throws: (any Error).self) { try directory.read("copy/\(name)") }
    }
}
