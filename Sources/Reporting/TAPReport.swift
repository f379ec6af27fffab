import Verdict

/// The Test Anything Protocol, version 13: what Perl's `prove` and other harnesses read.
///
/// A test is not ok when its fail counts for the verdict, or when it could not be decided. Waived and known fails, and
/// those below the threshold, are `TODO`: not ok, and no harness counts them. What was not evaluated is `SKIP`.
enum TAPReport {
    static let form = ReportForm(
        summary: "Test Anything Protocol 13, for prove and other harnesses", fileExtension: "tap",
        bytesPerResult: 250,
        render: { record, options in render(record, options: options) })

    /// How many findings of a check, and details of a finding, are told.
    private static let listLimit = 10

    static func render(_ record: RunRecord, options: RenderOptions) -> [UInt8] {
        let problems = RunProblem.all(of: record)
        let count = record.resultCount + problems.count
        var output = Array("TAP version 13\n1..\(count)\n".utf8)
        var number = 0
        for run in record.images {
            let name = "\(run.image.reference) \(run.image.platform)"
            output += "# \(comment(name)) \(run.image.configDigest)\n".utf8
            let image = record.images.count > 1 ? " [\(name)]" : ""
            for place in run.results.indices {
                number += 1
                let (isOK, directive) = status(of: run.results[place], options)
                output += "\(isOK ? "ok" : "not ok") \(number) - ".utf8
                output += description("\(run.results[place].id) \(run.results[place].title)\(image)").utf8
                if let directive { output += " # \(comment(directive))".utf8 }
                output += "\n".utf8
                output += diagnostics(of: run.results[place], on: run).utf8
            }
        }
        for (image, problem) in problems {
            number += 1
            let title = [problem.title, image].compactMap(\.self).joined(separator: ": ")
            output += "not ok \(number) - \(description(title))\n".utf8
            output += "  ---\n  message: \(scalar(problem.line))\n  severity: error\n  ...\n".utf8
        }
        for warning in RunProblem.warnings(of: record) { output += "# warning: \(comment(warning))\n".utf8 }
        return output
    }

    private static func status(
        of result: CheckResult, _ options: RenderOptions
    ) -> (isOK: Bool, directive: String?) {
        switch result.outcome {
        case .pass: (true, nil)
        case .notApplicable, .skipped: (true, "SKIP \(CheckText.excuse(of: result))")
        case .error: (false, nil)
        case .waived: (false, "TODO \(CheckText.excuse(of: result))")
        case .fail where result.known == true: (false, "TODO known, in the baseline")
        case .fail where result.severity < options.failOn:
            (false, "TODO below the threshold \(options.failOn.rawValue)")
        case .fail: (false, nil)
        }
    }

    /// The block of YAML of a test that is not ok; "" for others.
    private static func diagnostics(of result: CheckResult, on run: ImageRun) -> String {
        switch result.outcome {
        case .pass, .notApplicable, .skipped: return ""
        case .fail, .error, .waived: break
        }
        var output = "  ---\n"
        func put(_ key: String, _ value: String?, _ indent: Int = 2) {
            guard let value else { return }
            output += String(repeating: " ", count: indent) + "\(key): \(scalar(value))\n"
        }
        put("message", CheckText.summary(of: result, withReason: result.outcome != .waived))
        output += "  severity: \(result.severity.rawValue)\n"
        put("suite", result.position.description)
        put("source", result.source)
        put("remedy", result.remedy)
        if let undecided = result.undecided?.prefix(listLimit), !undecided.isEmpty {
            output += "  undecided:\n"
            for reason in undecided { output += "    - \(scalar(reason))\n" }
        }
        if !result.findings.isEmpty { output += "  findings:\n" }
        for finding in result.findings.prefix(listLimit) {
            output += "    - subject: \(scalar(finding.subject.words))\n"
            put("expected", finding.expected, 6)
            put("observed", finding.observed, 6)
            put("cause", finding.provenance.map { CheckText.summary(of: $0, on: run.image) }, 6)
            put("waiver", finding.waiver?.description, 6)
            if finding.known == true { put("known", "the baseline has it", 6) }
            if !finding.details.isEmpty { output += "      details:\n" }
            for detail in finding.details.prefix(listLimit) { output += "        - \(scalar(detail))\n" }
            let rest = finding.details.count - listLimit
            if rest > 0 { output += "        - \(scalar("\(rest.grouped) more"))\n" }
        }
        let rest = result.findings.count - listLimit
        if rest > 0 { put("more", "\(rest.grouped) more findings; the JSON report has all") }
        return output + "  ...\n"
    }

    /// A scalar of YAML between double quotes (YAML 1.2, section 7.3.1), which is one of JSON too.
    private static func scalar(_ text: String) -> String {
        let line = SafeText.shortened(SafeText.oneLine(text), limit: SafeText.valueLimit)
        if SafeText.isPlain(line),
            !line.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") })
        {
            return "\"\(line)\""
        }
        var output = "\""
        for scalar in line.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                output += "\\"
                output.unicodeScalars.append(scalar)
            // YAML does not have these (section 5.1); of others that it has not, none is left.
            case "\u{FFFE}", "\u{FFFF}":
                output += "\\\\u{" + SafeText.hexadecimal(scalar, width: 4) + "}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    /// A `#` would begin a directive.
    private static func description(_ text: String) -> String {
        let line = comment(text)
        guard line.utf8.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "\\") }) else {
            return line
        }
        var output = ""
        for scalar in line.unicodeScalars {
            if scalar == "#" || scalar == "\\" { output += "\\" }
            output.unicodeScalars.append(scalar)
        }
        return output
    }

    private static func comment(_ text: String) -> String {
        SafeText.shortened(SafeText.oneLine(text), limit: SafeText.valueLimit)
    }
}
