import Testing

@testable import Checks

@Suite("Symbolic modes")
struct ChmodClausesTests {
    @Test(
        "change a file as chmod(1) does",
        arguments: [
            ("g=u", 0o644, 0o664), ("g=u", 0o755, 0o775), ("g=u", 0o700, 0o770), ("g=u", 0o4750, 0o4770),
            ("g=u", 0o2755, 0o775), ("o-w", 0o666, 0o664), ("a+x", 0o644, 0o755), ("+x", 0o644, 0o755),
            ("go=", 0o777, 0o700), ("u=rw,go=r", 0o777, 0o644), ("ug+rwx,o-rwx", 0o005, 0o770),
            ("o=g", 0o750, 0o755), ("u+s", 0o755, 0o4755), ("g+s", 0o755, 0o2755), ("+t", 0o777, 0o1777),
            ("-t", 0o1777, 0o777), ("a+X", 0o644, 0o644), ("a+X", 0o744, 0o755), ("u=g", 0o075, 0o775),
            ("g+w-x", 0o755, 0o765), ("o+u", 0o750, 0o757), ("u-s", 0o4755, 0o755),
        ])
    func file(_ text: String, _ mode: UInt16, _ expected: UInt16) throws {
        let clauses = try #require(ChmodClauses(text))
        #expect(clauses.apply(to: mode, isDirectory: false) == expected)
        #expect(clauses.holds(for: mode, isDirectory: false) == (mode == expected))
        #expect(clauses.holds(for: expected, isDirectory: false))
    }

    @Test(
        "treat directories apart",
        arguments: [("a+X", 0o644, 0o755), ("g=u", 0o2755, 0o2775), ("u=rwx", 0o4700, 0o4700)])
    func directory(_ text: String, _ mode: UInt16, _ expected: UInt16) throws {
        #expect(try #require(ChmodClauses(text)).apply(to: mode, isDirectory: true) == expected)
    }

    @Test(
        "are refused when they are none", arguments: ["", "g", "g=u,", "z+x", "g=q", "g~u", "g=ur", "0644"])
    func refused(_ text: String) {
        #expect(ChmodClauses(text) == nil)
    }
}
