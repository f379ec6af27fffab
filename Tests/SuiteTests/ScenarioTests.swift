import Suite
import Testing

@Suite("Scenarios")
struct ScenarioTests {
    private func load(_ scenarios: String, check: String = "run: one") throws -> SuiteDocument {
        let text = """
            suite: example
            title: Example
            scenarios:
            \(scenarios.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            checks:
              - {id: A-1, title: t, \(check), expect: {exit: main}}
            """
        return try SuiteLoader.load(directory: [("suite.yaml", text)])
    }

    @Test("without steps every container is started and its end awaited")
    func defaults() throws {
        let document = try load("one: {containers: {main: {args: [sh]}, other: {user: \"1:0\"}}}")
        let scenario = try #require(document.scenario(named: "one"))
        #expect(scenario.limit == ScenarioDeclaration.defaultLimit)
        #expect(scenario.containers.map(\.name) == ["main", "other"])
        #expect(
            scenario.steps.map(\.action) == [
                .start("main"), .start("other"), .awaitEnd("main"), .awaitEnd("other"),
            ])
        #expect(document.checks.first?.scenario == "one")
    }

    @Test("steps, services, files and volumes are read")
    func everything() throws {
        let document = try load(
            """
            one:
              within: 20
              services: {database: {kind: listener, opensAfter: 2.5}, broker: {kind: listener, opens: false}}
              containers:
                main:
                  args: [sh, "${database.port}"]
                  environment: {A: "${broker.host}"}
                  files: [{path: /a, content: b, mode: "0755"}]
                  volumes: {shared: /data}
              steps:
                - {start: main}
                - {wait: main, stdout: {contains: ready}, within: 3}
                - {exec: main, as: look, args: [ls], user: root}
                - {signal: main, name: INT}
                - {pause: 0.5}
                - {wait: main}
            """)
        let scenario = try #require(document.scenario(named: "one"))
        #expect(scenario.services.map(\.opensAfter) == [2.5, nil])
        #expect(scenario.containers[0].files[0].permissions == 0o755)
        #expect(scenario.containers[0].volumes[0].name == "shared")
        #expect(scenario.steps.count == 6)
        #expect(scenario.steps.map(\.within) == [nil, 3, nil, nil, 0.5, nil])
        #expect(scenario.observable == ["main", "look"])
    }

    @Test("a terminal, directories in memory, bounds and looks are read")
    func looks() throws {
        let document = try load(
            """
            one:
              containers:
                main: {tty: true, memory: 64m, processes: 20}
                other: {tmpfs: [/run, /cache]}
              steps:
                - {start: main}
                - {wait: main, port: 8080, within: 3}
                - {look: main, files: [/etc, /work/x], contents: /etc/passwd}
                - {look: other}
            """)
        let scenario = try #require(document.scenario(named: "one"))
        #expect(scenario.containers[0].hasTerminal && !scenario.containers[1].hasTerminal)
        #expect(scenario.containers[0].memoryLimit == 64 << 20)
        #expect(scenario.containers[0].processLimit == 20)
        #expect(scenario.containers[1].temporaryDirectories.map(\.source) == ["/run", "/cache"])
        #expect(scenario.steps[1].action == .awaitPort("main", 8080))
        #expect(scenario.containersLookedAt == ["main", "other"])
        #expect(
            scenario.filesLookedAt(of: "main").map(\.source) == ["/etc", "/work/x", "/etc/passwd"])
        #expect(scenario.filesLookedAt(of: "main", withContent: true).map(\.source) == ["/etc/passwd"])
        #expect(scenario.filesLookedAt(of: "other").isEmpty)
    }

    @Test("connections of a service are waited for")
    func connections() throws {
        let document = try load(
            """
            one:
              services: {db: {kind: listener}}
              containers: {main: {args: [x]}}
              steps: [{start: main}, {wait: db, connections: 3, within: 5}]
            """)
        let step = try #require(document.scenario(named: "one")).steps[1]
        #expect(step.action == .awaitConnections("db", 3) && step.within == 5)
    }

    @Test("variables and files of the scenario are every container's; its own variable wins")
    func shared() throws {
        let document = try load(
            """
            one:
              environment: {A: shared, B: shared}
              files: [{path: /shared, content: a}]
              containers:
                main: {environment: {B: own}, files: [{path: /own, content: b}]}
                other:
            """)
        let containers = try #require(document.scenario(named: "one")).containers
        #expect(containers[0].environment.map(\.name) == ["A", "B"])
        #expect(containers[0].environment.map(\.value.source) == ["shared", "own"])
        #expect(containers[0].files.map(\.path.source) == ["/shared", "/own"])
        #expect(containers[1].environment.map(\.value.source) == ["shared", "shared"])
        #expect(containers[1].files.map(\.path.source) == ["/shared"])
    }

    @Test(
        "what is wrong is told with its place",
        arguments: [
            ("two: {containers: {main: {args: [sh]}}}", "run: one", "runs one, which is no scenario"),
            (
                "one: {containers: {main: {args: [sh]}}}\ntwo: {containers: {main: {args: [sh]}}}",
                "run: one",
                "no check looks at the scenario two"
            ),
            ("one: {containers: {}}", "run: one", "needs a container"),
            ("one: {containers: {main: {args: [\"${x}\"]}}}", "run: one", "${x} is not a declared parameter"),
            ("one: {within: 1000, containers: {main: {args: [sh]}}}", "run: one", "0.1 to 900 seconds"),
            ("one: {containers: {main: {}}, steps: [{start: mian}]}", "run: one", "did you mean main?"),
            ("one: {containers: {main: {}}, steps: [{begin: main}]}", "run: one", "a step has no key begin"),
            ("one: {containers: {main: {agrs: [sh]}}}", "run: one", "did you mean args?"),
            (
                "one: {containers: {main: {}}, steps: [{wait: main, connections: 1}]}", "run: one",
                "main is no service of the scenario"
            ),
            (
                "one: {services: {db: {kind: listener}}, containers: {main: {}}, steps: [{wait: db, connections: 0}]}",
                "run: one", "connections is 1 to 1000 connections, not 0"
            ),
            (
                "one: {containers: {main: {tty: true, stdin: x}}}", "run: one",
                "suite.yaml:4:47: a terminal has no stdin"
            ),
            ("one: {containers: {main: {memory: 64q}}}", "run: one", "memory is 16m to 4g, not 64q"),
            ("one: {containers: {main: {memory: 99999999999999g}}}", "run: one", "memory is 16m to 4g"),
            ("one: {containers: {main: {memory: 1m}}}", "run: one", "memory is 16m to 4g, not 1m"),
            ("one: {containers: {main: {processes: 0}}}", "run: one", "processes is 4 to 512, not 0"),
            ("one: {containers: {main: {}}, steps: [{look: mian}]}", "run: one", "did you mean main?"),
            (
                "one: {containers: {main: {}}, steps: [{look: main, files: etc}]}", "run: one",
                "not an absolute path"
            ),
            (
                "one: {containers: {main: {tmpfs: /x}}, steps: [{look: main, files: /etc}]}", "run: one",
                "files of a container with tmpfs cannot be looked at"
            ),
            (
                "one: {containers: {main: {}}, steps: [{wait: main, port: 0}]}", "run: one",
                "port is 1 to 65535"
            ),
            (
                "one: {services: {s: {kind: listener}}, containers: {main: {}}, steps: [{wait: main, port: 1}]}",
                "run: one", "ports of a scenario with services are this machine's"
            ),
        ])
    func diagnostics(_ scenarios: String, _ check: String, _ says: String) {
        let error = #expect(throws: SuiteError.self) { try load(scenarios, check: check) }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
}
