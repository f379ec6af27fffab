import Glibc
import LayerArchive
import OCIModel

/// Why a root file system could not be written to disk.
public struct UnpackError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, where, and what to do about it, in one line.
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// Writes the merged tree to disk.
///
/// The tree decides what is written where, so no member's name is ever followed on the disk: directories are
/// made from the tree first, then each layer's surviving files are written into them, and links and metadata
/// come last. Everything happens below one directory descriptor, without following links.
public struct RootFSWriter: Sendable {
    /// Whether owners, devices and privileged attributes are set, which takes root; without, everything
    /// belongs to the caller and devices are left out.
    public var preservesOwners: Bool

    public init(preservesOwners: Bool) { self.preservesOwners = preservesOwners }

    /// What was written, and what was left out.
    public struct Report: Sendable {
        public var entries = 0
        /// What was left out, one line each: devices for want of privilege, attributes that the file system does
        /// not have.
        public var omitted: [String] = []
    }

    /// Unpacks a tree.
    ///
    /// - Parameters:
    ///   - layers: the layers the tree was merged from; they are read, and verified, once more.
    ///   - directory: must not exist, or be empty. Appears under its name only when everything is written.
    /// - Throws: `UnpackError` or `LayerError`, also when the task is cancelled; nothing is left then.
    public func write(
        _ tree: RootFS, layers: [LayerInput], to directory: String, limits: Limits = Limits(),
        progress: ReadProgress? = nil
    ) async throws -> Report {
        let target = try UnpackTarget(final: directory)
        do {
            var report = Report()
            let plan = UnpackPlan(tree)
            for node in plan.directories { try target.makeDirectory(tree.path(of: node)) }
            _ = try await withTaskCancellationHandler {
                try await LayerReader.read(
                    layers, limits: limits, confinedTo: target.root, progress: progress
                ) { layer in
                    FileSink(plan: plan.files[layer] ?? [:], target: target, preservesOwners: preservesOwners)
                }
            } onCancel: {
                target.interrupt()
            }
            for node in plan.specials where try !writeSpecial(node, of: tree, in: target) {
                report.omitted.append("\(tree.path(of: node)): a device, which takes root")
            }
            for (name, first) in plan.hardLinks { try target.link(first, to: name) }
            for node in plan.directories.reversed() {
                let metadata = FileMetadata(node, of: tree)
                try target.apply(metadata, to: tree.path(of: node), preservesOwners: preservesOwners)
            }
            report.entries = tree.count
            report.omitted += target.omittedAttributes
            try target.commit()
            return report
        } catch {
            target.discard()
            throw error
        }
    }

    /// - Returns: false when the entry was left out.
    private func writeSpecial(_ node: Node, of tree: RootFS, in target: UnpackTarget) throws -> Bool {
        let status = tree.status(of: node)
        let path = tree.path(of: node)
        switch status.kind {
        case .symbolicLink:
            try target.makeSymbolicLink(path, to: tree.linkTarget(of: node) ?? [])
        case .fifo, .socket:
            try target.makeNode(path, mode: status.kind == .fifo ? S_IFIFO : S_IFSOCK, device: 0)
        case .characterDevice, .blockDevice:
            guard preservesOwners else { return false }
            try target.makeNode(
                path, mode: status.kind == .blockDevice ? S_IFBLK : S_IFCHR,
                device: makeDevice(status.deviceMajor, status.deviceMinor))
        case .file, .directory: return true
        }
        try target.apply(FileMetadata(node, of: tree), to: path, preservesOwners: preservesOwners)
        return true
    }

    /// `makedev` of <sys/sysmacros.h>, which is a macro and does not come over.
    private func makeDevice(_ major: UInt32, _ minor: UInt32) -> dev_t {
        let major = UInt64(major)
        let minor = UInt64(minor)
        return dev_t(
            (major & 0xFFFF_F000) << 32 | (major & 0xFFF) << 8 | (minor & 0xFFFF_FF00) << 12 | minor & 0xFF)
    }
}

/// Who writes what: each file by the layer that has its content, every other entry from the tree.
private struct UnpackPlan: Sendable {
    var directories: [Node] = []
    var specials: [Node] = []
    var hardLinks: [(name: ImagePath, first: ImagePath)] = []
    /// By layer and position of the member in it.
    var files: [Int: [Int: FileMetadata]] = [:]

    init(_ tree: RootFS) {
        var firstNames: [Int64: ImagePath] = [:]
        tree.forEachDescendant(of: tree.root) { node in
            let status = tree.status(of: node)
            if status.kind == .directory { return directories.append(node) }
            guard let member = tree.member(of: node) else { return }
            let path = tree.path(of: node)
            if status.linkCount > 1 {
                let identity = Int64(member.layer) << 32 | Int64(member.entry)
                if let first = firstNames[identity] { return hardLinks.append((path, first)) }
                firstNames[identity] = path
            }
            if status.kind == .file {
                files[member.layer, default: [:]][member.entry] = FileMetadata(node, of: tree)
            } else {
                specials.append(node)
            }
        }
    }
}

/// Writes the files of one layer that are still there in the merged tree.
private struct FileSink: MemberSink {
    let plan: [Int: FileMetadata]
    let target: UnpackTarget
    let preservesOwners: Bool
    private var current: OpenFile?
    /// The size of what becomes a hole: a block of most file systems.
    private static let holeSize = 4_096

    private struct OpenFile {
        let metadata: FileMetadata
        let descriptor: Int32
        /// Where the data end that came so far, in bytes. What lies before may have been written.
        var dataEnd: Int64 = 0
        /// Bytes that the file has on the disk.
        var size: Int64 = 0
    }

    init(plan: [Int: FileMetadata], target: UnpackTarget, preservesOwners: Bool) {
        self.plan = plan
        self.target = target
        self.preservesOwners = preservesOwners
    }

    mutating func begin(_ member: Member, index: Int) throws(LayerError) -> Bool {
        guard let metadata = plan[index] else { return false }
        do throws(UnpackError) {
            current = OpenFile(metadata: metadata, descriptor: try target.makeFile(metadata))
        } catch {
            throw LayerError(.io, error.message)
        }
        return true
    }

    /// Blocks of zeros, or what has come of them, are not written: what a file does not have reads as zeros, and takes
    /// neither time nor disk.
    mutating func data(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(LayerError) {
        guard let file = current else { return }
        // The thread is the reader's: it knows nothing of the task.
        guard !target.isInterrupted else { throw LayerError(.io, "unpacking was interrupted") }
        guard offset >= 0, offset <= Int64.max - Int64(bytes.count) else {
            throw LayerError(.corrupt, "\(file.metadata.path) has data where no file has any")
        }
        var start = 0
        var position = 0
        while position < bytes.count {
            let place = offset + Int64(position)
            let rest = FileSink.holeSize - Int(place % Int64(FileSink.holeSize))
            let end = min(bytes.count, position + rest)
            let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
            if place >= file.dataEnd, piece.isZero {
                try write(bytes[start..<position], at: offset)
                start = end
            }
            position = end
        }
        try write(bytes[start...], at: offset)
        current?.dataEnd = max(file.dataEnd, offset + Int64(bytes.count))
    }

    /// - Parameter offset: where the bytes lie in the file of which these are a part.
    private mutating func write(
        _ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int64
    ) throws(LayerError) {
        guard let file = current, !bytes.isEmpty else { return }
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let count = pwrite(
                file.descriptor, bytes.base.baseAddress?.advanced(by: position), bytes.endIndex - position,
                off_t(offset) + off_t(position))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw LayerError(
                    .io, "cannot write \(file.metadata.path): \(String(cString: strerror(errno)))")
            }
            position += count
        }
        current?.size = max(file.size, offset + Int64(position))
    }

    mutating func end() throws(LayerError) {
        guard let file = current else { return }
        current = nil
        defer { close(file.descriptor) }
        do throws(UnpackError) {
            try target.finishFile(
                file.descriptor, size: file.size, file.metadata, preservesOwners: preservesOwners)
        } catch {
            throw LayerError(.io, error.message)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether there is nothing but zeros: the first byte is one, and every other equals the one before.
    fileprivate var isZero: Bool {
        guard let start = baseAddress, first == 0 else { return isEmpty }
        return memcmp(start, start + 1, count - 1) == 0
    }
}
