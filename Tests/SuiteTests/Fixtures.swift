import Suite
import Testing

/// A suite of one file with a parameter and the given checks, indented as items of `checks`.
func document(_ checks: String) throws -> SuiteDocument {
    try SuiteLoader.load(directory: [("suite.yaml", head), ("checks.yaml", "group: g\nchecks:\n" + checks)])
}

let head = """
    suite: example
    title: Example
    parameters:
      AIRFLOW_UID:
        title: UID
        default: "50000"
        type: integer

    """

/// What is reported for the files, one diagnostic a line.
func diagnostics(_ files: [(name: String, text: String)]) -> [String] {
    do {
        _ = try SuiteLoader.load(directory: files)
        return []
    } catch {
        return error.diagnostics.map(\.description)
    }
}

/// A matcher as a check would have it.
func matcher(_ yaml: String) throws -> Matcher {
    let document = try document(
        """
          - id: A-1
            title: t
            expect:
              environment: X
              value: \(yaml)

        """)
    let value = try #require(document.checks.first?.expectations.first?["value"])
    var reading = SuiteReading(parameterNames: ["AIRFLOW_UID"])
    let matcher = Matcher(reading: value, &reading)
    try reading.finish()
    return try #require(matcher)
}

func scope(_ version: String? = "2.10.5", uid: String = "50000") -> Scope {
    let release = version.flatMap(ReleaseVersion.init).map(EffectiveVersion.release)
    return Scope(
        parameters: ["AIRFLOW_UID": .success(uid)],
        version: release ?? .undecided(reason: "nothing is installed"))
}
