import AssayTestSupport
import Foundation
import OCIModel
import Testing
import Verdict

extension ReferenceImageTests {
    /// Images that break one statement each: the checks of that statement fail, and no other one does.
    @Suite(.serialized) struct MutantTests {
        struct Mutant: Sendable, CustomTestStringConvertible {
            let name: String
            /// The statement of the document that is broken.
            let statement: String
            /// The checks that fail, those of severity info too.
            let checks: Set<String>
            /// What the guilty instruction has in it.
            let instruction: String
            var testDescription: String { name }
        }

        static let mutants = [
            // The group beside GID 0 is a fail of its own: it came back with the primary group.
            Mutant(
                name: "airflow-gid", statement: "G17", checks: ["AIR-USER-001", "AIR-USER-004"],
                instruction: "sed -i '/^airflow:/s/:0:/:50000:/' /etc/passwd"),
            Mutant(
                name: "no-dags", statement: "B21", checks: ["AIR-FS-002"],
                instruction: "rmdir \"${AIRFLOW_HOME}/dags\""),
            // build-essential has gcc, g++ and make, but not cmake, and libc6-dev and others for development.
            Mutant(
                name: "build-essential", statement: "B01",
                checks: [
                    "AIR-TOOL-001", "AIR-TOOL-002", "AIR-TOOL-003", "AIR-TOOL-004", "AIR-TOOL-006",
                    "AIR-EXT-007",
                ],
                instruction: "apt_install build-essential"),
            // Python's driver stays: AIR-MYSQL-004 passes.
            Mutant(
                name: "no-mysql-client", statement: "G21",
                checks: ["AIR-MYSQL-001", "AIR-MYSQL-002", "AIR-MYSQL-003", "AIR-MYSQL-020"],
                instruction: "purge --quiet=2 --yes --autoremove"),
            Mutant(
                name: "workdir", statement: "F20", checks: ["AIR-RUN-004"], instruction: "WORKDIR /opt"),
            // It adds no layer: for the history the image does not extend another.
            Mutant(
                name: "root", statement: "B10", checks: ["AIR-USER-006", "AIR-USER-007"],
                instruction: "USER root"),
        ]

        /// A mutant that is made of the reference image without a container build.
        struct LayerMutant: Sendable, CustomTestStringConvertible {
            let name: String
            let statement: String?
            let checks: Set<String>
            /// What the guilty instruction has in it; nil where the step that is guilty is not known.
            let instruction: String?
            /// Checks that have nothing to look at any more.
            let silences: Set<String>
            let change: @Sendable (inout LayeredImage.Draft) async throws -> Void
            var testDescription: String { name }

            init(
                _ name: String, breaks statement: String?, checks: Set<String>, by instruction: String? = nil,
                silences: Set<String> = [],
                change: @escaping @Sendable (inout LayeredImage.Draft) async throws -> Void
            ) {
                (self.name, self.statement, self.checks) = (name, statement, checks)
                (self.instruction, self.silences, self.change) = (instruction, silences, change)
            }

            func image() async throws -> LayeredImage {
                var draft = LayeredImage.Draft()
                try await change(&draft)
                return try LayeredImage(draft)
            }

            /// Removes a path as a layer says it.
            static func remove(_ path: String, _ draft: inout LayeredImage.Draft) {
                let name = (path as NSString).lastPathComponent
                let folder = (path as NSString).deletingLastPathComponent
                draft.add("RUN rm -r /\(path)") { $0.add("\(folder)/.wh.\(name)") }
            }

            /// Puts a changed file in the place of one that the reference image has.
            static func edit(
                _ path: String, mode: Int = 0o644, _ instruction: String, _ draft: inout LayeredImage.Draft,
                _ change: (String) -> String
            ) async throws {
                let content = change(try await LayeredImage.file(path))
                draft.add(instruction) { $0.add(path, content: Array(content.utf8), mode: mode) }
            }
        }

        private static let site = "home/airflow/.local/lib/python3.11/site-packages"

        static let layered: [LayerMutant] = [
            // Controls: what looks wrong, and is not.
            LayerMutant("the base package of another gcc", breaks: nil, checks: []) {
                try await LayerMutant.edit("var/lib/dpkg/status", "RUN apt-get install", &$0) { status in
                    status
                        + status.split(separator: "\n\n").filter { $0.contains("Package: gcc-12-base\n") }
                        .map { $0.replacing("gcc-12-base", with: "gcc-13-base") + "\n\n" }.joined()
                }
            },
            LayerMutant("a DAG with the group's rights", breaks: nil, checks: []) { draft in
                draft.add("COPY --chmod=664 --chown=airflow:0 a.py /opt/airflow/dags/") {
                    $0.add("opt/airflow/dags/a.py", mode: 0o664, uid: 50000)
                }
            },
            LayerMutant("a file that is added and removed", breaks: nil, checks: []) { draft in
                draft.add("RUN touch /usr/bin/gcc") { $0.add("usr/bin/gcc", mode: 0o755) }
                LayerMutant.remove("usr/bin/gcc", &draft)
            },
            LayerMutant("no command at all", breaks: nil, checks: []) { $0.config = [("Cmd", nil)] },

            LayerMutant(
                "the client's library removed", breaks: "G21", checks: ["AIR-MYSQL-002", "AIR-MYSQL-020"],
                by: "libmariadb.so.3"
            ) { LayerMutant.remove("usr/lib/x86_64-linux-gnu/libmariadb.so.3", &$0) },
            LayerMutant(
                "the driver removed", breaks: "G21", checks: ["AIR-MYSQL-004", "AIR-PY-030"],
                by: "mysqlclient", silences: ["AIR-MYSQL-020"]
            ) {
                LayerMutant.remove("\(site)/mysqlclient-2.2.7.dist-info", &$0)
            },
            // Who runs it is said by USER, which is as it was.
            LayerMutant(
                "another UID", breaks: "G16", checks: ["AIR-USER-001", "AIR-USER-006", "AIR-EXT-002"]
            ) {
                try await LayerMutant.edit("etc/passwd", mode: 0o664, "RUN usermod -u 50001 airflow", &$0) {
                    $0.replacing(":50000:0:", with: ":50001:0:")
                }
            },
            LayerMutant("another home", breaks: "G19", checks: ["AIR-USER-005"], by: "usermod") {
                try await LayerMutant.edit("etc/passwd", mode: 0o664, "RUN usermod -d /srv airflow", &$0) {
                    $0.replacing(":/home/airflow:", with: ":/srv:")
                }
            },
            LayerMutant("passwd of its usual mode", breaks: "F04", checks: ["AIR-USER-008"], by: "chmod") {
                try await LayerMutant.edit("etc/passwd", "RUN chmod 644 /etc/passwd", &$0) { $0 }
            },
            LayerMutant(
                "directories of root", breaks: "F24", checks: ["AIR-FS-001", "AIR-FS-002", "AIR-FS-003"],
                by: "chown -R"
            ) { draft in
                draft.add("RUN chown -R root /opt/airflow") { tar in
                    for path in ["", "/dags", "/logs"] {
                        tar.add("opt/airflow\(path)/", .directory, mode: 0o775)
                    }
                }
            },
            LayerMutant(
                "everything of Airflow replaced", breaks: "F19",
                checks: ["AIR-FS-002", "AIR-FS-003"], by: "rm -r /opt/airflow"
            ) { draft in
                draft.add("RUN rm -r /opt/airflow/*") { tar in
                    tar.add("opt/airflow/", .directory, mode: 0o775, uid: 50000)
                    tar.add("opt/airflow/.wh..wh..opq")
                }
            },
            LayerMutant("a file for everybody", breaks: "J07", checks: ["AIR-FS-009"], by: "chmod 666") {
                draft in
                draft.add("RUN chmod 666 /opt/airflow/dags/a.py") {
                    $0.add("opt/airflow/dags/a.py", mode: 0o666, uid: 50000)
                }
            },
            LayerMutant("a file of another group", breaks: "G18", checks: ["AIR-FS-007"], by: "COPY") {
                draft in
                draft.add("COPY --chown=1000:1000 a.py /opt/airflow/dags/") {
                    $0.add("opt/airflow/dags/a.py", mode: 0o664, uid: 1000, gid: 1000)
                }
            },
            LayerMutant("a program of root's rights", breaks: nil, checks: ["AIR-FS-014"], by: "chmod u+s") {
                $0.add("RUN chmod u+s /usr/local/bin/rootsh") { $0.add("usr/local/bin/rootsh", mode: 0o4755) }
            },
            LayerMutant("lists of packages", breaks: "B12", checks: ["AIR-APT-003"], by: "apt-get update") {
                $0.add("RUN apt-get update") {
                    $0.add("var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease")
                }
            },
            LayerMutant(
                "build-essential in the database alone", breaks: "B01",
                checks: ["AIR-TOOL-001", "AIR-EXT-007"],
                by: "apt-get install"
            ) {
                try await LayerMutant.edit("var/lib/dpkg/status", "RUN apt-get install build-essential", &$0)
                {
                    $0 + "Package: build-essential\nStatus: install ok installed\nArchitecture: amd64\n"
                        + "Version: 12.9\n\n"
                }
            },
            LayerMutant("a compiler by another name", breaks: "B02", checks: ["AIR-TOOL-002"], by: "ln -s") {
                $0.add("RUN ln -s bash /usr/bin/cc") {
                    $0.add("usr/bin/cc", .symbolicLink, linkTarget: "bash")
                }
            },
            LayerMutant("no virtual environment", breaks: "B15", checks: ["AIR-PY-007"], by: "pyvenv.cfg") {
                LayerMutant.remove("home/airflow/.local/pyvenv.cfg", &$0)
            },
            LayerMutant(
                "an entrypoint for root alone", breaks: "F32", checks: ["AIR-RUN-002"], by: "COPY --chmod=700"
            ) {
                try await LayerMutant.edit("entrypoint", mode: 0o700, "COPY --chmod=700 entrypoint /", &$0) {
                    $0
                }
            },
            LayerMutant("a keytab", breaks: "K05", checks: ["AIR-KRB-002"], by: "COPY airflow.keytab") {
                $0.add("COPY airflow.keytab /etc/") { $0.add("etc/airflow.keytab", mode: 0o600) }
            },
            LayerMutant(
                "a keytab in a lower layer", breaks: "K05", checks: ["AIR-KRB-002"], by: "COPY airflow.keytab"
            ) { draft in
                draft.add("COPY airflow.keytab /etc/") { $0.add("etc/airflow.keytab", mode: 0o600) }
                LayerMutant.remove("etc/airflow.keytab", &draft)
            },
            LayerMutant(
                "a package in part", breaks: "B11", checks: ["AIR-EXT-003", "AIR-APT-005"], by: "install"
            ) {
                try await LayerMutant.edit("var/lib/dpkg/status", "RUN apt-get install vim", &$0) {
                    $0 + "Package: vim\nStatus: install ok half-configured\nArchitecture: amd64\n"
                        + "Version: 9\n\n"
                }
            },
            LayerMutant("another command", breaks: "F30", checks: ["AIR-RUN-003"], by: "CMD") { draft in
                draft.config = [("Cmd", .array(["webserver"]))]
                draft.steps = ["CMD [\"webserver\"]"]
            },
        ]

        @Test func thereAreTestsOfAllMutants() throws {
            let folders = try FileManager.default.contentsOfDirectory(
                atPath: "\(projectRoot)/ReferenceImage/mutants")
            #expect(folders.sorted() == MutantTests.mutants.map(\.name).sorted())
        }

        @Test(arguments: mutants) func failsExactlyTheChecksThatSaySo(mutant: Mutant) async throws {
            try await judge(
                try reference(of: mutant.name), checks: mutant.checks, statement: mutant.statement,
                instruction: mutant.instruction)
        }

        @Test(arguments: layered) func aLayerFailsExactlyTheChecksThatSaySo(mutant: LayerMutant) async throws
        {
            let image = try await mutant.image()
            try await judge(
                image.reference, checks: mutant.checks, statement: mutant.statement,
                instruction: mutant.instruction, silences: mutant.silences)
        }

        /// The checks fail, one of them for the statement, and each blames the instruction; everything else is as in
        /// the reference image, but for what is said of extended images only, or not of them.
        private func judge(
            _ reference: String, checks: Set<String>, statement: String?, instruction: String?,
            silences: Set<String> = []
        ) async throws {
            let expected = try await MutantTests.referenceOutcomes.value
            let run = try await Assay.run("check", reference, "--only", "static", "--report", "json")
            let record = try JSONDecoder().decode(RunRecord.self, from: Data(run.outputBytes))
            let results = try #require(record.images.first).results
            let failing = results.filter { $0.outcome == .fail }
            #expect(run.code == (failing.contains { $0.severity > .info } ? 1 : 0), "\(run)")
            #expect(Set(failing.map(\.id)) == checks)
            #expect(results.filter { $0.outcome == .error }.map(\.id) == [])
            if let statement { #expect(failing.contains { $0.statements.contains(statement) }) }
            for result in failing {
                let instructions = result.findings.map { $0.provenance?.instruction ?? "none" }
                #expect(!instructions.isEmpty, "\(result.id)")
                if let instruction {
                    #expect(
                        instructions.contains { $0.contains(instruction) },
                        "\(result.id) blames \(instructions)")
                }
                #expect(
                    result.findings.allSatisfy { !$0.expected.isEmpty && !$0.observed.isEmpty },
                    "\(result.id)")
                #expect(result.position.line > 0 && result.position.file.hasSuffix(".yaml"), "\(result.id)")
            }
            for result in results
            where !checks.union(silences).contains(result.id) && result.group != "extension"
                && !["AIR-FS-012", "AIR-PY-031", "AIR-SRC-001"].contains(result.id)
            {
                #expect(result.outcome == expected[result.id], "\(result.id): \(result.reason ?? "")")
            }
        }

        @Test(.enabled(if: MutantRow.file != nil)) func areRowsOfTheMatrix() async throws {
            func row(_ name: String, _ reference: String, _ checks: Set<String>, _ statement: String?)
                async throws
                -> MutantRow
            {
                let run = try await Assay.run("check", reference, "--only", "static", "--report", "json")
                let record = try JSONDecoder().decode(RunRecord.self, from: Data(run.outputBytes))
                let results = try #require(record.images.first).results
                return MutantRow(
                    mutant: name, statement: statement, image: "reference image", expected: checks,
                    failing: results.filter { $0.outcome == .fail }.map(\.id),
                    errors: results.filter { $0.outcome == .error }.map(\.id))
            }
            var rows: [MutantRow] = []
            for mutant in MutantTests.mutants {
                rows.append(
                    try await row(mutant.name, reference(of: mutant.name), mutant.checks, mutant.statement))
            }
            for mutant in MutantTests.layered {
                let image = try await mutant.image()
                rows.append(try await row(mutant.name, image.reference, mutant.checks, mutant.statement))
            }
            try MutantRow.write(rows, to: #require(MutantRow.file))
        }

        @Test func theTextReportNamesTheGuiltyInstruction() async throws {
            let result = try await Assay.run("check", try reference(of: "no-dags"), "--only", "static")
            #expect(result.code == 1, "\(result)")
            #expect(result.output.contains("AIR-FS-002") && result.output.contains("rmdir"), "\(result)")
        }

        private static let referenceOutcomes = Task {
            let record = try await Assay.record([try ReferenceImage.reference()])
            return Dictionary(
                record.images.flatMap(\.results).map { ($0.id, $0.outcome) },
                uniquingKeysWith: { first, _ in first })
        }

        private func reference(of name: String) throws -> String {
            let lines = try Setting.mutants.value().split(separator: "\n")
            let line = try #require(
                lines.first { $0.hasPrefix("\(name)=") }, "scripts/test gave no mutant \(name)")
            return String(line.dropFirst(name.count + 1))
        }
    }
}
