import Foundation
import Testing

@testable import Reporting

struct AtomicFileTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func withDirectory(_ body: () throws -> Void) throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try body()
    }

    private func path(_ name: String) -> String { directory.appending(path: name).path }

    private func content(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: directory.appending(path: name)), as: UTF8.self)
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() }
    }

    @Test func writesAndReplaces() throws {
        try withDirectory {
            try AtomicFile.write(Array("old content".utf8), to: path("report"))
            try AtomicFile.write(Array("new".utf8), to: path("report"))
            #expect(try content("report") == "new")
            try AtomicFile.write([], to: path("report"))
            #expect(try content("report") == "")
            #expect(try names == ["report"])
        }
    }

    @Test func permissionsAreThoseOfANewFile() throws {
        try withDirectory {
            try AtomicFile.write([1], to: path("report"))
            let mode = try FileManager.default.attributesOfItem(atPath: path("report"))[.posixPermissions]
            let process = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(process.firstMatch(of: /Umask:\t([0-7]+)/))
            let mask = try #require(Int(line.1, radix: 8))
            #expect(mode as? Int == 0o644 & ~mask)
        }
    }

    @Test func makesMissingParents() throws {
        try withDirectory {
            try AtomicFile.write(Array("x".utf8), to: path("a/b//c/report"))
            #expect(try content("a/b/c/report") == "x")
        }
    }

    @Test func replacesALinkInsteadOfItsTarget() throws {
        try withDirectory {
            try AtomicFile.write(Array("precious".utf8), to: path("target"))
            try FileManager.default.createSymbolicLink(atPath: path("report"), withDestinationPath: "target")
            try FileManager.default.createSymbolicLink(
                atPath: path("dangling"), withDestinationPath: "nowhere")
            try AtomicFile.write(Array("x".utf8), to: path("report"))
            try AtomicFile.write(Array("y".utf8), to: path("dangling"))
            #expect(try content("target") == "precious")
            #expect(try content("report") == "x")
            #expect(try content("dangling") == "y")
            #expect(try names == ["dangling", "report", "target"])
        }
    }

    @Test func shortWritesAndInterruptionsAreContinued() throws {
        try withDirectory {
            var calls = 0
            try AtomicFile.write(Array("abcdef".utf8), to: path("report")) { descriptor, buffer in
                calls += 1
                if calls % 2 == 0 {
                    errno = EINTR
                    return -1
                }
                return write(descriptor, buffer.baseAddress, 1)
            }
            #expect(try content("report") == "abcdef")
            #expect(calls == 11)
        }
    }

    @Test(arguments: [ENOSPC, EIO, EDQUOT])
    func aFailedWriteKeepsTheOldContent(code: Int32) throws {
        try withDirectory {
            try AtomicFile.write(Array("old".utf8), to: path("report"))
            let error = #expect(throws: ReportError.self) {
                try AtomicFile.write(Array("new content".utf8), to: path("report")) { descriptor, buffer in
                    if buffer.count > 5 { return write(descriptor, buffer.baseAddress, 6) }
                    errno = code
                    return -1
                }
            }
            #expect(error?.kind == .writeFailed)
            #expect(error?.message.contains(path("report")) == true)
            #expect(error?.message.contains(String(cString: strerror(code))) == true)
            #expect(try content("report") == "old")
            #expect(try names == ["report"])
        }
    }

    @Test func aClosedDescriptorKeepsTheOldContent() throws {
        try withDirectory {
            try AtomicFile.write(Array("old".utf8), to: path("report"))
            #expect(throws: ReportError.self) {
                try AtomicFile.write(Array("new".utf8), to: path("report")) { _, buffer in
                    write(-1, buffer.baseAddress, buffer.count)
                }
            }
            #expect(try content("report") == "old")
            #expect(try names == ["report"])
        }
    }

    @Test func aFileAsParentIsRefused() throws {
        try withDirectory {
            try AtomicFile.write(Array("old".utf8), to: path("file"))
            let error = #expect(throws: ReportError.self) {
                try AtomicFile.write([1], to: path("file/sub/report"))
            }
            #expect(error?.kind == .writeFailed)
            #expect(error?.message.contains("Not a directory") == true)
            #expect(try content("file") == "old")
            #expect(try names == ["file"])
        }
    }

    @Test func aNameThatCannotBeRenamedToLeavesNoTemporary() throws {
        try withDirectory {
            let name = String(repeating: "n", count: 300)
            let error = #expect(throws: ReportError.self) { try AtomicFile.write([1], to: path(name)) }
            #expect(error?.message.contains("could not rename it into place") == true)
            let left = try names
            #expect(left == [])
        }
    }

    @Test(.enabled(if: getuid() != 0, "root may write anywhere"))
    func aReadOnlyDirectoryKeepsTheOldContent() throws {
        try withDirectory {
            try AtomicFile.write(Array("old".utf8), to: path("report"))
            chmod(directory.path, 0o555)
            defer { chmod(directory.path, 0o755) }
            #expect(throws: ReportError.self) { try AtomicFile.write([1], to: path("report")) }
            #expect(try content("report") == "old")
            #expect(try names == ["report"])
        }
    }

    @Test(arguments: [
        ("", "empty"), ("a\0b", "NUL"), ("/tmp/", "directory"), ("/tmp", "directory"),
        ("/dev/null", "device"),
        ("/dev/stdout", "stream"), ("/dev/fd/1", "stream"),
    ])
    func whatIsNoFileIsRefused(path: String, words: String) {
        let error = #expect(throws: ReportError.self) { try AtomicFile.write([1], to: path) }
        #expect(error?.kind == .unsuitablePath)
        #expect(error?.message.contains(words) == true)
    }

    @Test func aPipeIsRefusedAndLeftAlone() throws {
        try withDirectory {
            #expect(mkfifo(path("pipe"), 0o600) == 0)
            let error = #expect(throws: ReportError.self) { try AtomicFile.write([1], to: path("pipe")) }
            #expect(error?.kind == .unsuitablePath)
            let left = try names
            #expect(left == ["pipe"])
        }
    }
}
