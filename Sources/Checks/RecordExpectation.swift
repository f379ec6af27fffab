import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// `record: apache-airflow`
struct RecordExpectation: Expectation {
    static let kind = ExpectationKind(
        "record",
        summary:
            "every file that RECORD lists of a distribution is there; compiled Python files do not count",
        keys: [.init("except", "paths or globs that do not count either", .texts)],
        passing: "record: pip", failing: "record: example")

    private let name: Template
    private let exceptions: [Template]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let name = fields.requiredTemplate("record", &reading) else { return nil }
        self.name = name
        exceptions = fields.templates("except", &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let name = try context.resolve(name)
        let installations = try context.installations(of: name)
        if installations.isEmpty { return Evaluation(failures: [try context.absence(of: name)]) }
        var result = Evaluation()
        for installation in installations {
            let distribution = installation.distribution
            let record = try context.require(context.facts.record(of: distribution))
            let subject = Subject(.distribution, escaped(name))
            for path in record.escapes {
                result.failures.append(
                    Finding(
                        subject: subject, expected: "recorded files below the root", observed: path,
                        provenance: context.provenance(ofLayer: distribution.layer)))
            }
            let files = try counted(record, context)
            let missing = files.filter { (try? context.facts.rootfs.node(at: $0)) == nil }
            for path in missing.prefix(Self.maximumFindings) {
                result.failures.append(
                    Finding(
                        subject: Subject(.path, path.description),
                        expected: "exists, as RECORD of \(escaped(name)) says", observed: "does not exist",
                        provenance: context.provenance(ofMissing: path),
                        details: missing.count > Self.maximumFindings
                            ? ["\(missing.count) of \(files.count) recorded files are missing"] : []))
            }
            if missing.isEmpty, record.escapes.isEmpty {
                result.proofs.append(
                    Finding(
                        subject: subject, expected: "every recorded file",
                        observed: "\(files.count) files are there",
                        provenance: context.provenance(ofLayer: distribution.layer)))
            }
        }
        return result
    }

    private func counted(
        _ record: DistributionRecord, _ context: EvaluationContext
    ) throws(Unresolved) -> [ImagePath] {
        let exceptions = try exceptions.words(in: context.scope).map { Glob($0) }
        return record.files.filter { path in
            // pip records what it compiles, and images leave it out.
            !path.bytes.suffix(4).elementsEqual(".pyc".utf8)
                && !path.components.contains { $0.elementsEqual("__pycache__".utf8) }
                && !exceptions.contains { $0.matches(path) }
        }
    }

    private static let maximumFindings = 20

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        guard let place = try context.installations(of: try context.resolve(name)).first else { return [] }
        let record = try context.require(context.facts.record(of: place.distribution))
        let metadata = place.distribution.metadataPath.parent
        let paths = try counted(record, context).filter { !$0.isWithin(metadata) }
        // A command may be what another check is about: modules first.
        let modules = paths.lazy.filter { $0.isWithin(place.distribution.sitePackages) }
        return (modules.prefix(1) + paths.prefix(1)).map { path in
            Violation("remove \(path)", [.remove(path)])
        }
    }
}
