import LayerArchive
import OCIModel

/// Images that have a program, and what a runtime might follow out of them when it starts it.
extension HostileCorpus {
    static let startCases: [HostileCase] = [
        start("63-start", "an image that has nothing but its program") { _, _ in },
        start("63-start-dev", "the directory /dev is a link out of the image (CVE-2026-41579)", begins: false)
        { tar, workshop in
            tar.add("dev", .symbolicLink, linkTarget: workshop.outside)
        },
        start("63-start-proc", "the directory /proc is a link out of the image", begins: false) {
            tar, workshop in
            tar.add("proc", .symbolicLink, linkTarget: workshop.outside)
        },
        start("63-start-etc", "the directory /etc, where files are mounted, is a link out of the image") {
            tar, workshop in
            tar.add("etc", .symbolicLink, linkTarget: workshop.outside)
        },
        start("63-start-hosts", "the file /etc/hosts, which is mounted over, is a link to a file of the host")
        {
            tar, workshop in
            tar.add("etc/", .directory)
            tar.add("etc/hosts", .symbolicLink, linkTarget: "\(workshop.outside)/secret")
        },
        start("63-start-climbs", "the same by a relative link that climbs") { tar, workshop in
            tar.add("etc/", .directory)
            tar.add(
                "etc/hosts", .symbolicLink,
                linkTarget: String(repeating: "../", count: 40) + "\(workshop.outside.dropFirst())/secret")
        },
        start(
            "63-start-descriptor", "a working directory that is a descriptor of the runtime (CVE-2024-21626)",
            run: #""WorkingDir":"/proc/self/fd/8""#, begins: false
        ) { _, _ in },
        start(
            "63-start-nowhere", "a working directory that is a link out of the image",
            run: #""WorkingDir":"/work""#, begins: false
        ) { tar, workshop in
            tar.add("work", .symbolicLink, linkTarget: workshop.outside)
        },
    ]

    /// - Parameters:
    ///   - run: members of the config's own `config`.
    ///   - begins: whether a runtime can start it; otherwise it must refuse to.
    private static func start(
        _ id: String, _ title: String, run: String = #""WorkingDir":"/""#, begins: Bool = true,
        _ add: @escaping @Sendable (inout TarBuilder, HostileWorkshop) -> Void
    ) -> HostileCase {
        HostileCase(id, title, .judged(), begins: begins) { workshop in
            var tar = TarBuilder()
            add(&tar, workshop)
            tar.add("program", content: program, mode: 0o755)
            var layout = LayoutForm([try LayoutForm.Layer(tar.archive)])
            layout.run = "{\(run)}"
            layout.architecture = architecture
            return try workshop.layout(layout)
        }
    }

    #if arch(arm64)
        private static let architecture = "arm64"
        private static let machine: UInt8 = 183
        /// mov x0, #0; mov x8, #94 (exit_group); svc #0
        private static let code: [UInt8] = [0, 0, 0x80, 0xD2, 0xC8, 0x0B, 0x80, 0xD2, 1, 0, 0, 0xD4]
    #else
        private static let architecture = "amd64"
        private static let machine: UInt8 = 62
        /// xor edi, edi; mov eax, 231 (exit_group); syscall
        private static let code: [UInt8] = [0x31, 0xFF, 0xB8, 231, 0, 0, 0, 0x0F, 0x05]
    #endif

    /// A program that ends with 0 and needs nothing: the header, one segment, the code (elf(5)).
    private static var program: [UInt8] {
        let address = 0x40_0000
        let start = 64 + 56
        let size = start + code.count
        let kind = littleEndian(2, 2) + [machine, 0] + littleEndian(1, 4)
        let places =
            littleEndian(address + start, 8) + littleEndian(64, 8) + littleEndian(0, 8) + littleEndian(0, 4)
        let sizes =
            littleEndian(64, 2) + littleEndian(56, 2) + littleEndian(1, 2) + littleEndian(64, 2)
            + littleEndian(0, 4)
        let segment =
            littleEndian(1, 4) + littleEndian(5, 4) + littleEndian(0, 8) + littleEndian(address, 8)
            + littleEndian(address, 8)
            + littleEndian(size, 8)
            + littleEndian(size, 8) + littleEndian(0x1000, 8)
        return elfIdentification + kind + places + sizes + segment + code
    }
}
