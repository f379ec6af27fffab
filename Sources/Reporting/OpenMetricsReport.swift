import FoundationEssentials
import Verdict

/// Metrics in the text format of OpenMetrics 1.0, in the part of it that Prometheus' own text format shares, so that
/// the textfile collector of node_exporter reads it too.
///
/// Labels are what a run is given, and closed sets: image, platform, suite, outcome, severity. Digests are in
/// `assay_image_info` alone, and nothing from inside an image is one.
enum OpenMetricsReport {
    static let form = ReportForm(
        summary: "OpenMetrics for Prometheus: counts, durations, profile", fileExtension: "prom",
        bytesPerResult: 10,
        render: { record, options in render(record, options: options) })

    private typealias Labels = [(name: String, value: String)]

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        var output = ""
        func family(_ name: String, _ help: String, _ samples: [(labels: Labels, value: String)]) {
            if samples.isEmpty { return }
            output += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
            for sample in samples { output += "\(name)\(written(sample.labels)) \(sample.value)\n" }
        }
        let images = named(record)
        family(
            "assay_run_info", "The tool and its version.",
            [([("tool", record.tool.name), ("version", record.tool.version)], "1")])
        if let time = seconds(record.started) {
            family("assay_run_started_seconds", "When the run began, since the epoch.", [([], time)])
        }
        family(
            "assay_run_complete", "0 when the run was interrupted.", [([], record.complete ? "1" : "0")])
        family(
            "assay_run_exit_code", "0 conforms, 1 does not conform, 3 could not be judged.",
            [([], String(ExitDecision(of: record, failOn: options.failOn).rawValue))])
        family(
            "assay_run_unreadable_images", "Images that could not be judged at all.",
            [([], String(record.unreadable.count))])
        family(
            "assay_waivers_not_needed", "Waivers that no image of the run needed.",
            [([], String(record.unusedWaivers?.count ?? 0))])
        family(
            "assay_image_info", "What was judged, by which profile.",
            images.map { labels, run in
                (
                    labels + [
                        ("config_digest", run.image.configDigest),
                        ("manifest_digest", run.image.manifestDigest ?? ""),
                        ("profile", run.profile?.id ?? ""), ("variant", run.profile?.variant ?? ""),
                    ], "1"
                )
            })
        family(
            "assay_image_exit_code", "0 conforms, 1 does not conform, 3 could not be judged.",
            images.map { labels, run in
                (labels, String(record.decision(on: run, failOn: options.failOn).rawValue))
            })
        family(
            "assay_image_duration_seconds", "Wall time of the judgement.",
            images.map { ($0.labels, SafeText.seconds($0.run.duration)) })
        family(
            "assay_image_layers", "Layers of the image.",
            images.map { ($0.labels, String($0.run.image.layers.count)) })
        family(
            "assay_image_layer_bytes", "Bytes of the uncompressed layers.",
            images.map {
                ($0.labels, String($0.run.image.layers.reduce(0.0) { $0 + Double($1.uncompressedSize) }))
            })
        family(
            "assay_checks", "Checks by outcome and severity.",
            images.flatMap { labels, run in counts(of: run).map { (labels + $0.labels, $0.value) } })
        family(
            "assay_known_fails", "Fails that the baseline has; they are among the fails of assay_checks.",
            images.map { ($0.labels, String($0.run.results.count { $0.known == true })) })
        return Array((output + "# EOF\n").utf8)
    }

    /// Every combination is there, so that a count that becomes zero is told, too.
    private static func counts(of run: ImageRun) -> [(labels: Labels, value: String)] {
        struct Key: Hashable {
            var suite: String
            var outcome: Outcome
            var severity: Severity
        }
        var counts: [Key: Int] = [:]
        var suites: [String] = []
        for place in run.results.indices {
            let key = Key(
                suite: run.results[place].suite, outcome: run.results[place].outcome,
                severity: run.results[place].severity)
            if counts[key] == nil, !suites.contains(key.suite) { suites.append(key.suite) }
            counts[key, default: 0] += 1
        }
        return suites.flatMap { suite in
            Outcome.allCases.flatMap { outcome in
                Severity.allCases.map { severity in
                    (
                        [
                            ("suite", suite), ("outcome", outcome.rawValue),
                            ("severity", severity.rawValue),
                        ], String(counts[Key(suite: suite, outcome: outcome, severity: severity), default: 0])
                    )
                }
            }
        }
    }

    /// The images with the labels that tell them apart: equal ones would be one series, which no reader takes.
    private static func named(_ record: RunRecord) -> [(labels: Labels, run: ImageRun)] {
        var seen: [[String]: Int] = [:]
        return record.images.map { run in
            let key = [label(run.image.reference), label(run.image.platform)]
            let occurrence = seen[key, default: 0] + 1
            seen[key] = occurrence
            let name = occurrence > 1 ? "\(key[0]) [\(occurrence)]" : key[0]
            return ([("image", name), ("platform", key[1])], run)
        }
    }

    private static func written(_ labels: Labels) -> String {
        if labels.isEmpty { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped(label($0.value)))\"" }.joined(separator: ",") + "}"
    }

    private static func label(_ text: String) -> String {
        SafeText.shortened(SafeText.oneLine(text), limit: 300)
    }

    private static func escaped(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { output += "\\" }
            output.unicodeScalars.append(scalar)
        }
        return output
    }

    private static func seconds(_ time: String?) -> String? {
        guard let time else { return nil }
        let styles = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        let date = styles.lazy.compactMap { try? Date(time, strategy: $0) }.first
        return date.map { String(Int64($0.timeIntervalSince1970)) }
    }
}
