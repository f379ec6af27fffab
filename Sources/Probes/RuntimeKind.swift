import Foundation
import Glibc
import OCIModel

/// What can run containers: verdicts do not depend on which one does.
public enum RuntimeKind: String, Sendable, CaseIterable {
    /// runc, by Assay itself: no daemon, no image in any store.
    case oci
    /// A Docker engine, through its command line.
    case docker
    /// podman, through its command line.
    case podman

    /// Why this machine cannot run containers so; nil when it can.
    public func obstacle() async -> String? {
        switch self {
        case .oci: return await OCIRuntime.obstacle()
        case .docker, .podman: return await EngineClient(self).obstacle()
        }
    }

    /// The first that works here, or why none does.
    public static func firstThatWorks() async throws(ProbeError) -> RuntimeKind {
        var reasons: [String] = []
        for kind in RuntimeKind.allCases {
            guard let obstacle = await kind.obstacle() else { return kind }
            reasons.append("\(kind.rawValue): \(obstacle)")
        }
        throw ProbeError(.unavailable, reasons.joined(separator: "; "))
    }
}

/// The command line of an engine.
struct EngineClient: Sendable {
    let kind: RuntimeKind

    init(_ kind: RuntimeKind) { self.kind = kind }

    /// The program and what stands before every command of it. podman's own choice is crun: where that is missing
    /// it is told to take runc.
    var program: [String] {
        let needsRunc =
            kind == .podman && !RunningProgram.isInstalled("crun") && RunningProgram.isInstalled("runc")
        return [kind.rawValue] + (needsRunc ? ["--runtime", "runc"] : [])
    }

    func obstacle() async -> String? {
        guard RunningProgram.isInstalled(kind.rawValue) else { return "\(kind.rawValue) is not installed" }
        if kind == .podman, !RunningProgram.isInstalled("crun"), !RunningProgram.isInstalled("runc") {
            return "neither crun nor runc is installed"
        }
        do throws(ProbeError) {
            // Of docker only the engine's own version tells that there is one.
            let question = kind == .docker ? ["version", "--format", "{{.Server.Version}}"] : ["info"]
            let answer = try await RunningProgram.complete(program + question, within: RuntimeKind.patience)
            return answer.code == 0 ? nil : answer.complaint
        } catch {
            return error.message
        }
    }

    /// Runs a command to its end.
    ///
    /// - Throws: `ProbeError` when the engine refuses.
    @discardableResult
    func run(_ arguments: String..., within limit: Duration = RuntimeKind.patience) async throws(ProbeError)
        -> String
    {
        try await run(arguments, within: limit)
    }

    @discardableResult
    func run(_ arguments: [String], within limit: Duration = RuntimeKind.patience) async throws(ProbeError)
        -> String
    {
        let result = try await RunningProgram.complete(program + arguments, within: limit)
        guard result.code == 0 else {
            throw ProbeError(.runtime, "\(kind.rawValue) \(arguments.first ?? ""): \(result.complaint)")
        }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Kills containers and removes them with their volumes. podman would let them end by themselves for 10 s.
    func removeContainers(_ ids: [String]) async throws(ProbeError) {
        try await run(["rm", "--force", "--volumes"] + (kind == .podman ? ["--time", "0"] : []) + ids)
    }
}
