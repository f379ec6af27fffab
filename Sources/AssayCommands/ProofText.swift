import Checks
import Verdict

/// `assay prove` for a reader: each check with what killed it, then what is wrong, then the score.
struct ProofText {
    let image: ImageIdentity
    let proofs: [SuiteProof]

    var text: String {
        var lines = ["\(image.reference)  \(image.configDigest)"]
        for proof in proofs { lines += [""] + ProofText.lines(of: proof) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of proof: SuiteProof) -> [String] {
        let tried = proof.checks.filter { $0.verdict != .notTried }
        let width = tried.map(\.id.count).max() ?? 0
        var lines = tried.map { check in
            let id = check.id + String(repeating: " ", count: width - check.id.count)
            return switch check.verdict {
            case .killed, .notTried: "✓ \(id)  \(check.violation ?? "")"
            case .killedWithOthers: "✗ \(id)  \(check.violation ?? "")"
            case .vacuous: "✗ \(id)  vacuous"
            }
        }
        func section(_ title: String, _ entries: [[String]]) {
            if entries.isEmpty { return }
            lines += ["", "\(title) (\(entries.count))"] + entries.flatMap { $0 }.map { "  \($0)" }
        }
        section(
            "VACUOUS: NO VIOLATION MAKES IT FAIL",
            tried.filter { $0.verdict == .vacuous }.map { check in
                ["\(check.id)  \(check.title)"] + check.details.map { "  \($0)" }
            })
        section(
            "EXPECTATIONS THAT NO VIOLATION BREAKS",
            tried.filter { !$0.vacuousParts.isEmpty }.map { check in
                ["\(check.id)  \(check.vacuousParts.joined(separator: ", ")): \(check.title)"]
            })
        section(
            "KILLED, BUT UNRELATED CHECKS FAIL TOO",
            tried.filter { $0.verdict == .killedWithOthers }.map { check in
                ["\(check.id)  also fails \(check.others.joined(separator: ", "))"]
            })
        let rest = proof.checks.filter { $0.verdict == .notTried && $0.outcome != .pass }
        section(
            "NOT TRIED: THEY DO NOT PASS ON THIS IMAGE",
            Outcome.allCases.compactMap { outcome in
                let ids = rest.filter { $0.outcome == outcome }.map(\.id)
                return ids.isEmpty ? nil : ["\(outcome.word) (\(ids.count)): \(ids.joined(separator: " "))"]
            })
        return lines + ["", score(proof, tried)]
    }

    private static func score(_ proof: SuiteProof, _ tried: [CheckProof]) -> String {
        let rest = proof.checks.filter { $0.verdict == .notTried }
        var parts = ["\(proof.suite): \(proof.count(.killed)) of \(tried.count) passing checks can be killed"]
        func add(_ count: Int, _ text: String) { if count > 0 { parts.append("\(count) \(text)") } }
        add(proof.count(.killedWithOthers), "only with unrelated ones")
        add(proof.count(.vacuous), "vacuous")
        add(tried.count { !$0.vacuousParts.isEmpty }, "with expectations that nothing breaks")
        for outcome in Outcome.allCases {
            let count = rest.count { $0.outcome == outcome }
            add(count, outcome == .pass ? "passing, but not selected" : "not tried: \(outcome.word)")
        }
        return parts.joined(separator: "; ")
    }
}

extension Outcome {
    fileprivate var word: String { self == .notApplicable ? "not applicable" : rawValue }
}
