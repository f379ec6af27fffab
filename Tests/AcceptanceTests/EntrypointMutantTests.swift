import Foundation
import Testing
import Verdict

extension ReferenceImageTests {
    /// Entrypoints that break one statement each: the probes of that statement fail, and no other one does.
    @Suite struct EntrypointMutantTests {
        struct Mutant: Sendable {
            let name: String
            /// What is replaced in the reference image's entrypoint.
            var changes: [(from: String, to: String)] = []
            var mode = "0755"
            var entrypoint: [String]?
            /// The checks that fail.
            let checks: Set<Int>
            /// Checks that may fail with it: who gets a signal first is a matter of chance.
            var perhaps: Set<Int> = []
        }

        /// Checks of the requirements that pip installs: the only ones that take seconds.
        static let ofRequirements: Set<Int> = [44, 45]

        static let mutants: [Mutant] = [
            Mutant(
                name: "adds no line to /etc/passwd", changes: [("if [[ -w /etc/passwd ]]", "if false")],
                checks: [1, 2, 3]),
            Mutant(
                name: "names the user otherwise", changes: [("USER_NAME:-default", "USER_NAME:-somebody")],
                checks: [3]),
            Mutant(
                name: "ignores USER_NAME", changes: [(#""${USER_NAME:-default}""#, "default")], checks: [2]),
            Mutant(
                name: "another home directory in the line",
                changes: [("${AIRFLOW_USER_HOME_DIR}:/sbin/nologin", "/:/sbin/nologin")], checks: [1]),
            Mutant(name: "another shell in the line", changes: [("/sbin/nologin", "/bin/bash")], checks: [1]),
            Mutant(
                name: "leaves HOME as it is", changes: [(#"export HOME="${AIRFLOW_USER_HOME_DIR}""#, ":")],
                checks: [4]),
            Mutant(
                name: "adds a line for airflow too",
                changes: [("whoami &>/dev/null && return 0", ":")], checks: [7]),
            Mutant(
                name: "refuses group 0",
                changes: [("[[ $(id -g) != 0 ]] || return 0", "[[ $(id -g) == 0 ]] || return 0")],
                checks: [1, 2, 3, 4, 5, 6, 8, 10, 46, 47, 48]),
            Mutant(
                name: "accepts every group",
                changes: [
                    ("--user \"$(id -u):0\".\nEND\n    exit 1", "--user \"$(id -u):0\".\nEND\n    return 0")
                ],
                checks: [8]),
            Mutant(
                name: "refuses airflow with another group",
                changes: [("if [[ $(id -u) == 50000 ]]", "if false")], checks: [10]),
            Mutant(
                name: "does not warn of another group", changes: [("WARNING! This image", "This image")],
                checks: [10]),
            Mutant(name: "sets no umask", changes: [("    umask 0002\n", "")], checks: [11]),
            Mutant(name: "another umask", changes: [("umask 0002", "umask 0007")], checks: [11]),
            Mutant(
                name: "bash alone is not run",
                changes: [("    bash)\n", "    bash)\n        (($# > 1)) || exit 0\n")], checks: [14]),
            Mutant(
                name: "loses arguments of bash",
                changes: [(#"exec /bin/bash "$@""#, #"exec /bin/bash "${@:1:3}""#)], checks: [15]),
            Mutant(
                name: "swallows the exit code of bash",
                changes: [(#"exec /bin/bash "$@""#, #"/bin/bash "$@" || true; exit 0"#)], checks: [16, 28],
                perhaps: [25, 26, 27]),
            Mutant(
                name: "python alone is not run",
                changes: [("    python)\n", "    python)\n        (($# > 1)) || exit 0\n")], checks: [17]),
            Mutant(
                name: "does not run python",
                changes: [(#"exec python "$@""#, #"exec echo python "$@""#)],
                checks: [13, 17, 18, 19, 31, 44, 47]),
            Mutant(
                name: "loses arguments of python",
                changes: [(#"exec python "$@""#, #"exec python "${@:1:3}""#)], checks: [18]),
            Mutant(
                name: "swallows the exit code of python",
                changes: [(#"exec python "$@""#, #"python "$@" || true; exit 0"#)], checks: [19]),
            Mutant(
                name: "splits arguments of airflow",
                changes: [("exec airflow \"$@\"", "exec airflow $*")], checks: [20]),
            Mutant(
                name: "loses --",
                changes: [
                    (
                        "exec airflow \"$@\"",
                        "for word; do shift; [[ ${word} == -- ]] || set -- \"$@\" \"${word}\"; done; exec airflow \"$@\""
                    )
                ], checks: [20]),
            Mutant(
                name: "swallows the exit code of airflow",
                changes: [("exec airflow \"$@\"", "airflow \"$@\" || true")], checks: [21]),
            Mutant(
                name: "runs airflow airflow",
                changes: [("    airflow)\n        shift", "    airflow)\n        :")],
                checks: [22, 23]),
            Mutant(
                name: "asks for help when there is no word",
                changes: [("exec airflow \"$@\"", "(($# > 0)) || set -- --help; exec airflow \"$@\"")],
                checks: [23, 24]),
            Mutant(
                name: "does not exec bash", changes: [(#"exec /bin/bash "$@""#, #"/bin/bash "$@"; exit"#)],
                checks: [28], perhaps: [27]),
            Mutant(
                name: "TERM is lost",
                changes: [(#"exec /bin/bash "$@""#, #"trap "" TERM; exec /bin/bash "$@""#)],
                checks: [25, 27, 28]),
            Mutant(
                name: "INT is lost",
                changes: [(#"exec /bin/bash "$@""#, #"trap "" INT; exec /bin/bash "$@""#)],
                checks: [26]),
            Mutant(
                name: "no dumb-init", entrypoint: ["/entrypoint"], checks: [12, 13, 25, 26, 27]),
            Mutant(
                name: "dumb-init without sessions",
                entrypoint: ["/usr/bin/dumb-init", "-c", "--", "/entrypoint"],
                checks: [27]),
            Mutant(
                name: "leaves a file in AIRFLOW_HOME",
                changes: [
                    ("    name_the_user\n", "    name_the_user\n    : >\"${AIRFLOW_HOME}/airflow.cfg\"\n")
                ],
                checks: [29]),
            Mutant(
                name: "changes the directory",
                changes: [("    name_the_user\n", "    name_the_user\n    cd /\n")],
                checks: [30]),
            Mutant(
                name: "removes the database",
                changes: [
                    (
                        "    migrate_database\n",
                        "    rm -f \"${AIRFLOW_HOME}/airflow.db\"\n    migrate_database\n"
                    )
                ], checks: [31]),
            Mutant(
                name: "resets a database that is there",
                changes: [
                    (
                        "    migrate_database\n",
                        "    [[ ! -e ${AIRFLOW_HOME}/airflow.db ]] || airflow db reset --yes\n    migrate_database\n"
                    )
                ], checks: [31]),
            Mutant(
                name: "migrates unasked",
                changes: [
                    (
                        "[[ -n ${_AIRFLOW_DB_MIGRATE-} ]]",
                        "[[ -n ${_AIRFLOW_DB_MIGRATE-} || -e ${AIRFLOW_HOME}/airflow.db ]]"
                    )
                ], checks: [31]),
            Mutant(
                name: "ignores _AIRFLOW_DB_MIGRATE", changes: [("    airflow db migrate || true", "    :")],
                checks: [32, 33]),
            Mutant(
                name: "ignores _AIRFLOW_DB_UPGRADE",
                changes: [("if [[ -n ${_AIRFLOW_DB_UPGRADE-} ]]", "if false")],
                checks: [33]),
            Mutant(
                name: "ends when the migration fails",
                changes: [("airflow db migrate || true", "airflow db migrate")],
                checks: [34]),
            Mutant(
                name: "creates no user",
                changes: [("[[ -n ${_AIRFLOW_WWW_USER_CREATE-} ]] || return 0", "return 0")],
                checks: [36, 37, 38, 39, 40]),
            Mutant(
                name: "another role of the user", changes: [("_ROLE:-Admin", "_ROLE:-Viewer")], checks: [36]),
            Mutant(
                name: "creates the user without its password",
                changes: [(#"--password "${password}""#, "--use-random-password")], checks: [37, 38]),
            Mutant(
                name: "ignores the command of the password",
                changes: [("if [[ -n ${_AIRFLOW_WWW_USER_PASSWORD_CMD-} ]]", "if false")], checks: [38]),
            Mutant(
                name: "misspells LASTNAME",
                changes: [("_AIRFLOW_WWW_USER_LASTNAME", "_AIRFLOW_WWW_USER_LASTNME")],
                checks: [39]),
            Mutant(
                name: "goes on without a password",
                changes: [("_PASSWORD_CMD\"\n        exit 1", "_PASSWORD_CMD\"\n        return 0")],
                checks: [40]),
            Mutant(
                name: "prints the password",
                changes: [
                    (
                        "    if [[ -z ${password} ]]",
                        "    echo \"password ${password}\"\n    if [[ -z ${password} ]]"
                    )
                ],
                checks: [41]),
            Mutant(
                name: "ends when the user cannot be created",
                changes: [(#"--password "${password}" || true"#, #"--password "${password}""#)], checks: [42]),
            Mutant(
                name: "ignores the requirements",
                changes: [("[[ -n ${_PIP_ADDITIONAL_REQUIREMENTS-} ]] || return 0", "return 0")],
                checks: [44, 45]),
            Mutant(
                name: "does not warn of the requirements",
                changes: [("WARNING! _PIP", "_PIP")], checks: [45]),
            Mutant(
                name: "root does not find the packages of airflow",
                changes: [("    export PYTHONPATH=", "    local unused=")],
                checks: [46]),
            Mutant(
                name: "root loses its own PYTHONPATH", changes: [("${PYTHONPATH:+:${PYTHONPATH}}", "")],
                checks: [46, 47]),
            Mutant(
                name: "does not mention root", changes: [("Running as root. The", "The")], checks: [48]),
            Mutant(name: "leaves PIP_USER set", changes: [("unset PIP_USER", ":")], checks: [49]),
            Mutant(
                name: "loads no C++ library first", changes: [("export LD_PRELOAD\n", "unset LD_PRELOAD\n")],
                checks: [50]),
            Mutant(name: "is not executable", mode: "0644", checks: everything),
            Mutant(
                name: "has an interpreter that is not there",
                changes: [("#!/usr/bin/env bash", "#!/usr/bin/env no-such-shell")], checks: everything),
            Mutant(
                name: "has an interpreter of another language",
                changes: [("#!/usr/bin/env bash", "#!/bin/sh")],
                checks: everything),
        ]

        /// All that applies to 2.10, but for the check that asks only for something that is not printed.
        static let everything = Set(1...50).subtracting([9, 35, 41, 43])

        @Test func thereAreAsManyAsPromised() { #expect(EntrypointMutantTests.mutants.count >= 25) }

        @Test func failExactlyTheProbesThatSaySo() async throws {
            let original = try String(
                contentsOfFile: "\(projectRoot)/ReferenceImage/entrypoint.sh", encoding: .utf8)
            // Of one kind in a run: what takes seconds is left out where it does not matter.
            var runs: [ArraySlice<Mutant>] = []
            for isAboutRequirements in [true, false] {
                let ones = EntrypointMutantTests.mutants.filter {
                    $0.checks.isDisjoint(with: EntrypointMutantTests.ofRequirements) != isAboutRequirements
                }
                runs += stride(from: 0, to: ones.count, by: 9).map { ones[$0..<min($0 + 9, ones.count)] }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                var waiting = runs[...]
                func startNext() {
                    guard let run = waiting.popFirst() else { return }
                    group.addTask { try await EntrypointMutantTests.judge(Array(run), original) }
                }
                for _ in 0..<2 { startNext() }
                while try await group.next() != nil { startNext() }
            }
        }

        private static func judge(_ mutants: [Mutant], _ original: String) async throws {
            var suites: [EntrypointSuite] = []
            for (index, mutant) in mutants.enumerated() {
                var script = original
                for change in mutant.changes {
                    #expect(
                        script.contains(change.from), "\(mutant.name): the entrypoint has no \(change.from)")
                    script = script.replacing(change.from, with: change.to)
                }
                suites.append(
                    try EntrypointSuite(
                        "mutant-\(index)",
                        .init(script: script, mode: mutant.mode, entrypoint: mutant.entrypoint)))
            }
            let isAboutRequirements = mutants.contains { !$0.checks.isDisjoint(with: ofRequirements) }
            let results = try await EntrypointSuite.results(
                of: suites, skipping: isAboutRequirements ? [] : ofRequirements.sorted().map(id))
            for (mutant, suite) in zip(mutants, suites) {
                let results = try #require(results[suite.name], "\(mutant.name)")
                let failed = results.values.filter { $0.outcome == .fail }
                let ids = Set(failed.map(\.id))
                let missing = Set(mutant.checks.map(id)).subtracting(ids)
                #expect(missing.isEmpty, "\(mutant.name): not killed by all of them")
                let others = failed.filter { result in
                    !mutant.checks.union(mutant.perhaps).map(id).contains(result.id)
                }
                #expect(
                    others.isEmpty, "\(mutant.name): \(others.map { "\($0.id) \($0.reason ?? "")" }.sorted())"
                )
                let errors = results.values.filter { $0.outcome == .error }
                #expect(errors.isEmpty, "\(mutant.name): \(errors.map { "\($0.id) \($0.reason ?? "")" })")
            }
        }

        private static func id(_ number: Int) -> String {
            "AIR-ENTRY-" + String(repeating: "0", count: 3 - "\(number)".count) + "\(number)"
        }
    }
}
