import Facts
import OCIModel
import Suite
import Verdict

/// The parameters of a suite with the values that hold for an image.
struct ParameterResolution {
    /// In the order of their declarations.
    private(set) var values: [ParameterValue] = []
    private(set) var scope: [String: Result<String, Unresolved>] = [:]

    /// - Parameter profile: nil while the profile is being chosen.
    init(
        _ declarations: [ParameterDeclaration], inputs: JudgeInputs, config: ImageConfig,
        history: BuildHistory,
        profile: ProfileDeclaration?
    ) {
        for declaration in declarations {
            let candidates = Candidates(
                declaration: declaration, inputs: inputs, config: config, history: history, profile: profile)
            guard let (value, origin) = candidates.first else {
                scope[declaration.name] = .failure(
                    Unresolved("nothing tells the parameter \(declaration.name), and it has no default"))
                continue
            }
            if let objection = declaration.type.objection(to: value), !value.isEmpty {
                let shown = escaped(value)
                values.append(
                    ParameterValue(
                        name: declaration.name, value: shown, origin: "\(origin): not \(objection)"))
                scope[declaration.name] = .failure(
                    Unresolved(
                        "the \(origin) says \(declaration.name) is \(shown), which is not \(objection)"))
            } else {
                let usual = profile?.parameters[declaration.name] ?? declaration.defaultValue
                values.append(
                    ParameterValue(
                        name: declaration.name, value: escaped(value), origin: origin,
                        isDefault: value == usual ? true : nil))
                scope[declaration.name] = .success(value)
            }
        }
    }

    /// The places where a value can come from, the weightiest first.
    private struct Candidates {
        let declaration: ParameterDeclaration
        let inputs: JudgeInputs
        let config: ImageConfig
        let history: BuildHistory
        let profile: ProfileDeclaration?

        var first: (value: String, origin: String)? {
            let names = [declaration.name] + declaration.aliases
            if let given = inputs.buildArguments.last(where: { names.contains($0.name) }) {
                return (declaration.reduce(given.value) ?? given.value, "command line")
            }
            if let given = inputs.buildArgumentFile.last(where: { names.contains($0.name) }) {
                return (declaration.reduce(given.value) ?? given.value, "build argument file")
            }
            for name in declaration.environment {
                if let value = observed(config.run.environmentValue(name)) {
                    return (value, "image environment \(name)")
                }
            }
            for name in declaration.labels {
                if let value = observed(config.run.labels[name]) { return (value, "image label \(name)") }
            }
            for name in names {
                if let value = observed(history.buildArgument(named: name)?.value) {
                    return (value, "image history, build argument \(name)")
                }
            }
            if let profile, let value = profile.parameters[declaration.name] {
                return (value, "profile \(profile.id)")
            }
            return declaration.defaultValue.map { ($0, "default") }
        }

        /// An empty value says nothing of anything but a text.
        private func observed(_ value: String?) -> String? {
            guard let value = value.flatMap(declaration.reduce) else { return nil }
            return value.isEmpty && declaration.type != .string ? nil : value
        }
    }
}
