import AssayTestSupport
import OCIModel
import Testing

@testable import LayerArchive

private typealias IndexedLayer = LayerReader.IndexedLayer

/// A layer with everything that the serial form has a field for.
private func everything() async throws -> IndexedLayer {
    var tar = TarBuilder()
    tar.add("etc/", .directory, mode: 0o1755, uid: 3, gid: 4, mtime: 1_700_000_000)
    tar.add(
        "etc/passwd", content: Array("root:x:0:0".utf8), attributes: [("user.a", [1, 0]), ("user.b", [])])
    tar.add("etc/same", .hardLink, linkTarget: "etc/passwd")
    tar.add("etc/link", .symbolicLink, linkTarget: "../é")
    tar.add("dev/null", .characterDevice, device: (1, 3))
    tar.add("lib/a.so", content: Array("no ELF".utf8))
    tar.add("lib/b.so", content: [0x7F] + Array("ELF".utf8))
    tar.add(rawName: [0x62, 0xFF, 0x0A], content: [])
    for number in 0..<7 { tar.add("label\u{1B}\(number)", typeFlag: UInt8(ascii: "V")) }
    let plain = tar.archive + [1]
    let plan = ContentPlan([.init(.path("/etc/passwd")), .init(.suffix(Array(".so".utf8)), keeps: .linkage)])
    var layer = try await LayerFixture(plain: plain, blob: gzipped(plain)).index(plan: plan)
    var table = layer.table
    table.linkages[5] = .dynamic(
        DynamicSection(
            name: Array("a".utf8), needed: [Array("libc.so.6".utf8), []], rpath: nil, runpath: [0xFF],
            skipsDefaultDirectories: true, format: .init(is64Bit: false, machine: 183)))
    layer = IndexedLayer(summary: layer.summary, table: table)
    return layer
}

private func parsed(_ bytes: [UInt8], limits: Limits = Limits()) throws -> IndexedLayer {
    try bytes.withUnsafeBytes { try IndexedLayer(serialized: $0, limits: limits) }
}

/// A body with the header that belongs to it.
private func withHeader(_ body: [UInt8]) -> [UInt8] {
    let checksum = body.withUnsafeBytes { IndexedLayer.checksum($0) }
    return IndexedLayer.header(size: body.count, checksum: checksum) + body
}

/// Reads every field of a layer, as the merge does.
private func walk(_ table: EntryTable) -> Int {
    var sum = 0
    for index in 0..<table.count {
        sum &+= table.path(at: index).count &+ table.linkTarget(at: index).count
        sum &+=
            table.extendedAttributes(at: index).count &+ Int(truncatingIfNeeded: table.entries[index].size)
        sum &+= table.contents[index]?.count ?? 0
    }
    return sum
}

@Suite("Serial form of a layer") struct LayerSerialTests {
    @Test func comesBackAsItWas() async throws {
        let layer = try await everything()
        let copy = try parsed(layer.serialized)
        #expect(copy.serialized == layer.serialized)
        #expect(copy.summary.compression == .gzip)
        #expect(copy.summary.digest == layer.summary.digest)
        #expect(copy.summary.diffID == layer.summary.diffID)
        #expect(copy.summary.size == layer.summary.size)
        #expect(copy.summary.uncompressedSize == layer.summary.uncompressedSize)
        #expect(copy.summary.oddities == layer.summary.oddities)
        #expect(Set(copy.summary.oddities.list.map(\.kind)) == [.trailingData, .unknownType])
        #expect(copy.summary.oddities.list.contains { $0.subject.contains("2 more") })
        #expect(copy.table.contents == layer.table.contents)
        #expect(copy.table.linkages == layer.table.linkages)
        #expect(copy.table.linkages.count == 2)
        #expect(copy.table.count == 8)
        for index in 0..<layer.table.count {
            let (left, right) = (layer.table.entries[index], copy.table.entries[index])
            #expect(layer.table.path(at: index) == copy.table.path(at: index))
            #expect(layer.table.linkTarget(at: index) == copy.table.linkTarget(at: index))
            #expect(layer.table.extendedAttributes(at: index) == copy.table.extendedAttributes(at: index))
            #expect(left.kind == right.kind && left.permissions == right.permissions)
            #expect((left.uid, left.gid, left.size) == (right.uid, right.gid, right.size))
            #expect((left.mtime, left.mtimeNanoseconds) == (right.mtime, right.mtimeNanoseconds))
            #expect((left.deviceMajor, left.deviceMinor) == (right.deviceMajor, right.deviceMinor))
        }
    }

    @Test("a layer that is handed on in pieces is the same")
    func pieces() async throws {
        var table = EntryTable()
        for index in 0..<100_000 {
            table.append(
                path: "d/\(index)".utf8, kind: .file, permissions: 0o644, size: Int64(index),
                contents: index % 30_000 == 0 ? [UInt8](repeating: 7, count: index * 10) : nil)
        }
        let layer = IndexedLayer(summary: try await everything().summary, table: table)
        var sizes: [Int] = []
        var bytes: [UInt8] = []
        let form = IndexedLayer.SerialForm(layer)
        form.write {
            sizes.append($0.count)
            bytes += $0
        }
        #expect(bytes.count == form.size && sizes.count > 10)
        let copy = try parsed(bytes)
        #expect(copy.table.count == 100_000 && copy.table.contents == table.contents)
        #expect(copy.table.entries.map(\.size) == table.entries.map(\.size))
        #expect(copy.table.path(at: 99_999).elementsEqual("d/99999".utf8))
    }

    @Test("a damaged byte anywhere, or a missing one, is noticed")
    func damage() async throws {
        let bytes = try await everything().serialized
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 0x40
            #expect(throws: LayerError.self, "byte \(position)") { try parsed(damaged) }
            #expect(throws: LayerError.self, "cut to \(position)") { try parsed(Array(bytes[..<position])) }
        }
        #expect(throws: LayerError.self) { try parsed(bytes + [0]) }
    }

    @Test("bytes that are forged, checksum and all, give a consistent layer or an error")
    func forgery() async throws {
        let body = Array(try await everything().serialized[IndexedLayer.headerSize...])
        var random = Xorshift(state: 0x9E37_79B9_7F4A_7C15)
        var accepted = 0
        var refused = 0
        func attempt(_ body: [UInt8]) {
            do {
                _ = walk(try parsed(withHeader(body)).table)
                accepted += 1
            } catch {
                refused += 1
            }
        }
        for position in body.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var forged = body
                forged[position] = value
                attempt(forged)
            }
            attempt(Array(body[..<position]))
        }
        for _ in 0..<2_000 {
            var forged = body
            for _ in 0..<(1 + random.next() % 4) {
                let position = Int(random.next() % UInt64(forged.count))
                switch random.next() % 3 {
                case 0: forged[position] = UInt8(truncatingIfNeeded: random.next())
                case 1: forged.remove(at: position)
                default: forged.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
                }
            }
            attempt(forged)
        }
        // Most of the bytes are free values, as an owner; lengths and kinds are not.
        #expect(accepted > 1_000)
        #expect(refused > 1_000)
    }

    @Test("limits hold for the serial form as for the archive")
    func limits() async throws {
        let bytes = try await everything().serialized
        var limits = Limits()
        limits[.entries] = 7
        #expect(throws: LayerError.self) { try parsed(bytes, limits: limits) }
        limits[.entries] = 8
        #expect(try parsed(bytes, limits: limits).table.count == 8)
        limits[.keptContents] = 9
        #expect(throws: LayerError.self) { try parsed(bytes, limits: limits) }
        limits[.keptContents] = 10
        #expect(try parsed(bytes, limits: limits).table.count == 8)
        limits[.pathLength] = 9
        #expect(throws: LayerError.self) { try parsed(bytes, limits: limits) }
    }

    @Test("text of an untrusted writer is escaped, and text that is escaped stays as it is")
    func messages() throws {
        func read(_ text: String) throws -> String {
            var writer = ByteWriter()
            writer.text(text)
            return try writer.bytes.withUnsafeBytes {
                var reader = ByteReader($0)
                return try reader.message()
            }
        }
        for text in ["plain", #"a\x1bb"#, #"back\\slash"#, #"é\n"#, #"\\\\"#] {
            #expect(try read(text) == text)
        }
        #expect(try read("a\u{1B}[31m\n") == #"a\x1b[31m\n"#)
    }
}

/// The same numbers in every run.
private struct Xorshift {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
