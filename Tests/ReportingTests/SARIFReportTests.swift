import Testing
import Verdict

@testable import Reporting

struct SARIFReportTests {
    private func document(
        _ record: RunRecord, anchor: String? = nil, limit: Int = SARIFReport.resultLimit
    ) throws -> Document {
        try Document(
            SARIFReport.render(
                record, options: RenderOptions(anchor: anchor.map { RepositoryFile(path: $0) }),
                resultLimit: limit))
    }

    private func results(_ document: Document) -> [Document] {
        document["runs"]?.elements.flatMap { $0["results"]?.elements ?? [] } ?? []
    }

    private func notifications(_ document: Document, run: Int = 0) -> [String] {
        document["runs", run, "invocations", 0, "toolExecutionNotifications"]?.elements
            .compactMap { $0["message", "text"]?.text } ?? []
    }

    @Test func everyFindingIsAResultOfItsLevel() throws {
        let results = results(try document(.of(everyKind)))
        let rows = results.map { result in
            ["ruleId", "level", "kind"].compactMap { result[$0]?.text }.joined(separator: " ")
        }
        #expect(
            rows == [
                "FAIL error fail", "ERROR none open", "WARN warning fail", "INFO note fail",
                "KNOWN error fail", "WAIVED error fail",
            ])
        #expect(
            results[0]["message", "text"]?.text
                == "path /fail: expected there, observed not there. Cause: layer 2 of 0, \(CanonicalRun.digest("2")), RUN make. Remedy: mend it."
        )
    }

    @Test func onlyWaivedResultsAreSuppressed() throws {
        let results = results(try document(.of(everyKind)))
        #expect(results.compactMap { $0["suppressions"] == nil ? nil : $0["ruleId"]?.text } == ["WAIVED"])
        let suppression = try #require(results.last?["suppressions", 0])
        #expect(suppression["kind"]?.text == "external" && suppression["status"]?.text == "accepted")
        #expect(
            suppression["justification"]?.text
                == "until 2027-01-31 by release@example.org: MariaDB mirror is down")
    }

    @Test func baselineStateIsOfRunsWithABaseline() throws {
        var record = RunRecord.of(everyKind)
        #expect(results(try document(record)).allSatisfy { $0["baselineState"] == nil })
        record.images[0].baseline = BaselineComparison(file: "b.json", started: nil, reference: nil)
        #expect(results(try document(record)).allSatisfy { $0["baselineState"] == nil })
        record.images[0].baseline?.reference = "oci:image"
        let states = results(try document(record)).map { $0["baselineState"]?.text }
        #expect(states == ["new", nil, "new", "new", "unchanged", "new"])
    }

    @Test func rulesAreThoseOfTheResults() throws {
        let document = try document(.of(everyKind))
        let rules = document["runs", 0, "tool", "driver", "rules"]?.elements ?? []
        #expect(rules.compactMap { $0["id"]?.text } == ["FAIL", "ERROR", "WARN", "INFO", "KNOWN", "WAIVED"])
        for result in results(document) {
            let index = try #require(result["ruleIndex"]?.number)
            #expect(rules[index]["id"]?.text == result["ruleId"]?.text)
        }
        let rule = try #require(rules.first)
        #expect(rule["shortDescription", "text"]?.text == "title")
        #expect(rule["fullDescription", "text"]?.text == "title. handbook")
        #expect(
            rule["help", "text"]?.text == "title\nRemedy: mend it\nSource: handbook\nSuite: suites/g.yaml:7:5"
        )
        #expect(rule["help", "markdown"]?.text?.contains("- **Remedy**: <code>mend it</code>") == true)
        #expect(rule["properties", "tags"]?.elements.compactMap(\.text) == ["g", "s"])
        #expect(
            rules.compactMap { $0["properties", "problem.severity"]?.text }.suffix(4) == [
                "warning", "recommendation", "error", "error",
            ])
    }

    @Test func descriptionsKeepGitHubsLimit() throws {
        let long = String(repeating: "x", count: 5_000)
        var result = CheckResult.of("A", .fail, title: long)
        result.source = long
        let rule = try #require(document(.of([result]))["runs", 0, "tool", "driver", "rules", 0])
        for key in ["shortDescription", "fullDescription"] {
            let count = try #require(rule[key, "text"]?.text).unicodeScalars.count
            #expect(count <= 1_000 && count > 500)
        }
    }

    @Test func fingerprintsAreForGitHubAndOthers() throws {
        let result = try #require(results(try document(.of(everyKind))).first)
        let own = try #require(result["partialFingerprints", "finding/v1"]?.text)
        #expect(own.wholeMatch(of: /[0-9a-f]{32}/) != nil)
        #expect(result["partialFingerprints", "primaryLocationLineHash"]?.text == own + ":1")
    }

    @Test(
        arguments: [
            (nil, "suites/g.yaml", 7), ("Dockerfile", "Dockerfile", 1),
            ("./build/Dockerfile", "build/Dockerfile", 1),
            ("a b:c%/ü", "a%20b%3Ac%25/%C3%BC", 1),
        ] as [(String?, String, Int)])
    func aResultIsAtAFileOfTheRepository(anchor: String?, uri: String, line: Int) throws {
        let location = try #require(
            results(try document(.of(everyKind), anchor: anchor)).first?["locations", 0])
        #expect(location["physicalLocation", "artifactLocation", "uri"]?.text == uri)
        #expect(location["physicalLocation", "artifactLocation", "uriBaseId"]?.text == "%SRCROOT%")
        #expect(location["physicalLocation", "region", "startLine"]?.number == line)
        #expect(location["logicalLocations", 0, "name"]?.text == "/fail")
    }

    @Test func anAbsolutePathIsAURIOfAFile() throws {
        let artifact = try #require(
            results(try document(.of(everyKind), anchor: "/src/Dockerfile")).first?[
                "locations", 0, "physicalLocation", "artifactLocation"])
        #expect(artifact["uri"]?.text == "file:///src/Dockerfile")
        #expect(artifact["uriBaseId"] == nil)
    }

    @Test func theCategoryHasNoTag() throws {
        let references = [
            "docker://docker.io/apache/airflow:2.10.5", "docker://docker.io/apache/airflow:3.0.6@sha256:aa",
            "oci:build/out:latest",
        ]
        let runs = try #require(document(.of(everyKind, on: references))["runs"]).elements
        #expect(
            runs.compactMap { $0["automationDetails", "id"]?.text } == [
                "airflow/docker---docker.io-apache-airflow/linux-amd64/",
                "airflow/docker---docker.io-apache-airflow/linux-amd64/2/",
                "airflow/oci-build-out/linux-amd64/",
            ])
        #expect(runs.compactMap { $0["properties", "image.reference"]?.text } == references)
    }

    @Test func whatTheRunCouldNotTellIsANotification() throws {
        let document = try document(.of(everyKind, complete: false))
        #expect(document["runs", 0, "invocations", 0, "executionSuccessful"]?.value as? Bool == true)
        #expect(document["runs", 0, "invocations", 0, "exitCode"]?.number == 1)
        #expect(
            notifications(document) == [
                "the run is incomplete: the run was interrupted, the results are partial",
                "ERROR: could not be decided: the file was not kept",
            ])
        let nothing = try self.document(.of([.of("A", .skipped)]))
        #expect(nothing["runs", 0, "invocations", 0, "executionSuccessful"]?.value as? Bool == false)
        #expect(notifications(nothing).first?.hasPrefix("no check was evaluated") == true)
        let noImage = try self.document(.of([], on: []))
        #expect(noImage["runs", 0, "invocations", 0, "executionSuccessful"]?.value as? Bool == false)
        #expect(notifications(noImage) == ["no check was evaluated: no image was judged"])
    }

    /// Else GitHub would close the alerts of an image that nobody has looked at.
    @Test func anUnreadableImageHasACategoryOfItsOwn() throws {
        let record = CanonicalRun.record(
            images: [], unreadable: [UnreadableImage(reference: "oci:x", reason: "damaged", hint: "build it")]
        )
        let document = try document(record)
        #expect(document["runs", 0, "automationDetails", "id"]?.text == "airflow/oci-x/not-judged/")
        #expect(document["runs", 0, "invocations", 0, "executionSuccessful"]?.value as? Bool == false)
        #expect(notifications(document) == ["the image could not be judged: damaged; build it"])
    }

    @Test func theLastResultsAreLeftOutAndCounted() throws {
        let document = try document(.of(everyKind), limit: 4)
        #expect(results(document).compactMap { $0["ruleId"]?.text } == ["FAIL", "ERROR", "WARN", "INFO"])
        #expect(notifications(document).first?.hasPrefix("2 of 6 results are not in this file") == true)
        #expect(notifications(try self.document(.of(everyKind), limit: 6)).count == 1)
    }

    @Test func aFileHasTwentyRuns() throws {
        var record = RunRecord.of([.of("A", .pass)], on: (1...22).map { "oci:i\($0)" })
        record.images[21].results = [.of("A", .fail)]
        let document = try document(record)
        let runs = document["runs"]?.elements ?? []
        #expect(runs.count == 20)
        // The image that fails is not among those that are left out.
        #expect(runs.last?["properties", "image.reference"]?.text == "oci:i22")
        #expect(notifications(document).last?.hasPrefix("2 more images are not in this file") == true)
        record.images.removeLast(2)
        #expect(notifications(try self.document(record)).isEmpty)
    }

    @Test func textFromAnImageIsNoLink() {
        let link = "[click](http://example.org)"
        let record = RunRecord.of([.of("A", .fail, title: link, findings: [.of(link, expected: link)])])
        #expect(
            !String(decoding: SARIFReport.render(record, options: RenderOptions()), as: UTF8.self)
                .contains("]("))
    }

    /// Rules are written once for images that have the same.
    @Test func eachImageHasItsOwnRules() throws {
        let results = [CheckResult.of("A", .fail, findings: [.of("/a")])]
        var record = RunRecord.of(results, on: ["oci:a", "oci:b", "oci:c"])
        record.images[1].results[0].title = "another title"
        let runs = try document(record)["runs"]?.elements ?? []
        #expect(
            runs.map { $0["tool", "driver", "rules", 0, "shortDescription", "text"]?.text } == [
                "title", "another title", "title",
            ])
    }
}
