import COpenSSL
import OCIModel

/// Computes a digest piece by piece.
public final class Digester {
    private let context: OpaquePointer?
    private let algorithm: Digest.Algorithm

    public init(_ algorithm: Digest.Algorithm = .sha256) {
        self.algorithm = algorithm
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, algorithm == .sha256 ? EVP_sha256() : EVP_sha512(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    public func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of everything given so far. The digester takes no more after this.
    ///
    /// - Throws: `ModelError` of kind `.digest` when the library computed nothing (no memory).
    public func finish() throws(ModelError) -> Digest {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &bytes, &count)
        return try Digest(algorithm: algorithm, bytes: bytes.prefix(Int(count)))
    }

    /// The digest of bytes in memory.
    public static func digest(
        of bytes: [UInt8], _ algorithm: Digest.Algorithm = .sha256
    ) throws(ModelError) -> Digest {
        let digester = Digester(algorithm)
        digester.update(bytes)
        return try digester.finish()
    }
}
