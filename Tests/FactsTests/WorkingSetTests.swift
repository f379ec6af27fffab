import Facts
import OCIModel
import Testing

@Suite("What an interpreter sees") struct WorkingSetTests {
    static let base = "usr/local/lib/python3.12/site-packages"
    static let user = "home/airflow/.local/lib/python3.12/site-packages"
    static let debian = "usr/lib/python3/dist-packages"

    /// An image with Python in /usr/local, Debian's own, and what is added.
    static func layer(_ distributions: [(String, String, String, [String])]) -> Layer {
        distributions.reduce(
            Layer().file("usr/local/bin/python3.12").file("usr/bin/python3.11").link(
                "usr/bin/python3", to: "python3.11")
        ) { layer, one in
            let (site, name, version, fields) = one
            return layer.file(
                "\(site)/\(name.replacing("-", with: "_"))-\(version).dist-info/METADATA",
                "Metadata-Version: 2.1\nName: \(name)\nVersion: \(version)\n"
                    + fields.map { "\($0)\n" }.joined())
        }
    }

    static func requires(_ texts: String...) -> [String] { texts.map { "Requires-Dist: \($0)" } }

    static func facts(
        _ layer: Layer, environment: [String] = [], architecture: String = "amd64"
    ) throws -> ImageFacts {
        try FactsTests.facts(
            tree(layer),
            config: config(
                environment: ["PATH=/home/airflow/.local/bin:/usr/local/bin:/usr/bin"] + environment,
                architecture: architecture))
    }

    static func workingSet(_ facts: ImageFacts, of name: String) throws -> WorkingSet {
        try facts.workingSet(holding: #require(facts.python.get().distributions(named: name).first)).get()
    }

    @Test func aUserLibraryLiesOnTheInterpreterOfThePath() throws {
        let facts = try Self.facts(
            Self.layer([
                (Self.user, "a", "1", []), (Self.user, "six", "2", []), (Self.base, "six", "1", []),
                (Self.base, "pip", "24.0", []), (Self.debian, "apt", "1", []),
            ]), environment: ["PYTHON_VERSION=3.12.8"])
        let set = try Self.workingSet(facts, of: "a")
        #expect(set.searchPath == [ImagePath(Self.user), ImagePath(Self.base)])
        #expect(set.distributions.mapValues(\.version) == ["a": "1", "six": "2", "pip": "24.0"])
        #expect(set.distribution(named: "PIP")?.version == "24.0")
        #expect(set.doubts.isEmpty)
        #expect(
            set.markers
                == MarkerEnvironment(pythonVersion: "3.12", pythonFullVersion: "3.12.8", machine: "x86_64"))
        // The base sees itself only, Debian's Python what is Debian's.
        #expect(try Self.workingSet(facts, of: "pip").searchPath == [ImagePath(Self.base)])
        let own = try Self.workingSet(facts, of: "apt")
        #expect(own.searchPath == [ImagePath(Self.debian)])
        #expect(own.markers.pythonVersion == "3.11" && own.markers.pythonFullVersion == nil)
    }

    @Test(arguments: [("false", false), ("true", true)])
    func aVirtualEnvironmentSaysWhetherItSeesTheBase(_ value: String, _ seesBase: Bool) throws {
        let facts = try Self.facts(
            Self.layer([(Self.user, "a", "1", []), (Self.base, "pip", "24.0", [])]).file(
                "home/airflow/.local/pyvenv.cfg",
                "home = /usr/local/bin\ninclude-system-site-packages = \(value)\nversion = 3.12.1\n")
        )
        let set = try Self.workingSet(facts, of: "a")
        #expect(set.searchPath == [ImagePath(Self.user)] + (seesBase ? [ImagePath(Self.base)] : []))
        #expect(set.markers.pythonFullVersion == "3.12.1")
    }

    @Test func claimsOfTheVersionThatDisagreeTellNothing() throws {
        let layer = Self.layer([(Self.user, "a", "1", [])]).file(
            "home/airflow/.local/pyvenv.cfg", "home = /usr/local/bin\nversion = 3.12.1\n")
        let other = try Self.workingSet(Self.facts(layer, environment: ["PYTHON_VERSION=3.12.8"]), of: "a")
        #expect(other.markers.pythonFullVersion == nil)
        let line = try Self.workingSet(Self.facts(layer, environment: ["PYTHON_VERSION=3.11.8"]), of: "a")
        #expect(line.markers.pythonFullVersion == "3.12.1")
        let arm = try Self.workingSet(Self.facts(layer, architecture: "arm64"), of: "a")
        #expect(arm.markers.machine == "aarch64")
        #expect(try Self.workingSet(Self.facts(layer, architecture: "arm"), of: "a").markers.machine == nil)
    }

    @Test func whatCannotBeToldIsNoGuess() throws {
        let lost = try Self.facts(Self.layer([(Self.user, "a", "1", [])]).whiteout("x"))
        #expect(try Self.workingSet(lost, of: "a").searchPath == [ImagePath(Self.user)])
        let orphan = try FactsTests.facts(
            tree(Layer().file("\(Self.user)/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")))
        let distribution = try #require(orphan.python.get().distributions.first)
        #expect(orphan.workingSet(holding: distribution).failureKind == .missing)
        let broken = try Self.facts(
            Self.layer([(Self.user, "a", "1", [])]).file("home/airflow/.local/pyvenv.cfg", "nothing"))
        #expect(
            broken.workingSet(holding: try #require(broken.python.get().distributions.first)).failureKind
                == .malformed)
    }

    @Test func pythonPathComesFirst() throws {
        let layer = Self.layer([(Self.user, "a", "1", []), (Self.base, "a", "2", [])])
        let facts = try Self.facts(layer, environment: ["PYTHONPATH=/\(Self.base):/none"])
        let distribution = try #require(
            facts.python.get().distributions.first { $0.sitePackages == ImagePath(Self.user) })
        #expect(try facts.workingSet(holding: distribution).get().distribution(named: "a")?.version == "2")
        let foreign = try Self.facts(
            layer.directory("srv/x-1.dist-info"), environment: ["PYTHONPATH=/srv"])
        #expect(foreign.workingSet(holding: distribution).failureKind == .unread)
    }

    @Test func doubts() throws {
        let facts = try Self.facts(
            Self.layer([
                (Self.user, "a", "1", []), (Self.user, "twice", "1", []), (Self.user, "twice", "2", []),
            ])
            .file("\(Self.user)/~ip-1.dist-info/METADATA", "Name: pip\nVersion: 1\n")
            .file("\(Self.user)/broken-1.dist-info/METADATA", "")
            .file("\(Self.user)/single.egg-info", "")
            .file("\(Self.user)/Dev.x.egg-link", "/srv").file("\(Self.user)/old-1-py3.egg/x")
            .file("\(Self.user)/a.egg-link", "/srv")
            .file(
                "\(Self.user)/add.pth",
                "# a comment\nimport sys; sys.path\n/opt/src\n../other\n/none\n/\(Self.base)\n"
            )
            .file("opt/src/more.egg-info/PKG-INFO", "").file("opt/src/a.egg-info/PKG-INFO", "")
            .file("home/airflow/.local/lib/python3.12/other/near-1.dist-info/METADATA", "")
            .file("\(Self.base)/twice-3.dist-info/METADATA", "").file(
                "\(Self.base)/a-3.dist-info/METADATA", ""))
        let set = try Self.workingSet(facts, of: "a")
        #expect(set.distribution(named: "pip") == nil)
        #expect(
            set.doubts.map(\.name) == ["twice", "broken", "single", "dev-x", "more", "near", "old"])
        #expect(set.doubt(about: "near")?.contains("by /\(Self.user)/add.pth") == true)
        #expect(set.doubt(about: "anything") == nil)
        let large = try Self.facts(
            Self.layer([(Self.user, "a", "1", [])])
                .file("\(Self.user)/x.pth", String(repeating: "/x\n", count: 10_000)))
        #expect(try Self.workingSet(large, of: "a").doubt(about: "anything") != nil)
    }

    // MARK: pip check

    static func report(_ distributions: [(String, String, String, [String])]) throws -> RequirementReport {
        try workingSet(facts(layer(distributions)), of: "a").checkRequirements()
    }

    @Test func aCleanSetHasNoProblems() throws {
        let report = try Self.report([
            (
                Self.user, "a", "1",
                Self.requires(
                    "B.c>=1", "none; python_version < '3'", "none; extra == 'x'",
                    "b-c!=3 ; os_name == 'posix'")
            ), (Self.base, "b_c", "2+local", []),
        ])
        #expect(report.problems.isEmpty && report.undecided.isEmpty && report.count == 2)
    }

    @Test func problemsAreInTheWordsOfPip() throws {
        let report = try Self.report([
            (
                Self.user, "a", "1.0",
                Self.requires(
                    "Zed.zed>=1", "b<2,>=1 ; python_version >= '3.8'", "b!=2.0", "zed-zed<9",
                    "b~=1.0; extra == 'x'")
            ), (Self.user, "b", "2.0.post1", []), (Self.user, "c", "1", Self.requires("b (", "none")),
            (Self.user, "d", "1", Self.requires("c", "b>dev")),
            (Self.user, "e", "2004d", []),
        ])
        #expect(
            report.problems.map(\.message) == [
                "Error parsing dependencies of c: \"b (\" is no requirement: no ) behind the versions",
                "Error parsing dependencies of d: \"b>dev\" is no requirement: PEP 440 allows no such version",
                "Error parsing dependencies of e: \"2004d\" is no version",
                "a 1.0 requires zed-zed, which is not installed.",
                "a 1.0 has requirement b<2,>=1; python_version >= \"3.8\", but you have b 2.0.post1.",
            ])
        #expect(report.undecided.isEmpty)
        #expect(report.problems.map(\.requiredName) == [nil, nil, nil, "zed-zed", "b"])
        #expect(report.problems.last?.found?.version == "2.0.post1")
    }

    @Test func anOlderPipAllowsOlderVersions() throws {
        let report = try Self.report([
            (Self.user, "a", "1", Self.requires("pytz (>dev)", "b>=2.0.*")),
            (Self.user, "pytz", "2021.1", []),
            (Self.user, "b", "1.9", []), (Self.user, "pip", "20.2.4", []), (Self.user, "e", "2004d", []),
        ])
        #expect(report.problems.map(\.message) == ["a 1 has requirement b>=2.0.*, but you have b 1.9."])
        #expect(report.undecided.count == 1)
    }

    @Test func whatIsNotKnownIsUndecided() throws {
        let report = try Self.report([
            (
                Self.user, "a", "1",
                Self.requires(
                    "gone; platform_release > '5'", "b; platform_release > '5'",
                    "b<1; python_full_version < '3.12.4'")
            ), (Self.user, "b", "2", []),
        ])
        #expect(report.problems.isEmpty)
        #expect(report.undecided.map { $0.contains("gone") } == [true, false])
    }

    @Test func aDistributionThatCannotBeReadIsNotMissing() throws {
        let facts = try Self.facts(
            Self.layer([(Self.user, "a", "1", Self.requires("b", "c"))])
                .file("\(Self.user)/b-1.dist-info/METADATA", ""))
        let report = try Self.workingSet(facts, of: "a").checkRequirements()
        #expect(report.problems.map(\.requiredName) == ["c"])
        #expect(!report.undecided.isEmpty)
    }

    @Test(
        "wheels for the platform",
        arguments: [
            ("py3-none-any", true), ("py2.py3-none-any", true), ("py38-none-any", true),
            ("py313-none-any", false),
            ("py2-none-any", false), ("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", true),
            ("cp312-cp312-manylinux_2_36_x86_64", true), ("cp312-cp312-manylinux_2_37_x86_64", false),
            ("cp312-cp312-manylinux1_x86_64", true), ("cp312-cp312-linux_x86_64", true),
            ("cp311-cp311-linux_x86_64", false), ("cp311-abi3-linux_x86_64", true),
            ("cp313-abi3-linux_x86_64", false),
            ("cp312-cp312-linux_aarch64", false), ("cp312-cp312-musllinux_1_2_x86_64", false),
            ("cp312-cp312-win_amd64", false), ("cp312-cp312t-linux_x86_64", false), ("cp312-none-any", true),
            ("cp311-none-any", false), ("py3-none-manylinux_2_5_x86_64", true),
            ("pp310-pypy310_pp73-linux_x86_64", false),
            ("cp311-cp311-linux_x86_64\nTag: py3-none-any", true), ("py3-none", nil),
        ] as [(String, Bool?)])
    func wheels(_ tag: String, _ isSupported: Bool?) throws {
        func report(pip: String) throws -> RequirementReport {
            let layer = Self.layer([(Self.user, "a", "1", []), (Self.user, "pip", pip, [])])
                .file("\(Self.user)/a-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: \(tag)\n")
                .file(
                    "var/lib/dpkg/status",
                    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u4\n"
                )
            return try Self.workingSet(Self.facts(layer), of: "a").checkRequirements()
        }
        let found = try report(pip: "24.2")
        #expect(
            found.problems.map(\.message)
                == (isSupported == false ? ["a 1 is not supported on this platform"] : []))
        #expect(found.undecided.isEmpty == (isSupported != nil))
        let older = try report(pip: "24.1")
        #expect(older.problems.isEmpty && older.undecided.isEmpty)
    }

    @Test func aMachineThatIsNotKnownDecidesNothing() throws {
        let layer = Self.layer([(Self.user, "a", "1", [])])
            .file("\(Self.user)/a-1.dist-info/WHEEL", "Tag: cp312-cp312-linux_x86_64\n")
        let report = try Self.workingSet(Self.facts(layer, architecture: "arm"), of: "a").checkRequirements()
        #expect(report.problems.isEmpty && report.undecided.count == 1)
    }

    // MARK: Extras

    static let extras: [(String, String, String, [String])] = [
        (
            user, "a", "1",
            ["Provides-Extra: big", "Provides-Extra: other.name", "Provides-Extra: all"]
                + requires(
                    "plain", "b[more]>=1; extra == 'big'", "c; extra == 'other.name'",
                    "a[big,other_name]; extra == 'all'",
                    "w; extra == 'all' and sys_platform == 'win32'")
        ), (user, "b", "1", ["Provides-Extra: more"] + requires("d<2; extra == 'more'", "gone")),
        (user, "c", "1", []), (user, "d", "1", []),
    ]

    static func check(
        _ text: String, _ distributions: [(String, String, String, [String])] = extras, allowing: Bool = false
    ) throws -> RequirementReport {
        try workingSet(facts(layer(distributions)), of: "a").check(
            Requirement(text), allowingUnknownExtras: allowing)
    }

    @Test func extrasAreFollowed() throws {
        for text in ["a[all]", "A[ALL]==1", "a[other-name]", "a", "none; os_name == 'nt'"] {
            let report = try Self.check(text)
            #expect(report.problems.isEmpty && report.undecided.isEmpty, "\(text): \(report.problems)")
        }
        let report = try Self.check("a[all]")
        #expect(report.count == 5)
        #expect(report.satisfying.first?.name == "a")
        #expect(Set(report.satisfying.map(\.name)) == ["a", "b", "c", "d"])
    }

    @Test(arguments: [
        ("a[none]", "a 1 has no extra none"), ("a>1", "a>1 is required, but a 1 is installed"),
        ("z", "z is required, which is not installed"),
    ])
    func requirementsThatAreNotMet(_ text: String, _ message: String) throws {
        #expect(try Self.check(text).problems.map(\.message) == [message])
    }

    @Test func anExtraThatIsNotInstalled() throws {
        var distributions = Self.extras
        distributions[3].2 = "3"
        #expect(
            try Self.check("a[all]", distributions).problems.map(\.message) == [
                "b[more] requires d<2; extra == \"more\", but d 3 is installed"
            ])
        distributions.removeLast(2)
        #expect(
            Set(try Self.check("a[all]", distributions).problems.map(\.message)) == [
                "b[more] requires d<2; extra == \"more\", which is not installed",
                "a[other-name] requires c; extra == \"other.name\", which is not installed",
            ])
    }

    @Test func unknownExtrasMayBePassedOver() throws {
        #expect(try Self.check("a[none,big]", allowing: true).problems.isEmpty)
    }

    @Test func anExtraOfWhichSomethingIsNotKnownIsUndecided() throws {
        let report = try Self.check(
            "a[x]",
            [
                (
                    Self.user, "a", "1",
                    ["Provides-Extra: x"] + Self.requires("y; extra == 'x' and platform_release > '5'")
                )
            ])
        #expect(report.problems.isEmpty && report.undecided.count == 1)
    }

    // MARK: RECORD

    @Test func readsRecords() throws {
        let info = "\(Self.user)/a-1.dist-info"
        let record = """
            a/__init__.py,sha256=x,1
            "a/with,comma and ""quote"".txt",,
            ../../../bin/tool,sha256=y,2\r
            /etc/absolute,,
            ../../../../../../../../etc/x,,
            ./a/./b.py,,

            """
        let facts = try Self.facts(Self.layer([(Self.user, "a", "1", [])]).file("\(info)/RECORD", record))
        let distribution = try #require(facts.python.get().distributions.first)
        let read = try facts.record(of: distribution).get()
        #expect(
            read.files.map(\.description) == [
                "/\(Self.user)/a/__init__.py", "/\(Self.user)/a/with,comma and \"quote\".txt",
                "/home/airflow/.local/bin/tool", "/etc/absolute", "/\(Self.user)/a/b.py",
            ])
        #expect(read.escapes == ["../../../../../../../../etc/x"])
        let without = try Self.facts(Self.layer([(Self.user, "a", "1", [])]))
        #expect(without.record(of: distribution).failureKind == .missing)
    }

    @Test func readsConstraintsOfTheImage() throws {
        let facts = try Self.facts(
            Layer().file("srv/constraints.txt", "a==1\n").file("opt/constraints.txt", "a==\n"))
        #expect(try facts.constraints(at: "/srv/constraints.txt").get().entries.count == 1)
        #expect(facts.constraints(at: "/opt/constraints.txt").failureKind == .malformed)
        #expect(facts.constraints(at: "/constraints.txt").failureKind == .missing)
    }
}
