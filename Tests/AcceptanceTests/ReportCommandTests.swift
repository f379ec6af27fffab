import AssayTestSupport
import Foundation
import Glibc
import Reporting
import Testing
import Verdict

/// `assay report`: records in, and out again in any form.
@Suite struct ReportCommandTests {
    private let directory: TemporaryDirectory
    private static let canonical = "\(projectRoot)/Reports/examples/canonical.json"

    init() throws { directory = try TemporaryDirectory() }

    private static func digest(_ digit: Character) -> String {
        "sha256:" + String(repeating: digit, count: 64)
    }

    private static func record(
        _ outcomes: [Outcome], reference: String = "oci:build/airflow-2.10.5", severity: Severity = .error,
        suite: Character = "1"
    ) -> RunRecord {
        RunRecord(
            tool: .init(name: "assay", version: "0.1.0"), started: "2026-11-23T12:00:00Z", complete: true,
            suites: [.init(name: "s", digest: digest(suite))],
            images: [
                ImageRun(
                    image: ImageIdentity(
                        reference: reference, manifestDigest: nil, configDigest: digest("c"),
                        platform: "linux/amd64", created: nil, layers: []), profile: nil, parameters: [],
                    results: outcomes.enumerated().map { number, outcome in
                        CheckResult(
                            id: "T-\(number)", title: "title \(number)", suite: "s", group: "g",
                            severity: severity,
                            outcome: outcome, reason: "reason",
                            position: .init(file: "s.yaml", line: 1, column: 1))
                    }, notes: [], duration: 1)
            ])
    }

    private func write(_ record: RunRecord, _ name: String) throws -> String {
        try directory.write(Array(try JSONEncoder().encode(record)), to: name)
    }

    private func files(_ folder: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/\(folder)").sorted()
    }

    // MARK: Records in

    @Test func theRecordComesOutAsItWentIn() async throws {
        let result = try await Assay.run("report", Self.canonical, "--report", "json")
        #expect(result.code == 1 && result.errors.isEmpty, "\(result)")
        #expect(result.outputBytes == Array(try Data(contentsOf: URL(fileURLWithPath: Self.canonical))))
    }

    @Test(arguments: ReportFormat.allCases)
    func everyFormatIsTheExample(format: ReportFormat) async throws {
        let result = try await Assay.run(
            "report", Self.canonical, "--report", "\(format.rawValue)=\(directory.path)/x")
        #expect(result.code == 1, "\(result)")
        let example = "\(projectRoot)/Reports/examples/canonical.\(format.fileExtension)"
        #expect(try directory.read("x") == Array(try Data(contentsOf: URL(fileURLWithPath: example))))
    }

    @Test(
        arguments: [
            ([Outcome.pass, .skipped], 0), ([.pass, .fail], 1), ([.fail, .error], 1), ([.pass, .error], 3),
            ([.skipped], 3), ([], 3),
        ] as [([Outcome], Int32)])
    func theCodeIsThatOfTheRecord(outcomes: [Outcome], code: Int32) async throws {
        let file = try write(Self.record(outcomes), "r.json")
        #expect(try await Assay.run("report", file).code == code)
        #expect(
            try await Assay.run("report", file, "--quiet", "--report", "junit=\(directory.path)/x").code
                == code)
    }

    @Test(arguments: [("info", 1), ("warning", 1), ("error", 0)] as [(String, Int32)])
    func theThresholdDecidesWhichFailCounts(severity: String, code: Int32) async throws {
        let file = try write(Self.record([.pass, .fail], severity: .warning), "r.json")
        #expect(try await Assay.run("report", file, "--fail-on", severity).code == code)
    }

    @Test func severalRecordsAreOneWhateverTheirOrder() async throws {
        let one = try write(Self.record([.pass, .skipped]), "one.json")
        let two = try write(Self.record([.skipped, .pass]), "two.json")
        let three = try write(Self.record([.fail], suite: "2"), "three.json")
        let both = try await Assay.run("report", one, two)
        #expect(both.code == 0 && both.output.contains("✓ 2 pass"), "\(both)")
        let all = try await Assay.run("report", one, two, three, "--report", "json")
        #expect(all.code == 1, "\(all)")
        #expect(
            try await Assay.run("report", three, two, one, two, "--report", "json").outputBytes
                == all.outputBytes)
        let merged = try directory.write(all.outputBytes, to: "merged.json")
        #expect(try await Assay.run("report", merged, one, "--report", "json").outputBytes == all.outputBytes)
        let text = try await Assay.run("report", merged)
        #expect(text.output.contains("CONFLICTS, RUNS ON ONE IMAGE DIFFER (1)"), "\(text)")
    }

    @Test func theCodeOfARunAndOfItsReportIsTheSame() async throws {
        let image = try SmallImage()
        for suite in [image.good, image.bad] {
            let run = try await image.check(suite, "--report", "json=\(directory.path)/r.json")
            let again = try await Assay.run("report", "\(directory.path)/r.json")
            #expect(again.code == run.code)
            #expect(again.output == run.output)
        }
    }

    // MARK: Records that are none

    private static let deep = String(repeating: "[", count: 200_000)

    @Test(arguments: [
        ("", "not a run record"), ("[1", "not a run record"), ("{}", #"the key "version" is missing"#),
        (#"{"version": 99}"#, "has version 99, this tool reads up to version 1"),
        (#"{"version": 1, "tool": 7}"#, "at tool:"), (#"{"version": 1}"#, "is missing"),
        (#"{"version": 1, "x": \#(deep)"#, "not a run record"), (deep, "not a run record"),
    ])
    func whatIsNoRecordIsTwo(content: String, words: String) async throws {
        let file = try directory.write(Array(content.utf8), to: "r.json")
        let result = try await Assay.run("report", file, "--report", "junit=\(directory.path)/x")
        #expect(result.code == 2 && result.errors.contains(words), "\(result)")
        expectComplaint(result)
        #expect(try files() == ["r.json"])
        let baseline = try await Assay.run("check", "oci:/nonexistent", "--baseline", file)
        #expect(baseline.code == 2 && baseline.errors.contains(words), "\(baseline)")
    }

    @Test func oneBadRecordIsEnough() async throws {
        let good = try write(Self.record([.pass]), "good.json")
        let result = try await Assay.run(
            "report", good, "/etc/hostname", "--report", "text=\(directory.path)/x")
        #expect(result.code == 2, "\(result)")
        #expect(try files() == ["good.json"])
    }

    @Test(arguments: [
        ["report"], ["report", "/nonexistent.json"], ["report", "/tmp"],
        ["report", "/dev/null", "--fail-on", "x"],
        ["report", "--schema", "x.json"], ["report", "x.json", "--report", "pdf"],
        ["report", canonical, "--report", "json", "--report", "text"],
        ["report", canonical, "--report", "json=/tmp/a/../x", "--report", "text=/tmp/x"],
    ])
    func wrongUsageIsTwo(arguments: [String]) async throws {
        let result = try await Assay.run(arguments)
        #expect(result.code == 2, "\(result)")
        expectComplaint(result)
    }

    @Test func aHugeFileIsNotRead() async throws {
        let file = try directory.write([], to: "huge.json")
        #expect(truncate(file, 1 << 40) == 0)
        let result = try await Assay.run("report", file)
        #expect(result.code == 2, "\(result)")
        expectComplaint(result)
    }

    @Test func aMillionResultsAreTooMany() async throws {
        let text = String(decoding: try JSONEncoder().encode(Self.record([.pass])), as: UTF8.self)
        let start = try #require(text.firstRange(of: #""results":["#)).upperBound
        let end = try #require(text[start...].firstRange(of: "}]")).lowerBound
        let result = String(text[start...end])
        let many = Array(repeating: result, count: 1_000_000).joined(separator: ",")
        let file = try directory.write(
            Array("\(text[..<start])\(many)\(text[end...].dropFirst())".utf8), to: "r.json")
        let report = try await Assay.run("report", file)
        #expect(report.code == 2, "\(report)")
        expectComplaint(report)
    }

    @Test func tooManyResultsInAllRecords() async throws {
        var record = Self.record([.pass])
        record.images[0].results = (0..<130_000).map {
            CheckResult(
                id: "T-\($0)", title: "t", suite: "s", group: "g", severity: .error, outcome: .pass,
                position: .init(file: "s", line: 1, column: 1))
        }
        let one = try write(record, "one.json")
        let result = try await Assay.run("report", one, one, "--quiet")
        #expect(result.code == 2 && result.errors.contains("more than 250,000 results"), "\(result)")
    }

    // MARK: The schema

    private func validate(_ file: String) async throws -> ToolResult {
        let schema = try directory.write(
            try await Assay.run("report", "--schema").outputBytes, to: "run-record.schema.json")
        return try await run(
            Setting.python.value(), ["-m", "check_jsonschema", "--schemafile", schema, file])
    }

    @Test func theCanonicalRecordIsValid() async throws {
        let result = try await validate(Self.canonical)
        #expect(result.code == 0, "\(result)")
    }

    @Test func theRecordOfARunIsValid() async throws {
        let image = try SmallImage()
        let file = "\(directory.path)/r.json"
        #expect(try await image.check(image.bad, "oci:/nonexistent", "--report", "json=\(file)").code == 1)
        let result = try await validate(file)
        #expect(result.code == 0, "\(result)")
    }

    @Test(arguments: [
        (#""outcome" : "waived""#, #""outcome" : "fine""#), (#""version" : 1"#, #""version" : 2"#),
        (#""complete" : true"#, #""complete" : 1"#),
        (#""complete" : true"#, #""complete" : true, "more" : 1"#),
        (#""connections" : 3"#, #""connections" : -1"#),
        (#""expires" : "2027-01-31""#, #""expires" : "soon""#),
    ])
    func aDamagedRecordIsNotValid(old: String, new: String) async throws {
        let text = try String(contentsOfFile: Self.canonical, encoding: .utf8)
        let damaged = text.replacing(old, with: new)
        #expect(damaged != text)
        let result = try await validate(try directory.write(Array(damaged.utf8), to: "r.json"))
        #expect(result.code == 1, "\(result)")
    }

    // MARK: Places

    private func report(_ record: RunRecord, _ arguments: String...) async throws -> ToolResult {
        let file = try write(record, "record")
        return try await run(
            "env",
            ["--chdir=\(directory.path)", Setting.binary.value(), "report", file, "--quiet"] + arguments)
    }

    @Test func aDirectoryGetsAFileOfTheImagesName() async throws {
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/there", withIntermediateDirectories: false)
        let result = try await report(
            Self.record([.pass]), "--report", "json=new/deep/", "--report", "junit=there", "--report", "text="
        )
        #expect(result.code == 0, "\(result)")
        #expect(try files("new/deep") == ["airflow-2.10.5.json"])
        #expect(try files("there") == ["airflow-2.10.5.xml"])
        #expect(try files("Reports") == ["airflow-2.10.5.txt"])
    }

    @Test(arguments: [
        ("docker-archive:build/airflow-2.10.5.tar.gz", "airflow-2.10.5"), ("oci:build/out:v1", "out-v1"),
        ("docker-daemon:apache/airflow:2.10.5", "airflow-2.10.5"), ("registry.example:5000/a/b:1", "b-1"),
        ("docker-daemon:a@sha256:0123", "a"), ("oci:../../../tmp/evil", "evil"), ("oci:..", "assay"),
        ("oci:a/..", "assay"), ("oci:/", "assay"), ("", "assay"), ("oci:.hidden", "hidden"),
        ("oci:a\u{0}b\n\u{1B}[2J\u{202E}ü", "a_b___2J_____"), ("-", "assay"), ("oci:-rf", "rf"),
    ])
    func namesStayInTheirDirectory(reference: String, name: String) async throws {
        let result = try await report(Self.record([.pass], reference: reference), "--report", "text=out/")
        #expect(result.code == 0, "\(result)")
        #expect(try files("out") == ["\(name).txt"])
        #expect(try files() == ["out", "record"])
    }

    @Test func aLongNameIsCut() async throws {
        let long = String(repeating: "n", count: 5_000)
        let result = try await report(Self.record([.pass], reference: "oci:\(long)"), "--report", "text=out/")
        #expect(result.code == 0, "\(result)")
        #expect(try files("out").map(\.utf8.count) == [124])
    }

    @Test func severalImagesAreOneFile() async throws {
        let image = try SmallImage()
        let result = try await image.check(
            image.good, image.layout, "--report", "json=\(directory.path)/out/")
        #expect(result.code == 0, "\(result)")
        #expect(try files("out") == ["assay.json"])
    }

    @Test func aLinkIsReplacedAndNotFollowed() async throws {
        let target = try directory.write(Array("precious".utf8), to: "target")
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory.path)/link", withDestinationPath: target)
        let result = try await report(Self.record([.pass]), "--report", "text=link")
        #expect(result.code == 0, "\(result)")
        #expect(try directory.read("target") == Array("precious".utf8))
        #expect(try directory.read("link").starts(with: Array("✓ CONFORMS".utf8)))
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/link")
        #expect(attributes[.type] as? FileAttributeType == .typeRegular)
    }

    // MARK: Reports that cannot be written

    /// Runs a script as root in a mount namespace of its own, which takes with it what is mounted there.
    private func inNamespace(_ script: String) async throws -> [String] {
        try await rootOutput(
            of: "unshare", ["--mount", "--propagation", "private", "sh", "-ec", script]
        ).split(separator: "\n").map(String.init)
    }

    /// The script prints the code, then the files of the place, then what is in the old report.
    private func script(mount options: String, _ record: String, _ report: String) throws -> String {
        """
        mkdir '\(directory.path)/place'
        cd '\(directory.path)/place'
        mount -t tmpfs -o size=64k tmpfs .
        cd '\(directory.path)/place'
        echo old > report
        \(options)
        code=0
        '\(try Setting.binary.value())' report '\(record)' --quiet --report json=report --report text=other \(report) || code=$?
        echo "$code"
        ls -A
        cat report
        """
    }

    @Test(arguments: [([Outcome.pass], "3"), ([.fail], "1")])
    func aFullDiskLeavesWhatWasThere(outcomes: [Outcome], code: String) async throws {
        let many = Array(repeating: Outcome.pass, count: 2_000) + outcomes
        let file = try write(Self.record(many), "record")
        let lines = try await inNamespace(try script(mount: "", file, "2> /dev/null"))
        // The short report is written, the long one is not.
        #expect(lines == [code, "other", "report", "old"])
    }

    @Test func aReadOnlyDirectoryLeavesWhatWasThere() async throws {
        let file = try write(Self.record([.pass]), "record")
        let lines = try await inNamespace(
            try script(mount: "mount -o remount,ro .", file, "2> '\(directory.path)/errors'"))
        #expect(lines == ["3", "report", "old"])
        let errors = String(decoding: try directory.read("errors"), as: UTF8.self)
        #expect(errors.split(separator: "\n").count == 2, "one for each report: \(errors)")
        #expect(errors.contains("Read-only file system"), "\(errors)")
    }

    @Test func aReaderThatGoesAwayLosesNoFile() async throws {
        let file = try write(Self.record([.pass]), "record")
        let pipe = try NamedPipe()
        pipe.closeReading()
        let result = try await Assay.run(
            ["report", file, "--report", "json=\(directory.path)/out.json"], output: .descriptor(pipe.writing)
        )
        #expect(result.code == 128 + SIGPIPE && result.errors.isEmpty, "\(result)")
        _ = try JSONDecoder().decode(RunRecord.self, from: Data(try directory.read("out.json")))
    }

    @Test func aSignalWhileTheReaderWaitsLosesNoFile() async throws {
        let file = try write(Self.record(Array(repeating: .pass, count: 2_000)), "record")
        let pipe = try NamedPipe()
        let tool = try RunningTool(
            Setting.binary.value(),
            ["report", file, "--report", "text=\(directory.path)/out.txt", "--report", "json"],
            output: .descriptor(pipe.writing))
        // Files come first: at the first byte they are there, and the rest is more than a pipe holds.
        let reading = pipe.reading
        let count = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var byte: UInt8 = 0
                continuation.resume(returning: read(reading, &byte, 1))
            }
        }
        #expect(count == 1)
        tool.signal(SIGINT)
        let result = try await tool.result(within: 300)
        #expect(result.code == 130, "\(result)")
        #expect(try directory.read("out.txt").last == 0x0A)
        #expect(try files() == ["out.txt", "record"])
    }

    /// The kernel ends a process that writes beyond its limit (setrlimit(2), RLIMIT_FSIZE): in the middle of a file.
    @Test func aProcessThatIsKilledWhileItWritesLeavesWhatWasThere() async throws {
        let file = try write(Self.record(Array(repeating: .pass, count: 2_000)), "record")
        try directory.write(Array("old".utf8), to: "report")
        let result = try await run(
            "prlimit",
            [
                "--fsize=8192", "--core=0", Setting.binary.value(), "report", file, "--quiet", "--report",
                "json=\(directory.path)/report",
            ])
        #expect([3, 128 + SIGXFSZ].contains(result.code), "a shell may have the signal ignored: \(result)")
        #expect(try directory.read("report") == Array("old".utf8))
    }

    // MARK: The same bytes

    @Test func twoRunsGiveTheSameBytesInEveryFormat() async throws {
        let image = try SmallImage()
        let formats = ReportFormat.allCases
        for folder in ["one", "two"] {
            let result = try await Assay.run(
                ["check", image.layout, "--suite", image.bad, "--quiet"]
                    + formats.flatMap { ["--report", "\($0.rawValue)=\(directory.path)/\(folder)/"] },
                environment: ["SOURCE_DATE_EPOCH": "1739145600"])
            #expect(result.code == 1, "\(result)")
        }
        #expect(try files("one").count == formats.count)
        for file in try files("one") {
            #expect(try directory.read("one/\(file)") == directory.read("two/\(file)"), "\(file)")
        }
    }

    @Test func onlyDocumentedFieldsAreVolatile() async throws {
        let image = try SmallImage()
        let one = try await Assay.record([image.layout, "--suite", image.good], only: nil)
        var two = try await Assay.record([image.layout, "--suite", image.good], only: nil)
        two.started = one.started
        #expect(one.pinningTimes == two.pinningTimes)
        #expect(one.images[0].duration > 0)
    }

    @Test(arguments: ["yesterday", "-1", "1.5", "253402300800", "99999999999999999999"])
    func aWrongEpochIsTwo(epoch: String) async throws {
        let image = try SmallImage()
        let result = try await Assay.run(
            ["check", image.layout, "--suite", image.good], environment: ["SOURCE_DATE_EPOCH": epoch])
        #expect(result.code == 2 && result.errors.contains("SOURCE_DATE_EPOCH"), "\(result)")
        expectComplaint(result)
    }

    // MARK: Secrets

    @Test func secretsAreInNoReport() async throws {
        let image = try SmallImage()
        var secret = SmallImage.sample()
        secret.runConfig = .object([
            .init("User", .string("50000")),
            .init(
                "Env",
                .array([.string("APP_PASSWORD=correct-horse-1"), .string("URL=redis://u:battery2@h/0")])),
        ])
        secret.addLayer(createdBy: "RUN curl --token staple-3-staple https://example.org") {
            $0.add("etc/x", content: [])
        }
        let layout = "oci:\(try image.directory.write(try secret.layoutFiles(), below: "secret"))"
        let suite = try image.write(
            suite: """
                  - id: T-1
                    title: no password
                    expect: {environment: APP_PASSWORD, absent: true}
                  - id: T-2
                    title: another URL
                    expect: {environment: URL, equals: none}
                  - id: T-3
                    title: no file
                    expect: {path: /etc/x, absent: true}
                """, named: "secrets")
        let result = try await Assay.run(
            ["check", layout, "--suite", suite, "--quiet"]
                + ReportFormat.allCases.flatMap { ["--report", "\($0.rawValue)=\(directory.path)/out/"] })
        #expect(result.code == 1, "\(result)")
        for file in try files("out") {
            let text = String(decoding: try directory.read("out/\(file)"), as: UTF8.self)
            for word in ["correct-horse-1", "battery2", "staple-3-staple"] {
                #expect(!text.contains(word), "\(file): \(word)")
            }
        }
        let record = String(decoding: try directory.read("out/secret.json"), as: UTF8.self)
        #expect(record.contains("redis://u:***@h/0") && record.contains("--token ***"), "\(record)")
    }

    // MARK: Colour

    @Test(
        arguments: [
            ([:], false), (["CLICOLOR_FORCE": "1"], true), (["FORCE_COLOR": "1"], true),
            (["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], false),
            (["CLICOLOR_FORCE": "1", "TERM": "dumb"], true),
        ] as [([String: String], Bool)])
    func colourFollowsTheEnvironment(environment: [String: String], hasColour: Bool) async throws {
        var variables: [String: String?] = ["NO_COLOR": nil, "CLICOLOR_FORCE": nil, "FORCE_COLOR": nil]
        for (name, value) in environment { variables[name] = value }
        let result = try await Assay.run(["report", Self.canonical], environment: variables)
        #expect(result.output.contains("\u{1B}[31m") == hasColour)
        #expect(
            !(try await Assay.run(["report", Self.canonical, "--color", "never"], environment: variables))
                .output.contains("\u{1B}"))
    }

    /// `script` gives the program a terminal.
    @Test(arguments: [("xterm", true), ("dumb", false)])
    func aTerminalHasColourUnlessItIsDumb(terminal: String, hasColour: Bool) async throws {
        let command = "'\(try Setting.binary.value())' report '\(Self.canonical)'"
        let result = try await run(
            "script", ["--quiet", "--return", "--command", command, "/dev/null"],
            environment: ["TERM": terminal, "NO_COLOR": nil, "CLICOLOR_FORCE": nil, "FORCE_COLOR": nil])
        #expect(result.code == 1, "\(result)")
        #expect(result.output.contains("\u{1B}[31m") == hasColour, "\(result)")
    }

    @Test func helpHasAnExample() async throws {
        let result = try await Assay.run("report", "--help")
        #expect(result.code == 0 && result.output.contains(#/Examples?:\n +assay /#), "\(result)")
        for format in ReportFormat.allCases { #expect(result.output.contains(format.rawValue)) }
    }
}
