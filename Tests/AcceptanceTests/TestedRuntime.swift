import AssayTestSupport
import Foundation
import Glibc
import Verdict

/// What runs the containers of a test, with a store and a cache of its own: engines and caches of this machine are left
/// alone.
final class TestedRuntime: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case oci
        /// runc by the account that scripts/install-dependencies makes; where the tests are not root's, by theirs.
        case ordinaryUser
        case docker
        case podman
    }

    let kind: Kind
    /// For the program under test and the engine's.
    let environment: [String: String?]
    let cache: String
    /// The Docker engine, whose data are below the directory.
    let engine: DockerEngine?
    /// Before the program under test.
    private let prefix: [String]
    private let binary: String
    /// Outside of the directory, whose path is too long for podman's own clean-up: it takes 50 characters at most.
    private let podmanState: String?

    /// - Parameters:
    ///   - directory: one that every account may enter.
    ///   - dockerData: the data directory of the Docker engine, when there is one with images already.
    init(_ kind: Kind, below directory: String, dockerData: String? = nil) async throws {
        self.kind = kind
        cache = "\(directory)/cache-\(kind.rawValue)"
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        var environment: [String: String?] = ["XDG_CACHE_HOME": cache]
        var engine: DockerEngine?
        var prefix: [String] = []
        var binary = try Setting.binary.value()
        var podmanState: String?
        switch kind {
        case .oci: break
        case .ordinaryUser:
            guard geteuid() == 0 else { break }
            let copy = "\(directory)/assay"
            // By a program of its own: what is started meanwhile would inherit the file that is being written, and a
            // program that is open for writing cannot be started.
            if !FileManager.default.fileExists(atPath: copy) {
                _ = try await output(of: "cp", [binary, copy])
            }
            binary = copy
            _ = try await output(of: "chown", ["assay-test", cache])
            prefix = [
                "setpriv", "--reuid=assay-test", "--regid=assay-test", "--init-groups", "env", "-C", cache,
                "HOME=\(cache)",
            ]
        case .docker:
            let started = try await DockerEngine(data: dockerData ?? "\(directory)/docker")
            engine = started
            environment.merge(["DOCKER_HOST": started.host, "DOCKER_CONTEXT": nil]) { $1 }
        case .podman:
            let state =
                FileManager.default.temporaryDirectory.path
                + "/assay-podman-\(UInt32.random(in: 0...UInt32.max))"
            let settings = """
                [storage]
                driver = "overlay"
                graphroot = "\(directory)/podman/root"
                runroot = "\(state)"
                """
            let file = "\(directory)/storage.conf"
            try Data(settings.utf8).write(to: URL(filePath: file))
            environment.merge(["CONTAINERS_STORAGE_CONF": file, "CONTAINER_HOST": nil]) { $1 }
            podmanState = state
        }
        self.environment = environment
        self.engine = engine
        self.prefix = prefix
        self.binary = binary
        self.podmanState = podmanState
    }

    deinit {
        if let podmanState { try? FileManager.default.removeItem(atPath: podmanState) }
    }

    /// Ends the engine.
    func stop() async throws { try await engine?.stop() }

    /// Starts the program under test.
    ///
    /// - Parameter environment: beside that of the runtime.
    func start(_ arguments: [String], environment more: [String: String?] = [:]) throws -> RunningTool {
        let words = prefix + [binary] + arguments
        return try RunningTool(
            words[0], Array(words.dropFirst()), environment: environment.merging(more) { $1 })
    }

    /// The command line of a check that runs containers so.
    func check(_ arguments: [String]) -> [String] {
        ["check"] + arguments + ["--runtime", kind == .ordinaryUser ? "oci" : kind.rawValue]
    }

    /// The record of a check.
    func record(_ arguments: [String], code: Int32 = 0, environment: [String: String?] = [:]) async throws
        -> RunRecord
    {
        let tool = try start(check(arguments) + ["--report", "json"], environment: environment)
        let result = try await tool.result(within: 1200)
        guard result.code == code else { throw ToolError(description: "expected \(code): \(result)") }
        return try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
    }

    private func paths(in folder: String) -> [String] {
        let path = "\(cache)/assay/\(folder)"
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).map { "\(path)/\($0)" }
    }

    var halfUnpacked: [String] {
        (paths(in: "rootfs") + paths(in: "rootfs-user")).filter { $0.contains(".assay-") }
    }

    /// The program under test and what it has started, but for servers and containers.
    var ownProcesses: [String] { ProgramImage.processes(withVariable: "XDG_CACHE_HOME=\(cache)") }

    /// What is left of runs: directories, half unpacked images, containers, images that a run gave the engine, and
    /// processes, those of containers with a word in their command line.
    func leftovers(marker: String) async throws -> [String] {
        var left = (halfUnpacked + paths(in: "run")).map {
            "directory \(URL(filePath: $0).lastPathComponent)"
        }
        left += (ProgramImage.processes(with: marker) + ownProcesses).map { "process \($0)" }
        left += try String(contentsOfFile: "/proc/mounts", encoding: .utf8).split(separator: "\n")
            .filter { $0.contains("\(cache)/") }.map { "mount \($0)" }
        return left + (try await inEngine())
    }

    /// Containers, images with the name of a run, and volumes.
    func inEngine() async throws -> [String] {
        guard kind == .docker || kind == .podman else { return [] }
        var left: [String] = []
        for question in [
            ["ps", "--all", "--quiet"], ["images", "--quiet", "localhost/assay/probe"],
            ["volume", "ls", "--quiet"],
        ] {
            let answer = try await output(of: kind.rawValue, question, environment: environment)
            left += answer.split(separator: "\n").map { "\(question[0]) \($0)" }
        }
        return left
    }
}

extension RunRecord {
    /// Checks of which another record of the same images has another outcome, a line each.
    func differences(from other: RunRecord) -> [String] {
        func outcomes(_ record: RunRecord) -> [String: Outcome] {
            Dictionary(
                record.images.flatMap { image in
                    image.results.map { ("\(image.image.configDigest) \($0.suite) \($0.id)", $0.outcome) }
                }, uniquingKeysWith: { first, _ in first })
        }
        let (own, others) = (outcomes(self), outcomes(other))
        return Set(own.keys).union(others.keys).sorted().compactMap { check in
            let (one, two) = (own[check], others[check])
            return one == two
                ? nil : "\(check): \(one?.rawValue ?? "not there"), \(two?.rawValue ?? "not there")"
        }
    }
}
