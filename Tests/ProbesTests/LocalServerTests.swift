import Foundation
import Glibc
import Testing

@testable import Probes
@testable import Suite

@Suite("Servers of this machine end with the run")
struct LocalServerTests {
    /// A server that every machine has: it makes its file, and holds what a greeting finds.
    private func plan(_ script: String, programs: [String] = ["sh"]) throws -> ServerPlan {
        ServerPlan(
            kind: .kdc, programs: programs, packages: ["a-package"], script: script,
            endpoint: .port(try TCPListener().port), greeting: Greeting(question: []), values: [:])
    }

    /// Whether a process runs; one that has ended and that nobody has waited for yet does not.
    private func isAlive(_ pid: String) -> Bool {
        let status = "/proc/\(pid.trimmingCharacters(in: .whitespacesAndNewlines))/status"
        guard let text = try? String(contentsOfFile: status, encoding: .utf8) else { return false }
        return !text.contains("State:\tZ")
    }

    @Test("a program that is not installed makes it unavailable, and says what to install")
    func missing() throws {
        let error = #expect(throws: ProbeError.self) {
            try LocalServer(try plan("", programs: ["no-such-program"]))
        }
        #expect(error?.kind == .unavailable)
        #expect(error?.message.contains("no-such-program") == true)
        #expect(error?.message.hasSuffix("apt-get install a-package") == true)
    }

    @Test("one that ends before it answers is a broken machine, with the end of what it wrote")
    func brokenStart() async throws {
        let server = try LocalServer(try plan("echo it broke; exit 3"))
        let error = await #expect(throws: ProbeError.self) { try await server.awaitReadiness() }
        #expect(error?.kind == .runtime)
        #expect(error?.message.contains("it broke") == true)
        await server.stop()
    }

    @Test("stopped, neither it nor a process of it nor its directory is left")
    func stopping() async throws {
        let server = try LocalServer(
            try plan("sleep 1000 & echo $! > child; echo $$ > self; pwd > place; wait"))
        var pids: [String] = []
        for _ in 0..<500 where pids.count < 3 {
            try await Task.sleep(for: .milliseconds(10))
            pids = ["child", "self", "place"].compactMap { name in
                (try? server.content(of: name)).map { String(decoding: $0, as: UTF8.self) }
            }
        }
        try #require(pids.count == 3)
        #expect(isAlive(pids[0]) && isAlive(pids[1]))
        await server.stop()
        #expect(!isAlive(pids[0]) && !isAlive(pids[1]))
        let place = pids[2].trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(!FileManager.default.fileExists(atPath: place))
    }

    /// Each where it is installed.
    @Test(
        "real servers answer, and are gone afterwards",
        arguments: [ServiceDeclaration.Kind.postgresql, .mariadb, .redis, .kdc])
    func real(_ kind: ServiceDeclaration.Kind) async throws {
        do throws(ProbeError) {
            try await observe(kind)
        } catch {
            #expect(error.kind == .unavailable, "\(error.message)")
        }
    }

    private func observe(_ kind: ServiceDeclaration.Kind) async throws(ProbeError) {
        let service = try await ScenarioService(ServiceDeclaration(name: "s", kind: kind, opensAfter: 0))
        let start = ContinuousClock.now
        service.openInTime(start: start)
        #expect(Set(service.values.keys) == Set(kind.parameters))
        for file in kind.files {
            let content = try service.content(of: file)
            #expect(!content.isEmpty)
        }
        let (transcript, events) = await service.stop(start: start)
        #expect(transcript.kind == kind.rawValue)
        #expect(events.map(\.text) == ["s opens"])
    }
}
