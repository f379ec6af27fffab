import Foundation
import Testing
import Verdict

@testable import Reporting

extension CheckResult {
    /// A check of suite `s`, group `g`.
    static func of(
        _ id: String, _ outcome: Outcome, severity: Severity = .error, reason: String? = nil,
        title: String = "title", findings: [Finding] = [], known: Bool? = nil
    ) -> CheckResult {
        var result = CheckResult(
            id: id, title: title, suite: "s", group: "g", severity: severity, outcome: outcome,
            reason: reason, findings: findings, source: "handbook", remedy: "mend it",
            position: SourcePosition(file: "suites/g.yaml", line: 7, column: 5))
        result.known = known
        return result
    }
}

extension Finding {
    static func of(
        _ path: String, expected: String = "there", observed: String = "not there", others: [String]? = nil,
        known: Bool? = nil, waiver: WaiverMark? = nil
    ) -> Finding {
        var finding = Finding(
            subject: Subject(.path, path), expected: expected, observed: observed,
            provenance: Provenance(layer: 2, layerDigest: CanonicalRun.digest("2"), instruction: "RUN make"),
            others: others)
        (finding.known, finding.waiver) = (known, waiver)
        return finding
    }
}

extension RunRecord {
    /// A run on the images of these names, with the same results on each.
    static func of(
        _ results: [CheckResult], on references: [String] = ["oci:image"], complete: Bool = true
    ) -> RunRecord {
        CanonicalRun.record(
            images: references.map { reference in
                var run = CanonicalRun.cleanRun
                run.image.reference = reference
                run.results = results
                return run
            }, complete: complete)
    }
}

/// All kinds of results a format has to tell apart: what counts, what does not, what could not be decided.
let everyKind: [CheckResult] = [
    .of("PASS", .pass), .of("FAIL", .fail, findings: [.of("/fail")]),
    .of("WARN", .fail, severity: .warning, findings: [.of("/warn")]),
    .of("INFO", .fail, severity: .info, findings: [.of("/info")]),
    .of("KNOWN", .fail, findings: [.of("/known", known: true)], known: true),
    .of(
        "WAIVED", .waived, reason: "until 2027-01-31 by ops: later",
        findings: [.of("/waived", waiver: CanonicalRun.current)]),
    .of("ERROR", .error, reason: "the file was not kept"),
    .of("SKIPPED", .skipped, reason: "deselected"),
    .of("NA", .notApplicable, reason: "only for others"),
]

/// Text of a report.
func text(_ format: ReportFormat, _ record: RunRecord, _ options: RenderOptions = RenderOptions()) throws
    -> String
{
    try #require(String(validating: format.render(record, options: options), as: UTF8.self))
}

/// JSON as another reader sees it. Keys of a path are names of members or numbers of elements.
struct Document {
    let value: Any

    init(_ bytes: [UInt8]) throws {
        value = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    private init(value: Any) { self.value = value }

    subscript(path: Any...) -> Document? {
        var value = self.value
        for key in path {
            if let name = key as? String, let member = (value as? [String: Any])?[name] {
                value = member
            } else if let index = key as? Int, let elements = value as? [Any],
                elements.indices.contains(index)
            {
                value = elements[index]
            } else {
                return nil
            }
        }
        return Document(value: value)
    }

    var text: String? { value as? String }
    var number: Int? { value as? Int }
    var elements: [Document] { (value as? [Any] ?? []).map { Document(value: $0) } }
}
