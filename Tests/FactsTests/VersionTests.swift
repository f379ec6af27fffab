import Facts
import Testing

@Suite("Versions") struct VersionTests {
    @Test func debianVersionsAreOrdered() throws {
        let ordered = [
            "0~~", "0~~a", "0~", "0", "0a", "0+", "1.0~beta1~svn1245", "1.0~beta1", "1.0~rc1-1", "1.0",
            "1.0-0ubuntu1",
            "1.0-1~bpo12+1", "1.0-1", "1.0-1a", "1.0-1+b1", "1.0-1.1", "1.0-10", "1.0a", "1.0+dfsg", "1.0.1",
            "1.2.9",
            "1.2.10", "2.36-9", "2.36-9+deb12u4", "2.36-9+deb12u10", "20230311", "99999999999999999999999999",
            "1:0.1", "1:1.0", "2:0~",
        ]
        for (left, right) in zip(ordered, ordered.dropFirst()) {
            let lower = try #require(DebianVersion(left))
            let higher = try #require(DebianVersion(right))
            #expect(lower < higher, "\(left) < \(right)")
            #expect(!(higher < lower) && lower != higher)
        }
    }

    @Test(
        "equal Debian versions",
        arguments: [("1.0", "1.00"), ("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.0-1", "1.0-01"), ("1.", "1.0")])
    func equalDebianVersions(_ left: String, _ right: String) throws {
        #expect(try #require(DebianVersion(left)) == #require(DebianVersion(right)))
    }

    @Test(
        "not a Debian version",
        arguments: [
            "", "1 0", "a:1", ":1", "-1:0", "2147483648:1", "1:", "1.0-", "-1", "1_0", "1.0-a:b", "é",
        ])
    func malformedDebianVersion(_ text: String) {
        #expect(DebianVersion(text) == nil)
    }

    @Test func debianVersionParts() throws {
        let version = try #require(DebianVersion("1:2.3-rc1-4+deb12u1"))
        #expect(version.epoch == 1 && version.upstream == "2.3-rc1" && version.revision == "4+deb12u1")
        #expect(version.description == "1:2.3-rc1-4+deb12u1")
    }

    @Test func pep440VersionsAreOrdered() throws {
        let ordered = [
            "1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456", "1.0a12", "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0", "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5", "1.0+5.1", "1.0.post456.dev34", "1.0.post456", "1.0.15", "1.1.dev1", "1.10", "2.0",
            "2013.10",
            "1!0.1", "1!1.0",
        ]
        for (left, right) in zip(ordered, ordered.dropFirst()) {
            let lower = try #require(PEP440Version(left))
            let higher = try #require(PEP440Version(right))
            #expect(lower < higher, "\(left) < \(right)")
            #expect(!(higher < lower) && lower != higher)
        }
    }

    @Test(
        "normal form",
        arguments: [
            ("1.1RC1", "1.1rc1"), ("v1.0", "1.0"), (" 1.0\n", "1.0"), ("00", "0"), ("09000", "9000"),
            ("1.0-alpha.2", "1.0a2"), ("1.0beta", "1.0b0"), ("1.0c3", "1.0rc3"), ("1.0pre4", "1.0rc4"),
            ("1.0_preview_5", "1.0rc5"), ("1.0-1", "1.0.post1"), ("1.0r4", "1.0.post4"),
            ("1.0.rev-5", "1.0.post5"),
            ("1.0POST", "1.0.post0"), ("1.0-dev", "1.0.dev0"), ("1.0+ubuntu-1_X.01", "1.0+ubuntu.1.x.1"),
            ("1!2", "1!2"), ("1.0a.post1", "1.0a0.post1"), ("1.0a-", "1.0a0"), ("2.0.0.dev0", "2.0.0.dev0"),
            ("1.0a1.post2.dev3+l", "1.0a1.post2.dev3+l"),
        ])
    func normalForm(_ text: String, _ normal: String) throws {
        #expect(try #require(PEP440Version(text)).description == normal)
    }

    @Test func equalPEP440Versions() throws {
        #expect(try #require(PEP440Version("1.0")) == #require(PEP440Version("1")))
        #expect(try #require(PEP440Version("1.0.0-RC.1")) == #require(PEP440Version("1rc1")))
        #expect(try #require(PEP440Version("2.10.5rc1")).isPrerelease)
        #expect(try #require(PEP440Version("2.10.5.post1")).isPrerelease == false)
    }

    @Test(
        "not a PEP 440 version",
        arguments: [
            "", "x", "1.", ".1", "1..2", "1.0+", "1.0+a+b", "1.0+_", "1.0+a..b", "1.0foo", "1!", "!1",
            "1.0 1", "1.0--1",
            "french toast", "1.0.dev1.post1", "99999999999999999999", "1.0.post99999999999999999999", "1.0+é",
        ])
    func malformedPEP440Version(_ text: String) {
        #expect(PEP440Version(text) == nil)
    }
}
