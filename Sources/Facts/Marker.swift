import OCIModel

/// An environment marker of PEP 508: `python_version < "3.9" and extra == "x"`.
public indirect enum Marker: Hashable, Sendable {
    case comparison(Operand, Comparison, Operand)
    /// Markers with a junction between each two of them; `and` binds more strongly than `or`. In parentheses it
    /// is a member of another one.
    case expression([Marker], [Junction])

    public enum Junction: String, Hashable, Sendable {
        case and
        case or
    }

    public enum Operand: Hashable, Sendable {
        case variable(Variable)
        case text(String)
    }

    public enum Variable: String, Hashable, Sendable, CaseIterable {
        case pythonFullVersion = "python_full_version"
        case pythonVersion = "python_version"
        case osName = "os_name"
        case sysPlatform = "sys_platform"
        case platformRelease = "platform_release"
        case platformSystem = "platform_system"
        case platformVersion = "platform_version"
        case platformMachine = "platform_machine"
        case platformPythonImplementation = "platform_python_implementation"
        case implementationName = "implementation_name"
        case implementationVersion = "implementation_version"
        case extra
    }

    public enum Comparison: Hashable, Sendable {
        case version(VersionSpecifiers.Operator)
        case contained
        case notContained
    }
}

/// What markers are evaluated for: the interpreter and the machine of an image, as far as they are known.
public struct MarkerEnvironment: Hashable, Sendable {
    /// `X.Y`.
    public var pythonVersion: String
    /// As `3.12.8`; nil when only `X.Y` is known.
    public var pythonFullVersion: String?
    /// What `uname -m` says; nil when the image's architecture does not tell.
    public var machine: String?

    public init(pythonVersion: String, pythonFullVersion: String?, machine: String?) {
        self.pythonVersion = pythonVersion
        self.pythonFullVersion = pythonFullVersion
        self.machine = machine
    }

    /// Nil for what an image does not tell: release and version of the kernel, a full version that is not known.
    fileprivate func value(of variable: Marker.Variable, extra: String) -> String? {
        switch variable {
        case .pythonFullVersion, .implementationVersion: pythonFullVersion
        case .pythonVersion: pythonVersion
        case .osName: "posix"
        case .sysPlatform: "linux"
        case .platformSystem: "Linux"
        case .platformRelease, .platformVersion: nil
        case .platformMachine: machine
        case .platformPythonImplementation: "CPython"
        case .implementationName: "cpython"
        case .extra: extra
        }
    }
}

extension Marker {
    /// - Parameter extra: the extra that is asked for; empty for none.
    /// - Returns: nil when it depends on something that is not known.
    public func holds(in environment: MarkerEnvironment, extra: String = "") -> Bool? {
        switch self {
        case .comparison(let left, let comparison, let right):
            return Marker.compare(left, comparison, right, environment, extra)
        case .expression(let members, let junctions):
            var alternative: Bool? = true
            var result: Bool? = false
            for (index, member) in members.enumerated() {
                if index > 0, junctions[index - 1] == .or {
                    result = Marker.either(result, alternative)
                    alternative = true
                }
                alternative = Marker.both(alternative, member.holds(in: environment, extra: extra))
            }
            return Marker.either(result, alternative)
        }
    }

    private static func both(_ left: Bool?, _ right: Bool?) -> Bool? {
        if left == false || right == false { return false }
        return left == nil || right == nil ? nil : true
    }

    private static func either(_ left: Bool?, _ right: Bool?) -> Bool? {
        if left == true || right == true { return true }
        return left == nil || right == nil ? nil : false
    }

    private static func compare(
        _ left: Operand, _ comparison: Comparison, _ right: Operand, _ environment: MarkerEnvironment,
        _ extra: String
    ) -> Bool? {
        func resolve(_ environment: MarkerEnvironment) -> Bool? {
            switch (left, right) {
            case (.variable(let variable), .text(let text)):
                guard let value = environment.value(of: variable, extra: extra) else { return nil }
                return variable == .extra
                    ? compareExtras(value, comparison, text) : compare(value, comparison, text)
            case (.text(let text), .variable(let variable)):
                guard let value = environment.value(of: variable, extra: extra) else { return nil }
                return variable == .extra
                    ? compareExtras(text, comparison, value) : compare(text, comparison, value)
            default: return nil
            }
        }
        if let known = resolve(environment) { return known }
        return compareAtEnds(left, comparison, right, environment, resolve)
    }

    /// Where only X.Y is known: what holds for the first and for a very late patch of X.Y holds for all between,
    /// unless a single patch is meant.
    private static func compareAtEnds(
        _ left: Operand, _ comparison: Comparison, _ right: Operand, _ environment: MarkerEnvironment,
        _ resolve: (MarkerEnvironment) -> Bool?
    ) -> Bool? {
        guard environment.pythonFullVersion == nil, case .version(let comparison) = comparison else {
            return nil
        }
        let text: String
        switch (left, right) {
        case (.variable(.pythonFullVersion), .text(let value)),
            (.variable(.implementationVersion), .text(let value)),
            (.text(let value), .variable(.pythonFullVersion)),
            (.text(let value), .variable(.implementationVersion)):
            text = value
        default: return nil
        }
        let isExact = [.equal, .notEqual, .arbitrary].contains(comparison) && !text.hasSuffix(".*")
        if isExact, PEP440Version(text).map({ $0.isPatch(of: environment.pythonVersion) }) ?? true {
            return nil
        }
        var results: Set<Bool> = []
        for patch in ["0", "999"] {
            var end = environment
            end.pythonFullVersion = "\(environment.pythonVersion).\(patch)"
            guard let result = resolve(end) else { return nil }
            results.insert(result)
        }
        return results.count == 1 ? results.first : nil
    }

    /// Names of extras are no versions, also those that look like one (PEP 685).
    private static func compareExtras(_ left: String, _ comparison: Comparison, _ right: String) -> Bool? {
        let (left, right) = (PythonEnvironment.normalize(left), PythonEnvironment.normalize(right))
        return switch comparison {
        case .version(.equal): left == right
        case .version(.notEqual): left != right
        default: compare(left, comparison, right)
        }
    }

    /// Versions where the right side is one, else texts by their bytes (PEP 508, "Environment Markers").
    private static func compare(_ left: String, _ comparison: Comparison, _ right: String) -> Bool? {
        let isContained: Bool
        switch comparison {
        case .version(let comparison):
            if let clause = VersionSpecifiers.Clause(comparison, right), clause.form != .legacy {
                // What else is compared with a version, pip refuses or orders as it likes, by its own version.
                return PEP440Version(left).map { clause.accepts($0) }
            }
            let (one, other) = (Array(left.utf8), Array(right.utf8))
            switch comparison {
            case .equal: return one == other
            case .notEqual: return one != other
            case .less: return one.lexicographicallyPrecedes(other)
            case .greater: return other.lexicographicallyPrecedes(one)
            case .atMost: return !other.lexicographicallyPrecedes(one)
            case .atLeast: return !one.lexicographicallyPrecedes(other)
            case .compatible, .arbitrary: return nil
            }
        case .contained, .notContained:
            isContained = left.isEmpty || Array(right.utf8).contains(Array(left.utf8))
        }
        return isContained == (comparison == .contained)
    }
}

extension PEP440Version {
    fileprivate func isPatch(of line: String) -> Bool {
        guard let line = PEP440Version(line) else { return true }
        return epoch == line.epoch && release.starts(with: line.release)
    }
}

extension Marker: CustomStringConvertible {
    /// As pip writes it.
    public var description: String { shown(isOutermost: true) }

    private func shown(isOutermost: Bool) -> String {
        switch self {
        case .comparison(let left, let comparison, let right): return "\(left) \(comparison) \(right)"
        case .expression(let members, let junctions):
            if members.count == 1 { return members[0].shown(isOutermost: true) }
            var text = members[0].shown(isOutermost: false)
            for (junction, member) in zip(junctions, members.dropFirst()) {
                text += " \(junction.rawValue) \(member.shown(isOutermost: false))"
            }
            return isOutermost ? text : "(\(text))"
        }
    }
}

extension Marker.Operand: CustomStringConvertible {
    public var description: String {
        switch self {
        case .variable(let variable): variable.rawValue
        case .text(let text): "\"\(text)\""
        }
    }
}

extension Marker.Comparison: CustomStringConvertible {
    public var description: String {
        switch self {
        case .version(let comparison): comparison.rawValue
        case .contained: "in"
        case .notContained: "not in"
        }
    }
}
