import Facts
import OCIModel
import Testing

@Suite("Sources of apt") struct AptSourcesTests {
    private func sources(_ layer: Layer) throws -> AptSources { try facts(tree(layer)).aptSources }

    @Test func linesAreRead() throws {
        let read = try sources(
            Layer().file(
                "etc/apt/sources.list",
                """
                # comment
                deb http://deb.debian.org/debian bookworm main contrib # more
                deb-src http://deb.debian.org/debian bookworm main
                deb [ arch=amd64 signed-by=/a.gpg,/b.asc trusted=yes ] https://u:p@Example.org:8443/x ./
                """))
        #expect(
            read.sources.map(\.uri) == ["http://deb.debian.org/debian", "https://u:p@Example.org:8443/x"])
        #expect(read.sources[0].suites == ["bookworm"] && read.sources[0].components == ["main", "contrib"])
        #expect(read.sources[0].signedBy == .anyTrusted && !read.sources[0].skipsVerification)
        #expect(read.sources[0].host == "deb.debian.org" && !read.sources[0].hasCredentials)
        #expect(
            read.sources[1].signedBy == .named(["/a.gpg", "/b.asc"]) && read.sources[1].skipsVerification)
        #expect(read.sources[1].host == "example.org" && read.sources[1].scheme == "https")
        #expect(read.sources[1].hasCredentials)
        #expect(read.sources[1].shownURI == "https://…@Example.org:8443/x")
        #expect(read.malformed.isEmpty)
    }

    @Test func stanzasAreRead() throws {
        let read = try sources(
            Layer().file(
                "etc/apt/sources.list.d/debian.sources",
                """
                Types: deb deb-src
                # http://snapshot.debian.org/archive/debian/20250101T000000Z
                URIs: http://deb.debian.org/debian
                 http://mirror.example.org/debian
                Suites: trixie trixie-updates
                Components: main
                Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

                Enabled: no
                Types: deb
                URIs: http://off.example.org/
                Suites: x

                Types: deb-src
                URIs: http://source.example.org/
                Suites: x
                """
            ).file("etc/apt/sources.list.d/old.list.save", "deb http://saved.example.org x y"))
        #expect(read.sources.map(\.host) == ["deb.debian.org", "mirror.example.org"])
        #expect(read.sources[1].suites == ["trixie", "trixie-updates"])
        #expect(read.malformed.isEmpty)
    }

    @Test(arguments: [
        ("a.list", "dbe http://x y z"), ("a.list", "deb [trusted=yes http://x y z"),
        ("a.list", "deb http://x"),
        ("a.sources", "Types: deb\nURIs: http://x\n"), ("a.sources", "Types: deb\nodd line\n"),
    ])
    func whatDoesNotParseIsSaid(name: String, text: String) throws {
        let read = try sources(Layer().file("etc/apt/sources.list.d/\(name)", text))
        #expect(read.malformed.count == 1 && read.sources.isEmpty)
    }

    // MARK: Keys

    private static let created: UInt32 = 1_600_000_000
    private static let year: UInt32 = 365 * 86_400

    private func state(
        _ keyring: [UInt8]?, now: Int64? = nil, at path: String = "k.gpg", option: String = "signed-by=/k.gpg"
    ) throws -> String {
        var layer = Layer().file("etc/apt/sources.list", "deb [\(option)] http://example.org x y\n")
        if let keyring { layer = layer.file(path, bytes: keyring) }
        let read = try sources(layer)
        return switch try read.keyState(of: #require(read.sources.first), now: now) {
        case .valid: "valid"
        case .expired(let key): "expired \(key.expires ?? 0)"
        case .revoked: "revoked"
        case .missing: "missing"
        case .unchecked: "unchecked"
        }
    }

    @Test func aKeyIsValidUntilItExpires() throws {
        let key = TestKey(created: Self.created, lifetime: Self.year).packets
        let expiry = Int64(Self.created + Self.year)
        #expect(try state(key, now: expiry - 1) == "valid")
        #expect(try state(key, now: expiry) == "expired \(expiry)")
        #expect(throws: FactError.self) { try state(key) }
        #expect(try state(TestKey(created: Self.created).packets) == "valid")
    }

    @Test func oneValidKeySuffices() throws {
        let old = TestKey(created: Self.created, lifetime: 1).packets
        #expect(try state(old + TestKey(created: Self.created + 5).packets, now: 2_000_000_000) == "valid")
        #expect(try state(old + TestKey(created: Self.created + 5).packets) == "valid")
    }

    @Test func theLatestSignatureOfTheKeyItselfCounts() throws {
        var key = TestKey(created: Self.created, lifetime: 1)
        key.sign(at: Self.created + 100, lifetime: 2 * Self.year)
        #expect(try state(key.packets, now: Int64(Self.created + Self.year)) == "valid")
        // Others may certify the key; they say nothing of its life.
        var certified = TestKey(created: Self.created)
        certified.sign(at: Self.created + 100, lifetime: 1, issuer: Array(repeating: 7, count: 8))
        #expect(try state(certified.packets, now: 2_000_000_000) == "valid")
        var revoked = TestKey(created: Self.created)
        revoked.sign(at: Self.created + 100, type: 0x20)
        #expect(try state(revoked.packets) == "revoked")
    }

    @Test func keysAreFoundWhereAptLooks() throws {
        let key = TestKey(created: Self.created)
        #expect(try state(nil) == "missing")
        #expect(try state(key.packets, option: "trusted=yes") == "unchecked")
        #expect(try state(key.packets, at: "etc/apt/trusted.gpg", option: "arch=amd64") == "valid")
        #expect(try state(key.packets, at: "etc/apt/trusted.gpg.d/a.gpg", option: "arch=amd64") == "valid")
        #expect(try state(key.packets, at: "etc/apt/trusted.gpg.d/a.txt", option: "arch=amd64") == "missing")
        let fingerprint = try #require(OpenPGPKeyring(parsing: key.packets)?.keys.first?.fingerprint)
        #expect(
            try state(key.packets, at: "etc/apt/trusted.gpg", option: "signed-by=\(fingerprint)") == "valid")
        #expect(
            try state(key.packets, at: "etc/apt/trusted.gpg", option: "signed-by=\(fingerprint.dropLast())F0")
                == "missing")
    }

    @Test func armorIsReadInFilesAndInFields() throws {
        let armor = TestKey(created: Self.created).armored
        #expect(try state(Array(armor.utf8), at: "k.asc", option: "signed-by=/k.asc") == "valid")
        let field = armor.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? " ." : " \($0)" }.joined(separator: "\n")
        let read = try sources(
            Layer().file(
                "etc/apt/sources.list.d/a.sources",
                "Types: deb\nURIs: http://example.org\nSuites: x\nSigned-By:\n\(field)\n"))
        guard case .valid = try read.keyState(of: #require(read.sources.first), now: nil) else {
            Issue.record("the key in the field is not valid")
            return
        }
    }

    @Test func aKeyringThatDoesNotParseIsNoVerdict() throws {
        let key = TestKey(created: Self.created).packets
        for bytes in [Array("no key".utf8), Array(key.dropLast()), [0x99, 0xFF, 0xFF, 4], [0xFF]] {
            #expect(OpenPGPKeyring(parsing: bytes) == nil)
            #expect(throws: FactError.self) { try state(bytes) }
        }
        #expect(try state([]) == "missing")
        for length in key.indices { _ = OpenPGPKeyring(parsing: Array(key.prefix(length))) }
    }

    @Test func fingerprintsAreThoseOfGnuPG() throws {
        // Made with a key that another program digested.
        let keyring = try #require(OpenPGPKeyring(parsing: TestKey(created: Self.created).packets))
        #expect(keyring.keys.map(\.fingerprint) == ["737B0FF82CE49C4B8ABA9A62423F89C2A4BC8A06"])
        #expect(keyring.keys.map(\.keyID) == ["423F89C2A4BC8A06"])
        #expect(keyring.keys.map(\.created) == [1_600_000_000])
    }
}

/// An OpenPGP key with signatures that nobody could verify.
private struct TestKey {
    private(set) var packets: [UInt8]
    private var keyID: [UInt8] = []

    init(created: UInt32, lifetime: UInt32? = nil) {
        let body = [4] + bigEndian(created) + [1, 0, 8, 0xA5, 0, 2, 3]
        packets = [0x99, 0, UInt8(body.count)] + body
        let user = Array("Example <key@example.org>".utf8)
        packets += [0xB4, UInt8(user.count)] + user
        if let id = OpenPGPKeyring(parsing: packets)?.keys.first?.keyID {
            keyID = stride(from: 0, to: 16, by: 2).compactMap { UInt8(id.dropFirst($0).prefix(2), radix: 16) }
        }
        sign(at: created, lifetime: lifetime)
    }

    mutating func sign(at time: UInt32, lifetime: UInt32? = nil, type: UInt8 = 0x13, issuer: [UInt8]? = nil) {
        let hashed = [5, 2] + bigEndian(time) + (lifetime.map { [5, 9] + bigEndian($0) } ?? [])
        let plain = [9, 16] + (issuer ?? keyID)
        let body =
            [4, type, 1, 8, 0, UInt8(hashed.count)] + hashed + [0, UInt8(plain.count)] + plain
            + [0, 0, 0, 1, 1]
        packets += [0x88, UInt8(body.count)] + body
    }

    var armored: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: packets.count, by: 3) {
            let group = packets[start..<min(start + 3, packets.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                text.append(index <= group.count ? alphabet[value >> (18 - 6 * index) & 63] : "=")
            }
            if start % 48 == 45 { text.append("\n") }
        }
        return """
            -----BEGIN PGP PUBLIC KEY BLOCK-----
            Comment: an example

            \(text)
            =abcd
            -----END PGP PUBLIC KEY BLOCK-----
            """
    }
}

private func bigEndian(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}
