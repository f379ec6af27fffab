import Foundation
import Glibc
import Verdict

/// The processes of containers as this machine sees them, by its /proc (proc(5)).
enum ContainerProcesses {
    /// Processes that are looked at: a container may have `ProbeLimits.processes` of them.
    private static let limit = 1024

    private struct Entry {
        let parent: pid_t
        let name: String
        /// By number of namespace, from that of this /proc inwards.
        let numbers: [Int]
        let groups: [Int]
        let sessions: [Int]
    }

    /// What runs below the first process of a container, itself included; nil when it has ended.
    static func below(_ first: pid_t) -> [ContainerState.Process]? {
        guard let top = entry(first), !top.numbers.isEmpty else { return nil }
        let level = top.numbers.count - 1
        var entries: [(pid: pid_t, entry: Entry)] = []
        for pid in tree(below: first) {
            // It may have ended meanwhile.
            if let entry = entry(pid), entry.numbers.count > level { entries.append((pid, entry)) }
        }
        let numbers = Dictionary(entries.map { ($0.pid, $0.entry.numbers[level]) }, uniquingKeysWith: { $1 })
        return entries.map { pid, entry in
            ContainerState.Process(
                pid: entry.numbers[level], parent: pid == first ? 0 : numbers[entry.parent] ?? 0,
                group: entry.groups.count > level ? entry.groups[level] : 0,
                session: entry.sessions.count > level ? entry.sessions[level] : 0, name: entry.name)
        }.sorted { $0.pid < $1.pid }
    }

    /// The process below another one that has a number in a namespace which is that many deeper than this /proc's.
    static func find(_ number: Int, atDepth depth: Int, below top: pid_t) -> pid_t? {
        tree(below: top).first { pid in
            guard let numbers = entry(pid)?.numbers, numbers.count > depth else { return false }
            return numbers[depth] == number
        }
    }

    /// How much deeper the namespace of a process is than that of this /proc.
    static func depth(of pid: pid_t) -> Int? { entry(pid).map { $0.numbers.count - 1 } }

    /// The TCP ports on which something listens in the network of a process; nil when it has ended.
    static func ports(of pid: pid_t) -> [ContainerState.Port]? {
        var ports: [ContainerState.Port] = []
        for name in ["tcp", "tcp6"] {
            let text = try? String(contentsOfFile: "/proc/\(pid)/net/\(name)", encoding: .utf8)
            // A kernel without IPv6 has no tcp6.
            guard let text else {
                if name == "tcp" { return nil }
                continue
            }
            for line in text.split(separator: "\n").dropFirst().prefix(4096) {
                let fields = line.split(separator: " ")
                // 0A stands for TCP_LISTEN.
                guard fields.count > 3, fields[3] == "0A", let port = port(fields[1]) else { continue }
                if !ports.contains(port) { ports.append(port) }
            }
        }
        return ports.sorted { ($0.number, $0.address) < ($1.number, $1.address) }
    }

    /// `0100007F:1F90`: words of 32 bits in the byte order of the machine, and the port.
    static func port(_ text: Substring) -> ContainerState.Port? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, [8, 32].contains(parts[0].utf8.count),
            let number = UInt16(parts[1], radix: 16)
        else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        var address = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &address, socklen_t(address.count)) != nil else { return nil }
        let end = address.firstIndex(of: 0) ?? address.endIndex
        return ContainerState.Port(
            address: String(decoding: address[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self),
            number: number)
    }

    private static func tree(below first: pid_t) -> [pid_t] {
        var found = [first]
        var index = 0
        while index < found.count, found.count < limit {
            let tasks = "/proc/\(found[index])/task"
            for task in (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? [] {
                let text = (try? String(contentsOfFile: "\(tasks)/\(task)/children", encoding: .utf8)) ?? ""
                found += text.split(separator: " ").compactMap { pid_t($0) }
            }
            index += 1
        }
        return found
    }

    private static func entry(_ pid: pid_t) -> Entry? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/status") else { return nil }
        var fields: [Substring: Substring] = [:]
        let text = String(decoding: bytes, as: UTF8.self)
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == "\t" }
        }
        func numbers(_ key: Substring) -> [Int] {
            (fields[key] ?? "").split(separator: "\t").compactMap { Int($0) }
        }
        return Entry(
            parent: fields["PPid"].flatMap { pid_t($0) } ?? 0, name: fields["Name"].map(String.init) ?? "",
            numbers: numbers("NSpid"), groups: numbers("NSpgid"), sessions: numbers("NSsid"))
    }
}
