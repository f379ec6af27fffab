import AssayTestSupport
import LayerArchive
import Testing

@Suite("The first member of an archive")
struct TarMemberTests {
    private func archive(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var tar = TarBuilder()
        build(&tar)
        return tar.archive
    }

    @Test("is read, with the beginning of its content")
    func first() throws {
        let bytes = archive { tar in
            tar.add("note", content: Array("hello".utf8), mode: 0o4640)
            tar.add("other", content: Array("x".utf8))
        }
        let member = try TarMember(firstOf: bytes, contentLimit: 3)
        #expect(member.kind == .file && member.permissions == 0o4640 && member.size == 5)
        #expect(member.content == Array("hel".utf8))
        #expect(try TarMember(firstOf: bytes, contentLimit: 100).content == Array("hello".utf8))
    }

    @Test("needs no end of the archive")
    func cut() throws {
        let bytes = archive { $0.add("large", content: [UInt8](repeating: 7, count: 10_000)) }
        let member = try TarMember(firstOf: Array(bytes[..<1000]), contentLimit: 5000)
        #expect(member.size == 10_000)
        #expect(
            !member.content.isEmpty && member.content.count < 1000 && member.content.allSatisfy { $0 == 7 })
    }

    @Test("a directory has none; what is no archive is an error")
    func others() throws {
        let folder = try TarMember(
            firstOf: archive { $0.add("work/", .directory, mode: 0o1777) }, contentLimit: 10)
        #expect(folder.kind == .directory && folder.permissions == 0o1777 && folder.content.isEmpty)
        #expect(throws: LayerError.self) { try TarMember(firstOf: [], contentLimit: 1) }
        #expect(throws: LayerError.self) {
            try TarMember(firstOf: Array(repeating: 65, count: 2000), contentLimit: 1)
        }
    }
}
