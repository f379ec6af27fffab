import Verdict

/// Why a run, or a part of it, proves nothing: what no check can tell, and no report may be silent about.
struct RunProblem {
    /// A few words, the same for every image.
    var title: String
    /// Of which only the first has to be read.
    var lines: [String]

    var line: String { lines.joined(separator: "; ") }

    /// What is wrong with the run on an image; nil when checks were evaluated.
    static func ofImage(_ run: ImageRun) -> RunProblem? {
        if run.hasEvaluatedChecks { return nil }
        return RunProblem(
            title: "no check was evaluated",
            lines: [
                "nothing can be said about \(run.image.reference): every check was skipped, did not "
                    + "apply, could not be decided, or there was none"
            ])
    }

    static func ofUnreadable(_ image: UnreadableImage) -> RunProblem {
        RunProblem(
            title: "the image could not be judged",
            lines: [image.reason, image.hint].compactMap(\.self))
    }

    /// What is wrong with the run as a whole.
    static func ofRun(_ record: RunRecord) -> [RunProblem] {
        var problems: [RunProblem] = []
        if record.images.isEmpty, record.unreadable.isEmpty {
            problems.append(RunProblem(title: "no check was evaluated", lines: ["no image was judged"]))
        }
        if !record.complete {
            problems.append(
                RunProblem(
                    title: "the run is incomplete",
                    lines: ["the run was interrupted, the results are partial"]))
        }
        return problems
    }

    /// All of them, each with the image that it is about.
    static func all(of record: RunRecord) -> [(image: String?, problem: RunProblem)] {
        record.images.compactMap { run in ofImage(run).map { (run.image.reference, $0) } }
            + record.unreadable.map { ($0.reference, ofUnreadable($0)) }
            + ofRun(record).map { (nil, $0) }
    }

    /// What changes no verdict and has to be seen: waivers that are not needed, and runs that do not agree. One line
    /// each.
    static func warnings(of record: RunRecord) -> [String] {
        (record.unusedWaivers ?? []).map {
            "the waiver of \($0.waiver.check) at \($0.waiver.position) is not needed: \($0.reason)"
        }
            + (record.conflicts ?? []).map { conflict in
                "runs on one image do not agree on \(conflict.check) of \(conflict.suite) (\(conflict.configDigest)): "
                    + conflict.variants.map(\.words).joined(separator: "; ")
            }
    }
}
