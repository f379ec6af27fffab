import Facts
import Suite
import Testing
import Verdict

@testable import Checks

@Suite("What is installed")
struct InstalledTests {
    static let site = "/usr/local/lib/python3.12/site-packages"

    /// Adds distributions with requirements, by their own layer.
    static func install(_ distributions: (name: String, version: String, requires: [String])...)
        -> @Sendable (inout TestImage) -> Void
    {
        { image in
            image.add(
                "RUN pip install",
                distributions.map { .distribution($0.name, $0.version, in: site, requires: $0.requires) })
        }
    }

    static let cases: [ExpectationTests.Case] = [
        .init(yaml: "requirements: pip", outcome: .pass, change: install(("a", "1", ["pip>=24"]))),
        .init(
            yaml: "requirements: pip", outcome: .fail,
            says: "a 1 has requirement pip<9, but you have pip 24.2.", change: install(("a", "1", ["pip<9"]))),
        .init(
            yaml: "requirements: pip", outcome: .fail, says: "a 1 requires b-c, which is not installed.",
            change: install(("a", "1", ["B_c"]))),
        .init(
            yaml: "requirements: pip\nexcept: [B_C]", outcome: .pass, change: install(("a", "1", ["B_c"]))),
        .init(yaml: "requirements: pip\nexcept: [a*]", outcome: .pass, change: install(("a", "1", ["B_c"]))),
        .init(
            yaml: "requirements: pip", outcome: .error, says: "applies is not known",
            change: install(("a", "1", ["b; platform_release > '5'"]))),
        .init(yaml: "requirements: pip", outcome: .error, says: "no field Name") {
            $0.add("RUN", [.file("\(site)/b-1.dist-info/METADATA", "x: y\n")])
        },
        .init(yaml: "requirements: pip", outcome: .error, says: "no directory named site-packages") {
            $0.drop("/usr/local/lib")
        },
        .init(yaml: "requirements: none", outcome: .fail, says: "absent"),
        .init(yaml: "requirements: b", outcome: .error, says: "cannot be read") {
            $0.add("RUN", [.file("\(site)/b-1.dist-info/METADATA", "x: y\n")])
        },

        .init(yaml: "satisfied: [pip, \"pip>=24,<25\"]\nenvironmentOf: PIP", outcome: .pass),
        .init(
            yaml: "satisfied: pip==1\nenvironmentOf: pip", outcome: .fail,
            says: "pip==1 is required, but pip 24.2 is installed"),
        .init(yaml: "satisfied: pip[x]\nenvironmentOf: pip", outcome: .fail, says: "pip 24.2 has no extra x"),
        .init(yaml: "satisfied: pip[x]\nenvironmentOf: pip\nallowUnknownExtras: true", outcome: .pass),
        .init(yaml: "satisfied: b\nenvironmentOf: pip", outcome: .fail, says: "b is required, which is not"),
        .init(yaml: "satisfied: b\nenvironmentOf: pip", outcome: .error, says: "no field Name") {
            $0.add("RUN", [.file("\(site)/b-1.dist-info/METADATA", "x: y\n")])
        },
        .init(yaml: "satisfied: pip\nenvironmentOf: none", outcome: .fail, says: "absent"),
        .init(yaml: "satisfied: ${NONE}\nenvironmentOf: pip", outcome: .error, says: "NONE"),

        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip", outcome: .fail,
            says: "24.2",
            change: { $0.change("/usr/local/share/constraints.txt") { $0.text = "pip==24.1\n" } }),
        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip\nexcept: [pip]",
            outcome: .error, says: "none of the 2 constraints"),
        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip", outcome: .error,
            says: "line 1: \"pip==\"",
            change: { $0.change("/usr/local/share/constraints.txt") { $0.text = "pip==\n" } }),
        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip", outcome: .error,
            says: "was not kept",
            change: { $0.change("/usr/local/share/constraints.txt") { $0.isKept = false } }),
        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip", outcome: .error,
            says: "applies is not known",
            change: {
                $0.change("/usr/local/share/constraints.txt") { $0.text = "pip==1; platform_release > '5'\n" }
            }),
        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip", outcome: .pass,
            change: {
                $0.change("/usr/local/share/constraints.txt") { $0.text = "pip==1; os_name == 'nt'\npip>2\n" }
            }),
        .init(
            yaml: "constraints: /x/constraints.txt\nenvironmentOf: pip", outcome: .fail,
            says: "does not exist"),
        .init(yaml: "constraints: given\nenvironmentOf: pip", outcome: .error, says: "--constraints"),
        .init(
            yaml: "constraints: /usr/local/share/constraints.txt\nenvironmentOf: none", outcome: .fail,
            says: "absent"),

        .init(yaml: "record: pip", outcome: .fail, says: "does not exist") { $0.drop("/usr/local/bin/pip") },
        .init(yaml: "record: pip\nexcept: [\"/usr/local/bin/*\"]", outcome: .pass) {
            $0.drop("/usr/local/bin/pip")
        },
        .init(yaml: "record: pip", outcome: .fail, says: "../../../../../../../etc/x") {
            $0.change("\(site)/pip-24.2.dist-info/RECORD") { $0.text += "../../../../../../../etc/x,,\n" }
        },
        .init(yaml: "record: pip", outcome: .error, says: "RECORD does not exist") {
            $0.drop("\(site)/pip-24.2.dist-info/RECORD")
        },
        .init(yaml: "record: none", outcome: .fail, says: "absent"),
    ]

    @Test("passes, fails and is undecided", arguments: cases)
    func outcome(_ one: ExpectationTests.Case) throws { try ExpectationTests().outcome(one) }

    @Test("is compared with a given constraints file")
    func given() throws {
        let suite = try compile(
            suite: """
                checks:
                  - id: A-1
                    title: t
                    when: {given: constraints}
                    expect: {constraints: given, environmentOf: pip}

                """)
        func result(_ text: String?) throws -> CheckResult {
            var inputs = JudgeInputs()
            inputs.constraints = try text.map {
                try JudgeInputs.GivenConstraints(name: "my.txt", reading: Array($0.utf8))
            }
            return try suite.judge(TestImage.debian.facts(), inputs: inputs).result("A-1")
        }
        #expect(try result("pip==24.2\n").outcome == .pass)
        let failed = try result("six==1\npip==24.1 # why\n")
        #expect(failed.outcome == .fail)
        #expect(failed.findings.first?.expected == "pip==24.1 (line 2 of my.txt)")
        #expect(try result(nil).outcome == .notApplicable)
        #expect(try result(nil).reason == "only when --constraints is given")
    }

    @Test("a wrong requirement of a suite is reported with its place")
    func wrongRequirement() throws {
        let error = #expect(throws: SuiteError.self) {
            try compile("satisfied: [pip, \"six >> 1\"]\nenvironmentOf: pip")
        }
        #expect(error?.description.contains("is no requirement") == true)
        #expect(throws: SuiteError.self) { try compile("satisfied: [pip]") }
        #expect(throws: SuiteError.self) { try compile("constraints: given") }
    }

    @Test("what does not fit is blamed on the later of the two that do not")
    func provenance() throws {
        var image = TestImage.debian
        image.add("RUN pip install a", [.distribution("a", "1", in: Self.site, requires: ["b<2", "c"])])
        image.add(
            "RUN pip install b",
            [.distribution("b", "2", in: Self.site), .distribution("c", "1", in: Self.site)])
        image.add("RUN pip uninstall c", [.removal(of: "\(Self.site)/c-1.dist-info")])
        let findings = try evaluate("requirements: pip", on: image).findings
        #expect(findings.map(\.provenance?.instruction) == ["RUN pip uninstall c", "RUN pip install b"])
    }

    @Test(
        "does not survive its violations",
        arguments: [
            "requirements: pip", "satisfied: [pip]\nenvironmentOf: pip",
            "satisfied: \"a[x]\"\nenvironmentOf: pip",
            "constraints: /usr/local/share/constraints.txt\nenvironmentOf: pip", "record: pip",
        ])
    func violations(_ yaml: String) throws {
        var image = TestImage.debian
        image.add(
            "RUN pip install",
            [
                .distribution("a", "1", in: Self.site, extras: ["x"], requires: ["b; extra == 'x'"]),
                .distribution("b", "1", in: Self.site),
            ])
        let indented = yaml.replacing("\n", with: "\n      ")
        let document = try SuiteLoader.load(directory: [
            (
                "suite.yaml",
                "suite: e\ntitle: e\nchecks:\n  - id: A-1\n    title: t\n    expect:\n      \(indented)\n"
            )
        ])
        var reading = SuiteReading(parameterNames: [])
        let node = try #require(document.checks.first?.expectations.first)
        let expectation = try #require(compileExpectation(node, &reading))
        func context(_ image: TestImage) throws -> EvaluationContext {
            let facts = try image.facts()
            return EvaluationContext(
                facts: facts, scope: Scope(parameters: [:], version: .undecided(reason: "")),
                listing: LazyPathListing(of: facts.rootfs))
        }
        let intact = try context(image)
        #expect(try expectation.evaluate(intact).holds)
        let violations = try expectation.violations(intact)
        #expect(!violations.isEmpty)
        for violation in violations {
            var broken = image
            for change in violation.changes {
                switch change {
                case .write(let entry):
                    broken.add(
                        violation.summary,
                        [.file("\(entry.path)", String(decoding: entry.content, as: UTF8.self), mode: 0o644)])
                case .remove(let path): broken.add(violation.summary, [.removal(of: "\(path)")])
                default: Issue.record("\(change)")
                }
            }
            #expect(try !expectation.evaluate(context(broken)).holds, "\(violation.summary)")
        }
    }

    // MARK: The Airflow image

    struct Mutation: Sendable, CustomTestStringConvertible {
        var name: String
        /// Those of the checks here that fail.
        var fails: [String] = []
        var passes: [String] = []
        var errors: [String] = []
        var change: @Sendable (inout TestImage) -> Void

        var testDescription: String { name }
    }

    static let airflow = "\(TestImage.site)/apache_airflow-2.10.5.dist-info"

    static func argument(_ text: String) -> @Sendable (inout TestImage) -> Void {
        { $0.add("RUN |1 \(text) /bin/bash -c true # buildkit", []) }
    }

    static func airflow(_ fields: String) -> @Sendable (inout TestImage) -> Void {
        { image in image.change("\(airflow)/METADATA") { $0.text += fields } }
    }

    static let jdbc = "Provides-Extra: jdbc\nRequires-Dist: jaydebeapi>=1.1.1; extra == 'jdbc'\n"

    static let mutations: [Mutation] = [
        Mutation(name: "nothing", passes: ["030", "031", "038", "040"]) { _ in },
        Mutation(
            name: "a requirement that is not installed", fails: ["030"],
            change: airflow("Requires-Dist: sqlalchemy<1\n")),
        Mutation(
            name: "a build that goes on",
            change: { image in
                airflow("Requires-Dist: sqlalchemy<1\n")(&image)
                argument("CONTINUE_ON_PIP_CHECK_FAILURE=true")(&image)
            }),
        Mutation(name: "a version that the constraints do not have", fails: ["031"]) {
            $0.change("/home/airflow/constraints.txt") { $0.text = "apache-airflow-providers-celery==1\n" }
        },
        Mutation(name: "packages beside the constraints", passes: ["036"]) {
            $0.change("/home/airflow/constraints.txt") { $0.text = "apache-airflow-providers-celery==1\n" }
            argument("ADDITIONAL_PYTHON_DEPS=mysqlclient>1 pip")(&$0)
        },
        Mutation(
            name: "an additional package that is not there", fails: ["036"],
            change: argument("ADDITIONAL_PYTHON_DEPS=pandas")),
        Mutation(
            name: "an additional package that no index names", errors: ["036"],
            change: argument("ADDITIONAL_PYTHON_DEPS=/x/y.whl")),
        Mutation(name: "an extra that is not there", fails: ["035"]) {
            airflow(jdbc)(&$0)
            argument("ADDITIONAL_AIRFLOW_EXTRAS=jdbc")(&$0)
        },
        Mutation(
            name: "an extra that does not exist", fails: ["035"],
            change: argument("ADDITIONAL_AIRFLOW_EXTRAS=jdbc")),
        Mutation(name: "an extra that is there", passes: ["034", "035"]) {
            airflow(jdbc)(&$0)
            argument("ADDITIONAL_AIRFLOW_EXTRAS=jdbc")(&$0)
            argument("AIRFLOW_EXTRAS=jdbc")(&$0)
            $0.add("RUN", [.distribution("jaydebeapi", "1.2", in: TestImage.site)])
        },
        Mutation(name: "other extras", fails: ["034"]) {
            airflow(jdbc)(&$0)
            argument("AIRFLOW_EXTRAS=jdbc")(&$0)
        },
        Mutation(
            name: "a version that was not asked for", fails: ["037"],
            change: argument("AIRFLOW_INSTALL_VERSION===2.10.4")),
        Mutation(
            name: "the version that was asked for", passes: ["037"],
            change: argument("AIRFLOW_INSTALL_VERSION===2.10.5")),
        Mutation(name: "a file of Airflow is gone", fails: ["038"]) {
            $0.change("\(airflow)/RECORD") { $0.text += "airflow/models/dag.py,,\n" }
        },
        Mutation(name: "no pip", fails: ["040"]) {
            $0.change("\(airflow)/INSTALLER") { $0.text = "conda\n" }
        },
    ]

    @Test("is judged", arguments: mutations)
    func mutation(_ mutation: Mutation) throws {
        var image = TestImage.airflow
        mutation.change(&image)
        let judgement = try CompiledSuite.airflow().judge(image.facts())
        func ids(_ outcome: Outcome) -> Set<String> {
            Set(judgement.ids(outcome).filter { $0 >= "AIR-PY-030" && $0 <= "AIR-PY-041" })
        }
        #expect(ids(.fail) == Set(mutation.fails.map { "AIR-PY-\($0)" }))
        #expect(ids(.error) == Set(mutation.errors.map { "AIR-PY-\($0)" }))
        #expect(ids(.pass).isSuperset(of: mutation.passes.map { "AIR-PY-\($0)" }))
    }

    @Test(
        "files of other releases are looked for",
        arguments: [
            ("2.0.0-2.0.1", "AIR-PY-039", "airflow/www/yarn.lock", Outcome.pass),
            ("2.0.0-2.0.1", "AIR-PY-039", "airflow/models/dag.py", .fail),
            ("3.0", "AIR-PY-041", "../../../bin/airflow", .pass),
            ("3.0", "AIR-PY-041", "airflow/sdk.py", .fail),
        ])
    func releases(_ profile: String, _ id: String, _ file: String, _ outcome: Outcome) throws {
        var image = TestImage.airflow
        let core = "\(TestImage.site)/apache_airflow_core-3.0.6.dist-info"
        image.add(
            "RUN",
            [
                .distribution("apache-airflow-core", "3.0.6", in: TestImage.site),
                .file("\(core)/RECORD", "\(file),,\n"),
            ])
        image.change("\(Self.airflow)/RECORD") { $0.text += "\(file),,\n" }
        var inputs = JudgeInputs()
        inputs.profile = profile
        #expect(
            try CompiledSuite.airflow().judge(image.facts(), inputs: inputs).result(id).outcome == outcome)
    }

    @Test("a regular image without what an extra asks for fails")
    func regular() throws {
        var image = TestImage.airflow
        #expect(try CompiledSuite.airflow().judge(image.facts()).result("AIR-PY-033").outcome == .pass)
        image.change("\(Self.airflow)/METADATA") {
            $0.text +=
                "Provides-Extra: cncf.kubernetes\nRequires-Dist: kubernetes>=29; extra == \"cncf.kubernetes\"\n"
        }
        let result = try CompiledSuite.airflow().judge(image.facts()).result("AIR-PY-033")
        #expect(result.outcome == .fail)
        #expect(result.findings.first?.observed.hasSuffix("but kubernetes 4.3.0 is installed") == true)
    }
}
