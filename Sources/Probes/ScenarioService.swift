import Suite
import Verdict

/// A service of a scenario while it runs: the port that containers see, and the server behind it.
struct ScenarioService: Sendable {
    let declaration: ServiceDeclaration
    /// By the names of `ServiceDeclaration.Kind.parameters`.
    let values: [String: String]
    private let listener: TCPListener
    private let server: LocalServer?

    /// Starts the server, when there is one, and waits until it answers; the port is closed as yet.
    ///
    /// - Throws: `ProbeError` of kind `.unavailable` when this machine does not have the server.
    init(_ declaration: ServiceDeclaration) async throws(ProbeError) {
        self.declaration = declaration
        listener = try TCPListener()
        let plan: ServerPlan? =
            switch declaration.kind {
            case .listener: nil
            case .postgresql: .postgresql
            case .mariadb: .mariadb
            case .redis: .redis
            // Any free port will do; it is given back when this listener goes.
            case .kdc: .kdc(port: try TCPListener().port)
            }
        if let plan { server = try LocalServer(plan) } else { server = nil }
        var values = plan?.values ?? [:]
        values["host"] = "127.0.0.1"
        values["port"] = "\(listener.port)"
        self.values = values
        do throws(ProbeError) {
            try await server?.awaitReadiness()
        } catch {
            await server?.stop()
            throw error
        }
    }

    /// Opens the port when it is time by the declaration.
    func openInTime(start: ContinuousClock.Instant) {
        if let seconds = declaration.opensAfter { open(at: start + .seconds(seconds)) }
    }

    /// Opens the port; once only.
    func open(at time: ContinuousClock.Instant = .now) {
        listener.open(
            at: time, drops: declaration.drops, resets: declaration.resets, target: server?.target)
    }

    /// Accepted until now, also those that were dropped or reset.
    var connections: Int { listener.record.connections }

    /// A file that it makes.
    func content(of file: String) throws(ProbeError) -> [UInt8] {
        if file == "krb5.conf" {
            let text = ServerPlan.clientConfiguration(realm: values["realm"] ?? "", port: listener.port)
            return Array(text.utf8)
        }
        guard let server else {
            throw ProbeError(.scenario, "\(declaration.name) makes no file \(file)")
        }
        return try server.content(of: file)
    }

    /// Ends services side by side.
    ///
    /// - Returns: for each in its order what `stop` returns.
    static func stop(
        _ services: [ScenarioService], start: ContinuousClock.Instant
    ) async -> [(ServiceTranscript, [ProbeTranscript.Event])] {
        let stopping = services.map { service in Task { await service.stop(start: start) } }
        var results: [(ServiceTranscript, [ProbeTranscript.Event])] = []
        for task in stopping { results.append(await task.value) }
        return results
    }

    /// Ends it.
    ///
    /// - Returns: what was seen, and the events of it.
    func stop(start: ContinuousClock.Instant) async -> (ServiceTranscript, [ProbeTranscript.Event]) {
        await listener.close()
        await server?.stop()
        let record = listener.record
        func seconds(_ instant: ContinuousClock.Instant?) -> Double? {
            instant.map { start.duration(to: $0).seconds }
        }
        let name = declaration.name
        let transcript = ServiceTranscript(
            name: name, kind: declaration.kind.rawValue, port: listener.port,
            connections: record.connections, opened: seconds(record.opened),
            firstConnection: seconds(record.firstConnection))
        let events = [
            ("\(name) opens", transcript.opened), ("\(name) is reached", transcript.firstConnection),
        ]
        return (
            transcript,
            events.compactMap { text, time in time.map { ProbeTranscript.Event(time: $0, text: text) } }
        )
    }
}
