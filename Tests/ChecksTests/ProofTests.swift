import OCIModel
import Suite
import Testing
import Verdict

@testable import Checks

/// What proving a suite on an image that was made from an empty one gives.
private func prove(_ suite: CompiledSuite, on image: TestImage) throws -> [CheckProof] {
    let inputs = JudgeInputs(base: BaseImage(reference: "scratch", diffIDs: []))
    return try suite.prove(image.facts(), inputs: inputs).checks
}

@Suite("Violations")
struct ViolationTests {
    /// What a container does is not known without running it: those kinds have nothing to propose.
    @Test(
        "of every kind break the example that passes",
        arguments: ExpectationKind.all.filter { !$0.isProbe })
    func examples(_ kind: ExpectationKind) throws {
        let suite = try compile(kind.passing)
        let facts = try TestImage.debian.facts()
        let inputs = JudgeInputs(base: BaseImage(reference: "scratch", diffIDs: []))
        let context = suite.prepare(facts, inputs).context
        let expectation = try #require(suite.checks.first?.expectations.first)
        let violations = try expectation.violations(context)
        #expect(!violations.isEmpty)
        for (number, violation) in violations.enumerated() {
            let changed = suite.prepare(try facts.applying(violation), inputs).context
            // A directory in the place of /etc/passwd leaves undecided who owns it.
            let holds = (try? expectation.evaluate(changed))?.holds
            #expect(number == 0 ? holds == false : holds != true, "\(violation.summary)")
        }
    }

    @Test("are found for whatever passes", arguments: ExpectationTests.cases.filter { $0.outcome == .pass })
    func passing(_ one: ExpectationTests.Case) throws {
        var image = TestImage.debian
        one.change(&image)
        let proof = try #require(prove(compile(one.yaml), on: image).first)
        #expect(proof.verdict == .killed, "\(proof)")
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var yaml: String
        /// The violation that kills it.
        var violation: String
        var change: @Sendable (inout TestImage) -> Void = { _ in }
        var testDescription: String { yaml }
    }

    static let cases: [Case] = [
        Case(yaml: "user: root\nuid: 0", violation: "give the user root the UID 54321"),
        Case(
            yaml: "user: root\ngroups: {contains: adm}",
            violation: "give the user root the groups "),
        Case(yaml: "group: adm\nmembers: [root]", violation: "give the group adm the members root,violation"),
        Case(yaml: "path: /opt\nchmod: \"o-w\"", violation: "chmod 0757 /opt"),
        Case(yaml: "path: /opt\nmode: \"0755\"", violation: "chmod 0757 /opt"),
        Case(yaml: "path: /opt\nowner: root", violation: "chown 54321 /opt"),
        Case(yaml: "path: /opt\nempty: true", violation: "put a file into /opt"),
        Case(yaml: "path: /opt\nreadableBy: [\"7:7\"]", violation: "chmod 0311 /opt"),
        Case(
            yaml: "path: /usr/bin/sh\nfollow: false\ntarget: bash",
            violation: "lead to bashx from /usr/bin/sh"),
        Case(
            yaml: "path: /etc/group\ncontent: {contains: adm}",
            violation: "write another text into /etc/group"),
        Case(
            yaml: "paths: {none: [\"/usr/**\"], except: [\"/usr/bin/*\"]}\nmode: {matches: \"4.*\"}",
            violation: "write /usr/violation"),
        Case(
            yaml: "paths: {none: [\"/etc/*.key\"]}\nreadableBy: [\"7:7\"]",
            violation: "write /etc/violation.key"),
        Case(
            yaml: "paths: {every: [\"/opt/*\"]}\ngroup: 0\nallowNone: true",
            violation: "write and chgrp 54321 /opt/violation"),
        Case(
            yaml: "packages: {none: [\"*\"]}\nstatus: {matches: \".*unpacked\"}",
            violation: "add the package violation, status install ok unpacked"),
        Case(
            yaml: "packages: {every: [libc6]}\nversion: {version: \"2.36\"}",
            violation: "make version 0.0.1 of the package libc6"),
        Case(
            yaml: "packages: {most: [dpkg, libc6, gcc]}", violation: "remove the package dpkg"),
        Case(
            yaml: "commands: {every: [python]}\nresolved: {endsWith: /python3.12}",
            violation: "make resolved /usr/local/bin/python of the command python"),
        Case(
            yaml: "distributions: {none: [\"*\"]}\nlocation: {not: {startsWith: /usr/local}}",
            violation: "add the distribution violation, location /usr/lib/python3/dist-packages"),
        Case(
            yaml: "distributions: {every: [pip]}\ndirectURL: {absent: true}",
            violation: "make directURL violation of the distribution pip"),
        Case(yaml: "python: pip\nequals: \"3.12\"", violation: "move the distribution pip to Python 3.99"),
        Case(yaml: "os: debian\ncodename: bookworm", violation: "make VERSION_CODENAME bookwormx"),
        Case(yaml: "config: command\nequals: [bash]", violation: "make command [\"bash\", \"violation\"]"),
        Case(
            yaml: "names: {every: [\"example:*\"]}\ntag: \"1\"",
            violation: "make tag 1.1 of the image example:*"),
    ]

    @Test("are small, and say what is done", arguments: cases)
    func summaries(_ one: Case) throws {
        var image = TestImage.debian
        one.change(&image)
        let proof = try #require(prove(compile(one.yaml), on: image).first)
        #expect(proof.verdict == .killed)
        #expect(proof.violation == one.violation)
    }

    @Test("in an extended image count as the base's or the extension's, as the expectation asks")
    func origins() throws {
        var image = TestImage.debian
        image.add(
            "RUN apt-get install", [.file("/var/lib/dpkg/status", dpkgStatus(["dpkg", "libc6", "curl"]))])
        let suite = try compile(
            "packages: {none: [gcc], from: base}", "packages: {none: [gcc], from: extension}",
            "paths: {none: [\"/srv/*\"], from: base}", "paths: {none: [\"/srv/*\"], from: extension}")
        let base = BaseImage(reference: "debian", diffIDs: [try TestImage.digest(of: 0)])
        let proof = try suite.prove(image.facts(), inputs: JudgeInputs(base: base))
        #expect(proof.checks.map(\.verdict) == [.killed, .killed, .killed, .killed])
    }
}

@Suite("The proof of a suite")
struct ProofTests {
    static let vacuous = [
        "{paths: {none: [\"/opt/**\"], except: [\"/opt/**\"]}}",
        "{packages: {none: [gcc], except: [\"g*\"]}}", "{paths: {every: [/opt]}, readableBy: [root]}",
        "{environment: PATH, not: {matches: \"\\n\"}}",
    ]

    @Test("finds checks that nothing makes fail", arguments: vacuous)
    func findsVacuous(_ expectation: String) throws {
        let suite = try compile(suite: "checks:\n  - {id: A-1, title: t, expect: \(expectation)}\n")
        let proof = try suite.prove(TestImage.debian.facts())
        #expect(proof.checks.map(\.verdict) == [.vacuous])
        #expect(proof.checks.first?.details.isEmpty == false)
        #expect(!proof.isSound)
    }

    @Test("finds checks that do not apply as soon as they would fail")
    func deadCondition() throws {
        let suite = try compile(
            suite: "checks:\n  - {id: A-1, title: t, when: {environment: PATH, contains: bin}, "
                + "expect: {environment: PATH, contains: bin}}\n")
        let proof = try suite.prove(TestImage.debian.facts())
        #expect(proof.checks.map(\.verdict) == [.vacuous])
        #expect(proof.checks.first?.details.contains("no ENV PATH") == true)
    }

    @Test("finds expectations of a check that nothing breaks")
    func vacuousParts() throws {
        let suite = try compile(
            "- {path: /opt}\n- {packages: {none: [gcc], except: [gcc]}}\n- {os: debian}")
        let proof = try suite.prove(TestImage.debian.facts())
        #expect(proof.checks.first?.verdict == .killed)
        #expect(proof.checks.first?.vacuousParts == ["2 (packages)"])
        #expect(!proof.isSound)
    }

    /// The only violation of the first check is to remove the user.
    static let broad = "expect: {user: root}}\n  - {id: A-2, title: t, expect: {runsAs: {name: root}}"

    @Test("reports unrelated checks that fail too, and not those of the same statement")
    func unrelated() throws {
        let broad = try compile(suite: "checks:\n  - {id: A-1, title: t, \(ProofTests.broad)}\n")
        let proof = try broad.prove(TestImage.debian.facts())
        #expect(proof.checks.map(\.verdict) == [.killedWithOthers, .killed])
        #expect(proof.checks.first?.others == ["A-2"])
        #expect(!proof.isSound)
        let related = try compile(
            suite: "checks:\n  - {id: A-1, title: t, statements: [X01], "
                + ProofTests.broad.replacing("A-2, title: t", with: "A-2, title: t, statements: [X01]")
                + "}\n")
        #expect(try related.prove(TestImage.debian.facts()).isSound)
    }

    @Test("takes checks that use a parameter for related when the violation changes it")
    func parameters() throws {
        let suite = try compile(
            suite: "parameters: {DIR: {title: t, default: /opt, environment: DIR}}\nchecks:\n"
                + "  - {id: A-1, title: t, expect: {environment: DIR, equals: /etc}}\n"
                + "  - {id: A-2, title: t, expect: {path: \"${DIR}/passwd\"}}\n"
                + "  - {id: A-3, title: t, expect: {path: /opt}}\n")
        var image = TestImage.debian
        image.set("DIR", "/etc")
        let proof = try suite.prove(image.facts())
        #expect(proof.isSound)
        #expect(proof.checks.map(\.violation) == ["ENV DIR=/etcx", "remove /etc/passwd", "remove /opt"])
    }

    @Test("does not try what fails, does not apply, is undecided or is not selected")
    func notTried() throws {
        let suite = try compile(
            suite: "checks:\n  - {id: A-1, title: t, expect: {user: none}}\n"
                + "  - {id: A-2, title: t, when: {label: none}, expect: {user: root}}\n"
                + "  - {id: A-3, title: t, expect: {paths: {every: [\"/none/*\"]}, type: file}}\n"
                + "  - {id: A-4, title: t, expect: {user: root}}\n")
        let proof = try suite.prove(TestImage.debian.facts(), inputs: JudgeInputs(skip: ["A-4"]))
        #expect(proof.checks.map(\.verdict) == [.notTried, .notTried, .notTried, .notTried])
        #expect(proof.checks.map(\.outcome) == [.fail, .notApplicable, .error, .pass])
        #expect(proof.checks.last?.details == ["deselected by A-4"])
        #expect(proof.isSound)
    }

    /// As it is built without arguments, and without the clients of databases.
    static let images: [(name: String, image: TestImage, arguments: [JudgeInputs.Argument])] = [
        ("default", .airflow, []),
        (
            "no clients",
            {
                var image = TestImage.airflow
                ConformingImage.removeMySQL(&image)
                for client in ["POSTGRES", "MSSQL"] { image.set("INSTALL_\(client)_CLIENT", "false") }
                image.set("ADDITIONAL_RUNTIME_APT_DEPS", "curl")
                image.set("AIRFLOW__CORE__DAGS_FOLDER", "/opt/airflow/dags")
                image.add(
                    "RUN apt-get install curl",
                    [
                        .file(
                            "/var/lib/dpkg/status",
                            dpkgStatus(["dpkg", "libc6", "krb5-user", "dumb-init", "curl"]))
                    ])
                return image
            }(),
            [.init(name: "ADDITIONAL_DEV_DEPS", value: "gcc make")]
        ),
    ]

    @Test(
        "of the Airflow suite: every check that passes can be made to fail, and alone",
        arguments: images.indices)
    func airflow(_ index: Int) throws {
        let (name, image, arguments) = ProofTests.images[index]
        let inputs = JudgeInputs(buildArguments: arguments)
        let proof = try CompiledSuite.airflow().prove(image.facts(), inputs: inputs)
        for check in proof.checks where check.verdict != .notTried {
            #expect(check.verdict == .killed, "\(name): \(check)")
            #expect(check.vacuousParts == [], "\(name): \(check.id)")
        }
        #expect(proof.count(.killed) >= 70)
        let ids = [
            "AIR-MYSQL-005", "AIR-MYSQL-006", "AIR-MYSQL-007", "AIR-APT-001", "AIR-TOOL-007", "AIR-FS-011",
        ]
        let others = proof.checks.filter { ids.contains($0.id) && $0.verdict == .killed }
        #expect(others.count == (index == 0 ? 0 : ids.count))
    }

    @Test("of the Airflow suite on an extended image: what is said of added layers can fail too")
    func extended() throws {
        var image = TestImage.airflow
        let count = image.layers.count
        image.add(
            "RUN apt-get install tree && pip install six",
            [
                image.installing("tree"),
                .distribution("six", "1.17", in: TestImage.site, uid: 50000),
                .file("/opt/airflow/dags/a.py", mode: 0o664, uid: 50000),
            ])
        let base = BaseImage(reference: "base", diffIDs: try (0..<count).map { try TestImage.digest(of: $0) })
        let proof = try CompiledSuite.airflow().prove(image.facts(), inputs: JudgeInputs(base: base))
        let tried = proof.checks.filter { $0.verdict != .notTried }
        #expect(tried.filter { $0.id.hasPrefix("AIR-EXT-") }.count >= 6)
        for check in tried {
            // An image that has lost its base is judged as one that was never extended: that is another image.
            let isBase = check.id == "AIR-EXT-001" && check.verdict == .killedWithOthers
            #expect(check.verdict == .killed || isBase, "\(check)")
            #expect(check.vacuousParts == [], "\(check.id)")
        }
    }
}
