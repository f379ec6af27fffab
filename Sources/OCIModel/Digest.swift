/// A content digest, `algorithm:encoded` (OCI image-spec, "Descriptor", section "Digests").
///
/// Parsing is strict, because digests become file names and are compared as identities: only the registered
/// algorithms, only lower-case hexadecimal digits, only the exact length.
public struct Digest: Hashable, Sendable {
    public enum Algorithm: String, Sendable, CaseIterable {
        case sha256
        case sha512

        /// Length of the encoded part, in hexadecimal digits.
        public var encodedLength: Int {
            switch self {
            case .sha256: 64
            case .sha512: 128
            }
        }
    }

    public let algorithm: Algorithm
    /// Lower-case hexadecimal digits, `algorithm.encodedLength` of them.
    public let encoded: String

    /// Parses `algorithm:encoded`.
    ///
    /// - Throws: `ModelError` of kind `.digest` when `text` is not a registered algorithm, a colon and that
    ///   algorithm's number of lower-case hexadecimal digits.
    public init(parsing text: String) throws(ModelError) {
        let parts = text.utf8.split(
            separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let algorithm = Algorithm(rawValue: String(parts[0]) ?? "") else {
            throw ModelError(
                .digest, "\(quoted(text)) is not a digest: expected sha256:<64 hexadecimal digits>")
        }
        try self.init(algorithm: algorithm, encoded: String(parts[1]) ?? "")
    }

    /// - Throws: `ModelError` of kind `.digest` when `encoded` is not exactly the algorithm's number of
    ///   lower-case hexadecimal digits.
    public init(algorithm: Algorithm, encoded: String) throws(ModelError) {
        let isHexadecimal = encoded.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        guard encoded.utf8.count == algorithm.encodedLength, isHexadecimal else {
            throw ModelError(
                .digest,
                "\(quoted("\(algorithm.rawValue):\(encoded)")) is not a digest: expected "
                    + "\(algorithm.encodedLength) lower-case hexadecimal digits after \(algorithm.rawValue):")
        }
        self.algorithm = algorithm
        self.encoded = encoded
    }

    /// The digest of raw hash bytes.
    ///
    /// - Throws: `ModelError` of kind `.digest` when the number of bytes is not the algorithm's.
    public init(algorithm: Algorithm, bytes: some Sequence<UInt8>) throws(ModelError) {
        let digits = Array("0123456789abcdef".utf8)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(algorithm.encodedLength)
        for byte in bytes {
            encoded.append(digits[Int(byte >> 4)])
            encoded.append(digits[Int(byte & 15)])
        }
        try self.init(algorithm: algorithm, encoded: String(decoding: encoded, as: UTF8.self))
    }

    /// The first twelve digits, as container tools abbreviate an identity.
    public var short: String { String(encoded.prefix(12)) }
}

extension Digest: CustomStringConvertible {
    public var description: String { "\(algorithm.rawValue):\(encoded)" }
}
