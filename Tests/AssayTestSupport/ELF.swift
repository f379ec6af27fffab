import LayerArchive

/// A shared library with nothing in it but what the linker reads.
public struct ELF: Sendable {
    public enum Layout: Sendable { case namesFirst, namesLast, namesBeforeDynamic }

    public var name: String?
    public var needed: [String]
    public var rpath: String?
    public var runpath: String?
    public var flags: UInt64 = 0
    public var format = DynamicSection.Format()
    public var layout = Layout.namesFirst
    /// Bytes between the parts.
    public var filler = 0
    public var tableSize: UInt64?

    public init(name: String? = nil, needed: [String], rpath: String? = nil, runpath: String? = nil) {
        self.name = name
        self.needed = needed
        self.rpath = rpath
        self.runpath = runpath
    }

    public var bytes: [UInt8] {
        var table: [UInt8] = [0]
        var entries: [(UInt64, UInt64)] = []
        func add(_ tag: UInt64, _ text: String?) {
            guard let text else { return }
            entries.append((tag, UInt64(table.count)))
            table += Array(text.utf8) + [0]
        }
        for need in needed { add(1, need) }
        add(14, name)
        add(15, rpath)
        add(29, runpath)
        if flags != 0 { entries.append((0x6FFF_FFFB, flags)) }
        let wide = format.is64Bit
        let width = wide ? 8 : 4
        let headers = (wide ? 64 : 52) + 3 * (wide ? 56 : 32)
        let dynamicSize = (entries.count + 3) * 2 * width
        let gap = [UInt8](repeating: 0, count: filler)
        let tableOffset: Int
        let dynamicOffset: Int
        switch layout {
        case .namesFirst:
            tableOffset = headers
            dynamicOffset = headers + table.count + filler
        case .namesLast:
            dynamicOffset = headers + filler
            tableOffset = dynamicOffset + dynamicSize + filler
        case .namesBeforeDynamic:
            tableOffset = headers + filler
            dynamicOffset = tableOffset + table.count
        }
        // The first segment ends with the headers, or with the table behind them; the second has the rest.
        let firstSize = layout == .namesFirst ? headers + table.count : headers
        let secondOffset = layout == .namesFirst ? dynamicOffset : headers + filler
        let end = max(tableOffset + table.count, dynamicOffset + dynamicSize)
        let base = 0x10000
        let tableAddress = layout == .namesFirst ? tableOffset : base + tableOffset
        entries += [(5, UInt64(tableAddress)), (10, tableSize ?? UInt64(table.count)), (0, 0)]

        var output: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, wide ? 2 : 1, format.isLittleEndian ? 1 : 2, 1]
        output += [UInt8](repeating: 0, count: 9)
        output += number(3, 2) + number(UInt64(format.machine), 2) + number(1, 4)
        output += number(0, width) + number(wide ? 64 : 52, width) + number(0, width)
        output += number(0, 4) + number(wide ? 64 : 52, 2) + number(wide ? 56 : 32, 2) + number(3, 2)
        output += number(0, 6)
        output += segment(1, 4, 0, 0, firstSize)
        output += segment(2, 6, dynamicOffset, base + dynamicOffset, dynamicSize)
        output += segment(1, 6, secondOffset, base + secondOffset, end - secondOffset)
        let dynamic = entries.flatMap { number($0.0, width) + number($0.1, width) }
        switch layout {
        case .namesFirst: output += table + gap + dynamic
        case .namesLast: output += gap + dynamic + gap + table
        case .namesBeforeDynamic: output += gap + table + dynamic
        }
        return output
    }

    private func number(_ value: UInt64, _ width: Int) -> [UInt8] {
        let bytes = (0..<width).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) : 0 }
        return format.isLittleEndian ? bytes : bytes.reversed()
    }

    private func segment(_ type: UInt64, _ flags: UInt64, _ offset: Int, _ address: Int, _ size: Int)
        -> [UInt8]
    {
        let width = format.is64Bit ? 8 : 4
        let places = [offset, address, address, size, size].flatMap { number(UInt64($0), width) }
        return format.is64Bit
            ? number(type, 4) + number(flags, 4) + places + number(0x1000, 8)
            : number(type, 4) + places + number(flags, 4) + number(0x1000, 4)
    }
}
