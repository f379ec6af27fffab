import OCIModel

/// A secret that was found in a text: what it is, and what can be shown of it.
struct SecretMatch: Hashable {
    let kind: Secret.Kind
    /// The first characters and the length; never the whole.
    let shown: String
}

/// Where in a text a secret is.
struct LocatedSecret {
    let match: SecretMatch
    let range: Range<Int>
}

/// Finds secrets by their shape. Where a shape has a checksum it is verified; values that stand for others
/// (`$PASSWORD`, `<token>`, AWS's documented example) are none.
enum SecretPatterns {
    /// What is shown of a secret.
    static func masked(_ secret: some Collection<UInt8>, keeping count: Int = 4) -> String {
        "\(escaped(Array(secret.prefix(secret.count > 2 * count ? count : 0))))…(\(secret.count) characters)"
    }

    private struct Shape {
        let prefix: [UInt8]
        let kind: Secret.Kind
        /// How many characters follow the prefix.
        let counts: ClosedRange<Int>
        let isAllowed: @Sendable (UInt8) -> Bool
        let isGenuine: @Sendable (ArraySlice<UInt8>) -> Bool

        init(
            _ prefix: String, _ kind: Secret.Kind, _ counts: ClosedRange<Int>,
            allowed: @escaping @Sendable (UInt8) -> Bool = isAlphanumeric,
            genuine: @escaping @Sendable (ArraySlice<UInt8>) -> Bool = { _ in true }
        ) {
            self.prefix = Array(prefix.utf8)
            self.kind = kind
            self.counts = counts
            isAllowed = allowed
            isGenuine = genuine
        }
    }

    private static let shapes: [Shape] = {
        let token: @Sendable (UInt8) -> Bool = {
            isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        let isNoExample: @Sendable (ArraySlice<UInt8>) -> Bool = { !$0.hasSuffix("EXAMPLE") }
        let upper: @Sendable (UInt8) -> Bool = {
            isDigit($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
        }
        let github = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"].map {
            Shape($0, .githubToken, 36...36, genuine: hasChecksum)
        }
        let slack = ["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"].map {
            Shape($0, .slackToken, 24...250, allowed: token) {
                $0.dropFirst(5).prefix(10).allSatisfy(isDigit)
            }
        }
        return github + slack + [
            Shape("AKIA", .awsAccessKey, 16...16, allowed: upper, genuine: isNoExample),
            Shape("ASIA", .awsAccessKey, 16...16, allowed: upper, genuine: isNoExample),
            Shape("npm_", .npmToken, 36...36, genuine: hasChecksum),
            Shape("glpat-", .gitlabToken, 20...60, allowed: token),
            Shape("AIza", .googleKey, 35...35, allowed: token),
            Shape("sk_live_", .stripeKey, 24...128), Shape("rk_live_", .stripeKey, 24...128),
            Shape("pypi-AgEIcHlwaS5vcmc", .pypiToken, 50...500, allowed: token),
        ]
    }()

    private static let shapesByFirst = Dictionary(grouping: shapes) { $0.prefix[0] }

    /// Tokens and private keys anywhere in a text. Tokens stand alone: no letter or digit around them.
    static func tokens(in text: [UInt8]) -> [SecretMatch] { locatedTokens(in: text).map(\.match) }

    static func locatedTokens(in text: [UInt8]) -> [LocatedSecret] {
        var found: [LocatedSecret] = []
        var isStart = true
        for position in text.indices {
            defer { isStart = !isAlphanumeric(text[position]) && text[position] != UInt8(ascii: "_") }
            if text[position] == UInt8(ascii: "-"), text[position...].starts(with: keyHead),
                let key = privateKey(in: text[position...])
            {
                found.append(key)
            }
            guard isStart, let candidates = shapesByFirst[text[position]] else { continue }
            for shape in candidates where text[position...].starts(with: shape.prefix) {
                let rest = text[(position + shape.prefix.count)...].prefix(while: shape.isAllowed)
                let whole = text[position..<rest.endIndex]
                if shape.counts.contains(rest.count), shape.isGenuine(whole) {
                    found.append(
                        LocatedSecret(
                            match: SecretMatch(kind: shape.kind, shown: masked(whole)), range: whole.indices))
                }
            }
        }
        return found
    }

    @Sendable private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }

    // MARK: Private keys

    private static let keyHead = Array("-----BEGIN ".utf8)

    /// A key in PEM (RFC 7468) that no passphrase protects.
    private static func privateKey(in text: ArraySlice<UInt8>) -> LocatedSecret? {
        let label = text.dropFirst(keyHead.count).prefix { $0 != UInt8(ascii: "-") }.prefix(64)
        guard label.hasSuffix("PRIVATE KEY"), !label.starts(with: "ENCRYPTED".utf8),
            text[label.endIndex...].starts(with: "-----".utf8)
        else { return nil }
        let body = text[label.endIndex...].dropFirst(5)
        let data = body.prefix(64 << 10).prefix { $0 != UInt8(ascii: "-") }
        let isEncrypted = data.prefix(200).split(separator: UInt8(ascii: "\n")).contains {
            $0.starts(with: "Proc-Type:".utf8)
        }
        let count = data.count { isAlphanumeric($0) || "+/=".utf8.contains($0) }
        // The shortest keys, of elliptic curves, have more than 60 characters.
        guard !isEncrypted, count >= 60, body[data.endIndex...].starts(with: "-----END ".utf8) else {
            return nil
        }
        return LocatedSecret(
            match: SecretMatch(kind: .privateKey, shown: "\(escaped(label)) (\(count) characters)"),
            range: data.indices)
    }

    // MARK: Checksums

    /// GitHub and npm end their tokens with the CRC-32 of what stands before it, in base 62.
    @Sendable private static func hasChecksum(_ token: ArraySlice<UInt8>) -> Bool {
        let body = token.drop { $0 != UInt8(ascii: "_") }.dropFirst()
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var value = crc32(body.dropLast(6))
        var digits: [UInt8] = []
        for _ in 0..<6 {
            digits.append(alphabet[Int(value % 62)])
            value /= 62
        }
        return body.suffix(6).elementsEqual(digits.reversed())
    }

    private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
            }
        }
    }

    // MARK: Credentials in text

    /// Passwords in URLs: `scheme://name:password@host`.
    static func urlPasswords(in text: [UInt8]) -> [SecretMatch] { locatedURLPasswords(in: text).map(\.match) }

    static func locatedURLPasswords(in text: [UInt8]) -> [LocatedSecret] {
        let separator = Array("://".utf8)
        var found: [LocatedSecret] = []
        for position in text.indices where text[position] == UInt8(ascii: ":") {
            guard text[position...].starts(with: separator), position > 0, isAlphanumeric(text[position - 1])
            else {
                continue
            }
            let authority = text[(position + 3)...].prefix(1_024).prefix {
                !isSpace($0) && !"/?#\"'`\\<>".utf8.contains($0)
            }
            guard let end = authority.lastIndex(of: UInt8(ascii: "@")),
                let colon = authority[..<end].firstIndex(of: UInt8(ascii: ":"))
            else { continue }
            let password = authority[(colon + 1)..<end]
            if isSecretValue(password) {
                found.append(
                    LocatedSecret(
                        match: SecretMatch(
                            kind: .urlPassword, shown: "password \(masked(password, keeping: 0))"),
                        range: password.indices))
            }
        }
        return found
    }

    /// Whether a value is one, and does not stand for another or for none.
    static func isSecretValue(_ value: some Collection<UInt8>) -> Bool {
        let bytes = Array(value)
        guard let first = bytes.first, !"$<{%*/-".utf8.contains(first), Set(bytes.map(lowercased)) != [0x78]
        else {
            return false
        }
        let lower = String(decoding: bytes.map(lowercased), as: UTF8.self)
        return ![
            "none", "null", "true", "false", "changeme", "password", "redacted", "example", "temporary_key",
        ].contains(lower)
    }

    private static let secretNames = [
        "password", "passwd", "secret", "secret_key", "fernet_key", "api_key", "access_key", "private_key",
        "token",
    ].map { Array($0.utf8) }

    /// Whether a variable, an option or a key of this name holds a secret: its last words say so.
    static func isSecretName(_ name: some Collection<UInt8>) -> Bool {
        let lower = name.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : lowercased($0) }
        return secretNames.contains { word in
            guard lower.count >= word.count, lower.suffix(word.count).elementsEqual(word) else {
                return false
            }
            return lower.count == word.count || lower[lower.count - word.count - 1] == UInt8(ascii: "_")
        }
    }

    private static let valueOptions = [
        "--password", "--passwd", "--token", "--http-password", "--ftp-password", "--proxy-password",
        "--api-key",
        "--secret-key", "--access-key", "--client-secret",
    ].map { Array($0.utf8) }

    /// Secrets that options or assignments of a command line give: `--password VALUE`, `--token=VALUE`, `API_KEY=VALUE`.
    static func arguments(in command: [UInt8]) -> [SecretMatch] { locatedArguments(in: command).map(\.match) }

    static func locatedArguments(in command: [UInt8]) -> [LocatedSecret] {
        let words = command.split(whereSeparator: isSpace)
        var found: [LocatedSecret] = []
        for (index, word) in words.enumerated() {
            let name: ArraySlice<UInt8>
            var value: ArraySlice<UInt8>?
            if let equalSign = word.firstIndex(of: UInt8(ascii: "=")) {
                name = word[..<equalSign]
                value = word[(equalSign + 1)...]
            } else {
                name = word
                // Options as --disabled-password take no value.
                value = valueOptions.contains { word.elementsEqual($0) } ? words[(index + 1)...].first : nil
            }
            guard
                name.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }),
                isSecretName(name), let value
            else { continue }
            let whole = value.prefix { !";&|)".utf8.contains($0) }
            let plain = whole.filter { !"\"'".utf8.contains($0) }
            if plain.count >= 4, isSecretValue(plain), !plain.contains(UInt8(ascii: "$")) {
                found.append(
                    LocatedSecret(
                        match: SecretMatch(
                            kind: .password, shown: "\(escaped(name)) \(masked(plain, keeping: 0))"),
                        range: whole.startIndex..<endOfQuoted(whole, in: command)))
            }
        }
        return found
    }

    /// A value in quotation marks may have spaces: the end of it with its mark, else that of the word.
    private static func endOfQuoted(_ word: ArraySlice<UInt8>, in command: [UInt8]) -> Int {
        guard let mark = word.first, "\"'".utf8.contains(mark),
            let end = command[(word.startIndex + 1)...].firstIndex(of: mark)
        else { return word.endIndex }
        return max(end + 1, word.endIndex)
    }

    /// `key = value` and `key: value` lines whose key ends with one of the names.
    static func settings(_ names: [StaticString], in text: [UInt8], _ kind: Secret.Kind) -> [SecretMatch] {
        Lines(text).compactMap { _, line in
            let line = line.trimmed.filter { !"\"',".utf8.contains($0) }[...]
            guard let first = line.first, !"#;".utf8.contains(first) else { return nil }
            for sign in "=:".utf8 {
                guard let position = line.firstIndex(of: sign) else { continue }
                let key = line[..<position].trimmed
                let value = line[(position + 1)...].trimmed
                if names.contains(where: { key.hasSuffix($0) }), isSecretValue(value) {
                    return SecretMatch(kind: kind, shown: "\(escaped(key)) \(masked(value, keeping: 0))")
                }
            }
            return nil
        }
    }

    /// `password VALUE` in files of the form of .netrc.
    static func netrc(in text: [UInt8]) -> [SecretMatch] {
        let words = text.split(whereSeparator: isSpace)
        return zip(words, words.dropFirst()).compactMap { word, value in
            guard word.elementsEqual("password".utf8), isSecretValue(value) else { return nil }
            return SecretMatch(kind: .password, shown: "password \(masked(value, keeping: 0))")
        }
    }
}
