extension HostileCorpus {
    private static func file(
        _ id: String, _ title: String, _ reason: String, input: HostileCase.Input = .suite, _ text: String
    ) -> HostileCase {
        HostileCase(id, title, .refused(reason), input: input) { workshop in
            try workshop.write(Array(text.utf8), to: "file.yaml")
        }
    }

    /// Ten aliases of ten aliases of ten …: 10^9 values in a few lines.
    private static let bomb: String = {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        return text
    }()

    /// Files that a user takes from elsewhere.
    static let inputCases: [HostileCase] = [
        file("63-yaml-bomb", "a suite of aliases that multiply", "aliases", bomb),
        file("63-yaml-bomb-waivers", "waivers of aliases that multiply", "aliases", input: .waivers, bomb),
        file(
            "63-yaml-merge", "a suite that merges itself", "undefined alias",
            "suite: s\ntitle: t\na: &a\n  <<: *a\n"),
        file(
            "63-yaml-alias-of-itself", "a list that holds itself", "undefined alias",
            "suite: s\ntitle: t\nchecks: &a [*a]\n"),
        file(
            "63-yaml-flow", "100,000 nested lists", "nesting level",
            "checks: " + String(repeating: "[", count: 100_000)),
        file(
            "63-yaml-blocks", "5,000 nested blocks", "nesting level",
            String(repeating: "- ", count: 5_000) + "x\n"),
        file(
            "63-yaml-tag", "a tag that names a class", "suite",
            "suite: !!python/object/apply:os.system [id]\ntitle: t\nchecks: []\n"),
        file(
            "63-yaml-size", "a suite of 2 MiB", "larger than 1048576", String(repeating: "#", count: 2 << 20)),
    ]
}
