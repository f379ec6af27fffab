import Facts
import Glibc
import OCIModel
import RootFS
import Synchronization

/// Every path of a tree in its order, parents first, made once for all the globs of a judgement.
struct PathListing: Sendable {
    private var nodes: [Node] = []
    /// For each node, the position after the last one below it.
    private var ends: [Int] = []
    /// Where each path ends in `bytes`; it begins where the one before ends.
    private var pathEnds: [Int] = []
    private var bytes: [UInt8] = []
    /// By the node's place in the tree; -1 for names that do not exist any more.
    private var positions: [Int]

    init(_ rootfs: RootFS) {
        positions = Array(repeating: -1, count: rootfs.placeCount)
        // The nodes still to visit, the next one last, with the position of their parent.
        var pending: [(node: Node, parent: Int)] = [(rootfs.root, -1)]
        var parents: [Int] = []
        while let (node, parent) = pending.popLast() {
            let position = nodes.count
            positions[node.place] = position
            nodes.append(node)
            parents.append(parent)
            ends.append(position + 1)
            if parent > 0 {
                for index in pathEnds[parent - 1]..<pathEnds[parent] { bytes.append(bytes[index]) }
            }
            bytes.append(UInt8(ascii: "/"))
            if parent >= 0 { bytes.append(contentsOf: rootfs.name(of: node)) }
            pathEnds.append(bytes.count)
            if rootfs.status(of: node).kind == .directory {
                pending.append(contentsOf: rootfs.entries(of: node).reversed().map { ($0, position) })
            }
        }
        for position in nodes.indices.reversed() where parents[position] >= 0 {
            ends[parents[position]] = max(ends[parents[position]], ends[position])
        }
    }

    private func path(at position: Int) -> ArraySlice<UInt8> {
        bytes[(position == 0 ? 0 : pathEnds[position - 1])..<pathEnds[position]]
    }

    /// Calls `body` for a node and everything below it, with the path of each.
    func forEach(from start: Node, _ body: (Node, ArraySlice<UInt8>) -> Void) {
        let first = positions[start.place]
        guard first >= 0 else { return }
        for position in first..<ends[first] { body(nodes[position], path(at: position)) }
    }
}

/// The listing of a tree, made when it is first asked for: by one check, while others are evaluated.
final class LazyPathListing: Sendable {
    private let rootfs: RootFS
    private let listing = Mutex<PathListing?>(nil)

    init(of rootfs: RootFS) { self.rootfs = rootfs }

    var value: PathListing {
        listing.withLock { listing in
            if let listing { return listing }
            let made = PathListing(rootfs)
            listing = made
            return made
        }
    }
}

/// A glob of paths that answers the common cases without going through the pattern.
struct PathGlob {
    let glob: Glob
    /// The bytes that every match ends with.
    private let suffix: [UInt8]
    /// For `/some/directory/**`: what every match begins with, and nothing more is asked.
    private let subtree: [UInt8]?

    init(_ pattern: String) {
        glob = Glob(pattern)
        let bytes = Array(pattern.utf8)
        let special = Array("*?[]\\".utf8)
        suffix = Array(bytes.suffix(while: { !special.contains($0) }))
        let isSubtree =
            bytes.suffix(3).elementsEqual("/**".utf8) && !bytes.dropLast(2).contains(where: special.contains)
        subtree = isSubtree ? Array(bytes.dropLast(2)) : nil
    }

    func matches(_ path: ArraySlice<UInt8>) -> Bool {
        if let subtree {
            return path.count >= subtree.count && PathGlob.areEqual(path.prefix(subtree.count), subtree)
        }
        guard path.count >= suffix.count, PathGlob.areEqual(path.suffix(suffix.count), suffix) else {
            return false
        }
        return glob.matches(path)
    }

    /// Whether bytes of the same number are the same.
    private static func areEqual(_ bytes: ArraySlice<UInt8>, _ other: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            other.withUnsafeBytes { other in
                guard let first = bytes.baseAddress, let second = other.baseAddress else {
                    return bytes.isEmpty
                }
                return memcmp(first, second, other.count) == 0
            }
        }
    }
}

extension Array {
    /// The longest end whose elements all satisfy the condition.
    fileprivate func suffix(while condition: (Element) -> Bool) -> ArraySlice<Element> {
        let start = lastIndex { !condition($0) }.map { $0 + 1 } ?? startIndex
        return self[start...]
    }
}
