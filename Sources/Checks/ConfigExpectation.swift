import Facts
import OCIModel
import Suite
import Verdict

/// `config: entrypoint`
struct ConfigExpectation: Expectation {
    static let kind = ExpectationKind(
        "config",
        summary: "a key of the image config; an empty list and no list are the same",
        keys: ExpectationKind.matcherKeys,
        passing: "config: command\nequals: [bash]", failing: "config: workingDirectory\nequals: /nowhere")

    private enum Key: String, CaseIterable {
        case entrypoint, command, workingDirectory, user, exposedPorts, volumes, stopSignal, healthcheck,
            onBuild
        case shell, platform

        /// The key of the config's JSON.
        var name: String {
            switch self {
            case .command: "Cmd"
            case .workingDirectory: "WorkingDir"
            default: rawValue.prefix(1).uppercased() + rawValue.dropFirst()
            }
        }

        /// The instruction of a Dockerfile that sets it.
        var instruction: BuildHistory.Instruction? {
            switch self {
            case .entrypoint: .entrypoint
            case .command: .cmd
            case .workingDirectory: .workdir
            case .user: .user
            case .exposedPorts: .expose
            case .volumes: .volume
            case .stopSignal: .stopSignal
            case .healthcheck: .healthcheck
            case .onBuild: .onBuild
            case .shell: .shell
            case .platform: nil
            }
        }
    }

    private let key: Key
    private let matcher: Matcher

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredText("config", &reading) else { return nil }
        guard let key = Key(rawValue: name) else {
            let names = Key.allCases.map(\.rawValue)
            reading.report(
                fields.node["config"]?.position,
                "\(name) is no key of the config (\(names.joined(separator: ", ")))",
                suggestion: nearest(to: name, among: names))
            return nil
        }
        self.key = key
        matcher = Matcher.inline(in: fields, &reading) ?? .absent(false)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let matcher = try matcher.resolved(in: context.scope)
        let present = value(in: context.facts.config)
        let domain: [String]? =
            switch key {
            case .user: otherNames(context) + ["0", "54321", "root"]
            case .exposedPorts: ["54321/tcp", "1/tcp"]
            case .platform: ["linux/arm64", "linux/amd64", "linux/riscv64", "windows/amd64"]
            default: nil
            }
        return matcher.rejected(near: present, among: domain).compactMap { other in
            change(to: other).map { Violation("make \(key.rawValue) \(escaped(other.description))", [$0]) }
        }.prefix(4).map { $0 }
    }

    /// Other ways to write the user that the image runs as.
    private func otherNames(_ context: EvaluationContext) -> [String] {
        guard case .success(let database) = context.facts.users,
            let user = try? database.resolve(context.facts.config.run.user)
        else { return [] }
        return [user.name, "\(user.uid)", "\(user.uid):\(user.gid)"].compactMap { $0 }
    }

    /// Nil when the config cannot have such a value there.
    private func change(to value: Observed) -> Violation.Change? {
        switch (key, value) {
        case (.platform, .text(let text)):
            let parts = text.split(separator: "/").map(String.init)
            return parts.count == 2 ? .platform(os: parts[0], architecture: parts[1]) : nil
        case (.platform, _): return nil
        case (_, .none): return .config(key: key.name, value: nil)
        case (.workingDirectory, .text(let text)), (.user, .text(let text)), (.stopSignal, .text(let text)):
            return .config(key: key.name, value: .string(text))
        case (.entrypoint, .list(let items)), (.command, .list(let items)), (.onBuild, .list(let items)),
            (.shell, .list(let items)):
            return .config(key: key.name, value: .array(items.map(JSON.string)))
        case (.exposedPorts, .list(let items)), (.volumes, .list(let items)):
            return .config(key: key.name, value: .object(items.map { JSON.Member($0, .object([])) }))
        case (.healthcheck, .list(let items)):
            return .config(key: key.name, value: .object([.init("Test", .array(items.map(JSON.string)))]))
        default: return nil
        }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let run = context.facts.config.run
        let isEmptyList =
            (key == .entrypoint && run.entrypoint == []) || (key == .command && run.command == [])
        var result = Evaluation()
        try result.compare(
            matcher, "", value(in: context.facts.config), shown: isEmptyList ? "[]" : nil,
            subject: Subject(.config, key.rawValue),
            provenance: key.instruction.flatMap {
                context.provenance(ofStep: context.facts.history.lastStep($0))
            },
            in: context.scope)
        return result
    }

    private func value(in config: ImageConfig) -> Observed {
        let run = config.run
        func text(_ value: String?) -> Observed { value.map { .text($0) } ?? .none }
        func list(_ value: [String]?) -> Observed { value.flatMap { $0.isEmpty ? nil : .list($0) } ?? .none }
        return switch key {
        case .entrypoint: list(run.entrypoint)
        case .command: list(run.command)
        case .workingDirectory: text(run.workingDirectory)
        case .user: text(run.user)
        // A port without protocol is a TCP port (OCI image-spec, ExposedPorts).
        case .exposedPorts: list(run.exposedPorts.map { $0.contains("/") ? $0 : $0 + "/tcp" })
        case .volumes: list(run.volumes)
        case .stopSignal: text(run.stopSignal)
        case .healthcheck: list(run.healthcheckTest)
        case .onBuild: list(run.onBuild)
        case .shell: list(run.shell)
        case .platform: .text(config.platform.description)
        }
    }
}

/// `environment: AIRFLOW_HOME`
struct EnvironmentExpectation: Expectation {
    static let kind = ExpectationKind(
        "environment", summary: "a variable of the image config has a value; without matcher: any",
        keys: ExpectationKind.matcherKeys,
        passing: "environment: PATH\ncontains: /usr/bin", failing: "environment: PATH\nabsent: true")

    private let name: Template
    private let matcher: Matcher

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("environment", &reading) else { return nil }
        self.name = name
        matcher = Matcher.inline(in: fields, &reading) ?? .absent(false)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let value = context.facts.config.run.environmentValue(name)
        var result = Evaluation()
        try result.compare(
            matcher, "", value.map { .text($0) } ?? .none, subject: Subject(.environment, escaped(name)),
            provenance: context.provenance(ofStep: context.facts.history.lastStep(.env, setting: name)),
            in: context.scope)
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let name = try context.resolve(name)
        let matcher = try matcher.resolved(in: context.scope)
        let present = context.facts.config.run.environmentValue(name).map { Observed.text($0) } ?? .none
        return matcher.rejected(near: present).compactMap { other in
            switch other {
            case .text(let text):
                Violation(
                    "ENV \(escaped(name))=\(escaped(shortened(text)))",
                    [.environment(name: name, value: text)])
            case .none: Violation("no ENV \(escaped(name))", [.environment(name: name, value: nil)])
            case .list: nil
            }
        }
    }
}

/// `label: org.opencontainers.image.version`
struct LabelExpectation: Expectation {
    static let kind = ExpectationKind(
        "label", summary: "a label of the image config has a value; without matcher: any",
        keys: ExpectationKind.matcherKeys,
        passing: "label: org.opencontainers.image.title\nequals: Example",
        failing: "label: org.opencontainers.image.title\nabsent: true")

    private let name: Template
    private let matcher: Matcher

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("label", &reading) else { return nil }
        self.name = name
        matcher = Matcher.inline(in: fields, &reading) ?? .absent(false)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let value = context.facts.config.run.labels[name]
        var result = Evaluation()
        try result.compare(
            matcher, "", value.map { .text($0) } ?? .none, subject: Subject(.label, escaped(name)),
            provenance: context.provenance(ofStep: context.facts.history.lastStep(.label, setting: name)),
            in: context.scope)
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let name = try context.resolve(name)
        let matcher = try matcher.resolved(in: context.scope)
        let present = context.facts.config.run.labels[name].map { Observed.text($0) } ?? .none
        return matcher.rejected(near: present).compactMap { other in
            switch other {
            case .text(let text):
                Violation(
                    "LABEL \(escaped(name))=\(escaped(shortened(text)))", [.label(name: name, value: text)])
            case .none: Violation("no LABEL \(escaped(name))", [.label(name: name, value: nil)])
            case .list: nil
            }
        }
    }
}
