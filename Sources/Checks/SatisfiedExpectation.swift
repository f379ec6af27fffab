import Facts
import OCIModel
import Suite
import Verdict

/// `satisfied: "apache-airflow[celery,redis]"`
struct SatisfiedExpectation: Expectation {
    static let kind = ExpectationKind(
        "satisfied",
        summary: "requirements (PEP 508) are met by what is installed, with all that their extras ask for",
        value: .texts,
        keys: [
            .init("environmentOf", "the distribution whose environment is looked at", .text),
            .init(
                "allowUnknownExtras", "true: extras that the installed version has not are passed over", .flag
            ),
        ],
        passing: "satisfied: [pip>=9]\nenvironmentOf: pip", failing: "satisfied: [pip<9]\nenvironmentOf: pip")

    private let requirements: [Template]
    private let name: Template
    private let allowsUnknownExtras: Bool

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        _ = fields.required("satisfied", &reading)
        guard let name = fields.requiredTemplate("environmentOf", &reading) else { return nil }
        self.name = name
        for node in fields.texts("satisfied", &reading) {
            guard let text = node.scalar, !text.contains("${") else { continue }
            do {
                _ = try Requirement(text)
            } catch {
                reading.report(node.position, error.message)
            }
        }
        requirements = fields.templates("satisfied", &reading)
        allowsUnknownExtras = fields.flag("allowUnknownExtras", &reading) ?? false
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let requirements = try parsed(context)
        let installations = try context.installations(of: name)
        if installations.isEmpty { return Evaluation(failures: [try context.absence(of: name)]) }
        var result = Evaluation()
        var unresolved: Unresolved?
        for installation in installations {
            for requirement in requirements {
                let report = installation.set.check(
                    requirement, allowingUnknownExtras: allowsUnknownExtras)
                do throws(Unresolved) {
                    result.add(
                        try context.evaluation(
                            of: report, expected: "\(requirement)", subject: requirement.normalizedName))
                    if report.problems.isEmpty {
                        result.proofs.append(
                            Finding(
                                subject: Subject(.distribution, escaped(requirement.normalizedName)),
                                expected: escaped("\(requirement)"),
                                observed: report.count == 1
                                    ? "satisfied"
                                    : "satisfied, with \(report.count - 1) requirements of extras"))
                    }
                } catch {
                    unresolved = unresolved ?? error
                }
            }
        }
        if result.holds, let unresolved { throw unresolved }
        if requirements.isEmpty {
            result.proofs.append(
                Finding(
                    subject: Subject(.distribution, escaped(name)), expected: "nothing is required",
                    observed: "nothing"))
        }
        return result
    }

    private func parsed(_ context: EvaluationContext) throws(Unresolved) -> [Requirement] {
        var result: [Requirement] = []
        for text in try requirements.words(in: context.scope) {
            do throws(MalformedRequirement) {
                result.append(try Requirement(text))
            } catch {
                throw Unresolved(error.message)
            }
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let required = try parsed(context)
        guard let place = try context.installations(of: try context.resolve(name)).first else { return [] }
        // The last was required by an extra, if anything was: the image stays more like itself without that.
        return required.compactMap { requirement in
            place.set.check(requirement, allowingUnknownExtras: allowsUnknownExtras).satisfying.last
        }.map { distribution in
            Violation(
                "remove the metadata of \(escaped(distribution.normalizedName))",
                [.remove(distribution.metadataPath.parent)])
        }
    }
}
