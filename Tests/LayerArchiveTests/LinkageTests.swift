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

    /// Compressed layers come in pieces of 256 KiB of the archive: the file begins shortly before one ends.
    @Test(
        "where a piece of the layer ends within the file does not matter",
        arguments: [ELF.Layout.namesFirst, .namesLast, .namesBeforeDynamic])
    func pieces(layout: ELF.Layout) async throws {
        let names = (0..<40).map { "lib\(String(repeating: "x", count: 60))\($0).so" }
        var elf = ELF(name: "liba.so.1", needed: names)
        elf.layout = layout
        for before in stride(from: 512, through: 6_144, by: 512) {
            var tar = TarBuilder()
            // Its header and the next one take 512 bytes each.
            tar.add("filler", content: [UInt8](repeating: 1, count: (256 << 10) - 1_024 - before))
            tar.add("liba.so", content: elf.bytes)
            let plain = tar.archive
            for blob in [plain, gzipped(plain)] {
                let table = try await LayerFixture(plain: plain, blob: blob).index(plan: Self.plan).table
                guard case .dynamic(let section)? = table.linkages[1] else {
                    Issue.record("\(layout), \(before) bytes before the end of a piece: not read")
                    continue
                }
                #expect(section.needed == names.map { Array($0.utf8) }, "\(layout), \(before)")
                #expect(section.name == Array("liba.so.1".utf8))
            }
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
