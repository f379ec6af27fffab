import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel
import Synchronization
import Testing

/// The test program that serves, or misbehaves, as its argument says. It lies where the tests are.
private func unruly(_ mode: String) throws -> ReaderProgram {
    try built("unruly-reader", mode)
}

/// The same as on a kernel that has not all of what holds it.
private func unruly(_ mode: String, without lack: Lack) throws -> ReaderProgram {
    let program = try unruly(mode)
    return ReaderProgram(
        path: try builtProgram("old-kernel"), arguments: ["old-kernel", lack.rawValue, program.path, mode])
}

/// What a kernel does not have.
private enum Lack: String, CaseIterable {
    case seccomp, landlock, both
}

private func built(_ name: String, _ mode: String) throws -> ReaderProgram {
    ReaderProgram(path: try builtProgram(name), arguments: [name, mode])
}

private func serial(_ inputs: [LayerInput], plan: ContentPlan = ContentPlan(), _ program: ReaderProgram?)
    async throws -> [[UInt8]]
{
    try await LayerReader.index(inputs, plan: plan, settings: .init(program: program)).map(\.serialized)
}

private func oddTar() -> [UInt8] {
    var tar = TarBuilder()
    let long = String(repeating: "é/", count: 200) + "end"
    tar.add("etc/", .directory)
    tar.add("etc/passwd", content: Array("root".utf8), attributes: [("user.a", [1, 0])])
    tar.add(long, content: [9])
    tar.add("link", .symbolicLink, linkTarget: long)
    tar.addWithGNULongName("gnu/" + long, content: [8])
    tar.add(rawName: [0x62, 0xFF, 0x0A], content: Array(repeating: 7, count: 100_000))
    return tar.archive
}

@Suite("Process that reads layers") struct ReaderProgramTests {
    @Test("gives the same as reading in this process")
    func same() async throws {
        let plain = oddTar()
        let fixtures = try ["none", "gzip", "xz", "bzip2", "zstd"].map { program in
            try LayerFixture(plain: plain, blob: program == "none" ? plain : compressed(plain, by: program))
        }
        let plan = ContentPlan([.init(.path("/etc/passwd")), .init(.infix(Array("pass".utf8)))])
        let inputs = fixtures.map(\.input) + [fixtures[0].input]
        let contained = try await serial(inputs, plan: plan, try unruly("serve"))
        #expect(contained == (try await serial(inputs, plan: plan, nil)))
        #expect(contained.count == 6)
        #expect(try await serial([], try unruly("serve")).isEmpty)
    }

    @Test("errors are the same too, and of several layers the lowest is named")
    func sameErrors() async throws {
        let plain = oddTar()
        let good = try LayerFixture(plain: plain)
        let cut = try LayerFixture(blob: Array(plain[..<700]), diffID: good.input.diffID)
        let other = try LayerFixture(blob: plain, diffID: try Digester.digest(of: []))
        let inputs = [good, cut, other].map(\.input)
        func failure(_ program: ReaderProgram?) async -> LayerError? {
            do {
                _ = try await serial(inputs, program)
                return nil
            } catch {
                return error as? LayerError
            }
        }
        let contained = await failure(try unruly("serve"))
        #expect(contained == (await failure(nil)))
        #expect(contained?.kind == .truncated)
    }

    @Test func progressReachesTheBlobsBytes() async throws {
        let fixture = try LayerFixture(plain: sampleTar(files: 2_000))
        let progress = ReadProgress()
        _ = try await LayerReader.index(
            [fixture.input], plan: ContentPlan(), settings: .init(program: try unruly("serve")),
            progress: progress)
        // The last tenth of a second is not told.
        #expect(progress.bytesRead <= fixture.input.blob.size)
    }

    @Test(
        "a process that dies, is stuck or answers nonsense is an error that names the layer",
        arguments: [
            ("die", "signal 11"), ("die-at-once", "signal 9"),
            ("run-out-of-memory", "ended before it was done"), ("run-out-of-time", "signal 24"),
            ("leave", "ended before it was done"),
            ("fail", "exit code 7"), ("hang", "stuck"), ("chatter", "stuck"),
            ("garbage", "an answer that is none"),
            ("huge", "an answer that is none"), ("forge", "not the serial form"), ("break-off", "break off"),
            ("other-layer", "an answer that is none"), ("unbegun", "an answer that is none"),
            ("unread", "an answer that is none"),
        ])
    func misbehaviour(mode: String, reason: String) async throws {
        let fixture = try LayerFixture(plain: oddTar())
        var program = try unruly(mode)
        if ["hang", "chatter"].contains(mode) { program.patience = .milliseconds(300) }
        do {
            _ = try await serial([fixture.input], program)
            Issue.record("\(mode) gave a layer")
        } catch let error as LayerError {
            #expect(error.message.hasPrefix("layer 1 of 1: "))
            #expect(error.message.contains(reason), "\(error.message)")
        }
    }

    @Test("a layer that it hands over and does not verify is none")
    func unverified() async throws {
        let fixture = try LayerFixture(plain: oddTar())
        let path = try fixture.directory.write(try await fixture.index().serialized, to: "serial")
        let served = try unruly("unverified")
        let program = ReaderProgram(path: served.path, arguments: served.arguments + [path])
        let isGiven = Mutex(false)
        await #expect {
            try await LayerReader.index(
                [fixture.input], plan: ContentPlan(), settings: .init(program: program)
            ) { _, _ in isGiven.withLock { $0 = true } }
        } throws: { ($0 as? LayerError)?.kind == .reader && "\($0)".contains("ended before it was done") }
        #expect(isGiven.withLock { $0 })
    }

    @Test func aProgramThatIsNotThere() async throws {
        let fixture = try LayerFixture(plain: oddTar())
        let program = ReaderProgram(path: "/does/not/exist", arguments: ["x"])
        await #expect { try await serial([fixture.input], program) } throws: {
            ($0 as? LayerError)?.kind == .reader && "\($0)".contains("No such file")
        }
    }

    @Test("what holds it can be asked")
    func containment() async throws {
        #expect(try await unruly("serve").containment().filtersSystemCalls)
        await #expect(throws: LayerError.self) { try await unruly("fail").containment() }
    }

    @Test("the program itself is held as a program with one thread is: all of its threads are")
    func program() async throws {
        let containment = try await built("assay", "read-layers").containment()
        #expect(containment == (try await unruly("serve").containment()))
    }

    @Test("a contained process opens nothing, connects to nothing, starts nothing and signals nobody")
    func refusals() throws {
        let directory = try TemporaryDirectory()
        let results = try attempts(by: try unruly("try"), in: directory)
        #expect(results["seccomp"] == 1)
        for attempt in attemptsWithDescriptor + attemptsWithout {
            #expect(results[attempt] == EPERM || results[attempt] == EACCES, "\(attempt)")
        }
        #expect(try directory.read("file") == [1])
    }

    @Test("on a kernel without seccomp, Landlock or both layers are read the same, and what holds is said")
    func oldKernels() async throws {
        let fixture = try LayerFixture(plain: oddTar())
        let expected = try await serial([fixture.input], nil)
        let whole = try await unruly("serve").containment()
        for lack in Lack.allCases {
            let program = try unruly("serve", without: lack)
            let containment = try await program.containment()
            #expect(containment.filtersSystemCalls == (lack == .landlock), "\(lack)")
            #expect(
                containment.landlockVersion == (lack == .seccomp ? whole.landlockVersion : nil), "\(lack)")
            #expect(try await serial([fixture.input], program) == expected, "\(lack)")
        }
    }

    @Test("with seccomp alone nothing more is possible than with both")
    func withoutLandlock() throws {
        let directory = try TemporaryDirectory()
        let results = try attempts(by: try unruly("try", without: .landlock), in: directory)
        #expect(results["seccomp"] == 1 && results["landlock"] == 0)
        for attempt in attemptsWithDescriptor + attemptsWithout {
            #expect(results[attempt] == EPERM, "\(attempt)")
        }
    }

    @Test("with Landlock alone no file is opened, made or removed, and no socket made")
    func withoutSeccomp() async throws {
        let directory = try TemporaryDirectory()
        let results = try attempts(by: try unruly("try", without: .seccomp), in: directory)
        #expect(results["seccomp"] == 0)
        for attempt in attemptsWithDescriptor {
            #expect(results[attempt] == EMFILE || results[attempt] == EACCES, "\(attempt)")
        }
        if try await unruly("serve").containment().landlockVersion != nil {
            #expect(results["remove-file"] == EACCES && results["make-directory"] == EACCES)
            #expect(results["program"] == EACCES)
            #expect(try directory.read("file") == [1])
        }
    }

    @Test("without both no descriptor is had any more, and memory has its bound; the rest is not held")
    func withoutContainment() async throws {
        let directory = try TemporaryDirectory()
        let results = try attempts(by: try unruly("try", without: .both), in: directory)
        #expect(results["seccomp"] == 0 && results["landlock"] == 0)
        for attempt in attemptsWithDescriptor { #expect(results[attempt] == EMFILE, "\(attempt)") }
        // What the documentation says is not held, is not.
        for attempt in attemptsWithout { #expect(results[attempt] == 0, "\(attempt)") }
        let fixture = try LayerFixture(plain: oddTar())
        await #expect {
            try await serial([fixture.input], try unruly("run-out-of-memory", without: .both))
        } throws: {
            "\($0)".contains("ended before it was done")
        }
    }
}

/// What `unruly-reader try` tries: with a new descriptor, and without.
private let attemptsWithDescriptor = ["socket", "local-socket", "read-file", "write-file"]
private let attemptsWithout = ["remove-file", "make-directory", "signal", "program"]

/// The error number of each attempt, 0 where it succeeded; and what holds.
private func attempts(by program: ReaderProgram, in directory: TemporaryDirectory) throws -> [String: Int32] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program.path)
    process.arguments = program.arguments.dropFirst() + [try directory.write([1], to: "file")]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    var results: [String: Int32] = [:]
    for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ")
        results[String(words[0])] = Int32(words[1])
    }
    return results
}

/// Tries, on the thread that reads, what a thread that writes a tree must and must not be able to do.
private struct TryingSink: MemberSink {
    final class Results: Sendable {
        let codes = Mutex<[String: Int32]>([:])

        func note(_ attempt: String, _ result: Int32) {
            let code = result < 0 ? errno : 0
            codes.withLock { $0[attempt] = code }
        }
    }

    let inside: Int32
    let outside: String
    let results: Results

    mutating func begin(_ member: Member, index: Int) throws(LayerError) -> Bool {
        results.note("file inside", openat(inside, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        results.note("directory inside", mkdirat(inside, "directory", 0o700))
        results.note("read outside", open(outside + "/file", O_RDONLY | O_CLOEXEC))
        results.note("write outside", open(outside + "/file", O_WRONLY | O_CLOEXEC))
        results.note("make outside", open(outside + "/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        results.note("climb", openat(inside, "../file", O_WRONLY | O_CLOEXEC))
        results.note("remove outside", unlink(outside + "/file"))
        results.note("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        return false
    }

    mutating func data(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {}
    mutating func end() {}
}

@Suite("Threads that write a tree") struct ConfinedThreadTests {
    @Test("they reach only their directory, and only they are held to it")
    func confined() async throws {
        let directory = try TemporaryDirectory()
        try directory.write([1], to: "file")
        #expect(mkdir(directory.path + "/target", 0o700) == 0)
        let target = open(directory.path + "/target", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(target) }
        let fixture = try LayerFixture(plain: sampleTar(files: 0))
        let results = TryingSink.Results()
        _ = try await LayerReader.read([fixture.input], confinedTo: target) { _ in
            TryingSink(inside: target, outside: directory.path, results: results)
        }
        let codes = results.codes.withLock { $0 }
        #expect(codes["file inside"] == 0 && codes["directory inside"] == 0)
        for attempt in ["read outside", "write outside", "make outside", "climb", "remove outside"] {
            #expect(codes[attempt] == EACCES, "\(attempt)")
        }
        #expect(codes["socket"] == EPERM)
        #expect(try directory.read("file") == [1])
        try directory.write([2], to: "file")
    }
}
