import Foundation
import Glibc
import Synchronization

/// A TCP port on the loopback address that opens late or never, accepts connections and answers nothing.
///
/// The port is chosen at once and kept: until it opens, connections are refused.
final class TCPListener: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let isClosed = Atomic<Bool>(false)
    private let accepted = Atomic<Int>(0)

    /// Connections so far.
    var connectionCount: Int { accepted.load(ordering: .relaxed) }

    /// Connections that are held at most; more are closed at once.
    private static let maximumConnections = 64

    /// - Parameter opensAfter: seconds; nil for never.
    init(opensAfter: Double?) throws(ProbeError) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TCPListener.failure("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 ? getsockname(descriptor, address, &size) : -1
            }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            throw TCPListener.failure("bind")
        }
        self.descriptor = descriptor
        port = UInt16(bigEndian: address.sin_port)
        guard let opensAfter else { return }
        let opening = ContinuousClock.now + .seconds(opensAfter)
        if opensAfter == 0 { Glibc.listen(descriptor, 16) }
        Thread.detachNewThread { [self] in serve(from: opening) }
    }

    private static func failure(_ call: String) -> ProbeError {
        ProbeError(
            .runtime, "cannot listen on the loopback address: \(call): \(String(cString: strerror(errno)))")
    }

    /// Accepts connections until the listener is closed. Holds on to it by then: the descriptor stays ours.
    private func serve(from opening: ContinuousClock.Instant) {
        var connections: [Int32] = []
        while ContinuousClock.now < opening, !isClosed.load(ordering: .relaxed) { usleep(5_000) }
        Glibc.listen(descriptor, 16)
        while !isClosed.load(ordering: .relaxed) {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, 20) > 0 else { continue }
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { continue }
            accepted.add(1, ordering: .relaxed)
            if connections.count < TCPListener.maximumConnections {
                connections.append(connection)
            } else {
                Glibc.close(connection)
            }
        }
        for connection in connections { Glibc.close(connection) }
    }

    /// Nothing is accepted any more; the port is given back when the last connection is closed.
    func close() { isClosed.store(true, ordering: .relaxed) }

    deinit { Glibc.close(descriptor) }
}
