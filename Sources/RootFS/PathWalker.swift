import OCIModel

/// Resolves paths in a tree as the kernel does under `RESOLVE_IN_ROOT`: nothing leads out of the image.
struct PathWalker {
    let tree: RootFS
    private var linksLeft = 40

    init(tree: RootFS) { self.tree = tree }

    mutating func resolve(_ path: ImagePath, followingFinalLink: Bool) throws(PathError) -> Node? {
        // The path still to walk, the next component last.
        var pending = Array(path.components.reversed())
        var current = Node.root
        while let component = pending.popLast() {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                current = tree.parent(of: current)
                continue
            }
            guard tree.status(of: current).kind == .directory else {
                throw .notADirectory(tree.path(of: current))
            }
            guard let child = tree.child(of: current, named: component) else { return nil }
            if tree.status(of: child).kind == .symbolicLink, !pending.isEmpty || followingFinalLink,
                let target = tree.linkTarget(of: child)
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
}

extension RootFS {
    /// The entry of a directory with that name; nil when there is none.
    public func child(of directory: Node, named name: some Collection<UInt8>) -> Node? {
        guard let child = children.find(parent: directory.index, name: names.find(name), in: nodes),
            nodes[Int(child)].inode >= 0
        else { return nil }
        return Node(index: child)
    }
}
