import Suite
import Testing
import Verdict

struct WaiverFileTests {
    private static let good = """
        waivers:
          - check: AIR-FS-*
            subject: /opt/airflow/**
            image: apache/airflow:2.10.*
            reason: |
              the volume is
              mounted there
            owner: platform@example.org
            expires: 2027-01-31
          - {check: AIR-USER-001, reason: r, owner: o, expires: 2028-02-29}

        """

    @Test func isRead() throws {
        let waivers = try WaiverFile.read([("w.yaml", Self.good)])
        #expect(waivers.map(\.check) == ["AIR-FS-*", "AIR-USER-001"])
        let first = try #require(waivers.first)
        #expect(first.subject == "/opt/airflow/**" && first.image == "apache/airflow:2.10.*")
        #expect(first.reason == "the volume is mounted there")
        #expect(first.owner == "platform@example.org" && first.expires.description == "2027-01-31")
        #expect(first.position == SourcePosition(file: "w.yaml", line: 2, column: 5))
        #expect(waivers[1].subject == nil && waivers[1].image == nil)
        #expect(try WaiverFile.read([("a", Self.good), ("b", Self.good)]).count == 4)
        #expect(try WaiverFile.read([("none.yaml", "waivers: []\n")]).isEmpty)
    }

    @Test(arguments: [
        ("waivers:\n  - {chek: A-1}\n", "w.yaml:2:6: a waiver has no key chek; did you mean check?"),
        ("waivers:\n  - {check: A-1}\n", "w.yaml:2:5: a waiver needs the key reason"),
        ("waivers:\n  - {check: A-1, reason: r, owner: o}\n", "w.yaml:2:5: a waiver needs the key expires"),
        (
            "waivers:\n  - {check: A-1, reason: r, owner: '  ', expires: 2027-01-31}\n",
            "w.yaml:2:36: owner of a waiver is empty"
        ),
        (
            "waivers:\n  - {check: A-1, reason: r, owner: o, expires: 2027-02-30}\n",
            "w.yaml:2:48: 2027-02-30 is not a day: expected YYYY-MM-DD, as 2027-01-31"
        ),
        (
            "waivers:\n  - {check: A-1, image: 'sha256:1', reason: r, owner: o, expires: 2027-01-31}\n",
            "w.yaml:2:25: sha256:1 is not a digest: expected sha256: and 64 digits"
        ),
        ("waiver: []\n", "w.yaml:1:1: a file of waivers has no key waiver; did you mean waivers?"),
        ("waivers: {check: A-1}\n", "w.yaml:1:10: waivers is a list, not a mapping"),
        ("waivers:\n", "waivers of a file of waivers has no value"), ("- A-1\n", "is a mapping, not a list"),
        ("", "w.yaml:1:1: the file is empty"), ("waivers: [", "w.yaml:2:1: not YAML"),
    ])
    func sayWhatIsWrong(text: String, says: String) {
        let error = #expect(throws: SuiteError.self) { try WaiverFile.read([("w.yaml", text)]) }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
}
