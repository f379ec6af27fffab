import Facts
import Testing

@Suite("Requirements") struct RequirementTests {
    @Test(
        "are written as pip writes them",
        arguments: [
            ("requests", "requests"), ("requests>=2 , <3", "requests<3,>=2"), ("A.b-C (==1.*)", "A.b-C==1.*"),
            ("x[b, a]~=1.4.2 ; python_version<'3.8'", "x[a,b]~=1.4.2; python_version < \"3.8\""),
            ("x @ https://e.org/x.whl ; extra == \"y\"", "x@ https://e.org/x.whl ; extra == \"y\""),
            ("x @ file:///x", "x@ file:///x"), ("x[]", "x"), ("x ()", "x"), ("x>=1,", "x>=1"),
            ("x===1.0-Odd", "x===1.0-Odd"), ("pytz (>dev)", "pytz>dev"), ("x>=2.0.*", "x>=2.0.*"),
            (
                "x; (os.name=='nt' or sys.platform in 'a b') and (extra=='z')",
                "x; (os_name == \"nt\" or sys_platform in \"a b\") and extra == \"z\""
            ),
            (
                "x; python_implementation not  in \"PyPy\"",
                "x; platform_python_implementation not in \"PyPy\""
            ),
        ])
    func description(_ text: String, _ shown: String) throws {
        #expect(try Requirement(text).description == shown)
    }

    @Test(
        "are refused",
        arguments: [
            "", "-x", ">=1", "x y", "x>=1 <2", "x>=", "x[a", "x[a b]", "x(>=1", "x @", "x~=1", "x~=1.*",
            "x; ",
            "x; python_version", "x; python_version <", "x; python_version < 3", "x; 'a' == 'b'",
            "x; os_name == os_name", "x; unknown == 'a'", "x; (os_name == 'a'", "x; os_name == 'a' and",
            "x; os_name == 'a", "x; os_name not 'a'", "x; os_name == 'a' 'b'",
        ])
    func malformed(_ text: String) {
        #expect(throws: MalformedRequirement.self) { try Requirement(text) }
    }

    @Test func parenthesesAreBounded() {
        let deep = String(repeating: "(", count: 100_000) + "os_name == 'a'"
        #expect(throws: MalformedRequirement.self) { try Requirement("x; \(deep)") }
    }

    @Test func messagesAreEscaped() throws {
        let error = #expect(throws: MalformedRequirement.self) { try Requirement("x \u{1B}[31m") }
        #expect(error?.message == "\"x \\x1b[31m\" is no requirement: \"\\x1b[31m\" cannot stand there")
    }

    /// From PEP 440, and from what pip 25 says of each.
    @Test(
        "specifiers accept",
        arguments: [
            ("==1.1", "1.1.0"), ("==1.1", "1.1+local"), ("==1.1+ubuntu-1", "1.1+ubuntu.1"),
            ("==1.1.*", "1.1a1"),
            ("==1.1.*", "1.1.post1"), ("==1.*", "1"), ("==1.0.*", "1.dev1"), ("!=1.1", "1.1.post1"),
            ("!=1.1.*", "1.2"), ("~=2.2", "2.9"), ("~=2.2.post3", "2.3"), ("~=1.4.5a4", "1.4.5"),
            ("~=1.4.5a4", "1.4.9"), (">=1.7", "1.7+local"), ("<=1.7", "1.7+local"), (">1.7", "1.7.1"),
            (">1.7.post2", "1.7.post3"), (">1.7", "1.8.post1"), ("<3.1", "3.0.dev0"), ("<3.1rc1", "3.1b2"),
            (">=1.0a1", "1.0a1"), (">=1", "2.0.dev0"), ("===1.0", "1.0"), ("===1.0RC1", "1.0rc1"),
            ("!=1!2", "2"), ("==1!2.*", "1!2.5"), ("", "0"), (">=1,<2,!=1.5", "1.4"), ("==v1.0", "1.0"),
            (">dev", "2021.1"), (">=2.0.*", "2.1"), (">=2.0.*", "2.0.1"),
        ])
    func accepted(_ specifiers: String, _ version: String) throws {
        #expect(try Requirement("x\(specifiers)").specifiers.accept(#require(PEP440Version(version))))
    }

    @Test(
        "specifiers do not accept",
        arguments: [
            ("==1.1", "1.1.post1"), ("==1.1+a", "1.1"), ("==1.1.*", "1.10"), ("==1.1.*", "1a1"),
            ("!=1.1", "1.1.0"), ("!=1.1", "1.1+x"), ("!=1.1.*", "1.1rc1"), ("~=2.2", "3.0"),
            ("~=2.2", "2.2rc1"),
            ("~=2.2.0", "2.3"), ("~=1.4.5a4", "1.5"), (">1.7", "1.7.0.post1"), (">1.7", "1.7+local"),
            (">1.7", "1.7"), ("<3.1", "3.1.dev0"), ("<3.1", "3.1rc1"), ("<3.1", "3.1"), (">=1.0", "1.0rc1"),
            ("<=1.0", "1.0.post1"), ("===1.0", "1.0.0"), ("==1!2", "2"), (">=1,<2", "2.0"),
            ("<dev", "2021.1"),
            ("<2.0.*", "2.1"),
        ])
    func refused(_ specifiers: String, _ version: String) throws {
        #expect(try !Requirement("x\(specifiers)").specifiers.accept(#require(PEP440Version(version))))
    }

    @Test func whatOnlyOldPipAllowsIsTold() throws {
        #expect(try Requirement("x>dev").specifiers.isLegacy && Requirement("x>=2.0.*").specifiers.isLegacy)
        #expect(try !Requirement("x>=1,==2.*,===odd").specifiers.isLegacy)
        #expect(try Requirement("x<1+local").specifiers.isLegacy)
    }

    @Test func equalVersionsHashAlike() throws {
        let versions = try ["1.0", "1", "v1.0.0"].map { try #require(PEP440Version($0)) }
        #expect(Set(versions).count == 1)
    }

    static let image = MarkerEnvironment(
        pythonVersion: "3.12", pythonFullVersion: "3.12.8", machine: "x86_64")
    static let vague = MarkerEnvironment(pythonVersion: "3.12", pythonFullVersion: nil, machine: nil)

    @Test(
        "markers",
        arguments: [
            ("python_version < '3.8'", false, false), ("python_version >= '3.9'", true, true),
            ("python_version == '3.12'", true, true), ("'3.9' < python_version", true, true),
            ("python_version in '3.11 3.12'", true, true), ("python_version not in '3.12'", false, false),
            ("python_version == '3.*'", true, true), ("python_version ~= '3.8'", true, true),
            ("python_full_version < '3.11.3'", false, false), ("python_full_version >= '3.12.3'", true, nil),
            ("python_full_version == '3.12.8'", true, nil), ("python_full_version != '3.12.8'", false, nil),
            ("python_full_version == '3.11.8'", false, false),
            ("python_full_version == '3.12.*'", true, true),
            ("'3.13' > python_full_version", true, true), ("implementation_version >= '3.12.9'", false, nil),
            ("python_full_version in '3.12.8'", true, nil), ("python_full_version < 'x'", true, true),
            ("sys_platform == 'linux'", true, true), ("sys_platform != 'win32'", true, true),
            ("os_name == 'nt' or platform_system == 'Linux'", true, true),
            ("platform_machine == 'x86_64'", true, nil), ("platform_machine in 'x86_64 AMD64'", true, nil),
            ("platform_machine != 'aarch64' and os_name == 'nt'", false, false),
            ("platform_machine == 'aarch64' or os_name == 'posix'", true, true),
            ("platform_release >= '5'", nil, nil), ("platform_version == ''", nil, nil),
            ("platform_release >= '5' and extra == 'x'", false, false),
            ("implementation_name == 'cpython'", true, true),
            ("platform_python_implementation != 'PyPy'", true, true),
            ("extra == 'x'", false, false), ("extra != 'x'", true, true),
            ("os_name == 'nt' and os_name == 'nt' or os_name == 'posix'", true, true),
            ("os_name == 'nt' and (os_name == 'nt' or os_name == 'posix')", false, false),
            ("sys_platform > 'linus'", true, true), ("sys_platform <= 'linux'", true, true),
            ("sys_platform === 'linux'", nil, nil), ("os_name < '3'", nil, nil),
            ("extra == '3'", false, false), ("sys_platform ~= '1.0'", nil, nil),
        ])
    func marker(_ text: String, _ expected: Bool?, _ ofVague: Bool?) throws {
        let marker = try #require(try Requirement("x; \(text)").marker)
        #expect(marker.holds(in: Self.image) == expected)
        #expect(marker.holds(in: Self.vague) == ofVague)
    }

    @Test func extrasAreComparedByTheirNormalForm() throws {
        let requirement = try Requirement("x; extra == 'cncf.kubernetes'")
        #expect(requirement.applies(in: Self.image, extra: "cncf-kubernetes") == true)
        #expect(requirement.applies(in: Self.image, extra: "CNCF_Kubernetes") == true)
        #expect(requirement.applies(in: Self.image) == false)
        #expect(try Requirement("x").applies(in: Self.image) == true)
    }

    @Test func constraints() throws {
        let text = """
            # a comment
            --index-url https://e.org
            celery==5.4.0  # why
            redis==5.0 \\
                --hash=sha256:abc
            six==1.16 ; python_version < "3"\r

            -e git+https://e.org/x#egg=x
            pkg#not-a-comment
            """
        let error = #expect(throws: MalformedRequirement.self) { try Constraints(Array(text.utf8)) }
        #expect(
            error?.message
                == "line 9: \"pkg#not-a-comment\" is no requirement: \"#not-a-comment\" cannot stand there")
        let good = try Constraints(Array(text.replacing("pkg#not-a-comment", with: "last==1").utf8))
        #expect(
            good.entries.map(\.requirement.description) == [
                "celery==5.4.0", "redis==5.0", "six==1.16; python_version < \"3\"", "last==1",
            ])
        #expect(good.entries.map(\.line) == [3, 4, 6, 9])
        #expect(try Constraints([]).entries.isEmpty)
    }
}
