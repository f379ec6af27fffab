import Foundation
import Testing
import Verdict

extension ReferenceImageTests {
    /// Entrypoints that wait otherwise, or do otherwise for Kerberos: the probes of that statement fail, and no other
    /// one does.
    @Suite(.serialized) struct WaitMutantTests {
        struct Mutant: Sendable {
            let name: String
            /// What is replaced in the script.
            let changes: [(from: String, to: String)]
            /// The numbers of the checks that fail.
            let checks: Set<Int>
        }

        private static let giveUp = "    exit 1\n}\n\nwait_for_database"

        static let waits: [Mutant] = [
            Mutant(name: "as the image has it", changes: [], checks: []),
            Mutant(
                name: "does not wait for the database",
                changes: [("    wait_until airflow db check", "    return 0")], checks: [1, 2, 3, 4, 9]),
            Mutant(
                name: "tries the database, and does not care",
                changes: [("    wait_until airflow db check", "    airflow db check &>/dev/null || true")],
                checks: [1, 2, 3, 4, 9]),
            Mutant(
                name: "waits without end", changes: [("((tries_left > 0)) || break", ":")],
                checks: [2, 3, 4, 9, 110, 113]),
            Mutant(
                name: "ignores the maximum",
                changes: [("local tries_left=\"${CONNECTION_CHECK_MAX_COUNT}\"", "local tries_left=60")],
                checks: [2, 3, 4, 9, 110, 113]),
            Mutant(
                name: "tries once",
                changes: [("local tries_left=\"${CONNECTION_CHECK_MAX_COUNT}\"", "local tries_left=1")],
                checks: [1, 2, 101, 102, 103, 106, 107, 108]),
            Mutant(
                name: "runs the command after giving up",
                changes: [(giveUp, giveUp.replacing("exit 1", with: "return 0"))], checks: [2, 4, 110]),
            Mutant(
                name: "gives up as if all were well",
                changes: [(giveUp, giveUp.replacing("exit 1", with: "exit 0"))],
                checks: [2, 4, 110]),
            Mutant(
                name: "does not tell the last try",
                changes: [("    printf 'Last check result:", "    : printf 'Last check result:")], checks: [3]
            ),
            Mutant(
                name: "waits before it tries",
                changes: [
                    ("        status=0\n", "        status=0; sleep \"${CONNECTION_CHECK_SLEEP_TIME}\"\n")
                ],
                checks: [8]),
            Mutant(
                name: "prints the password of the database",
                changes: [
                    (
                        "    wait_until airflow db check",
                        "    echo \"${AIRFLOW__DATABASE__SQL_ALCHEMY_CONN-}\"; wait_until airflow db check"
                    )
                ], checks: [9]),
            Mutant(
                name: "prints the password of the broker",
                changes: [("    printf 'BACKEND=%s", "    echo \"${url}\"; printf 'BACKEND=%s")],
                checks: [113]),
            Mutant(
                name: "does not wait for the broker",
                changes: [("scheduler | celery) wait_for_celery_broker", "scheduler | celery) :")],
                checks: [101, 102, 103, 106, 107, 108, 110, 113]),
            Mutant(
                name: "waits for the broker of the scheduler only",
                changes: [
                    ("scheduler | celery) wait_for_celery_broker", "scheduler) wait_for_celery_broker")
                ],
                checks: [102, 103]),
            Mutant(
                name: "waits for the broker for each command",
                changes: [("scheduler | celery) wait_for_celery_broker", "*) wait_for_celery_broker")],
                checks: [111]),
            Mutant(
                name: "waits on localhost and the usual port",
                changes: [("nc -zvv \"${host}\" \"${port}\"", "nc -zvv localhost 6379")],
                checks: [101, 102, 103, 106, 107, 108]),
            Mutant(
                name: "takes the user of the URL for the host",
                changes: [
                    (
                        "host, port = url.hostname, url.port",
                        "host, port = url.netloc.split(\":\")[0], url.port"
                    )
                ],
                checks: [101, 102, 103, 108]),
            Mutant(
                name: "does not understand a URL without user",
                changes: [
                    (
                        "host, port = url.hostname, url.port",
                        "host, port = url.username and url.hostname, url.port"
                    )
                ],
                checks: [106, 107]),
            Mutant(
                name: "does not know rediss",
                changes: [("if host and port:", "if host and port and url.scheme != \"rediss\":")],
                checks: [107]),
            Mutant(
                name: "stumbles over an @ in the password",
                changes: [
                    ("    host, port =", "    if url.netloc.count(\"@\") > 1: sys.exit()\n    host, port =")
                ],
                checks: [108]),
            Mutant(
                name: "waits for a broker without a host",
                changes: [("if [[ -z ${host} || -z ${port} ]]", "if false")], checks: [112]),
        ]

        @Test func ofWaitsFailExactlyTheProbesThatSaySo() async throws {
            let script = try String(
                contentsOfFile: "\(projectRoot)/ReferenceImage/entrypoint.sh", encoding: .utf8)
            // Airflow itself takes long to start, and says nothing that its stand-in does not.
            try await judge(
                WaitMutantTests.waits, script, group: "waits", skipping: ["AIR-WAIT-006", "AIR-WAIT-007"])
        }

        /// Only the first releases evaluate a command.
        static let commands: [Mutant] = [
            Mutant(name: "as 2.0.1 had it", changes: [], checks: []),
            Mutant(
                name: "ignores the command of the database",
                changes: [("[[ -n ${AIRFLOW__CORE__SQL_ALCHEMY_CONN_CMD-} ]]", "false")], checks: [5]),
            Mutant(
                name: "ignores the command of the broker",
                changes: [("[[ -n ${AIRFLOW__CELERY__BROKER_URL_CMD-} ]]", "false")], checks: [109]),
        ]

        @Test func ofCommandsFailExactlyTheProbesThatSaySo() async throws {
            let script = try String(
                contentsOfFile: "\(projectRoot)/Tests/AcceptanceTests/Entrypoints/generations",
                encoding: .utf8)
            try await judge(
                WaitMutantTests.commands, script.replacing("entrypoint=RELEASE", with: "entrypoint=2.0.1"),
                group: "waits", release: "2.0.1", only: ["AIR-WAIT-005", "AIR-WAIT-109"])
        }

        /// Gets tokens as airflow kerberos does, without a start of Airflow.
        private static let kerberos = #"""
            #!/bin/bash
            keytab="${AIRFLOW__KERBEROS__KEYTAB-}" principal="${AIRFLOW__KERBEROS__PRINCIPAL-}"
            renew() { kinit -k -t "${keytab}" -c "${AIRFLOW__KERBEROS__CCACHE}" "${principal}" 2>&1; }
            case "${1-}" in
            kerberos)
                while renew; do
                    sleep "${AIRFLOW__KERBEROS__REINIT_FREQUENCY}"
                done
                exit 1
                ;;
            celery) echo "usage: airflow celery worker" ;;
            *) exec "$@" ;;
            esac
            """#

        static let ofKerberos: [Mutant] = [
            Mutant(name: "as Airflow does it", changes: [], checks: []),
            Mutant(
                name: "never refreshes the token",
                changes: [("sleep \"${AIRFLOW__KERBEROS__REINIT_FREQUENCY}\"", "sleep 600")],
                checks: [101]),
            Mutant(
                name: "ends without a token", changes: [("    while renew", "    exit 0\n    while renew")],
                checks: [101, 102, 103]),
            Mutant(
                name: "leaves the keytab on the volume",
                changes: [("    while renew", "    cp \"${keytab}\" /tokens/\n    while renew")],
                checks: [102]),
            Mutant(
                name: "obtains a token for whom the keytab names",
                changes: [
                    (
                        "    while renew",
                        "    principal=$(klist -k \"${keytab}\" | tail -n 1 | sed 's/.* //')\n    while renew"
                    ),
                    // It would go on without end.
                    (
                        "sleep \"${AIRFLOW__KERBEROS__REINIT_FREQUENCY}\"",
                        "sleep 2; ((turn += 1)); ((turn < 8)) || exit 0"
                    ),
                ], checks: [103]),
            Mutant(
                name: "goes on without a token", changes: [("    exit 1\n", "    exit 0\n")], checks: [103]),
            Mutant(
                name: "has no worker", changes: [("celery) echo", "celery) exit 127; echo")], checks: [104]),
        ]

        @Test func ofKerberosFailExactlyTheProbesThatSaySo() async throws {
            // A worker that waits in vain waits 20 s.
            try await judge(
                WaitMutantTests.ofKerberos, WaitMutantTests.kerberos, group: "kerberos",
                only: [101, 102, 103, 104].map { "AIR-KRB-\($0)" }, replacing: [("{1..1500}", "{1..200}")])
        }

        private func judge(
            _ mutants: [Mutant], _ original: String, group: String, release: String? = nil,
            only: [String]? = nil, skipping skipped: [String] = [],
            replacing replacements: [(from: String, to: String)] = []
        ) async throws {
            let suites = try mutants.enumerated().map { index, mutant in
                var script = original
                for change in mutant.changes {
                    #expect(
                        script.contains(change.from), "\(mutant.name): the entrypoint has no \(change.from)")
                    script = script.replacing(change.from, with: change.to)
                }
                return try EntrypointSuite(
                    "\(group)-\(index)", .init(script: script, release: release), group: group,
                    replacing: replacements)
            }
            // Most of the time they wait.
            let results = try await EntrypointSuite.results(
                of: suites, byRelease: release != nil, only: only ?? [group], skipping: skipped, jobs: 8)
            for (mutant, suite) in zip(mutants, suites) {
                let results = try #require(results[suite.name], "\(mutant.name)")
                let failed = results.values.filter { $0.outcome == .fail }
                #expect(
                    Set(failed.compactMap { Int($0.id.suffix(3)) }) == mutant.checks,
                    "\(mutant.name): \(failed.map { "\($0.id) \($0.reason ?? "")" }.sorted())")
                let errors = results.values.filter { $0.outcome == .error }
                #expect(errors.isEmpty, "\(mutant.name): \(errors.map { "\($0.id) \($0.reason ?? "")" })")
                #expect(results.values.contains { $0.outcome == .pass })
            }
        }
    }
}
