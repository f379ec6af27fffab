import Facts
import OCIModel
import Verdict

extension ImageRun {
    /// The run without the secrets of the image and of the command line, in whatever a report shows.
    func masking(secretsOf config: ImageConfig, arguments: [(name: String, value: String)]) -> ImageRun {
        let variables = config.run.environment.compactMap { entry -> (name: String, value: String)? in
            guard let sign = entry.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return (String(entry[..<sign]), String(entry[entry.utf8.index(after: sign)...]))
        }
        let labels = config.run.labels.map { (name: $0.key, value: $0.value) }
        let mask = SecretMask(named: variables + labels + arguments + parameters.map { ($0.name, $0.value) })
        var run = self
        for index in run.image.layers.indices {
            run.image.layers[index].instruction = run.image.layers[index].instruction.map { mask.masking($0) }
        }
        for index in run.parameters.indices {
            let parameter = run.parameters[index]
            run.parameters[index].value = mask.masking(parameter.value, of: parameter.name)
        }
        if let profile {
            run.profile?.evidence = profile.evidence.map { mask.masking($0) }
            run.profile?.warnings = profile.warnings.map { mask.masking($0) }
        }
        if let lineage { run.lineage?.evidence = lineage.evidence.map { mask.masking($0) } }
        run.results = run.results.map { $0.masking(mask) }
        run.transcripts = run.transcripts?.map { $0.masking(mask) }
        run.notes = run.notes.map { note in
            var note = note
            note.message = mask.masking(note.message)
            return note
        }
        return run
    }
}

extension CheckResult {
    fileprivate func masking(_ mask: SecretMask) -> CheckResult {
        var result = self
        let names = Set(
            findings.lazy.map(\.subject).filter { $0.kind == .environment || $0.kind == .label }.map(\.name))
        func masked(_ text: String) -> String {
            names.reduce(mask.masking(text)) { mask.masking($0, of: $1) }
        }
        result.title = masked(title)
        result.reason = reason.map(masked)
        result.undecided = undecided?.map(masked)
        result.remedy = remedy.map(masked)
        for index in findings.indices {
            result.findings[index].subject.name = mask.masking(findings[index].subject.name)
            result.findings[index].expected = mask.masking(findings[index].expected)
            result.findings[index].observed = masked(findings[index].observed)
            result.findings[index].details = findings[index].details.map(masked)
            result.findings[index].others = findings[index].others?.map { mask.masking($0) }
            result.findings[index].provenance?.instruction = findings[index].provenance?.instruction.map {
                mask.masking($0)
            }
        }
        return result
    }
}

extension ProbeTranscript {
    fileprivate func masking(_ mask: SecretMask) -> ProbeTranscript {
        var transcript = self
        for index in containers.indices {
            transcript.containers[index].command = mask.masking(containers[index].command)
            transcript.containers[index].standardOutput.text = mask.masking(
                containers[index].standardOutput.text)
            transcript.containers[index].standardError.text = mask.masking(
                containers[index].standardError.text)
            for file in (containers[index].state?.files ?? []).indices {
                let text = containers[index].state?.files[file].status?.content?.text
                if let text {
                    transcript.containers[index].state?.files[file].status?.content?.text = mask.masking(text)
                }
            }
        }
        for index in events.indices { transcript.events[index].text = mask.masking(events[index].text) }
        transcript.incident = incident.map { mask.masking($0) }
        return transcript
    }
}
