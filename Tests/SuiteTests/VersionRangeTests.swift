import Suite
import Testing

@Suite("Version ranges")
struct VersionRangeTests {
    @Test(
        "hold the releases they say",
        arguments: [
            (
                "2.8..2.11", ["2.8", "2.8.0", "2.10.5", "2.11", "2.11.3"],
                ["2.7.3", "2.12", "3.0", "1.10.12"]
            ),
            ("..2.0.1", ["1.10.15", "2.0.0", "2.0.1", "2.0.0b1", "2.0.0.dev0"], ["2.0.2", "2.1"]),
            ("2.2..", ["2.2", "2.2.0", "2.10", "3.0", "2.2.0rc1"], ["2.1.4"]),
            ("2.8", ["2.8", "2.8.0", "2.8.4"], ["2.80", "2.7", "2.9"]),
            ("2.0.0..2.0.1", ["2.0", "2.0.0", "2.0.1", "2.0.1.post1"], ["2.0.2", "1.10.15"]),
            ("1.10..1.10", ["1.10", "1.10.14"], ["1.11", "1.9"]),
            (">=1.2", ["1.2", "1.2.0", "2"], ["1.1.9"]),
            (">1.2", ["1.2.1", "1.3"], ["1.2", "1.2.0"]), ("<=1.2", ["1.2", "1.1"], ["1.2.1"]),
            ("<2", ["1.9.9"], ["2", "2.0.0b1"]), ("==2.8.1", ["2.8.1", "2.8.1.0"], ["2.8.1.1", "2.8"]),
            ("3", ["3.0", "3.3.2"], ["2.11", "30"]),
        ])
    func contains(_ text: String, _ inside: [String], _ outside: [String]) throws {
        let range = try #require(VersionRange(text))
        for version in inside { #expect(range.contains(try #require(ReleaseVersion(version))), "\(version)") }
        for version in outside {
            #expect(!range.contains(try #require(ReleaseVersion(version))), "\(version)")
        }
    }

    @Test(
        "are refused when they are none",
        arguments: ["", "..", "2.x", "3..2", "=>1", "2...3", "a..b", "1.2.", ">="])
    func refused(_ text: String) {
        #expect(VersionRange(text) == nil)
    }

    @Test(
        "clamp a release into the line",
        arguments: [
            ("2.2", "2.0.2", "2.2"), ("2.2", "2.2.5", "2.2.5"), ("3.1..3.3", "3.4.0", "3.3"),
            ("3.1..3.3", "2.11.0", "3.1"), ("2.8..2.11", "2.11.2", "2.11.2"),
        ])
    func clamp(_ text: String, _ version: String, _ expected: String) throws {
        let range = try #require(VersionRange(text))
        #expect(range.clamp(try #require(ReleaseVersion(version))) == ReleaseVersion(expected))
    }

    @Test(
        "are decided for a whole line, or are not",
        arguments: [
            ("2.8..2.11", "2.2..", true), ("2.8..2.11", "..2.7", false), ("2.8..2.11", "2.9..", nil),
            ("2.8..2.11", "3..", false), ("2.8..2.11", "..2.11", true), ("2.8..2.11", "..2.11.1", nil),
            ("2.0.2..2.1", "..2.1.0", nil), ("2.0.2..2.1", "..2.0.1", false), ("2.2", "2.2.4..", nil),
            ("2.2", "<2.2", false), ("2.0..2.11", "2.3..2.5", nil), ("1.10", "1.10.11..", nil),
        ])
    func wholeLine(_ line: String, _ range: String, _ expected: Bool?) throws {
        let version = EffectiveVersion.someRelease(of: try #require(VersionRange(line)))
        let range = try #require(VersionRange(range))
        #expect((try? version.isIn(range)) == expected)
    }

    @Test(
        "compare numbers, not texts",
        arguments: [
            ("2.9", "2.10"), ("1.10.12", "2.0"), ("2.0.0rc1", "2.0.1"), ("9:1.0", "1.1"), ("v1", "1.1"),
        ])
    func order(_ left: String, _ right: String) throws {
        #expect(try #require(ReleaseVersion(left)) < #require(ReleaseVersion(right)))
    }

    @Test("zeros at the end do not tell releases apart")
    func zeros() {
        #expect(ReleaseVersion("2.0") == ReleaseVersion("2.0.0"))
        #expect(ReleaseVersion("none") == nil)
    }
}
