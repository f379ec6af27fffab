import AssayTestSupport
import LayerArchive
import OCIModel
import Testing

@Suite("What ELF files tell the dynamic linker") struct LinkageTests {
    private static let plan = ContentPlan([
        ContentPlan.Rule(.suffix(Array(".so".utf8)), keeps: .linkage),
        ContentPlan.Rule(.infix(Array(".so.".utf8)), keeps: .linkage),
    ])

    /// What the reader finds in files of these contents, in their order.
    private func linkages(_ contents: [[UInt8]], name: String = "liba.so") async throws -> [Linkage?] {
        var tar = TarBuilder()
        for (index, content) in contents.enumerated() { tar.add("\(index)/\(name)", content: content) }
        let table = try await LayerFixture(plain: tar.archive).index(plan: Self.plan).table
        #expect(table.contents.isEmpty)
        return contents.indices.map { table.linkages[$0] }
    }

    private func linkage(_ content: [UInt8]) async throws -> Linkage? { try await linkages([content])[0] }

    @Test func namesAndPathsAreRead() async throws {
        let elf = ELF(name: "liba.so.1", needed: ["libc.so.6", "libb.so"], rpath: "/r", runpath: "$ORIGIN/x")
        let expected = DynamicSection(
            name: Array("liba.so.1".utf8), needed: [Array("libc.so.6".utf8), Array("libb.so".utf8)],
            rpath: Array("/r".utf8), runpath: Array("$ORIGIN/x".utf8), skipsDefaultDirectories: false)
        #expect(try await linkage(elf.bytes) == .dynamic(expected))
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func everyClassAndByteOrder(is64Bit: Bool, isLittleEndian: Bool) async throws {
        var elf = ELF(needed: ["libc.so.6"])
        elf.format = .init(is64Bit: is64Bit, isLittleEndian: isLittleEndian, machine: 21)
        elf.flags = 0x801
        #expect(
            try await linkage(elf.bytes)
                == .dynamic(
                    DynamicSection(
                        needed: [Array("libc.so.6".utf8)], skipsDefaultDirectories: true, format: elf.format))
        )
    }

    /// patchelf puts the names into a segment of their own at the end, before or behind the dynamic section.
    @Test(arguments: [ELF.Layout.namesFirst, .namesLast, .namesBeforeDynamic])
    func namesAreFoundWhereLinkersPutThem(layout: ELF.Layout) async throws {
        var elf = ELF(name: "liba.so.1", needed: ["libc.so.6"])
        elf.layout = layout
        for filler in [0, 10_000, 300_000] {
            elf.filler = filler
            guard case .dynamic(let section) = try await linkage(elf.bytes) else {
                Issue.record("\(layout) with \(filler) bytes between: not read")
                continue
            }
            #expect(section.needed == [Array("libc.so.6".utf8)])
        }
    }

    @Test func oneFileTellsNothingOfTheNext() async throws {
        let found = try await linkages([
            ELF(name: "liba.so", needed: ["libx.so"], runpath: "/x").bytes, Array("no ELF".utf8), [],
            ELF(needed: []).bytes,
        ])
        #expect(found.dropFirst() == [.notDynamic, .notDynamic, .dynamic(DynamicSection())])
    }

    @Test func onlyFilesOfThePlanAreLookedAt() async throws {
        #expect(
            try await linkages([ELF(needed: []).bytes], name: "liba.so.6") == [.dynamic(DynamicSection())])
        #expect(try await linkages([ELF(needed: []).bytes], name: "a.out") == [nil])
    }

    @Test func everyPrefixIsSafeAndNoneIsTakenForTheWhole() async throws {
        let whole = ELF(name: "liba.so.1", needed: ["libc.so.6"], runpath: "/x").bytes
        let lengths = Array(stride(from: 4, to: whole.count, by: 7))
        for linkage in try await linkages(lengths.map { Array(whole.prefix($0)) }) {
            if case .dynamic = linkage {
                Issue.record("a file cut short was read: \(String(describing: linkage))")
            }
        }
    }

    @Test func everyFlippedByteIsSafe() async throws {
        let whole = ELF(name: "liba.so.1", needed: ["libc.so.6"], runpath: "/x").bytes
        let damaged = whole.indices.filter { $0 < 400 || $0 >= whole.count - 200 }.map { position in
            var bytes = whole
            bytes[position] = 0xFF
            return bytes
        }
        #expect(try await linkages(damaged).count == damaged.count)
    }

    @Test func hostileNumbersAreRefused() async throws {
        func change(_ position: Int, _ value: [UInt8]) -> [UInt8] {
            var bytes = ELF(needed: ["libc.so.6"]).bytes
            bytes.replaceSubrange(position..<position + value.count, with: value)
            return bytes
        }
        let dynamicHeader = 64 + 56
        let hostile = [
            // e_phoff, e_phnum, e_phentsize
            change(32, Array(repeating: 0xFF, count: 8)), change(56, [0xFF, 0xFF]), change(54, [1, 0]),
            // p_offset and p_filesz of PT_DYNAMIC
            change(dynamicHeader + 8, Array(repeating: 0xFF, count: 8)),
            change(dynamicHeader + 32, Array(repeating: 0xFF, count: 8)),
            change(dynamicHeader + 32, [0, 0, 0, 0x7F, 0, 0, 0, 0]),
            // EI_CLASS and EI_DATA
            change(4, [9]), change(5, [9]),
        ]
        for linkage in try await linkages(hostile) {
            guard case .unreadable = linkage else {
                Issue.record("not refused: \(String(describing: linkage))")
                continue
            }
        }
        // No program headers at all: nothing for the linker.
        #expect(try await linkage(change(56, [0, 0])) == .notDynamic)
    }

    @Test func namesOutsideTheirTableAreRefused() async throws {
        var elf = ELF(needed: ["libc.so.6"])
        elf.tableSize = 3
        guard case .unreadable = try await linkage(elf.bytes) else {
            Issue.record("a name outside its table was read")
            return
        }
    }
}

/// A shared library with nothing in it but what the linker reads.
struct ELF {
    enum Layout: Sendable { case namesFirst, namesLast, namesBeforeDynamic }

    var name: String?
    var needed: [String]
    var rpath: String?
    var runpath: String?
    var flags: UInt64 = 0
    var format = DynamicSection.Format()
    var layout = Layout.namesFirst
    /// Bytes between the parts.
    var filler = 0
    var tableSize: UInt64?

    init(name: String? = nil, needed: [String], rpath: String? = nil, runpath: String? = nil) {
        self.name = name
        self.needed = needed
        self.rpath = rpath
        self.runpath = runpath
    }

    var bytes: [UInt8] {
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
