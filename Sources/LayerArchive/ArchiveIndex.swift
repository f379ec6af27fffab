import OCIModel

/// Where the members of an uncompressed tar file lie, so that they can be read in place: the outer file of a
/// `docker save` or of an OCI archive.
public struct ArchiveIndex: Sendable {
    private enum Place: Sendable {
        case data(offset: Int64, size: Int64)
        /// The name of another member, seen from the root of the archive.
        case link(ImagePath)
        case other
    }

    private let file: RandomAccessFile
    private var places: [ImagePath: Place] = [:]
    /// Names that occur more than once. Readers differ in which of the two they take.
    public private(set) var duplicates: Set<ImagePath> = []

    /// Reads the headers of a tar file; data are skipped, not read.
    ///
    /// - Throws: `LayerError` of kind `.notTar`, `.truncated`, `.corrupt`, `.limit` or `.io`.
    public init(of file: RandomAccessFile, limits: Limits = Limits()) throws(LayerError) {
        self.file = file
        do throws(LayerError) {
            try readHeaders(limits)
        } catch {
            throw LayerError(error.kind, "\(escaped(file.name)): \(error.message)")
        }
    }

    private mutating func readHeaders(_ limits: Limits) throws(LayerError) {
        guard file.size > 0 else { throw LayerError(.truncated, "the file is empty") }
        let file = file
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 512)
        defer { buffer.deallocate() }
        var walker = TarWalker()
        var position: Int64 = 0
        var count = 0
        while !walker.isDone {
            let skipped = min(walker.skippable, file.size - position)
            walker.skipped(skipped)
            position += skipped
            let length = try file.read(into: buffer, at: position)
            guard length > 0 else { break }
            walker.walk(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<length]))
            position += Int64(length)
            for member in walker.takeMembers() {
                count += 1
                guard count <= limits[.archiveMembers] else {
                    throw LayerError(.limit, limits.exceeded(.archiveMembers))
                }
                guard max(member.path.count, member.linkTarget.count) <= limits[.pathLength] else {
                    throw LayerError(
                        .limit, "the name of member \(count) has \(limits.exceeded(.pathLength))")
                }
                try add(member)
            }
        }
        // What one reader takes for a member and another does not is nothing to judge an image by.
        if let problem = walker.problem ?? walker.disagreement {
            throw count == 0
                ? LayerError(.notTar, "not a tar archive")
                : LayerError(.corrupt, "\(problem) (after member \(count))")
        }
        guard walker.isBetweenMembers else {
            throw LayerError(.truncated, "the archive ends within a header (after member \(count))")
        }
    }

    private mutating func add(_ member: TarWalker.Reading) throws(LayerError) {
        let path = ImagePath(member.path)
        let place: Place
        switch member.kind {
        case .file:
            guard let offset = member.dataOffset else {
                place = .other
                break
            }
            guard member.size <= file.size - offset else {
                throw LayerError(
                    .truncated, "\(path) ends after \(max(0, file.size - offset)) of \(member.size) bytes")
            }
            place = .data(offset: offset, size: member.size)
        case .hardLink: place = .link(ImagePath(member.linkTarget))
        case .symbolicLink:
            let target = member.linkTarget
            // A link with an absolute target leads out of the archive: there is nothing to resolve it against.
            place = target.first == UInt8(ascii: "/") ? .other : .link(path.parent.appending(target))
        default: place = .other
        }
        if places.updateValue(place, forKey: path) != nil, member.kind != .directory {
            duplicates.insert(path)
        }
    }

    /// The data of a member, its links followed; nil when there is no such member or it is not a file.
    public func blob(at path: ImagePath) -> Blob? {
        var path = path
        for _ in 0..<40 {
            switch places[path] {
            case .data(let offset, let size): return Blob(file: file, offset: offset, size: size)
            case .link(let target): path = target
            case .other, nil: return nil
            }
        }
        return nil
    }
}
