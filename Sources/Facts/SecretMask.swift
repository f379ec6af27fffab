import OCIModel

/// Takes secrets out of what a report shows. What is a secret is told as `SecretFacts` tells it: by shapes, by URLs
/// with a password, by options and assignments, and by the names of variables, labels and parameters.
public struct SecretMask: Sendable {
    /// What stands for a secret.
    public static let replacement = "***"

    /// Values of the names that tell a secret, escaped as reports show them.
    private let values: [String: String]
    /// Those that cannot be a part of ordinary words, and are taken out wherever they stand.
    private let unmistakable: [String]

    /// - Parameter named: variables, labels and parameters with their values; not escaped.
    public init(named: [(name: String, value: String)]) {
        var values: [String: String] = [:]
        for (name, value) in named where SecretMask.isSecret(name: name, value: value) {
            values[name] = escaped(value)
        }
        self.values = values
        unmistakable = Set(values.values).filter(SecretMask.isUnmistakable).sorted {
            $0.utf8.count > $1.utf8.count
        }
    }

    /// The text with `replacement` for every secret in it.
    public func masking(_ text: String) -> String {
        var text = text
        for value in unmistakable where text.contains(value) {
            text = text.replacing(value, with: SecretMask.replacement)
        }
        let bytes = Array(text.utf8)
        let found =
            SecretPatterns.locatedTokens(in: bytes) + SecretPatterns.locatedURLPasswords(in: bytes)
            + SecretPatterns.locatedArguments(in: bytes)
        if found.isEmpty { return text }
        var masked: [UInt8] = []
        var end = 0
        for range in found.map(\.range).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound >= end {
                masked += bytes[end..<range.lowerBound]
                masked += SecretMask.replacement.utf8
            }
            end = max(end, range.upperBound)
        }
        masked += bytes[end...]
        return String(decoding: masked, as: UTF8.self)
    }

    /// The same for a text about what has this name: its value is taken out also where it looks like an ordinary word.
    public func masking(_ text: String, of name: String) -> String {
        guard let value = values[name], !value.isEmpty else { return masking(text) }
        return masking(text.replacing(value, with: SecretMask.replacement))
    }

    private static func isSecret(name: String, value: String) -> Bool {
        SecretPatterns.isSecretName(name.utf8) && SecretPatterns.isSecretValue(value.utf8)
    }

    /// "airflow" is a password of many examples, and half of every path.
    private static func isUnmistakable(_ value: String) -> Bool {
        let bytes = value.utf8
        return bytes.count >= 8 && !bytes.contains(UInt8(ascii: "/")) && bytes.contains(where: isDigit)
            && bytes.contains(where: isLetter)
    }
}
