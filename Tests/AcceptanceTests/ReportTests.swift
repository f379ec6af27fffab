import AssayTestSupport
import Foundation
import Reporting
import Testing
import Verdict

extension ReferenceImageTests {
    /// Reports of the reference image, read by those they are made for.
    @Suite struct ReportTests {
        @Test func junitIsReadByItsReaders() async throws {
            let directory = try TemporaryDirectory()
            let file = "\(directory.path)/airflow.xml"
            let result = try await Assay.run(
                "check", try ReferenceImage.reference(), "--only", "static", "--report", "junit=\(file)",
                "--quiet")
            #expect(result.code == 0, "\(result)")
            _ = try await output(of: "xmllint", ["--noout", file])
            let script = """
                import sys
                from junitparser import JUnitXml
                xml = JUnitXml.fromfile(sys.argv[1])
                cases = [case for suite in xml for case in suite]
                print(len(cases), xml.failures, xml.errors, sum(suite.failures + suite.errors for suite in xml))
                print(all(case.classname.startswith("airflow.") and case.time is not None for case in cases))
                """
            let summary = try await output(of: Setting.python.value(), ["-c", script, file]).split(
                separator: "\n")
            let counts = try #require(summary.first).split(separator: " ").compactMap { Int($0) }
            #expect(counts.count == 4 && counts[0] >= 25, "\(summary)")
            #expect(counts.dropFirst().allSatisfy { $0 == 0 }, "\(summary)")
            #expect(summary.last == "True")
        }

        @Test func noCheckFailsOrIsUndecided() async throws {
            let record = try await Assay.record([try ReferenceImage.reference()])
            let results = try #require(record.images.first).results
            for result in results where result.outcome == .fail || result.outcome == .error {
                Issue.record(
                    "\(result.id) \(result.title): \(result.outcome) \(result.reason ?? "") \(result.findings)"
                )
            }
            #expect(results.filter { $0.outcome == .pass }.count >= 25)
            for result in results where result.outcome == .notApplicable || result.outcome == .skipped {
                #expect(result.reason?.isEmpty == false, "\(result.id)")
            }
        }

        @Test func twoRunsGiveTheSameBytesInEveryFormat() async throws {
            let directory = try TemporaryDirectory()
            let formats = ReportFormat.allCases
            for folder in ["one", "two"] {
                let result = try await Assay.run(
                    ["check", ReferenceImage.reference(), "--only", "static", "--quiet"]
                        + formats.flatMap { ["--report", "\($0.rawValue)=\(directory.path)/\(folder)/"] },
                    environment: ["SOURCE_DATE_EPOCH": "1739145600"])
                #expect(result.code == 0, "\(result)")
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/one")
            #expect(files.count == formats.count)
            for file in files {
                #expect(try directory.read("one/\(file)") == directory.read("two/\(file)"), "\(file)")
            }
        }

        @Test func theRecordIsValidByTheSchema() async throws {
            let directory = try TemporaryDirectory()
            let file = "\(directory.path)/airflow.json"
            let result = try await Assay.run(
                "check", try ReferenceImage.reference(), "--only", "static", "--only", "entrypoint",
                "--report",
                "json=\(file)", "--quiet")
            #expect(result.code == 0, "\(result)")
            _ = try await output(
                of: Setting.python.value(),
                [
                    "-m", "check_jsonschema", "--schemafile",
                    "\(projectRoot)/Conformance/schema/run-record.schema.json", file,
                ])
            let again = try await Assay.run("report", file, "--report", "json")
            #expect(again.outputBytes == (try directory.read("airflow.json")))
        }
    }
}
