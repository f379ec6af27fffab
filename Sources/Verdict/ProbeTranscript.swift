/// What happened while a scenario ran: the evidence of probes.
///
/// Times and output are volatile: two runs on one image differ in them.
public struct ProbeTranscript: Hashable, Codable, Sendable {
    /// The scenario's name in its suite.
    public var scenario: String
    /// What ran the containers: `oci`, `docker` or `podman`.
    public var runtime: String
    /// In the order in which they were started; a command run in a container is one too.
    public var containers: [ContainerTranscript]
    /// In the order of the scenario.
    public var services: [ServiceTranscript]
    /// What was done and seen, in its order.
    public var events: [Event]
    /// Why the scenario did not come to its end, as a step that took too long; nil when it did.
    public var incident: String?
    /// Seconds.
    public var duration: Double

    public init(
        scenario: String, runtime: String, containers: [ContainerTranscript] = [],
        services: [ServiceTranscript] = [], events: [Event] = [], incident: String? = nil,
        duration: Double = 0
    ) {
        self.scenario = scenario
        self.runtime = runtime
        self.containers = containers
        self.services = services
        self.events = events
        self.incident = incident
        self.duration = duration
    }

    /// The container or command of that name.
    public func container(named name: String) -> ContainerTranscript? {
        containers.first { $0.name == name }
    }

    /// The service of that name.
    public func service(named name: String) -> ServiceTranscript? { services.first { $0.name == name } }

    public struct Event: Hashable, Codable, Sendable {
        /// Seconds since the scenario began.
        public var time: Double
        public var text: String

        public init(time: Double, text: String) {
            self.time = time
            self.text = text
        }
    }
}

/// What a container of a scenario did.
public struct ContainerTranscript: Hashable, Codable, Sendable {
    public var name: String
    /// A command line that runs the same by hand.
    public var command: String
    /// As a runtime reports it, 128 and the number for a signal; nil when it had not ended before it was removed.
    public var exitCode: Int32?
    public var standardOutput: Output
    public var standardError: Output
    /// Seconds after the scenario began at which it was started; nil in records of older versions.
    public var started: Double?
    /// Seconds from its start to its end, or to its removal.
    public var duration: Double

    public init(
        name: String, command: String, exitCode: Int32? = nil, standardOutput: Output = Output(),
        standardError: Output = Output(), started: Double? = nil, duration: Double = 0
    ) {
        self.name = name
        self.command = command
        self.exitCode = exitCode
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.started = started
        self.duration = duration
    }

    /// What was written to a stream.
    public struct Output: Hashable, Codable, Sendable {
        /// The beginning, as text; bytes that are not UTF-8 are replaced.
        public var text: String
        /// All bytes that were written, those beyond `text` included.
        public var byteCount: Int64
        /// Whether there was more than is kept.
        public var isTruncated: Bool

        public init(text: String = "", byteCount: Int64 = 0, isTruncated: Bool = false) {
            self.text = text
            self.byteCount = byteCount
            self.isTruncated = isTruncated
        }
    }
}

/// What was seen of a service of a scenario.
public struct ServiceTranscript: Hashable, Codable, Sendable {
    public var name: String
    /// As the scenario names it: `listener`, `postgresql` …
    public var kind: String
    /// On the loopback address; another one in every run.
    public var port: UInt16
    /// Connections that were accepted, those included that were dropped or reset. What was refused before the port
    /// was open is not among them: nobody sees it.
    public var connections: Int
    /// Seconds after the scenario began at which it could be reached; nil when it never could.
    public var opened: Double?
    /// Seconds after the scenario began; nil when nobody connected.
    public var firstConnection: Double?

    public init(
        name: String, kind: String, port: UInt16, connections: Int = 0, opened: Double? = nil,
        firstConnection: Double? = nil
    ) {
        self.name = name
        self.kind = kind
        self.port = port
        self.connections = connections
        self.opened = opened
        self.firstConnection = firstConnection
    }
}
