import Checks
import Suite
import Testing
import Verdict

@Suite("The suite of the Airflow image")
struct AirflowSuiteTests {
    @Test("a conforming image passes every check that applies")
    func conforming() throws {
        let judgement = try CompiledSuite.airflow().judge(TestImage.airflow.facts())
        #expect(judgement.profile?.id == "2.8-2.11")
        #expect(judgement.profile?.warnings == [])
        for result in judgement.results where result.outcome != .pass && result.outcome != .notApplicable {
            Issue.record("\(result.id) \(result.outcome): \(result.reason ?? "")")
        }
        #expect(judgement.ids(.pass).count >= 55)
        #expect(judgement.results.filter { $0.outcome == .pass }.allSatisfy { !$0.findings.isEmpty })
        #expect(judgement.results.filter { $0.outcome == .notApplicable }.allSatisfy { $0.reason != nil })
    }

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

    struct Mutation: Sendable, CustomTestStringConvertible {
        var name: String
        var fails: [String]
        /// Part of the instruction that the first finding of the first id names; nil when it names none.
        var instruction: String?
        var change: @Sendable (inout TestImage) -> Void

        var testDescription: String { name }
    }

    static let mutations: [Mutation] = [
        Mutation(name: "another primary group", fails: ["AIR-USER-001"], instruction: "usermod") {
            $0.add(
                "RUN usermod -g 50000 airflow",
                [
                    .file(
                        "/etc/passwd", TestImage.passwd.replacing(":50000:0:", with: ":50000:50000:"),
                        mode: 0o664)
                ])
        },
        Mutation(name: "a group of the user's name", fails: ["AIR-USER-004"], instruction: "groupadd") {
            $0.add("RUN groupadd airflow", [.file("/etc/group", "root:x:0:\nairflow:x:50000:\n")])
        },
        Mutation(name: "another home", fails: ["AIR-USER-005"], instruction: "usermod") {
            $0.add(
                "RUN usermod -d /srv airflow",
                [.file("/etc/passwd", TestImage.passwd.replacing("/home/airflow", with: "/srv"), mode: 0o664)]
            )
        },
        Mutation(name: "root by number", fails: ["AIR-USER-006"], instruction: "USER 0") {
            $0.user = "0"
            $0.steps.append("USER 0")
        },
        Mutation(name: "a user by name", fails: ["AIR-USER-007"], instruction: "USER airflow") {
            $0.user = "airflow"
            $0.steps.append("USER airflow")
        },
        Mutation(name: "passwd not writable by the group", fails: ["AIR-USER-008"], instruction: "chmod 644")
        {
            $0.add("RUN chmod 644 /etc/passwd", [.file("/etc/passwd", TestImage.passwd)])
        },
        Mutation(name: "no folder for DAGs", fails: ["AIR-FS-002"], instruction: "rmdir") {
            $0.add("RUN rmdir /opt/airflow/dags", [.removal(of: "/opt/airflow/dags")])
        },
        Mutation(name: "DAGs of root", fails: ["AIR-FS-002"], instruction: "chown root") {
            $0.add("RUN chown root /opt/airflow/dags", [.directory("/opt/airflow/dags", mode: 0o775)])
        },
        Mutation(
            name: "logs not writable by the group", fails: ["AIR-FS-003", "AIR-FS-008"], instruction: "g-w"
        ) {
            $0.add("RUN chmod g-w /opt/airflow/logs", [.directory("/opt/airflow/logs", uid: 50000)])
        },
        Mutation(name: "home of the wrong group", fails: ["AIR-FS-004"], instruction: "chgrp") {
            $0.add(
                "RUN chgrp 1 /home/airflow", [.directory("/home/airflow", mode: 0o770, uid: 50000, gid: 1)])
        },
        Mutation(name: "home not writable by the group", fails: ["AIR-FS-005"], instruction: "chmod 755") {
            $0.add("RUN chmod 755 /home/airflow", [.directory("/home/airflow", mode: 0o755, uid: 50000)])
        },
        Mutation(name: "/opt of airflow", fails: ["AIR-FS-006"], instruction: "chown airflow") {
            $0.add("RUN chown airflow /opt", [.directory("/opt", uid: 50000)])
        },
        Mutation(name: "a DAG of another group", fails: ["AIR-FS-007"], instruction: "COPY --chown=1000:1000")
        {
            $0.add(
                "COPY --chown=1000:1000 a.py /opt/airflow/dags/",
                [.file("/opt/airflow/dags/a.py", mode: 0o664, uid: 1000, gid: 1000)])
        },
        Mutation(name: "a file without the group's rights", fails: ["AIR-FS-008"], instruction: "COPY a.py") {
            $0.add("COPY a.py /opt/airflow/dags/", [.file("/opt/airflow/dags/a.py")])
        },
        Mutation(name: "a file for everybody", fails: ["AIR-FS-009"], instruction: "chmod 666") {
            $0.add(
                "RUN chmod 666 /home/airflow/.bashrc",
                [.file("/home/airflow/.bashrc", mode: 0o666, uid: 50000)])
        },
        Mutation(name: "the sources", fails: ["AIR-FS-010"], instruction: "COPY . /opt/airflow") {
            $0.add("COPY . /opt/airflow", [.file("/opt/airflow/setup.py", mode: 0o664, uid: 50000)])
        },
        Mutation(name: "build-essential", fails: ["AIR-TOOL-001"], instruction: "apt-get install") {
            $0.add(
                "RUN apt-get install build-essential",
                [.file("/var/lib/dpkg/status", dpkgStatus(TestImage.runtimePackages + ["build-essential"]))])
        },
        Mutation(name: "a gcc that dpkg does not know", fails: ["AIR-TOOL-002"], instruction: "COPY gcc") {
            $0.add("COPY gcc /usr/local/bin/", [.command("/usr/local/bin/x86_64-linux-gnu-gcc-12")])
        },
        Mutation(name: "a versioned gcc package", fails: ["AIR-TOOL-002"], instruction: "install gcc-12") {
            $0.add(
                "RUN apt-get install gcc-12",
                [.file("/var/lib/dpkg/status", dpkgStatus(TestImage.runtimePackages + ["gcc-12"]))])
        },
        Mutation(name: "c++", fails: ["AIR-TOOL-003"], instruction: "ln -s") {
            $0.add("RUN ln -s bash /usr/bin/c++", [.link("/usr/bin/c++", to: "bash")])
        },
        Mutation(name: "make", fails: ["AIR-TOOL-004"], instruction: "COPY make") {
            $0.add("COPY make /usr/bin/", [.command("/usr/bin/make")])
        },
        Mutation(name: "cmake from PyPI", fails: ["AIR-TOOL-005"], instruction: "pip install cmake") {
            $0.add(
                "RUN pip install cmake",
                [
                    .directory("\(TestImage.site)/cmake-3.31.0.dist-info", mode: 0o775, uid: 50000),
                    .distribution("cmake", "3.31.0", in: TestImage.site, uid: 50000),
                ])
        },
        Mutation(name: "headers", fails: ["AIR-TOOL-006"], instruction: "libpq-dev") {
            $0.add(
                "RUN apt-get install libpq-dev",
                [.file("/var/lib/dpkg/status", dpkgStatus(TestImage.runtimePackages + ["libpq-dev"]))])
        },
        Mutation(name: "a run-time package that is not there", fails: ["AIR-APT-001"], instruction: nil) {
            $0.set("ADDITIONAL_RUNTIME_APT_DEPS", "default-jre-headless")
        },
        Mutation(name: "lists of packages", fails: ["AIR-APT-003"], instruction: "apt-get update") {
            $0.add("RUN apt-get update", [.file("/var/lib/apt/lists/deb.debian.org_InRelease")])
        },
        Mutation(name: "archives of packages", fails: ["AIR-APT-004"], instruction: "apt-get install") {
            $0.add("RUN apt-get install x", [.file("/var/cache/apt/archives/x_1_amd64.deb")])
        },
        Mutation(name: "no client package", fails: ["AIR-MYSQL-001"], instruction: "purge") {
            $0.add(
                "RUN apt-get purge mariadb-client",
                [
                    .file(
                        "/var/lib/dpkg/status",
                        dpkgStatus(TestImage.runtimePackages.filter { !$0.hasPrefix("mariadb-client") }))
                ])
        },
        Mutation(
            name: "no client library", fails: ["AIR-MYSQL-002", "AIR-MYSQL-020"],
            instruction: nil
        ) {
            $0.add("RUN rm", [.removal(of: "/usr/lib/x86_64-linux-gnu/libmariadb.so.3")])
        },
        Mutation(name: "no client command", fails: ["AIR-MYSQL-003"], instruction: "RUN rm clients") {
            $0.add("RUN rm clients", [.removal(of: "/usr/bin/mysql"), .removal(of: "/usr/bin/mariadb")])
        },
        Mutation(name: "no driver", fails: ["AIR-MYSQL-004"], instruction: nil) {
            $0.drop("\(TestImage.site)/mysqlclient-2.2.7.dist-info")
        },
        Mutation(
            name: "a client where none is wanted",
            fails: ["AIR-MYSQL-005", "AIR-MYSQL-006", "AIR-MYSQL-007"],
            instruction: "install_os_dependencies"
        ) {
            $0.set("INSTALL_MYSQL_CLIENT", "false")
        },
        Mutation(
            name: "no dumb-init in front", fails: ["AIR-RUN-001"], instruction: "ENTRYPOINT [\"/entrypoint\"]"
        ) {
            $0.entrypoint = ["/entrypoint"]
            $0.steps.append("ENTRYPOINT [\"/entrypoint\"]")
        },
        Mutation(
            name: "an entrypoint that cannot be run", fails: ["AIR-RUN-002"], instruction: "COPY entrypoint"
        ) {
            $0.change("/entrypoint") { $0.mode = 0o644 }
        },
        Mutation(name: "a command", fails: ["AIR-RUN-003"], instruction: "CMD [\"--help\"]") {
            $0.command = ["--help"]
            $0.steps.append("CMD [\"--help\"]")
        },
        Mutation(name: "another working directory", fails: ["AIR-RUN-004"], instruction: "WORKDIR /") {
            $0.workingDirectory = "/"
            $0.steps.append("WORKDIR /")
        },
        Mutation(name: "a privileged port", fails: ["AIR-RUN-005", "AIR-RUN-006"], instruction: "EXPOSE") {
            $0.ports.append("80/tcp")
        },
        Mutation(name: "a volume", fails: ["AIR-RUN-007"], instruction: "VOLUME") {
            $0.volumes = ["/opt/airflow/dags"]
            $0.steps.append("VOLUME [/opt/airflow/dags]")
        },
        Mutation(name: "no netcat", fails: ["AIR-RUN-008"], instruction: nil) { $0.drop("/usr/bin/nc") },
        Mutation(
            name: "a claimed home with a slash", fails: ["AIR-ENV-001", "AIR-RUN-004"],
            instruction: "ENV AIRFLOW_HOME"
        ) {
            $0.set("AIRFLOW_HOME", "/opt/airflow/")
        },
        Mutation(
            name: "a claimed UID",
            fails: [
                "AIR-USER-001", "AIR-USER-006", "AIR-FS-001", "AIR-FS-002", "AIR-FS-003", "AIR-FS-004",
                "AIR-LABEL-002",
            ], instruction: "adduser"
        ) { $0.set("AIRFLOW_UID", "1000") },
        Mutation(
            name: "no user library on the PATH", fails: ["AIR-ENV-005", "AIR-PY-003", "AIR-PY-006"],
            instruction: nil
        ) {
            $0.set("PATH", "/usr/local/bin:/usr/bin:/bin")
            $0.drop("/usr/local/bin/pip")
        },
        Mutation(name: "another locale", fails: ["AIR-ENV-006"], instruction: nil) { $0.set("LC_ALL", "C") },
        Mutation(name: "examples", fails: ["AIR-ENV-007"], instruction: nil) {
            $0.set("AIRFLOW__CORE__LOAD_EXAMPLES", "true")
        },
        Mutation(name: "a label with another version", fails: ["AIR-LABEL-004"], instruction: nil) {
            $0.label("org.apache.airflow.version", "2.10.4")
        },
        Mutation(name: "a claimed version", fails: ["AIR-PY-002"], instruction: "COPY --chown=airflow:0") {
            $0.set("AIRFLOW_VERSION", "2.10.4")
            $0.label("org.apache.airflow.version", "2.10.4")
        },
        Mutation(name: "Airflow for root", fails: ["AIR-PY-004"], instruction: "pip install") {
            $0.add(
                "RUN pip install apache-airflow",
                [
                    .distribution("apache-airflow", "2.10.5", in: "/usr/local/lib/python3.12/site-packages"),
                    .file(
                        "/usr/local/lib/python3.12/site-packages/apache_airflow-2.10.5.dist-info/RECORD", ""),
                ])
        },
        Mutation(name: "another Python", fails: ["AIR-PY-005"], instruction: "COPY --chown=airflow:0") {
            $0.set("PYTHON_VERSION", "3.11.9")
        },
        Mutation(name: "no virtual environment", fails: ["AIR-PY-007"], instruction: "RUN rm") {
            $0.add("RUN rm pyvenv.cfg", [.removal(of: "/home/airflow/.local/pyvenv.cfg")])
        },
        Mutation(name: "a cache of pip", fails: ["AIR-PY-008"], instruction: "pip install x") {
            $0.add("RUN pip install x", [.file("/root/.cache/pip/http/a")])
        },
        Mutation(name: "compiled files", fails: ["AIR-PY-009", "AIR-FS-008"], instruction: "compileall") {
            $0.add(
                "RUN python -m compileall",
                [.file("\(TestImage.site)/x/__pycache__/a.pyc", mode: 0o664, uid: 50000)])
        },
        Mutation(name: "no kinit", fails: ["AIR-KRB-001"], instruction: "RUN rm") {
            $0.add("RUN rm kinit", [.removal(of: "/usr/bin/kinit")])
        },
        Mutation(name: "a keytab", fails: ["AIR-KRB-002"], instruction: "COPY airflow.keytab") {
            $0.add("COPY airflow.keytab /etc/", [.file("/etc/airflow.keytab", mode: 0o600)])
        },
        Mutation(name: "no apt", fails: ["AIR-APT-002"], instruction: "RUN rm") {
            $0.add("RUN rm apt-get", [.removal(of: "/usr/bin/apt-get")])
        },
        Mutation(
            name: "a claim of no MySQL client, and a source of it",
            fails: ["AIR-MYSQL-008", "AIR-MYSQL-005", "AIR-MYSQL-006", "AIR-MYSQL-007"],
            instruction: "echo deb"
        ) {
            $0.set("INSTALL_MYSQL_CLIENT", "false")
            $0.add(
                "RUN echo deb",
                [
                    .file(
                        "/etc/apt/sources.list.d/mysql.list",
                        "deb [signed-by=\(TestImage.keyringPath)] http://deb.debian.org/x y z\n")
                ])
        },
        Mutation(
            name: "a package for building that stays", fails: ["AIR-TOOL-007"],
            instruction: "install_os_dependencies"
        ) {
            $0.add("RUN |1 ADDITIONAL_DEV_APT_DEPS=netcat-openbsd /bin/bash -c true # buildkit", [])
        },
        Mutation(name: "signals to one process", fails: ["AIR-RUN-009"], instruction: "ENV DUMB_INIT_SETSID")
        {
            $0.set("DUMB_INIT_SETSID", "0")
        },
        Mutation(name: "what the web assets were built with", fails: ["AIR-PY-010"], instruction: "yarn") {
            $0.add(
                "RUN yarn install",
                ["airflow", "airflow/www", "airflow/www/node_modules"].map {
                    .directory("\(TestImage.site)/\($0)", mode: 0o775, uid: 50000)
                })
        },
        Mutation(name: "no variable with the UID", fails: ["AIR-ENV-002"], instruction: nil) {
            $0.set("AIRFLOW_UID", nil)
        },
        Mutation(name: "no variable with the home", fails: ["AIR-ENV-004"], instruction: nil) {
            $0.set("AIRFLOW_USER_HOME_DIR", nil)
        },
        Mutation(name: "heartbeats on the disk", fails: ["AIR-ENV-008"], instruction: nil) {
            $0.set("GUNICORN_CMD_ARGS", nil)
        },
        Mutation(name: "an unnamed base", fails: ["AIR-ENV-009"], instruction: nil) {
            $0.set("PYTHON_BASE_IMAGE", nil)
        },
        Mutation(name: "libraries of another place", fails: ["AIR-ENV-010"], instruction: nil) {
            $0.set("PYTHONPATH", "/srv")
        },
        Mutation(name: "the labels of another image", fails: ["AIR-LABEL-001"], instruction: nil) {
            $0.label("org.apache.airflow.module", "providers")
        },
        Mutation(name: "another vendor", fails: ["AIR-LABEL-005"], instruction: nil) {
            $0.label("org.opencontainers.image.vendor", "Example")
        },
        Mutation(name: "a password in the environment", fails: ["AIR-SEC-001"], instruction: nil) {
            $0.set("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:swordfish@db/airflow")
        },
        Mutation(name: "a password in the history", fails: ["AIR-SEC-002"], instruction: nil) {
            $0.add("RUN pip install --index-url https://me:swordfish@example.org/simple x", [])
        },
        Mutation(name: "a key that a later step removes", fails: ["AIR-SEC-003"], instruction: "COPY id_rsa")
        {
            let body = String(repeating: "QUJD", count: 20)
            let key = "-----BEGIN PRIVATE" + " KEY-----\n\(body)\n-----END PRIVATE" + " KEY-----\n"
            $0.add("COPY id_rsa /root/.ssh/", [.file("/root/.ssh/id_rsa", key, mode: 0o600)])
            $0.add("RUN rm /root/.ssh/id_rsa", [.removal(of: "/root/.ssh/id_rsa")])
        },
        Mutation(name: "a source of others", fails: ["AIR-SRC-001"], instruction: "RUN echo deb") {
            $0.addSource("deb [signed-by=\(TestImage.keyringPath)] https://example.org/ stable main")
        },
        Mutation(name: "a source whose key is gone", fails: ["AIR-SRC-002"], instruction: "RUN echo deb") {
            $0.addSource("deb [signed-by=/gone.gpg] http://deb.debian.org/debian sid main")
        },
        Mutation(
            name: "the source of Oracle without its key", fails: ["AIR-SRC-003", "AIR-SRC-001"],
            instruction: "RUN echo deb"
        ) {
            $0.addSource("deb http://repo.mysql.com/apt/debian/ bookworm mysql-8.0")
        },
        Mutation(name: "a source that nobody verifies", fails: ["AIR-SRC-004"], instruction: "RUN echo deb") {
            $0.addSource("deb [trusted=yes] http://deb.debian.org/debian sid main")
        },
        Mutation(name: "a source with a password", fails: ["AIR-SRC-005"], instruction: "RUN echo deb") {
            $0.addSource(
                "deb [signed-by=\(TestImage.keyringPath)] https://u:p@deb.debian.org/debian sid main")
        },
        Mutation(name: "no source of packages", fails: ["AIR-SRC-006"], instruction: nil) {
            $0.add("RUN rm", [.removal(of: "/etc/apt/sources.list.d/debian.sources")])
        },
        Mutation(name: "a large file stored twice", fails: ["AIR-LAYER-001"], instruction: "COPY model") {
            let text = String(repeating: "x", count: 2 << 20)
            $0.add("COPY model /srv/", [.file("/srv/model", text)])
            $0.add("RUN chmod", [.file("/srv/model", text, mode: 0o600)])
        },
        Mutation(name: "no library of C++", fails: ["AIR-LIB-002"], instruction: "apt-get purge") {
            $0.add("RUN apt-get purge", [.removal(of: "/usr/lib/x86_64-linux-gnu/libstdc++.so.6")])
        },
        Mutation(name: "no library of PostgreSQL", fails: ["AIR-LIB-001"], instruction: nil) {
            var driver = TestImage.Member.library(
                "\(TestImage.site)/psycopg2/_psycopg.so", needs: ["libpq.so.5"])
            (driver.mode, driver.uid) = (0o775, 50000)
            var metadata = TestImage.Member.distribution("psycopg2", "2.9", in: TestImage.site, uid: 50000)
            metadata.mode = 0o664
            $0.add(
                "COPY",
                ["psycopg2", "psycopg2-2.9.dist-info"].map {
                    .directory("\(TestImage.site)/\($0)", mode: 0o775, uid: 50000)
                } + [driver, metadata])
        },
        Mutation(name: "a ticket", fails: ["AIR-KRB-003"], instruction: "kinit") {
            $0.add("RUN kinit", [.file("/tmp/krb5cc_0", mode: 0o600)])
        },
    ]

    @Test("each thing that is wrong fails its checks, and no other", arguments: mutations)
    func mutation(_ mutation: Mutation) throws {
        var image = TestImage.airflow
        mutation.change(&image)
        let judgement = try CompiledSuite.airflow().judge(image.facts())
        #expect(Set(judgement.ids(.fail)) == Set(mutation.fails))
        #expect(judgement.ids(.error) == [])
        let finding = try #require(judgement.result(mutation.fails[0]).findings.first)
        if let expected = mutation.instruction {
            let instruction = try #require(finding.provenance?.instruction, "\(finding)")
            #expect(instruction.contains(expected), "\(instruction)")
        }
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
        #expect(finding.details.first == "/opt/airflow/dags/dag0.py (file, 0664, 50000:50000, layer 7)")
        #expect(finding.provenance?.layer == 7)
        #expect(finding.provenance?.diffID == "sha256:" + String(repeating: "6", count: 64))
        #expect(finding.provenance?.instruction == "RUN make a mess")
    }
}
