import Testing
import Verdict

@testable import Reporting

struct MarkdownReportTests {
    @Test func theVerdictComesFirst() throws {
        #expect(
            try text(.markdown, .of(everyKind)).hasPrefix(
                "### ✗ DOES NOT CONFORM <code>oci&#58;image</code>\n"))
        #expect(try text(.markdown, .of([.of("A", .pass)])).hasPrefix("### ✓ CONFORMS "))
        #expect(
            try text(.markdown, .of([.of("A", .skipped)])).hasPrefix(
                "### ? COULD NOT BE JUDGED <code>oci&#58;image</code>\n\n- **no check was evaluated** "))
    }

    @Test func everyKindHasASection() throws {
        let output = try text(.markdown, .of(everyKind))
        for words in [
            "##### Failed (3)", "##### Errors, not decided (1)", "##### Known fails, in the baseline (1)",
            "##### Waived (1)", "<details><summary>Skipped (1)</summary>",
            "<details><summary>Not applicable (1)</summary>", "<details><summary>Passed (1)</summary>",
            "✓ 1 pass, ✗ 4 fail, ? 1 error, · 1 not applicable, - 1 skipped, ~ 1 waived",
            "**Fails below the threshold warning, which do not count: 1**",
            "- ✗ <code>FAIL</code> **title**\n  - <code>path /fail</code>: expected <code>there</code>, observed <code>not there</code>\n",
            "  - remedy: <code>mend it</code>\n", "  - reason: <code>the file was not kept</code>\n",
            "  - waiver: <code>until 2027-01-31 by release&#64;example.org&#58; MariaDB mirror is down</code>\n",
            "- deselected: <code>SKIPPED</code>\n",
        ] { #expect(output.contains(words), "\(words)") }
        #expect(!output.contains("**Cut**"))
    }

    @Test func severalImagesHaveATable() throws {
        let output = try text(.markdown, .of(everyKind, on: ["oci:a|b", "oci:c"]))
        #expect(
            output.contains(
                "| ✗ DOES NOT CONFORM | <code>oci&#58;a&#124;b linux/amd64</code> | 1 | 4 | 1 | 1 | 1 | 1 |\n"
            ))
        #expect(output.contains("#### ✗ DOES NOT CONFORM <code>oci&#58;c</code>\n"))
    }

    @Test func warningsOfTheRunAreThere() throws {
        #expect(
            try text(.markdown, CanonicalRun.record).contains(
                "the waiver of AIR-USR-001 at waivers.yaml&#58;12&#58;5 is not needed"))
        #expect(try text(.markdown, CanonicalRun.merged).contains("runs on one image do not agree on "))
    }

    @Test(arguments: [
        ("a|b", "a&#124;b"), ("`x`", "&#96;x&#96;"), ("\\|", "&#92;&#124;"), ("<b>&", "&lt;b&gt;&amp;"),
        ("[a](b)", "&#91;a&#93;&#40;b&#41;"), ("*_~#!", "&#42;&#95;&#126;&#35;&#33;"), ("@user", "&#64;user"),
        ("http://x", "http&#58;//x"), ("www.x.y", "www&#46;x.y"), ("$a$", "&#36;a&#36;"),
        ("a\nb", "a&#92;nb"),
        ("\u{202E}", "&#92;u&#123;202e&#125;"), ("plain, text; 1-2", "plain, text; 1-2"),
    ])
    func nothingOfATextIsMarkup(text: String, written: String) {
        #expect(MarkdownReport.text(text) == written)
        #expect(MarkdownReport.code(text) == "<code>\(written)</code>")
    }

    /// What text from an image could begin is written as a reference: what is left is the report's own.
    @Test(arguments: Sample.allCases)
    func noMarkupIsOfAnImage(sample: Sample) throws {
        let output = try text(.markdown, sample.record)
        let tags = output.matches(of: /<[^>]*>?/).map { String($0.0) }
        #expect(
            Set(tags).isSubset(of: [
                "<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>",
            ]))
        #expect(!output.contains("`") && !output.contains("](") && !output.contains("@"))
        for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
            #expect(
                line.isEmpty
                    || [
                        "#", "- ", "  - ", "    - ", "|", "<details>", "</details>", "✓ ", "**", "> ",
                        "assay ",
                    ]
                    .contains { line.hasPrefix($0) })
        }
    }

    private func manyResults(_ count: Int, _ outcome: Outcome) -> [CheckResult] {
        let long = String(repeating: "|", count: 590)
        return (0..<count).map { .of("\(outcome)-\($0)", outcome, title: long, findings: [.of(long)]) }
    }

    @Test func whatMattersLeastIsLeftOut() throws {
        let fails = manyResults(100, .fail)
        let passes = manyResults(400, .pass)
        let bytes = try ReportFormat.markdown.render(.of(passes + fails))
        #expect(bytes.count <= MarkdownReport.budget)
        #expect(bytes.count > MarkdownReport.budget - 20_000)
        let output = String(decoding: bytes, as: UTF8.self)
        #expect(fails.allSatisfy { output.contains("<code>\($0.id)</code>") })
        let shown = passes.count { output.contains("<code>\($0.id)</code>") }
        #expect(shown > 0 && shown < 400)
        #expect(output.contains("- … \(400 - shown) more passed checks\n"))
        #expect(output.contains("Left out are \(400 - shown) passed checks. The JSON report has all.\n"))
    }

    @Test func failsAreCutLast() throws {
        let results = manyResults(50, .pass) + manyResults(600, .fail)
        let output = try text(.markdown, .of(results))
        #expect(output.utf8.count <= MarkdownReport.budget)
        #expect(output.hasPrefix("### ✗ DOES NOT CONFORM"))
        #expect(output.contains("##### Failed (600)"))
        let shown = (0..<600).count { output.contains("<code>fail-\($0)</code>") }
        #expect(shown > 100 && shown < 600)
        #expect(output.contains("Left out are \(600 - shown) failed checks, "))
        #expect(output.contains("passed checks. The JSON report has all."))
    }

    @Test func manyImagesKeepTheBudget() throws {
        let references = (0..<3_000).map { "oci:\($0)" + String(repeating: "|", count: 590) }
        let output = try text(.markdown, .of([.of("A", .pass)], on: references))
        #expect(output.utf8.count <= MarkdownReport.budget)
        #expect(output.contains("images in the table"))
    }
}
