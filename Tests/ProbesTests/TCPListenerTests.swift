import Foundation
import Glibc
import Testing

@testable import Probes

@Suite("Ports that open late, drop, reset and count")
struct TCPListenerTests {
    /// What a client sees who connects and waits for a byte.
    private enum Seen: Equatable {
        case refused
        case ended
        case reset
        case silence
        case byte(UInt8)
    }

    private func connect(_ port: UInt16, saying text: String = "") -> Seen {
        let descriptor = TCPListener.Target.port(port).connected()
        guard descriptor >= 0 else { return .refused }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 0, tv_usec: 300_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        if !text.isEmpty { send(descriptor, text, text.utf8.count, 0) }
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, 0)
        if count == 0 { return .ended }
        if count > 0 { return .byte(byte) }
        return errno == ECONNRESET ? .reset : .silence
    }

    @Test("the first connections are dropped, the next ones reset, the others held; all are counted")
    func refusals() async throws {
        let listener = try TCPListener()
        #expect(connect(listener.port) == .refused)
        listener.open(at: .now, drops: 1, resets: 1)
        #expect(connect(listener.port) == .ended)
        #expect(connect(listener.port) == .reset)
        #expect(connect(listener.port) == .silence)
        await listener.close()
        #expect(listener.record.connections == 3)
    }

    @Test("it opens when it is time, and says when; one that never opens refuses")
    func opening() async throws {
        let listener = try TCPListener()
        let start = ContinuousClock.now
        listener.open(at: start + .milliseconds(150))
        #expect(connect(listener.port) == .refused)
        try await Task.sleep(for: .milliseconds(300))
        #expect(connect(listener.port) == .silence)
        await listener.close()
        let opened = try #require(listener.record.opened)
        #expect(start.duration(to: opened) >= .milliseconds(150))
        #expect(try #require(listener.record.firstConnection) >= opened)
        let closed = try TCPListener()
        #expect(connect(closed.port) == .refused)
        await closed.close()
        #expect(closed.record.opened == nil)
    }

    @Test("connections are handed on to a server, and its answer back")
    func forwarding() async throws {
        // A listener that drops is a server that ends every connection; one behind another is seen through it.
        let server = try TCPListener()
        server.open(at: .now, drops: 1)
        let listener = try TCPListener()
        listener.open(at: .now, target: .port(server.port))
        #expect(connect(listener.port) == .ended)
        #expect(connect(listener.port) == .silence)
        await listener.close()
        await server.close()
        #expect(server.record.connections == 2)
        #expect(listener.record.connections == 2)
    }
}
