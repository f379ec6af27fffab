import Verdict

/// Containers that are run, and what is done to them: what a probe looks at. Several checks may look at one.
public struct ScenarioDeclaration: Hashable, Sendable {
    public var name: String
    /// Real servers and listeners that the containers can reach.
    public var services: [ServiceDeclaration]
    public var containers: [ContainerDeclaration]
    /// Done one after another. Where a scenario has none, every container is started and its end awaited.
    public var steps: [ScenarioStep]
    /// Seconds that the whole may take.
    public var limit: Double
    public var position: SourcePosition

    /// Seconds that a scenario may take when it does not say.
    public static let defaultLimit = 60.0
    /// Seconds that a suite may ask for.
    public static let limitRange = 0.1...900.0

    /// Names whose output and exit code can be looked at: containers, and commands run in them.
    public var observable: [String] {
        containers.map(\.name)
            + steps.compactMap { if case .execute(_, let name, _, _) = $0.action { name } else { nil } }
    }

    /// The files of a container that steps look at; those whose content is kept, or all.
    public func filesLookedAt(of name: String, withContent: Bool = false) -> [Template] {
        steps.flatMap { step -> [Template] in
            guard case .look(name, let files, let contents) = step.action else { return [] }
            return withContent ? contents : files + contents
        }
    }

    /// The containers that steps look at.
    public var containersLookedAt: [String] {
        steps.compactMap { if case .look(let name, _, _) = $0.action { name } else { nil } }
    }

    /// The service of that name.
    public func service(named name: String) -> ServiceDeclaration? { services.first { $0.name == name } }
}

/// A container of a scenario; what is not said is as the image has it.
public struct ContainerDeclaration: Hashable, Sendable {
    public var name: String
    /// Arguments of the entrypoint; nil for the image's command.
    public var arguments: [Template]?
    /// Instead of the image's entrypoint; empty for none.
    public var entrypoint: [Template]?
    /// A name, or `UID:GID`, as `--user` of docker.
    public var user: Template?
    public var workingDirectory: Template?
    /// Variables that are set beside the image's.
    public var environment: [Variable]
    /// What it reads from standard input; nil for nothing.
    public var input: String?
    /// Files that are put into it before it starts.
    public var files: [File]
    /// Directories that containers of the scenario share, by the volume's name.
    public var volumes: [Volume]
    /// Whether its streams are a terminal, whose output is what it writes to standard output.
    public var hasTerminal = false
    /// Empty directories in memory, which anybody may write.
    public var temporaryDirectories: [Template] = []
    /// Bytes of memory; nil for what any container may take.
    public var memoryLimit: Int64?
    /// Processes and threads; nil for what any container may have.
    public var processLimit: Int?

    /// What a suite may ask for, bytes: what runs a container takes some itself.
    public static let memoryRange: ClosedRange<Int64> = (16 << 20)...(4 << 30)
    public static let processRange = 4...512

    public struct Variable: Hashable, Sendable {
        public var name: String
        public var value: Template
    }

    public struct File: Hashable, Sendable {
        public var path: Template
        public var content: Content
        /// Mode bits 07777.
        public var permissions: UInt16

        public enum Content: Hashable, Sendable {
            case text(String)
            /// `SERVICE.FILE`: what a service of the scenario made.
            case made(String)
        }
    }

    public struct Volume: Hashable, Sendable {
        public var name: String
        public var path: Template
    }
}

/// Something on the network that a scenario needs. Containers reach it through a port of Assay's own, which counts
/// the connections; its address is `${NAME.host}` and `${NAME.port}`.
public struct ServiceDeclaration: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A TCP port that accepts connections and answers nothing.
        case listener
        case postgresql
        case mariadb
        /// With a user of its own, and the default one without password.
        case redis
        /// A Kerberos KDC, with two principals and a keytab for each.
        case kdc

        /// What a scenario can ask of it, as `${NAME.port}`.
        public var parameters: [String] {
            let address = ["host", "port"]
            switch self {
            case .listener: return address
            case .postgresql, .mariadb: return address + ["user", "password", "database"]
            case .redis: return address + ["user", "password"]
            case .kdc: return address + ["realm", "principal", "stranger"]
            }
        }

        /// Files that it makes, which can be put into a container by `from: NAME.keytab`.
        public var files: [String] { self == .kdc ? ["krb5.conf", "keytab", "stranger.keytab"] : [] }
    }

    /// The names of its files, as `from` of a file takes them.
    public var fileNames: [String] { kind.files.map { "\(name).\($0)" } }

    public var name: String
    public var kind: Kind
    /// Seconds after the start of the scenario at which it can be reached; nil for never, or when a step opens it.
    /// Until then connections are refused, and nobody can count them.
    public var opensAfter: Double?
    /// So many of the first connections are accepted and closed at once.
    public var drops = 0
    /// So many of those that come next are accepted and reset.
    public var resets = 0

    /// Connections that a suite may ask to be dropped or reset.
    public static let refusalRange = 0...1000
}

/// One thing that is done in a scenario.
public struct ScenarioStep: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case start(String)
        /// Until the container has ended.
        case awaitEnd(String)
        /// Until the stream has text that the matcher accepts.
        case awaitOutput(String, stream: Stream, Matcher)
        /// A signal by its name without SIG, to the container's first process.
        case signal(String, name: String)
        /// A command in a running container; its output and exit code get a name of their own.
        case execute(String, name: String, arguments: [Template], user: Template?)
        /// Until something listens on a TCP port.
        case awaitPort(String, UInt16)
        /// Until a service has accepted so many connections, or nothing runs any more that could make one.
        case awaitConnections(String, Int)
        /// Sees the processes, ports and files of a container, of some files also what is in them.
        case look(String, files: [Template], contents: [Template])
        /// A service can be reached from now on.
        case open(String)
        case pause
    }

    public enum Stream: String, Sendable, CaseIterable {
        case stdout
        case stderr
    }

    public var action: Action
    /// Seconds that it may take; for a pause those that it takes.
    public var within: Double?
}

extension SuiteLoader {
    private static let scenarioKeys = [
        "services", "environment", "files", "containers", "steps", "within",
    ]
    private static let containerKeys = [
        "args", "entrypoint", "user", "workingDirectory", "environment", "stdin", "files", "volumes", "tty",
        "tmpfs", "memory", "processes",
    ]
    private static let stepKeys = [
        "start", "wait", "signal", "exec", "look", "open", "pause", "stdout", "stderr", "port",
        "connections", "name", "as", "args", "user", "files", "contents", "within",
    ]

    static func scenarios(in root: SuiteNode, _ reading: inout SuiteReading) -> [ScenarioDeclaration] {
        guard let value = root["scenarios"] else { return [] }
        guard let members = value.members else {
            reading.report(value.position, "scenarios is a mapping from names, not \(value.kindName)")
            return []
        }
        return members.compactMap { scenario($0, &reading) }
    }

    private static func scenario(
        _ member: SuiteNode.Member, _ reading: inout SuiteReading
    ) -> ScenarioDeclaration? {
        let what = "the scenario \(member.key)"
        guard let fields = Fields(member.value, what, allowed: scenarioKeys, reading: &reading) else {
            return nil
        }
        let services = (fields.value("services", &reading)?.members ?? []).compactMap {
            service($0, &reading)
        }
        let known = reading.parameterNames
        reading.parameterNames?.append(
            contentsOf: services.flatMap { one in one.kind.parameters.map { "\(one.name).\($0)" } })
        reading.serviceFiles = services.flatMap(\.fileNames)
        defer { reading.parameterNames = known }
        let environment = fields.variables("environment", &reading)
        let files = fields.files("files", &reading)
        guard let value = fields.required("containers", &reading) else { return nil }
        var containers = (value.members ?? []).compactMap { container($0, &reading) }
        for index in containers.indices {
            let own = Set(containers[index].environment.map(\.name))
            containers[index].environment.insert(
                contentsOf: environment.filter { !own.contains($0.name) }, at: 0)
            containers[index].files.insert(contentsOf: files, at: 0)
        }
        if containers.isEmpty { reading.report(value.position, "\(what) needs a container") }
        var steps: [ScenarioStep] = []
        if let value = fields.value("steps", &reading) {
            steps = (value.list ?? []).compactMap { step($0, containers, services, &reading) }
            if steps.isEmpty { reading.report(value.position, "steps is a list of steps") }
        } else {
            steps = containers.map { ScenarioStep(action: .start($0.name)) }
            steps += containers.map { ScenarioStep(action: .awaitEnd($0.name)) }
        }
        return ScenarioDeclaration(
            name: member.key, services: services, containers: containers, steps: steps,
            limit: fields.seconds("within", &reading) ?? ScenarioDeclaration.defaultLimit,
            position: member.keyPosition)
    }

    private static func service(
        _ member: SuiteNode.Member, _ reading: inout SuiteReading
    ) -> ServiceDeclaration? {
        let what = "the service \(member.key)"
        guard
            let fields = Fields(
                member.value, what, allowed: ["kind", "opensAfter", "opens", "drops", "resets"],
                reading: &reading),
            let kind = fields.choice("kind", ServiceDeclaration.Kind.allCases, &reading)
        else { return nil }
        let opens = fields.flag("opens", &reading) ?? true
        return ServiceDeclaration(
            name: member.key, kind: kind,
            opensAfter: opens ? fields.seconds("opensAfter", &reading) ?? 0 : nil,
            drops: fields.connections("drops", &reading) ?? 0,
            resets: fields.connections("resets", &reading) ?? 0)
    }

    private static func container(
        _ member: SuiteNode.Member, _ reading: inout SuiteReading
    ) -> ContainerDeclaration? {
        let what = "the container \(member.key)"
        if member.value.value == .empty {
            return ContainerDeclaration(name: member.key, environment: [], files: [], volumes: [])
        }
        guard let fields = Fields(member.value, what, allowed: containerKeys, reading: &reading) else {
            return nil
        }
        let volumes = fields.namedTemplates("volumes", &reading).map {
            ContainerDeclaration.Volume(name: $0.name, path: $0.template)
        }
        let hasTerminal = fields.flag("tty", &reading) ?? false
        if hasTerminal, fields.has("stdin") {
            reading.report(
                fields.node["stdin"]?.position, "a terminal has no stdin: engines want one of their own")
        }
        return ContainerDeclaration(
            name: member.key, arguments: fields.optionalTemplates("args", &reading),
            entrypoint: fields.optionalTemplates("entrypoint", &reading),
            user: fields.template("user", &reading),
            workingDirectory: fields.template("workingDirectory", &reading),
            environment: fields.variables("environment", &reading), input: fields.text("stdin", &reading),
            files: fields.files("files", &reading), volumes: volumes, hasTerminal: hasTerminal,
            temporaryDirectories: fields.templates("tmpfs", &reading),
            memoryLimit: fields.bytes("memory", &reading), processLimit: fields.processes(&reading))
    }

    fileprivate static func file(
        _ node: SuiteNode, _ reading: inout SuiteReading
    ) -> ContainerDeclaration.File? {
        let allowed = ["path", "content", "from", "mode"]
        guard let fields = Fields(node, "a file", allowed: allowed, reading: &reading),
            let path = fields.requiredTemplate("path", &reading),
            let content = content(of: fields, &reading)
        else { return nil }
        let mode = fields.text("mode", &reading) ?? "0644"
        guard let permissions = UInt16(mode, radix: 8), permissions <= 0o7777 else {
            reading.report(
                fields.node["mode"]?.position, "\(mode) is not a mode: expected up to four octal digits")
            return nil
        }
        return ContainerDeclaration.File(path: path, content: content, permissions: permissions)
    }

    private static func content(
        of fields: Fields, _ reading: inout SuiteReading
    ) -> ContainerDeclaration.File.Content? {
        guard fields.has("from") else { return fields.requiredText("content", &reading).map { .text($0) } }
        if fields.has("content") { reading.report(fields.node.position, "a file has content or from") }
        guard let name = fields.text("from", &reading) else { return nil }
        if !reading.serviceFiles.contains(name) {
            reading.report(
                fields.node["from"]?.position, "\(name) is no file that a service of the scenario makes",
                suggestion: nearest(to: name, among: reading.serviceFiles))
        }
        return .made(name)
    }

    private static func step(
        _ node: SuiteNode, _ declared: [ContainerDeclaration], _ services: [ServiceDeclaration],
        _ reading: inout SuiteReading
    ) -> ScenarioStep? {
        guard let fields = Fields(node, "a step", allowed: stepKeys, reading: &reading),
            let kind = node.members?.first
        else { return nil }
        guard let name = kind.value.scalar else {
            reading.report(kind.value.position, "\(kind.key) is a text, not \(kind.value.kindName)")
            return nil
        }
        if kind.key == "open" {
            if !services.contains(where: { $0.name == name && $0.opensAfter == nil }) {
                reading.report(
                    kind.value.position, "\(name) is no service of the scenario with opens: false",
                    suggestion: nearest(to: name, among: services.map(\.name)))
            }
            return ScenarioStep(action: .open(name))
        }
        let within = fields.seconds("within", &reading)
        if kind.key == "wait", fields.has("connections") {
            let names = services.map(\.name)
            if !names.contains(name) {
                reading.report(
                    kind.value.position, "\(name) is no service of the scenario",
                    suggestion: nearest(to: name, among: names))
            }
            let number = fields.connections("connections", in: 1...1000, &reading) ?? 1
            return ScenarioStep(action: .awaitConnections(name, number), within: within)
        }
        let containers = declared.map(\.name)
        if kind.key != "pause", !containers.contains(name) {
            reading.report(
                kind.value.position, "\(name) is no container of the scenario",
                suggestion: nearest(to: name, among: containers))
        }
        switch kind.key {
        case "start": return ScenarioStep(action: .start(name), within: within)
        case "wait":
            for stream in ScenarioStep.Stream.allCases {
                if let matcher = fields.matcher(stream.rawValue, &reading) {
                    return ScenarioStep(
                        action: .awaitOutput(name, stream: stream, matcher), within: within)
                }
            }
            if let port = fields.port(&reading) {
                if !services.isEmpty {
                    reading.report(
                        fields.node["port"]?.position,
                        "ports of a scenario with services are this machine's: nobody knows which are the container's"
                    )
                }
                return ScenarioStep(action: .awaitPort(name, port), within: within)
            }
            return ScenarioStep(action: .awaitEnd(name), within: within)
        case "look":
            let files = fields.templates("files", &reading)
            let contents = fields.templates("contents", &reading)
            for path in files + contents where !path.source.hasPrefix("/") && !path.source.hasPrefix("${") {
                reading.report(node.position, "\(path.source) is not an absolute path")
            }
            let hasTemporary = declared.contains { $0.name == name && !$0.temporaryDirectories.isEmpty }
            if hasTemporary, !(files + contents).isEmpty {
                reading.report(
                    node.position,
                    "files of a container with tmpfs cannot be looked at: engines do not show those"
                )
            }
            return ScenarioStep(action: .look(name, files: files, contents: contents), within: within)
        case "signal":
            let signal = fields.text("name", &reading) ?? "TERM"
            return ScenarioStep(action: .signal(name, name: signal), within: within)
        case "exec":
            guard let command = fields.requiredText("as", &reading) else { return nil }
            return ScenarioStep(
                action: .execute(
                    name, name: command, arguments: fields.templates("args", &reading),
                    user: fields.template("user", &reading)), within: within)
        case "pause":
            guard let seconds = Double(name), ScenarioDeclaration.limitRange.contains(seconds) else {
                reading.report(kind.value.position, "a pause takes 0.1 to 900 seconds, not \(name)")
                return nil
            }
            return ScenarioStep(action: .pause, within: seconds)
        default:
            reading.report(
                kind.keyPosition,
                "a step begins with start, wait, signal, exec, look, open or pause, not \(kind.key)")
            return nil
        }
    }
}

extension Fields {
    /// A number of seconds within `ScenarioDeclaration.limitRange`.
    fileprivate func seconds(_ key: String, _ reading: inout SuiteReading) -> Double? {
        guard let text = text(key, &reading) else { return nil }
        guard let seconds = Double(text), ScenarioDeclaration.limitRange.contains(seconds) else {
            reading.report(node[key]?.position, "\(key) is 0.1 to 900 seconds, not \(text)")
            return nil
        }
        return seconds
    }

    /// A number of connections; nil when the key is not there.
    fileprivate func connections(
        _ key: String, in range: ClosedRange<Int> = ServiceDeclaration.refusalRange,
        _ reading: inout SuiteReading
    ) -> Int? {
        guard let text = text(key, &reading) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            reading.report(
                node[key]?.position,
                "\(key) is \(range.lowerBound) to \(range.upperBound) connections, not \(text)")
            return nil
        }
        return number
    }

    /// A number of bytes, with k, m or g for its multiples by 1024, within `ContainerDeclaration.memoryRange`.
    fileprivate func bytes(_ key: String, _ reading: inout SuiteReading) -> Int64? {
        guard let text = text(key, &reading) else { return nil }
        let factors: [Character: Int64] = ["k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
        let factor = text.last.flatMap { factors[$0] }
        let number = Int64(factor == nil ? text[...] : text.dropLast())
        guard let number, case let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: factor ?? 1),
            !isTooLarge, ContainerDeclaration.memoryRange.contains(bytes)
        else {
            reading.report(node[key]?.position, "\(key) is 16m to 4g, not \(text)")
            return nil
        }
        return bytes
    }

    /// A number within `ContainerDeclaration.processRange`.
    fileprivate func processes(_ reading: inout SuiteReading) -> Int? {
        guard let text = text("processes", &reading) else { return nil }
        guard let number = Int(text), ContainerDeclaration.processRange.contains(number) else {
            reading.report(node["processes"]?.position, "processes is 4 to 512, not \(text)")
            return nil
        }
        return number
    }

    fileprivate func port(_ reading: inout SuiteReading) -> UInt16? {
        guard let text = text("port", &reading) else { return nil }
        guard let number = UInt16(text), number > 0 else {
            reading.report(node["port"]?.position, "port is 1 to 65535, not \(text)")
            return nil
        }
        return number
    }

    /// A mapping from names to texts.
    fileprivate func namedTemplates(_ key: String, _ reading: inout SuiteReading) -> [(
        name: String, template: Template
    )] {
        (value(key, &reading)?.members ?? []).compactMap { member in
            guard let text = member.value.scalar else {
                reading.report(
                    member.value.position, "\(member.key) is a text, not \(member.value.kindName)")
                return nil
            }
            return (member.key, Template(text, at: member.value, reading: &reading))
        }
    }

    fileprivate func variables(_ key: String, _ reading: inout SuiteReading)
        -> [ContainerDeclaration.Variable]
    {
        namedTemplates(key, &reading).map { .init(name: $0.name, value: $0.template) }
    }

    fileprivate func files(_ key: String, _ reading: inout SuiteReading) -> [ContainerDeclaration.File] {
        (value(key, &reading)?.list ?? []).compactMap { SuiteLoader.file($0, &reading) }
    }

    /// As `templates`, nil when the key is not there.
    fileprivate func optionalTemplates(_ key: String, _ reading: inout SuiteReading) -> [Template]? {
        has(key) ? templates(key, &reading) : nil
    }
}
