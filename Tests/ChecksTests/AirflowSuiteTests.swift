import Checks
import Suite
import Testing
import Verdict

@Suite("The suite of the Airflow image")
struct AirflowSuiteTests {
    @Test("two judgements of one image are the same, but for durations")
    func deterministic() throws {
        let suite = try CompiledSuite.airflow()
        let results = try (0..<2).map { _ in
            try suite.judge(TestImage.airflow.facts()).results.map { result in
                var result = result
                result.duration = 0
                return result
            }
        }
        #expect(results[0] == results[1])
    }

    @Test("without Airflow nothing that depends on the release passes")
    func noAirflow() throws {
        let judgement = try CompiledSuite.airflow().judge(TestImage.debian.facts())
        #expect(judgement.profile == nil)
        for id in ["AIR-USER-002", "AIR-USER-008", "AIR-RUN-003", "AIR-PY-002", "AIR-LABEL-004"] {
            let result = try judgement.result(id)
            #expect(result.outcome == .error, "\(id) \(result.outcome)")
            #expect(result.reason?.contains("apache-airflow-core is not installed") == true)
        }
        #expect(try judgement.result("AIR-PY-001").outcome == .fail)
    }

    @Test("evidence of many entries is short, and names the layer that wrote them")
    func groupedEvidence() throws {
        var image = TestImage.airflow
        image.add(
            "RUN make a mess",
            (0..<200).map { .file("/opt/airflow/dags/dag\($0).py", mode: 0o664, uid: 50000, gid: 50000) })
        let result = try CompiledSuite.airflow().judge(image.facts()).result("AIR-FS-007")
        let finding = try #require(result.findings.first)
        #expect(result.findings.count == 1)
        #expect(finding.observed.hasPrefix("200 of "))
        #expect(finding.details.count == 10)
        #expect(finding.details.first == "/opt/airflow/dags/dag0.py (file, 0664, 50000:50000, layer 8)")
        #expect(finding.provenance?.layer == 8)
        #expect(finding.provenance?.diffID == "sha256:" + String(repeating: "7", count: 64))
        #expect(finding.provenance?.instruction == "RUN make a mess")
    }
}
