import Facts
import OCIModel
import Testing

@Suite("Glob") struct GlobTests {
    @Test(
        "matches",
        arguments: [
            ("/etc/passwd", "/etc/passwd"), ("*", "abc"), ("*", ""), ("a*c", "abbbc"), ("a*c", "ac"),
            ("lib*.so.*", "libssl.so.3"), ("?", "x"), ("[abc]x", "bx"), ("[a-c]", "b"), ("[!a-c]", "d"),
            ("[^a]", "b"), ("[]]", "]"), ("[a-]", "-"), ("[", "["), ("[abc", "[abc"), ("\\*", "*"),
            ("[\\]]", "]"),
            ("/opt/**", "/opt/a/b"), ("/opt/**", "/opt/"), ("**", "/a/b"), ("/a/**/b", "/a/b"),
            ("/a/**/b", "/a/x/y/b"), ("**/b", "b"), ("**/b", "/x/b"), ("/**/*.pyc", "/a/b/c.pyc"),
            ("/a/**/**/b", "/a/b"), ("/a**z", "/a/x/z"), ("/x/**/.git/**", "/x/y/.git/config"), ("*.d", ".d"),
            ("é?", "éx"), ("", ""), ("a\\", "a\\"),
        ])
    func matches(_ pattern: String, _ text: String) {
        #expect(Glob(pattern).matches(text))
    }

    @Test(
        "does not match",
        arguments: [
            ("/etc/passwd", "/etc/passwd2"), ("/etc/passwd", "/etc"), ("*", "a/b"), ("a*c", "abd"),
            ("?", "/"),
            ("?", ""), ("?", "é"), ("[abc]", "d"), ("[!a]", "/"), ("[.-0]", "/"), ("[c-a]", "b"),
            ("\\*", "x"),
            ("/opt/**", "/opt"), ("/a/**/b", "/a/xb"), ("/a/**/b", "/ab"), ("**/b", "ab"), ("", "a"),
            ("/a/*/b", "/a/x/y/b"),
        ])
    func mismatches(_ pattern: String, _ text: String) {
        #expect(!Glob(pattern).matches(text))
    }

    @Test func matchesBytesThatAreNotText() {
        #expect(Glob("/a?").matches(ImagePath([0x2F, 0x61, 0xFF])))
        #expect(!Glob("\u{E9}").matches("e\u{301}"))
    }

    @Test func manyWildcardsDoNotExplode() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 4_000)))
        #expect(
            !Glob(String(repeating: "**/a*", count: 100) + "b").matches(String(repeating: "/a", count: 2_000))
        )
    }

    @Test func tellsWhereMatchesLie() {
        #expect(Glob("/usr/lib/python3.*/site-packages/**").baseDirectory == "/usr/lib")
        #expect(Glob("/etc/passwd").baseDirectory == "/etc")
        #expect(Glob("**/x").baseDirectory == .root)
        #expect(Glob("/*").baseDirectory == .root)
        #expect(Glob("/etc/passwd").isLiteral)
        #expect(!Glob("/etc/*").isLiteral)
    }
}
