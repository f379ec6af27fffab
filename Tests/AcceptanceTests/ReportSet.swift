import AssayTestSupport
import Foundation
import Verdict

/// Reports of one run in the formats that programs read, and the record that they have to agree with.
struct ReportSet {
    /// Where they come from.
    enum Source: String, CaseIterable, Sendable {
        /// The run that the examples in `Reports/examples` show: two images, hostile text, everything a record can say.
        case examples
        /// An image made in code, judged by the program: every outcome, a waiver that is not needed.
        case run
    }

    let record: RunRecord
    private let prefix: String
    /// Keeps the files for as long as they are read.
    private let directory: TemporaryDirectory?

    init(_ source: Source) async throws {
        switch source {
        case .examples:
            directory = nil
            prefix = projectRoot + "/Reports/examples/canonical."
        case .run:
            let image = try OutcomesImage()
            directory = image.directory
            let prefix = image.directory.path + "/reports/run."
            self.prefix = prefix
            let extensions = [
                "json", "xml", "strict.xml", "sarif", "md", "tap", "github.txt", "gitlab.json", "prom",
            ]
            let formats = [
                "json", "junit", "junit-strict", "sarif", "markdown", "tap", "github", "gitlab",
                "openmetrics",
            ]
            let result = try await Assay.run(
                ["check"] + image.arguments + ["--quiet"]
                    + zip(formats, extensions).flatMap { ["--report", "\($0)=\(prefix)\($1)"] })
            guard result.code == 1 else { throw ToolError(description: "expected 1: \(result)") }
        }
        record = try JSONDecoder().decode(
            RunRecord.self, from: Data(contentsOf: URL(fileURLWithPath: prefix + "json")))
    }

    func path(_ fileExtension: String) -> String { prefix + fileExtension }

    /// What the run could not tell, beside its checks: each is an error of its own in formats of tests.
    var problems: Int {
        record.images.count { !$0.hasEvaluatedChecks } + record.unreadable.count + (record.complete ? 0 : 1)
    }

    func count(where isCounted: (CheckResult) -> Bool) -> Int {
        record.images.flatMap(\.results).count(where: isCounted)
    }

    func count(_ outcome: Outcome) -> Int { count { $0.outcome == outcome } }
}

/// An image made in code, and a suite by which it has every outcome.
struct OutcomesImage {
    let directory: TemporaryDirectory
    /// Of `assay check`.
    let arguments: [String]

    init() throws {
        directory = try TemporaryDirectory()
        var builder = SmallImage.sample()
        builder.addLayer(createdBy: "RUN ::error::x | `id` </script>]]> %0A") { tar in
            tar.add("opt/::error::<b>]]>|`x`%0A#", content: [])
        }
        let layout = try directory.write(try builder.layoutFiles(), below: "layout")
        let suite = try directory.write(
            Array(
                """
                suite: outcomes
                title: Every outcome
                checks:
                  - id: O-PASS
                    title: the image runs as airflow
                    expect: {config: user, equals: "50000"}
                  - id: O-FAIL
                    title: "there is no such file # TODO `x` | 100%"
                    remedy: remove it
                    expect: {paths: {none: ["/opt/*error*"]}}
                  - id: O-WARN
                    title: there is a file
                    severity: warning
                    expect: [{path: /etc/warn}, {path: /etc/warning}]
                  - id: O-INFO
                    title: there is a file
                    severity: info
                    expect: {path: /etc/info}
                  - id: O-WAIVED
                    title: there is a file
                    expect: {path: /etc/waived}
                  - id: O-ERROR
                    title: files below a directory that is not there
                    expect: {paths: {every: ["/none/*"]}, type: file}
                  - id: O-NA
                    title: only for another image
                    when: {environment: NO_SUCH_VARIABLE}
                    expect: {config: user, equals: x}
                  - id: O-SKIP
                    title: not selected
                    expect: {config: user, equals: x}

                """.utf8), to: "outcomes.yaml")
        let waivers = try directory.write(
            Array(
                """
                waivers:
                  - {check: O-WAIVED, reason: the mirror is down, owner: ops, expires: 2099-12-31}
                  - {check: O-PASS, reason: not needed, owner: ops, expires: 2099-12-31}

                """.utf8), to: "waivers.yaml")
        arguments = ["oci:\(layout)", "--suite", suite, "--skip", "O-SKIP", "--waivers", waivers]
    }
}
