import OCIModel

/// Something wrong with what is installed, in the words of `pip check`.
public struct RequirementProblem: Sendable, CustomStringConvertible {
    /// The distribution that requires something; nil for a requirement from outside.
    public let distribution: PythonEnvironment.Distribution?
    /// The normalised name of what it requires; nil when that is not known.
    public let requiredName: String?
    /// The distribution that does not meet the requirement; nil when none is installed.
    public let found: PythonEnvironment.Distribution?
    /// In one line; escaped.
    public let message: String

    public var description: String { message }
}

/// What a look at requirements brought.
public struct RequirementReport: Sendable {
    /// In the order of the names.
    public var problems: [RequirementProblem] = []
    /// Why more may be wrong than `problems` says; escaped.
    public var undecided: [String] = []
    /// Number of requirements that were looked at and apply.
    public var count = 0
    /// For a requirement from outside: what meets it and the requirements of its extras, itself first.
    public internal(set) var satisfying: [PythonEnvironment.Distribution] = []
}

extension WorkingSet {
    /// What `pip check` reports of this working set: requirements that are not installed or not in a version that
    /// is allowed, and metadata that pip cannot read; from pip 24.2 also wheels for another platform. A line that
    /// pip repeats comes once.
    public func checkRequirements() -> RequirementReport {
        var report = RequirementReport()
        report.undecided = doubts.map(\.reason)
        let isStrict = isStrict
        let ordered = distributions.values.sorted {
            $0.normalizedName.utf8.lexicographicallyPrecedes($1.normalizedName.utf8)
        }
        var usable: [String: (PythonEnvironment.Distribution, PEP440Version, [Requirement])] = [:]
        for distribution in ordered {
            switch readRequirements(of: distribution, isStrict) {
            case .success(let (version, requirements, reasons)):
                usable[distribution.normalizedName] = (distribution, version, requirements)
                report.undecided += reasons
            case .failure(let problem):
                switch problem {
                case .broken(let reason):
                    report.problems.append(
                        RequirementProblem(
                            distribution: distribution, requiredName: nil, found: nil,
                            message: "Error parsing dependencies of \(distribution.normalizedName): \(reason)"
                        ))
                case .undecided(let reason): report.undecided.append(reason)
                }
            }
        }
        for distribution in ordered {
            guard let (_, version, requirements) = usable[distribution.normalizedName] else { continue }
            var missing: Set<String> = []
            var conflicts: [(key: String, RequirementProblem)] = []
            for requirement in Set(requirements) {
                report.count += 1
                let name = requirement.normalizedName
                guard let (found, foundVersion, _) = usable[name] else {
                    // pip leaves out what it cannot read: then it is as if it were not installed.
                    if let doubt = doubt(about: name) {
                        report.undecided.append(doubt)
                    } else {
                        missing.insert(name)
                    }
                    continue
                }
                if doubts.contains(where: { $0.name == name }) { continue }
                if !requirement.specifiers.accept(foundVersion) {
                    let message =
                        "\(distribution.normalizedName) \(version) has requirement \(requirement), "
                        + "but you have \(name) \(foundVersion)."
                    conflicts.append(
                        (
                            "\(name) \(requirement)",
                            RequirementProblem(
                                distribution: distribution, requiredName: name, found: found,
                                message: escaped(message))
                        ))
                }
            }
            report.problems += missing.sorted().map { name in
                RequirementProblem(
                    distribution: distribution, requiredName: name, found: nil,
                    message: escaped(
                        "\(distribution.normalizedName) \(version) requires \(name), which is not installed.")
                )
            }
            report.problems += conflicts.sorted { $0.key < $1.key }.map(\.1)
        }
        if comparesPlatforms { addUnsupported(among: ordered, to: &report) }
        return report
    }

    private func addUnsupported(
        among distributions: [PythonEnvironment.Distribution], to report: inout RequirementReport
    ) {
        for distribution in distributions {
            guard let tags = distribution.wheelTags else { continue }
            let version = distribution.pep440Version?.description ?? distribution.version
            switch platform?.takes(tags) {
            case true?: break
            case false?:
                report.problems.append(
                    RequirementProblem(
                        distribution: distribution, requiredName: nil, found: nil,
                        message: escaped("\(distribution.name) \(version) is not supported on this platform"))
                )
            case nil:
                report.undecided.append(
                    "whether \(escaped("\(distribution.name) \(version)")) is for this platform is not known")
            }
        }
    }

    private enum Unreadable: Error {
        case broken(String)
        case undecided(String)
    }

    /// The requirements that apply without an extra, and why it is not known of others.
    private func readRequirements(
        of distribution: PythonEnvironment.Distribution, _ isStrict: Bool
    ) -> Result<(PEP440Version, [Requirement], [String]), Unreadable> {
        guard let version = distribution.pep440Version else {
            let reason = "\(quoted(distribution.version)) is no version"
            return .failure(
                isStrict ? .broken(reason) : .undecided("\(distribution.metadataPath): \(reason)"))
        }
        var requirements: [Requirement] = []
        var reasons: [String] = []
        for text in distribution.requiresDist {
            let requirement: Requirement
            do {
                requirement = try Requirement(text)
            } catch {
                return .failure(.broken(error.message))
            }
            if requirement.specifiers.isLegacy, isStrict {
                return .failure(.broken("\(quoted(text)) is no requirement: PEP 440 allows no such version"))
            }
            switch requirement.applies(in: markers) {
            case true?: requirements.append(requirement)
            case false?: break
            case nil:
                // Met either way, it does not matter whether it applies.
                if distributions[requirement.normalizedName]?.pep440Version.map({
                    requirement.specifiers.accept($0)
                }) != true {
                    reasons.append(
                        "\(distribution.metadataPath): whether \(quoted(text)) applies is not known")
                }
            }
        }
        return .success((version, requirements, reasons))
    }

    /// Whether a requirement is met, with everything that its extras ask for, whatever else is wrong.
    ///
    /// - Parameter allowingUnknownExtras: whether extras that the installed version does not have are left out.
    public func check(
        _ requirement: Requirement, allowingUnknownExtras: Bool = false
    ) -> RequirementReport {
        var closure = Closure(set: self, allowsUnknownExtras: allowingUnknownExtras)
        switch requirement.applies(in: markers) {
        case true?: closure.add(requirement)
        case false?: break
        case nil:
            closure.report.undecided.append("whether \(quoted("\(requirement)")) applies is not known")
        }
        return closure.report
    }

    private struct Closure {
        let set: WorkingSet
        let allowsUnknownExtras: Bool
        var report = RequirementReport()
        /// The extras of each distribution that were followed.
        var followed: Set<[String]> = []
        /// By normalised name: the requirements that do not apply without an extra.
        var optional: [String: [Requirement]] = [:]

        init(set: WorkingSet, allowsUnknownExtras: Bool) {
            self.set = set
            self.allowsUnknownExtras = allowsUnknownExtras
        }

        mutating func add(_ first: Requirement) {
            var pending: [(requirement: Requirement, owner: PythonEnvironment.Distribution?, extra: String)] =
                [
                    (first, nil, "")
                ]
            while let (requirement, owner, extra) = pending.popLast() {
                report.count += 1
                guard let found = meet(requirement, owner, extra) else { continue }
                for extra in requirement.extras.map(PythonEnvironment.normalize) {
                    guard followed.insert([found.normalizedName, extra]).inserted else { continue }
                    guard found.providesExtra.contains(where: { PythonEnvironment.normalize($0) == extra })
                    else {
                        // pip warns of an extra that does not exist and goes on; a name of the suite is a fault.
                        if owner == nil, !allowsUnknownExtras {
                            report.problems.append(
                                problem(
                                    found, nil, nil,
                                    "\(found.normalizedName) \(found.version) has no extra \(extra)"))
                        }
                        continue
                    }
                    for required in requirements(of: found, extra) {
                        pending.append((required, found, extra))
                    }
                }
            }
        }

        /// The installed distribution, where it meets the requirement.
        private mutating func meet(
            _ requirement: Requirement, _ owner: PythonEnvironment.Distribution?, _ extra: String
        ) -> PythonEnvironment.Distribution? {
            let name = requirement.normalizedName
            let needs =
                owner.map {
                    "\($0.normalizedName)\(extra.isEmpty ? "" : "[\(extra)]") requires \(requirement)"
                }
                ?? "\(requirement) is required"
            guard let found = set.distributions[name] else {
                if let doubt = set.doubt(about: name) {
                    report.undecided.append(doubt)
                } else {
                    report.problems.append(problem(owner, name, nil, "\(needs), which is not installed"))
                }
                return nil
            }
            if let doubt = set.doubts.first(where: { $0.name == name }) {
                report.undecided.append(doubt.reason)
                return nil
            }
            guard let version = found.pep440Version else {
                report.undecided.append("\(found.metadataPath): \(quoted(found.version)) is no version")
                return nil
            }
            if !requirement.specifiers.accept(version) {
                report.problems.append(
                    problem(owner, name, found, "\(needs), but \(name) \(version) is installed"))
            } else if !report.satisfying.contains(where: { $0.normalizedName == name }) {
                report.satisfying.append(found)
            }
            return found
        }

        /// What an extra adds to that which is required without it.
        private mutating func requirements(
            of distribution: PythonEnvironment.Distribution, _ extra: String
        ) -> [Requirement] {
            let name = distribution.normalizedName
            if optional[name] == nil { optional[name] = readOptional(distribution) }
            return (optional[name] ?? []).filter { requirement in
                switch requirement.applies(in: set.markers, extra: extra) {
                case true?: return true
                case false?: return false
                case nil:
                    report.undecided.append(
                        "\(distribution.metadataPath): whether \(quoted("\(requirement)")) applies is not known"
                    )
                    return false
                }
            }
        }

        private mutating func readOptional(_ distribution: PythonEnvironment.Distribution) -> [Requirement] {
            distribution.requiresDist.compactMap { text in
                do throws(MalformedRequirement) {
                    let requirement = try Requirement(text)
                    return requirement.applies(in: set.markers) == true ? nil : requirement
                } catch {
                    report.undecided.append("\(distribution.metadataPath): \(error.message)")
                    return nil
                }
            }
        }

        private func problem(
            _ owner: PythonEnvironment.Distribution?, _ name: String?,
            _ found: PythonEnvironment.Distribution?,
            _ message: String
        ) -> RequirementProblem {
            RequirementProblem(
                distribution: owner, requiredName: name, found: found, message: escaped(message))
        }
    }
}
