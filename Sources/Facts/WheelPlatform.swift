/// What an interpreter of an image takes of wheels, by their compatibility tags (the PyPA's "Platform compatibility
/// tags"): CPython on Linux.
struct WheelPlatform: Sendable {
    /// `X.Y` of the interpreter.
    let python: PEP440Version
    /// What `uname -m` says; nil when it is not known.
    let machine: String?
    /// `X.Y` of the GNU C library; nil when it is not known: then no tag is refused for it.
    let libc: PEP440Version?

    /// Whether one of the tags is taken.
    ///
    /// - Parameter tags: each `python-abi-platform`, a part of which may hold alternatives: `py2.py3-none-any`.
    /// - Returns: nil for a tag that has other parts, and when the machine matters and is not known.
    func takes(_ tags: [String]) -> Bool? {
        var isKnown = true
        for tag in tags {
            let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3 else {
                isKnown = false
                continue
            }
            let alternatives = parts.map { $0.split(separator: ".") }
            for python in alternatives[0] {
                for abi in alternatives[1] {
                    for platform in alternatives[2] where takes(python: python, abi: abi, platform) {
                        switch takes(platform: platform) {
                        case true?: return true
                        case false?: break
                        case nil: isKnown = false
                        }
                    }
                }
            }
        }
        return isKnown ? false : nil
    }

    private func takes(python tag: Substring, abi: Substring, _ platform: Substring) -> Bool {
        let isCPython = tag.hasPrefix("cp")
        guard isCPython || tag.hasPrefix("py"), let version = version(of: tag.dropFirst(2)) else {
            return false
        }
        let isOwn = version == python
        switch abi {
        // Code in Python alone is taken of every older line; what is for CPython only, of the own one.
        case "none":
            if isCPython { return isOwn }
            return version.release[0] == python.release[0] && version <= python
        // Before 3.2 there was no stable ABI.
        case "abi3":
            return isCPython && version.release[0] == 3 && version.release.count == 2 && version <= python
                && version.release[1] >= 2 && platform != "any"
        default:
            guard isCPython, isOwn, abi.hasPrefix(tag), platform != "any" else { return false }
            // Before 3.8 flags of the ABI are part of its name: cp27mu, cp36m.
            let isFlagged = PEP440Version("3.8").map { python < $0 } ?? false
            return (isFlagged ? ["m", "mu"] : [""]).contains(abi.dropFirst(tag.count))
        }
    }

    /// `3`, `38` and `312` are 3, 3.8 and 3.12.
    private func version(of digits: Substring) -> PEP440Version? {
        guard let first = digits.first, digits.utf8.allSatisfy(isDigit) else { return nil }
        let rest = digits.dropFirst()
        return PEP440Version(rest.isEmpty ? "\(first)" : "\(first).\(rest)")
    }

    private func takes(platform: Substring) -> Bool? {
        if platform == "any" { return true }
        let older = ["manylinux1_": "2.5", "manylinux2010_": "2.12", "manylinux2014_": "2.17"]
        for (prefix, version) in older where platform.hasPrefix(prefix) {
            return takes(platform.dropFirst(prefix.count), libc: version)
        }
        if platform.hasPrefix("linux_") { return takes(platform.dropFirst("linux_".count), libc: nil) }
        for prefix in ["manylinux_", "musllinux_"] where platform.hasPrefix(prefix) {
            let parts = platform.dropFirst(prefix.count).split(separator: "_", maxSplits: 2)
            guard parts.count == 3 else { return false }
            if prefix == "musllinux_" { return libc == nil ? takes(parts[2], libc: nil) : false }
            return takes(parts[2], libc: "\(parts[0]).\(parts[1])")
        }
        return false
    }

    private func takes(_ architecture: Substring, libc needed: String?) -> Bool? {
        if let needed {
            // Nothing older has a tag.
            let first = PEP440Version(["x86_64", "i686"].contains(architecture) ? "2.5" : "2.17")
            guard let version = PEP440Version(needed), let first, version >= first else { return false }
            if let libc, version > libc { return false }
        }
        return machine.map { $0 == architecture }
    }
}
