import CArchive
import Glibc
import OCIModel
import Synchronization

/// A layer to read, with what the manifest and the config claim of it.
public struct LayerInput: Sendable {
    public let blob: Blob
    /// The blob's digest by the manifest; nil where the transport states none.
    public let digest: Digest?
    /// The digest of the uncompressed data by the config.
    public let diffID: Digest
    /// How messages name the layer, as "layer 3 of 12 (sha256:…)".
    public let name: String

    public init(blob: Blob, digest: Digest?, diffID: Digest, name: String) {
        self.blob = blob
        self.digest = digest
        self.diffID = diffID
        self.name = name
    }
}

/// What one verified pass over a layer found.
public struct LayerSummary: Sendable {
    public let compression: Compression
    /// The blob's digest, computed.
    public let digest: Digest
    /// The digest of the uncompressed data, computed and equal to the claim.
    public let diffID: Digest
    /// Bytes of the blob.
    public let size: Int64
    /// Bytes of the uncompressed archive.
    public let uncompressedSize: Int64
    /// What is odd about it: what the archive reader warned of, data after the archive's end and the like.
    public let oddities: Oddities
}

/// Bytes of blobs read so far by a run; shown as progress.
public final class ReadProgress: Sendable {
    private let bytes = Atomic<Int64>(0)
    private let layers = Atomic<Int>(0)

    public init() {}

    public var bytesRead: Int64 { bytes.load(ordering: .relaxed) }

    /// Layers that have been read to their end.
    public var layersRead: Int { layers.load(ordering: .relaxed) }

    public func endLayer() { layers.add(1, ordering: .relaxed) }

    func add(_ count: Int) { bytes.add(Int64(count), ordering: .relaxed) }
}

/// Reads one layer: blob digest, decompression, diff ID and members, all from the same bytes. Of a layer that is not
/// compressed the members can be had ahead of the digest.
struct LayerDecoder {
    static let chunkSize = 256 << 10
    static let ringSlots = 16
    /// A layer that grows so much, and to so much, is worth a look.
    private static let oddRatio: Int64 = 100
    private static let oddRatioSize: Int64 = 64 << 20

    let input: LayerInput
    let limits: Limits
    let crew: HashCrew
    let progress: ReadProgress?

    /// Has the C library load what decoding needs of it.
    static func prepare() { UTF8Locale.use {} }

    func decode<Sink: MemberSink>(into sink: inout Sink) throws(LayerError) -> LayerSummary {
        do throws(LayerError) {
            return try UTF8Locale.use { () throws(LayerError) in try decodeUnderLocale(into: &sink) }
        } catch {
            throw error.inLayer(input.name)
        }
    }

    private func decodeUnderLocale<Sink: MemberSink>(into sink: inout Sink) throws(LayerError) -> LayerSummary
    {
        let compression = try Compression(of: input.blob)
        try compression.checkWindow(of: input.blob, limits)
        return compression == .none
            ? try decodePlain(into: &sink) : try decodeCompressed(compression, into: &sink)
    }

    private func decodePlain<Sink: MemberSink>(into sink: inout Sink) throws(LayerError) -> LayerSummary {
        let plain = stream(claimedAlgorithms, slotSize: LayerDecoder.chunkSize)
        defer { plain.abandon() }
        let result = try readMembers(
            from: PlainDecoder(input.blob), through: plain, countingProgress: true, into: &sink)
        let digests = try finish(plain)
        try verify(blobDigests: digests, plainDigests: digests)
        return summary(compression: .none, result: result)
    }

    private var claimedAlgorithms: Set<Digest.Algorithm> {
        Set([input.digest?.algorithm, input.diffID.algorithm].compactMap { $0 })
    }

    private func decodeCompressed<Sink: MemberSink>(
        _ compression: Compression, into sink: inout Sink
    ) throws(LayerError) -> LayerSummary {
        let packed = stream([input.digest?.algorithm ?? .sha256], slotSize: LayerDecoder.chunkSize / 4)
        defer { packed.abandon() }
        var position: Int64 = 0
        let blob = input.blob
        let progress = progress
        let source: ChunkSource = { () throws(LayerError) in
            let chunk = try packed.next { (slot) throws(LayerError) in try blob.read(into: slot, at: position)
            }
            position += Int64(chunk.count)
            progress?.add(chunk.count)
            return chunk
        }
        let decoder: any Decompressor =
            compression == .gzip
            ? GzipDecoder(source: source) : try FilterDecoder(compression, source: source)
        let plain = stream([input.diffID.algorithm], slotSize: LayerDecoder.chunkSize)
        defer { plain.abandon() }
        let result = try readMembers(from: decoder, through: plain, countingProgress: false, into: &sink)
        while try !source().isEmpty {}
        let blobDigests = try finish(packed)
        try verify(blobDigests: blobDigests, plainDigests: try finish(plain))
        return summary(compression: compression, digest: blobDigests[.sha256], result: result)
    }

    private func stream(_ algorithms: Set<Digest.Algorithm>, slotSize: Int) -> HashStream {
        HashStream(
            crew: crew, slotCount: LayerDecoder.ringSlots, slotSize: slotSize, algorithms: algorithms)
    }

    private func finish(_ stream: HashStream) throws(LayerError) -> [Digest.Algorithm: Digest] {
        do throws(ModelError) {
            return try stream.finish()
        } catch {
            throw LayerError(.io, error.message)
        }
    }

    // MARK: Members

    private struct Reading {
        var uncompressedSize: Int64 = 0
        var oddities = Oddities()
    }

    private func readMembers<Sink: MemberSink>(
        from decoder: any Decompressor, through plain: HashStream, countingProgress: Bool,
        into sink: inout Sink
    ) throws(LayerError) -> Reading {
        let reader = PlainReader(
            decoder: decoder, stream: plain,
            expansion: ExpansionGuard(limits, compressedSize: input.blob.size),
            progress: countingProgress ? progress : nil)
        return try readMembers(from: reader, into: &sink)
    }

    private func readMembers<Bytes: ArchiveBytes, Sink: MemberSink>(
        from reader: Bytes, into sink: inout Sink
    ) throws(LayerError) -> Reading {
        let pull = reader.pull
        var oddities = Oddities()
        // libarchive takes no bytes at all for a damaged archive; for an image it is a layer without members.
        let first = try pull()
        if !first.isEmpty {
            var pending: UnsafeRawBufferPointer? = first
            let handle = try ArchiveHandle(
                source: { () throws(LayerError) in
                    if let chunk = pending {
                        pending = nil
                        return chunk
                    }
                    return try pull()
                },
                skip: reader.skip,
                configure: { archive_read_support_format_tar($0) })
            try readMembers(of: handle, besides: reader, into: &sink, &oddities)
            // Zero blocks after the end belong to the layer and its digest; anything else there is odd.
            let end = archive_filter_bytes(handle.archive, 0)
            let rest = reader.rest(from: end)
            var trailing = LayerDecoder.trailing(in: rest, endingAt: reader.total)
            while case let chunk = try pull(), !chunk.isEmpty {
                trailing = trailing ?? LayerDecoder.trailing(in: chunk, endingAt: reader.total)
            }
            if let trailing {
                oddities.note(trailing, "after \(end) of \(reader.total) bytes")
            }
            reader.walker.finish()
            oddities.append(reader.walker.skippedTypes)
            if let disagreement = reader.walker.disagreement {
                oddities.note(.readerDisagreement, disagreement)
            }
        }
        return Reading(uncompressedSize: reader.total, oddities: oddities)
    }

    /// What follows the end of an archive: nil for zeros.
    ///
    /// - Parameter end: where `bytes` end in the uncompressed data, to tell where its blocks of 512 bytes begin.
    private static func trailing(in bytes: UnsafeRawBufferPointer, endingAt end: Int64) -> Oddity.Kind? {
        guard let first = bytes.firstIndex(where: { $0 != 0 }) else { return nil }
        let position = end - Int64(bytes.count - first)
        let magic = first - Int(position % 512) + 257
        let isHeader = magic >= 0 && magic + 5 <= bytes.count && bytes[magic...].starts(with: "ustar".utf8)
        return isHeader ? .trailingArchive : .trailingData
    }

    private func readMembers<Bytes: ArchiveBytes, Sink: MemberSink>(
        of handle: ArchiveHandle, besides reader: Bytes, into sink: inout Sink,
        _ oddities: inout Oddities
    ) throws(LayerError) {
        var index = 0
        // Of the header that was read last: libarchive does not tell it any more when the next one is damaged.
        var offset: Int64 = 0
        while true {
            var pointer: OpaquePointer?
            let step: ArchiveHandle.Step
            do throws(LayerError) {
                step = try handle.nextHeader(&pointer)
            } catch {
                throw LayerError(error.kind, "\(error.message) (member \(index + 1), after offset \(offset))")
            }
            if case .end = step { return }
            offset = archive_read_header_position(handle.archive)
            guard let pointer else { throw LayerError(.corrupt, "archive reader gave no member") }
            var member = Member(entry: pointer)
            let agreed = reader.walker.compare(member, index: index)
            member.hasUnknownType = agreed?.hasUnknownType == true
            if case .warning(let text) = step {
                oddities.note(.archiveWarning, "\(escaped(member.path)): \(text)")
            }
            guard index < limits[.entries] else { throw LayerError(.limit, limits.exceeded(.entries)) }
            let regions = member.sparseRegions
            if regions > 0 {
                guard regions <= limits[.sparseRegions] else {
                    throw LayerError(
                        .limit,
                        "\(escaped(member.path)): \(regions) regions, "
                            + limits.exceeded(.sparseRegions))
                }
                oddities.note(.sparseFile, "\(escaped(member.path)), \(member.size) bytes in all")
            }
            if try sink.begin(member, index: index) {
                do throws(LayerError) {
                    var isDelivered = false
                    if regions == 0, let agreed { isDelivered = try reader.deliver(agreed, to: &sink) }
                    while !isDelivered, let block = try handle.nextDataBlock() {
                        try sink.data(block.bytes, at: block.offset)
                    }
                } catch {
                    throw LayerError(
                        error.kind,
                        "\(error.message) (in the data of \(escaped(member.path)), member \(index + 1) at offset \(offset))"
                    )
                }
                try sink.end()
            }
            index += 1
        }
    }

    // MARK: Members ahead of the digest

    /// Whether members and digest can be had apart, since the blob is the archive itself.
    ///
    /// - Throws: `LayerError` of kind `.io`.
    func isPlain() throws(LayerError) -> Bool {
        do throws(LayerError) {
            return try Compression(of: input.blob) == .none
        } catch {
            throw error.inLayer(input.name)
        }
    }

    /// The members of a plain layer, read from headers and the data that the sink wants. What is found holds if
    /// `verifyPlain` finds the digests that are claimed.
    func membersOfPlain<Sink: MemberSink>(into sink: inout Sink) throws(LayerError) -> LayerSummary {
        do throws(LayerError) {
            return try UTF8Locale.use { () throws(LayerError) in
                let reader = SkippingReader(input.blob)
                try ExpansionGuard(limits, compressedSize: input.blob.size).check(input.blob.size)
                let result = try readMembers(from: reader, into: &sink)
                return summary(compression: .none, result: result)
            }
        } catch {
            throw error.inLayer(input.name)
        }
    }

    /// Digests all of a plain layer.
    ///
    /// - Parameter isNeeded: asked now and then; false ends it early.
    /// - Throws: `LayerError` of kind `.digestMismatch`, `.truncated` or `.io`.
    func verifyPlain(while isNeeded: () -> Bool) throws(LayerError) {
        do throws(LayerError) {
            var digests: [Digest.Algorithm: Digest] = [:]
            for algorithm in claimedAlgorithms {
                digests[algorithm] = try input.blob.digest(algorithm) { (chunk) throws(LayerError) in
                    progress?.add(chunk.count)
                    guard isNeeded() else { throw LayerError(.io, "the digest is not needed any more") }
                }
            }
            try verify(blobDigests: digests, plainDigests: digests)
        } catch {
            throw error.inLayer(input.name)
        }
    }

    // MARK: Verification

    private func verify(
        blobDigests: [Digest.Algorithm: Digest], plainDigests: [Digest.Algorithm: Digest]
    ) throws(LayerError) {
        if let claimed = input.digest, let computed = blobDigests[claimed.algorithm], computed != claimed {
            throw LayerError(
                .digestMismatch, "the blob's digest is \(computed), not \(claimed) as it is named")
        }
        guard let diffID = plainDigests[input.diffID.algorithm], diffID == input.diffID else {
            let computed = plainDigests[input.diffID.algorithm]?.description ?? "unknown"
            throw LayerError(
                .digestMismatch,
                "the uncompressed data have the digest \(computed), but the image config says \(input.diffID)"
            )
        }
    }

    /// - Parameter digest: that of the blob, where it has no name; nil when the blob is what the diff ID is of.
    private func summary(
        compression: Compression, digest: Digest? = nil, result: Reading
    ) -> LayerSummary {
        var oddities = result.oddities
        let ratio = result.uncompressedSize / max(1, input.blob.size)
        if result.uncompressedSize >= LayerDecoder.oddRatioSize, ratio >= LayerDecoder.oddRatio {
            oddities.note(.ratio, "\(input.blob.size) bytes become \(result.uncompressedSize)")
        }
        return LayerSummary(
            compression: compression, digest: input.digest ?? digest ?? input.diffID, diffID: input.diffID,
            size: input.blob.size, uncompressedSize: result.uncompressedSize, oddities: oddities)
    }
}

/// The bytes of a layer's archive on their way to libarchive.
private protocol ArchiveBytes: AnyObject {
    /// Has seen every byte that the archive reader was given.
    var walker: TarWalker { get set }
    /// Bytes so far.
    var total: Int64 { get }

    /// The next bytes; empty at the end.
    func pull() throws(LayerError) -> UnsafeRawBufferPointer

    /// What of the bytes that came last lies at or after a position in the archive.
    func rest(from position: Int64) -> UnsafeRawBufferPointer

    /// Passes over up to so many bytes that say nothing to the walker, and returns how many.
    func skip(_ count: Int64) -> Int64

    /// Gives the sink the data of a member that it wants, by another way than libarchive.
    ///
    /// - Returns: false where there is none.
    func deliver<Sink: MemberSink>(_ member: TarWalker.Reading, to sink: inout Sink) throws(LayerError)
        -> Bool
}

/// The plain bytes of a layer, chunk by chunk, digested on their way to libarchive.
private final class PlainReader: ArchiveBytes {
    private var decoder: any Decompressor
    private let stream: HashStream
    private let expansion: ExpansionGuard
    private let progress: ReadProgress?
    private(set) var total: Int64 = 0
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    var walker = TarWalker()

    init(decoder: any Decompressor, stream: HashStream, expansion: ExpansionGuard, progress: ReadProgress?) {
        self.decoder = decoder
        self.stream = stream
        self.expansion = expansion
        self.progress = progress
    }

    func pull() throws(LayerError) -> UnsafeRawBufferPointer {
        chunk = try stream.next { (slot) throws(LayerError) in try decoder.read(into: slot) }
        total += Int64(chunk.count)
        progress?.add(chunk.count)
        walker.walk(chunk)
        try expansion.check(total)
        return chunk
    }

    func rest(from position: Int64) -> UnsafeRawBufferPointer {
        chunk.suffix(endingAt: total, from: position)
    }

    func skip(_ count: Int64) -> Int64 { 0 }

    func deliver<Sink: MemberSink>(_ member: TarWalker.Reading, to sink: inout Sink) -> Bool { false }
}

/// The bytes of a plain layer without the data that nobody wants: what is passed over is not read.
private final class SkippingReader: ArchiveBytes {
    /// Most members are smaller than this: one reading gives several headers.
    private static let chunkSize = 16 << 10
    /// Bytes of data that are read at once.
    private static let pieceSize = 64 << 10
    private let blob: Blob
    private let buffer: UnsafeMutableRawBufferPointer
    private let piece: UnsafeMutableRawBufferPointer
    private(set) var total: Int64 = 0
    private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
    var walker = TarWalker()

    init(_ blob: Blob) {
        self.blob = blob
        buffer = .allocate(byteCount: SkippingReader.chunkSize, alignment: 4096)
        piece = .allocate(byteCount: SkippingReader.pieceSize, alignment: 4096)
    }

    deinit {
        buffer.deallocate()
        piece.deallocate()
    }

    func pull() throws(LayerError) -> UnsafeRawBufferPointer {
        let count = try blob.read(into: buffer, at: total)
        chunk = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
        total += Int64(count)
        walker.walk(chunk)
        return chunk
    }

    func rest(from position: Int64) -> UnsafeRawBufferPointer {
        chunk.suffix(endingAt: total, from: position)
    }

    func skip(_ count: Int64) -> Int64 {
        let passable = walker.isDone ? count : min(count, walker.skippable)
        let passed = max(0, min(passable, blob.size - total))
        guard passed > 0 else { return 0 }
        if !walker.isDone { walker.skipped(passed) }
        total += passed
        chunk = UnsafeRawBufferPointer(start: nil, count: 0)
        return passed
    }

    func deliver<Sink: MemberSink>(_ member: TarWalker.Reading, to sink: inout Sink) throws(LayerError)
        -> Bool
    {
        // What the blob does not have libarchive finds missing.
        guard let start = member.dataOffset, member.size <= blob.size - start else { return false }
        var position: Int64 = 0
        while true {
            position = max(position, sink.nextOffset)
            guard position < member.size else { return true }
            let wanted = Int(min(Int64(SkippingReader.pieceSize), member.size - position))
            let count = try blob.read(
                into: UnsafeMutableRawBufferPointer(rebasing: piece[..<wanted]), at: start + position)
            guard count == wanted else {
                throw LayerError(
                    .truncated, "\(escaped(blob.file.name)): became shorter while it was read")
            }
            try sink.data(
                UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(piece)[..<count]), at: position)
            position += Int64(count)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// What of bytes that end at one position lies at or after another.
    fileprivate func suffix(endingAt end: Int64, from position: Int64) -> UnsafeRawBufferPointer {
        let offset = Swift.min(Swift.max(0, position - (end - Int64(count))), Int64(count))
        return UnsafeRawBufferPointer(rebasing: self[Int(offset)...])
    }
}

/// libarchive converts names by the thread's locale; under the C locale it would refuse those that are not
/// ASCII.
private enum UTF8Locale {
    nonisolated(unsafe) private static let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

    static func use<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        let previous = uselocale(locale)
        defer { uselocale(previous) }
        return try body()
    }
}
