import Glibc
import LayerArchive
import OCIModel

/// Writes images as `docker save` does from version 25 on: an archive that docker and podman load.
public enum DockerArchiveWriter {
    /// Writes an image into an open file, each layer verified while it is copied.
    ///
    /// - Parameters:
    ///   - tag: the name that the image has in the archive, with its tag.
    ///   - descriptor: stays the caller's, and stands at the beginning of the archive afterwards.
    /// - Throws: `ImageSourceError` of kind `.untrustworthy` when a layer is not what its digest says, or `.io`.
    public static func write(_ image: Image, tag: String, to descriptor: Int32) throws(ImageSourceError) {
        do throws(LayerError) {
            var names: [String] = []
            for (number, layer) in image.layers.enumerated() {
                let claimed = layer.digest ?? layer.diffID
                let name = "blobs/\(claimed.algorithm.rawValue)/\(claimed.encoded)"
                if !names.contains(name) {
                    try append(header(of: name, size: layer.blob.size), to: descriptor)
                    let digest = try layer.blob.copy(to: descriptor, algorithm: claimed.algorithm)
                    // Without a manifest only the diff ID vouches for a layer, if that is not compressed.
                    let compression = try Compression(of: layer.blob)
                    guard digest == claimed || layer.digest == nil && compression != .none else {
                        throw LayerError(
                            .corrupt,
                            "layer \(number + 1) has the digest \(digest), not \(claimed) as it is named")
                    }
                    try append(padding(after: layer.blob.size), to: descriptor)
                }
                names.append(name)
            }
            let config = "blobs/\(image.configDigest.algorithm.rawValue)/\(image.configDigest.encoded)"
            try write(image.config.raw, as: config, to: descriptor)
            let manifest = JSON.array([
                .object([
                    .init("Config", .string(config)), .init("RepoTags", .array([.string(tag)])),
                    .init("Layers", .array(names.map(JSON.string))),
                ])
            ])
            try write(manifest.serialized, as: "manifest.json", to: descriptor)
            try append([UInt8](repeating: 0, count: 1024), to: descriptor)
        } catch {
            throw ImageSourceError(error)
        }
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw ImageSourceError(.io, "temporary file: \(String(cString: strerror(errno)))")
        }
    }

    private static func write(_ bytes: [UInt8], as name: String, to descriptor: Int32) throws(LayerError) {
        let size = Int64(bytes.count)
        for part in [header(of: name, size: size), bytes, padding(after: size)] {
            try append(part, to: descriptor)
        }
    }

    private static func append(_ bytes: [UInt8], to descriptor: Int32) throws(LayerError) {
        let failure = bytes.withUnsafeBytes { buffer -> LayerError? in
            do throws(LayerError) {
                try Spool.write(buffer, to: descriptor)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private static func padding(after size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((512 - size % 512) % 512))
    }

    /// A member's header as POSIX.1-1988 has it (ustar), with sizes beyond 8 GiB in base 256 as GNU tar writes them.
    static func header(of name: String, size: Int64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at offset: Int) {
            block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        func octal(_ value: Int64, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
        }
        put(Array(name.utf8.prefix(100)), at: 0)
        put(octal(0o644, digits: 7), at: 100)
        for field in [108, 116] { put(octal(0, digits: 7), at: field) }
        if size < 1 << 33 {
            put(octal(size, digits: 11), at: 124)
        } else {
            put(
                [0x80] + (0..<11).reversed().map { UInt8(truncatingIfNeeded: $0 < 8 ? size >> ($0 * 8) : 0) },
                at: 124)
        }
        put(octal(0, digits: 11), at: 136)
        put(Array("        0".utf8), at: 148)
        put(Array("ustar\u{0}00".utf8), at: 257)
        let sum = block.reduce(0) { $0 + Int64($1) }
        put(octal(sum, digits: 6) + [0, 0x20], at: 148)
        return block
    }
}
