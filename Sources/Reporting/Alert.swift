import Verdict

/// One thing that a viewer of alerts shows, as GitHub's code scanning and GitLab's code quality do: a finding of a
/// fail, a fail without findings, or what could not be decided.
struct Alert {
    enum Status {
        /// Counts for the verdict.
        case fail
        case undecided
        /// The baseline has it.
        case known
        case waived
    }

    var result: CheckResult
    var finding: Finding?
    var status: Status
    /// One line; for what could not be decided the reason.
    var message: String
    /// Tells the alert from all others of the image, and is the same in every build that has it.
    ///
    /// It is made of what a baseline knows a finding by: the check, the subject and what was expected; not of lines,
    /// layers, tags and counts, which change with every build. A finding on several subjects is known without
    /// them, for one path more is no other alert.
    var fingerprint: String

    /// The alerts of an image, what matters most first.
    static func all(of run: ImageRun) -> [Alert] {
        var alerts = run.results.indices.flatMap { all(of: run.results[$0]) }
        let ranks = alerts.map(\.rank)
        var seen: [String: Int] = [:]
        return alerts.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }.map { place in
            let occurrence = seen[alerts[place].fingerprint, default: 0] + 1
            seen[alerts[place].fingerprint] = occurrence
            if occurrence > 1 { alerts[place].fingerprint += "-\(occurrence)" }
            return alerts[place]
        }
    }

    private static func all(of result: CheckResult) -> [Alert] {
        switch result.outcome {
        case .pass, .notApplicable, .skipped: return []
        case .error: return [undecided(result, result.reason)]
        case .fail, .waived: break
        }
        let whole = result.outcome == .waived ? Status.waived : result.known == true ? .known : .fail
        var alerts = result.findings.map { finding in
            let status = finding.isWaived ? Status.waived : finding.known == true ? .known : whole
            return Alert(
                result: result, finding: finding, status: status, message: CheckText.summary(of: finding),
                fingerprint: Fingerprint.of(parts(of: result) + parts(of: finding)))
        }
        if alerts.isEmpty {
            alerts.append(
                Alert(
                    result: result, status: whole, message: CheckText.summary(of: result),
                    fingerprint: Fingerprint.of(parts(of: result))))
        }
        return alerts + (result.undecided ?? []).map { undecided(result, $0) }
    }

    private static func undecided(_ result: CheckResult, _ reason: String?) -> Alert {
        Alert(
            result: result, status: .undecided,
            message: "could not be decided: " + CheckText.joinedLines(reason ?? "no reason was given"),
            fingerprint: Fingerprint.of(parts(of: result) + ["undecided"]))
    }

    private static func parts(of result: CheckResult) -> [String] { [result.suite, result.id] }

    private static func parts(of finding: Finding) -> [String] {
        let isAlone = finding.others == nil && finding.omitted == nil
        return [finding.subject.kind.rawValue, isAlone ? finding.subject.name : "", finding.expected]
    }

    private var rank: Int {
        switch status {
        case .fail:
            switch result.severity {
            case .error: 0
            case .warning: 2
            case .info: 3
            }
        case .undecided: 1
        case .known: 4
        case .waived: 5
        }
    }
}

/// FNV-1a of 128 bits, by Fowler, Noll and Vo: a name for equal things, no protection from whoever wants two to be the
/// same. That is why alerts of equal fingerprints are numbered.
enum Fingerprint {
    /// 32 hexadecimal digits. The same texts in the same order give the same digits.
    static func of(_ parts: [String]) -> String {
        var bytes: [UInt8] = []
        for part in parts {
            bytes += part.utf8
            // It is no byte of UTF-8: "ab", "c" is not "a", "bc".
            bytes.append(0xFF)
        }
        return ofBytes(bytes)
    }

    static func ofBytes(_ bytes: some Sequence<UInt8>) -> String {
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        for byte in bytes {
            hash ^= UInt128(byte)
            hash = hash &* 0x0000_0000_0100_0000_0000_0000_0000_013b
        }
        return [UInt64(truncatingIfNeeded: hash >> 64), UInt64(truncatingIfNeeded: hash)].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }
}

/// A place in a repository at which a viewer shows an alert.
struct Anchor {
    var path: String
    var line: Int

    /// The file that the user named, at the instruction that made the step where it is known; else the line of the
    /// suite: an image has no place in a repository.
    init(_ result: CheckResult, _ finding: Finding?, _ options: RenderOptions) {
        if let file = options.anchor {
            path = file.path
            line = finding?.provenance?.instruction.flatMap(file.line) ?? 1
        } else {
            let position = result.position
            path = position.file.hasPrefix("./") ? String(position.file.dropFirst(2)) : position.file
            line = max(1, position.line)
        }
    }

    /// For what is about the run and not about a check.
    ///
    /// - Returns: nil when the user has named no file.
    init?(_ options: RenderOptions) {
        guard let file = options.anchor else { return nil }
        path = file.path
        line = 1
    }
}
