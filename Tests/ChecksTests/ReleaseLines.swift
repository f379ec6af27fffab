import Suite
import Testing

/// A release as the Dockerfile of its line makes the image, as far as the suite looks. What differs from line to
/// line is a table here, so that it can be read beside the history of the Dockerfile.
struct ReleaseLine: Sendable, CustomTestStringConvertible {
    enum Debian: String {
        case buster, bullseye, bookworm
    }

    var name: String
    /// The version of apache-airflow that is installed.
    var installed: String
    /// The release whose Dockerfile made the image: a later one where a tag was pushed again.
    var dockerfile: String
    /// What the image says as AIRFLOW_VERSION.
    var claimed: String
    var debian: Debian
    /// Line of Python.
    var python: String
    var architecture = "amd64"
    /// Airflow alone, with empty AIRFLOW_EXTRAS.
    var isSlim = false
    /// Where pip says it installed Airflow from; nil for an index.
    var directURL: String?
    /// The profile of the suite that it has to be told as.
    var profile: String
    var warnings: [String] = []

    var testDescription: String { name }

    init(_ installed: String, on debian: Debian, python: String, profile: String) {
        (self.installed, dockerfile, claimed) = (installed, installed, installed)
        (self.debian, self.python, self.profile) = (debian, python, profile)
        name = installed
    }

    private func with(_ suffix: String, _ change: (inout ReleaseLine) -> Void) -> ReleaseLine {
        var line = self
        line.name += " \(suffix)"
        change(&line)
        return line
    }

    private var slim: ReleaseLine { with("slim") { $0.isSlim = true } }
    private var arm64: ReleaseLine { with("arm64") { $0.architecture = "arm64" } }

    /// Pushed again in January 2022 under the old tag.
    private var pushedAgain: ReleaseLine {
        with("pushed again") { line in
            line.dockerfile = "2.2.3"
            line.profile = "2.2"
            line.warnings = [
                "the installed version \(line.installed) lies outside of 2.2: judged as 2.2"
            ]
        }
    }
}

// MARK: - The lines

extension ReleaseLine {
    static let reference = ReleaseLine("2.10.5", on: .bookworm, python: "3.12", profile: "2.8-2.11")

    static let v1 = ReleaseLine("1.10.12", on: .buster, python: "3.6", profile: "1.10")

    /// Every example of the document leaves AIRFLOW_VERSION at its default.
    static let documented = v1.with("of the document") { line in
        line.python = "3.7"
        line.claimed = "2.0.0.dev0"
        line.warnings = [
            "the image claims AIRFLOW_VERSION 2.0.0.dev0 (image environment AIRFLOW_VERSION); "
                + "apache-airflow 1.10.12 is installed"
        ]
    }

    /// `docker build .` in the sources of the document.
    static let development = v1.with("from local sources") { line in
        (line.installed, line.claimed) = ("2.0.0.dev0", "2.0.0.dev0")
        line.directURL = #"{"url": "file:///opt/airflow", "dir_info": {}}"#
        line.warnings = ["the installed version 2.0.0 lies outside of 1.10..1.10.15: judged as 1.10.15"]
    }

    static let release201 = ReleaseLine("2.0.1", on: .buster, python: "3.8", profile: "2.0.0-2.0.1")
    static let release212 = ReleaseLine("2.1.2", on: .buster, python: "3.9", profile: "2.0.2-2.1")
    static let release212PushedAgain = release212.pushedAgain
    static let release225 = ReleaseLine("2.2.5", on: .buster, python: "3.7", profile: "2.2")
    static let release273 = ReleaseLine("2.7.3", on: .bullseye, python: "3.8", profile: "2.3-2.7")
    static let release306 = ReleaseLine("3.0.6", on: .bookworm, python: "3.12", profile: "3.0")
    static let release315 = ReleaseLine("3.1.5", on: .bookworm, python: "3.12", profile: "3.1-3.3")
    static let slim = reference.slim

    /// Airflow 1.10.2 by the Dockerfile of the document.
    static let early = documented.with("with 1.10.2") { line in
        line.installed = "1.10.2"
        line.warnings = line.warnings.map { $0.replacing("1.10.12 is", with: "1.10.2 is") }
    }

    static let all: [ReleaseLine] = [
        v1, documented, development,
        ReleaseLine("1.10.14", on: .buster, python: "3.6", profile: "1.10"),
        ReleaseLine("2.0.0", on: .buster, python: "3.6", profile: "2.0.0-2.0.1"),
        release201,
        ReleaseLine("2.0.2", on: .buster, python: "3.6", profile: "2.0.2-2.1"),
        ReleaseLine("2.0.2", on: .buster, python: "3.6", profile: "2.0.2-2.1").pushedAgain,
        ReleaseLine("2.1.0", on: .buster, python: "3.6", profile: "2.0.2-2.1"),
        release212, release212PushedAgain,
        ReleaseLine("2.1.4", on: .buster, python: "3.6", profile: "2.0.2-2.1"),
        ReleaseLine("2.1.4", on: .buster, python: "3.6", profile: "2.0.2-2.1").pushedAgain,
        ReleaseLine("2.2.3", on: .buster, python: "3.6", profile: "2.2"),
        release225,
        ReleaseLine("2.3.0", on: .bullseye, python: "3.7", profile: "2.3-2.7"),
        ReleaseLine("2.3.0", on: .bullseye, python: "3.7", profile: "2.3-2.7").arm64,
        ReleaseLine("2.6.3", on: .bullseye, python: "3.7", profile: "2.3-2.7"),
        ReleaseLine("2.6.3", on: .bullseye, python: "3.7", profile: "2.3-2.7").slim,
        release273, release273.arm64,
        ReleaseLine("2.8.0", on: .bookworm, python: "3.8", profile: "2.8-2.11"),
        ReleaseLine("2.8.1", on: .bookworm, python: "3.8", profile: "2.8-2.11"),
        ReleaseLine("2.8.4", on: .bullseye, python: "3.8", profile: "2.8-2.11"),
        ReleaseLine("2.9.3", on: .bookworm, python: "3.12", profile: "2.8-2.11"),
        ReleaseLine("2.9.3", on: .bookworm, python: "3.12", profile: "2.8-2.11").slim,
        reference, slim, reference.arm64,
        ReleaseLine("2.11.0", on: .bookworm, python: "3.12", profile: "2.8-2.11"),
        ReleaseLine("2.11.0", on: .bookworm, python: "3.12", profile: "2.8-2.11").slim,
        ReleaseLine("3.0.1", on: .bookworm, python: "3.12", profile: "3.0"),
        release306, release306.slim, release315, release315.arm64, release315.slim,
        ReleaseLine("3.3.0", on: .bookworm, python: "3.13", profile: "3.1-3.3"),
    ]
}

// MARK: - Config

extension ReleaseLine {
    /// Whether the Dockerfile is one of these releases.
    private func isOf(_ range: String) -> Bool {
        guard let range = VersionRange(range), let version = ReleaseVersion(dockerfile) else { return false }
        return range.contains(version)
    }

    /// What the rows say whose releases the Dockerfile is one of.
    private func rows<Row>(_ table: [(versions: String, row: Row)]) -> [Row] {
        table.filter { isOf($0.versions) }.map(\.row)
    }

    private var baseImage: String {
        isOf("3.1..") ? "debian:bookworm-slim" : "python:\(python)-slim-\(debian)"
    }

    private var environment: [(name: String, value: String)] {
        let own = isOf("..2.2.3") ? "" : "/root/bin:"
        let ofPython = isOf("3.1..") ? "/usr/python/bin:" : ""
        return rows([
            (
                "1..",
                (
                    "PATH",
                    "\(own)/home/airflow/.local/bin:\(ofPython)/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:"
                        + "/sbin:/bin"
                )
            ),
            ("1..", ("LANG", "C.UTF-8")), ("1..", ("LANGUAGE", "C.UTF-8")), ("1..", ("LC_ALL", "C.UTF-8")),
            ("1..", ("LC_CTYPE", "C.UTF-8")), ("1..", ("LC_MESSAGES", "C.UTF-8")),
            ("1..", ("DEBIAN_FRONTEND", "noninteractive")),
            ("..3.0", ("PYTHON_BASE_IMAGE", baseImage)), ("3.1..", ("BASE_IMAGE", baseImage)),
            ("..3.0", ("PYTHON_VERSION", "\(python).9")),
            ("3.1..", ("AIRFLOW_PYTHON_VERSION", "\(python).9")),
            ("1..", ("AIRFLOW_HOME", "/opt/airflow")), ("1..", ("AIRFLOW_USER_HOME_DIR", "/home/airflow")),
            ("1..", ("AIRFLOW_UID", "50000")), ("..2.1", ("AIRFLOW_GID", "50000")),
            ("1..", ("AIRFLOW_VERSION", claimed)), ("1..", ("AIRFLOW__CORE__LOAD_EXAMPLES", "false")),
            ("1..", ("GUNICORN_CMD_ARGS", "--worker-tmp-dir /dev/shm")),
            ("1..", ("BUILD_ID", "")), ("1..", ("COMMIT_SHA", "")),
            ("..1.10.12", ("ADDITIONAL_RUNTIME_DEPS", "")),
            ("1.10.13..", ("ADDITIONAL_RUNTIME_APT_DEPS", "")),
            (
                "1.10.13..",
                ("RUNTIME_APT_DEPS", isOf("..2.3") ? commonPackages.joined(separator: " ") : "")
            ),
            ("1.10.13..", ("RUNTIME_APT_COMMAND", "echo")),
            ("1.10.13..", ("ADDITIONAL_RUNTIME_APT_COMMAND", "")),
            ("1.10.13..", ("INSTALL_MYSQL_CLIENT", "true")), ("2.3..", ("INSTALL_MSSQL_CLIENT", "true")),
            ("2.3..", ("INSTALL_POSTGRES_CLIENT", "true")),
            ("2.7.3..2.8.0", ("INSTALL_MYSQL_CLIENT_TYPE", "mysql")),
            ("2.8.1..", ("INSTALL_MYSQL_CLIENT_TYPE", "mariadb")),
            ("2.0..", ("AIRFLOW_PIP_VERSION", "21.1")),
            ("2.0.2..2.2.3", ("AIRFLOW_INSTALLATION_METHOD", "apache-airflow")),
            // Used before its ARG is declared in that stage.
            ("2.2.4..2.11", ("AIRFLOW_INSTALLATION_METHOD", "")),
            ("3.0..", ("AIRFLOW_INSTALLATION_METHOD", "apache-airflow")),
            ("2.0.2..2.8", ("PIP_USER", "true")), ("2.9..", ("VIRTUAL_ENV", "/home/airflow/.local")),
            ("2.10..2.11", ("LD_LIBRARY_PATH", "/usr/local/lib")), ("2.1.4..", ("DUMB_INIT_SETSID", "1")),
            ("2.2.4..", ("PS1", "(airflow)")), ("2.9..", ("AIRFLOW_UV_VERSION", "0.5.24")),
            ("2.9..", ("AIRFLOW_USE_UV", "false")), ("3.1..", ("PIP_CACHE_DIR", "/tmp/.cache/pip")),
            ("3.1..", ("UV_CACHE_DIR", "/tmp/.cache/uv")), ("3.1..", ("AIRFLOW_IMAGE_TYPE", "prod")),
        ])
    }

    private var labels: [(name: String, value: String)] {
        let documentation = isOf("..2.1") ? "production-deployment.html" : "docker-stack/index.html"
        let own: [(String, String)] = rows([
            ("1..", ("distro", "debian")), ("1..", ("module", "airflow")), ("1..", ("component", "airflow")),
            ("1..", ("image", "airflow")), ("..2.1", ("distro.version", "buster")),
            ("1..", ("uid", "50000")), ("..2.1", ("gid", "50000")), ("2.0..", ("version", claimed)),
            ("..2.0.1", ("mainImage.buildId", "")), ("..2.0.1", ("mainImage.commitSha", "")),
            ("2.0.2..", ("main-image.build-id", "")), ("2.0.2..", ("main-image.commit-sha", "")),
            ("3.1..", ("python.version", "\(python).9")),
        ])
        let ofOCI: [(String, String)] = rows([
            ("2.0.2..", ("source", "https://github.com/apache/airflow")), ("2.0.2..", ("created", "")),
            ("2.0.2..", ("authors", "dev@airflow.apache.org")),
            ("2.0.2..", ("url", "https://airflow.apache.org")),
            ("2.0.2..", ("documentation", "https://airflow.apache.org/docs/\(documentation)")),
            ("2.0.2..", ("version", claimed)), ("2.0.2..", ("revision", "")),
            ("2.0.2..", ("vendor", "Apache Software Foundation")), ("2.0.2..", ("licenses", "Apache-2.0")),
            ("2.0.2..", ("ref.name", "airflow")), ("2.0.2..", ("title", "Production Airflow Image")),
            ("2.0.2..", ("description", "Reference, production-ready Apache Airflow image")),
        ])
        let ofOthers: [(String, String)] = rows([
            ("2.2.4..2.9", ("io.artifacthub.package.license", "Apache-2.0")),
            // A variable in single quotation marks.
            ("2.2.4..2.9", ("io.artifacthub.package.readme-url", "${AIRFLOW_IMAGE_README_URL}")),
        ])
        return own.map { ("org.apache.airflow.\($0)", $1) }
            + ofOCI.map { ("org.opencontainers.image.\($0)", $1) } + ofOthers
    }
}

// MARK: - Debian packages

extension ReleaseLine {
    /// What the Dockerfile lists.
    private var commonPackages: [String] {
        [
            "apt-transport-https", "apt-utils", "ca-certificates", "curl", "dumb-init", "freetds-bin",
            "gnupg",
            "krb5-user", "ldap-utils", "libsasl2-2", "libsasl2-modules", "locales", "lsb-release",
            "openssh-client", "rsync", "sasl2-bin", "sqlite3", "sudo", "unixodbc",
        ]
            + rows([
                ("..2.8.2", "gosu"), ("2.0..2.7", "libldap-2.4-2"), ("2.6.3..", "libgeos-dev"),
                ("2.8..", "libxmlsec1"), ("2.9..", "libev4"), ("2.10..2.11", "python3-selinux"),
                ("3.0.2..", "git"), ("3.1..", "wget"), ("3.1..", "iputils-ping"), ("..2.7", "netcat"),
                ("2.8..", "netcat-openbsd"),
            ])
    }

    private var debianPackages: [String] {
        switch debian {
        case .buster: ["libffi6", "libssl1.1", "gcc-8-base", "netcat-traditional"]
        case .bullseye: ["libffi7", "libssl1.1", "gcc-10-base", "netcat-traditional"]
        case .bookworm: ["libffi8", "libssl3", "libldap-2.5-0", "gcc-12-base"]
        }
    }

    private var clientPackages: [String] {
        let isOnAMD64 = architecture == "amd64"
        let mysql: [[String]] = rows([
            ("..1.10", ["mysql-client=5.7.31-1debian9", "libmysqlclient20=5.7.31-1debian9"]),
            ("2.0..2.7", isOnAMD64 ? ["mysql-client=8.0.30-1", "libmysqlclient21=8.0.30-1"] : []),
            ("2.6..2.7", isOnAMD64 ? [] : ["mariadb-client-core-10.5=1:10.5.21", "libmariadb3=1:10.5.21"]),
            (
                "2.8..",
                ["mariadb-client=1:10.11.6", "libmariadb3=1:10.11.6", "libmariadb3-compat=1:10.11.6"]
            ),
        ])
        let others = rows([
            ("1..", "postgresql-client"), ("2.3..", "postgresql-client-15"),
            (
                "2.3..2.5.0", isOnAMD64 ? "msodbcsql18" : "odbcinst"
            ), ("2.5.1..", "msodbcsql18"), ("2.10..", "docker-ce-cli"),
        ])
        return mysql.flatMap(\.self) + others
    }

    /// The packages of Debian's Python, which python3-selinux draws in.
    private var pythonPackages: [String] {
        isOf("2.10..2.11") ? ["python3", "python3.11", "python3.11-minimal", "libpython3.11-stdlib"] : []
    }

    private var packages: [String] {
        ["dpkg", "apt", "bash", "libc6=2.31-13", "passwd", "util-linux"] + debianPackages + commonPackages
            + clientPackages + pythonPackages
    }

    /// Where Debian puts libraries of the processor.
    private var libraries: String {
        "\(isMerged ? "/usr" : "")/lib/\(architecture == "amd64" ? "x86_64" : "aarch64")-linux-gnu"
    }

    /// Whether /bin is a link to /usr/bin.
    private var isMerged: Bool { debian == .bookworm }
}

// MARK: - Layers

extension ReleaseLine {
    private static let home = "/home/airflow"
    private var site: String { "\(ReleaseLine.home)/.local/lib/python\(python)/site-packages" }

    private var passwd: String {
        let primaryGroup = isOf("..2.0.1") ? 50000 : 0
        let about = isOf("2.2..") ? "First Last,RoomNumber,WorkPhone,HomePhone" : ",,,"
        return "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
            + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            + "airflow:x:50000:\(primaryGroup):\(about):/home/airflow:/bin/bash\n"
    }

    private var group: String {
        "root:x:0:\(isOf("2.2..") ? "airflow" : "")\ndaemon:x:1:\nshadow:x:42:\nnogroup:x:65534:\n"
            + (isOf("..2.1") ? "airflow:x:50000:\(isOf("2.0.2..") ? "airflow" : "")\n" : "")
    }

    /// A step without layer, as the builder of the time wrote it.
    private func step(_ instruction: String) -> String {
        isOf("2.3..") ? instruction : "/bin/sh -c #(nop)  \(instruction)"
    }

    private func layer(_ command: String, _ members: [TestImage.Member]) -> TestImage.Layer {
        let arguments = "|2 AIRFLOW_UID=50000 AIRFLOW_HOME=/opt/airflow"
        let shell = "/bin/bash -o pipefail -e -u -x -c"
        return TestImage.Layer(
            instruction: isOf("2.3..")
                ? "RUN \(arguments) \(shell) \(command) # buildkit" : "\(arguments) \(shell) \(command)",
            members: members)
    }

    private func copy(_ what: String, _ members: [TestImage.Member]) -> TestImage.Layer {
        TestImage.Layer(
            instruction: isOf("2.3..") ? "COPY \(what) # buildkit" : "/bin/sh -c #(nop) COPY \(what) ",
            members: members)
    }

    private var debianLayer: TestImage.Layer {
        let bin = isMerged ? "/usr/bin" : "/bin"
        let release = ["buster": "10", "bullseye": "11", "bookworm": "12"][debian.rawValue] ?? ""
        let directories = ["/etc", "/opt", "/root", "/usr", "/var", "/var/log"].map {
            TestImage.Member.directory($0)
        }
        let links =
            isMerged
            ? ["bin", "sbin", "lib"].map { TestImage.Member.link("/\($0)", to: "usr/\($0)") }
            : [.directory("/bin"), .directory("/sbin"), .directory("/lib")]
        let privileged: [TestImage.Member] =
            ["su", "mount", "umount"].map { .command("\(bin)/\($0)", mode: 0o4755) }
            + ["passwd", "chsh", "chfn", "gpasswd", "newgrp"].map {
                .command("/usr/bin/\($0)", mode: 0o4755)
            }
            + ["chage", "expiry"].map { .command("/usr/bin/\($0)", mode: 0o2755, gid: 42) }
            + [.command(isMerged ? "/usr/sbin/unix_chkpwd" : "/sbin/unix_chkpwd", mode: 0o2755, gid: 42)]
        let sources =
            isMerged
            ? TestImage.Member.file(
                "/etc/apt/sources.list.d/debian.sources",
                TestImage.debianSources)
            : .file("/etc/apt/sources.list", "deb http://deb.debian.org/debian \(debian) main\n")
        return TestImage.Layer(
            instruction: isOf("2.3..")
                ? "# debian.sh --arch '\(architecture)' out/ '\(debian)'"
                : "/bin/sh -c #(nop) ADD file:1234 in / ",
            members: directories + links + privileged + [
                sources,
                .file(
                    "/etc/os-release", "ID=debian\nVERSION_ID=\"\(release)\"\nVERSION_CODENAME=\(debian)\n"),
                .file(
                    "/etc/passwd", passwd.split(separator: "airflow:").first.map(String.init) ?? "",
                    mode: 0o644),
                .file("/etc/group", "root:x:0:\ndaemon:x:1:\nshadow:x:42:\nnogroup:x:65534:\n"),
                .file(
                    "/var/lib/dpkg/status",
                    dpkgStatus(["dpkg", "apt", "bash", "libc6=2.31-13"] + debianPackages.prefix(3))),
                .command("\(bin)/bash"), .link("\(bin)/sh", to: "bash"), .command("/usr/bin/dpkg"),
                .command("/usr/bin/apt-get"), library("\(libraries)/libc.so.6"),
                library("\(libraries)/libm.so.6", needs: ["libc.so.6"]),
                .file(TestImage.keyringPath, TestImage.keyring),
                .file("/etc/apt/trusted.gpg.d/others.asc", TestImage.keyring),
            ])
    }

    private var pythonLayer: TestImage.Layer {
        let place = isOf("3.1..") ? "/usr/python" : "/usr/local"
        return layer(
            "make install",
            [
                .command("\(place)/bin/python\(python)"),
                .link("\(place)/bin/python3", to: "python\(python)"),
                .link("\(place)/bin/python", to: "python3"), .command("\(place)/bin/pip"),
                .distribution("pip", "21.1", in: "\(place)/lib/python\(python)/site-packages"),
                .distribution("setuptools", "53.0.0", in: "\(place)/lib/python\(python)/site-packages"),
            ])
    }

    private func library(_ path: String, needs: [String] = []) -> TestImage.Member {
        .library(path, needs: needs, machine: architecture == "amd64" ? 62 : 183)
    }

    /// The library of the MySQL client.
    private var clientLibrary: String {
        isOf("2.8..") || architecture != "amd64"
            ? "libmariadb.so.3" : "libmysqlclient.so.\(isOf("..1.10") ? 20 : 21)"
    }

    /// What extensions of Python need, by their files below site-packages.
    private var extensions: [TestImage.Member] {
        if isSlim { return [] }
        var needs = [("greenlet/_greenlet.so", "libstdc++.so.6"), ("psycopg2/_psycopg.so", "libm.so.6")]
        if architecture == "amd64" { needs.append(("MySQLdb/_mysql.so", clientLibrary)) }
        return needs.flatMap { path, need in
            var file = library("\(site)/\(path)", needs: [need, "libc.so.6"])
            (file.mode, file.uid) = (0o775, 50000)
            let directory = "\(site)/\(path.prefix { $0 != "/" })"
            return [.directory(directory, mode: 0o775, uid: 50000), file]
        }
    }

    private var packageLayer: TestImage.Layer {
        let bin = isMerged ? "/usr/bin" : "/bin"
        let nc = isMerged ? "nc.openbsd" : "nc.traditional"
        let hasClient = clientPackages.contains { $0.hasPrefix("mysql") || $0.hasPrefix("mariadb") }
        let isOracles = clientPackages.contains { $0.hasPrefix("mysql") }
        let client = isOracles ? "mysql" : "mariadb"
        var members: [TestImage.Member] = [
            .file("/var/lib/dpkg/status", dpkgStatus(packages)), .command("/usr/bin/dumb-init"),
            .command("/usr/bin/kinit"), .command("/usr/bin/klist"), .command("/usr/bin/ksu", mode: 0o4755),
            .command("/usr/bin/sudo", mode: 0o4755), .command("/usr/bin/ssh-agent", mode: 0o2755, gid: 101),
            .command("/usr/lib/openssh/ssh-keysign", mode: 0o4755), .command("\(bin)/\(nc)"),
            .link("\(bin)/nc", to: "/etc/alternatives/nc"), .link("/etc/alternatives/nc", to: "/bin/\(nc)"),
            .command("/usr/share/postgresql-common/pg_wrapper"),
            .link("/usr/bin/psql", to: "../share/postgresql-common/pg_wrapper"),
            .file("/etc/sudoers", "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n", mode: 0o440),
            library("\(libraries)/libstdc++.so.6", needs: ["libm.so.6", "libc.so.6"]),
            // A second copy of it is worth a word.
            .file("/usr/share/large", String(repeating: "x", count: 2 << 20)),
            .directory("/var/lib/apt/lists"), .directory("/var/cache/apt/archives"),
            .directory("/var/cache/apt/archives/partial"),
        ]
        if hasClient {
            members += [
                .command("/usr/bin/\(client)"),
                library("\(libraries)/\(clientLibrary)", needs: ["libc.so.6"]),
            ]
            if !isOracles { members.append(.link("/usr/bin/mysql", to: "mariadb")) }
        }
        members += rows([
            (
                "..2.7",
                .file(
                    "/etc/apt/sources.list.d/mysql.list",
                    "deb http://repo.mysql.com/apt/debian/ \(isOf("..1.10") ? "stretch" : "buster") mysql-8.0\n"
                )
            ),
            (
                "2.3..",
                .file(
                    "/etc/apt/sources.list.d/pgdg.list",
                    "deb https://apt.postgresql.org/pub/repos/apt/ \(debian)-pgdg main\n")
            ),
            ("2.5..", .command("/usr/local/bin/docker")), ("3.0.2..", .command("/usr/bin/git")),
            ("2.10..2.11", .command("/usr/bin/python3.11")),
            ("2.10..2.11", .link("/usr/bin/python3", to: "python3.11")),
            ("2.10..2.11", .distribution("selinux", "3.4", in: "/usr/lib/python3/dist-packages")),
            ("2.3..", .command("/root/bin/pip")), ("2.3..", .command("/airflow-scheduler-autorestart")),
            ("2.0..", .command("/scripts/docker/install_mysql.sh")),
        ])
        return layer("bash /scripts/docker/install_os_dependencies.sh runtime", members)
    }

    private var userLayer: TestImage.Layer {
        // What adduser of the Debian release makes, from 2.2.4 on with the owner's rights for the group.
        let mode: UInt16 = isOf("2.2.4..") ? (debian == .bookworm ? 0o770 : 0o775) : 0o755
        return layer(
            "adduser airflow",
            [
                .file("/etc/passwd", passwd), .file("/etc/group", group),
                .directory("/home"), .directory(ReleaseLine.home, mode: mode, uid: 50000),
                .file("\(ReleaseLine.home)/.bashrc", mode: 0o664, uid: 50000),
                .directory("/opt/airflow", mode: 0o775, uid: 50000),
                .directory("/opt/airflow/dags", mode: 0o775, uid: 50000),
                .directory("/opt/airflow/logs", mode: 0o775, uid: 50000),
            ])
    }

    private var distributions: [(name: String, version: String)] {
        let airflow: [(String, String)] = rows([
            ("1..", ("apache-airflow", installed)), ("3.0..", ("apache-airflow-core", installed)),
            ("3.0..", ("apache-airflow-task-sdk", "1.1.5")), ("2.0..", ("pip", "21.1")),
            ("1..", ("SQLAlchemy", "1.3.23")),
        ])
        let providers: [[String]] = rows([
            ("2.0..", ["ftp", "http", "imap", "sqlite"]), ("2.4..", ["common-sql"]), ("2.8..", ["common-io"]),
            ("2.9..", ["fab", "smtp"]), ("2.10..", ["common-compat"]), ("3.0..", ["standard"]),
        ])
        let regular: [String] = rows([
            ("2.0..", "amazon"), ("2.0..", "celery"), ("2.0..", "cncf-kubernetes"), ("2.0..", "docker"),
            ("2.0..", "google"), ("2.0..", "mysql"), ("2.0..", "postgres"), ("2.0..", "redis"),
            ("2.0..", "slack"), ("2.0..", "ssh"),
        ])
        let extras: [String] = rows([
            ("1..", "celery"), ("1..", "elasticsearch"), ("1..", "kubernetes"), ("1..", "paramiko"),
            ("1..", "redis"), ("..2.0", "slackclient"), ("2.1..", "slack-sdk"), ("1..", "statsd"),
            ("1..", "psycopg2-binary"),
        ])
        let mysql = architecture == "amd64" ? [("mysqlclient", "1.3.14")] : []
        return airflow
            + (providers.flatMap(\.self) + (isSlim ? [] : regular)).map {
                ("apache-airflow-providers-\($0)", "2.0.0")
            }
            + (isSlim ? [] : extras.map { ($0, "4.3.0") } + mysql)
    }

    /// The files of Airflow that pip lists; what the build removes is in the list still.
    private func record(_ www: String) -> [String] {
        ["airflow/__init__.py", "airflow/__pycache__/__init__.pyc"]
            + (isOf("..2.0") ? ["airflow/\(www)/package.json", "airflow/\(www)/yarn.lock"] : [])
    }

    private var libraryLayer: TestImage.Layer {
        let local = "\(ReleaseLine.home)/.local"
        let www = installed.hasPrefix("1.") ? "www_rbac" : "www"
        let directories =
            ["", "/bin", "/lib", "/lib/python\(python)", "/lib/python\(python)/site-packages"].map {
                local + $0
            } + ["", "/\(www)", "/\(www)/static", "/\(www)/static/dist"].map { "\(site)/airflow\($0)" }
        var members = directories.map { TestImage.Member.directory($0, mode: 0o775, uid: 50000) }
        for (name, version) in distributions {
            let isAirflow = name == "apache-airflow"
            members += TestImage.installed(
                name, version, in: site, directURL: isAirflow ? directURL : nil,
                extras: isAirflow ? ["celery"] : [],
                requires: isAirflow ? ["SQLAlchemy>=1.3", "celery>=4.3; extra == 'celery'"] : [],
                files: isAirflow ? record(www) : name == "apache-airflow-core" ? ["airflow/__init__.py"] : [])
        }
        members += extensions
        members += [
            .file("\(site)/airflow/__init__.py", mode: 0o664, uid: 50000),
            .file("\(local)/bin/airflow", "#!", mode: 0o775, uid: 50000),
            .file("\(local)/bin/pip", "#!", mode: 0o775, uid: 50000),
        ]
        let interpreter = isOf("3.1..") ? "/usr/python/bin" : "/usr/local/bin"
        members += rows([
            ("..2.11", .file("\(site)/airflow/\(www)/static/dist/manifest.json", mode: 0o664, uid: 50000)),
            ("2.9..", .file("\(local)/pyvenv.cfg", "home = \(interpreter)\n", mode: 0o664, uid: 50000)),
            (
                "2.9..",
                TestImage.Member(
                    path: "\(local)/bin/python", kind: .symbolicLink, uid: 50000,
                    target: "\(interpreter)/python")
            ),
            (
                "2.9..",
                .file(
                    "\(ReleaseLine.home)/constraints.txt", "celery==4.3.0\nsqlalchemy==1.3.23\n", mode: 0o664,
                    uid: 50000)
            ),
            ("2.8..", .file("/Dockerfile", uid: 50000)),
        ])
        return copy("--chown=airflow:0 /home/airflow/.local /home/airflow/.local", members)
    }

    private var entrypointLayer: TestImage.Layer {
        let owner: Int64 = isOf("1.10.13..2.2.3") ? 50000 : 0
        return copy(
            "entrypoint_prod.sh /entrypoint",
            ["/entrypoint", "/clean-logs"].map { .command($0, uid: owner) })
    }

    private var passwdLayer: TestImage.Layer {
        layer("chmod a+x /entrypoint && chmod g=u /etc/passwd", [.file("/etc/passwd", passwd, mode: 0o664)])
    }

    var image: TestImage {
        var image = TestImage()
        image.architecture = architecture
        image.user = "50000"
        image.entrypoint = ["/usr/bin/dumb-init", "--", "/entrypoint"]
        image.command = isOf("..2.1.0") ? ["--help"] : []
        image.workingDirectory = "/opt/airflow"
        image.ports = ["8080/tcp"]
        image.environment = environment
        image.labels = labels
        image.layers = [
            debianLayer, pythonLayer, packageLayer, userLayer, libraryLayer, entrypointLayer, passwdLayer,
        ]
        image.steps = [
            "ENV AIRFLOW_HOME=/opt/airflow", "ENV AIRFLOW_UID=50000", "ENV DUMB_INIT_SETSID=1",
            "LABEL org.apache.airflow.uid=50000", "WORKDIR /opt/airflow", "EXPOSE map[8080/tcp:{}]",
            "USER 50000", "ENTRYPOINT [\"/usr/bin/dumb-init\" \"--\" \"/entrypoint\"]",
            isOf("..2.1.0") ? "CMD [\"--help\"]" : "CMD []",
        ].map(step)
        return image
    }
}
