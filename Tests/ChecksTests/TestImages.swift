extension TestImage {
    /// A Debian with Python, as the examples of the kinds expect it.
    static var debian: TestImage {
        var image = TestImage()
        image.names = ["example:1"]
        image.user = "root"
        image.command = ["bash"]
        image.workingDirectory = "/work"
        image.environment = [("PATH", "/usr/local/bin:/usr/bin:/bin")]
        image.labels = [("org.opencontainers.image.title", "Example")]
        image.layers = [
            Layer(
                instruction: "/bin/sh -c #(nop) ADD file:1234 in / ",
                members: [
                    .directory("/etc"), .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
                    .file("/etc/group", "root:x:0:\nadm:x:4:root\n"),
                    .file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"),
                    .file("/var/lib/dpkg/status", dpkgStatus(["dpkg", "libc6=2.36-9"])),
                    .command("/usr/bin/bash"), .command("/usr/bin/dpkg"), .command("/usr/bin/apt-get"),
                    .link("/bin", to: "usr/bin"), .link("/usr/bin/sh", to: "bash"),
                    .link("/lib", to: "usr/lib"),
                    .library("/usr/lib/x86_64-linux-gnu/libc.so.6"),
                    .library("/usr/lib/x86_64-linux-gnu/libm.so.6", needs: ["libc.so.6"]),
                    // Python's images have no Tk.
                    .library(
                        "/usr/local/lib/python3.12/lib-dynload/_tkinter.so",
                        needs: ["libtk8.6.so", "libm.so.6"]),
                    .file("/etc/apt/sources.list.d/debian.sources", debianSources),
                    .file(keyringPath, keyring),
                    .distribution("pip", "24.2", in: "/usr/local/lib/python3.12/site-packages"),
                    .file(
                        "/usr/local/lib/python3.12/site-packages/pip-24.2.dist-info/RECORD",
                        "pip-24.2.dist-info/METADATA,,\n../../../bin/pip,,\npip/__pycache__/x.pyc,,\n"),
                    .file("/usr/local/share/constraints.txt", "pip==24.2\nother==1\n"),
                    .command("/usr/local/bin/python3.12"), .link("/usr/local/bin/python3", to: "python3.12"),
                    .link("/usr/local/bin/python", to: "python3"), .command("/usr/local/bin/pip"),
                    .directory("/opt"),
                ])
        ]
        image.steps = ["LABEL org.opencontainers.image.title=Example", "CMD [\"bash\"]"]
        return image
    }

    static let debianSources = """
        Types: deb
        URIs: http://deb.debian.org/debian
        Suites: bookworm bookworm-updates
        Components: main
        Signed-By: /usr/share/keyrings/debian-archive-keyring.asc
        """

    static let keyringPath = "/usr/share/keyrings/debian-archive-keyring.asc"

    /// A key of 2020 that does not expire.
    static let keyring = """
        -----BEGIN PGP PUBLIC KEY BLOCK-----

        mQAMBF9eEAABAAilAAIDtBlFeGFtcGxlIDxrZXlAZXhhbXBsZS5vcmc+iB0EEwEI
        AAYFAl9eEAAACgkQQj+JwqS8igYAAAABAQ==
        -----END PGP PUBLIC KEY BLOCK-----
        """

    /// The same, expiring on 2021-09-13.
    static let expiringKeyring = """
        -----BEGIN PGP PUBLIC KEY BLOCK-----

        mQAMBF9eEAABAAilAAIDtBlFeGFtcGxlIDxrZXlAZXhhbXBsZS5vcmc+iCMEEwEI
        AAwFAl9eEAAFCQHhM4AACgkQQj+JwqS8igYAAAABAQ==
        -----END PGP PUBLIC KEY BLOCK-----
        """

    static let site = "/home/airflow/.local/lib/python3.12/site-packages"

    /// An Airflow 2.10.5 as its Dockerfile makes it, as far as the suite looks.
    static var airflow: TestImage {
        var image = TestImage.debian
        image.architecture = "amd64"
        image.user = "50000"
        image.entrypoint = ["/usr/bin/dumb-init", "--", "/entrypoint"]
        image.command = []
        image.workingDirectory = "/opt/airflow"
        image.ports = ["8080/tcp"]
        image.environment = [
            (
                "PATH",
                "/root/bin:/home/airflow/.local/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
            ),
            ("LANG", "C.UTF-8"), ("LANGUAGE", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("LC_CTYPE", "C.UTF-8"),
            ("LC_MESSAGES", "C.UTF-8"), ("PYTHON_VERSION", "3.12.8"),
            ("PYTHON_BASE_IMAGE", "python:3.12-slim-bookworm"), ("AIRFLOW_HOME", "/opt/airflow"),
            ("AIRFLOW_USER_HOME_DIR", "/home/airflow"), ("AIRFLOW_UID", "50000"),
            ("AIRFLOW_VERSION", "2.10.5"),
            ("AIRFLOW__CORE__LOAD_EXAMPLES", "false"), ("GUNICORN_CMD_ARGS", "--worker-tmp-dir /dev/shm"),
            ("INSTALL_MYSQL_CLIENT", "true"), ("VIRTUAL_ENV", "/home/airflow/.local"),
            ("DUMB_INIT_SETSID", "1"),
            ("ADDITIONAL_RUNTIME_APT_DEPS", ""),
        ]
        image.labels = [
            ("org.apache.airflow.distro", "debian"), ("org.apache.airflow.module", "airflow"),
            ("org.apache.airflow.component", "airflow"), ("org.apache.airflow.image", "airflow"),
            ("org.apache.airflow.uid", "50000"), ("org.apache.airflow.version", "2.10.5"),
            ("org.opencontainers.image.vendor", "Apache Software Foundation"),
            ("org.opencontainers.image.licenses", "Apache-2.0"),
            ("org.opencontainers.image.ref.name", "airflow"),
            ("org.opencontainers.image.source", "https://github.com/apache/airflow"),
        ]
        image.layers += [aptLayer, userLayer, libraryLayer, entrypointLayer, passwdLayer]
        image.steps = [
            "ENV AIRFLOW_HOME=/opt/airflow", "ENV AIRFLOW_UID=50000", "ENV DUMB_INIT_SETSID=1",
            "LABEL org.apache.airflow.uid=50000", "WORKDIR /opt/airflow", "EXPOSE map[8080/tcp:{}]",
            "USER 50000",
            "ENTRYPOINT [\"/usr/bin/dumb-init\" \"--\" \"/entrypoint\"]", "CMD []",
        ]
        return image
    }

    static let runtimePackages = [
        "dpkg", "libc6=2.36-9", "gcc-12-base", "krb5-user", "dumb-init", "netcat-openbsd", "libgeos-dev",
        "mariadb-client=1:10.11.6", "libmariadb3=1:10.11.6",
    ]

    static let passwd =
        "root:x:0:0:root:/root:/bin/bash\nairflow:x:50000:0:First Last,RoomNumber:/home/airflow:/bin/bash\n"

    private static var aptLayer: Layer {
        Layer(
            instruction:
                "RUN /bin/bash -o pipefail -c bash /scripts/docker/install_os_dependencies.sh runtime",
            members: [
                .file("/var/lib/dpkg/status", dpkgStatus(runtimePackages)), .command("/usr/bin/dumb-init"),
                .command("/usr/bin/kinit"), .command("/usr/bin/klist"), .command("/usr/bin/nc.openbsd"),
                .link("/usr/bin/nc", to: "/etc/alternatives/nc"),
                .link("/etc/alternatives/nc", to: "/bin/nc.openbsd"), .command("/usr/bin/mariadb"),
                .link("/usr/bin/mysql", to: "mariadb"),
                .library("/usr/lib/x86_64-linux-gnu/libmariadb.so.3", needs: ["libc.so.6"]),
                .library("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", needs: ["libm.so.6", "libc.so.6"]),
                // What makes a second copy of it worth a word.
                .file("/usr/share/large", String(repeating: "x", count: 2 << 20)),
                .directory("/var/lib/apt/lists"), .directory("/var/cache/apt/archives/partial"),
            ])
    }

    private static var userLayer: Layer {
        Layer(
            instruction:
                "RUN |2 AIRFLOW_UID=50000 AIRFLOW_HOME=/opt/airflow /bin/bash -c adduser airflow # buildkit",
            members: [
                .file("/etc/passwd", passwd), .file("/etc/group", "root:x:0:airflow\nadm:x:4:root\n"),
                .directory("/home/airflow", mode: 0o770, uid: 50000),
                .file("/home/airflow/.bashrc", mode: 0o664, uid: 50000),
                .directory("/opt/airflow", mode: 0o775, uid: 50000),
                .directory("/opt/airflow/dags", mode: 0o775, uid: 50000),
                .directory("/opt/airflow/logs", mode: 0o775, uid: 50000),
            ])
    }

    private static var libraryLayer: Layer {
        let local = "/home/airflow/.local"
        let directories = ["", "/bin", "/lib", "/lib/python3.12", "/lib/python3.12/site-packages"]
        let distributions = [
            ("apache-airflow", "2.10.5"), ("apache-airflow-providers-celery", "3.10.0"),
            ("mysqlclient", "2.2.7"),
            ("apache-airflow-providers-mysql", "6.0.0"), ("pip", "24.2"),
        ]
        let info = "\(site)/apache_airflow-2.10.5.dist-info"
        let record =
            "apache_airflow-2.10.5.dist-info/METADATA,,\n../../../bin/airflow,,\nairflow/__init__.py,,\n"
        return Layer(
            instruction: "COPY --chown=airflow:0 /home/airflow/.local /home/airflow/.local # buildkit",
            members: directories.map { .directory(local + $0, mode: 0o775, uid: 50000) }
                + distributions.flatMap { name, version in
                    [
                        .directory(
                            "\(site)/\(name.replacing("-", with: "_"))-\(version).dist-info", mode: 0o775,
                            uid: 50000),
                        .distribution(name, version, in: site, uid: 50000),
                    ]
                }
                + extensions
                + [
                    .directory("\(site)/airflow", mode: 0o775, uid: 50000),
                    .file("\(site)/airflow/__init__.py", mode: 0o664, uid: 50000),
                    .file("\(info)/RECORD", record, mode: 0o664, uid: 50000),
                    .file("\(info)/INSTALLER", "pip\n", mode: 0o664, uid: 50000),
                    .file(
                        "/home/airflow/constraints.txt", "apache-airflow-providers-celery==3.10.0\n",
                        mode: 0o664, uid: 50000),
                    .file("\(local)/bin/airflow", "#!", mode: 0o775, uid: 50000),
                    .file("\(local)/bin/pip", "#!", mode: 0o775, uid: 50000),
                    Member(
                        path: "\(local)/bin/python", kind: .symbolicLink, uid: 50000,
                        target: "/usr/local/bin/python"),
                    .file("\(local)/pyvenv.cfg", "home = /usr/local/bin\n", mode: 0o664, uid: 50000),
                ])
    }

    private static var extensions: [Member] {
        let needs = ["MySQLdb/_mysql.so": "libmariadb.so.3", "greenlet/_greenlet.so": "libstdc++.so.6"]
        return needs.sorted { $0.key < $1.key }.flatMap { path, need in
            var file = Member.library("\(site)/\(path)", needs: [need, "libc.so.6"])
            (file.mode, file.uid) = (0o775, 50000)
            let directory = "\(site)/\(path.prefix { $0 != "/" })"
            return [.directory(directory, mode: 0o775, uid: 50000), file]
        }
    }

    private static var entrypointLayer: Layer {
        Layer(
            instruction: "COPY entrypoint_prod.sh /entrypoint # buildkit", members: [.command("/entrypoint")])
    }

    private static var passwdLayer: Layer {
        Layer(
            instruction: "RUN /bin/bash -c chmod a+rx /entrypoint && chmod g=u /etc/passwd # buildkit",
            members: [.file("/etc/passwd", passwd, mode: 0o664)])
    }
}
