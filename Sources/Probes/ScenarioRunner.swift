import Facts
import Foundation
import Glibc
import OCIModel
import Suite
import Verdict

/// Carries out scenarios on one image.
public struct ScenarioRunner: Sendable {
    private let runtime: any ContainerRuntime
    private let facts: ImageFacts
    /// An existing directory of this run's own, for volumes.
    private let scratch: String
    private let limits: ProbeLimits

    /// - Parameter limits: those of `disk` hold for the volumes of a scenario too, all together.
    public init(
        runtime: any ContainerRuntime, facts: ImageFacts, scratch: String, limits: ProbeLimits = ProbeLimits()
    ) {
        self.runtime = runtime
        self.facts = facts
        self.scratch = scratch
        self.limits = limits
    }

    /// Runs a scenario to its end, and removes whatever it made.
    ///
    /// A step that takes too long ends it: that is in the transcript, since it may be what a check asks for.
    ///
    /// - Throws: `ProbeError` when the runtime or this machine broke, or the scenario makes no sense for the image.
    public func run(_ scenario: ScenarioDeclaration, scope: Scope) async throws(ProbeError) -> ProbeTranscript
    {
        var run = try ScenarioRun(
            scenario, runtime: runtime, facts: facts, scope: scope, scratch: scratch, limits: limits)
        do throws(ProbeError) {
            try await run.startServices()
            for step in scenario.steps {
                if let incident = try await run.carryOut(step) {
                    run.transcript.incident = incident
                    break
                }
            }
        } catch {
            _ = try? await run.finish()
            throw error
        }
        return try await run.finish()
    }
}

/// A scenario while it runs.
private struct ScenarioRun {
    var transcript: ProbeTranscript

    private struct Started {
        let name: String
        let command: String
        let container: any RunningContainer
        let start: ContinuousClock.Instant
        var end: ContinuousClock.Instant?
        var state: ContainerState?
    }

    private let scenario: ScenarioDeclaration
    private let runtime: any ContainerRuntime
    private let facts: ImageFacts
    private var scope: Scope
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant
    /// What the runtime has taken before containers began, which is not the image's time.
    private var preparation = Duration.zero
    private let directory: String
    private var volumes: [String: String] = [:]
    /// nil without volumes.
    private var watch: DiskWatch?
    private let limits: ProbeLimits
    private var services: [ScenarioService] = []
    private var started: [Started] = []

    init(
        _ scenario: ScenarioDeclaration, runtime: any ContainerRuntime, facts: ImageFacts, scope: Scope,
        scratch: String, limits: ProbeLimits
    ) throws(ProbeError) {
        self.limits = limits
        self.scenario = scenario
        self.runtime = runtime
        self.facts = facts
        self.scope = scope
        start = clock.now
        transcript = ProbeTranscript(scenario: scenario.name, runtime: runtime.name)
        // Scenarios of two suites may have one name.
        directory = "\(scratch)/volumes-\(UUID())"
        for volume in scenario.containers.flatMap(\.volumes) where volumes[volume.name] == nil {
            let path = "\(directory)/\(volumes.count)"
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch {
                throw ProbeError(.runtime, "cannot make a volume below \(escaped(scratch)): \(error)")
            }
            // Whoever a container runs as may write there, as into a volume of a pod with a group of its own.
            chmod(path, 0o1777)
            volumes[volume.name] = path
        }
        if !volumes.isEmpty {
            watch = DiskWatch(limit: limits.disk) { [directory] in await DiskWatch.usage(of: [directory]) }
        }
    }

    /// Starts the services. The time of the scenario begins when they are ready.
    mutating func startServices() async throws(ProbeError) {
        for declaration in scenario.services {
            let service = try await ScenarioService(declaration)
            services.append(service)
            for (key, value) in service.values {
                scope.parameters["\(declaration.name).\(key)"] = .success(value)
            }
        }
        start = clock.now
        for service in services { service.openInTime(start: start) }
    }

    private var deadline: ContinuousClock.Instant { start + .seconds(scenario.limit) + preparation }

    private mutating func note(_ text: String) {
        transcript.events.append(.init(time: start.duration(to: clock.now).seconds, text: text))
    }

    /// - Returns: why the scenario cannot go on, when the step took too long.
    mutating func carryOut(_ step: ScenarioStep) async throws(ProbeError) -> String? {
        let end = step.within.map { min(clock.now + .seconds($0), deadline) } ?? deadline
        switch step.action {
        case .start(let name):
            guard let declaration = scenario.containers.first(where: { $0.name == name }) else { return nil }
            let spec = try ContainerSpec(
                declaration, config: facts.config, users: facts.users, scope: scope,
                files: try contents(of: declaration.files), sharesNetwork: !scenario.services.isEmpty,
                keepsFiles: !scenario.filesLookedAt(of: name).isEmpty)
            note("start \(name)")
            let begin = clock.now
            let container = try await runtime.start(spec, volumes: volumes)
            let now = clock.now
            preparation += begin.duration(to: now)
            started.append(Started(name: name, command: spec.command, container: container, start: now))
        case .awaitEnd(let name):
            return try await wait(until: end, "\(name) did not end") { $0.hasEnded(name) }
        case .awaitOutput(let name, let stream, let matcher):
            let wanted: Matcher
            do throws(Unresolved) {
                wanted = try matcher.resolved(in: scope)
            } catch {
                throw ProbeError(.scenario, error.reason)
            }
            return try await wait(until: end, "\(name) did not write \(wanted) to \(stream.rawValue)") {
                run in
                guard let one = run.find(name) else { return true }
                // The end was looked for first: what is written before it is there when it is seen.
                let isOver = one.end != nil
                let output = stream == .stdout ? one.container.standardOutput : one.container.standardError
                guard wanted.accepts(.text(output.text)) else { return isOver }
                run.note("\(name) writes to \(stream.rawValue): \(wanted)")
                return true
            }
        case .signal(let name, let signal):
            guard let one = find(name) else { return nil }
            note("send \(signal) to \(name)")
            if try one.container.exitCode() == nil { try await one.container.signal(signal) }
        case .execute(let name, let command, let templates, let user):
            guard let one = find(name) else { return nil }
            var arguments: [String] = []
            do throws(Unresolved) {
                for template in templates { arguments.append(try template.resolved(in: scope)) }
            } catch {
                throw ProbeError(.scenario, error.reason)
            }
            note("run \(command) in \(name)")
            let now = clock.now
            let executed = try await one.container.execute(
                arguments, user: try user.map { (template) throws(ProbeError) in try resolvedUser(template) })
            let words = ["docker", "exec", "CONTAINER"] + arguments
            started.append(
                Started(
                    name: command, command: words.map(shellQuoted).joined(separator: " "),
                    container: executed,
                    start: now))
            return try await wait(until: end, "\(command) did not end") { $0.hasEnded(command) }
        case .awaitPort(let name, let number):
            return try await awaitPort(number, of: name, until: end)
        case .awaitConnections(let name, let number):
            guard let service = services.first(where: { $0.declaration.name == name }) else { return nil }
            return try await wait(until: end, "\(name) did not see connection \(number)") { run in
                // The ends were looked for first.
                let isOver = run.started.allSatisfy { $0.end != nil }
                guard service.connections >= number else { return isOver }
                run.note("\(name) sees connection \(number)")
                return true
            }
        case .look(let name, let files, let contents):
            guard let index = started.lastIndex(where: { $0.name == name }) else { return nil }
            note("look at \(name)")
            started[index].state = try await look(
                at: started[index].container,
                try wanted(files, readsContent: false)
                    + wanted(contents, readsContent: true))
        case .open(let name): services.first { $0.declaration.name == name }?.open()
        case .pause:
            // Nothing is waited for but the time.
            _ = try await wait(until: end) { _ in false }
            if end == deadline { return "the scenario took longer than \(scenario.limit) s" }
        }
        return nil
    }

    private func wanted(
        _ paths: [Template], readsContent: Bool
    ) throws(ProbeError) -> [ContainerFiles.Wanted] {
        var wanted: [ContainerFiles.Wanted] = []
        do throws(Unresolved) {
            for path in paths {
                wanted.append(.init(path: try path.resolved(in: scope), readsContent: readsContent))
            }
        } catch {
            throw ProbeError(.scenario, error.reason)
        }
        return wanted
    }

    private func look(
        at container: any RunningContainer, _ wanted: [ContainerFiles.Wanted]
    ) async throws(ProbeError) -> ContainerState {
        var state = ContainerState()
        if let first = try await container.processID() {
            state.processes = ContainerProcesses.below(first)
            // The first process is the runtime's until it becomes the container's.
            for _ in 0..<200 where state.processes?.first?.name.hasSuffix(":INIT]") == true {
                try? await Task.sleep(for: .milliseconds(10))
                state.processes = ContainerProcesses.below(first)
            }
            if state.processes != nil, scenario.services.isEmpty {
                state.ports = ContainerProcesses.ports(of: first)
            }
        }
        if !wanted.isEmpty { state.files = try await container.files(wanted) }
        return state
    }

    private mutating func awaitPort(
        _ number: UInt16, of name: String, until end: ContinuousClock.Instant
    ) async throws(ProbeError) -> String? {
        guard let one = find(name), let first = try await one.container.processID() else { return nil }
        return try await wait(until: end, "nothing in \(name) listened on port \(number)") { run in
            // The end was looked for first.
            if run.find(name)?.end != nil { return true }
            guard let ports = ContainerProcesses.ports(of: first),
                ports.contains(where: { $0.number == number })
            else { return false }
            run.note("\(name) listens on port \(number)")
            return true
        }
    }

    private func contents(of files: [ContainerDeclaration.File]) throws(ProbeError) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for file in files {
            switch file.content {
            case .text(let text): contents.append(Array(text.utf8))
            case .made(let name):
                guard let service = services.first(where: { $0.declaration.fileNames.contains(name) })
                else {
                    throw ProbeError(.scenario, "no service of the scenario makes \(name)")
                }
                contents.append(
                    try service.content(of: String(name.dropFirst(service.declaration.name.count + 1))))
            }
        }
        return contents
    }

    private func resolvedUser(_ template: Template) throws(ProbeError) -> ResolvedUser {
        let name: String
        do throws(Unresolved) {
            name = try template.resolved(in: scope)
        } catch {
            throw ProbeError(.scenario, error.reason)
        }
        return try ContainerSpec.user(name, facts.users)
    }

    private func find(_ name: String) -> Started? { started.last { $0.name == name } }

    /// Whether it has ended, or was never started.
    private func hasEnded(_ name: String) -> Bool { find(name).map { $0.end != nil } ?? true }

    /// Notes the end of every container and command that has ended since it was last looked at.
    private mutating func noteEnds() throws(ProbeError) {
        for index in started.indices where started[index].end == nil {
            guard let code = try started[index].container.exitCode() else { continue }
            started[index].end = clock.now
            note("\(started[index].name) ends with \(code)")
        }
    }

    /// Waits for a condition, and sees meanwhile when containers end.
    ///
    /// - Returns: the seconds that were waited in vain; nil when the condition holds.
    private mutating func wait(
        until end: ContinuousClock.Instant, _ condition: (inout ScenarioRun) -> Bool
    ) async throws(ProbeError) -> Double? {
        let begin = clock.now
        while true {
            try noteEnds()
            if watch?.isExceeded == true {
                throw ProbeError(.runtime, "more than \(limits.disk) bytes were written into volumes")
            }
            if condition(&self) { return nil }
            let now = clock.now
            guard now < end, !Task.isCancelled else { return begin.duration(to: now).seconds }
            try? await clock.sleep(until: min(end, now + .milliseconds(5)))
        }
    }

    private mutating func wait(
        until end: ContinuousClock.Instant, _ complaint: String,
        _ condition: (inout ScenarioRun) -> Bool
    ) async throws(ProbeError) -> String? {
        guard let seconds = try await wait(until: end, condition) else { return nil }
        let text = "\(complaint) within \((seconds * 10).rounded() / 10) s"
        note(text)
        return text
    }

    /// Removes everything and completes the transcript.
    ///
    /// - Throws: `ProbeError` when a container could not be removed: its runtime broke.
    mutating func finish() async throws(ProbeError) -> ProbeTranscript {
        watch?.stop()
        var failure: ProbeError?
        let (services, start) = (services, start)
        // Containers do not see their services go, but when nobody looks any more: then all ends at once.
        let stopping = Task.isCancelled ? Task { await ScenarioService.stop(services, start: start) } : nil
        for one in started.reversed() {
            let code = try? one.container.exitCode()
            let end = one.end ?? clock.now
            do throws(ProbeError) { try await one.container.remove() } catch { failure = failure ?? error }
            transcript.containers.insert(
                ContainerTranscript(
                    name: one.name, command: one.command, exitCode: code ?? nil,
                    standardOutput: one.container.standardOutput, standardError: one.container.standardError,
                    started: start.duration(to: one.start).seconds,
                    duration: one.start.duration(to: end).seconds, state: one.state), at: 0)
        }
        let stopped =
            if let stopping {
                await stopping.value
            } else {
                await ScenarioService.stop(services, start: start)
            }
        for (seen, events) in stopped {
            transcript.services.append(seen)
            transcript.events += events
        }
        // As it happened; what was noted in one moment stays in its order.
        let events = transcript.events.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        transcript.events = events.map(\.element)
        try? FileManager.default.removeItem(atPath: directory)
        transcript.duration = start.duration(to: clock.now).seconds
        if let failure { throw failure }
        return transcript
    }
}
