import Checks
import Suite
import Testing
import Verdict

@Suite("Kinds of expectations")
struct ExpectationTests {
    @Test(
        "the examples of every kind do what they are examples of",
        arguments: ExpectationKind.all.filter { !$0.isProbe })
    func examples(_ kind: ExpectationKind) throws {
        #expect(try evaluate(kind.passing, on: .debian).outcome == .pass, "\(kind.passing)")
        let failing = try evaluate(kind.failing, on: .debian)
        #expect(failing.outcome == .fail, "\(kind.failing)")
        #expect(!failing.findings.isEmpty)
        #expect(!kind.summary.isEmpty)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var yaml: String
        var outcome: Outcome
        /// Part of the reason, or of what was observed.
        var says = ""
        var change: @Sendable (inout TestImage) -> Void = { _ in }

        var testDescription: String { "\(yaml) \(outcome)" }
    }

    static let noPasswd: @Sendable (inout TestImage) -> Void = { $0.drop("/etc/passwd") }

    static let cases: [Case] = [
        Case(yaml: "linked: {every: [\"/usr/lib/**/*.so.*\"]}", outcome: .pass),
        Case(
            yaml: "linked: {every: [\"/usr/lib/**/*.so.*\"]}", outcome: .fail, says: "libc.so.6 is missing",
            change: { $0.add("RUN rm", [.removal(of: "/usr/lib/x86_64-linux-gnu/libc.so.6")]) }),
        Case(
            yaml: "linked: {every: [\"/usr/local/lib/**/*.so\"]}\npreloaded: [\"libtk*.so\"]", outcome: .pass),
        Case(
            yaml: "linked: {every: [\"/srv/*.so\"]}", outcome: .error, says: "nothing that is linked matches"),
        Case(
            yaml: "linked: {every: [\"/srv/*.so\"]}", outcome: .error, says: "was not kept",
            change: { $0.add("COPY", [.file("/srv/a.so")]) }),
        Case(
            yaml: "layers: {none: [\"/etc/secret\"]}", outcome: .fail, says: "hidden by layer 3",
            change: {
                $0.add("COPY", [.file("/etc/secret")])
                $0.add("RUN rm", [.removal(of: "/etc/secret")])
            }),
        Case(
            yaml: "layers: {none: [\"/etc/secret\"]}", outcome: .fail, says: "in the image",
            change: { $0.add("COPY", [.file("/etc/secret")]) }),
        Case(yaml: "layers: {none: [\"/**\"]}\ncopied: true", outcome: .pass),
        Case(
            yaml: "layers: {none: [\"/**\"]}\ncopied: true", outcome: .fail, says: "stored again by layer 2",
            change: { $0.add("RUN chmod", [.file("/usr/bin/bash", "#!", mode: 0o700)]) }),
        Case(
            yaml: "layers: {none: [\"/**\"]}\ncopied: true\nallowedBytes: 2", outcome: .pass,
            change: { $0.add("RUN chmod", [.file("/usr/bin/bash", "#!", mode: 0o700)]) }),
        Case(
            yaml: "layers: {none: [\"/etc/secret\"], from: extension}", outcome: .pass,
            change: { $0.drop("/etc/secret") }),
        Case(yaml: "aptSources: {none: [\"**\"]}\nkey: {not: valid}", outcome: .pass),
        Case(
            yaml: "aptSources: {none: [\"**\"]}\nkey: missing", outcome: .fail, says: "does not exist",
            change: { $0.drop(TestImage.keyringPath) }),
        Case(
            yaml: "aptSources: {none: [\"**\"]}\nkey: expired", outcome: .error,
            says: "the time of the run is not known",
            change: { $0.change(TestImage.keyringPath) { $0.text = TestImage.expiringKeyring } }),
        Case(
            yaml: "aptSources: {none: [\"**\"]}", outcome: .error, says: "does not parse",
            change: {
                $0.drop("/etc/apt/sources.list.d/debian.sources")
                $0.add("RUN", [.file("/etc/apt/sources.list", "odd\n")])
            }),
        Case(
            yaml: "aptSources: {none: [\"**\"]}\ncredentials: present", outcome: .fail,
            says: "https://…@example.org",
            change: { $0.add("RUN", [.file("/etc/apt/sources.list", "deb https://u:p@example.org x y\n")]) }),
        Case(yaml: "aptSources: {any: [\"**\"]}\nscheme: http\nsuite: {contains: bookworm}", outcome: .pass),
        Case(
            yaml: "secrets: {none: [\"*\"]}", outcome: .fail, says: "password …(9 characters)",
            change: { $0.set("DB_PASSWORD", "swordfish") }),
        Case(
            yaml: "secrets: {none: [\"*\"]}\nplace: file\npackage: {absent: true}", outcome: .fail,
            says: "hidden by layer 3",
            change: {
                $0.add("COPY", [.file("/root/.netrc", "machine x login y password swordfish")])
                $0.add("RUN rm", [.removal(of: "/root/.netrc")])
            }),
        Case(
            yaml: "secrets: {none: [\"*\"]}\npackage: {absent: true}", outcome: .pass,
            change: {
                $0.add("COPY", [.file("\(TestImage.site)/x/.netrc", "machine x login y password swordfish")])
            }),
        Case(
            yaml: "secrets: {none: [\"*\"]}\nplace: file", outcome: .error, says: "may hold secrets",
            change: {
                var file = TestImage.Member.file("/root/.netrc")
                file.isKept = false
                $0.add("COPY", [file])
            }),
        Case(
            yaml: "path: /usr/bin/dpkg\npackage: dpkg", outcome: .pass,
            change: { $0.add("RUN", [.file("/var/lib/dpkg/info/dpkg.list", "/usr/bin/dpkg\n")]) }),
        Case(
            yaml: "path: /usr/bin/bash\npackage: {absent: false}", outcome: .fail, says: "package absent",
            change: { $0.add("RUN", [.file("/var/lib/dpkg/info/dpkg.list", "/usr/bin/dpkg\n")]) }),
        Case(yaml: "path: /usr/bin/bash\npackage: bash", outcome: .error, says: "/var/lib/dpkg/info"),
        Case(yaml: "user: root\ngid: 0\nhome: /root\nshell: {endsWith: bash}\ngroups: [adm]", outcome: .pass),
        Case(yaml: "user: nobody", outcome: .fail, says: "absent"),
        Case(yaml: "user: nobody\nabsent: true", outcome: .pass),
        Case(
            yaml: "user: root\nuid: 0", outcome: .error, says: "/etc/passwd does not exist", change: noPasswd),
        Case(yaml: "group: adm\ngid: 4\nmembers: [root]", outcome: .pass),
        Case(yaml: "group: adm\nmembers: []", outcome: .fail, says: "[\"root\"]"),
        Case(yaml: "group: wheel\nabsent: true", outcome: .pass),
        Case(yaml: "group: adm", outcome: .error, says: "/etc/passwd does not exist", change: noPasswd),
        Case(yaml: "runsAs: {name: root, uid: 0, gid: 0}", outcome: .pass),
        Case(yaml: "runsAs: {uid: 0}", outcome: .fail, says: "not in 0...2147483647") {
            $0.user = "4294967296"
        },
        Case(yaml: "runsAs: {uid: 0}", outcome: .fail, says: "no user \"x\" in /etc/passwd") {
            $0.user = "x"
        },
        Case(yaml: "runsAs: {uid: 0}", outcome: .error, says: "/etc/passwd does not exist", change: noPasswd),
        Case(yaml: "path: /opt\ntype: directory\nmode: \"755\"\nempty: true", outcome: .pass),
        Case(yaml: "path: /opt\nempty: false", outcome: .fail, says: "empty"),
        Case(yaml: "path: /opt/x", outcome: .fail, says: "does not exist"),
        Case(yaml: "path: /etc/passwd/x", outcome: .fail, says: "does not exist"),
        Case(yaml: "path: /usr/bin/sh\ntype: file", outcome: .pass),
        Case(yaml: "path: /usr/bin/sh\nfollow: false\ntype: symbolicLink\ntarget: bash", outcome: .pass),
        Case(yaml: "path: /opt\nowner: {not: root}", outcome: .fail, says: "root (0)"),
        Case(yaml: "path: /opt\ngroup: adm", outcome: .fail, says: "root (0)"),
        Case(
            yaml: "path: /opt\nowner: root", outcome: .error, says: "/etc/passwd does not exist",
            change: noPasswd),
        Case(yaml: "path: /opt\nowner: 0", outcome: .pass, change: noPasswd),
        Case(yaml: "path: /opt\nchmod: \"u=rwx,go-w\"", outcome: .pass),
        Case(yaml: "path: /opt\nchmod: \"g=u\"", outcome: .fail, says: "mode 0755"),
        Case(yaml: "path: /etc/os-release\ncontent: {contains: bookworm}", outcome: .pass),
        Case(yaml: "path: /etc/group\ncontent: x", outcome: .fail, says: "root:x:0:"),
        Case(yaml: "path: /etc/group\ncontent: x", outcome: .error, says: "was not kept") {
            $0.change("/etc/group") { $0.isKept = false }
        },
        Case(yaml: "path: /loop/x", outcome: .error, says: "too many symbolic links") {
            $0.add("RUN", [.link("/loop", to: "/loop")])
        },
        Case(yaml: "path: /dangling", outcome: .fail, says: "leads nowhere, to /none") {
            $0.add("RUN", [.link("/dangling", to: "/none")])
        },
        Case(yaml: "path: /dangling\nabsent: true", outcome: .fail, says: "a symbolicLink") {
            $0.add("RUN", [.link("/dangling", to: "/none")])
        },
        Case(yaml: "path: /opt\nabsent: true", outcome: .fail, says: "a directory of mode 0755"),
        Case(yaml: "paths: {every: [\"/usr/bin/*\"], except: [\"/usr/bin/sh\"]}\ntype: file", outcome: .pass),
        Case(yaml: "paths: {every: [\"/usr/bin/*\"]}\ntype: file", outcome: .fail, says: "1 of 4 entries"),
        Case(yaml: "paths: {every: [\"/bin/*\"]}\nmode: \"0755\"", outcome: .pass),
        Case(yaml: "paths: {every: [\"/bin/*\"]}\nmode: \"0644\"", outcome: .fail, says: "3 of 4 entries"),
        Case(
            yaml: "paths: {every: [\"/none/*\"]}\ntype: file", outcome: .error,
            says: "nothing matches /none/*"),
        Case(yaml: "paths: {every: [\"/none/*\"]}\ntype: file\nallowNone: true", outcome: .pass),
        Case(yaml: "paths: {any: [\"/usr/bin/*\"]}\ntype: symbolicLink", outcome: .pass),
        Case(yaml: "paths: {any: [\"/usr/bin/*\"]}\ntype: fifo", outcome: .fail, says: "4 entries, none"),
        Case(yaml: "paths: {none: [\"/usr/bin/*\"]}\nmode: \"0777\"", outcome: .pass),
        Case(yaml: "paths: {none: [\"/opt/**\"]}", outcome: .pass),
        Case(
            yaml: "paths: {none: [\"/etc/**\"]}\nowner: root", outcome: .error, says: "not exist",
            change: noPasswd),
        Case(
            yaml: "packages: {every: [libc6], except: [dpkg]}\nversion: {version: \"2.36\"}", outcome: .pass),
        Case(yaml: "packages: [libc6, tzdata]", outcome: .fail, says: "absent"),
        Case(yaml: "packages: {every: [libc6]}\nversion: {version: \">=3\"}", outcome: .fail, says: "2.36-9"),
        Case(yaml: "packages: {any: [tzdata, \"libc*\"]}", outcome: .pass),
        Case(yaml: "packages: {any: [tzdata, gcc]}", outcome: .fail, says: "absent"),
        Case(yaml: "packages: {none: [\"libc*\"], except: [\"*6\"]}", outcome: .pass),
        Case(yaml: "packages: {none: [gcc]}", outcome: .error, says: "do not parse") {
            $0.change("/var/lib/dpkg/status") { $0.text += "Package: x\nStatus: broken\n\n" }
        },
        Case(yaml: "packages: {none: [dpkg]}", outcome: .fail, says: "dpkg 1.0") {
            $0.change("/var/lib/dpkg/status") { $0.text += "Package: x\nStatus: broken\n\n" }
        },
        Case(yaml: "packages: {none: [gcc]}", outcome: .error, says: "/var/lib/dpkg/status") {
            $0.drop("/var/lib/dpkg")
        },
        Case(yaml: "commands: {every: [python]}\nresolved: {endsWith: /python3.12}", outcome: .pass),
        Case(
            yaml: "commands: {every: [python]}\npath: /usr/bin/python", outcome: .fail,
            says: "/usr/local/bin/python"),
        Case(yaml: "commands: {none: [\"py*\"], except: [python3]}", outcome: .fail, says: "python3.12"),
        Case(yaml: "commands: {every: [tool]}", outcome: .fail, says: "not executable for the image's user") {
            $0.add("COPY tool", [.file("/usr/bin/tool")])
        },
        Case(yaml: "commands: {none: [tool]}", outcome: .fail, says: "/usr/bin/tool") {
            $0.add("COPY tool", [.file("/usr/bin/tool")])
        },
        Case(yaml: "commands: {every: [sh]}", outcome: .error, says: "User cannot be resolved") {
            $0.user = "nobody"
        },
        Case(yaml: "libraries: {every: [\"libc.so.6\"]}\npath: {startsWith: /}", outcome: .pass),
        Case(yaml: "libraries: [\"libmariadb.so.*\"]", outcome: .fail, says: "absent"),
        Case(yaml: "libraries: {none: [\"libx.so\"]}", outcome: .error, says: "was not read") {
            $0.add("RUN", [TestImage.Member(path: "/etc/ld.so.conf", text: "/x", isKept: false)])
        },
        Case(
            yaml: "distributions: {every: [PIP]}\nversion: \"24.2\"\nlocation: {startsWith: /usr/local/lib}",
            outcome: .pass),
        Case(yaml: "distributions: {every: [pip]}\ninstaller: pip", outcome: .fail, says: "installer absent"),
        Case(yaml: "distributions: {none: [\"pi*\"]}\ndirectURL: {absent: false}", outcome: .pass),
        Case(yaml: "distributions: {none: [x]}", outcome: .error, says: "no directory named site-packages") {
            $0.drop("/usr/local/lib")
        },
        Case(yaml: "distributions: {none: [x-y]}", outcome: .error, says: "cannot be read") {
            $0.add(
                "RUN", [.file("/usr/local/lib/python3.12/site-packages/x_y-1.dist-info/METADATA", "broken")])
        },
        Case(yaml: "distributions: {none: [z]}", outcome: .pass) {
            $0.add(
                "RUN", [.file("/usr/local/lib/python3.12/site-packages/x_y-1.dist-info/METADATA", "broken")])
        },
        Case(yaml: "python: pip\nequals: \"3.12\"", outcome: .pass),
        Case(yaml: "python: pip\nequals: \"3.11\"", outcome: .fail, says: "3.12"),
        Case(yaml: "python: none", outcome: .fail, says: "absent"),
        Case(yaml: "python: pip", outcome: .error, says: "no directory named") { $0.drop("/usr/local/lib") },
        Case(yaml: "os: debian\ncodename: bookworm", outcome: .pass),
        Case(yaml: "os: debian\nversion: \"11\"", outcome: .fail, says: "12"),
        Case(yaml: "os: debian", outcome: .error, says: "os-release") { $0.drop("/etc/os-release") },
        Case(yaml: "config: command\nabsent: true", outcome: .pass) { $0.command = [] },
        Case(yaml: "config: command\nequals: [sh]", outcome: .fail, says: "[]") { $0.command = [] },
        Case(yaml: "config: entrypoint\nequals: []", outcome: .pass),
        Case(yaml: "config: workingDirectory\nequals: /work", outcome: .pass),
        Case(yaml: "config: platform\nequals: linux/amd64", outcome: .pass),
        Case(yaml: "config: exposedPorts\nequals: [8080/tcp]", outcome: .pass) { $0.ports = ["8080"] },
        Case(yaml: "config: user\nequals: ${NONE}", outcome: .error, says: "the parameter NONE") { _ in },
        Case(yaml: "environment: PATH\nvalue: {startsWith: /usr}", outcome: .pass),
        Case(yaml: "environment: HOME", outcome: .fail, says: "absent"),
        Case(
            yaml: "environment: PATH\nvalue: {\"2..\": a, default: b}", outcome: .error,
            says: "does not say what its release is"),
        Case(yaml: "label: org.opencontainers.image.title\noneOf: [Example]", outcome: .pass),
        Case(yaml: "label: other", outcome: .fail, says: "absent"),
        Case(yaml: "label: org.opencontainers.image.title\nequals: ${NONE}", outcome: .error, says: "NONE"),
    ]

    @Test("pass, fail and are undecided", arguments: cases)
    func outcome(_ one: Case) throws {
        var image = TestImage.debian
        one.change(&image)
        let indented = one.yaml.replacing("\n", with: "\n      ")
        let suite = try compile(
            suite: "parameters: {NONE: {title: without a value}}\n"
                + "checks:\n  - id: A-1\n    title: t\n    expect:\n      \(indented)\n")
        let result = try #require(suite.judge(image.facts()).results.first)
        #expect(result.outcome == one.outcome, "\(result.reason ?? "") \(result.findings)")
        let said = (result.reason ?? "") + result.findings.map(\.observed).joined(separator: " ")
        #expect(one.says.isEmpty || said.contains(one.says), "\(said)")
        if one.outcome == .pass { #expect(!result.findings.isEmpty) }
    }

    @Test("text from the image is escaped")
    func escaping() throws {
        var image = TestImage.debian
        image.label("bad", "a\u{1B}[31mb\u{202E}\n")
        let result = try evaluate("label: bad\nequals: x", on: image)
        #expect(result.findings.first?.observed == "a\\x1b[31mb\\u{202e}\\n")
    }

    @Test("a command that two names of one directory lead to is one finding")
    func linkedDirectory() throws {
        let result = try evaluate("commands: {none: [dpkg]}", on: .debian)
        #expect(result.findings.map(\.observed) == ["/usr/bin/dpkg"])
    }

    @Test("a list of expectations fails with everything that is wrong, whatever is undecided")
    func lists() throws {
        let result = try evaluate(
            "- {user: root, uid: 1, gid: 2}\n- {path: /opt/none}\n- {os: x}",
            on: {
                var image = TestImage.debian
                image.drop("/etc/os-release")
                return image
            }())
        #expect(result.outcome == .fail)
        #expect(result.findings.map(\.expected) == ["UID 1", "primary GID 2", "exists"])
        #expect(result.reason == "user root: expected UID 1, observed UID 0 (and 2 more)")
    }
}

@Suite("Where a finding comes from")
struct ProvenanceTests {
    static let cases: [(String, Int?, String?)] = [
        ("path: /opt\nmode: \"0700\"", 1, "/bin/sh -c #(nop) ADD file:1234 in / "),
        ("path: /opt/gone", 3, "RUN rm -rf /opt/gone"), ("path: /opt/gone/below", 3, "RUN rm -rf /opt/gone"),
        ("path: /never", nil, nil), ("user: added\nuid: 1", 2, "RUN useradd added"),
        ("user: root\nuid: 1", 1, "/bin/sh -c #(nop) ADD file:1234 in / "),
        ("user: none", 2, "RUN useradd added"),
        ("packages: [removed]", 3, "RUN rm -rf /opt/gone"),
        ("packages: {none: [kept]}", 2, "RUN useradd added"),
        ("distributions: {none: [pip]}", 1, "/bin/sh -c #(nop) ADD file:1234 in / "),
        ("distributions: [six]", 3, "RUN rm -rf /opt/gone"), ("commands: [tool]", 3, "RUN rm -rf /opt/gone"),
        ("environment: PATH\nequals: x", nil, "ENV PATH=/usr/bin"), ("environment: OTHER", nil, nil),
        ("label: a.b\nequals: x", nil, "LABEL a.b=c"),
        ("config: workingDirectory\nequals: /x", nil, "WORKDIR /work"),
        ("config: command\nequals: []", nil, "CMD [\"bash\"]"), ("runsAs: {uid: 1}", nil, "USER root"),
        ("config: stopSignal", nil, nil),
    ]

    @Test("is the layer, or the step of the history", arguments: cases)
    func provenance(_ yaml: String, _ layer: Int?, _ instruction: String?) throws {
        var image = TestImage.debian
        let site = "/usr/local/lib/python3.12/site-packages"
        image.add(
            "RUN useradd added",
            [
                .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nadded:x:5:5::/:/bin/sh\n"),
                .file("/var/lib/dpkg/status", dpkgStatus(["dpkg", "kept", "removed"])),
                .file("/opt/gone/below"), .distribution("six", "1", in: site), .file("\(site)/six.py"),
                .command("/usr/bin/tool"),
            ])
        image.add(
            "RUN rm -rf /opt/gone",
            [
                .removal(of: "/opt/gone"), .file("/var/lib/dpkg/status", dpkgStatus(["dpkg", "kept"])),
                .removal(of: "\(site)/six-1.dist-info"), .removal(of: "\(site)/six.py"),
                .removal(of: "/usr/bin/tool"),
            ])
        image.label("a.b", "c")
        image.steps = [
            "ENV PATH=/usr/bin", "LABEL a.b=c", "WORKDIR /work", "USER root", "CMD [\"sh\"]",
            "CMD [\"bash\"]",
        ]
        let result = try evaluate(yaml, on: image)
        #expect(result.outcome == .fail)
        let provenance = result.findings.first?.provenance
        #expect(provenance?.layer == layer)
        #expect(provenance?.instruction == instruction)
        if let layer { #expect(provenance?.layerDigest == (try TestImage.digest(of: layer - 1)).description) }
    }

    @Test("whether a key has expired is judged by the time of the run")
    func expiry() throws {
        var image = TestImage.debian
        image.change(TestImage.keyringPath) { $0.text = TestImage.expiringKeyring }
        let suite = try compile("aptSources: {none: [\"**\"]}\nkey: {oneOf: [missing, expired, revoked]}")
        func result(_ now: Int64) throws -> CheckResult {
            try #require(suite.judge(image.facts(), inputs: JudgeInputs(now: now)).results.first)
        }
        #expect(try result(1_631_535_999).outcome == .pass)
        let late = try result(1_631_536_000)
        #expect(late.outcome == .fail)
        #expect(late.findings.first?.observed.contains("key 423F89C2A4BC8A06 expired on 2021-09-13") == true)
    }

    @Test("nothing that is linked can be allowed")
    func nothingLinked() throws {
        #expect(
            try evaluate("linked: {every: [\"/srv/*.so\"]}\nallowNone: true", on: .debian).outcome == .pass)
    }
}
