import OCIModel

/// The bytes of the regular files that a layer has below a directory.
public struct DirectoryTotal: Sendable {
    /// The last component of the path; empty for the root.
    public let name: [UInt8]
    /// Bytes that the tree shows, those of `directories` included. Of hard links the first name counts. Sums stop at
    /// `Int64.max`.
    public let bytes: Int64
    /// Bytes of files that a later layer replaces or removes, those of `directories` included.
    public let hiddenBytes: Int64
    /// Those directly below that were kept, the largest first.
    public let directories: [DirectoryTotal]
}

extension RootFS {
    /// The root directory as each layer has it, lowest first, with the directories below it that hold most.
    ///
    /// - Parameter limit: how many directories are kept in all, beside the roots: the largest, of the layers together.
    ///   Those that are nested deeper than `maximumTotalDepth` are not.
    public func directoryTotals(layerCount: Int, limit: Int) -> [DirectoryTotal] {
        var sums = DirectorySums(self, layerCount: layerCount)
        let layers = (0..<layerCount).map { sums.largest(of: $0, limit: limit) }
        // A parent is never smaller than its child and has the smaller place: a prefix of this order is a tree.
        let kept = layers.joined().filter { $0.place != 0 && isShallow($0.place) }
            .sorted(by: DirectorySums.precedes).prefix(limit)
        var children: [DirectorySums.Key: [DirectorySums.Entry]] = [:]
        for entry in kept {
            let parent = Int(nodes[entry.place].parent)
            children[DirectorySums.Key(layer: entry.layer, place: parent), default: []].append(entry)
        }
        return layers.map { entries in
            let root = entries.first { $0.place == 0 }
            return total(
                of: root ?? DirectorySums.Entry(layer: 0, place: 0, bytes: 0, hiddenBytes: 0), children)
        }
    }

    /// Directories above a directory that is kept, the root not counted.
    public static let maximumTotalDepth = 32

    private func isShallow(_ place: Int) -> Bool {
        var place = place
        for _ in 0...RootFS.maximumTotalDepth {
            if place == 0 { return true }
            place = Int(nodes[place].parent)
        }
        return false
    }

    private func total(
        of entry: DirectorySums.Entry, _ children: [DirectorySums.Key: [DirectorySums.Entry]]
    ) -> DirectoryTotal {
        let below = children[DirectorySums.Key(layer: entry.layer, place: entry.place)] ?? []
        return DirectoryTotal(
            name: Array(names[nodes[entry.place].name]), bytes: entry.bytes, hiddenBytes: entry.hiddenBytes,
            directories: below.map { total(of: $0, children) })
    }
}

/// Adds up files by layer and directory.
private struct DirectorySums {
    struct Key: Hashable {
        let layer: Int
        let place: Int
    }

    /// A directory with all that a layer has below it.
    struct Entry {
        let layer: Int
        let place: Int
        let bytes: Int64
        let hiddenBytes: Int64

        var size: Int64 { DirectorySums.sum(bytes, hiddenBytes) }
    }

    private struct File {
        let directory: Int32
        let size: Int64
        let isHidden: Bool
    }

    private let parents: [Int32]
    private let files: [[File]]
    /// By the place of a directory; zero between two layers.
    private var shown: [Int64]
    private var hidden: [Int64]

    init(_ tree: RootFS, layerCount: Int) {
        parents = tree.nodes.map(\.parent)
        shown = Array(repeating: 0, count: parents.count)
        hidden = shown
        var files = Array(repeating: [File](), count: layerCount)
        var linked: Set<Int32> = []
        func add(_ node: Int32, _ inode: Int32, isHidden: Bool) {
            let status = tree.inodes[Int(inode)].status
            // A file with a name that is left is not hidden.
            guard status.kind == .file, status.size > 0, files.indices.contains(status.layer),
                isHidden == (status.linkCount == 0)
            else { return }
            if status.linkCount != 1, !linked.insert(inode).inserted { return }
            files[status.layer].append(
                File(directory: tree.nodes[Int(node)].parent, size: status.size, isHidden: isHidden))
        }
        for (node, record) in tree.nodes.enumerated() where record.inode >= 0 {
            add(Int32(node), record.inode, isHidden: false)
        }
        for name in tree.hidden { add(name.node, name.inode, isHidden: true) }
        self.files = files
    }

    /// The root, and the largest directories below it.
    mutating func largest(of layer: Int, limit: Int) -> [Entry] {
        for file in files[layer] {
            let place = Int(file.directory)
            if file.isHidden {
                hidden[place] = DirectorySums.sum(hidden[place], file.size)
            } else {
                shown[place] = DirectorySums.sum(shown[place], file.size)
            }
        }
        var entries: [Entry] = []
        // A directory comes after its parent.
        for place in parents.indices.reversed() where shown[place] > 0 || hidden[place] > 0 {
            entries.append(
                Entry(layer: layer, place: place, bytes: shown[place], hiddenBytes: hidden[place]))
            if place > 0 {
                let parent = Int(parents[place])
                shown[parent] = DirectorySums.sum(shown[parent], shown[place])
                hidden[parent] = DirectorySums.sum(hidden[parent], hidden[place])
            }
            (shown[place], hidden[place]) = (0, 0)
        }
        entries.sort(by: DirectorySums.precedes)
        return Array(entries.prefix(limit + 1))
    }

    /// The larger first.
    static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        left.size == right.size
            ? (left.place, left.layer) < (right.place, right.layer) : left.size > right.size
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? .max : sum
    }
}
