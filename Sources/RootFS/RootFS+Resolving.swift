import OCIModel

extension RootFS {
    /// Finds a path as the kernel does under `RESOLVE_IN_ROOT`, staying inside the image: `..` stops at the root,
    /// absolute link targets begin at the root.
    ///
    /// - Parameter followingFinalLink: whether a symbolic link at the end is followed (`stat`) or not (`lstat`).
    /// - Returns: nil when the path does not exist.
    public func node(at path: ImagePath, followingFinalLink: Bool = true) throws(PathError) -> Node? {
        var steps: Int64 = 0
        return try node(at: path, followingFinalLink: followingFinalLink, steps: &steps)
    }

    /// - Parameter steps: grows by the number of names that were looked at.
    func node(
        at path: ImagePath, followingFinalLink: Bool, steps: inout Int64
    ) throws(PathError) -> Node? {
        // The path still to walk, the next component last.
        var pending = Array(path.components.reversed())
        var current = Node.root
        var linksLeft = RootFS.maximumLinks
        while let component = pending.popLast() {
            steps += 1
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                current = parent(of: current)
                continue
            }
            guard kind(of: current) == .directory else { throw .notADirectory(self.path(of: current)) }
            guard let child = child(of: current, named: component) else { return nil }
            if kind(of: child) == .symbolicLink, !pending.isEmpty || followingFinalLink,
                let target = linkTarget(of: child)
            {
                linksLeft -= 1
                guard linksLeft >= 0 else { throw .tooManyLinks }
                if target.first == UInt8(ascii: "/") { current = .root }
                pending.append(contentsOf: target.split(separator: UInt8(ascii: "/")).reversed())
                continue
            }
            current = child
        }
        return current
    }

    /// Symbolic links that may lie on the way to a file, as in Linux.
    static let maximumLinks = 40

    /// The entry of a directory with that name; nil when there is none.
    public func child(of directory: Node, named name: some Collection<UInt8>) -> Node? {
        guard let child = children.find(parent: directory.index, name: names.find(name), in: nodes),
            nodes[Int(child)].inode >= 0
        else { return nil }
        return Node(index: child)
    }

    func kind(of node: Node) -> FileStatus.Kind {
        inodes[Int(nodes[Int(node.index)].inode)].status.kind
    }
}
