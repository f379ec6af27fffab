/// Path components, each stored once.
struct NameTable: Sendable {
    private struct Span: Sendable {
        var start: UInt32
        var length: UInt32
    }

    private var bytes: ContiguousArray<UInt8> = []
    private var spans: ContiguousArray<Span> = []
    private var slots: ContiguousArray<Int32> = ContiguousArray(repeating: -1, count: 1024)

    subscript(id: Int32) -> ArraySlice<UInt8> {
        let span = spans[Int(id)]
        return bytes[Int(span.start)..<Int(span.start) + Int(span.length)]
    }

    /// The id of a name, or -1 when no path has it.
    func find(_ name: some Collection<UInt8>) -> Int32 {
        slots[slot(for: name)]
    }

    mutating func intern(_ name: some Collection<UInt8>) -> Int32 {
        let position = slot(for: name)
        if slots[position] >= 0 { return slots[position] }
        let id = Int32(spans.count)
        spans.append(Span(start: UInt32(bytes.count), length: UInt32(name.count)))
        bytes.append(contentsOf: name)
        slots[position] = id
        if spans.count * 2 > slots.count { grow() }
        return id
    }

    private func slot(for name: some Collection<UInt8>) -> Int {
        let mask = slots.count - 1
        var position = Int(truncatingIfNeeded: hash(name)) & mask
        while slots[position] >= 0, !matches(slots[position], name) { position = (position + 1) & mask }
        return position
    }

    private func matches(_ id: Int32, _ name: some Collection<UInt8>) -> Bool {
        let span = spans[Int(id)]
        guard Int(span.length) == name.count else { return false }
        var position = Int(span.start)
        for byte in name {
            if bytes[position] != byte { return false }
            position += 1
        }
        return true
    }

    private mutating func grow() {
        slots = ContiguousArray(repeating: -1, count: slots.count * 2)
        let mask = slots.count - 1
        for (id, span) in spans.enumerated() {
            let name = bytes[Int(span.start)..<Int(span.start) + Int(span.length)]
            var position = Int(truncatingIfNeeded: hash(name)) & mask
            while slots[position] >= 0 { position = (position + 1) & mask }
            slots[position] = Int32(id)
        }
    }

    /// FNV-1a, seeded for each process, so that names chosen to collide do not.
    private func hash(_ name: some Collection<UInt8>) -> UInt64 {
        var value = NameTable.seed
        for byte in name { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return value ^ (value >> 29)
    }

    private static let seed = UInt64.random(in: .min ... .max) | 1
}

/// Finds a child by its parent and name: open addressing over positions in the node array.
struct ChildTable: Sendable {
    private var slots: ContiguousArray<Int32> = ContiguousArray(repeating: -1, count: 1024)
    private var used = 0

    /// The child's position in `nodes`, whether it exists at present or was removed.
    func find(parent: Int32, name: Int32, in nodes: ContiguousArray<RootFS.NameRecord>) -> Int32? {
        if name < 0 { return nil }
        let child = slots[slot(parent, name, nodes)]
        return child < 0 ? nil : child
    }

    mutating func insert(_ child: Int32, in nodes: ContiguousArray<RootFS.NameRecord>) {
        let node = nodes[Int(child)]
        slots[slot(node.parent, node.name, nodes)] = child
        used += 1
        if used * 2 > slots.count { grow(nodes) }
    }

    private func slot(_ parent: Int32, _ name: Int32, _ nodes: ContiguousArray<RootFS.NameRecord>) -> Int {
        let mask = slots.count - 1
        var position = ChildTable.hash(parent, name) & mask
        while slots[position] >= 0 {
            let node = nodes[Int(slots[position])]
            if node.parent == parent, node.name == name { break }
            position = (position + 1) & mask
        }
        return position
    }

    private mutating func grow(_ nodes: ContiguousArray<RootFS.NameRecord>) {
        let old = slots
        slots = ContiguousArray(repeating: -1, count: old.count * 2)
        for child in old where child >= 0 {
            let node = nodes[Int(child)]
            slots[slot(node.parent, node.name, nodes)] = child
        }
    }

    private static func hash(_ parent: Int32, _ name: Int32) -> Int {
        let key = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: name))
        let mixed = (key ^ (key >> 31)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed >> 20)
    }
}
