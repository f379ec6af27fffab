import LayerArchive
import OCIModel

/// The merged root file system of an image: one immutable tree, made of the layers' members by the rules of
/// the OCI image-spec ("Applying Changesets", "Whiteouts").
///
/// Names and inodes are apart, as in a file system, so that hard links share one inode. A removed name stays in
/// the tree, marked with the layer that removed it: that is the provenance of an absence.
public struct RootFS: Sendable {
    struct NameRecord: Sendable {
        var parent: Int32
        var name: Int32
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
        /// -1 when the name does not exist (any more).
        var inode: Int32 = -1
        /// The layer that removed the name; -1 when none has.
        var removedBy: Int32 = -1
    }

    struct Inode: Sendable {
        var status: FileStatus
        /// Position of the member in its layer; -1 for a directory that no member declares.
        var entry: Int32
    }

    var nodes: ContiguousArray<NameRecord> = []
    var inodes: ContiguousArray<Inode> = []
    var names = NameTable()
    var children = ChildTable()
    var linkTargets: [Int32: [UInt8]] = [:]
    var attributes: [Int32: [ExtendedAttribute]] = [:]
    var keptContents: [Int32: [UInt8]] = [:]
    var keptVersions: [ImagePath: [ContentVersion]] = [:]
    var linkages: [Int32: Linkage] = [:]
    var hidden: ContiguousArray<HiddenName> = []

    /// Oddities met while merging. The tree is what a runtime would make of the layers; they say that it was odd.
    public internal(set) var oddities = Oddities()
    /// Whether merging was given up, since it took more steps than its limit: nothing may be judged by the tree then.
    public internal(set) var isIncomplete = false
    /// What the run keeps of contents.
    public internal(set) var plan = ContentPlan()
    /// Bytes of each layer that a later layer hides or removes.
    public internal(set) var wastedBytes: [Int64] = []

    /// The content of a path as one layer had it.
    public struct ContentVersion: Sendable {
        /// Position of the layer, lowest 0.
        public let layer: Int
        public let bytes: [UInt8]
    }

    public var root: Node { .root }
}

// MARK: - Reading

extension RootFS {
    /// As `node(at:followingFinalLink:)`, with the status of what was found.
    public func status(at path: ImagePath, followingFinalLink: Bool = true) throws(PathError) -> FileStatus? {
        try node(at: path, followingFinalLink: followingFinalLink).map { status(of: $0) }
    }

    public func status(of node: Node) -> FileStatus {
        inodes[Int(nodes[Int(node.index)].inode)].status
    }

    /// The target of a symbolic link as written; nil for anything else.
    public func linkTarget(of node: Node) -> [UInt8]? { linkTargets[nodes[Int(node.index)].inode] }

    public func extendedAttributes(of node: Node) -> [ExtendedAttribute] {
        attributes[nodes[Int(node.index)].inode] ?? []
    }

    /// The content of a regular file, if the plan of the run kept it.
    public func contents(of node: Node) -> [UInt8]? { keptContents[nodes[Int(node.index)].inode] }

    /// What a regular file tells the dynamic linker; nil when the plan of the run did not ask for it.
    public func linkage(of node: Node) -> Linkage? { linkages[nodes[Int(node.index)].inode] }

    /// The content of a path in every layer that wrote it, lowest first, if the plan asked for its versions.
    public func versions(of path: ImagePath) -> [ContentVersion] { keptVersions[path] ?? [] }

    public func name(of node: Node) -> ArraySlice<UInt8> { names[nodes[Int(node.index)].name] }

    public func parent(of node: Node) -> Node { Node(index: nodes[Int(node.index)].parent) }

    public func path(of node: Node) -> ImagePath {
        var components: [ArraySlice<UInt8>] = []
        var current = node
        while current != .root {
            components.append(name(of: current))
            current = parent(of: current)
        }
        return ImagePath(components.reversed().joined(separator: [UInt8(ascii: "/")]))
    }

    /// The entries of a directory, in the order of their bytes.
    public func entries(of directory: Node) -> [Node] {
        var result: [Node] = []
        var child = nodes[Int(directory.index)].firstChild
        while child >= 0 {
            if nodes[Int(child)].inode >= 0 { result.append(Node(index: child)) }
            child = nodes[Int(child)].nextSibling
        }
        return result.sorted { name(of: $0).lexicographicallyPrecedes(name(of: $1)) }
    }

    /// The names that a directory had and has no more, with the layer that removed each (lowest 0), in the order
    /// of their bytes.
    public func removedEntries(of directory: Node) -> [(name: ArraySlice<UInt8>, layer: Int)] {
        var result: [(name: ArraySlice<UInt8>, layer: Int)] = []
        var child = nodes[Int(directory.index)].firstChild
        while child >= 0 {
            let record = nodes[Int(child)]
            if record.inode < 0, record.removedBy >= 0 {
                result.append((names[record.name], Int(record.removedBy)))
            }
            child = record.nextSibling
        }
        return result.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// Visits a node and everything below it, parents first, siblings in the order of their bytes. Links are
    /// not followed. Iterative: no depth of nesting exhausts the stack.
    public func forEachDescendant(of node: Node, _ body: (Node) throws -> Void) rethrows {
        var pending = [node]
        while let next = pending.popLast() {
            try body(next)
            if status(of: next).kind == .directory {
                pending.append(contentsOf: entries(of: next).reversed())
            }
        }
    }

    /// Number of names in the tree, the root included.
    public var count: Int { nodes.count { $0.inode >= 0 } }

    /// One more than the largest `Node.place`.
    public var placeCount: Int { nodes.count }

    /// Whether two names are one file.
    public func isSameFile(_ left: Node, _ right: Node) -> Bool {
        nodes[Int(left.index)].inode == nodes[Int(right.index)].inode
    }

    /// The file's member: layer and position in it; nil for a directory that no member declares.
    public func member(of node: Node) -> (layer: Int, entry: Int)? {
        let inode = inodes[Int(nodes[Int(node.index)].inode)]
        return inode.entry < 0 ? nil : (inode.status.layer, Int(inode.entry))
    }

    /// The layer that removed `path`, or the nearest directory above it, if one did; lowest layer is 0.
    public func layerThatRemoved(_ path: ImagePath) -> Int? {
        var node = Node.root
        var removedBy: Int32 = -1
        for component in path.components {
            guard let child = children.find(parent: node.index, name: names.find(component), in: nodes) else {
                break
            }
            if nodes[Int(child)].removedBy >= 0, nodes[Int(child)].inode < 0 {
                removedBy = nodes[Int(child)].removedBy
            }
            node = Node(index: child)
        }
        return removedBy < 0 ? nil : Int(removedBy)
    }
}
