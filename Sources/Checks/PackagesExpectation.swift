import Facts
import OCIModel
import Suite
import Verdict

/// `packages: {none: [gcc]}`
struct PackagesExpectation: Expectation {
    static let kind = ExpectationKind(
        "packages",
        summary:
            "Debian packages are installed, or none of them has files in the image; names or globs, exact",
        value: .quantified,
        keys: [
            .init("version", "the version; ranges look at the upstream numbers only"),
            .init("status", "the words of dpkg, as install ok installed"),
        ],
        passing: "packages: {every: [dpkg]}", failing: "packages: {none: [dpkg]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("packages", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["version", "status"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let packages = Packages(database: try context.require(context.facts.packages), context: context)
        return try quantified.evaluate(packages, attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let things = Packages(database: try context.require(context.facts.packages), context: context)
        return try quantified.violations(things, attributes: attributes, context)
    }

    private struct Packages: NamedThings {
        let database: PackageDatabase
        let context: EvaluationContext

        var kind: Subject.Kind { .package }

        func find(_ glob: Glob) -> [NamedThing] {
            let candidates =
                glob.isLiteral
                ? database.packages(named: glob.pattern) : database.packages.filter { glob.matches($0.name) }
            return candidates.filter(\.hasFiles).map { package in
                NamedThing(
                    shown: escaped("\(package.name) \(package.version) (\(package.status))"),
                    values: [
                        "name": .text(package.name), "version": .text(package.version),
                        "status": .text(package.status.description),
                    ],
                    provenance: context.provenance(ofKnownLayer: database.layer(thatInstalled: package.name)),
                    isUsable: package.isInstalled)
            }
        }

        func provenance(ofMissing name: String) -> Provenance? {
            context.provenance(ofKnownLayer: database.layer(thatRemoved: name))
        }

        func doubt(about glob: Glob) -> String? {
            guard let first = database.malformedStanzas.entries.first else { return nil }
            return "\(database.malformedStanzas.count) records of dpkg do not parse, the first: \(first)"
        }

        func values(of attribute: String, _ name: String) -> [String]? {
            guard attribute == "status" else { return nil }
            // Those of a package with files; of others the expectation does not speak.
            let states = PackageDatabase.Status.State.allCases.filter {
                $0 != .notInstalled && $0 != .configFiles
            }
            return states.flatMap { ["install ok \($0.rawValue)", "install reinstreq \($0.rawValue)"] }
        }

        /// Edits the stanzas of dpkg's database.
        func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] {
            let status: ImagePath = database.packages.first?.path ?? "/var/lib/dpkg/status"
            var files: [ImagePath: EditedFile] = [:]
            var missing = new
            for package in old.flatMap({ database.packages(named: $0.name) }) where package.hasFiles {
                guard var file = files[package.path] ?? EditedFile(package.path, context) else { return [] }
                let kept = new.first { $0.name == package.name }
                missing.removeAll { $0.name == package.name }
                var number = package.line
                while let line = file[number], !line.isEmpty {
                    if let kept {
                        for (field, value) in [
                            ("Version", kept.text("version")), ("Status", kept.text("status")),
                        ] {
                            guard let value, line.starts(with: Array("\(field):".utf8)) else { continue }
                            file[number] = Array("\(field): \(value)".utf8)
                        }
                    } else {
                        file[number] = nil
                    }
                    number += 1
                }
                files[package.path] = file
            }
            for package in missing {
                guard var file = files[status] ?? EditedFile(status, context) else { return [] }
                for line in [
                    "", "Package: \(package.name)",
                    "Status: \(package.text("status") ?? "install ok installed")",
                    "Architecture: \(database.packages.first?.architecture ?? "all")",
                    "Version: \(package.text("version") ?? "1.0")",
                ] {
                    file.append(line)
                }
                files[status] = file
            }
            return files.sorted { $0.key < $1.key }.map(\.value.change)
        }
    }
}
