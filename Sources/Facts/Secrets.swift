import LayerArchive
import OCIModel
import RootFS

/// A secret that anybody who has the image can read.
public struct Secret: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// In PEM, without a passphrase.
        case privateKey
        case awsAccessKey
        case githubToken
        case gitlabToken
        case slackToken
        case googleKey
        case stripeKey
        case npmToken
        case pypiToken
        /// `scheme://name:password@host`
        case urlPassword
        /// The value of an option, a variable or a setting whose name says that it is secret.
        case password
        /// Kerberos keys: a keytab.
        case keytab
        /// Kerberos tickets: a credential cache.
        case ticketCache
    }

    public enum Place: Hashable, Sendable {
        /// The name of the variable.
        case environment(String)
        case label(String)
        /// The position of the step in the history.
        case history(Int)
        /// The layer that carries the file and, when a later one hides it, that one; lowest 0.
        case file(ImagePath, layer: Int, hiddenBy: Int?)
    }

    public let kind: Kind
    public let place: Place
    /// What may be shown of it; escaped.
    public let shown: String
}

/// The secrets of an image: in its config, and in files of any layer whose names say that they hold some.
public struct SecretFacts: Sendable {
    /// In the order of config, history, tree, hidden files; the first `maximumKept`.
    public let secrets: [Secret]
    /// Files that may hold some and whose content was not kept.
    public let unread: MalformedEntries

    public static let maximumKept = 1_000

    init(config: ImageConfig, history: BuildHistory, rootfs: RootFS, candidates: [Node]) {
        var collector = Collector()
        for entry in config.run.environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            collector.scan(name: String(parts[0]), value: String(parts[1]), .environment(String(parts[0])))
        }
        for (name, value) in config.run.labels.sorted(by: { $0.key < $1.key }) {
            collector.scan(name: name, value: value, .label(name))
        }
        for step in history.steps {
            // What the config still has was found there.
            if step.instruction == .env,
                config.run.environment.contains(where: { entry in
                    step.arguments == entry
                        || step.arguments.split(separator: " ").contains { $0 == entry }
                })
            {
                continue
            }
            let text = Array(step.raw.utf8)
            collector.add(
                SecretPatterns.tokens(in: text) + SecretPatterns.urlPasswords(in: text)
                    + SecretPatterns.arguments(in: text), .history(step.index))
        }
        for node in candidates {
            let path = rootfs.path(of: node)
            guard let reader = SecretFile(path) else { continue }
            let status = rootfs.status(of: node)
            guard let bytes = rootfs.contents(of: node) ?? (status.size == 0 ? [] : nil) else {
                collector.unread.append(path, "\(status.size) bytes, not kept while reading the layers")
                continue
            }
            collector.add(reader.secrets(in: bytes), .file(path, layer: status.layer, hiddenBy: nil))
        }
        for file in rootfs.hiddenFiles where file.status.kind == .file {
            guard let reader = SecretFile(file.path) else { continue }
            guard let bytes = file.contents ?? (file.status.size == 0 ? [] : nil) else {
                collector.unread.append(
                    file.path, "\(file.status.size) bytes, not kept while reading the layers")
                continue
            }
            collector.add(
                reader.secrets(in: bytes), .file(file.path, layer: file.status.layer, hiddenBy: file.hiddenBy)
            )
        }
        secrets = collector.secrets
        unread = collector.unread
    }

    private struct Collector {
        private(set) var secrets: [Secret] = []
        var unread = MalformedEntries()

        mutating func add(_ matches: [SecretMatch], _ place: Secret.Place) {
            var seen: Set<SecretMatch> = []
            for match in matches where secrets.count < SecretFacts.maximumKept && seen.insert(match).inserted
            {
                secrets.append(Secret(kind: match.kind, place: place, shown: match.shown))
            }
        }

        mutating func scan(name: String, value: String, _ place: Secret.Place) {
            let bytes = Array(value.utf8)
            var matches = SecretPatterns.tokens(in: bytes) + SecretPatterns.urlPasswords(in: bytes)
            if matches.isEmpty, bytes.count >= 4, SecretPatterns.isSecretName(name.utf8),
                SecretPatterns.isSecretValue(bytes)
            {
                matches = [SecretMatch(kind: .password, shown: SecretPatterns.masked(bytes, keeping: 0))]
            }
            add(matches, place)
        }
    }
}

/// What is to be looked for in a file that may hold secrets, by its name.
enum SecretFile {
    case tokens
    case netrc
    case settings
    case aws
    case docker
    case urls
    case keytab
    case ticketCache

    /// Ends of paths, with what such files hold.
    private static let ends: [(end: String, reader: SecretFile)] = [
        ("/.netrc", .netrc), ("/auth.conf", .netrc), ("/.pypirc", .settings), ("/.my.cnf", .settings),
        ("/pip.conf", .urls), ("/.piprc", .urls), ("/.git-credentials", .urls), ("/.gitconfig", .urls),
        ("/airflow.cfg", .settings), ("/.env", .settings), ("/.npmrc", .settings),
        ("/.aws/credentials", .aws),
        ("/.docker/config.json", .docker), ("/.dockercfg", .docker), (".pem", .tokens), (".key", .tokens),
        ("/id_rsa", .tokens), ("/id_dsa", .tokens), ("/id_ecdsa", .tokens), ("/id_ed25519", .tokens),
        (".keytab", .keytab),
    ]
    private static let endBytes = ends.map { (Array($0.end.utf8), $0.reader) }
    private static let caches = ["krb5cc", "krb5_ccache"].map { Array($0.utf8) }

    /// Which contents a run has to keep.
    static var rules: [ContentPlan.Rule] {
        endBytes.map { ContentPlan.Rule(.suffix($0.0), keepsVersions: true) }
            + caches.map { ContentPlan.Rule(.infix($0), keepsVersions: true) }
    }

    /// - Returns: nil for a file that is not likely to hold secrets.
    init?(_ path: ImagePath) {
        if let (_, reader) = SecretFile.endBytes.first(where: {
            path.bytes.suffix($0.0.count).elementsEqual($0.0)
        }) {
            self = reader
        } else if let name = path.name, SecretFile.isCache(name) {
            self = .ticketCache
        } else {
            return nil
        }
    }

    private static func isCache(_ name: ArraySlice<UInt8>) -> Bool {
        caches.contains { infix in name.indices.contains { name[$0...].starts(with: infix) } }
    }

    private static let lastBytes = Set(endBytes.compactMap { $0.0.last })

    /// Whether a file of this name may be one, its directory left aside.
    static func isLikely(_ name: ArraySlice<UInt8>) -> Bool {
        guard let last = name.last else { return false }
        if name.first == UInt8(ascii: "k") || name.first == UInt8(ascii: "a"), isCache(name) { return true }
        return lastBytes.contains(last)
            && endBytes.contains { end, _ in
                let slash = end.lastIndex(of: UInt8(ascii: "/"))
                let wanted = slash.map { end[($0 + 1)...] } ?? end[...]
                return slash == nil
                    ? name.suffix(wanted.count).elementsEqual(wanted) : name.elementsEqual(wanted)
            }
    }

    func secrets(in bytes: [UInt8]) -> [SecretMatch] {
        switch self {
        case .keytab:
            return bytes.starts(with: [5, 2]) || bytes.starts(with: [5, 1])
                ? [SecretMatch(kind: .keytab, shown: "keytab of \(bytes.count) bytes")] : []
        case .ticketCache:
            return bytes.starts(with: [5, 4]) || bytes.starts(with: [5, 3])
                ? [SecretMatch(kind: .ticketCache, shown: "credential cache of \(bytes.count) bytes")] : []
        case .tokens: return SecretPatterns.tokens(in: bytes)
        case .netrc: return SecretPatterns.netrc(in: bytes) + SecretPatterns.tokens(in: bytes)
        case .urls: return SecretPatterns.urlPasswords(in: bytes) + SecretPatterns.tokens(in: bytes)
        case .aws:
            return SecretPatterns.settings(
                ["aws_secret_access_key", "aws_session_token"], in: bytes, .password)
                + SecretPatterns.tokens(in: bytes)
        case .docker:
            // JSON need not have lines.
            let lines = bytes.map { "{},".utf8.contains($0) ? UInt8(ascii: "\n") : $0 }
            return SecretPatterns.settings(["auth", "identitytoken"], in: lines, .password)
        case .settings:
            return SecretPatterns.settings(
                [
                    "password", "passwd", "fernet_key", "secret_key", "_authToken", "_TOKEN", "_SECRET",
                    "_PASSWORD",
                ],
                in: bytes, .password) + SecretPatterns.urlPasswords(in: bytes)
                + SecretPatterns.tokens(in: bytes)
        }
    }
}
