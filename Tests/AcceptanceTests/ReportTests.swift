import AssayTestSupport
import Foundation
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

        @Test func reportsAreTheSameButForVolatileFields() async throws {
            let directory = try TemporaryDirectory()
            var runs: [(json: String, junit: String, text: String)] = []
            for number in 1...2 {
                let (json, junit, text) = ("\(number).json", "\(number).xml", "\(number).txt")
                let result = try await Assay.run(
                    [
                        "check", ReferenceImage.reference(), "--only", "static", "--quiet", "--report",
                        "json=\(directory.path)/\(json)",
                        "--report", "junit=\(directory.path)/\(junit)", "--report",
                        "text=\(directory.path)/\(text)",
                    ], environment: ["SOURCE_DATE_EPOCH": "1739145600"])
                #expect(result.code == 0, "\(result)")
                let files = try [json, junit, text].map {
                    String(decoding: try directory.read($0), as: UTF8.self)
                }
                // Of the JSON report the documented fields are set aside, of JUnit its times.
                runs.append(
                    (
                        files[0].replacing(/"duration" : [0-9.e-]+/, with: ""),
                        files[1].replacing(#/ time="[0-9.]+"/#, with: ""),
                        files[2].replacing(/[0-9.]+ m?s\b/, with: "")
                    ))
            }
            #expect(runs[0].json == runs[1].json)
            #expect(runs[0].junit == runs[1].junit)
            #expect(runs[0].text == runs[1].text)
            #expect(runs[0].json.contains(#""started" : "2025-02-10T00:00:00Z""#))
        }
    }
}
