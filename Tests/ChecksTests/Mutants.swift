import Checks
import Suite
import Testing

/// An image that keeps the contract but for one statement.
struct Mutant: Sendable, CustomTestStringConvertible {
    enum Base: Sendable {
        case none
        /// The image that the mutant extends.
        case own
        /// An image with other layers.
        case foreign
    }

    var name: String
    /// The statement of the document that is broken; nil for what the Dockerfile does and the document does not say.
    var statement: String?
    var line: ReleaseLine
    /// All checks that fail, first the one that is about the statement.
    var fails: [String]
    /// Part of the instruction that the first finding of the first check names; nil when it names none.
    var instruction: String?
    var buildArguments: [(name: String, value: String)]
    var base: Base
    /// A constraints file that is given.
    var constraints: String?
    var change: @Sendable (inout TestImage) -> Void

    var testDescription: String { "\(line.name): \(name)" }

    init(
        _ name: String, breaks statement: String?, on line: ReleaseLine = .reference, fails: [String],
        by instruction: String? = nil, with buildArguments: [(name: String, value: String)] = [],
        base: Base = .none, constraints: String? = nil, change: @escaping @Sendable (inout TestImage) -> Void
    ) {
        (self.name, self.statement, self.line, self.fails) = (name, statement, line, fails)
        (self.instruction, self.buildArguments, self.base, self.change) = (
            instruction, buildArguments, base, change
        )
        self.constraints = constraints
    }

    func judge(by suite: CompiledSuite) throws -> Judgement {
        var image = line.image
        change(&image)
        let given: BaseImage? =
            switch base {
            case .none: nil
            case .own: try image.base()
            case .foreign: BaseImage(reference: "other", diffIDs: [try TestImage.digest(of: 9)])
            }
        let inputs = JudgeInputs(
            buildArguments: buildArguments.map { .init(name: $0.name, value: $0.value) }, base: given,
            constraints: try constraints.map { try .init(name: "given", reading: Array($0.utf8)) })
        return try suite.judge(image.facts(), inputs: inputs)
    }
}

extension Mutant {
    static let all: [Mutant] =
        users + directories + tools + packages + clients + mysql + starts + variables + labels + python
        + installed + contents + kerberos + names + extensions + everywhere

    // MARK: Users

    private static let users: [Mutant] = [
        Mutant("another UID", breaks: "G16", fails: ["AIR-USER-001", "AIR-USER-006"], by: "usermod") {
            image in
            image.rewrite("RUN usermod -u 50001 airflow", "/etc/passwd") {
                $0.text.replace(":50000:0:", with: ":50001:0:")
            }
        },
        Mutant("another primary group", breaks: "G17", fails: ["AIR-USER-001"], by: "usermod") { image in
            image.rewrite("RUN usermod -g 50000 airflow", "/etc/passwd") {
                $0.text.replace(":50000:0:", with: ":50000:50000:")
            }
        },
        Mutant(
            "group 0 as the primary one before it was", breaks: "G17", on: .release201,
            fails: ["AIR-USER-001"], by: "usermod"
        ) { image in
            image.rewrite("RUN usermod -g 0 airflow", "/etc/passwd") {
                $0.text.replace(":50000:50000:", with: ":50000:0:")
            }
        },
        Mutant(
            "another primary group than the document's", breaks: "G17", on: .v1, fails: ["AIR-USER-001"],
            by: "usermod"
        ) { image in
            image.rewrite("RUN usermod -g 100 airflow", "/etc/passwd") {
                $0.text.replace(":50000:50000:", with: ":50000:100:")
            }
        },
        Mutant(
            "another GID of the group", breaks: "G17", on: .v1, fails: ["AIR-USER-002"], by: "groupmod"
        ) { image in
            image.rewrite("RUN groupmod -g 50001 airflow", "/etc/group") {
                $0.text.replace("airflow:x:50000:", with: "airflow:x:50001:")
            }
        },
        Mutant(
            "airflow out of its group", breaks: "G17", on: .release212, fails: ["AIR-USER-003"], by: "gpasswd"
        ) { image in
            image.rewrite("RUN gpasswd -d airflow airflow", "/etc/group") {
                $0.text.replace(":50000:airflow", with: ":50000:")
            }
        },
        Mutant("a group of the user's name", breaks: "G17", fails: ["AIR-USER-004"], by: "groupadd") {
            image in
            image.rewrite("RUN groupadd airflow", "/etc/group") { $0.text += "airflow:x:50000:\n" }
        },
        Mutant("another home", breaks: "G19", fails: ["AIR-USER-005"], by: "usermod") { image in
            image.rewrite("RUN usermod -d /srv airflow", "/etc/passwd") {
                $0.text.replace("/home/airflow", with: "/srv")
            }
        },
        Mutant("root by number", breaks: "B10", fails: ["AIR-USER-006"], by: "USER 0") {
            $0.user = "0"
            $0.steps.append("USER 0")
        },
        Mutant("no user", breaks: "B10", fails: ["AIR-USER-006", "AIR-USER-007"]) { $0.user = nil },
        Mutant(
            "another user", breaks: "B09", on: .release225, fails: ["AIR-USER-006", "AIR-USER-007"],
            by: "USER nobody"
        ) {
            $0.user = "nobody"
            $0.steps.append("USER nobody")
        },
        Mutant("a user by name", breaks: "J05", fails: ["AIR-USER-007"], by: "USER airflow") {
            $0.user = "airflow"
            $0.steps.append("USER airflow")
        },
        Mutant("passwd not writable by the group", breaks: "F04", fails: ["AIR-USER-008"], by: "chmod 644") {
            $0.rewrite("RUN chmod 644 /etc/passwd", "/etc/passwd") { $0.mode = 0o644 }
        },
        Mutant("passwd of another group", breaks: "F04", on: .v1, fails: ["AIR-USER-008"], by: "chgrp") {
            $0.rewrite("RUN chgrp shadow /etc/passwd", "/etc/passwd") { $0.gid = 42 }
        },
    ]

    // MARK: Directories

    private static let directories: [Mutant] = [
        Mutant(
            "a home of Airflow that the group may not write", breaks: "J02",
            fails: ["AIR-FS-001", "AIR-FS-015"], by: "chmod 755"
        ) { $0.rewrite("RUN chmod 755 /opt/airflow", "/opt/airflow") { $0.mode = 0o755 } },
        Mutant("no folder for DAGs", breaks: "B21", fails: ["AIR-FS-002"], by: "rmdir") {
            $0.add("RUN rmdir /opt/airflow/dags", [.removal(of: "/opt/airflow/dags")])
        },
        Mutant("DAGs of root", breaks: "F24", fails: ["AIR-FS-002"], by: "chown root") {
            $0.rewrite("RUN chown root /opt/airflow/dags", "/opt/airflow/dags") { $0.uid = 0 }
        },
        Mutant("a file in the place of DAGs", breaks: "F18", fails: ["AIR-FS-002"], by: "COPY dags") {
            $0.add("COPY dags /opt/airflow/dags", [.file("/opt/airflow/dags", mode: 0o775, uid: 50000)])
        },
        Mutant("no folder for logs", breaks: "F19", fails: ["AIR-FS-003"], by: "rmdir") {
            $0.add("RUN rmdir /opt/airflow/logs", [.removal(of: "/opt/airflow/logs")])
        },
        Mutant(
            "logs not writable by the group", breaks: "F19",
            fails: ["AIR-FS-003", "AIR-FS-008", "AIR-FS-015"], by: "g-w"
        ) { $0.rewrite("RUN chmod g-w /opt/airflow/logs", "/opt/airflow/logs") { $0.mode = 0o755 } },
        Mutant("home of the wrong group", breaks: "G18", fails: ["AIR-FS-004"], by: "chgrp") {
            $0.rewrite("RUN chgrp 1 /home/airflow", "/home/airflow") { $0.gid = 1 }
        },
        Mutant("home not writable by the group", breaks: "F07", fails: ["AIR-FS-005"], by: "chmod 755") {
            $0.rewrite("RUN chmod 755 /home/airflow", "/home/airflow") { $0.mode = 0o755 }
        },
        Mutant("/opt of airflow", breaks: "F26", fails: ["AIR-FS-006"], by: "chown airflow") {
            $0.rewrite("RUN chown airflow /opt", "/opt") { $0.uid = 50000 }
        },
        Mutant("a DAG of another group", breaks: "G18", fails: ["AIR-FS-007"], by: "--chown=1000:1000") {
            $0.add(
                "COPY --chown=1000:1000 a.py /opt/airflow/dags/",
                [.file("/opt/airflow/dags/a.py", mode: 0o664, uid: 1000, gid: 1000)])
        },
        Mutant(
            "files of the airflow group", breaks: "G18", on: .release201, fails: ["AIR-FS-007"], by: "chgrp"
        ) { $0.rewrite("RUN chgrp airflow", "/home/airflow/.bashrc") { $0.gid = 50000 } },
        Mutant("a file without the group's rights", breaks: "J02", fails: ["AIR-FS-008"], by: "COPY a.py") {
            $0.add("COPY a.py /opt/airflow/dags/", [.file("/opt/airflow/dags/a.py")])
        },
        Mutant("a file for everybody", breaks: "J07", fails: ["AIR-FS-009"], by: "chmod 666") {
            $0.rewrite("RUN chmod 666 /home/airflow/.bashrc", "/home/airflow/.bashrc") { $0.mode = 0o666 }
        },
        Mutant(
            "logs for everybody", breaks: "J07", on: .release315, fails: ["AIR-FS-009"], by: "chmod 777"
        ) { $0.rewrite("RUN chmod 777 /opt/airflow/logs", "/opt/airflow/logs") { $0.mode = 0o777 } },
        Mutant("the sources", breaks: "C08", fails: ["AIR-FS-010", "AIR-FS-012"], by: "COPY . /opt/airflow") {
            $0.add("COPY . /opt/airflow", [.file("/opt/airflow/setup.py", mode: 0o664, uid: 50000)])
        },
        Mutant("the target of the examples", breaks: "H08", on: .v1, fails: ["AIR-FS-010"], by: "COPY empty")
        {
            $0.add("COPY empty /empty", [.file("/empty")])
        },
        Mutant("another folder for DAGs", breaks: "B21", fails: ["AIR-FS-011"], by: "ENV AIRFLOW__CORE") {
            $0.set("AIRFLOW__CORE__DAGS_FOLDER", "/srv/dags")
            $0.steps.append("ENV AIRFLOW__CORE__DAGS_FOLDER=/srv/dags")
        },
        Mutant("Airflow was started", breaks: "F23", fails: ["AIR-FS-012"], by: "airflow version") {
            $0.add("RUN airflow version", [.file("/opt/airflow/airflow.cfg", mode: 0o660, uid: 50000)])
        },
        Mutant("files of the context", breaks: "C08", fails: ["AIR-FS-013"], by: "COPY") {
            $0.add(
                "COPY docker-context-files /docker-context-files", [.file("/docker-context-files/pip.conf")])
        },
        Mutant("a shell with the rights of root", breaks: nil, fails: ["AIR-FS-014"], by: "chmod u+s") {
            $0.rewrite("RUN chmod u+s /usr/bin/bash", "/usr/bin/bash") { $0.mode = 0o4755 }
        },
    ]

    // MARK: What is for building

    private static let tools: [Mutant] = [
        Mutant("build-essential", breaks: "B01", fails: ["AIR-TOOL-001"], by: "apt-get install") {
            $0.add("RUN apt-get install build-essential", [$0.installing("build-essential")])
        },
        Mutant("a gcc that dpkg does not know", breaks: "B02", fails: ["AIR-TOOL-002"], by: "COPY gcc") {
            $0.add("COPY gcc /usr/local/bin/", [.command("/usr/local/bin/x86_64-linux-gnu-gcc-12")])
        },
        Mutant("a gcc that cannot be run", breaks: "B02", on: .v1, fails: ["AIR-TOOL-002"], by: "COPY gcc") {
            $0.add("COPY gcc /usr/bin/", [.command("/usr/bin/gcc", mode: 0o700)])
        },
        Mutant("a versioned gcc package", breaks: "B02", fails: ["AIR-TOOL-002"], by: "install gcc-12") {
            $0.add("RUN apt-get install gcc-12", [$0.installing("gcc-12")])
        },
        Mutant("c++", breaks: "B03", fails: ["AIR-TOOL-003"], by: "ln -s") {
            $0.add("RUN ln -s bash /usr/bin/c++", [.link("/usr/bin/c++", to: "bash")])
        },
        Mutant("make", breaks: "B04", fails: ["AIR-TOOL-004"], by: "COPY make") {
            $0.add("COPY make /usr/bin/", [.command("/usr/bin/make")])
        },
        Mutant("cmake from PyPI", breaks: "B05", fails: ["AIR-TOOL-005"], by: "pip install cmake") {
            $0.add("RUN pip install cmake", TestImage.installed("cmake", "3.31.0", in: $0.site))
        },
        Mutant("cmake from Debian", breaks: "B05", on: .release306, fails: ["AIR-TOOL-005"], by: "apt-get") {
            $0.add("RUN apt-get install cmake", [$0.installing("cmake"), .command("/usr/bin/cmake")])
        },
        Mutant("headers", breaks: "A04", fails: ["AIR-TOOL-006"], by: "libpq-dev") {
            $0.add("RUN apt-get install libpq-dev", [$0.installing("libpq-dev")])
        },
        Mutant("binutils", breaks: "A03", on: .release315, fails: ["AIR-TOOL-006"], by: "binutils") {
            $0.add("RUN apt-get install binutils", [$0.installing("binutils")])
        },
        Mutant(
            "a package for building that stays", breaks: "G13", fails: ["AIR-TOOL-007"],
            by: "install_os_dependencies"
        ) { $0.add("RUN |1 ADDITIONAL_DEV_APT_DEPS=netcat-openbsd /bin/bash -c true # buildkit", []) },
        Mutant(
            "the compilers of the example", breaks: "C11", on: .documented,
            fails: ["AIR-TOOL-007", "AIR-TOOL-002", "AIR-TOOL-003"], by: "apt-get install",
            with: [("ADDITIONAL_DEV_DEPS", "gcc g++")]
        ) { $0.add("RUN apt-get install gcc g++", [$0.installing("gcc", "g++")]) },
    ]

    // MARK: Debian packages

    private static let packages: [Mutant] = [
        Mutant("a run-time package that is not there", breaks: "G14", fails: ["AIR-APT-001"]) {
            $0.set("ADDITIONAL_RUNTIME_APT_DEPS", "default-jre-headless")
        },
        Mutant(
            "the package of the example is not there", breaks: "C12", on: .documented, fails: ["AIR-APT-001"],
            with: [("ADDITIONAL_RUNTIME_DEPS", "default-jre-headless")]
        ) { _ in },
        Mutant("no apt", breaks: "B07", fails: ["AIR-APT-002"], by: "RUN rm") {
            $0.add("RUN rm apt-get", [.removal(of: "/usr/bin/apt-get")])
        },
        Mutant("lists of packages", breaks: "B12", fails: ["AIR-APT-003"], by: "apt-get update") {
            $0.add("RUN apt-get update", [.file("/var/lib/apt/lists/deb.debian.org_InRelease")])
        },
        Mutant("archives of packages", breaks: "B12", fails: ["AIR-APT-004"], by: "apt-get install") {
            $0.add("RUN apt-get install x", [.file("/var/cache/apt/archives/x_1_amd64.deb")])
        },
        Mutant("a package half installed", breaks: "B11", fails: ["AIR-APT-005"], by: "dpkg --unpack") {
            image in
            var member = image.installing("vim")
            member.text.replace(
                "Package: vim\nStatus: install ok installed",
                with: "Package: vim\nStatus: install ok unpacked")
            image.add("RUN dpkg --unpack", [member])
        },
        Mutant("no rsync", breaks: "A04", fails: ["AIR-APT-006"], by: "apt-get purge") {
            $0.add("RUN apt-get purge rsync", [$0.purging("rsync")])
        },
        Mutant("no libffi8", breaks: "A04", fails: ["AIR-APT-007"], by: "apt-get purge") {
            $0.add("RUN apt-get purge libffi8", [$0.purging("libffi8")])
        },
        Mutant("no libffi7", breaks: "A04", on: .release273, fails: ["AIR-APT-008"], by: "apt-get purge") {
            $0.add("RUN apt-get purge libffi7", [$0.purging("libffi7")])
        },
        Mutant("no libffi6", breaks: "A04", on: .release225, fails: ["AIR-APT-009"], by: "apt-get purge") {
            $0.add("RUN apt-get purge libffi6", [$0.purging("libffi6")])
        },
        Mutant(
            "no libldap", breaks: "A04", on: .release212, fails: ["AIR-APT-019", "AIR-APT-014"], by: "purge"
        ) {
            $0.add("RUN apt-get purge libldap-2.4-2", [$0.purging("libldap-2.4-2")])
        },
        Mutant("no libev4", breaks: "A04", fails: ["AIR-APT-010"], by: "apt-get purge") {
            $0.add("RUN apt-get purge libev4", [$0.purging("libev4")])
        },
        Mutant("gosu", breaks: nil, fails: ["AIR-APT-011"], by: "apt-get install") {
            $0.add("RUN apt-get install gosu", [$0.installing("gosu")])
        },
        Mutant("no Git", breaks: nil, on: .release306, fails: ["AIR-APT-012"], by: "apt-get purge") {
            $0.add("RUN apt-get purge git", [$0.purging("git")])
        },
        Mutant("Debian's Python", breaks: nil, on: .release315, fails: ["AIR-APT-013"], by: "apt-get install")
        {
            $0.add("RUN apt-get install vim", [$0.installing("libpython3.11")])
        },
        Mutant(
            "a listed package that is not there", breaks: "G14", on: .release212, fails: ["AIR-APT-014"]
        ) { image in
            image.set("RUNTIME_APT_DEPS", "rsync sudo vim")
        },
    ]

    /// Clients of PostgreSQL and SQL Server.
    private static let clients: [Mutant] = [
        Mutant("no client of PostgreSQL", breaks: nil, fails: ["AIR-APT-015"], by: "apt-get purge") {
            $0.add(
                "RUN apt-get purge postgresql-client",
                [$0.purging("postgresql-client"), .removal(of: "/usr/bin/psql")])
        },
        Mutant("a client of PostgreSQL where none is wanted", breaks: nil, fails: ["AIR-APT-016"]) {
            $0.set("INSTALL_POSTGRES_CLIENT", "false")
        },
        Mutant("no driver for SQL Server", breaks: nil, fails: ["AIR-APT-017"], by: "apt-get purge") {
            $0.add("RUN apt-get purge msodbcsql18", [$0.purging("msodbcsql18")])
        },
        Mutant("a driver for SQL Server where none is wanted", breaks: nil, fails: ["AIR-APT-018"]) {
            $0.set("INSTALL_MSSQL_CLIENT", "false")
        },
    ]

    private static let mysql: [Mutant] = [
        Mutant("no client package", breaks: "G21", fails: ["AIR-MYSQL-001"], by: "purge") {
            $0.add("RUN apt-get purge mariadb-client", [$0.purging("mariadb-client")])
        },
        Mutant(
            "no package of Oracle's client", breaks: "G21", on: .v1, fails: ["AIR-MYSQL-001"], by: "purge"
        ) { $0.add("RUN apt-get purge mysql-client", [$0.purging("mysql-client")]) },
        Mutant("no client library", breaks: "G21", fails: ["AIR-MYSQL-002", "AIR-MYSQL-020"], by: "RUN rm") {
            $0.add("RUN rm", [.removal(of: "/usr/lib/x86_64-linux-gnu/libmariadb.so.3")])
        },
        Mutant("no client command", breaks: "G21", fails: ["AIR-MYSQL-003"], by: "RUN rm clients") {
            $0.add("RUN rm clients", [.removal(of: "/usr/bin/mysql"), .removal(of: "/usr/bin/mariadb")])
        },
        Mutant("no driver", breaks: "G08", fails: ["AIR-MYSQL-004"]) {
            $0.drop("\($0.site)/mysqlclient-1.3.14.dist-info")
        },
        Mutant(
            "a client package where none is wanted", breaks: "G22", fails: ["AIR-MYSQL-005"], by: "install"
        ) {
            ConformingImage.removeMySQL(&$0)
            $0.add("RUN apt-get install mariadb-client-core", [$0.installing("mariadb-client-core")])
        },
        Mutant("a client where none is wanted", breaks: "G22", fails: ["AIR-MYSQL-006"], by: "COPY mysql") {
            ConformingImage.removeMySQL(&$0)
            $0.add("COPY mysql /usr/local/bin/", [.command("/usr/local/bin/mysql")])
        },
        Mutant(
            "a driver where none is wanted", breaks: "G22", fails: ["AIR-MYSQL-007", "AIR-MYSQL-020"],
            by: "pip install"
        ) {
            ConformingImage.removeMySQL(&$0)
            $0.add("RUN pip install mysqlclient", TestImage.installed("mysqlclient", "2.2.7", in: $0.site))
        },
        Mutant(
            "a source of MySQL where none is wanted", breaks: "G22", fails: ["AIR-MYSQL-008"], by: "echo deb"
        ) {
            ConformingImage.removeMySQL(&$0)
            $0.add(
                "RUN echo deb",
                [
                    .file(
                        "/etc/apt/sources.list.d/mysql.list",
                        "deb http://deb.debian.org/debian buster main\n")
                ])
        },
        Mutant(
            "Oracle's library beside MariaDB's client", breaks: "G21", fails: ["AIR-MYSQL-009"], by: "install"
        ) {
            $0.add("RUN apt-get install libmysqlclient21", [$0.installing("libmysqlclient21")])
        },
        Mutant(
            "MariaDB's client in the place of Oracle's", breaks: "G21", on: .release273,
            fails: ["AIR-MYSQL-010"], by: "mariadb-client"
        ) { image in
            var member = image.purging("mysql-client")
            member.text += dpkgStatus(["mariadb-client"])
            image.add("RUN apt-get install mariadb-client", [member])
        },
    ]

    // MARK: How a container starts

    private static let starts: [Mutant] = [
        Mutant(
            "no dumb-init in front", breaks: "F32", fails: ["AIR-RUN-001"], by: "ENTRYPOINT [\"/entrypoint\"]"
        ) {
            $0.entrypoint = ["/entrypoint"]
            $0.steps.append("ENTRYPOINT [\"/entrypoint\"]")
        },
        Mutant("no entrypoint", breaks: "F32", on: .v1, fails: ["AIR-RUN-001"]) { $0.entrypoint = nil },
        Mutant(
            "an entrypoint that cannot be run", breaks: "F32", fails: ["AIR-RUN-002"], by: "COPY entrypoint"
        ) {
            $0.change("/entrypoint") { $0.mode = 0o644 }
        },
        Mutant("no dumb-init", breaks: "F32", fails: ["AIR-RUN-002"], by: "apt-get remove") {
            $0.add("RUN apt-get remove dumb-init", [.removal(of: "/usr/bin/dumb-init")])
        },
        Mutant("a command", breaks: "F30", fails: ["AIR-RUN-003"], by: "CMD [\"--help\"]") {
            $0.command = ["--help"]
            $0.steps.append("CMD [\"--help\"]")
        },
        Mutant("no command where there was one", breaks: "F30", on: .v1, fails: ["AIR-RUN-003"], by: "CMD []")
        {
            $0.command = []
            $0.steps.append("CMD []")
        },
        Mutant("another working directory", breaks: "F20", fails: ["AIR-RUN-004"], by: "WORKDIR /") {
            $0.workingDirectory = "/"
            $0.steps.append("WORKDIR /")
        },
        Mutant("one more port", breaks: "J06", fails: ["AIR-RUN-005"], by: "EXPOSE") {
            $0.ports.append("5555/tcp")
        },
        Mutant("a privileged port", breaks: "J06", fails: ["AIR-RUN-006", "AIR-RUN-005"], by: "EXPOSE") {
            $0.ports.append("80/tcp")
        },
        Mutant("a volume", breaks: "B20", fails: ["AIR-RUN-007"], by: "VOLUME") {
            $0.volumes = ["/opt/airflow/dags"]
            $0.steps.append("VOLUME [/opt/airflow/dags]")
        },
        Mutant("no netcat", breaks: "F08", fails: ["AIR-RUN-008"]) { $0.drop("/usr/bin/nc") },
        Mutant("signals to one process", breaks: "F33", fails: ["AIR-RUN-009"], by: "ENV DUMB_INIT_SETSID") {
            $0.set("DUMB_INIT_SETSID", "0")
        },
        Mutant("an entrypoint of airflow", breaks: "F32", fails: ["AIR-RUN-010"], by: "--chown=airflow:0") {
            $0.add("COPY --chown=airflow:0 entrypoint /entrypoint", [.command("/entrypoint", uid: 50000)])
        },
        Mutant("another stop signal", breaks: nil, fails: ["AIR-RUN-011"], by: "STOPSIGNAL") {
            $0.stopSignal = "SIGINT"
            $0.steps.append("STOPSIGNAL SIGINT")
        },
    ]

    // MARK: Variables

    private static let variables: [Mutant] = [
        Mutant(
            "a claimed home with a slash", breaks: "F17", fails: ["AIR-ENV-001", "AIR-RUN-004"],
            by: "ENV AIRFLOW_HOME"
        ) { $0.set("AIRFLOW_HOME", "/opt/airflow/") },
        Mutant("no variable with the UID", breaks: "G16", fails: ["AIR-ENV-002"]) {
            $0.set("AIRFLOW_UID", nil)
        },
        Mutant(
            "a claimed UID", breaks: "G16",
            fails: [
                "AIR-USER-001", "AIR-USER-006", "AIR-FS-001", "AIR-FS-002", "AIR-FS-003", "AIR-FS-004",
                "AIR-LABEL-002",
            ], by: "adduser"
        ) { $0.set("AIRFLOW_UID", "1000") },
        Mutant("no variable with the GID", breaks: "G17", on: .v1, fails: ["AIR-ENV-003"]) {
            $0.set("AIRFLOW_GID", nil)
        },
        Mutant("no variable with the home", breaks: "G19", fails: ["AIR-ENV-004"]) {
            $0.set("AIRFLOW_USER_HOME_DIR", nil)
        },
        Mutant(
            "no user library on the PATH", breaks: "B08", fails: ["AIR-ENV-005", "AIR-PY-003", "AIR-PY-006"]
        ) {
            $0.set("PATH", "/usr/local/bin:/usr/bin:/bin")
            $0.drop("/usr/local/bin/pip")
        },
        Mutant("another locale", breaks: nil, fails: ["AIR-ENV-006"]) { $0.set("LC_ALL", "C") },
        Mutant("examples", breaks: nil, fails: ["AIR-ENV-007"]) {
            $0.set("AIRFLOW__CORE__LOAD_EXAMPLES", "true")
        },
        Mutant("heartbeats on the disk", breaks: nil, fails: ["AIR-ENV-008"]) {
            $0.set("GUNICORN_CMD_ARGS", nil)
        },
        Mutant("an unnamed base", breaks: "G01", fails: ["AIR-ENV-009"]) { $0.set("PYTHON_BASE_IMAGE", nil) },
        Mutant("libraries of another place", breaks: nil, fails: ["AIR-ENV-010"]) {
            $0.set("PYTHONPATH", "/srv")
        },
        Mutant("an unnamed base of 3.1", breaks: "G01", on: .release315, fails: ["AIR-ENV-011"]) {
            $0.set("BASE_IMAGE", nil)
        },
        Mutant("an argument of the build", breaks: "G06", on: .v1, fails: ["AIR-ENV-012"]) {
            $0.set("AIRFLOW_BRANCH", "v1-10-test")
        },
        Mutant("no user installation", breaks: "B15", on: .release273, fails: ["AIR-ENV-013"]) {
            $0.set("PIP_USER", nil)
        },
        Mutant("user installation beside the environment", breaks: "B15", fails: ["AIR-ENV-014"]) {
            $0.set("PIP_USER", "true")
        },
        Mutant("a GID after its time", breaks: "G17", fails: ["AIR-ENV-015"]) {
            $0.set("AIRFLOW_GID", "50000")
        },
        Mutant("Debian asks", breaks: nil, fails: ["AIR-ENV-016"]) { $0.set("DEBIAN_FRONTEND", nil) },
        Mutant("an image for CI", breaks: nil, on: .release315, fails: ["AIR-ENV-017"]) {
            $0.set("AIRFLOW_IMAGE_TYPE", "ci")
        },
    ]

    // MARK: Labels

    private static let labels: [Mutant] = [
        Mutant("the labels of another image", breaks: nil, fails: ["AIR-LABEL-001"]) {
            $0.label("org.apache.airflow.module", "providers")
        },
        Mutant("a label with another UID", breaks: "G16", fails: ["AIR-LABEL-002"]) {
            $0.label("org.apache.airflow.uid", "50001")
        },
        Mutant("a label with another GID", breaks: "G17", on: .release201, fails: ["AIR-LABEL-003"]) {
            $0.label("org.apache.airflow.gid", "0")
        },
        Mutant("a label with another version", breaks: "G04", fails: ["AIR-LABEL-004"]) {
            $0.label("org.apache.airflow.version", "2.10.4")
        },
        Mutant("another vendor", breaks: nil, fails: ["AIR-LABEL-005"]) {
            $0.label("org.opencontainers.image.vendor", "Example")
        },
        Mutant("a label with another build", breaks: nil, fails: ["AIR-LABEL-006"]) {
            $0.label("org.apache.airflow.main-image.build-id", "1234")
        },
        Mutant("an early label with another build", breaks: nil, on: .v1, fails: ["AIR-LABEL-007"]) {
            $0.label("org.apache.airflow.mainImage.buildId", "1234")
        },
        Mutant("another version for the OCI", breaks: "G04", fails: ["AIR-LABEL-008"]) {
            $0.label("org.opencontainers.image.version", "2.10.4")
        },
        Mutant("a label with another Debian", breaks: "C05", on: .v1, fails: ["AIR-LABEL-009"]) {
            $0.label("org.apache.airflow.distro.version", "bullseye")
        },
        Mutant("a label with another Python", breaks: "G02", on: .release315, fails: ["AIR-LABEL-010"]) {
            $0.label("org.apache.airflow.python.version", "3.11.9")
        },
        Mutant("another revision", breaks: nil, fails: ["AIR-LABEL-011"]) {
            $0.label("org.opencontainers.image.revision", "abcd")
        },
    ]

    // MARK: Python

    private static let python: [Mutant] = [
        Mutant(
            "Airflow of root", breaks: "B14", on: .v1, fails: ["AIR-PY-001", "AIR-PY-004"], by: "pip install"
        ) { image in
            image.drop("\(image.site)/apache_airflow-1.10.12.dist-info")
            image.add(
                "RUN pip install apache-airflow",
                TestImage.installed(
                    "apache-airflow", "1.10.12", in: "/usr/local/lib/python3.6/site-packages", uid: 0))
        },
        Mutant("a claimed version", breaks: "G04", fails: ["AIR-PY-002"], by: "COPY --chown=airflow:0") {
            $0.set("AIRFLOW_VERSION", "2.10.4")
            $0.label("org.apache.airflow.version", "2.10.4")
            $0.label("org.opencontainers.image.version", "2.10.4")
        },
        Mutant("no command", breaks: "F29", fails: ["AIR-PY-003"], by: "RUN rm") {
            $0.add("RUN rm airflow", [.removal(of: "/home/airflow/.local/bin/airflow")])
        },
        Mutant("another command before it", breaks: "F29", fails: ["AIR-PY-003"], by: "COPY airflow") {
            $0.add("COPY airflow /root/bin/", [.command("/root/bin/airflow")])
        },
        Mutant("Airflow for root too", breaks: "B14", fails: ["AIR-PY-004"], by: "pip install") {
            $0.add(
                "RUN pip install apache-airflow",
                TestImage.installed(
                    "apache-airflow", "2.10.5", in: "/usr/local/lib/python3.12/site-packages", uid: 0))
        },
        Mutant("another Python", breaks: "G02", fails: ["AIR-PY-005"], by: "COPY --chown=airflow:0") {
            $0.set("PYTHON_VERSION", "3.11.9")
        },
        Mutant("another Python runs", breaks: "G03", on: .v1, fails: ["AIR-PY-005"], by: "ln -s") {
            $0.add(
                "RUN ln -s",
                [.command("/usr/bin/python3.7"), .link("/usr/local/bin/python", to: "/usr/bin/python3.7")])
        },
        Mutant("no pip", breaks: "B08", fails: ["AIR-PY-006"], by: "RUN rm pip") {
            $0.add(
                "RUN rm pip",
                ["/root/bin/pip", "/home/airflow/.local/bin/pip", "/usr/local/bin/pip"].map {
                    .removal(of: $0)
                })
        },
        Mutant("no virtual environment", breaks: "B15", fails: ["AIR-PY-007"], by: "RUN rm") {
            $0.add("RUN rm pyvenv.cfg", [.removal(of: "/home/airflow/.local/pyvenv.cfg")])
        },
        Mutant("a cache of pip", breaks: "B17", fails: ["AIR-PY-008"], by: "pip install x") {
            $0.add("RUN pip install x", [.file("/root/.cache/pip/http/a")])
        },
        Mutant("compiled files", breaks: "A03", fails: ["AIR-PY-009", "AIR-FS-008"], by: "compileall") {
            $0.add(
                "RUN python -m compileall", [.file("\($0.site)/x/__pycache__/a.pyc", mode: 0o664, uid: 50000)]
            )
        },
        Mutant("what the web assets were built with", breaks: "H07", fails: ["AIR-PY-010"], by: "yarn") {
            $0.add(
                "RUN yarn install",
                [.directory("\($0.site)/airflow/www/node_modules", mode: 0o775, uid: 50000)])
        },
        Mutant("Airflow from elsewhere", breaks: "H02", fails: ["AIR-PY-011"], by: "COPY") {
            $0.add(
                "RUN pip install",
                [
                    .file(
                        "\($0.site)/apache_airflow-2.10.5.dist-info/direct_url.json",
                        #"{"url": "https://example.com/a.zip"}"#, mode: 0o664, uid: 50000)
                ])
        },
        Mutant(
            "Airflow not from local sources", breaks: "H01", fails: ["AIR-PY-012"],
            with: [("AIRFLOW_INSTALLATION_METHOD", ".")]
        ) { _ in },
        Mutant(
            "Airflow not from the URL", breaks: "H03", on: .release201, fails: ["AIR-PY-013"],
            with: [
                (
                    "AIRFLOW_INSTALL_SOURCES",
                    "https://github.com/apache/airflow/archive/2.0.1.tar.gz#egg=apache-airflow"
                )
            ]
        ) { _ in },
        Mutant(
            "the other unidecode", breaks: "H06", on: .early, fails: ["AIR-PY-014"], by: "pip install",
            with: [("SLUGIFY_USES_TEXT_UNIDECODE", "yes")]
        ) { image in
            image.add(
                "RUN pip install",
                ["text-unidecode", "Unidecode"].flatMap { TestImage.installed($0, "1.3", in: image.site) })
        },
        Mutant("no web assets", breaks: "H07", fails: ["AIR-PY-015"]) {
            $0.drop("\($0.site)/airflow/www/static/dist/manifest.json")
        },
        Mutant("files of the web assets", breaks: "H07", on: .v1, fails: ["AIR-PY-016"], by: "COPY") {
            $0.add(
                "COPY package.json",
                [.file("\($0.site)/airflow/www_rbac/package.json", mode: 0o664, uid: 50000)])
        },
        Mutant("a claimed version of pip", breaks: nil, fails: ["AIR-PY-017"]) {
            $0.set("AIRFLOW_PIP_VERSION", "22.0.4")
        },
        Mutant("a claimed version of uv", breaks: nil, fails: ["AIR-PY-018"]) {
            $0.set("AIRFLOW_USE_UV", "true")
        },
        Mutant("a claimed release of another line", breaks: "I09", on: .v1, fails: ["AIR-PY-019"]) {
            $0.set("AIRFLOW_VERSION", "2.0.1")
        },
        Mutant("a provider in a slim image", breaks: nil, on: .slim, fails: ["AIR-PY-020"], by: "pip install")
        {
            $0.add(
                "RUN pip install",
                TestImage.installed("apache-airflow-providers-amazon", "9.0.0", in: $0.site))
        },
        Mutant("no driver for PostgreSQL", breaks: "A02", fails: ["AIR-PY-021"]) {
            $0.drop("\($0.site)/psycopg2_binary-4.3.0.dist-info")
        },
    ]

    /// What is installed, by its own metadata.
    private static let installed: [Mutant] = [
        Mutant("a requirement that is not met", breaks: "G09", fails: ["AIR-PY-030"]) { image in
            image.change("\(image.site)/apache_airflow-2.10.5.dist-info/METADATA") {
                $0.text += "Requires-Dist: sqlalchemy<1\n"
            }
        },
        Mutant("a version beside the constraints", breaks: "G07", fails: ["AIR-PY-031"]) {
            $0.change("/home/airflow/constraints.txt") { $0.text = "celery==5.4.0\n" }
        },
        Mutant("an extra of the line without its package", breaks: "A02", fails: ["AIR-PY-033"]) { image in
            image.change("\(image.site)/apache_airflow-2.10.5.dist-info/METADATA") {
                $0.text += "Provides-Extra: ldap\nRequires-Dist: python-ldap; extra == 'ldap'\n"
            }
        },
        Mutant(
            "an extra that was asked for without its package", breaks: "G08", fails: ["AIR-PY-034"],
            with: [("AIRFLOW_EXTRAS", "ldap,mysql,postgres")]
        ) { image in
            image.change("\(image.site)/apache_airflow-2.10.5.dist-info/METADATA") {
                $0.text +=
                    "Provides-Extra: mysql\nProvides-Extra: postgres\nProvides-Extra: ldap\n"
                    + "Requires-Dist: python-ldap; extra == 'ldap'\n"
            }
        },
        Mutant(
            "no jdbc", breaks: "C09", on: .documented, fails: ["AIR-PY-035"],
            with: [("ADDITIONAL_AIRFLOW_EXTRAS", "jdbc")]
        ) { image in
            image.change("\(image.site)/apache_airflow-1.10.12.dist-info/METADATA") {
                $0.text += "Provides-Extra: jdbc\nRequires-Dist: jaydebeapi>=1.1.1; extra == 'jdbc'\n"
            }
        },
        Mutant(
            "no pandas", breaks: "C10", on: .documented, fails: ["AIR-PY-036"],
            with: [("ADDITIONAL_PYTHON_DEPS", "pandas")]
        ) { _ in },
        Mutant(
            "another version than was asked for", breaks: "H04", on: .documented, fails: ["AIR-PY-037"],
            with: [("AIRFLOW_INSTALL_VERSION", "==1.10.11")]
        ) { _ in },
        Mutant("a file of Airflow removed", breaks: "H02", fails: ["AIR-PY-038"], by: "RUN rm") {
            $0.add("RUN rm", [.removal(of: "\($0.site)/airflow/__init__.py")])
        },
        Mutant("a file of Airflow removed", breaks: "H02", on: .v1, fails: ["AIR-PY-039"], by: "RUN rm") {
            $0.add("RUN rm", [.removal(of: "\($0.site)/airflow/__init__.py")])
        },
        Mutant("installed by another tool", breaks: "H02", fails: ["AIR-PY-040"]) { image in
            image.change("\(image.site)/apache_airflow-2.10.5.dist-info/INSTALLER") { $0.text = "conda\n" }
        },
        Mutant("a file of the core removed", breaks: "H02", on: .release306, fails: ["AIR-PY-041"]) { image in
            image.change("\(image.site)/apache_airflow_core-3.0.6.dist-info/RECORD") {
                $0.text += "airflow/sdk.py,,\n"
            }
        },
        Mutant(
            "a version beside the given constraints", breaks: "I04", on: .documented, fails: ["AIR-PY-032"],
            constraints: "celery==4.4.7\n"
        ) { _ in },
    ]

    // MARK: Sources, secrets, layers, libraries

    private static let contents: [Mutant] = [
        Mutant("a password in the environment", breaks: "D02", fails: ["AIR-SEC-001"]) {
            $0.set("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://airflow:swordfish@db/airflow")
        },
        Mutant("a password in the history", breaks: "D02", fails: ["AIR-SEC-002"]) {
            $0.add("RUN pip install --index-url https://me:swordfish@example.org/simple x", [])
        },
        Mutant("a key that a later step removes", breaks: "D02", fails: ["AIR-SEC-003"], by: "COPY id_rsa") {
            let body = String(repeating: "QUJD", count: 20)
            let key = "-----BEGIN PRIVATE" + " KEY-----\n\(body)\n-----END PRIVATE" + " KEY-----\n"
            $0.add("COPY id_rsa /root/.ssh/", [.file("/root/.ssh/id_rsa", key, mode: 0o600)])
            $0.add("RUN rm /root/.ssh/id_rsa", [.removal(of: "/root/.ssh/id_rsa")])
        },
        Mutant("a keytab that a later step removes", breaks: "K05", fails: ["AIR-KRB-002"], by: "COPY") {
            $0.add("COPY a.keytab /etc/", [.file("/etc/a.keytab", mode: 0o600)])
            $0.add("RUN rm /etc/a.keytab", [.removal(of: "/etc/a.keytab")])
        },
        Mutant("a source of others", breaks: "D01", fails: ["AIR-SRC-001"], by: "RUN echo deb") {
            $0.addSource("deb [signed-by=\(TestImage.keyringPath)] https://example.org/ stable main")
        },
        Mutant("Oracle's source after its time", breaks: "D01", fails: ["AIR-SRC-001"], by: "RUN echo deb") {
            $0.addSource(
                "deb [signed-by=\(TestImage.keyringPath)] http://repo.mysql.com/apt/debian/ bookworm x")
        },
        Mutant("a source whose key is gone", breaks: "B07", fails: ["AIR-SRC-002"], by: "RUN echo deb") {
            $0.addSource("deb [signed-by=/gone.gpg] http://deb.debian.org/debian sid main")
        },
        Mutant(
            "Oracle's source without its key", breaks: "B07", on: .release273, fails: ["AIR-SRC-003"],
            by: "RUN echo deb"
        ) { $0.addSource("deb [signed-by=/gone.gpg] http://repo.mysql.com/apt/debian/ buster mysql-8.0") },
        Mutant("a source that nobody verifies", breaks: "B07", fails: ["AIR-SRC-004"], by: "RUN echo deb") {
            $0.addSource("deb [trusted=yes] http://deb.debian.org/debian sid main")
        },
        Mutant("a source with a password", breaks: "D02", fails: ["AIR-SRC-005"], by: "RUN echo deb") {
            $0.addSource(
                "deb [signed-by=\(TestImage.keyringPath)] https://u:p@deb.debian.org/debian sid main")
        },
        Mutant("no source of packages", breaks: "B07", fails: ["AIR-SRC-006"]) {
            $0.add(
                "RUN rm",
                ["debian.sources", "pgdg.list"].map { .removal(of: "/etc/apt/sources.list.d/\($0)") })
        },
        Mutant("a large file stored twice", breaks: "A03", fails: ["AIR-LAYER-001"], by: "install_os_dep") {
            $0.rewrite("RUN chmod 600 /usr/share/large", "/usr/share/large") { $0.mode = 0o600 }
        },
        Mutant("no library of C++", breaks: "C01", fails: ["AIR-LIB-002"], by: "apt-get purge") {
            $0.add("RUN apt-get purge", [.removal(of: "/usr/lib/x86_64-linux-gnu/libstdc++.so.6")])
        },
        Mutant("no library of PostgreSQL", breaks: "C01", fails: ["AIR-LIB-001"]) { image in
            var driver = TestImage.Member.library("\(image.site)/psycopg2/_psycopg.so", needs: ["libpq.so.5"])
            (driver.mode, driver.uid) = (0o775, 50000)
            image.add("RUN pip install psycopg2", [driver])
        },
    ]

    // MARK: Kerberos

    private static let kerberos: [Mutant] = [
        Mutant("no kinit", breaks: "K02", fails: ["AIR-KRB-001"], by: "RUN rm") {
            $0.add("RUN rm kinit", [.removal(of: "/usr/bin/kinit")])
        },
        Mutant("a keytab", breaks: "K05", fails: ["AIR-KRB-002"], by: "COPY airflow.keytab") {
            $0.add("COPY airflow.keytab /etc/", [.file("/etc/airflow.keytab", mode: 0o600)])
        },
        Mutant("a ticket", breaks: "K06", fails: ["AIR-KRB-003"], by: "kinit") {
            $0.add("RUN kinit", [.file("/tmp/krb5cc_0", mode: 0o600)])
        },
    ]

    // MARK: What the image is and is called

    private static let names: [Mutant] = [
        Mutant("a name with another version", breaks: "A01", fails: ["AIR-IMG-001"]) {
            $0.names = ["apache/airflow:2.10.5", "docker.io/apache/airflow:2.9.3"]
        },
        Mutant("a name with another Python", breaks: "A01", on: .release315, fails: ["AIR-IMG-001"]) {
            $0.names = ["apache/airflow:3.1.5-python3.13"]
        },
        Mutant(
            "not the name that was asked for", breaks: "C13", on: .documented, fails: ["AIR-IMG-002"],
            with: [("IMAGE_NAME", "my-image")]
        ) { $0.names = ["their-image:latest"] },
        Mutant("another Debian", breaks: "C05", on: .v1, fails: ["AIR-IMG-003"], by: "ADD file") {
            $0.change("/etc/os-release") { $0.text = "ID=debian\nVERSION_CODENAME=stretch\n" }
            $0.set("PYTHON_BASE_IMAGE", "python:3.6-slim")
        },
        Mutant("a claimed base of another Debian", breaks: "G01", fails: ["AIR-IMG-004"], by: "debian.sh") {
            $0.set("PYTHON_BASE_IMAGE", "python:3.12-slim-bullseye")
        },
        Mutant("a claimed base of another Python", breaks: "G03", fails: ["AIR-IMG-005"]) {
            $0.set("PYTHON_BASE_IMAGE", "python:3.11-slim-bookworm")
        },
        Mutant(
            "another processor", breaks: nil, on: .release212,
            fails: [
                "AIR-IMG-006", "AIR-MYSQL-002", "AIR-MYSQL-020", "AIR-LIB-001", "AIR-LIB-002",
            ]
        ) {
            $0.architecture = "s390x"
        },
    ]

    // MARK: Extended images

    private static let extensions: [Mutant] = [
        Mutant("not made from its base", breaks: "B06", fails: ["AIR-EXT-001"], base: .foreign) {
            $0.extend("COPY a.py /srv/", [.file("/srv/a.py")])
        },
        Mutant(
            "ends as root", breaks: "B13", on: .v1, fails: ["AIR-EXT-002", "AIR-USER-006", "AIR-USER-007"],
            by: "USER root"
        ) { image in
            image.extend("USER root")
            image.extend("RUN apt-get install vim", [image.installing("vim")])
            image.user = "root"
        },
        Mutant("adds a package in part", breaks: "B11", fails: ["AIR-EXT-003", "AIR-APT-005"], by: "apt-get")
        { image in
            var member = image.installing("vim")
            member.text.replace(
                "Package: vim\nStatus: install ok installed",
                with: "Package: vim\nStatus: install ok half-configured")
            image.extend("RUN apt-get install vim", [member])
        },
        Mutant("adds Python packages as root", breaks: "B14", fails: ["AIR-EXT-004"], by: "pip install") {
            $0.extend(
                "RUN pip install lxml",
                [.distribution("lxml", "5.0.0", in: "/usr/local/lib/python3.12/site-packages")])
        },
        Mutant("adds to the user library as root", breaks: "B15", fails: ["AIR-EXT-005"], by: "pip install") {
            $0.extend("RUN pip install lxml", TestImage.installed("lxml", "5.0.0", in: $0.site, uid: 0))
        },
        Mutant(
            "adds DAGs that cannot be read", breaks: "B20", fails: ["AIR-EXT-006", "AIR-FS-008"],
            by: "COPY a.py"
        ) {
            $0.extend("COPY a.py /opt/airflow/dags/", [.file("/opt/airflow/dags/a.py", mode: 0o600)])
        },
        Mutant("adds a compiler", breaks: "B19", fails: ["AIR-EXT-007"], by: "apt-get", base: .own) {
            $0.extend("RUN apt-get install gcc", [$0.installing("gcc"), .command("/usr/bin/gcc")])
        },
        Mutant(
            "leaves lists of packages", breaks: "B12", on: .v1, fails: ["AIR-APT-003"], by: "apt-get update"
        ) {
            $0.extend("RUN apt-get update", [.file("/var/lib/apt/lists/deb.debian.org_InRelease")])
        },
        Mutant("leaves a cache of pip", breaks: "B17", on: .v1, fails: ["AIR-PY-008"], by: "pip install") {
            $0.extend(
                "RUN pip install --user x", [.file("/home/airflow/.cache/pip/a", mode: 0o664, uid: 50000)])
        },
    ]

    // MARK: What no line allows

    /// Each of them on an image of every profile, and on those that are judged by another release than their own.
    private static let everywhere: [Mutant] = [
        ReleaseLine.v1, .development, .release201, .release212, .release212PushedAgain, .release225,
        .release273,
        .release306, .release315,
    ].flatMap { line in
        [
            Mutant("build-essential", breaks: "B01", on: line, fails: ["AIR-TOOL-001"], by: "apt-get") {
                $0.add("RUN apt-get install build-essential", [$0.installing("build-essential")])
            },
            Mutant("gcc", breaks: "B02", on: line, fails: ["AIR-TOOL-002"], by: "COPY gcc") {
                $0.add("COPY gcc /usr/bin/", [.command("/usr/bin/gcc")])
            },
            Mutant("no folder for DAGs", breaks: "B21", on: line, fails: ["AIR-FS-002"], by: "rmdir") {
                $0.add("RUN rmdir /opt/airflow/dags", [.removal(of: "/opt/airflow/dags")])
            },
            Mutant("root", breaks: "B10", on: line, fails: ["AIR-USER-006", "AIR-USER-007"], by: "USER root")
            {
                $0.user = "root"
                $0.steps.append("USER root")
            },
            Mutant(
                "another working directory", breaks: "F20", on: line, fails: ["AIR-RUN-004"], by: "WORKDIR"
            ) {
                $0.workingDirectory = "/opt"
                $0.steps.append("WORKDIR /opt")
            },
            Mutant("a keytab", breaks: "K05", on: line, fails: ["AIR-KRB-002"], by: "COPY") {
                $0.add("COPY a.keytab /etc/", [.file("/etc/a.keytab", mode: 0o600)])
            },
            Mutant("no command airflow", breaks: "F29", on: line, fails: ["AIR-PY-003"], by: "RUN rm") {
                $0.add("RUN rm", [.removal(of: "/home/airflow/.local/bin/airflow")])
            },
        ]
    }
}
