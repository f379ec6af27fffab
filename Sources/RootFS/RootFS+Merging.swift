import LayerArchive
import OCIModel

extension RootFS {
    /// Merges layers, lowest first, by the rules of the image-spec.
    ///
    /// A layer's whiteouts act on what lies below it, never on its own members, wherever they stand in the
    /// archive. Parents of a member are resolved inside the image, as runtimes do when they unpack.
    ///
    /// - Parameters:
    ///   - plan: which contents keep a version for each layer.
    ///   - limits: of these `mergeSteps`; beyond it the tree is `isIncomplete`.
    public static func merging(
        _ layers: [EntryTable], plan: ContentPlan = ContentPlan(), limits: Limits = Limits()
    ) -> RootFS {
        var merger = LayerMerger(plan: plan, maximumSteps: limits[.mergeSteps])
        for (index, layer) in layers.enumerated() { merger.apply(layer, index: index) }
        merger.noteLinkLoops()
        return merger.tree
    }
}

/// Applies layers one after another to a growing tree.
struct LayerMerger {
    private(set) var tree = RootFS()
    private let plan: ContentPlan
    private var layer = 0
    /// The directory of the member before: archives list a directory's members together.
    private var lastParent: (name: ArraySlice<UInt8>, node: Node)?
    /// Names looked at so far. Links that lead through links, and names that come and go, can make it grow by
    /// thousands with each member.
    private var steps: Int64 = 0
    private let maximumSteps: Int64
    /// Directories of which a whiteout of the present layer has removed everything.
    private var emptied: Set<Int32> = []

    /// Goes on from a tree that is already merged. What has versions keeps them.
    init(from tree: RootFS) {
        self.tree = tree
        plan = ContentPlan()
        maximumSteps = .max
    }

    init(plan: ContentPlan, maximumSteps: Int64) {
        self.plan = plan
        self.maximumSteps = maximumSteps
        tree.plan = plan
        tree.nodes.append(RootFS.NameRecord(parent: 0, name: tree.names.intern([])))
        tree.nodes[0].inode = newInode(.impliedDirectory(layer: 0), entry: -1)
    }

    mutating func apply(_ table: EntryTable, index: Int) {
        layer = index
        lastParent = nil
        emptied = []
        while tree.wastedBytes.count <= index { tree.wastedBytes.append(0) }
        var whiteouts: [Int] = []
        for member in 0..<table.count where isWhiteout(table, member) { whiteouts.append(member) }
        for member in whiteouts where hasSteps() {
            noteOddWhiteout(table, member)
            applyWhiteout(Array(table.path(at: member)))
        }
        noteWhiteoutOrder(table, whiteouts)
        lastParent = nil
        var next = whiteouts.makeIterator()
        var skipped = next.next()
        for member in 0..<table.count where hasSteps() {
            if member == skipped {
                skipped = next.next()
            } else {
                add(table, member)
            }
        }
    }

    /// Whether there may be more steps.
    private mutating func hasSteps() -> Bool {
        steps += 1
        if steps > maximumSteps { tree.isIncomplete = true }
        return !tree.isIncomplete
    }

    /// Notes symbolic links that lead in a circle, on whose way no member lies.
    mutating func noteLinkLoops() {
        for index in tree.nodes.indices {
            let inode = tree.nodes[index].inode
            guard inode >= 0, tree.inodes[Int(inode)].status.kind == .symbolicLink else { continue }
            guard hasSteps() else { return }
            let path = tree.path(of: Node(index: Int32(index)))
            do throws(PathError) {
                _ = try tree.node(at: path, followingFinalLink: true, steps: &steps)
            } catch {
                guard error == .tooManyLinks else { continue }
                tree.oddities.note(
                    .linkLoop, layer: tree.inodes[Int(inode)].status.layer, path.description)
            }
        }
    }

    // MARK: Whiteouts

    private static let prefix = Array(".wh.".utf8)
    private static let opaque = Array(".wh..wh..opq".utf8)

    private func isWhiteout(_ table: EntryTable, _ member: Int) -> Bool {
        let path = table.path(at: member)
        guard let end = path.lastIndex(where: { $0 != UInt8(ascii: "/") }) else { return false }
        let name = path[...end]
        let start = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? name.startIndex
        return name[start...].starts(with: LayerMerger.prefix)
    }

    private mutating func applyWhiteout(_ name: [UInt8]) {
        let path = ImagePath(name)
        guard let last = path.name, let parent = directory(path.parent.bytes[...], creating: false) else {
            return note(.oddWhiteout, path.bytes[...])
        }
        if last.elementsEqual(LayerMerger.opaque) {
            if emptied.insert(parent.index).inserted {
                for child in tree.entries(of: parent) { remove(child) }
            }
            return
        }
        // Other names of this form are the bookkeeping of the AUFS driver, which no runtime unpacks.
        if last.starts(with: Array(".wh..wh.".utf8)) { return }
        let target = last.dropFirst(LayerMerger.prefix.count)
        let isName = !target.isEmpty && !target.elementsEqual(".".utf8) && !target.elementsEqual("..".utf8)
        guard isName, let child = tree.child(of: parent, named: target) else {
            return note(.oddWhiteout, path.bytes[...])
        }
        remove(child)
    }

    /// A whiteout is an empty regular file (image-spec, "Whiteouts"); readers differ in what they make of another.
    private mutating func noteOddWhiteout(_ table: EntryTable, _ member: Int) {
        let entry = table.entries[member]
        let path = table.path(at: member)
        // The AUFS driver's own directories.
        if entry.kind == .directory, let name = ImagePath(path).name, !name.elementsEqual(LayerMerger.opaque),
            name.starts(with: Array(".wh..wh.".utf8))
        {
            return
        }
        if entry.kind != .file || entry.size > 0 { note(.whiteoutType, path) }
    }

    /// Notes whiteouts that come after a member which they would remove, were it of a lower layer: a runtime that goes
    /// by the order of the archive removes it, one that goes by the specification does not.
    private mutating func noteWhiteoutOrder(_ table: EntryTable, _ whiteouts: [Int]) {
        var targets: [ImagePath: Int] = [:]
        var hashes: Set<UInt64> = []
        for member in whiteouts {
            let path = ImagePath(table.path(at: member))
            guard let name = path.name, !name.starts(with: LayerMerger.opaque) else { continue }
            let target = path.parent.appending(name.dropFirst(LayerMerger.prefix.count))
            guard target != .root, target != path.parent else { continue }
            targets[target] = member
            hashes.insert(LayerMerger.prefixHashes(of: target.bytes[...]).last?.hash ?? 0)
        }
        guard !targets.isEmpty else { return }
        let skipped = Set(whiteouts)
        for member in 0..<table.count where !skipped.contains(member) {
            let raw = table.path(at: member)
            let path = MemberPath.plain(raw) ?? ImagePath(raw).bytes.dropFirst()
            for prefix in LayerMerger.prefixHashes(of: ([UInt8(ascii: "/")] + path)[...])
            where hashes.contains(prefix.hash) {
                guard let whiteout = targets[ImagePath(path.prefix(prefix.length - 1))], whiteout > member
                else {
                    continue
                }
                note(.whiteoutOrder, raw)
                break
            }
        }
    }

    /// FNV-1a of a path and of each directory above it, with the lengths of those, the root left out. Collisions cost
    /// time and change nothing.
    private static func prefixHashes(of path: ArraySlice<UInt8>) -> [(hash: UInt64, length: Int)] {
        var hashes: [(hash: UInt64, length: Int)] = []
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for (length, byte) in path.enumerated() {
            if byte == UInt8(ascii: "/"), length > 0 { hashes.append((value, length)) }
            value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        hashes.append((value, path.count))
        return hashes
    }

    // MARK: Members

    private mutating func add(_ table: EntryTable, _ member: Int) {
        let raw = table.path(at: member)
        let path = MemberPath(raw)
        if path.climbsAboveRoot { note(.escapingPath, raw) }
        let entry = table.entries[member]
        noteMember(entry, raw, table.extendedAttributes(at: member))
        guard !path.name.isEmpty else { return replaceRoot(entry, table, member) }
        let parent: Node
        if let last = lastParent, last.name.elementsEqual(path.parent) {
            parent = last.node
        } else {
            guard let found = directory(path.parent, creating: true) else { return note(.linkLoop, raw) }
            parent = found
            lastParent = (path.parent, parent)
        }
        switch entry.kind {
        case .hardLink: addHardLink(to: table.linkTarget(at: member), parent: parent, name: path.name, raw)
        case .directory: addDirectory(entry, table, member, parent: parent, name: path.name, raw)
        case .other: note(.unknownType, raw)
        default:
            fill(
                replaceableSlot(parent, path.name, raw, for: FileStatus.Kind(entry.kind)), entry, table,
                member)
        }
    }

    /// What is odd about a member wherever it lands.
    private mutating func noteMember(
        _ entry: EntryTable.Entry, _ path: ArraySlice<UInt8>, _ attributes: [ExtendedAttribute]
    ) {
        if path.first == UInt8(ascii: "/"), path.contains(where: { $0 != UInt8(ascii: "/") }) {
            note(.absolutePath, path)
        }
        // 4294967295 is "no change" to chown(2); no file has it.
        if !(0..<4_294_967_295).contains(entry.uid) || !(0..<4_294_967_295).contains(entry.gid) {
            note(.owner, path)
        }
        if !LayerMerger.times.contains(entry.mtime) { note(.time, path) }
        switch entry.kind {
        case .hardLink where entry.size > 0: note(.hardLinkWithData, path)
        case .characterDevice where entry.deviceMajor == 0 && entry.deviceMinor == 0:
            note(.foreignWhiteout, path)
        case .characterDevice, .blockDevice: note(.device, path)
        case .directory where attributes.contains(where: LayerMerger.isOpaqueMark):
            note(.foreignWhiteout, path)
        default: break
        }
    }

    /// What ext4 can store: 1901 to 2446.
    private static let times: ClosedRange<Int64> = -0x8000_0000...0x3_7FFF_FFFF

    /// How overlayfs marks a directory that hides what is below it.
    private static func isOpaqueMark(_ attribute: ExtendedAttribute) -> Bool {
        ["trusted.overlay.opaque", "user.overlay.opaque"].contains(attribute.name)
    }

    private mutating func replaceRoot(_ entry: EntryTable.Entry, _ table: EntryTable, _ member: Int) {
        guard entry.kind == .directory else { return note(.rootReplaced, table.path(at: member)) }
        fill(.root, entry, table, member)
    }

    private mutating func addDirectory(
        _ entry: EntryTable.Entry, _ table: EntryTable, _ member: Int, parent: Node, name: ArraySlice<UInt8>,
        _ path: ArraySlice<UInt8>
    ) {
        if let existing = tree.child(of: parent, named: name), tree.status(of: existing).kind == .directory {
            return fill(existing, entry, table, member)
        }
        fill(replaceableSlot(parent, name, path, for: .directory), entry, table, member)
    }

    private mutating func addHardLink(
        to target: ArraySlice<UInt8>, parent: Node, name: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>
    ) {
        let targetPath = ImagePath(target)
        guard let source = (try? tree.node(at: targetPath, followingFinalLink: false, steps: &steps)) ?? nil
        else { return note(.danglingHardLink, path) }
        guard tree.status(of: source).kind != .directory else { return note(.hardLinkToDirectory, path) }
        if let existing = tree.child(of: parent, named: name), existing == source { return }
        let inode = tree.nodes[Int(source.index)].inode
        let node = replaceableSlot(parent, name, path, for: tree.status(of: source).kind)
        tree.nodes[Int(node.index)].inode = inode
        tree.inodes[Int(inode)].status.linkCount += 1
    }

    /// Writes a member's metadata into a name: a new inode, so that other names of an old one keep theirs.
    private mutating func fill(_ node: Node, _ entry: EntryTable.Entry, _ table: EntryTable, _ member: Int) {
        guard let kind = FileStatus.Kind(entry.kind) else { return }
        let target = kind == .symbolicLink ? Array(table.linkTarget(at: member)) : []
        let status = FileStatus(
            kind: kind, permissions: entry.permissions, uid: entry.uid, gid: entry.gid,
            size: kind == .file ? entry.size : Int64(target.count), mtime: entry.mtime,
            mtimeNanoseconds: entry.mtimeNanoseconds, deviceMajor: entry.deviceMajor,
            deviceMinor: entry.deviceMinor, linkCount: 1, layer: layer)
        let inode = newInode(status, entry: Int32(member))
        tree.nodes[Int(node.index)].inode = inode
        if kind == .symbolicLink { tree.linkTargets[inode] = target }
        let attributes = table.extendedAttributes(at: member)
        if !attributes.isEmpty { tree.attributes[inode] = attributes }
        if let linkage = table.linkages[member] { tree.linkages[inode] = linkage }
        if let content = table.contents[member] { keep(content, inode: inode, node: node) }
    }

    private mutating func keep(_ content: [UInt8], inode: Int32, node: Node) {
        tree.keptContents[inode] = content
        let path = tree.path(of: node)
        if keepsVersions(of: path) || tree.keptVersions[path] != nil {
            var versions = tree.keptVersions[path] ?? []
            // Only where an overlay is ascribed to a layer below the topmost.
            versions.removeAll { $0.layer >= layer }
            tree.keptVersions[path] = versions + [RootFS.ContentVersion(layer: layer, bytes: content)]
        }
    }

    private func keepsVersions(of path: ImagePath) -> Bool {
        path.bytes.withUnsafeBufferPointer { plan.rule(forMember: $0)?.keepsVersions } == true
    }

    /// Gives an inode other metadata, as chown and chmod do: all its names show it.
    mutating func change(_ node: Node, layer: Int, _ body: (inout FileStatus) -> Void) {
        let inode = Int(tree.nodes[Int(node.index)].inode)
        let old = tree.inodes[inode].status
        if old.kind != .directory, old.layer < layer {
            // The lower layer has it still.
            let hidden = newInode(old, entry: tree.inodes[inode].entry)
            tree.hidden.append(
                RootFS.HiddenName(node: node.index, inode: hidden, layer: Int32(layer)))
        }
        body(&tree.inodes[inode].status)
        tree.inodes[inode].status.layer = layer
    }

    // MARK: Names and inodes

    /// The name below a directory, emptied: what was there is removed, what it hid counts as waste.
    private mutating func replaceableSlot(
        _ parent: Node, _ name: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>, for kind: FileStatus.Kind?
    ) -> Node {
        let nameID = tree.names.intern(name)
        if let existing = tree.children.find(parent: parent.index, name: nameID, in: tree.nodes) {
            let node = Node(index: existing)
            if tree.nodes[Int(existing)].inode >= 0 {
                if tree.status(of: node).layer == layer, tree.member(of: node) != nil {
                    note(tree.status(of: node).kind == kind ? .duplicateMember : .typeChange, path)
                }
                remove(node)
            }
            return node
        }
        let index = Int32(tree.nodes.count)
        var record = RootFS.NameRecord(parent: parent.index, name: nameID)
        record.nextSibling = tree.nodes[Int(parent.index)].firstChild
        tree.nodes.append(record)
        tree.nodes[Int(parent.index)].firstChild = index
        tree.children.insert(index, in: tree.nodes)
        return Node(index: index)
    }

    private mutating func newInode(_ status: FileStatus, entry: Int32) -> Int32 {
        tree.inodes.append(RootFS.Inode(status: status, entry: entry))
        return Int32(tree.inodes.count - 1)
    }

    /// Removes a name and everything below it; iterative, so that no depth exhausts the stack.
    private mutating func remove(_ node: Node) {
        var pending = [node.index]
        while let index = pending.popLast() {
            let inode = Int(tree.nodes[Int(index)].inode)
            guard inode >= 0 else { continue }
            tree.nodes[Int(index)].inode = -1
            tree.nodes[Int(index)].removedBy = Int32(layer)
            tree.inodes[inode].status.linkCount -= 1
            let status = tree.inodes[inode].status
            // What a layer has twice is noted elsewhere: its first is in no other's way.
            if status.kind != .directory, status.layer != layer {
                tree.hidden.append(
                    RootFS.HiddenName(node: index, inode: Int32(inode), layer: Int32(layer)))
            }
            if status.kind == .file, status.linkCount == 0 {
                tree.wastedBytes[status.layer] += status.size
                if tree.keptContents[Int32(inode)] != nil,
                    !keepsVersions(of: tree.path(of: Node(index: index)))
                {
                    tree.keptContents[Int32(inode)] = nil
                }
                tree.linkages[Int32(inode)] = nil
            }
            var child = tree.nodes[Int(index)].firstChild
            while child >= 0 {
                steps += 1
                if tree.nodes[Int(child)].inode >= 0 { pending.append(child) }
                child = tree.nodes[Int(child)].nextSibling
            }
        }
        lastParent = nil
    }

    /// The directory at a path, its symbolic links resolved; made where it is missing, as runtimes do.
    ///
    /// - Returns: nil when links lead in a circle or, without `creating`, when there is no such directory.
    private mutating func directory(_ path: ArraySlice<UInt8>, creating: Bool) -> Node? {
        var pending = Array(path.split(separator: UInt8(ascii: "/")).reversed())
        var current = Node.root
        var linksLeft = RootFS.maximumLinks
        defer { if creating, (0..<RootFS.maximumLinks).contains(linksLeft) { note(.writeThroughLink, path) } }
        while let component = pending.popLast() {
            steps += 1
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                current = tree.parent(of: current)
                continue
            }
            if let child = tree.child(of: current, named: component) {
                switch tree.kind(of: child) {
                case .directory:
                    current = child
                    continue
                case .symbolicLink:
                    guard creating || linksLeft > 0, let target = tree.linkTarget(of: child) else {
                        return nil
                    }
                    linksLeft -= 1
                    guard linksLeft >= 0 else { return nil }
                    if target.first == UInt8(ascii: "/") { current = .root }
                    pending.append(contentsOf: target.split(separator: UInt8(ascii: "/")).reversed())
                    continue
                default:
                    guard creating else { return nil }
                    note(.parentNotDirectory, path)
                }
            }
            guard creating else { return nil }
            let made = replaceableSlot(current, component, path, for: .directory)
            tree.nodes[Int(made.index)].inode = newInode(.impliedDirectory(layer: layer), entry: -1)
            current = made
        }
        return current
    }

    /// - Parameter path: the member's name as the archive has it.
    private mutating func note(_ kind: Oddity.Kind, _ path: ArraySlice<UInt8>) {
        tree.oddities.note(kind, layer: layer, escaped(path))
    }
}

/// A member's name, taken apart into directory and last component.
private struct MemberPath {
    /// A name in its usual form without what may stand before and after it; nil for other names.
    static func plain(_ raw: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        split(raw).map { raw[$0.parent.startIndex..<$0.name.endIndex] }
    }

    /// Components between slashes, without the last; what it means is seen from the root.
    let parent: ArraySlice<UInt8>
    /// Empty for the root itself.
    let name: ArraySlice<UInt8>
    let climbsAboveRoot: Bool

    init(_ raw: ArraySlice<UInt8>) {
        if let (parent, name) = MemberPath.split(raw) {
            (self.parent, self.name, climbsAboveRoot) = (parent, name, false)
            return
        }
        let path = ImagePath(raw)
        name = path.name ?? []
        parent = path.bytes.dropLast(name.count)
        var depth = 0
        var lowest = 0
        for component in raw.split(separator: UInt8(ascii: "/")) where !component.elementsEqual(".".utf8) {
            depth += component.elementsEqual("..".utf8) ? -1 : 1
            lowest = min(lowest, depth)
        }
        climbsAboveRoot = lowest < 0
    }

    /// The usual case without a copy: an optional `./` or `/` in front, an optional slash at the end, and no
    /// component that is empty, `.` or `..`. Nil for other names.
    private static func split(
        _ raw: ArraySlice<UInt8>
    ) -> (parent: ArraySlice<UInt8>, name: ArraySlice<UInt8>)? {
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        var rest = raw
        if rest.first == dot, rest.dropFirst().first == slash { rest = rest.dropFirst(2) }
        if rest.first == slash { rest = rest.dropFirst() }
        if rest.last == slash { rest = rest.dropLast() }
        guard !rest.isEmpty else { return nil }
        var nameStart = rest.startIndex
        var componentStart = rest.startIndex
        for index in rest.startIndex...rest.endIndex where index == rest.endIndex || rest[index] == slash {
            let length = index - componentStart
            if length == 0 { return nil }
            if length <= 2, rest[componentStart..<index].allSatisfy({ $0 == dot }) { return nil }
            nameStart = componentStart
            componentStart = index + 1
        }
        return (rest[..<max(rest.startIndex, nameStart - 1)], rest[nameStart...])
    }
}

extension FileStatus {
    /// A directory that no member declares: runtimes make it 0755, owned by root.
    static func impliedDirectory(layer: Int) -> FileStatus {
        FileStatus(
            kind: .directory, permissions: 0o755, uid: 0, gid: 0, size: 0, mtime: 0, mtimeNanoseconds: 0,
            deviceMajor: 0, deviceMinor: 0, linkCount: 1, layer: layer)
    }
}

extension FileStatus.Kind {
    /// nil for a hard link, which has no type of its own, and for types that no runtime unpacks.
    init?(_ kind: EntryKind) {
        switch kind {
        case .file: self = .file
        case .directory: self = .directory
        case .symbolicLink: self = .symbolicLink
        case .characterDevice: self = .characterDevice
        case .blockDevice: self = .blockDevice
        case .fifo: self = .fifo
        case .socket: self = .socket
        case .hardLink, .other: return nil
        }
    }
}
