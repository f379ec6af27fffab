import Foundation
import Glibc
import OCIModel
import Suite
import Synchronization

/// A server of this machine's own, in a new directory, that ends with Assay: what wraps it reads from a lifeline.
///
/// Started by root, it runs as nobody. Nothing but the service's own port listens, where the server can do without.
final class LocalServer: Sendable {
    let plan: ServerPlan
    /// Where it can be reached; through a `TCPListener`, which counts.
    let target: TCPListener.Target
    private let place: String
    private let lifeline: Lifeline
    private let program: RunningProgram

    /// Seconds that a server may take until it answers.
    private static let startLimit = 60.0
    /// What servers run as when Assay is root: nobody and nogroup.
    private static let unprivileged: UInt32 = 65534

    /// What ends the server and removes its directory, also when nobody reads any more what the shell says. `$1` that directory, `$2` the signal that ends the server,
    /// then its command line.
    private static let script = """
        exec 3<"$1/lifeline" 4>&2 2>/dev/null
        place=$1 signal=$2
        shift 2
        cd "$place/data"
        setsid "$@" </dev/null >"$place/log" 2>&1 3<&- 4>&- &
        server=$!
        { read -r line <&3 || true; kill "-$signal" "-$server"; } 4>&- &
        wait "$server"
        kill $!
        kill -KILL "-$server"
        tail -n 5 "$place/log" >&4
        rm -rf "$place"
        """

    /// Prepares the server and starts it.
    ///
    /// - Throws: `ProbeError` of kind `.unavailable` when a program of it is not installed.
    init(_ plan: ServerPlan) throws(ProbeError) {
        let programs = plan.programs + ["setpriv", "setsid"]
        let missing = programs.filter { ServicePrograms.path(of: $0) == nil }
        guard missing.isEmpty else {
            throw ProbeError(
                .unavailable,
                "\(plan.kind.rawValue) takes programs that are not installed (\(missing.joined(separator: ", "))): "
                    + "apt-get install \(plan.packages.joined(separator: " "))")
        }
        self.plan = plan
        place = try LocalServer.makeDirectory()
        let data = "\(place)/data"
        switch plan.endpoint {
        case .socket(let name): target = .socket(path: "\(data)/\(name)")
        case .port(let port): target = .port(port)
        }
        let isRoot = geteuid() == 0
        do {
            try FileManager.default.createDirectory(
                atPath: data, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            for (name, content) in plan.files + [("../serve", plan.script)] {
                try Data(content.utf8).write(to: URL(filePath: "\(data)/\(name)"))
                if isRoot { chown("\(data)/\(name)", LocalServer.unprivileged, LocalServer.unprivileged) }
            }
            if isRoot { chown(data, LocalServer.unprivileged, LocalServer.unprivileged) }
        } catch {
            try? FileManager.default.removeItem(atPath: place)
            throw ProbeError(.runtime, "cannot prepare \(plan.kind.rawValue) in \(escaped(place)): \(error)")
        }
        lifeline = try Lifeline(at: "\(place)/lifeline")
        let user = isRoot ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : []
        program = RunningProgram(
            ["sh", "-c", LocalServer.script, "assay", place, plan.endingSignal, "setpriv"] + user + [
                // Should the wrapper be killed; a shell's child ignores QUIT.
                "--pdeathsig=KILL", "env", "--ignore-environment", "--default-signal=QUIT",
                "PATH=\(LocalServer.searchPath(for: plan.programs))", "HOME=\(data)", "LC_ALL=C", "sh",
                "-eu", "../serve",
            ], input: nil, outputLimit: 4096)
    }

    /// A `PATH` with the programs, and what a shell needs.
    private static func searchPath(for programs: [String]) -> String {
        let folders = programs.compactMap { program in
            ServicePrograms.path(of: program).map {
                $0.split(separator: "/").dropLast().joined(separator: "/")
            }
        }
        return (["/usr/sbin", "/usr/bin", "/sbin", "/bin"] + folders.map { "/" + $0 }).joined(separator: ":")
    }

    private static func makeDirectory() throws(ProbeError) -> String {
        let pattern = FileManager.default.temporaryDirectory.appending(path: "assay-server-XXXXXX").path
        var bytes = pattern.utf8CString.map { $0 }
        let isMade = bytes.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        guard isMade else {
            throw ProbeError(.runtime, "\(escaped(pattern)): \(String(cString: strerror(errno)))")
        }
        let path = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Whoever the server runs as has to get through.
        chmod(path, 0o711)
        return path
    }

    /// Waits until it answers.
    ///
    /// - Throws: `ProbeError` of kind `.runtime` when it ended, or does not answer in time.
    func awaitReadiness() async throws(ProbeError) {
        let end = ContinuousClock.now + .seconds(LocalServer.startLimit)
        while !plan.greeting.isAnswered(by: target) {
            let name = plan.kind.rawValue
            if try program.exitCode() != nil {
                let log = program.standardError.output.text
                throw ProbeError(.runtime, "\(name) did not start: \(escaped(String(log.suffix(400))))")
            }
            guard ContinuousClock.now < end, !Task.isCancelled else {
                throw ProbeError(.runtime, "\(name) did not answer within \(LocalServer.startLimit) s")
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A file that it made.
    func content(of file: String) throws(ProbeError) -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(filePath: "\(place)/data/\(file)")))
        } catch {
            throw ProbeError(.runtime, "\(plan.kind.rawValue) made no \(file): \(error)")
        }
    }

    /// Ends it; nothing is left of it.
    func stop() async {
        lifeline.cut()
        await program.end(within: .seconds(5))
        try? FileManager.default.removeItem(atPath: place)
    }
}

/// What there is to ask of a server until it answers.
struct Greeting: Sendable {
    /// What is sent.
    var question: [UInt8]
    /// Whether the beginning of the answer is that of a server that is ready; nil where none is waited for.
    var isAnswer: (@Sendable ([UInt8]) -> Bool)?

    func isAnswered(by target: TCPListener.Target) -> Bool {
        let connection = target.connected()
        guard connection >= 0 else { return false }
        defer { close(connection) }
        guard let isAnswer else { return true }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard send(connection, question, question.count, Int32(MSG_NOSIGNAL)) == question.count
        else {
            return false
        }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = recv(connection, &bytes, bytes.count, 0)
        return count > 0 && isAnswer(Array(bytes.prefix(count)))
    }
}
