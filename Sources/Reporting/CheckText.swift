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
        var output = Lines()
        output.put("", message)
        output.put("", "")
        output.put(result.findings, on: run.image)
        for reason in result.undecided ?? [] { output.put("undecided: ", reason) }
        output.put("suite: ", result.position.description)
        output.put("severity: ", result.severity.rawValue)
        if let source = result.source { output.put("source: ", source) }
        if !result.statements.isEmpty {
            output.put("statements: ", result.statements.joined(separator: ", "))
        }
        if let remedy = result.remedy { output.put("remedy: ", remedy) }
        if let command = rerun(of: result, on: run) { output.put("rerun: ", command) }
        return output.text
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
                SafeText.isPlain($0) && !SafeText.has("\\", in: $0) && !SafeText.has("***", in: $0)
            })
        else { return nil }
        return words.map(shellQuoted).joined(separator: " ")
    }

    static func text(of findings: [Finding], on image: ImageIdentity) -> String {
        var output = Lines()
        output.put(findings, on: image)
        return output.text
    }

    /// Lines of a label and a text each.
    private struct Lines {
        private(set) var text = ""
        private var isEmpty = true

        mutating func put(_ label: String, _ value: String) {
            if !isEmpty { text += "\n" }
            isEmpty = false
            text += label
            text += indented(value)
        }

        mutating func put(_ findings: [Finding], on image: ImageIdentity) {
            for group in FindingGroup.groups(of: findings) {
                for subject in group.subjects { put("", subject.words) }
                put("  expected: ", SafeText.visible(group.expected))
                put("  observed: ", SafeText.visible(group.observed))
                if let provenance = group.provenance { put(provenance, on: image) }
                for detail in group.details { put("  - ", detail) }
                if let waiver = group.waiver {
                    put("  waiver: ", waiver.description)
                    put("  waiver at: ", waiver.position.description)
                }
                if group.known { put("  known: ", "the baseline has it") }
            }
        }

        private mutating func put(_ provenance: Provenance, on image: ImageIdentity) {
            var place = provenance.layer.map { "\($0) of \(image.layers.count)" } ?? ""
            if let digest = provenance.layerDigest { place += place.isEmpty ? digest : ", " + digest }
            if !place.isEmpty { put("  layer: ", place) }
            if let diffID = provenance.diffID { put("  diff ID: ", diffID) }
            if let instruction = provenance.instruction { put("  history: ", instruction) }
        }
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
