import Facts

enum VersionTargets {
    /// Lines: each a version, a requirement, or neither. Orders must be orders, and a marker must have an answer.
    static func requirements(_ bytes: [UInt8]) -> String? {
        let lines = bytes.split(separator: UInt8(ascii: "\n")).prefix(4).map(text)
        if let problem = order(lines.compactMap { PEP440Version($0) }) { return problem }
        let environment = MarkerEnvironment(
            pythonVersion: "3.12", pythonFullVersion: "3.12.4", machine: "x86_64")
        for line in lines {
            guard let requirement = try? Requirement(line) else { continue }
            _ = requirement.applies(in: environment, extra: "x")
            for version in lines.compactMap({ PEP440Version($0) }) {
                _ = requirement.specifiers.accept(version)
            }
            guard (try? Requirement(line)) == requirement else { return "'\(line)' is read in two ways" }
        }
        return nil
    }

    static func debianVersions(_ bytes: [UInt8]) -> String? {
        order(bytes.split(separator: UInt8(ascii: "\n")).prefix(3).compactMap { DebianVersion(text($0)) })
    }

    /// Exactly one of <, =, > holds of any two, and < is transitive.
    private static func order<Version: Comparable>(_ versions: [Version]) -> String? {
        for left in versions {
            for right in versions {
                let holds = [left < right, left == right, right < left].filter { $0 }.count
                if holds != 1 { return "\(left) and \(right): \(holds) of <, =, > hold" }
                for third in versions where left < right && right < third && !(left < third) {
                    return "\(left) < \(right) < \(third), but not the first than the last"
                }
            }
        }
        return nil
    }
}
