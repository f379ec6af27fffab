import Facts
import Foundation
import Glibc
import OCIModel
import Suite
import Verdict

/// A container as a runtime takes it: what the image's config says and what the scenario changes, resolved as
/// `docker run` does.
public struct ContainerSpec: Hashable, Sendable {
    public struct Variable: Hashable, Sendable {
        public var name: String
        public var value: String
    }

    public struct File: Hashable, Sendable {
        public var path: String
        public var content: [UInt8]
        /// Mode bits 07777; the file is root's.
        public var permissions: UInt16
    }

    public struct Volume: Hashable, Sendable {
        public var name: String
        public var path: String
    }

    public var name: String
    /// The program and its arguments.
    public var arguments: [String]
    public var environment: [Variable]
    public var user: ResolvedUser
    public var workingDirectory: String
    public var input: String?
    public var files: [File]
    public var volumes: [Volume]
    public var hasTerminal: Bool
    /// Paths of empty directories in memory.
    public var temporaryDirectories: [String]
    /// Bytes, and processes with threads; nil for those of `ProbeLimits`.
    public var memoryLimit: Int64?
    public var processLimit: Int?
    /// Whether its files are looked at, also after its end.
    public var keepsFiles: Bool
    /// Whether it sees the network of this machine, where the services of a scenario are; else it has none.
    public var sharesNetwork: Bool
    /// What runs the same by hand, but for services.
    public var command: String
}

extension ContainerSpec {
    /// - Parameter contents: those of the declaration's files, in their order.
    /// - Throws: `ProbeError` of kind `.scenario` for a parameter without value, a user that the image does not
    ///   know, or nothing to run.
    init(
        _ declaration: ContainerDeclaration, config: ImageConfig, users: Fact<UserDatabase>, scope: Scope,
        files contents: [[UInt8]], sharesNetwork: Bool, keepsFiles: Bool
    ) throws(ProbeError) {
        func resolve(_ template: Template) throws(ProbeError) -> String {
            do throws(Unresolved) {
                return try template.resolved(in: scope)
            } catch {
                throw ProbeError(.scenario, error.reason)
            }
        }
        func resolve(_ templates: [Template]?) throws(ProbeError) -> [String]? {
            guard let templates else { return nil }
            var texts: [String] = []
            for template in templates { texts.append(try resolve(template)) }
            return texts
        }
        let run = config.run
        let given = try resolve(declaration.arguments)
        let entrypoint = try resolve(declaration.entrypoint)
        // An entrypoint of one's own does not get the image's command.
        let command = given ?? (entrypoint == nil ? run.command ?? [] : [])
        name = declaration.name
        arguments = (entrypoint ?? run.entrypoint ?? []) + command
        guard !arguments.isEmpty else {
            throw ProbeError(.scenario, "\(name): neither the image nor the scenario says what to run")
        }
        var variables: [Variable] = []
        for entry in run.environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { continue }
            variables.append(Variable(name: String(parts[0]), value: String(parts[1])))
        }
        var own: [Variable] = []
        for variable in declaration.environment {
            let value = Variable(name: variable.name, value: try resolve(variable.value))
            variables.removeAll { $0.name == value.name }
            variables.append(value)
            own.append(value)
        }
        if declaration.hasTerminal, !variables.contains(where: { $0.name == "TERM" }) {
            variables.append(Variable(name: "TERM", value: "xterm"))
        }
        if !variables.contains(where: { $0.name == "PATH" }) {
            variables.append(
                Variable(name: "PATH", value: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
        }
        environment = variables
        var userName: String?
        if let user = declaration.user { userName = try resolve(user) }
        user = try ContainerSpec.user(userName ?? run.user, users)
        var directory = run.workingDirectory
        if let given = declaration.workingDirectory { directory = try resolve(given) }
        workingDirectory = directory.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        input = declaration.input
        var files: [File] = []
        for (file, content) in zip(declaration.files, contents) {
            files.append(
                File(path: try resolve(file.path), content: content, permissions: file.permissions))
        }
        self.files = files
        var volumes: [Volume] = []
        for volume in declaration.volumes {
            volumes.append(Volume(name: volume.name, path: try resolve(volume.path)))
        }
        self.volumes = volumes
        hasTerminal = declaration.hasTerminal
        temporaryDirectories = try resolve(declaration.temporaryDirectories) ?? []
        memoryLimit = declaration.memoryLimit
        processLimit = declaration.processLimit
        self.keepsFiles = keepsFiles
        self.sharesNetwork = sharesNetwork
        var words = ["docker", "run", "--rm"]
        if let userName { words += ["--user", userName] }
        for variable in own { words += ["--env", "\(variable.name)=\(variable.masked)"] }
        if let directory = declaration.workingDirectory { words += ["--workdir", try resolve(directory)] }
        for volume in volumes { words += ["--volume", "\(volume.name):\(volume.path)"] }
        for file in files { words += ["--volume", "FILE:\(file.path)"] }
        for path in temporaryDirectories { words += ["--tmpfs", path] }
        if hasTerminal { words += ["--tty"] }
        if let memoryLimit { words += ["--memory", "\(memoryLimit)"] }
        if let processLimit { words += ["--pids-limit", "\(processLimit)"] }
        if let entrypoint { words += ["--entrypoint", entrypoint.first ?? ""] }
        words += ["IMAGE"] + (entrypoint.map { Array($0.dropFirst()) } ?? []) + (given ?? [])
        self.command = words.map(shellQuoted).joined(separator: " ")
    }

    static func user(_ name: String?, _ users: Fact<UserDatabase>) throws(ProbeError) -> ResolvedUser {
        do throws(FactError) {
            return try UserDatabase.resolve(name, by: users)
        } catch {
            throw ProbeError(.scenario, error.message)
        }
    }
}

extension ContainerSpec {
    /// The options of a directory in memory (mount(8)): the same whatever runs the container.
    static let temporaryOptions = ["nosuid", "nodev", "noexec", "mode=1777", "size=65536k"]

    /// Writes the files into a directory, which is made.
    ///
    /// - Returns: their paths, in the order of `files`.
    func writeFiles(below place: String) throws(ProbeError) -> [String] {
        do {
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ProbeError(.runtime, "cannot make \(escaped(place)): \(error)")
        }
        var paths: [String] = []
        for (index, file) in files.enumerated() {
            let path = "\(place)/file-\(index)"
            try ContainerSpec.write(file.content, to: path, permissions: file.permissions)
            paths.append(path)
        }
        return paths
    }

    /// Writes an /etc/hosts as docker makes it: that of this machine where its network is.
    ///
    /// - Returns: its path.
    func writeHosts(below place: String) throws(ProbeError) -> String {
        let own = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        let machine = sharesNetwork ? try? String(contentsOfFile: "/etc/hosts", encoding: .utf8) : nil
        try ContainerSpec.write(Array((machine ?? own).utf8), to: "\(place)/hosts", permissions: 0o644)
        return "\(place)/hosts"
    }

    private static func write(_ bytes: [UInt8], to path: String, permissions: UInt16) throws(ProbeError) {
        do {
            try Data(bytes).write(to: URL(filePath: path))
        } catch {
            throw ProbeError(.runtime, "cannot write \(escaped(path)): \(error)")
        }
        guard chmod(path, mode_t(permissions)) == 0 else {
            throw ProbeError(.runtime, "\(escaped(path)): \(String(cString: strerror(errno)))")
        }
    }
}

extension ContainerSpec.Variable {
    /// The value, without what the name or a URL in it tells to be a secret.
    var masked: String {
        let name = name.uppercased()
        let isSecret = ["PASSWORD", "SECRET", "TOKEN", "KEY"].contains { name.contains($0) }
        if isSecret && !value.isEmpty { return "***" }
        // SCHEME://USER:PASSWORD@HOST (RFC 3986, section 3.2.1); an @ of the password may stand for itself.
        guard let scheme = value.firstRange(of: "://") else { return value }
        guard let at = value[scheme.upperBound...].lastIndex(of: "@"),
            let colon = value[scheme.upperBound..<at].firstIndex(of: ":")
        else { return value }
        return value[...colon] + "***" + value[at...]
    }
}
