import Facts
import OCIModel
import Suite
import Verdict

/// `aptSources: {none: ["**"]}` with a matcher for the host
struct AptSourcesExpectation: Expectation {
    static let kind = ExpectationKind(
        "aptSources",
        summary: "sources from which apt takes packages; URIs or globs, in which ** also goes over slashes",
        value: .quantified,
        keys: [
            .init("host", "the host of the URI, in lower case; absent for those without"),
            .init("scheme", "as http or file"),
            .init("file", "path of the file that has the source"),
            .init("suite", "the suites, with blanks between them"),
            .init("credentials", "present: a name and a password stand in the URI"),
            .init(
                "key",
                "valid, expired, revoked or missing, by the time of the run; unchecked where nothing is verified"
            ),
        ],
        passing: "aptSources: {none: [\"**\"]}\nhost: {not: {endsWith: .debian.org}}",
        failing: "aptSources: {none: [\"http://deb.debian.org/**\"]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("aptSources", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(
            ["host", "scheme", "file", "suite", "credentials", "key"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try quantified.evaluate(try sources(context), attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        guard quantified.quantifier == .none else {
            // One file left is a source left.
            let files = Set(context.facts.aptSources.sources.map(\.path)).sorted()
            if files.isEmpty { return [] }
            return [
                Violation(
                    "rm " + files.map(\.description).joined(separator: " "), files.map { .remove($0) })
            ]
        }
        let key = try attributes.first { $0.name == "key" }?.matcher.resolved(in: context.scope)
        let option = key?.accepts(.text("unchecked")) == false ? "signed-by=/nowhere.gpg" : "trusted=yes"
        let line = "deb [\(option)] http://user:secret@assay.invalid/debian stable main\n"
        let entry = Violation.Entry("/etc/apt/sources.list.d/assay.list", content: Array(line.utf8))
        return [Violation("add a source of http://assay.invalid, \(option)", [.write(entry)])]
    }

    private func sources(_ context: EvaluationContext) throws(Unresolved) -> Sources {
        let wantsKey = attributes.contains { $0.name == "key" }
        var things: [(uri: String, thing: NamedThing)] = []
        for source in context.facts.aptSources.sources {
            let host = source.host
            var thing = NamedThing(
                shown: "\(escaped(source.shownURI)) (\(source.path))",
                values: [
                    "name": .text(source.uri), "host": host.isEmpty ? .none : .text(host),
                    "scheme": .text(source.scheme), "file": .text(source.path.description),
                    "suite": .text(source.suites.joined(separator: " ")),
                    "credentials": source.hasCredentials ? .text("present") : .none,
                ],
                provenance: context.provenance(ofLayer: source.layer))
            if wantsKey {
                do {
                    let state = try context.facts.aptSources.keyState(of: source, now: context.inputs.now)
                    let (word, detail) = describe(state)
                    thing.values["key"] = .text(word)
                    thing.shown += detail
                } catch {
                    throw Unresolved(error.message)
                }
            }
            things.append((source.uri, thing))
        }
        return Sources(things: things, malformed: context.facts.aptSources.malformed)
    }

    private func describe(_ state: AptSources.KeyState) -> (word: String, detail: String) {
        switch state {
        case .valid(let key): ("valid", ", key \(key.keyID)")
        case .expired(let key):
            ("expired", ", key \(key.keyID) expired on \(key.expires.map(day) ?? "an unknown day")")
        case .revoked(let key): ("revoked", ", key \(key.keyID)")
        case .missing(let reason): ("missing", ", \(reason)")
        case .unchecked: ("unchecked", "")
        }
    }

    private struct Sources: NamedThings {
        let things: [(uri: String, thing: NamedThing)]
        let malformed: MalformedEntries

        var kind: Subject.Kind { .source }

        func find(_ glob: Glob) -> [NamedThing] { things.filter { glob.matches($0.uri) }.map(\.thing) }

        func provenance(ofMissing name: String) -> Provenance? { nil }

        func doubt(about glob: Glob) -> String? {
            malformed.entries.first.map { "a source of apt does not parse: \($0)" }
        }

        // The expectation proposes whole violations itself.
        func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] { [] }

        func values(of attribute: String, _ name: String) -> [String]? { nil }
    }
}

/// The day, in UTC, of seconds since the epoch: `2022-02-16` (the calendar of RFC 3339).
private func day(_ seconds: Int64) -> String {
    // Days since 1 March 0000, in eras of 400 years.
    let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let number = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (number <= 2 ? 1 : 0)
    func digits(_ value: Int64, _ width: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(digits(year, 4))-\(digits(number, 2))-\(digits(dayOfYear - (153 * month + 2) / 5 + 1, 2))"
}
