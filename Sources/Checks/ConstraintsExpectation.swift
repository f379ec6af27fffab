import Facts
import OCIModel
import Suite
import Verdict

/// `constraints: /home/airflow/constraints.txt`
struct ConstraintsExpectation: Expectation {
    static let kind = ExpectationKind(
        "constraints",
        summary:
            "what is installed has the versions of a constraints file: a path in the image, or given for that "
            + "of --constraints",
        keys: [
            .init("environmentOf", "the distribution beside which is looked", .text),
            .init("except", "names or globs of distributions that do not count", .texts),
        ],
        passing: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip",
        failing: "constraints: /none/constraints.txt\nenvironmentOf: pip")

    private let source: Template
    private let name: Template
    private let exceptions: [Template]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let source = fields.requiredTemplate("constraints", &reading),
            let name = fields.requiredTemplate("environmentOf", &reading)
        else { return nil }
        self.source = source
        self.name = name
        exceptions = fields.templates("except", &reading)
    }

    private var isGiven: Bool { source.source == "given" }

    var contentPaths: [Template] { isGiven ? [] : [source] }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let exceptions = try context.distributionGlobs(exceptions)
        let installations = try context.installations(of: name)
        if installations.isEmpty { return Evaluation(failures: [try context.absence(of: name)]) }
        let place: String
        let entries: [Constraints.Entry]
        switch try read(context) {
        case .success(let found): (place, entries) = found
        case .failure(let missing): return Evaluation(failures: [missing.finding])
        }
        var result = Evaluation()
        var compared = 0
        var undecided: [String] = []
        for installation in installations {
            for entry in entries where entry.requirement.url == nil {
                let requirement = entry.requirement
                if exceptions.contains(where: { $0.matches(requirement.normalizedName) }) { continue }
                // What the base interpreter brings was not installed by these constraints.
                guard let found = installation.set.distribution(named: requirement.name),
                    found.sitePackages == installation.distribution.sitePackages
                else { continue }
                let shown = "\(requirement) (line \(entry.line) of \(place))"
                guard let version = found.pep440Version, !requirement.specifiers.isLegacy else {
                    undecided.append("\(shown): \(escaped(found.version)) cannot be compared")
                    continue
                }
                let applies = requirement.applies(in: installation.set.markers)
                if applies == false { continue }
                compared += 1
                if requirement.specifiers.accept(version) { continue }
                if applies == nil {
                    undecided.append("whether \(shown) applies is not known")
                    continue
                }
                result.failures.append(
                    Finding(
                        subject: Subject(.distribution, escaped(found.normalizedName)),
                        expected: escaped(shown),
                        observed: escaped(found.version),
                        provenance: context.provenance(ofLayer: found.layer)))
            }
        }
        if !result.holds { return result }
        if let first = undecided.first { throw Unresolved(escaped(first)) }
        guard compared > 0 else {
            throw Unresolved(
                "none of the \(entries.count) constraints of \(escaped(place)) is of "
                    + "something that is installed beside \(escaped(name))")
        }
        result.proofs.append(
            Finding(
                subject: Subject(.distribution, escaped(name)),
                expected: "the versions of \(escaped(place))",
                observed: "\(compared) of \(entries.count) constraints are of something installed, "
                    + "all of the version"))
        return result
    }

    private struct Missing: Error {
        let finding: Finding
    }

    /// A file that the image has not is a fail; one that cannot be read is none.
    private func read(
        _ context: EvaluationContext
    ) throws(Unresolved) -> Result<(String, [Constraints.Entry]), Missing> {
        if isGiven {
            guard let given = context.inputs.constraints else {
                throw Unresolved("no constraints are given: name the file with --constraints")
            }
            return .success((given.name, given.constraints.entries))
        }
        let path = ImagePath(try context.resolve(source))
        switch context.facts.constraints(at: path) {
        case .success(let constraints): return .success(("\(path)", constraints.entries))
        case .failure(let error) where error.kind == .missing:
            return .failure(
                Missing(
                    finding: Finding(
                        subject: Subject(.path, path.description), expected: "exists",
                        observed: "does not exist", provenance: context.provenance(ofMissing: path))))
        case .failure(let error): throw Unresolved(error.message)
        }
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        guard let place = try context.installations(of: try context.resolve(name)).first,
            case .success(let (_, entries)) = try read(context)
        else { return [] }
        let exceptions = try context.distributionGlobs(exceptions)
        let pinned = entries.lazy.map(\.requirement).filter { requirement in
            requirement.applies(in: place.set.markers) == true
                && requirement.specifiers.clauses.contains { $0.comparison == .equal }
                && !exceptions.contains { $0.matches(requirement.normalizedName) }
        }.compactMap { place.set.distribution(named: $0.name) }
        guard let first = pinned.first(where: { $0.sitePackages == place.distribution.sitePackages }) else {
            return []
        }
        // Next to the present one: what requires the distribution ought to be content with it.
        let near = first.version + ".1"
        let version = PEP440Version(near) == nil ? "999999" : near
        return [
            Violation(
                "install \(escaped(first.name)) in a version that the constraints do not have",
                [
                    .write(
                        place.metadataEntry(
                            at: first.metadataPath, of: first.name, version: version,
                            in: context.facts.rootfs))
                ])
        ]
    }
}
