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
    /// What was done and seen, in its order.
    public var events: [Event]
    /// Why the scenario did not come to its end, as a step that took too long; nil when it did.
    public var incident: String?
    /// Seconds.
    public var duration: Double

    public init(
        scenario: String, runtime: String, containers: [ContainerTranscript] = [], events: [Event] = [],
        incident: String? = nil, duration: Double = 0
    ) {
        self.scenario = scenario
        self.runtime = runtime
        self.containers = containers
        self.events = events
        self.incident = incident
        self.duration = duration
    }

    /// The container or command of that name.
    public func container(named name: String) -> ContainerTranscript? {
        containers.first { $0.name == name }
    }

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
    /// Seconds from its start to its end, or to its removal.
    public var duration: Double

    public init(
        name: String, command: String, exitCode: Int32? = nil, standardOutput: Output = Output(),
        standardError: Output = Output(), duration: Double = 0
    ) {
        self.name = name
        self.command = command
        self.exitCode = exitCode
        self.standardOutput = standardOutput
        self.standardError = standardError
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
