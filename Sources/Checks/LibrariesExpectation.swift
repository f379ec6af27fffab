import Facts
import OCIModel
import Suite
import Verdict

/// `libraries: {any: ["libmariadb.so.*"]}`
struct LibrariesExpectation: Expectation {
    static let kind = ExpectationKind(
        "libraries", summary: "shared libraries where the dynamic linker looks for them; file names or globs",
        value: .quantified,
        keys: [.init("path", "where it was found")],
        passing: "libraries: {any: [\"libc.so.*\", \"libc.musl-*.so.*\"]}",
        failing: "libraries: {none: [\"libc.so.*\", \"libc.musl-*.so.*\"]}")

    private let quantified: Quantified
    private let attributes: [NamedAttribute]

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("libraries", fields, &reading) else { return nil }
        self.quantified = quantified
        attributes = NamedAttribute.read(["path"], fields, &reading)
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        try quantified.evaluate(Libraries(context: context), attributes: attributes, context)
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        try quantified.violations(Libraries(context: context), attributes: attributes, context)
    }

    private struct Libraries: NamedThings {
        let context: EvaluationContext

        var kind: Subject.Kind { .library }

        func find(_ glob: Glob) -> [NamedThing] {
            context.facts.libraries.find(glob).map { library in
                NamedThing(
                    shown: library.path.description,
                    values: [
                        "name": .text(String(decoding: library.path.name ?? [], as: UTF8.self)),
                        "path": .text(library.path.description),
                    ],
                    provenance: context.provenance(ofLayer: library.layer))
            }
        }

        func provenance(ofMissing name: String) -> Provenance? {
            context.provenance(ofKnownLayer: context.facts.libraries.layer(thatRemoved: Glob(name)))
        }

        func doubt(about glob: Glob) -> String? {
            context.facts.libraries.unreadFiles.first.map {
                "\($0) configures the dynamic linker and was not read"
            }
        }

        func values(of attribute: String, _ name: String) -> [String]? {
            context.existing(context.facts.libraries.path).map { $0.appending(name).description }
        }

        func changes(removing old: [NamedThing], adding new: [NamedThing]) -> [Violation.Change] {
            let removed = old.compactMap { $0.text("path") }.map { Violation.Change.remove(ImagePath($0)) }
            return removed
                + new.flatMap { thing -> [Violation.Change] in
                    let directory = context.existing(context.facts.libraries.path).first ?? "/usr/lib"
                    let path = thing.text("path").map { ImagePath($0) } ?? directory.appending(thing.name)
                    return context.adding(context.newEntry(at: path, content: Array("\u{7F}ELF".utf8)))
                }
        }
    }
}
