import Verdict

/// What a check found, in words that several formats share. Control characters are each format's to escape.
enum CheckText {
    /// Why a check did not count: "waived: until 2027-01-31 by release@example.org: the mirror is down".
    static func excuse(of result: CheckResult) -> String {
        "\(result.outcome.words): " + (result.reason.map(joinedLines) ?? "no reason was given")
    }

    /// One line that says what is wrong.
    static func summary(of result: CheckResult, withReason: Bool = true) -> String {
        if withReason, let reason = result.reason { return joinedLines(reason) }
        if result.outcome == .error { return "could not be decided" }
        guard let finding = result.findings.first else {
            return joinedLines("does not hold: \(result.title)")
        }
        let more = result.findings.count > 1 ? " (and \(result.findings.count - 1) more)" : ""
        return summary(of: finding) + more
    }

    /// The subject, what was expected of it and what was observed, in one line.
    static func summary(of finding: Finding) -> String {
        joinedLines(
            "\(finding.subject.words): expected \(SafeText.visible(finding.expected)), "
                + "observed \(SafeText.visible(finding.observed))")
    }

    /// Where a thing comes from, in one line: "layer 3 of 18, sha256:…, RUN …".
    static func summary(of provenance: Provenance, on image: ImageIdentity) -> String {
        let layer = provenance.layer.map { "layer \($0) of \(image.layers.count)" }
        let words = [layer, provenance.layerDigest, provenance.instruction].compactMap(\.self)
        return joinedLines(words.joined(separator: ", "))
    }

    /// The message, and below it everything that is known: what a reader needs to mend it.
    static func full(of result: CheckResult, message: String, on run: ImageRun) -> String {
        var output = [message, ""] + lines(of: result.findings, on: run.image)
        for reason in result.undecided ?? [] { output.append("undecided: \(indented(reason))") }
        output.append("suite: \(indented(result.position.description))")
        output.append("severity: \(result.severity.rawValue)")
        if let source = result.source { output.append("source: \(indented(source))") }
        if !result.statements.isEmpty {
            output.append("statements: \(indented(result.statements.joined(separator: ", ")))")
        }
        if let remedy = result.remedy { output.append("remedy: \(indented(remedy))") }
        if let command = rerun(of: result, on: run) { output.append("rerun: \(command)") }
        return output.joined(separator: "\n")
    }

    /// The command that judges the image by this check alone, with the build arguments that the run was given.
    ///
    /// - Returns: nil when the record does not tell it: the image came by standard input, a name has characters that are
    ///   shown as escapes, a value is secret, or the suite is in no directory of its name.
    private static func rerun(of result: CheckResult, on run: ImageRun) -> String? {
        let folder = result.position.file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        guard folder.last.map(String.init) == result.suite else { return nil }
        var words = ["assay", "check", run.image.reference, "--suite", folder.joined(separator: "/")]
        words += ["--only", result.id]
        for parameter in run.parameters
        where ["command line", "build argument file"].contains(parameter.origin) {
            words += ["--build-arg", "\(parameter.name)=\(parameter.value)"]
        }
        if run.judgedByDocument == true { words.append("--documented") }
        guard run.image.reference != "-",
            words.allSatisfy({
                SafeText.isPlain($0) && !$0.utf8.contains(UInt8(ascii: "\\")) && !$0.contains("***")
            })
        else { return nil }
        return words.map(shellQuoted).joined(separator: " ")
    }

    static func lines(of findings: [Finding], on image: ImageIdentity) -> [String] {
        FindingGroup.groups(of: findings).flatMap { group in
            var output = group.subjects.map { indented($0.words) }
            output.append("  expected: \(indented(SafeText.visible(group.expected)))")
            output.append("  observed: \(indented(SafeText.visible(group.observed)))")
            if let provenance = group.provenance { output += lines(of: provenance, on: image) }
            output += group.details.map { "  - \(indented($0))" }
            if let waiver = group.waiver {
                output.append("  waiver: \(indented(waiver.description))")
                output.append("  waiver at: \(indented(waiver.position.description))")
            }
            return output + (group.known ? ["  known: the baseline has it"] : [])
        }
    }

    private static func lines(of provenance: Provenance, on image: ImageIdentity) -> [String] {
        var output: [String] = []
        let layer = provenance.layer.map { "\($0) of \(image.layers.count)" }
        let place = [layer, provenance.layerDigest].compactMap(\.self).joined(separator: ", ")
        if !place.isEmpty { output.append("  layer: \(indented(place))") }
        if let diffID = provenance.diffID { output.append("  diff ID: \(indented(diffID))") }
        if let instruction = provenance.instruction {
            output.append("  history: \(indented(instruction))")
        }
        return output
    }

    /// Lines after the first are indented, so that text from an image cannot pose as a line of ours.
    static func indented(_ text: String) -> String {
        if SafeText.isPlain(text) { return text }
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .joined(separator: "\n      ")
    }

    static func joinedLines(_ text: String) -> String {
        if SafeText.isPlain(text) { return text }
        return text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
