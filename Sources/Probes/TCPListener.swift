import Foundation
import Glibc
import Synchronization

/// A TCP port on the loopback address that opens late or never, and drops or resets the first connections. Those it
/// keeps it hands on to a server; without one it holds them and answers nothing.
///
/// The port is chosen at once and kept: until it opens, connections are refused.
final class TCPListener: Sendable {
    /// Where connections are handed on to.
    enum Target: Sendable {
        case socket(path: String)
        case port(UInt16)
    }

    /// What was seen so far.
    struct Record: Sendable {
        /// Connections that were accepted, those included that were dropped or reset.
        var connections = 0
        var opened: ContinuousClock.Instant?
        var firstConnection: ContinuousClock.Instant?
    }

    let port: UInt16
    private let descriptor: Int32
    private let isClosed = Atomic<Bool>(false)
    private let isServing = Atomic<Bool>(false)
    private let held = Atomic<Int>(0)
    private let state = Mutex(Record())

    /// Connections that are held at most; more are closed at once.
    private static let maximumConnections = 64
    /// Seconds after which a write that nobody takes is given up.
    private static let sendLimit = 5

    init() throws(ProbeError) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TCPListener.failure("socket") }
        var address = loopback(port: 0)
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
    }

    private static func failure(_ call: String) -> ProbeError {
        ProbeError(
            .runtime, "cannot listen on the loopback address: \(call): \(String(cString: strerror(errno)))")
    }

    var record: Record { state.withLock { $0 } }

    /// Opens the port at a time; the first connections are dropped, the next ones reset. What comes after the first
    /// call does nothing.
    func open(at opening: ContinuousClock.Instant, drops: Int = 0, resets: Int = 0, target: Target? = nil) {
        guard !isServing.exchange(true, ordering: .relaxed) else { return }
        if opening <= ContinuousClock.now { listen() }
        Thread.detachNewThread { [self] in
            serve(from: opening, drops: drops, resets: resets, target: target)
            isServing.store(false, ordering: .releasing)
        }
    }

    private func listen() {
        guard Glibc.listen(descriptor, 128) == 0 else { return }
        state.withLock { $0.opened = .now }
    }

    /// Accepts connections until the listener is closed. Holds on to it by then: the descriptor stays ours.
    private func serve(from opening: ContinuousClock.Instant, drops: Int, resets: Int, target: Target?) {
        if record.opened == nil {
            while ContinuousClock.now < opening, !isClosed.load(ordering: .relaxed) { usleep(5_000) }
            if isClosed.load(ordering: .relaxed) { return }
            listen()
        }
        while true {
            // Asked before: what has connected until the end is counted.
            let isLast = isClosed.load(ordering: .relaxed)
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, isLast ? 0 : 20) > 0 {
                let connection = accept(descriptor, nil, nil)
                if connection >= 0 {
                    _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                    take(connection, drops: drops, resets: resets, target: target)
                }
            } else if isLast {
                return
            }
        }
    }

    private func take(_ connection: Int32, drops: Int, resets: Int, target: Target?) {
        let number = state.withLock { record in
            record.connections += 1
            record.firstConnection = record.firstConnection ?? .now
            return record.connections
        }
        if number > drops, number <= drops + resets {
            // Closed with nothing to linger for, it is reset.
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        }
        guard number > drops + resets, held.load(ordering: .relaxed) < TCPListener.maximumConnections else {
            Glibc.close(connection)
            return
        }
        held.add(1, ordering: .relaxed)
        Thread.detachNewThread { [self] in
            hold(connection, target)
            Glibc.close(connection)
            held.subtract(1, ordering: .relaxed)
        }
    }

    /// Carries bytes between a connection and the server behind it until one of them or the listener is closed.
    private func hold(_ connection: Int32, _ target: Target?) {
        var server: Int32 = -1
        if let target {
            server = target.connected()
            if server < 0 { return }
        }
        defer { if server >= 0 { Glibc.close(server) } }
        var limit = timeval(tv_sec: TCPListener.sendLimit, tv_usec: 0)
        for descriptor in [connection, server] where descriptor >= 0 {
            setsockopt(
                descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        var ends = [
            pollfd(fd: connection, events: Int16(POLLIN), revents: 0),
            pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        while ends[0].fd >= 0, !isClosed.load(ordering: .relaxed) {
            guard poll(&ends, 2, 100) > 0 else { continue }
            for index in ends.indices where ends[index].revents != 0 {
                let other = index == 0 ? server : connection
                if !TCPListener.carry(from: ends[index].fd, to: other) {
                    // The other end hears of it, and may go on writing for a while.
                    if other >= 0 { shutdown(other, Int32(SHUT_WR)) }
                    ends[index].fd = -1
                    if index == 1 { return }
                }
            }
        }
        // The client is done; the server may still answer.
        while ends[1].fd >= 0, !isClosed.load(ordering: .relaxed) {
            guard poll(&ends, 2, 100) > 0 else { continue }
            if !TCPListener.carry(from: server, to: connection) { return }
        }
    }

    /// - Returns: false at the end of what there is to read, or when it could not be written.
    private static func carry(from source: Int32, to destination: Int32) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(source, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        guard destination >= 0 else { return true }
        var written = 0
        while written < count {
            let result = bytes.withUnsafeBytes { buffer in
                send(
                    destination, buffer.baseAddress?.advanced(by: written), count - written,
                    Int32(MSG_NOSIGNAL))
            }
            guard result > 0 else { return false }
            written += result
        }
        return true
    }

    /// Nothing is accepted any more; the port is given back when the last connection is closed.
    func close() async {
        isClosed.store(true, ordering: .relaxed)
        // Its threads look at the flag at least every 100 ms, but for a write that hangs.
        for _ in 0..<50 where isServing.load(ordering: .acquiring) {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    deinit { Glibc.close(descriptor) }
}

extension TCPListener.Target {
    /// A connected socket; negative when nobody listens.
    func connected() -> Int32 {
        switch self {
        case .port(let port):
            var address = loopback(port: port)
            return connected(AF_INET, &address)
        case .socket(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(path.utf8)
            guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
            return connected(AF_UNIX, &address)
        }
    }

    private func connected<Address>(_ family: Int32, _ address: inout Address) -> Int32 {
        let descriptor = Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        if result == 0 { return descriptor }
        if descriptor >= 0 { Glibc.close(descriptor) }
        return -1
    }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    return address
}
