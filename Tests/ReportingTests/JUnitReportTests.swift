import Foundation
import Testing
import Verdict

@testable import Reporting

/// `xmllint` is the judge of the XML: another reader than the writer's author.
struct JUnitReportTests {
    private func xmllint(_ record: RunRecord, _ arguments: String..., strict: Bool = false) throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString).xml")
        try Data(JUnitReport.render(record, strict: strict)).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["xmllint", "--nonet"] + arguments + [file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: output, as: UTF8.self)
        #expect(process.terminationStatus == 0, "xmllint (from libxml2-utils): \(text.prefix(2000))")
        return text.trimmingCharacters(in: .newlines)
    }

    private func xpath(_ record: RunRecord, _ expression: String) throws -> String {
        try xmllint(record, "--xpath", expression)
    }

    @Test(arguments: Sample.allCases)
    func isWellFormed(sample: Sample) throws {
        #expect(try xmllint(sample.record, "--noout").isEmpty)
    }

    @Test func isWellFormedWithALongLine() throws {
        #expect(try xmllint(CanonicalRun.longLine, "--noout").isEmpty)
    }

    @Test(arguments: Sample.allCases)
    func countsAgree(sample: Sample) throws {
        let record = sample.record
        for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
            let total = try xpath(record, "string(/testsuites/@\(attribute))")
            #expect(try xpath(record, "count(//\(element))") == total)
            #expect(try xpath(record, "sum(//testsuite/@\(attribute))") == total)
        }
        let skipped = try xpath(record, "string(sum(//testsuite/@skipped))")
        #expect(try xpath(record, "count(//skipped)") == skipped)
    }

    @Test(arguments: Sample.allCases)
    func namesAreUniqueAndClassNamesClosed(sample: Sample) throws {
        let record = sample.record
        let classNames = try xpath(record, "//testcase/@classname").split(separator: "\n")
        let names = try xpath(record, "//testcase/@name").split(separator: "\n")
        #expect(classNames.count == names.count)
        #expect(Set(zip(classNames, names).map { [$0, $1] }).count == names.count)
        for name in classNames {
            #expect(
                name.wholeMatch(of: /\ *classname="[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){1,2}"/) != nil, "\(name)")
        }
    }

    @Test func onlySeveralImagesAreNamedInTheClass() throws {
        let one = CanonicalRun.record(images: [CanonicalRun.cleanRun])
        #expect(try xpath(one, "string(//testcase/@classname)") == "airflow.packages")
        #expect(
            try xpath(CanonicalRun.record, "string(//testsuite[2]/testcase/@classname)")
                == "airflow.oci_build_out_linux_amd64.packages")
    }

    @Test func attributesKeepTabsAndLineBreaks() throws {
        let value = try xpath(CanonicalRun.record, "string(//property[@name='parameter.HOSTILE']/@value)")
        #expect(value.contains("tab\there\r\nnew line\n::error::injected"))
        #expect(value.contains("]]> </script><b a=\"1\" b='2'>&amp; "))
        #expect(value.contains("\u{FFFD}[31mred\u{FFFD}[0m\u{FFFD}\u{FFFD}\u{9B}2J"))
    }

    @Test func saysHowManyCharactersWereReplaced() throws {
        let note = try xpath(CanonicalRun.record, "string(//testsuite[1]/system-out)")
        #expect(note.contains("characters that XML 1.0 forbids are shown as U+FFFD"))
        #expect(try xpath(CanonicalRun.record, "count(//testsuite[2]/system-out)") == "0")
        let bytes = JUnitReport.render(CanonicalRun.record(images: [CanonicalRun.hostileRun]))
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars
        let own = CanonicalRun.hostile.unicodeScalars.count { $0 == "\u{FFFD}" }
        let forbidden = CanonicalRun.hostile.unicodeScalars.count { XMLWriter.forbids($0) }
        #expect((own, forbidden) == (1, 5))
        let all = text.count { $0 == "\u{FFFD}" }
        #expect(note.contains("\(all * forbidden / (own + forbidden)) characters that"))
    }

    @Test func theTextRepeatsTheMessage() throws {
        let text = try xpath(CanonicalRun.record, "string((//failure)[1])")
        let message = try xpath(CanonicalRun.record, "string((//failure)[1]/@message)")
        #expect(message == "user airflow: expected UID 50000, observed UID 1000 (and 1 more)")
        #expect(text.hasPrefix(message + "\n"))
        for words in [
            "layer: 2 of 3, sha256:222", "diff ID: sha256:eee", "history: RUN /bin/sh -c apt-get",
            "- /etc/shadow line 21", "suite: Conformance/airflow/user.yaml:12:5", "statements: G16, B09",
            "source: Production image build arguments", "remedy: create the user", "severity: error",
        ] {
            #expect(text.contains(words))
        }
    }

    @Test func aWaivedFailStaysVisible() throws {
        let waived = "//testcase[starts-with(@name, 'AIR-MYSQL-001')]"
        #expect(
            try xpath(CanonicalRun.record, "string(\(waived)/skipped)").hasPrefix("waived: until 2027-01-31"))
        #expect(try xpath(CanonicalRun.record, "string(\(waived)/system-out)").contains("observed: absent"))
    }

    @Test func aKnownFailIsAFailureThatSaysSo() throws {
        let known = "//testcase[starts-with(@name, 'AIR-FS-102')]/failure"
        for part in ["string(\(known)/@message)", "string(\(known))"] {
            #expect(
                try xpath(CanonicalRun.record, part).hasPrefix("known, in the baseline: path /opt/airflow/a"))
        }
        let partly = try xpath(
            CanonicalRun.record, "string(//testcase[starts-with(@name, 'AIR-USER-003')]/failure)")
        for words in [
            "known: the baseline has it", "waiver: until 2027-01-31", "undecided: /etc/shadow does not",
        ] {
            #expect(partly.contains(words))
        }
        #expect(!partly.hasPrefix("known"))
    }

    @Test func aWaiverThatIsNotNeededIsSkipped() throws {
        let skipped = "//testsuite[@name='waivers']/testcase/skipped"
        for part in ["string(\(skipped)/@message)", "string(\(skipped))"] {
            #expect(
                try xpath(CanonicalRun.record, part)
                    == "the waiver is not needed: no check matches AIR-USR-001; did you mean AIR-USER-001?")
        }
    }

    @Test(arguments: [
        ("profile.variant", "slim"), ("run.documented", "true"), ("lineage.extended", "true"),
        ("lineage.base.bytes", "1204331877"), ("lineage.added.bytes", "31877"),
        ("baseline.started", "2026-11-01T12:00:00Z"), ("baseline.gone", "AIR-OS-001, AIR-USER-002"),
        ("drift.G17.document", "mode 0755"), ("drift.G17.checks", "AIR-FS-101"),
    ])
    func propertiesTellHowItWasJudged(name: String, value: String) throws {
        #expect(
            try xpath(CanonicalRun.record, "string(//testsuite[1]//property[@name='\(name)']/@value)")
                == value)
    }

    @Test(arguments: [Sample.noImage, .noCheck, .nothingEvaluated])
    func aRunThatProvesNothingIsAnError(sample: Sample) throws {
        let record = sample.record
        #expect(try xpath(record, "string(//testcase[error]/@name)") == "no check was evaluated")
        #expect(try xpath(record, "string(/testsuites/@errors)") == "1")
    }

    @Test func anInterruptedRunIsAnError() throws {
        let record = CanonicalRun.record(images: [CanonicalRun.run([.pass])], complete: false)
        #expect(try xpath(record, "string(//testcase[error]/@name)") == "the run is incomplete")
    }

    @Test(arguments: [
        (0.0, "0.000"), (-1, "0.000"), (.nan, "0.000"), (.infinity, "0.000"), (0.0004, "0.000"),
        (0.0126, "0.013"), (1.5, "1.500"), (61.9996, "62.000"), (1e300, "1000000000.000"),
    ])
    func timeIsSecondsInDecimals(duration: Double, written: String) throws {
        var run = CanonicalRun.cleanRun
        run.duration = duration
        let record = CanonicalRun.record(images: [run])
        #expect(try xpath(record, "string(//testsuite/@time)") == written)
        #expect(try xpath(record, "string(/testsuites/@time)") == written)
    }

    @Test(arguments: [
        ("2026-11-23T12:00:00.5Z", "2026-11-23T12:00:00"),
        ("2026-11-23T12:00:00+00:00", "2026-11-23T12:00:00"),
        ("2026-11-23T12:00:00+02:00", ""), ("yesterday", ""), (nil, ""),
    ])
    func timestampHasNoZone(started: String?, written: String) throws {
        var record = CanonicalRun.record(images: [CanonicalRun.cleanRun])
        record.started = started
        #expect(try xpath(record, "string(//testsuite/@timestamp)") == written)
    }

    @Test func onlyTheLooseFormHasFileAndLine() throws {
        let record = CanonicalRun.record
        #expect(try xpath(record, "string((//testcase)[1]/@file)") == "Conformance/airflow/user.yaml")
        #expect(try xpath(record, "string((//testcase)[1]/@line)") == "12")
        #expect(try xmllint(record, "--xpath", "count(//testcase[@file or @line])", strict: true) == "0")
        #expect(
            try xmllint(record, "--xpath", "count(//testcase)", strict: true)
                == xpath(record, "count(//testcase)"))
    }

    @Test(arguments: [
        ("oci:it's", "own/s/g.yaml", "A B", "'GIVEN=A B'", "'oci:it'\\''s' --suite own/s"),
        ("oci:image", "s/g.yaml", "x", "GIVEN=x", "oci:image --suite s"),
    ])
    func aFailSaysHowToRunItAgain(
        reference: String, file: String, value: String, argument: String, words: String
    ) throws {
        var record = RunRecord.of([rerun(file)], on: [reference])
        record.images[0].parameters = [
            ParameterValue(name: "GIVEN", value: value, origin: "command line"),
            ParameterValue(name: "SEEN", value: "y", origin: "image environment SEEN"),
        ]
        record.images[0].judgedByDocument = true
        #expect(
            try xpath(record, "string(//failure)").hasSuffix(
                "\nrerun: assay check \(words) --only FAIL --build-arg \(argument) --documented"))
    }

    @Test(arguments: [
        ("-", "s/g.yaml", "x"), (#"oci:\x1b"#, "s/g.yaml", "x"), ("oci:image", "suites/g.yaml", "x"),
        ("oci:image", "g.yaml", "x"), ("oci:image", "s/g.yaml", "***"),
    ])
    func aCommandThatWouldNotDoTheSameIsNotTold(reference: String, file: String, value: String) throws {
        var record = RunRecord.of([rerun(file)], on: [reference])
        record.images[0].parameters = [ParameterValue(name: "GIVEN", value: value, origin: "command line")]
        #expect(try xpath(record, "string(//failure)").hasSuffix("\nremedy: mend it"))
    }

    private func rerun(_ file: String) -> CheckResult {
        var result = CheckResult.of("FAIL", .fail, findings: [.of("/fail")])
        result.position.file = file
        return result
    }

    @Test func everySuiteHasAHostThatIsTheSameEverywhere() throws {
        #expect(try xpath(CanonicalRun.record, "count(//testsuite[@hostname='localhost'])") == "4")
        #expect(try xpath(CanonicalRun.record, "count(//testsuite)") == "4")
    }

    @Test func suitesOfOneNameHaveIds() throws {
        let ids = try xpath(Sample.sameImageTwiceInterrupted.record, "//testsuite/@id")
        #expect(
            ids.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } == [
                "id=\"0\"", "id=\"1\"", "id=\"2\"",
            ])
    }

    @Test func aTextIsBounded() throws {
        let count = try #require(Int(xpath(CanonicalRun.longLine, "string-length(//failure)")))
        #expect(count > 100_000 && count < 100_100)
        #expect(try xpath(CanonicalRun.longLine, "string(//failure)").hasSuffix(" more characters"))
    }
}
