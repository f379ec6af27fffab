import Facts
import OCIModel
import Suite
import Verdict

/// `distributions: {every: [apache-airflow]}`
struct DistributionsExpectation: Expectation {
    static let kind = ExpectationKind(
        "distributions",
        summary: "Python distributions are installed, or none of them is; names (in any spelling) or globs",
        value: .quantified,
        keys: [
            .init("version", "the version"), .init("location", "the site-packages directory that holds it"),
            .init("installer", "what installed it, as pip or uv"),
            .init("directURL", "the text of direct_url.json, which a distribution from an index has not"),
        ],
        passing: "distributions: {every: [pip]}", failing: "distributions: {none: [pip]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("distributions", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["version", "location", "installer", "directURL"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let environment = try context.require(context.facts.python)
        let distributions = Distributions(environment: environment, context: context)
        return try quantified.evaluate(distributions, attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let things = Distributions(environment: try context.require(context.facts.python), context: context)
        return try quantified.violations(things, attributes: attributes, context)
    }
}

struct Distributions: NamedThings {
    let environment: PythonEnvironment
    let context: EvaluationContext

    var kind: Subject.Kind { .distribution }

    func find(_ glob: Glob) -> [NamedThing] {
        let candidates =
            glob.isLiteral
            ? environment.distributions(named: glob.pattern)
            : environment.distributions.filter { glob.matches($0.normalizedName) }
        return candidates.map { distribution in
            var directURL = Observed.none
            if case .success(let text)? = distribution.directURL { directURL = .text(text) }
            return NamedThing(
                shown: escaped("\(distribution.name) \(distribution.version)")
                    + " in \(distribution.sitePackages)",
                values: [
                    "name": .text(distribution.normalizedName), "version": .text(distribution.version),
                    "location": .text(distribution.sitePackages.description),
                    "installer": distribution.installer.map { .text($0) } ?? .none, "directURL": directURL,
                ],
                provenance: context.provenance(ofLayer: distribution.layer))
        }
    }

    func provenance(ofMissing name: String) -> Provenance? {
        context.provenance(ofKnownLayer: environment.layer(thatRemoved: Glob(name)))
    }

    /// Metadata that could not be read of a distribution which its directory says may be meant.
    func doubt(about glob: Glob) -> String? {
        environment.malformed.entries.first { entry in
            entry.path.components.contains { component in
                let name = String(decoding: component, as: UTF8.self)
                guard name.hasSuffix(".dist-info") || name.hasSuffix(".egg-info") else { return false }
                let stem = PythonEnvironment.normalize(String(name.prefix { $0 != "-" }))
                let wanted = glob.isLiteral ? Glob(PythonEnvironment.normalize(glob.pattern)) : glob
                return wanted.matches(stem)
            }
        }.map { "the metadata of a distribution cannot be read: \($0)" }
    }

    func values(of attribute: String, _ name: String) -> [String]? {
        guard attribute == "location" else { return nil }
        // Beside those that exist, where a system's Python has its own.
        return environment.siteDirectories.map(\.description) + [
            "/usr/local/lib/python3.99/site-packages", "/usr/lib/python3/dist-packages",
        ]
    }

    /// Another version leaves the name of a distribution's directory as it is.
    func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] {
        var changes: [Violation.Change] = []
        var missing = new
        for thing in old {
            let successor = missing.firstIndex { $0.name == thing.name }.map { missing.remove(at: $0) }
            for distribution in environment.distributions(named: thing.name)
            where distribution.sitePackages.description == thing.text("location") {
                let directory = Distributions.directory(of: distribution)
                if let successor, successor.text("location") == thing.text("location") {
                    changes += write(successor, like: distribution, into: directory)
                } else {
                    changes.append(.remove(directory))
                    if let successor { changes += write(successor, like: distribution, into: nil) }
                }
            }
        }
        return changes + missing.flatMap { write($0, like: nil, into: nil) }
    }

    /// The `.dist-info` or `.egg-info`; of an egg that is a single file that file.
    private static func directory(of distribution: PythonEnvironment.Distribution) -> ImagePath {
        let metadata = distribution.metadataPath
        return metadata.parent == distribution.sitePackages ? metadata : metadata.parent
    }

    /// - Parameters:
    ///   - original: what it is a copy of, but for its values; nil: it has a name and a version and no more.
    ///   - directory: where the original is; nil: a new one, named as usual.
    private func write(
        _ thing: NamedThing, like original: PythonEnvironment.Distribution?, into directory: ImagePath?
    ) -> [Violation.Change] {
        let version = thing.text("version") ?? "1.0"
        let name = "\(thing.name.replacing("-", with: "_"))-\(version).dist-info"
        let site = thing.text("location").map { ImagePath($0) } ?? environment.siteDirectories.first
        let own = directory ?? (site ?? "/usr/local/lib/python3.99/site-packages").appending(name)
        guard var file = EditedFile(original?.metadataPath ?? own.appending("METADATA"), context) else {
            return []
        }
        for number in file.numbers where file[number]?.starts(with: "Version:".utf8) == true {
            file[number] = Array("Version: \(version)".utf8)
            break
        }
        if original == nil {
            for line in ["Metadata-Version: 2.1", "Name: \(thing.name)", "Version: \(version)"] {
                file.append(line)
            }
        }
        var changes =
            directory == nil
            ? context.adding(context.newEntry(at: own.appending("METADATA"), content: file.content))
            : [file.change]
        let installer = original?.installer.map { Observed.text($0) } ?? .none
        var directURL = Observed.none
        if case .success(let text)? = original?.directURL { directURL = .text(text) }
        for (attribute, file, present) in [
            ("installer", "INSTALLER", installer), ("directURL", "direct_url.json", directURL),
        ] {
            let path = own.appending(file)
            // A copy in another place has not got the file yet.
            guard let value = thing.values[attribute], value != present || directory == nil else { continue }
            switch value {
            case .text(let text):
                changes.append(.write(context.newEntry(at: path, content: Array(text.utf8))))
            case .none, .list: changes.append(.remove(path))
            }
        }
        return changes
    }
}
