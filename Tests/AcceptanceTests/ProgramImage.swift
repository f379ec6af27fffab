import AssayTestSupport
import Foundation
import Glibc
import OCIModel
import Verdict

/// A directory with an image of one static program that is a shell and its tools, a cache of its own, and suites with
/// scenarios. The smallest image that can be run.
struct ProgramImage {
    let directory: TemporaryDirectory
    let layout: String
    var cache: String { "\(directory.path)/cache" }
    /// For the program under test.
    var environment: [String: String?] { ["XDG_CACHE_HOME": cache] }

    /// - Parameter files: how many more files it has, in /many.
    init(files: Int = 0) throws {
        directory = try TemporaryDirectory()
        guard let program = FileManager.default.contents(atPath: "/bin/busybox") else {
            throw ToolError(description: "no /bin/busybox; scripts/test installs busybox-static")
        }
        var image = ImageBuilder()
        image.runConfig = .object([
            .init("Env", .array(["PATH=/bin", "GREETING=hello"])), .init("Entrypoint", .array(["sh", "-c"])),
            .init("Cmd", .array(["echo nothing"])), .init("WorkingDir", "/work"),
        ])
        image.addLayer(createdBy: "ADD rootfs") { tar in
            for folder in ["bin/", "etc/", "work/"] { tar.add(folder, .directory) }
            tar.add("tmp/", .directory, mode: 0o1777)
            tar.add("bin/busybox", content: Array(program), mode: 0o755)
            for tool in [
                "sh", "cat", "chroot", "cp", "date", "dd", "grep", "head", "hostname", "id", "ln", "ls",
                "mkfifo",
                "mknod", "mount", "nc", "setsid", "sleep", "stat", "swapoff", "touch", "true", "tty",
                "umount",
                "unshare", "yes",
            ] {
                tar.add("bin/\(tool)", .symbolicLink, linkTarget: "busybox")
            }
            tar.add(
                "etc/passwd", content: Array("root:x:0:0::/root:/bin/sh\napp:x:500:0::/work:/bin/sh\n".utf8))
            tar.add("etc/group", content: Array("root:x:0:\nmore:x:77:app\n".utf8))
            tar.add("escape", .symbolicLink, linkTarget: "../../../../etc")
            tar.add("nowhere", .symbolicLink, linkTarget: "/nope/x")
            tar.add("loop", .symbolicLink, linkTarget: "/loop")
            tar.add("etc/script", content: Array("#!/bin/sh\n".utf8))
            if files > 0 { tar.add("many/", .directory) }
            for number in 0..<files { tar.add("many/\(number)", content: Array("\(number)\n".utf8)) }
        }
        layout = "oci:\(try directory.write(try image.layoutFiles(), below: "layout"))"
    }

    /// Writes a suite and returns its path.
    func write(suite text: String, named name: String) throws -> String {
        try directory.write(Array("suite: \(name)\ntitle: Example\n\(text)\n".utf8), to: "\(name).yaml")
    }

    /// A suite of one scenario, one container that runs a script.
    func suite(_ name: String, script: String, _ scenario: String = "", expecting code: Int = 0) throws
        -> String
    {
        try write(
            suite: """
                scenarios:
                  one:
                    \(scenario)
                    containers: {main: {args: [\(quoted(script)), \(quoted(name))]}}
                checks:
                  - {id: T-1, title: t, run: one, expect: {exit: main, equals: \(code)}}
                """, named: name)
    }

    private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    /// Command lines of running processes with a word in them.
    static func processes(with marker: String) -> [String] {
        processes { words(of: $0, "cmdline").contains(marker) }
    }

    /// Command lines of running processes that have a variable from whoever started them.
    static func processes(withVariable variable: String) -> [String] {
        processes { words(of: $0, "environ").contains(variable) }
    }

    /// Command lines of running processes whose working directory is in a folder.
    static func processes(in folder: String) -> [String] {
        processes { number in
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd")
            return place?.hasPrefix(folder) == true
        }
    }

    private static func processes(_ isWanted: (String) -> Bool) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [])
            .filter { Int($0) != nil && isWanted($0) }
            .map { words(of: $0, "cmdline").joined(separator: " ") }
    }

    private static func words(of number: String, _ file: String) -> [String] {
        (FileManager.default.contents(atPath: "/proc/\(number)/\(file)") ?? Data())
            .split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
