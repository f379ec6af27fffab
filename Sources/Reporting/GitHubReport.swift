import Verdict

/// Workflow commands of GitHub Actions, which its runner reads from the output of a step and shows as annotations.
///
/// One command per check, what matters most first. GitHub shows ten errors, ten warnings and ten notices of a step;
/// where there are more, the tenth says how many and which.
enum GitHubReport {
    static let form = ReportForm(
        summary: "annotations of GitHub Actions, for the standard output of a step",
        fileExtension: "github.txt", bytesPerResult: 10,
        render: { record, options in render(record, options: options) })

    /// Annotations of one level that a step shows.
    private static let levelLimit = 10
    private static let titleLimit = 200
    private static let messageLimit = 4_000

    private enum Level: String, CaseIterable {
        case error
        case warning
        case notice
    }

    private struct Annotation {
        var level: Level
        var title: String
        /// Lines, made when they are shown: of thousands of fails thirty are.
        var message: () -> [String]
        var anchor: Anchor?
    }

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        let all = annotations(of: record, options)
        var output = ""
        for level in Level.allCases {
            let annotations = all.filter { $0.level == level }
            let areTooMany = annotations.count > levelLimit
            for annotation in annotations.prefix(areTooMany ? levelLimit - 1 : levelLimit) {
                output += command(annotation)
            }
            if areTooMany {
                let rest = annotations.dropFirst(levelLimit - 1)
                let titles = rest.prefix(20).map(\.title) + (rest.count > 20 ? ["…"] : [])
                output += command(
                    Annotation(
                        level: level, title: "\(rest.count.grouped) more of this level",
                        message: { ["GitHub shows ten of a step; other reports have all"] + titles }))
            }
        }
        // A line that is no command: the log says it, also where nothing is wrong.
        let verdict = ExitDecision(of: record, failOn: options.failOn).words.uppercased()
        return Array((output + "assay: \(verdict), \(counts(of: record))\n").utf8)
    }

    private static func annotations(of record: RunRecord, _ options: RenderOptions) -> [Annotation] {
        var annotations = RunProblem.all(of: record).map { image, problem in
            Annotation(
                level: .error, title: [problem.title, image].compactMap(\.self).joined(separator: ": "),
                message: { problem.lines }, anchor: Anchor(options))
        }
        for run in record.images {
            let suffix = record.images.count > 1 ? " (\(run.image.reference) \(run.image.platform))" : ""
            let results = [Outcome.fail, .error, .waived].flatMap(run.results.places(of:)).sorted()
            annotations += results.compactMap { place in
                let result = run.results[place]
                return level(of: result).map {
                    Annotation(
                        level: $0, title: "\(result.id) \(result.title)\(suffix)",
                        message: { message(of: result, on: run) },
                        anchor: Anchor(result, result.findings.first, options))
                }
            }
        }
        annotations += RunProblem.warnings(of: record).map {
            warning in
            Annotation(level: .warning, title: "assay", message: { [warning] })
        }
        return annotations
    }

    /// nil: nothing has to be said.
    private static func level(of result: CheckResult) -> Level? {
        switch result.outcome {
        case .pass, .notApplicable, .skipped: return nil
        case .error: return .error
        case .waived: return .notice
        case .fail where result.known == true: return .notice
        case .fail:
            switch result.severity {
            case .error: return .error
            case .warning: return .warning
            case .info: return .notice
            }
        }
    }

    private static func message(of result: CheckResult, on run: ImageRun) -> [String] {
        switch result.outcome {
        case .waived: [CheckText.excuse(of: result), CheckText.summary(of: result, withReason: false)]
        case .fail where result.known == true:
            ["known, in the baseline: \(CheckText.summary(of: result))"]
        default:
            [
                (result.outcome == .error ? "could not be decided: " : "") + CheckText.summary(of: result),
                result.findings.first?.provenance.map {
                    "cause: \(CheckText.summary(of: $0, on: run.image))"
                },
                result.undecided?.first.map { "undecided: \($0)" },
                result.remedy.map { "remedy: \($0)" }, result.source.map { "source: \($0)" },
                "suite: \(result.position)",
            ].compactMap(\.self)
        }
    }

    private static func counts(of record: RunRecord) -> String {
        let counts = record.images.map(\.counts)
        return Outcome.allCases.map { outcome in
            "\(counts.reduce(0) { $0 + $1[outcome, default: 0] }) \(outcome.words)"
        }.joined(separator: ", ")
    }

    // MARK: Commands

    private static func command(_ annotation: Annotation) -> String {
        var properties: [(name: String, value: String)] = []
        if let anchor = annotation.anchor {
            properties += [
                ("file", line(anchor.path, limit: SafeText.valueLimit)), ("line", String(anchor.line)),
            ]
        }
        properties.append(("title", line(annotation.title, limit: titleLimit)))
        let message = annotation.message().map { line($0, limit: SafeText.valueLimit) }.joined(
            separator: "\n")
        return "::\(annotation.level.rawValue) "
            + properties.map { "\($0.name)=\(escapedProperty($0.value))" }.joined(separator: ",")
            + "::\(escapedData(SafeText.shortened(message, limit: messageLimit)))\n"
    }

    /// `##[` is a command too, of an older kind.
    private static func line(_ text: String, limit: Int) -> String {
        SafeText.inert(SafeText.shortened(SafeText.oneLine(text), limit: limit))
    }

    /// As the runner undoes it.
    private static func escapedData(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "%": output += "%25"
            case "\r": output += "%0D"
            case "\n": output += "%0A"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    private static func escapedProperty(_ text: String) -> String {
        var output = ""
        for scalar in escapedData(text).unicodeScalars {
            switch scalar {
            case ":": output += "%3A"
            case ",": output += "%2C"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
