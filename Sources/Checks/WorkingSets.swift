import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// A distribution and what the interpreter sees that it is installed for.
struct InstalledDistribution {
    let distribution: PythonEnvironment.Distribution
    let set: WorkingSet

    /// Metadata that a change of the image writes, with owner and mode of the distribution's own.
    func metadataEntry(
        at path: ImagePath, of name: String, version: String, requires: String? = nil, in rootfs: RootFS
    ) -> Violation.Entry {
        let lines = ["Metadata-Version: 2.1", "Name: \(name)", "Version: \(version)"]
        let text = (lines + (requires.map { ["Requires-Dist: \($0)"] } ?? [])).joined(separator: "\n") + "\n"
        var entry = Violation.Entry(path, content: Array(text.utf8))
        if let node = try? rootfs.node(at: distribution.metadataPath) {
            let status = rootfs.status(of: node)
            (entry.uid, entry.gid, entry.permissions) = (status.uid, status.gid, status.permissions)
        }
        return entry
    }
}

extension EvaluationContext {
    /// Every place where a distribution is installed; empty when it is nowhere.
    ///
    /// - Throws: when it may have been overlooked, or it is not known what its interpreter sees.
    func installations(of name: String) throws(Unresolved) -> [InstalledDistribution] {
        let environment = try require(facts.python)
        let distributions = environment.distributions(named: name)
        if distributions.isEmpty,
            let doubt = Distributions(environment: environment, context: self).doubt(about: Glob(name))
        {
            throw Unresolved(doubt)
        }
        var result: [InstalledDistribution] = []
        for distribution in distributions {
            result.append(
                InstalledDistribution(
                    distribution: distribution, set: try require(facts.workingSet(holding: distribution))))
        }
        return result
    }

    /// Names of distributions, in any spelling, and globs of normalised names.
    func distributionGlobs(_ names: [Template]) throws(Unresolved) -> [Glob] {
        try names.words(in: scope).map { name in
            let glob = Glob(name)
            return glob.isLiteral ? Glob(PythonEnvironment.normalize(name)) : glob
        }
    }

    /// The finding for a distribution that is nowhere.
    func absence(of name: String) throws(Unresolved) -> Finding {
        let environment = try require(facts.python)
        return Finding(
            subject: Subject(.distribution, escaped(name)), expected: "present", observed: "absent",
            provenance: Distributions(environment: environment, context: self).provenance(ofMissing: name))
    }

    /// What a look at requirements brought, as findings: each names the layer that wrote or removed last what does
    /// not fit.
    func evaluation(
        of report: RequirementReport, expected: String, subject: String
    ) throws(Unresolved) -> Evaluation {
        var result = Evaluation()
        let environment = try require(facts.python)
        for problem in report.problems.prefix(Self.maximumProblems) {
            let removal = problem.found == nil ? problem.requiredName : nil
            let layers = [
                problem.distribution?.layer, problem.found?.layer,
                removal.flatMap { environment.layer(thatRemoved: Glob($0)) },
            ]
            let name = problem.distribution?.normalizedName ?? problem.requiredName ?? subject
            result.failures.append(
                Finding(
                    subject: Subject(.distribution, escaped(name)), expected: escaped(expected),
                    observed: problem.message,
                    provenance: provenance(ofKnownLayer: layers.compactMap { $0 }.max()),
                    details: report.problems.count > Self.maximumProblems
                        ? ["\(report.problems.count) requirements are not met"] : []))
        }
        if result.holds, let first = report.undecided.first {
            let others = Set(report.undecided).count - 1
            throw Unresolved(others > 0 ? "\(first) (and \(others) more)" : first)
        }
        return result
    }

    private static let maximumProblems = 200
}
