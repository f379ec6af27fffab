import OCIModel
import Testing

private let hex = String(repeating: "0a", count: 32)

@Suite("Digest") struct DigestTests {
    @Test func parses() throws {
        let digest = try Digest(parsing: "sha256:\(hex)")
        #expect(digest.description == "sha256:\(hex)")
        #expect(digest.short == "0a0a0a0a0a0a")
        _ = try Digest(parsing: "sha512:\(hex)\(hex)")
    }

    @Test(
        "digests become file names: anything else is refused",
        arguments: [
            "", "sha256", "sha256:", hex, "sha256:\(hex)0", "sha256:../../../../etc/passwd", "SHA256:\(hex)",
            "sha256:" + String(repeating: "0A", count: 32), "md5:00", "sha512:\(hex)", "sha256/x:\(hex)",
            "sha256:\(hex)\n",
        ])
    func refuses(text: String) {
        #expect { try Digest(parsing: text) } throws: { ($0 as? ModelError)?.kind == .digest }
    }
}

@Suite("ImagePath") struct ImagePathTests {
    @Test(
        "normalises as seen from the root",
        arguments: [
            ("", "/"), ("/", "/"), (".", "/"), ("./a/b", "/a/b"), ("a//b/", "/a/b"), ("../../x", "/x"),
            ("a/../b", "/b"),
        ])
    func normalises(text: String, expected: String) {
        #expect(ImagePath(text).description == expected)
    }

    @Test("NFC and NFD are two paths, and bytes need not be UTF-8")
    func bytes() {
        #expect(ImagePath("/caf\u{e9}") != ImagePath("/cafe\u{301}"))
        #expect(ImagePath([0x61, 0xFF]).description == "/a\\xff")
        #expect(ImagePath("/a\r\nb").description == "/a\\r\\nb")
    }

    @Test func within() {
        #expect(ImagePath("/opt/airflow").isWithin("/opt"))
        #expect(ImagePath("/opt").isWithin("/opt"))
        #expect(!ImagePath("/optional").isWithin("/opt"))
        #expect(ImagePath("/x").isWithin(.root))
        #expect(ImagePath("/a/b").parent == "/a")
        #expect(ImagePath.root.parent == .root)
    }
}

@Suite("Escaping") struct EscapingTests {
    @Test(
        "controls, bidirectional marks and invalid bytes never reach a terminal",
        arguments: [
            ("plain", "plain"), ("tab\t", "tab\\t"), ("esc\u{1b}[31m", "esc\\x1b[31m"),
            ("rtl\u{202e}x", "rtl\\u{202e}x"),
            ("back\\slash", "back\\\\slash"), ("é😀", "é😀"), ("c1\u{85}", "c1\\x85"),
        ])
    func escapes(text: String, expected: String) { #expect(escaped(text) == expected) }

    @Test func invalidBytes() {
        #expect(escaped([0x61, 0xC3, 0x28, 0xE2, 0x82]) == "a\\xc3(\\xe2\\x82")
    }

    @Test func quotedIsBounded() {
        #expect(quoted(String(repeating: "x", count: 500), limit: 10) == "\"xxxxxxxxxx…\"")
    }
}

@Suite("Documents") struct DocumentTests {
    private let descriptor =
        #"{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(hex)","size":2}"#

    @Test func manifest() throws {
        let text = #"{"schemaVersion":2,"config":\#(descriptor),"layers":[\#(descriptor)],"x":1}"#
        let manifest = try Manifest(parsing: Array(text.utf8))
        #expect(manifest.layers.count == 1)
        #expect(manifest.config.size == 2)
        #expect(manifest.raw == Array(text.utf8))
    }

    @Test(
        "a document that could be read as two things is refused (CVE-2021-41190)",
        arguments: [
            #"{"schemaVersion":2,"config":D,"layers":[],"manifests":[]}"#,
            #"{"schemaVersion":2,"layers":[]}"#,
            #"{"schemaVersion":1,"config":D,"layers":[]}"#, #"{"schemaVersion":2,"config":{},"layers":[]}"#,
            #"{"schemaVersion":2,"config":D,"layers":[{"mediaType":"a","digest":"sha256:x","size":1}]}"#,
            #"{"schemaVersion":2,"config":D,"layers":[{"mediaType":"a","digest":"sha256:HEX","size":-1}]}"#,
        ])
    func badManifest(text: String) {
        let text = text.replacing("D", with: descriptor).replacing("HEX", with: hex)
        #expect(throws: ModelError.self) { try Manifest(parsing: Array(text.utf8)) }
    }

    @Test func badIndex() {
        let text = #"{"schemaVersion":2,"manifests":[],"layers":[]}"#
        #expect { try Index(parsing: Array(text.utf8)) } throws: { ($0 as? ModelError)?.kind == .manifest }
    }

    @Test func config() throws {
        let text = #"""
            {"os":"linux","architecture":"amd64","config":{"User":"50000","Env":["A=1","A=2","bad"],"Cmd":null,
            "ExposedPorts":{"8080/tcp":{}},"Labels":{"a":"b"},"Entrypoint":["/x"],"Healthcheck":{"Test":["CMD","y"]}},
            "rootfs":{"type":"layers","diff_ids":["sha256:\#(hex)"]},
            "history":[{"created_by":"ADD x"},{"created_by":"USER 50000","empty_layer":true}]}
            """#
        let config = try ImageConfig(parsing: Array(text.utf8))
        #expect(config.run.user == "50000")
        #expect(config.run.environmentValue("A") == "2")
        #expect(config.run.environmentValue("B") == nil)
        #expect(config.run.command == nil)
        #expect(config.run.exposedPorts == ["8080/tcp"])
        #expect(config.run.healthcheckTest == ["CMD", "y"])
        #expect(config.history.map(\.isEmptyLayer) == [false, true])
        #expect(config.platform == Platform(os: "linux", architecture: "amd64"))
    }

    @Test(
        "a config that is not of an image",
        arguments: [
            "[]", "{}", #"{"rootfs":{"type":"layers","diff_ids":["x"]}}"#,
            #"{"rootfs":{"type":"layers","diff_ids":[1]}}"#,
            #"{"rootfs":{"type":"layers","diff_ids":[]},"config":{"Env":"A=1"}}"#,
        ])
    func badConfig(text: String) {
        #expect(throws: ModelError.self) { try ImageConfig(parsing: Array(text.utf8)) }
    }

    @Test func platforms() throws {
        #expect(
            try Platform(parsing: "linux/arm64/v8")
                == Platform(os: "linux", architecture: "arm64", variant: "v8"))
        #expect(
            Platform(os: "linux", architecture: "arm64", variant: "v8").satisfies(
                try Platform(parsing: "linux/arm64")))
        #expect(throws: ModelError.self) { try Platform(parsing: "linux") }
    }
}
