import Facts
import OCIModel
import Suite
import Verdict

/// `requirements: apache-airflow`
struct RequirementsExpectation: Expectation {
    static let kind = ExpectationKind(
        "requirements",
        summary:
            "pip check finds nothing broken where a distribution is installed",
        keys: [
            .init("except", "names or globs: what they require, or who requires them, does not count", .texts)
        ],
        passing: "requirements: pip", failing: "requirements: example")

    private let name: Template
    private let exceptions: [Template]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("requirements", &reading) else { return nil }
        self.name = name
        exceptions = fields.templates("except", &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let exceptions = try context.distributionGlobs(exceptions)
        func isExcepted(_ name: String?) -> Bool {
            name.map { name in exceptions.contains { $0.matches(name) } } ?? false
        }
        let installations = try context.installations(of: name)
        if installations.isEmpty { return Evaluation(failures: [try context.absence(of: name)]) }
        var result = Evaluation()
        for installation in installations {
            var report = installation.set.checkRequirements()
            report.problems.removeAll {
                isExcepted($0.distribution?.normalizedName) || isExcepted($0.requiredName)
            }
            result.add(
                try context.evaluation(of: report, expected: "requirements that are met", subject: name))
            if report.problems.isEmpty {
                result.proofs.append(
                    Finding(
                        subject: Subject(.distribution, escaped(name)), expected: "requirements that are met",
                        observed: "\(report.count) requirements of \(installation.set.distributions.count) "
                            + "distributions are, along "
                            + installation.set.searchPath.map(\.description).joined(separator: " "),
                        provenance: context.provenance(ofLayer: installation.distribution.layer)))
            }
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        guard let place = try context.installations(of: try context.resolve(name)).first else { return [] }
        let entry = place.metadataEntry(
            at: place.distribution.sitePackages.appending("assay_violation-1.dist-info/METADATA"),
            of: "assay-violation", version: "1", requires: "assay-missing", in: context.facts.rootfs)
        return [Violation("install something whose requirement is missing", context.adding(entry))]
    }
}
