import Checks
import Suite
import Testing
import Verdict

@Suite("Which release line an image is of")
struct ProfileTests {
    struct Line: Sendable, CustomTestStringConvertible {
        var version: String?
        var codename: String
        var environment: [String]
        var labels: [String] = []
        var profile: String?
        var warnings: [String] = []

        var testDescription: String { "\(version ?? "none") as \(profile ?? "none")" }
    }

    static let outside = "the installed version 2.0.2 lies outside of 2.2: judged as 2.2"

    static let lines: [Line] = [
        Line(
            version: "1.10.12", codename: "buster", environment: ["AIRFLOW_GID", "ADDITIONAL_RUNTIME_DEPS"],
            profile: "1.10"),
        Line(
            version: "2.0.0.dev0", codename: "buster",
            environment: ["AIRFLOW_GID", "ADDITIONAL_RUNTIME_DEPS"],
            profile: "1.10",
            warnings: ["the installed version 2.0.0 lies outside of 1.10..1.10.15: judged as 1.10.15"]),
        Line(
            version: "1.10.14", codename: "buster", environment: ["AIRFLOW_GID", "AIRFLOW_PIP_VERSION"],
            labels: ["org.apache.airflow.version"], profile: "1.10"),
        Line(version: "1.10.10", codename: "buster", environment: [], profile: "1.10"),
        Line(
            version: "2.0.1", codename: "buster", environment: ["AIRFLOW_GID", "AIRFLOW_PIP_VERSION"],
            profile: "2.0.0-2.0.1"),
        Line(
            version: "2.0.2", codename: "buster", environment: ["AIRFLOW_GID", "PIP_USER"],
            profile: "2.0.2-2.1"),
        Line(
            version: "2.1.4", codename: "buster",
            environment: ["AIRFLOW_GID", "PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.0.2-2.1"),
        // Pushed again in January 2022.
        Line(
            version: "2.0.2", codename: "buster", environment: ["PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.2",
            warnings: [outside]),
        Line(
            version: "2.2.5", codename: "buster", environment: ["PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.2"),
        Line(
            version: "2.3.0", codename: "bullseye", environment: ["PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.3-2.7"),
        Line(
            version: "2.7.3", codename: "bullseye", environment: ["PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.3-2.7"),
        Line(
            version: "2.8.1", codename: "bookworm", environment: ["PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.8-2.11"),
        Line(
            version: "2.8.1", codename: "bullseye", environment: ["PIP_USER", "DUMB_INIT_SETSID"],
            profile: "2.8-2.11"),
        Line(
            version: "2.11.0", codename: "bookworm", environment: ["VIRTUAL_ENV", "DUMB_INIT_SETSID"],
            profile: "2.8-2.11"),
        Line(
            version: "3.0.2", codename: "bookworm", environment: ["VIRTUAL_ENV", "DUMB_INIT_SETSID"],
            profile: "3.0"),
        Line(
            version: "3.1.5", codename: "bookworm", environment: ["AIRFLOW_PYTHON_VERSION", "VIRTUAL_ENV"],
            profile: "3.1-3.3"),
        Line(
            version: "4.0.0", codename: "trixie", environment: ["AIRFLOW_PYTHON_VERSION", "VIRTUAL_ENV"],
            profile: "3.1-3.3",
            warnings: ["the installed version 4.0.0 lies outside of 3.1..3.3: judged as 3.3"]),
        Line(
            version: "4.0.0", codename: "trixie", environment: [], profile: "3.1-3.3",
            warnings: [
                "no mark of a release line was found: chosen by the installed version alone",
                "the installed version 4.0.0 lies outside of 3.1..3.3: judged as 3.3",
            ]),
        Line(
            version: "2.5.1", codename: "bullseye", environment: [], profile: "2.3-2.7",
            warnings: ["no mark of a release line was found: chosen by the installed version alone"]),
        Line(
            version: nil, codename: "bookworm", environment: ["VIRTUAL_ENV"], profile: "2.8-2.11",
            warnings: ["apache-airflow or apache-airflow-core is not installed"]),
        Line(version: nil, codename: "bookworm", environment: [], profile: nil),
    ]

    @Test("is told by its marks", arguments: lines)
    func choose(_ line: Line) throws {
        let judgement = try CompiledSuite.airflow().judge(image(line).facts())
        #expect(judgement.profile?.id == line.profile)
        #expect(judgement.profile?.warnings ?? [] == line.warnings)
        #expect(judgement.profile?.evidence.isEmpty != true || line.version == nil)
    }

    private func image(_ line: Line) -> TestImage {
        var image = TestImage.debian
        for name in line.environment { image.set(name, "1") }
        for name in line.labels { image.label(name, line.version ?? "1") }
        image.change("/etc/os-release") { $0.text = "ID=debian\nVERSION_CODENAME=\(line.codename)\n" }
        if let version = line.version {
            image.add("RUN pip install", [.distribution("apache-airflow", version, in: TestImage.site)])
        }
        return image
    }

    @Test("a line whose release is not known decides what is the same in all of it")
    func wholeLine() throws {
        var image = TestImage.airflow
        image.drop("\(TestImage.site)/apache_airflow-2.10.5.dist-info")
        let judgement = try CompiledSuite.airflow().judge(image.facts())
        #expect(try judgement.result("AIR-USER-001").outcome == .pass)
        #expect(try judgement.result("AIR-USER-002").outcome == .notApplicable)
        #expect(try judgement.result("AIR-RUN-003").outcome == .pass)
        // 2.8 has no virtual environment, 2.9 has.
        #expect(try judgement.result("AIR-PY-007").outcome == .error)
        #expect(try judgement.result("AIR-PY-001").outcome == .fail)
    }

    @Test("the command line can say it")
    func override() throws {
        let judgement = try CompiledSuite.airflow().judge(
            TestImage.airflow.facts(), inputs: JudgeInputs(profile: "2.0.0-2.0.1"))
        #expect(judgement.profile?.id == "2.0.0-2.0.1")
        #expect(judgement.profile?.evidence.contains("chosen on the command line") == true)
        #expect(try judgement.result("AIR-USER-001").outcome == .fail)
    }

    @Test(
        "the expectations follow the line",
        arguments: [
            ("1.10.12", ["AIRFLOW_GID", "ADDITIONAL_RUNTIME_DEPS"], "50000", true),
            ("2.0.1", ["AIRFLOW_GID", "AIRFLOW_PIP_VERSION"], "50000", true),
            ("2.0.2", ["AIRFLOW_GID", "PIP_USER"], "0", true),
            ("2.0.2", ["PIP_USER", "DUMB_INIT_SETSID"], "0", false),
        ])
    func byLine(_ version: String, _ marks: [String], _ gid: String, _ hasHelp: Bool) throws {
        var image = image(Line(version: version, codename: "buster", environment: marks))
        if marks.contains("AIRFLOW_GID") { image.set("AIRFLOW_GID", "50000") }
        image.command = hasHelp ? ["--help"] : []
        image.add("RUN adduser", [.file("/etc/passwd", "airflow:x:50000:\(gid)::/home/airflow:/bin/bash\n")])
        let judgement = try CompiledSuite.airflow().judge(image.facts())
        #expect(try judgement.result("AIR-USER-001").outcome == .pass)
        #expect(try judgement.result("AIR-RUN-003").outcome == .pass)
        #expect(
            try judgement.result("AIR-PY-002").outcome == (version.hasPrefix("1") ? .notApplicable : .fail))
    }
}
