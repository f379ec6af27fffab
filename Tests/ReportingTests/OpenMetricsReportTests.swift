import Testing
import Verdict

@testable import Reporting

struct OpenMetricsReportTests {
    private func lines(_ record: RunRecord) throws -> [Substring] {
        try text(.openmetrics, record).split(separator: "\n")
    }

    @Test func countsAreByOutcomeAndSeverity() throws {
        let lines = try lines(.of(everyKind))
        let labels = #"image="oci:image",platform="linux/amd64",suite="s""#
        #expect(lines.contains("assay_checks{\(labels),outcome=\"fail\",severity=\"error\"} 2"))
        #expect(lines.contains("assay_checks{\(labels),outcome=\"fail\",severity=\"info\"} 1"))
        #expect(lines.contains("assay_checks{\(labels),outcome=\"pass\",severity=\"info\"} 0"))
        let counts = lines.filter { $0.hasPrefix("assay_checks{") }
        #expect(counts.count == Outcome.allCases.count * Severity.allCases.count)
        #expect(
            counts.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
                == everyKind.count)
        #expect(lines.contains("assay_known_fails{image=\"oci:image\",platform=\"linux/amd64\"} 1"))
        #expect(lines.contains("assay_run_exit_code 1"))
        #expect(lines.contains("assay_image_exit_code{image=\"oci:image\",platform=\"linux/amd64\"} 1"))
        #expect(
            lines.contains("assay_image_duration_seconds{image=\"oci:image\",platform=\"linux/amd64\"} 1.000")
        )
    }

    @Test func theLastLineIsTheEnd() throws {
        for sample in Sample.allCases { #expect(try lines(sample.record).last == "# EOF") }
    }

    @Test(
        arguments: [
            ("2026-11-23T12:00:00Z", "1795435200"), ("2026-11-23T12:00:00.5Z", "1795435200"),
            ("yesterday", nil), (nil, nil),
        ] as [(String?, String?)])
    func theStartIsInSecondsOfTheEpoch(started: String?, seconds: String?) throws {
        var record = RunRecord.of(everyKind)
        record.started = started
        let line = try lines(record).first { $0.hasPrefix("assay_run_started_seconds") }
        #expect(line == seconds.map { "assay_run_started_seconds \($0)" })
    }

    @Test func equalImagesAreToldApart() throws {
        let lines = try lines(.of(everyKind, on: ["oci:a", "oci:a"]))
        #expect(Set(lines).count == lines.count)
        #expect(lines.contains("assay_known_fails{image=\"oci:a [2]\",platform=\"linux/amd64\"} 1"))
    }

    @Test func labelsAreEscapedAndBounded() throws {
        let name = "oci:\"a\\b\nc" + String(repeating: "x", count: 1_000)
        let line = try #require(
            lines(.of(everyKind, on: [name])).first { $0.hasPrefix("assay_known_fails{") })
        #expect(line.hasPrefix(#"assay_known_fails{image="oci:\"a\\b\\ncxxx"#))
        #expect(line.utf8.count < 500)
    }

    /// Whatever an image holds, the number of series and the labels do not depend on it.
    @Test func nothingFromInsideAnImageIsALabel() throws {
        let output = try text(.openmetrics, CanonicalRun.record)
        for words in ["error::", "AIR-", "/opt/", "gpj"] { #expect(!output.contains(words)) }
    }

    @Test func whatCouldNotBeJudgedIsCounted() throws {
        let lines = try lines(CanonicalRun.record)
        #expect(lines.contains("assay_run_unreadable_images 1"))
        #expect(lines.contains("assay_waivers_not_needed 1"))
        #expect(try self.lines(Sample.sameImageTwiceInterrupted.record).contains("assay_run_complete 0"))
    }
}
