import OCIModel
import RootFS

/// Where apt takes packages from: `/etc/apt/sources.list` and the files of `/etc/apt/sources.list.d`
/// (sources.list(5)), in both their formats, and the keys that would verify each (apt-secure(8)).
public struct AptSources: Sendable {
    /// One URI of an entry that is in use.
    public struct Source: Hashable, Sendable {
        public let uri: String
        /// As `bookworm bookworm-updates`.
        public let suites: [String]
        public let components: [String]
        public let signedBy: SignedBy
        /// The option Trusted or Allow-Insecure: nothing is verified.
        public let skipsVerification: Bool
        public let path: ImagePath
        /// The layer that wrote the file, lowest 0.
        public let layer: Int

        /// `https`, in lower case.
        public var scheme: String { String(uri.prefix { $0 != ":" }).lowercased() }

        /// The host, in lower case, without user and port; empty where there is none, as in `cdrom:` or `file:`.
        public var host: String {
            guard let authority else { return "" }
            let host = authority.split(separator: "@").last ?? ""
            return host.prefix { $0 != ":" }.lowercased()
        }

        /// Whether a name and a password stand before the host.
        public var hasCredentials: Bool {
            guard let authority, let end = authority.lastIndex(of: "@") else { return false }
            return authority[..<end].contains(":")
        }

        /// The URI without what stands before the host.
        public var shownURI: String {
            guard let authority, let end = authority.lastIndex(of: "@") else { return uri }
            return uri.replacing(authority[...end], with: "…@", maxReplacements: 1)
        }

        private var authority: Substring? {
            guard let start = uri.firstRange(of: "://")?.upperBound else { return nil }
            return uri[start...].prefix { $0 != "/" }
        }
    }

    /// Which keys are to verify a source.
    public enum SignedBy: Hashable, Sendable {
        /// Any of those that apt trusts for everything.
        case anyTrusted
        /// Absolute paths of keyrings, or fingerprints of keys that apt trusts.
        case named([String])
        case inline(String)
    }

    /// What can be said of the keys that are to verify a source.
    public enum KeyState: Hashable, Sendable {
        case valid(OpenPGPKeyring.Key)
        /// All have expired; the one that did last.
        case expired(OpenPGPKeyring.Key)
        case revoked(OpenPGPKeyring.Key)
        /// There is none, and why.
        case missing(String)
        /// Nothing is verified.
        case unchecked
    }

    /// In the order of the files; those that are disabled and those of source packages (`deb-src`) are left out.
    public let sources: [Source]
    /// Lines and stanzas that apt would not accept, and files that could not be read.
    public let malformed: MalformedEntries
    private let rootfs: RootFS

    private static let directory: ImagePath = "/etc/apt/sources.list.d"
    private static let trustedPath: ImagePath = "/etc/apt/trusted.gpg"
    private static let trustedDirectory: ImagePath = "/etc/apt/trusted.gpg.d"

    init(rootfs: RootFS) {
        var reader = AptSourcesReader(rootfs: rootfs)
        reader.read("/etc/apt/sources.list")
        for path in Self.files(in: Self.directory, of: rootfs) { reader.read(path) }
        sources = reader.sources
        malformed = reader.malformed
        self.rootfs = rootfs
    }

    private static func files(in directory: ImagePath, of rootfs: RootFS) -> [ImagePath] {
        guard let node = (try? rootfs.node(at: directory)) ?? nil,
            rootfs.status(of: node).kind == .directory
        else { return [] }
        return rootfs.entries(of: node).map { directory.appending(rootfs.name(of: $0)) }
    }

    /// The state of the keys of a source.
    ///
    /// - Parameter now: seconds since the epoch; nil where the time is not to matter.
    /// - Throws: `FactError` when a keyring could not be read, or a key expires and there is no time to judge it by,
    ///   and no other key is good.
    public func keyState(of source: Source, now: Int64?) throws(FactError) -> KeyState {
        if source.skipsVerification { return .unchecked }
        var doubts: [FactError] = []
        let keys = candidates(for: source, &doubts)
        var bad: KeyState?
        var timeNeed: FactError?
        for key in keys {
            if key.isRevoked {
                bad = bad ?? .revoked(key)
                continue
            }
            guard let expires = key.expires else { return .valid(key) }
            guard let now else {
                let reason = "the key \(key.fingerprint) expires, and the time of the run is not known"
                timeNeed = FactError(.missing, reason)
                continue
            }
            if expires > now { return .valid(key) }
            if case .expired(let other) = bad, other.expires ?? 0 >= expires { continue }
            bad = .expired(key)
        }
        if let doubt = timeNeed ?? doubts.first(where: { $0.kind != .missing }) { throw doubt }
        return bad ?? .missing(doubts.first?.message ?? "no key is trusted")
    }

    private func candidates(for source: Source, _ doubts: inout [FactError]) -> [OpenPGPKeyring.Key] {
        switch source.signedBy {
        case .anyTrusted: return trusted(&doubts)
        case .inline(let text):
            if let keyring = OpenPGPKeyring(parsing: Array(text.utf8)) { return keyring.keys }
            doubts.append(FactError(.malformed, "\(source.path): its key does not parse"))
            return []
        case .named(let names):
            var keys: [OpenPGPKeyring.Key] = []
            for name in names {
                if name.hasPrefix("/") {
                    keys += self.keys(of: ImagePath(name), &doubts)
                } else {
                    let wanted = name.filter { $0 != "!" }.uppercased()
                    keys += trusted(&doubts).filter {
                        ([$0.fingerprint] + $0.subkeyFingerprints).contains(wanted)
                    }
                }
            }
            return keys
        }
    }

    private func trusted(_ doubts: inout [FactError]) -> [OpenPGPKeyring.Key] {
        let directory = Self.files(in: Self.trustedDirectory, of: rootfs)
            .filter { $0.bytes.hasSuffix(".gpg") || $0.bytes.hasSuffix(".asc") }
        var keys: [OpenPGPKeyring.Key] = []
        for path in [Self.trustedPath] + directory {
            var own: [FactError] = []
            keys += self.keys(of: path, &own)
            // A file that is not there is none of the trusted ones.
            doubts += own.filter { $0.kind != .missing }
        }
        return keys
    }

    private func keys(of path: ImagePath, _ doubts: inout [FactError]) -> [OpenPGPKeyring.Key] {
        switch rootfs.factFile(at: path) {
        case .failure(let error): doubts.append(error)
        case .success(let file):
            if let keyring = OpenPGPKeyring(parsing: file.bytes) { return keyring.keys }
            // An empty keyring has no keys, and says so.
            if !file.bytes.isEmpty { doubts.append(FactError(.malformed, "\(path) is no keyring")) }
        }
        return []
    }
}

/// Reads the files of sources.
private struct AptSourcesReader {
    let rootfs: RootFS
    private(set) var sources: [AptSources.Source] = []
    private(set) var malformed = MalformedEntries()

    /// URIs that are read from all files together.
    static let maximumSources = 10_000

    init(rootfs: RootFS) { self.rootfs = rootfs }

    mutating func read(_ path: ImagePath) {
        let isLines = path.bytes.hasSuffix(".list")
        guard isLines || path.bytes.hasSuffix(".sources") else { return }
        switch rootfs.factFile(at: path) {
        case .failure(let error): if error.kind != .missing { malformed.append(path, error.message) }
        case .success(let file): isLines ? readLines(file, path) : readStanzas(file, path)
        }
    }

    /// `deb [option=value …] URI suite component …`
    private mutating func readLines(_ file: FactFile, _ path: ImagePath) {
        for (number, bytes) in Lines(file.bytes) {
            let line = text(of: bytes.prefix { $0 != UInt8(ascii: "#") }.trimmed)
            if line.isEmpty { continue }
            guard let type = line.split(whereSeparator: \.isWhitespace).first,
                type == "deb" || type == "deb-src"
            else {
                malformed.append(path, line: number, "neither deb nor deb-src")
                continue
            }
            var rest = line.dropFirst(type.count).drop(while: \.isWhitespace)
            var options: [String: String] = [:]
            if rest.first == "[" {
                guard let end = rest.firstIndex(of: "]") else {
                    malformed.append(path, line: number, "the options do not end")
                    continue
                }
                for option in rest[..<end].dropFirst().split(whereSeparator: \.isWhitespace) {
                    let parts = option.split(separator: "=", maxSplits: 1)
                    if parts.count == 2 { options[parts[0].lowercased()] = String(parts[1]) }
                }
                rest = rest[end...].dropFirst()
            }
            let words = rest.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count >= 2 else {
                malformed.append(path, line: number, "no URI, or no suite")
                continue
            }
            if type == "deb" {
                append(
                    [words[0]], suites: [words[1]], components: Array(words.dropFirst(2)),
                    signedBy: options["signed-by"],
                    skipsVerification: isYes(options["trusted"]) || isYes(options["allow-insecure"]), file,
                    path)
            }
        }
    }

    private enum Field: Int {
        case types, uris, suites, components, signedBy, trusted, allowInsecure, enabled

        static let names = [
            "types", "uris", "suites", "components", "signed-by", "trusted", "allow-insecure", "enabled",
        ]
    }

    private mutating func readStanzas(_ file: FactFile, _ path: ImagePath) {
        // A comment is as if it were not there, also within a stanza.
        let lines = Lines(file.bytes).map(\.bytes).filter { $0.first != UInt8(ascii: "#") }
        var reader = FieldReader(Array(lines.joined(separator: [UInt8(ascii: "\n")])), names: Field.names)
        while let stanza = reader.next() {
            func words(_ field: Field) -> [String] {
                (stanza.value(field.rawValue) ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
            }
            if let fault = stanza.fault {
                malformed.append(path, fault)
                continue
            }
            if let enabled = stanza.value(Field.enabled.rawValue), isNo(enabled) { continue }
            let (types, uris, suites) = (words(.types), words(.uris), words(.suites))
            guard !types.isEmpty, !uris.isEmpty, !suites.isEmpty else {
                malformed.append(path, "a stanza without Types, URIs or Suites")
                continue
            }
            guard types.contains("deb") else { continue }
            append(
                uris, suites: suites, components: words(.components),
                signedBy: stanza.value(Field.signedBy.rawValue),
                skipsVerification: isYes(stanza.value(Field.trusted.rawValue))
                    || isYes(stanza.value(Field.allowInsecure.rawValue)), file, path)
        }
    }

    private mutating func append(
        _ uris: [String], suites: [String], components: [String], signedBy: String?, skipsVerification: Bool,
        _ file: FactFile, _ path: ImagePath
    ) {
        let keys: AptSources.SignedBy
        if let signedBy, !signedBy.isEmpty {
            // The lines of a key within the field come as words.
            keys =
                signedBy.hasPrefix("-----BEGIN")
                ? .inline(armor(signedBy))
                : .named(signedBy.split { $0 == "," || $0.isWhitespace }.map(String.init))
        } else {
            keys = .anyTrusted
        }
        for uri in uris {
            guard sources.count < Self.maximumSources else {
                malformed.append(path, "more than \(Self.maximumSources) sources")
                return
            }
            sources.append(
                AptSources.Source(
                    uri: uri, suites: suites, components: components, signedBy: keys,
                    skipsVerification: skipsVerification, path: path, layer: file.layer))
        }
    }

    private func armor(_ folded: String) -> String {
        folded.replacing("-----BEGIN PGP PUBLIC KEY BLOCK-----", with: "-----BEGIN|PGP|PUBLIC|KEY|BLOCK-----")
            .replacing("-----END PGP PUBLIC KEY BLOCK-----", with: "-----END|PGP|PUBLIC|KEY|BLOCK-----")
            .replacing(" ", with: "\n").replacing("|", with: " ")
    }

    private func isYes(_ value: String?) -> Bool {
        ["yes", "true", "1", "with", "on", "enable"].contains(value?.lowercased() ?? "")
    }

    private func isNo(_ value: String) -> Bool {
        ["no", "false", "0", "without", "off", "disable"].contains(value.lowercased())
    }
}
