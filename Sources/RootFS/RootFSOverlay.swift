import LayerArchive
import OCIModel

/// Changes of a merged tree in memory, for the question what a check would say of another image. The tree that it
/// was made of stays as it is.
///
/// Every change is ascribed to a layer of the image, lowest 0, so that it does not look like one more layer. A
/// change that is ascribed to a layer hides what layers above it did to the same file.
public struct RootFSOverlay: Sendable {
    private var merger: LayerMerger

    public init(_ tree: RootFS) { merger = LayerMerger(from: tree) }

    /// The tree with the changes so far.
    public var tree: RootFS { merger.tree }

    /// Puts a file, directory or link in the place of whatever is there; directories above it that are missing are
    /// made, 0755 and of root. A directory keeps what is below it.
    ///
    /// - Parameters:
    ///   - permissions: mode bits 07777.
    ///   - content: of a file, or the target of a symbolic link; nothing else has any.
    public mutating func write(
        _ path: ImagePath, kind: FileStatus.Kind, permissions: UInt16, uid: Int64, gid: Int64,
        content: [UInt8], layer: Int
    ) {
        let isFile = kind == .file
        var table = EntryTable()
        table.append(
            path: path.bytes.dropFirst(), kind: EntryKind(kind), permissions: permissions, uid: uid, gid: gid,
            size: isFile ? Int64(content.count) : 0, linkTarget: kind == .symbolicLink ? content : [],
            contents: isFile ? content : nil)
        merger.apply(table, index: layer)
    }

    /// Removes what is at the path, a symbolic link itself, with everything below it.
    public mutating func remove(_ path: ImagePath, layer: Int) {
        guard let name = path.name else { return }
        var table = EntryTable()
        table.append(
            path: path.parent.appending(Array(".wh.".utf8) + name).bytes.dropFirst(), kind: .file,
            permissions: 0)
        merger.apply(table, index: layer)
    }

    /// Gives what is at the path other metadata; a symbolic link at its end is not followed. Nothing happens where
    /// nothing is.
    public mutating func change(_ path: ImagePath, layer: Int, _ body: (inout FileStatus) -> Void) {
        guard let node = try? tree.node(at: path, followingFinalLink: false) else { return }
        merger.change(node, layer: layer, body)
    }
}

extension EntryKind {
    fileprivate init(_ kind: FileStatus.Kind) {
        switch kind {
        case .file: self = .file
        case .directory: self = .directory
        case .symbolicLink: self = .symbolicLink
        case .characterDevice: self = .characterDevice
        case .blockDevice: self = .blockDevice
        case .fifo: self = .fifo
        case .socket: self = .socket
        }
    }
}
