import AssayTestSupport
import Foundation
import Testing
import Verdict

/// The codes that README.md promises, each by more than one cause.
@Suite struct ExitCodeTests {
    let image: SmallImage

    init() throws { image = try SmallImage() }

    // MARK: 0 and 1

    @Test func aConformingImageIsZero() async throws {
        let result = try await image.check(image.good)
        #expect(result.code == 0, "\(result)")
        #expect(result.errors.isEmpty, "\(result)")
        #expect(result.output.contains("T-1") || result.output.contains("2"), "\(result)")
    }

    @Test func aFailedCheckIsOne() async throws {
        let result = try await image.check(image.bad)
        #expect(result.code == 1, "\(result)")
        #expect(result.output.contains("T-3"), "\(result)")
        #expect(result.errors.isEmpty, "\(result)")
    }

    @Test(arguments: [("info", 1), ("warning", 1), ("error", 0)] as [(String, Int32)])
    func theThresholdDecidesWhichFailCounts(severity: String, code: Int32) async throws {
        #expect(try await image.check(image.bad, "--fail-on", severity).code == code)
    }

    @Test func aCheckThatIsLeftOutCannotFail() async throws {
        #expect(try await image.check(image.bad, "--skip", "T-3").code == 0)
        #expect(try await image.check(image.bad, "--only", "T-3").code == 1)
    }

    @Test func severalImagesFailWhenOneDoes() async throws {
        var other = SmallImage.sample()
        other.addLayer(createdBy: "COPY shadow") { $0.add("etc/shadow", content: [0x0A]) }
        let good = "oci:\(try image.directory.write(try other.layoutFiles(), below: "other"))"
        #expect(try await Assay.run("check", good, "--suite", image.bad).code == 0)
        let both = try await Assay.run("check", good, image.layout, "--suite", image.bad)
        #expect(both.code == 1, "\(both)")
    }

    @Test(arguments: [
        "text", "markdown", "junit", "junit-strict", "sarif", "github", "gitlab", "tap", "openmetrics",
        "json",
    ])
    func theFormatOfTheReportNeverChangesTheCode(format: String) async throws {
        #expect(try await image.check(image.good, "--report", format).code == 0)
        #expect(try await image.check(image.bad, "--report", format).code == 1)
        let file = "\(image.directory.path)/report"
        #expect(try await image.check(image.bad, "--report", "\(format)=\(file)").code == 1)
        let unreadable = try await Assay.run(
            "check", "oci:/nonexistent", "--suite", image.good, "--report", format)
        #expect(unreadable.code == 3, "\(unreadable)")
    }

    // MARK: 2

    @Test(arguments: [
        ["--nonsense"], ["--suite", "nonexistent"], ["--build-arg", "NO_SUCH_ARGUMENT=1"],
        ["--build-arg", "=1"],
        ["--build-arg-file", "/nonexistent"], ["--constraints", "/nonexistent"],
        ["--only", "AIR-NONE-001"], ["--skip", "AIR-NONE-001"],
        ["--profile", "0.1"], ["--fail-on", "everything"], ["--report", "pdf"],
        ["--platform", "no platform"],
        ["--report", "json", "--report", "junit"], ["--report", "json=a", "--report", "junit=./a"],
    ])
    func wrongUsageIsTwo(arguments: [String]) async throws {
        let result = try await Assay.run(["check", image.layout] + arguments)
        #expect(result.code == 2, "\(result)")
        expectComplaint(result)
    }

    @Test(arguments: [
        ["chekc"], ["check"], ["inspect"], ["save", "oci:x"], ["unpack"],
        ["inspect", "--format", "xml", "oci:x"],
        ["save", "oci:x", "docker-archive:y"], ["check", "docker://example/image"], ["check", ""],
        ["check", "oci:"],
        ["inspect", "containers-storage:x"], ["check", "docker-daemon:-x"],
    ])
    func wrongCommandsAndNamesOfImagesAreTwo(arguments: [String]) async throws {
        let result = try await Assay.run(arguments)
        #expect(result.code == 2, "\(result)")
        expectComplaint(result)
    }

    @Test(arguments: [
        "  - id: T-1\n    title: t\n    expekt: {config: user, equals: x}",
        "  - id: T-1\n    title: t\n    expect: {config: user, equal: x}",
        "  - id: T-1\n    title: t\n    severity: fatal\n    expect: {config: user, equals: x}",
        "  - id: T-1\n    title: ${NOT_DECLARED}\n    expect: {config: user, equals: x}", "  - id: [T-1",
    ])
    func aWrongSuiteIsTwoWithItsPlace(checks: String) async throws {
        let suite = try image.write(suite: checks, named: "wrong")
        let result = try await image.check(suite)
        #expect(result.code == 2, "\(result)")
        #expect(result.output.isEmpty)
        #expect(result.errors.contains(#/wrong\.yaml:[0-9]+:[0-9]+: /#), "\(result)")
    }

    @Test func aSuiteThatIsGivenTwiceIsTwo() async throws {
        #expect(try await image.check(image.good, "--suite", image.good).code == 2)
    }

    // MARK: 3

    @Test(arguments: [
        "oci:/nonexistent", "docker-archive:/nonexistent.tar", "dir:/nonexistent", "/nonexistent.tar",
        "docker-archive:/dev/null", "docker-archive:/etc/hostname", "oci-archive:/etc/hostname",
    ])
    func anImageThatIsNotThereIsThree(name: String) async throws {
        let result = try await Assay.run("check", name, "--suite", image.good)
        #expect(result.code == 3, "\(result)")
        expectComplaint(result, outputIsEmpty: false)
        let inspected = try await Assay.run("inspect", name)
        #expect(inspected.code == 3, "\(inspected)")
        expectComplaint(inspected)
    }

    @Test func anEngineThatDoesNotAnswerIsThree() async throws {
        let socket = "unix://\(image.directory.path)/no-socket"
        let result = try await Assay.run("inspect", "docker-daemon:x", environment: ["DOCKER_HOST": socket])
        #expect(result.code == 3, "\(result)")
        expectComplaint(result)
        // The binary is named by its path; nothing else is searched for.
        let missing = try await Assay.run("inspect", "podman:x", environment: ["PATH": image.directory.path])
        #expect(missing.code == 3, "\(missing)")
        expectComplaint(missing)
    }

    @Test func aPlatformThatIsNotThereIsThree() async throws {
        let result = try await image.check(image.good, "--platform", "linux/s390x")
        #expect(result.code == 3, "\(result)")
        expectComplaint(result, outputIsEmpty: false)
    }

    @Test func severalImagesInOneArchiveAreThreeAndListed() async throws {
        var files = try image.builder.layoutFiles()
        let manifest = try image.builder.manifest()
        files["index.json"] = try image.builder.index(of: [(manifest, "one"), (manifest + [0x0A], "two")])
        files[try blobPath(manifest + [0x0A])] = manifest + [0x0A]
        let layout = try image.directory.write(files, below: "several")
        let result = try await Assay.run("inspect", "oci:\(layout)")
        #expect(result.code == 3, "\(result)")
        #expect(result.errors.contains("one") && result.errors.contains("two"), "\(result)")
        #expect(try await Assay.run("inspect", "oci:\(layout):two").code == 0)
    }

    @Test func aRunThatEvaluatesNothingIsThree() async throws {
        let skipped = try await image.check(image.good, "--skip", "T-*")
        #expect(skipped.code == 3, "\(skipped)")
        let suite = try image.write(
            suite: """
                  - id: T-1
                    title: only for another system
                    when: {environment: NO_SUCH_VARIABLE}
                    expect: {config: user, equals: x}
                """, named: "inapplicable")
        let inapplicable = try await image.check(suite)
        #expect(inapplicable.code == 3, "\(inapplicable)")
    }

    @Test func aDefiniteFailWinsOverAnUnreadableImage() async throws {
        let failing = try await image.check(image.bad, "oci:/nonexistent")
        #expect(failing.code == 1, "\(failing)")
        #expect(failing.errors.contains("/nonexistent"), "\(failing)")
        let conforming = try await image.check(image.good, "oci:/nonexistent")
        #expect(conforming.code == 3, "\(conforming)")
    }

    @Test func aReportThatCannotBeWrittenIsThree() async throws {
        // A file where a directory is needed: not to be written by any account, root included.
        let place = try image.directory.write([], to: "file")
        let result = try await image.check(image.good, "--report", "json=\(place)/report.json")
        #expect(result.code == 3, "\(result)")
        expectComplaint(result, outputIsEmpty: false)
        let failing = try await image.check(image.bad, "--report", "json=\(place)/report.json")
        #expect(failing.code == 1, "\(failing)")
    }

    // MARK: Standard output and error

    @Test func standardOutputHasTheReportAndNothingElse() async throws {
        // A plain name makes a note on where it was found.
        let plain = String(image.layout.dropFirst("oci:".count))
        let result = try await Assay.run("check", plain, "--suite", image.good, "--report", "json")
        #expect(result.code == 0, "\(result)")
        #expect(result.errors.contains("oci:"), "\(result)")
        let record = try JSONDecoder().decode(RunRecord.self, from: Data(result.outputBytes))
        #expect(record.complete)
        #expect(try await image.check(image.good, "--quiet").output.isEmpty)
    }

    @Test func outputOfOtherCommandsIsTheirResultOnly() async throws {
        let inspected = try await Assay.run("inspect", "--format", "json", image.layout)
        #expect(inspected.code == 0 && inspected.errors.isEmpty, "\(inspected)")
        _ = try JSONSerialization.jsonObject(with: Data(inspected.outputBytes))
        let saved = try await Assay.run("save", image.layout, "oci:\(image.directory.path)/saved")
        #expect(saved.code == 0 && saved.output.contains(/^sha256:[0-9a-f]{64}\n$/), "\(saved)")
        let unpacked = try await Assay.run(
            "unpack", "--no-same-owner", image.layout, "\(image.directory.path)/tree")
        #expect(unpacked.code == 0 && unpacked.output.isEmpty, "\(unpacked)")
        #expect(try image.directory.read("tree/etc/passwd").count == 26)
    }

    @Test func aReaderThatGoesAwayIsNoErrorMessage() async throws {
        let pipe = try NamedPipe()
        pipe.closeReading()
        let result = try await Assay.run(["inspect", image.layout], output: .descriptor(pipe.writing))
        // As a shell reports a filter that SIGPIPE ended.
        #expect(result.code == 128 + SIGPIPE, "\(result)")
        #expect(result.errors.isEmpty, "\(result)")
    }

    @Test func aFullDiskBehindStandardOutputIsThree() async throws {
        let result = try await Assay.run(
            ["check", image.layout, "--suite", image.good], output: .file("/dev/full"))
        #expect(result.code == 3, "\(result)")
        expectComplaint(result)
    }

    // MARK: Help

    @Test(arguments: [[], ["check"], ["inspect"], ["save"], ["unpack"]])
    func helpHasAnExample(command: [String]) async throws {
        let result = try await Assay.run(command + ["--help"])
        #expect(result.code == 0, "\(result)")
        #expect(result.output.contains(#/Examples?:\n +(sudo )?assay /#), "\(result)")
        #expect(result.errors.isEmpty)
    }

    @Test func versionIsOneLine() async throws {
        let result = try await Assay.run("--version")
        #expect(result.code == 0 && result.output.contains(/^assay [0-9]+\.[0-9]+\.[0-9]+\n$/), "\(result)")
    }
}

/// One line that says what is wrong, or a few that say it of a suite or of the usage; never a stack trace.
func expectComplaint(
    _ result: ToolResult, outputIsEmpty: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
) {
    if outputIsEmpty { #expect(result.output.isEmpty, "\(result)", sourceLocation: sourceLocation) }
    let lines = result.errorLines
    #expect(
        lines.first.map { $0.hasPrefix("assay: error: ") || $0.hasPrefix("Error: ") } == true, "\(result)",
        sourceLocation: sourceLocation)
    let isOneErrorWithHint = lines.count == 1 || lines.count == 2 && lines[1].hasPrefix("hint: ")
    let isUsage = lines.contains { $0.hasPrefix("Usage: ") }
    #expect(isOneErrorWithHint || isUsage, "\(result)", sourceLocation: sourceLocation)
    for trace in ["Fatal error", "stack dump", "Current stack trace", ".swift:", "Swift."] {
        #expect(!result.errors.contains(trace), "\(result)", sourceLocation: sourceLocation)
    }
}
