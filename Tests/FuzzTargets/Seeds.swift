import AssayTestSupport
import LayerArchive
import OCIModel

extension FuzzTarget {
    /// Inputs that the reader understands: mutations begin with them.
    public var seeds: [[UInt8]] {
        switch self {
        case .layer: Seeds.layers
        case .archive: Seeds.archives
        case .documents: Seeds.documents
        case .reference: Seeds.references.map { Array($0.utf8) }
        case .packages: [Array(Seeds.packages.utf8)]
        case .distributions: [Array(Seeds.distributions.utf8)]
        case .requirements: Seeds.requirements.map { Array($0.utf8) }
        case .debianVersions:
            [Array("1:2.36-9+deb12u8\n2.36~rc1-1\n0".utf8), Array("1.0-1\n1.0\n1.0-0".utf8)]
        case .users: [Array(Seeds.users.utf8)]
        case .history: [Array(Seeds.history.utf8)]
        case .sources: [Array(Seeds.sources.utf8)]
        case .suite: [Array(Seeds.suite.utf8), Array(Seeds.waivers.utf8)]
        case .elf:
            [
                ELF(name: "liba.so.1", needed: ["libb.so", "libc.so.6"], runpath: "$ORIGIN/../lib").bytes,
                ELF(needed: ["libb.so"], rpath: "/opt").bytes,
            ]
        }
    }
}

enum Seeds {
    private static var builder: ImageBuilder {
        var image = ImageBuilder()
        image.addLayer(createdBy: "COPY a / # buildkit") { tar in
            tar.add("etc", .directory)
            tar.add("etc/passwd", content: Array("root:x:0:0::/root:/bin/sh\n".utf8))
            tar.add("bin", .symbolicLink, linkTarget: "usr/bin")
            tar.add("link", .hardLink, linkTarget: "etc/passwd")
            tar.add("dev/null", .characterDevice, device: (1, 3))
            tar.add("f", content: [1], attributes: [("user.a", [0, 1])])
            tar.addWithGNULongName(String(repeating: "d/", count: 60) + "x", content: [2])
        }
        image.addLayer(createdBy: "/bin/sh -c rm -r etc") { tar in
            tar.add(".wh.link")
            tar.add("etc/.wh..wh..opq")
            tar.add("etc/passwd", content: Array("a:x:1:1::/:\n".utf8))
        }
        return image
    }

    static var layers: [[UInt8]] {
        var odd = TarBuilder()
        odd.addPAX([("comment", Array("c".utf8))], isGlobal: true)
        odd.addPAX([("size", Array("3".utf8)), ("path", Array("p".utf8)), ("mtime", Array("1.5".utf8))])
        odd.add("a", content: [1, 2, 3])
        odd.addPAX([
            ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
            ("GNU.sparse.name", Array("s".utf8)), ("GNU.sparse.realsize", Array("9".utf8)),
        ])
        odd.add("x", content: Array("1\n8\n1\n".utf8) + [UInt8](repeating: 0, count: 506) + [1])
        odd.add("v", typeFlag: UInt8(ascii: "V"))
        odd.add("l", .hardLink, content: [1], linkTarget: "a")
        let plain = builder.layers + [odd.archive]
        return plain + plain.map(gzipped) + [[], [UInt8](repeating: 0, count: 1024)]
    }

    static var archives: [[UInt8]] {
        var image = builder
        image.form = .plain
        let archives = [
            try? image.legacyDockerArchive(), try? image.dockerArchive(), try? builder.ociArchive(),
        ]
        return archives.compactMap { $0 }
    }

    static var documents: [[UInt8]] {
        let image = builder
        guard let config = try? image.config(), let manifest = try? image.manifest() else { return [] }
        guard let index = try? image.index(of: [(manifest, "latest")], architecture: "amd64") else {
            return []
        }
        return [config, manifest, index]
    }

    static let references = [
        "docker-archive:airflow.tar:apache/airflow:2.10.5", "oci:build/out:latest",
        "docker-daemon:a@sha256:00",
        "docker://apache/airflow", "linux/arm64/v8", "sha256:\(String(repeating: "0a", count: 32))",
        "/../a/./b//c",
    ]

    static let packages = """
        Package: libc6
        Status: install ok installed
        Architecture: amd64
        Multi-Arch: same
        Version: 2.36-9+deb12u8
        Provides: libc, libc-bin (= 2)
        Description: GNU C Library
         more of it
         .

        Package: gone
        Status: deinstall ok config-files
        Version: 1

        \0/.
        /usr/bin/env
        \0/bin/sh
        /bin/sh.distrib
        dash

        """

    static let distributions = """
        Metadata-Version: 2.1
        Name: a
        Version: 1
        Requires-Dist: b (>=1,<2); python_version >= "3.8" and extra == "x"
        Requires-Dist: c[y]~=1.0 ; sys_platform != 'win32' or (os_name == "nt")
        Provides-Extra: x

        Text
        \0a/__init__.py,sha256=abc,10
        "a/b,c.py",,
        ../../../bin/a,sha256=abc,3
        \0Wheel-Version: 1.0
        Tag: cp312-cp312-manylinux_2_17_x86_64
        \0{"url": "https://example.org/a", "vcs_info": {"vcs": "git", "commit_id": "1"}}\0a==1
        b==1.0.post1 ; python_version < "3"

        """

    static let requirements = [
        "1!2.0a1.post2.dev3+local.4\nv1.0-rc.1\n1.0.0",
        "a[x,y] >=1.0, !=1.5.*, <2 ; python_version>='3.8'\n1.4",
        "a @ https://example.org/a.zip ; extra == 'x' and (os_name=='posix' or platform_machine in 'x86_64 arm64')",
        "a (===1.0+x)\n1.0+x",
    ]

    static let users = """
        root:x:0:0:root:/root:/bin/bash
        airflow:x:50000:0:,,:/home/airflow:/bin/bash
        +nis
        \0root:x:0:airflow,root
        sudo:x:27:
        \0ID=debian
        VERSION_ID="12"
        PRETTY_NAME='Debian \\"x\\"'

        """

    static let history = """
        /bin/sh -c #(nop) ADD file:0123456789abcdef in / 
        -ARG AIRFLOW_UID=50000
        |2 AIRFLOW_UID=50000 A=b c /bin/sh -c useradd "a b" # buildkit
        RUN |1 A=b /bin/bash -o pipefail -c apt-get install -y gcc # buildkit
        -/bin/sh -c #(nop)  ENTRYPOINT ["/usr/bin/dumb-init" "--" "/entrypoint"]
        COPY --chown=airflow:0 a b # buildkit
        -ENV A=b C="d e"
        """

    static let sources = """
        deb [signed-by=/etc/apt/trusted.gpg.d/a.gpg arch=amd64] https://example.org/debian bookworm main
        deb-src http://example.org/debian ./
        \0Types: deb
        URIs: https://example.org/debian
        Suites: bookworm bookworm-updates
        Components: main
        Signed-By:
         -----BEGIN PGP PUBLIC KEY BLOCK-----
         .
         mQENBFVaEJcBCAC
         =AbCd
         -----END PGP PUBLIC KEY BLOCK-----
        \0\u{98}\u{01}\u{0D}\u{04}
        """

    static let suite = """
        suite: s
        title: Title
        parameters:
          - {name: AIRFLOW_UID, default: "50000", aliases: [UID]}
        profiles:
          - {id: p, title: t, versions: "2.8..2.11"}
        scenarios:
          - id: entry
            containers: {main: {args: [bash, -c, "exit 3"], user: "50001:0", environment: {A: b}}}
            steps: [{start: main}, {wait: {exit: main}}]
        checks:
          - id: A-1
            title: the user has UID ${AIRFLOW_UID}
            when: {versions: "2.."}
            expect: {user: airflow, uid: "${AIRFLOW_UID}", gid: {"..2.0.1": 50000, default: 0}}
          - id: A-2
            title: &t paths
            severity: warning
            expect: {paths: {every: ["/opt/**"], except: ["/opt/x"]}, mode: g=u}
          - {id: A-3, title: *t, run: entry, expect: {exit: main, code: 3}}

        """

    static let waivers = """
        waivers:
          - {check: A-1, reason: r, owner: o, expires: 2026-12-31, subject: "/opt/*"}

        """
}
