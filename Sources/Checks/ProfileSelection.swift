import Facts
import OCIModel
import Suite
import Verdict

/// Which release line an image is of: by what it contains, not by what it is called.
struct ProfileSelection {
    private(set) var profile: ProfileDeclaration?
    private(set) var choice: ProfileChoice?
    private(set) var version: EffectiveVersion

    /// A profile with its condition compiled.
    struct Candidate: Sendable {
        let declaration: ProfileDeclaration
        let condition: CompiledCondition?
    }

    init(
        _ candidates: [Candidate], releaseDistributions: [String], facts: ImageFacts,
        listing: LazyPathListing,
        inputs: JudgeInputs, parameters: [String: Result<String, Unresolved>]
    ) {
        let installed = ProfileSelection.installedRelease(releaseDistributions, facts)
        var evidence: [String] = []
        var warnings: [String] = []
        let raw: EffectiveVersion
        switch installed {
        case .success(let found):
            evidence.append("\(found.name) \(found.text) is installed")
            raw = .release(found.version)
        case .failure(let reason): raw = .undecided(reason: reason.reason)
        }
        guard !candidates.isEmpty else {
            version = raw
            return
        }
        let context = EvaluationContext(
            facts: facts, scope: Scope(parameters: parameters, version: raw), listing: listing,
            inputs: inputs)
        if let wanted = inputs.profile,
            let candidate = candidates.first(where: { $0.declaration.id == wanted })
        {
            profile = candidate.declaration
            evidence.append("chosen on the command line")
        } else {
            for candidate in candidates where profile == nil {
                do {
                    guard let condition = candidate.condition else { continue }
                    if case .holds(let seen) = try condition.evaluate(context) {
                        profile = candidate.declaration
                        evidence += seen.filter { !evidence.contains($0) }
                    }
                } catch  where error.reason != raw.undecidedReason {
                    warnings.append(
                        "whether this is \(candidate.declaration.title) cannot be told: \(error.reason)")
                } catch {}
            }
        }
        if profile == nil, case .release(let release) = raw {
            profile = ProfileSelection.nearest(to: release, candidates.map(\.declaration))
            warnings.append("no mark of a release line was found: chosen by the installed version alone")
        }
        guard let profile else {
            let reason: String = if case .undecided(let reason) = raw { reason } else { "no profile matches" }
            version = .undecided(reason: "the release line cannot be told: \(reason)")
            return
        }
        switch raw {
        case .release(let release):
            version = .release(profile.versions.clamp(release))
            if !profile.versions.contains(release) {
                warnings.append(
                    "the installed version \(release) lies outside of \(profile.versions): "
                        + "judged as \(profile.versions.clamp(release))")
            }
        case .someRelease, .undecided:
            version = .someRelease(of: profile.versions)
            if case .failure(let reason) = installed { warnings.append(reason.reason) }
        }
        choice = ProfileChoice(id: profile.id, title: profile.title, evidence: evidence, warnings: warnings)
    }

    /// What the image claims of its release and what is installed, where they differ; one line each.
    static func disagreements(
        _ document: SuiteDocument, _ facts: ImageFacts, _ parameters: [ParameterValue]
    ) -> [String] {
        guard case .success(let installed) = installedRelease(document.releaseDistributions, facts) else {
            return []
        }
        var lines: [String] = []
        if let name = document.releaseParameter,
            let claim = parameters.first(where: { $0.name == name && $0.origin.hasPrefix("image ") }),
            ReleaseVersion(claim.value) != installed.version
        {
            lines.append(
                "the image claims \(name) \(claim.value) (\(claim.origin)); "
                    + "\(installed.name) \(installed.text) is installed")
        }
        guard let repository = document.releaseRepository else { return lines }
        for name in facts.names {
            let parts = name.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count > 1, let tag = parts.last,
                name == "\(repository):\(tag)" || name.hasSuffix("/\(repository):\(tag)"),
                let pattern = Pattern("(?:slim-)?([0-9]+\\.[0-9]+\\.[0-9]+[a-z0-9]*)(?:-.*)?"),
                let release = pattern.capture(in: String(tag)),
                ReleaseVersion(release) != installed.version
            else { continue }
            lines.append(
                "the image is named \(escaped(name)); \(installed.name) \(installed.text) is installed")
        }
        return lines
    }

    /// The profile whose range holds the release, else the one whose end is next to it.
    private static func nearest(to release: ReleaseVersion, _ profiles: [ProfileDeclaration])
        -> ProfileDeclaration?
    {
        if let exact = profiles.first(where: { $0.versions.contains(release) }) { return exact }
        let below = profiles.filter { $0.versions.clamp(release) < release }
            .max { $0.versions.clamp(release) < $1.versions.clamp(release) }
        return below ?? profiles.min { $0.versions.clamp(release) < $1.versions.clamp(release) }
    }

    private static func installedRelease(
        _ names: [String], _ facts: ImageFacts
    ) -> Result<(name: String, text: String, version: ReleaseVersion), Unresolved> {
        if names.isEmpty { return .failure(Unresolved("the suite does not say what its release is")) }
        let shown = names.joined(separator: " or ")
        switch facts.python {
        case .failure(let error) where error.kind == .missing:
            return .failure(Unresolved("\(shown) is not installed"))
        case .failure(let error): return .failure(Unresolved(error.message))
        case .success(let environment):
            for name in names {
                for distribution in environment.distributions(named: name) {
                    if let version = ReleaseVersion(distribution.version) {
                        return .success((name, escaped(distribution.version), version))
                    }
                }
            }
            return .failure(Unresolved("\(shown) is not installed"))
        }
    }
}

extension EffectiveVersion {
    fileprivate var undecidedReason: String? { if case .undecided(let reason) = self { reason } else { nil } }
}
