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

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let config = context.facts.config
        let run = config.run
        func text(_ value: String?) -> Observed { value.map { .text($0) } ?? .none }
        func list(_ value: [String]?) -> Observed { value.flatMap { $0.isEmpty ? nil : .list($0) } ?? .none }
        let value: Observed
        let instruction: BuildHistory.Instruction?
        var isEmptyList = false
        switch key {
        case .entrypoint:
            (value, instruction, isEmptyList) = (list(run.entrypoint), .entrypoint, run.entrypoint == [])
        case .command: (value, instruction, isEmptyList) = (list(run.command), .cmd, run.command == [])
        case .workingDirectory: (value, instruction) = (text(run.workingDirectory), .workdir)
        case .user: (value, instruction) = (text(run.user), .user)
        case .exposedPorts:
            // A port without protocol is a TCP port (OCI image-spec, ExposedPorts).
            (value, instruction) = (
                list(run.exposedPorts.map { $0.contains("/") ? $0 : $0 + "/tcp" }), .expose
            )
        case .volumes: (value, instruction) = (list(run.volumes), .volume)
        case .stopSignal: (value, instruction) = (text(run.stopSignal), .stopSignal)
        case .healthcheck: (value, instruction) = (list(run.healthcheckTest), .healthcheck)
        case .onBuild: (value, instruction) = (list(run.onBuild), .onBuild)
        case .shell: (value, instruction) = (list(run.shell), .shell)
        case .platform: (value, instruction) = (.text(config.platform.description), nil)
        }
        var result = Evaluation()
        try result.compare(
            matcher, "", value, shown: isEmptyList ? "[]" : nil, subject: Subject(.config, key.rawValue),
            provenance: instruction.flatMap {
                context.provenance(ofStep: context.facts.history.lastStep($0))
            },
            in: context.scope)
        return result
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
}
