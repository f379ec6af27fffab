import Verdict

/// How results of checks are written and read as JSON: what `Codable` makes of them, in a fraction of the time. They are
/// the most of a large record; the rest is left to it. A test holds both to the same.
extension JSONWriter {
    mutating func write(_ result: CheckResult) {
        object { json in
            json.member("drift", result.drift) { $0.write($1) }
            json.key("duration")
            json.write(result.duration)
            json.member("findings", result.findings) { $0.write($1) }
            json.member("group", result.group)
            json.member("id", result.id)
            json.member("known", result.known)
            json.member("outcome", result.outcome.rawValue)
            json.key("position")
            json.write(result.position)
            json.member("reason", result.reason)
            json.member("remedy", result.remedy)
            json.member("scenario", result.scenario)
            json.member("severity", result.severity.rawValue)
            json.member("source", result.source)
            json.member("statements", result.statements)
            json.member("suite", result.suite)
            json.member("suiteDigest", result.suiteDigest)
            json.member("title", result.title)
            json.member("undecided", result.undecided)
        }
    }

    private mutating func write(_ finding: Finding) {
        object { json in
            json.member("details", finding.details)
            json.member("expected", finding.expected)
            json.member("known", finding.known)
            json.member("observed", finding.observed)
            json.member("omitted", finding.omitted)
            json.member("others", finding.others)
            if let provenance = finding.provenance {
                json.member("provenance") { json in
                    json.member("diffID", provenance.diffID)
                    json.member("instruction", provenance.instruction)
                    json.member("layer", provenance.layer)
                    json.member("layerDigest", provenance.layerDigest)
                }
            }
            json.member("subject") { json in
                json.member("kind", finding.subject.kind.rawValue)
                json.member("name", finding.subject.name)
            }
            if let waiver = finding.waiver {
                json.member("waiver") { json in
                    json.member("expires", waiver.expires.description)
                    json.member("isExpired", waiver.isExpired)
                    json.member("owner", waiver.owner)
                    json.key("position")
                    json.write(waiver.position)
                    json.member("reason", waiver.reason)
                }
            }
        }
    }

    private mutating func write(_ note: DriftNote) {
        object { json in
            json.member("document", note.document)
            json.member("images", note.images)
            json.member("sources", note.sources)
            json.member("statement", note.statement)
        }
    }

    private mutating func write(_ position: SourcePosition) {
        object { json in
            json.member("column", position.column)
            json.member("file", position.file)
            json.member("line", position.line)
        }
    }
}

extension JSONScanner {
    mutating func result() -> CheckResult? {
        var (id, title, suite, suiteDigest): (String?, String?, String?, String?)
        var (group, reason, source, remedy, scenario): (String?, String?, String?, String?, String?)
        var severity: Severity?
        var outcome: Outcome?
        var findings: [Finding]?
        var (undecided, statements): ([String]?, [String]?)
        var known: Bool?
        var drift: [DriftNote]?
        var position: SourcePosition?
        var duration: Double?
        let isWhole = object { json, key in
            switch key {
            case "drift": json.read(decoding: &drift)
            case "duration": json.read(&duration)
            case "findings": json.read(&findings) { $0.list { $0.finding() } }
            case "group": json.read(&group)
            case "id": json.read(&id)
            case "known": json.read(&known)
            case "outcome": json.read(&outcome)
            case "position": json.read(&position) { $0.position() }
            case "reason": json.read(&reason)
            case "remedy": json.read(&remedy)
            case "scenario": json.read(&scenario)
            case "severity": json.read(&severity)
            case "source": json.read(&source)
            case "statements": json.read(&statements)
            case "suite": json.read(&suite)
            case "suiteDigest": json.read(&suiteDigest)
            case "title": json.read(&title)
            case "undecided": json.read(&undecided)
            default: false
            }
        }
        guard isWhole, let id, let title, let suite, let group, let severity, let outcome, let findings,
            let statements, let position, let duration
        else { return nil }
        var result = CheckResult(
            id: id, title: title, suite: suite, group: group, severity: severity, outcome: outcome,
            reason: reason, findings: findings, statements: statements, drift: drift, source: source,
            remedy: remedy, position: position, duration: duration)
        result.suiteDigest = suiteDigest
        result.undecided = undecided
        result.known = known
        result.scenario = scenario
        return result
    }

    private mutating func finding() -> Finding? {
        var subject: Subject?
        var (expected, observed): (String?, String?)
        var provenance: Provenance?
        var (details, others): ([String]?, [String]?)
        var omitted: Int?
        var waiver: WaiverMark?
        var known: Bool?
        let isWhole = object { json, key in
            switch key {
            case "details": json.read(&details)
            case "expected": json.read(&expected)
            case "known": json.read(&known)
            case "observed": json.read(&observed)
            case "omitted": json.read(&omitted)
            case "others": json.read(&others)
            case "provenance": json.read(&provenance) { $0.provenance() }
            case "subject": json.read(&subject) { $0.subject() }
            case "waiver": json.read(decoding: &waiver)
            default: false
            }
        }
        guard isWhole, let subject, let expected, let observed, let details else { return nil }
        var finding = Finding(
            subject: subject, expected: expected, observed: observed, provenance: provenance,
            details: details, others: others, omitted: omitted)
        finding.waiver = waiver
        finding.known = known
        return finding
    }

    private mutating func subject() -> Subject? {
        var kind: Subject.Kind?
        var name: String?
        let isWhole = object { json, key in
            switch key {
            case "kind": json.read(&kind)
            case "name": json.read(&name)
            default: false
            }
        }
        guard isWhole, let kind, let name else { return nil }
        return Subject(kind, name)
    }

    private mutating func provenance() -> Provenance? {
        var layer: Int?
        var (layerDigest, diffID, instruction): (String?, String?, String?)
        let isWhole = object { json, key in
            switch key {
            case "diffID": json.read(&diffID)
            case "instruction": json.read(&instruction)
            case "layer": json.read(&layer)
            case "layerDigest": json.read(&layerDigest)
            default: false
            }
        }
        if !isWhole { return nil }
        return Provenance(layer: layer, layerDigest: layerDigest, diffID: diffID, instruction: instruction)
    }

    private mutating func position() -> SourcePosition? {
        var file: String?
        var (line, column): (Int?, Int?)
        let isWhole = object { json, key in
            switch key {
            case "column": json.read(&column)
            case "file": json.read(&file)
            case "line": json.read(&line)
            default: false
            }
        }
        guard isWhole, let file, let line, let column else { return nil }
        return SourcePosition(file: file, line: line, column: column)
    }
}
