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
    static var airflow: TestImage { ReleaseLine.reference.image }
}
