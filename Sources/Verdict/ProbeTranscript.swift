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
    /// What the last step `look` saw of it; nil when there was none.
    public var state: ContainerState?

    public init(
        name: String, command: String, exitCode: Int32? = nil, standardOutput: Output = Output(),
        standardError: Output = Output(), started: Double? = nil, duration: Double = 0,
        state: ContainerState? = nil
    ) {
        self.name = name
        self.command = command
        self.exitCode = exitCode
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.started = started
        self.duration = duration
        self.state = state
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

/// A container at one moment, seen from outside: no program of the image is needed for it.
public struct ContainerState: Hashable, Codable, Sendable {
    /// The files that were to be looked at, in their order.
    public var files: [File]
    /// The processes, without those of commands that were run in it; nil when it had ended.
    public var processes: [Process]?
    /// The TCP ports on which something listened; nil when it had ended, or has the network of this machine.
    public var ports: [Port]?

    public init(files: [File] = [], processes: [Process]? = nil, ports: [Port]? = nil) {
        self.files = files
        self.processes = processes
        self.ports = ports
    }

    /// What a name leads to, through symbolic links.
    public struct File: Hashable, Codable, Sendable {
        public var path: String
        /// Nil when there is nothing.
        public var status: Status?

        public init(path: String, status: Status? = nil) {
            self.path = path
            self.status = status
        }

        public struct Status: Hashable, Codable, Sendable {
            /// `file`, `directory`, `characterDevice`, `blockDevice`, `fifo` or `socket`.
            public var type: String
            /// As the container numbers its users.
            public var uid: Int64
            public var gid: Int64
            /// Mode bits 07777.
            public var permissions: UInt16
            /// What is in a file, where that was asked for.
            public var content: ContainerTranscript.Output?

            public init(
                type: String, uid: Int64, gid: Int64, permissions: UInt16,
                content: ContainerTranscript.Output? = nil
            ) {
                self.type = type
                self.uid = uid
                self.gid = gid
                self.permissions = permissions
                self.content = content
            }
        }
    }

    /// All numbers are the container's own (pid_namespaces(7)); 0 is what is outside of it.
    public struct Process: Hashable, Codable, Sendable {
        public var pid: Int
        public var parent: Int
        /// Of the process group, and of the session.
        public var group: Int
        public var session: Int
        /// The program's name, cut to 15 bytes (proc_pid_comm(5)); bytes that are not UTF-8 are replaced.
        public var name: String

        public init(pid: Int, parent: Int, group: Int, session: Int, name: String) {
            self.pid = pid
            self.parent = parent
            self.group = group
            self.session = session
            self.name = name
        }
    }

    public struct Port: Hashable, Codable, Sendable {
        public var address: String
        public var number: UInt16

        public init(address: String, number: UInt16) {
            self.address = address
            self.number = number
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
