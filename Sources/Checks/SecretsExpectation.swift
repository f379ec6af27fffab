import Facts
import OCIModel
import Suite
import Verdict

/// `secrets: {none: ["*"]}`
struct SecretsExpectation: Expectation {
    static let kind = ExpectationKind(
        "secrets",
        summary:
            "secrets in the config, the history and the files of any layer, by kind: "
            + Secret.Kind.allCases.map(\.rawValue).joined(separator: ", "),
        value: .quantified,
        keys: [
            .init("place", "environment, label, history or file"),
            .init("path", "path of the file; absent elsewhere"),
            .init("package", "the Debian package that has the file, or python below a site directory"),
        ],
        passing: "secrets: {none: [\"*\"]}", failing: "secrets: {any: [\"*\"]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("secrets", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["place", "path", "package"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        var things: [(kind: String, thing: NamedThing)] = []
        for secret in context.facts.secrets.secrets {
            things.append((secret.kind.rawValue, thing(secret, context)))
        }
        var doubt: String?
        let passesOverPackages = attributes.contains { $0.name == "package" }
        for file in context.facts.secrets.unread.entries where doubt == nil {
            if passesOverPackages, package(of: file.path, context) != nil { continue }
            doubt = "\(file) and may hold secrets"
        }
        let secrets = Secrets(things: things, doubt: doubt)
        return try quantified.evaluate(secrets, attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        guard quantified.quantifier == .none else { return [] }
        var accepted: [NamedAttribute] = []
        for attribute in attributes {
            accepted.append(
                NamedAttribute(
                    name: attribute.name, matcher: try attribute.matcher.resolved(in: context.scope)))
        }
        let names = try quantified.names(in: context.scope).map(Glob.init)
        let text = "machine example.org login assay password swordfish\n"
        let candidates: [(values: [String: Observed], violation: Violation)] = [
            (
                ["place": .text("file"), "path": .text("/root/.netrc")],
                Violation(
                    "write a password to /root/.netrc",
                    [.write(.init("/root/.netrc", permissions: 0o600, content: Array(text.utf8)))])
            ),
            (
                ["place": .text("environment")],
                Violation("set ASSAY_PASSWORD", [.environment(name: "ASSAY_PASSWORD", value: "swordfish")])
            ),
            (
                ["place": .text("history")],
                Violation("give a password to a step", [.step("RUN fetch --password=swordfish")])
            ),
            (
                ["place": .text("label")],
                Violation("label assay_password", [.label(name: "assay_password", value: "swordfish")])
            ),
        ]
        guard names.contains(where: { $0.matches(Secret.Kind.password.rawValue) }) else { return [] }
        return candidates.filter { values, _ in
            accepted.allSatisfy { $0.matcher.accepts(values[$0.name] ?? .none) }
        }.map(\.violation)
    }

    private func thing(_ secret: Secret, _ context: EvaluationContext) -> NamedThing {
        var thing = NamedThing(shown: "")
        let history = context.facts.history
        let place: String
        var fate = ""
        switch secret.place {
        case .environment(let name):
            place = "environment \(name)"
            thing.values["place"] = .text("environment")
            thing.provenance = context.provenance(ofStep: history.lastStep(.env, setting: name))
        case .label(let name):
            place = "label \(name)"
            thing.values["place"] = .text("label")
            thing.provenance = context.provenance(ofStep: history.lastStep(.label, setting: name))
        case .history(let index):
            place = "step \(index + 1)"
            thing.values["place"] = .text("history")
            thing.provenance = context.provenance(ofStep: history.steps[index])
        case .file(let path, let layer, let hiddenBy):
            place = path.description
            fate = hiddenBy.map { ", hidden by layer \($0 + 1)" } ?? ""
            thing.values["place"] = .text("file")
            thing.values["path"] = .text(place)
            thing.values["package"] = package(of: path, context).map { .text($0) }
            thing.provenance = context.provenance(ofLayer: layer)
        }
        thing.values["name"] = .text(place)
        thing.shown = "\(secret.kind.rawValue) \(secret.shown)\(fate)"
        // The step that sets a secret has it in its text.
        if thing.values["path"] == nil { thing.provenance?.instruction = nil }
        return thing
    }

    /// - Returns: nil for a file of none. Where dpkg's lists cannot be had, no file is of a package.
    private func package(of path: ImagePath, _ context: EvaluationContext) -> String? {
        let isInSite = path.components.dropLast().contains {
            $0.elementsEqual("site-packages".utf8) || $0.elementsEqual("dist-packages".utf8)
        }
        if isInSite { return "python" }
        return context.package(of: path)
    }

    private struct Secrets: NamedThings {
        let things: [(kind: String, thing: NamedThing)]
        let doubt: String?

        var kind: Subject.Kind { .secret }

        func find(_ glob: Glob) -> [NamedThing] { things.filter { glob.matches($0.kind) }.map(\.thing) }

        func provenance(ofMissing name: String) -> Provenance? { nil }

        func doubt(about glob: Glob) -> String? { doubt }

        // The expectation proposes whole violations itself.
        func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] { [] }

        func values(of attribute: String, _ name: String) -> [String]? { nil }
    }
}
