import Checks
import Testing

/// An image that keeps the contract: what it is made of, and what has to be said of it.
struct ConformingImage: Sendable, CustomTestStringConvertible {
    var name: String
    var profile: String
    var variant: String
    var warnings: [String] = []
    var isExtended = false
    var isCustomised = false
    /// What is true of the published image and lost by extending it as the document tells: checks of severity info.
    var lost: Set<String> = []
    var buildArguments: [(name: String, value: String)] = []
    /// Whether the image that it extends is given as its base.
    var hasBase = false
    var make: @Sendable () -> TestImage

    var testDescription: String { name }

    func inputs(_ image: TestImage) throws -> JudgeInputs {
        JudgeInputs(
            buildArguments: buildArguments.map { .init(name: $0.name, value: $0.value) },
            base: hasBase ? try image.base() : nil)
    }

    init(
        _ line: ReleaseLine, _ name: String? = nil,
        make: @escaping @Sendable (inout TestImage) -> Void = { _ in }
    ) {
        self.name = name.map { "\(line.name) \($0)" } ?? line.name
        profile = line.profile
        variant = line.isSlim ? "slim" : "regular"
        warnings = line.warnings
        self.make = {
            var image = line.image
            make(&image)
            return image
        }
    }

    private func with(_ change: (inout ConformingImage) -> Void) -> ConformingImage {
        var image = self
        change(&image)
        return image
    }
}

extension ConformingImage {
    static let all: [ConformingImage] =
        ReleaseLine.all.map { ConformingImage($0) } + [customised, customisedAndExtended] + extended
        + controls

    // MARK: As the document customises

    /// "Customizing the image": the example with jdbc and pandas.
    static let customised = ConformingImage(.documented, "customised", make: customise).with { image in
        image.isCustomised = true
        image.buildArguments = customisation
    }

    static let customisedAndExtended = ConformingImage(.documented, "customised and extended") { image in
        customise(&image)
        addPackage(&image)
    }.with { image in
        (image.isCustomised, image.isExtended) = (true, true)
        image.buildArguments = customisation
        image.lost = ["AIR-USER-007"]
    }

    private static let customisation = [
        ("PYTHON_BASE_IMAGE", "python:3.7-slim-buster"), ("PYTHON_MAJOR_MINOR_VERSION", "3.7"),
        ("AIRFLOW_INSTALL_SOURCES", "apache-airflow"), ("AIRFLOW_INSTALL_VERSION", "==1.10.12"),
        ("AIRFLOW_CONSTRAINTS_REFERENCE", "constraints-1-10"), ("AIRFLOW_SOURCES_FROM", "empty"),
        ("AIRFLOW_SOURCES_TO", "/empty"), ("ADDITIONAL_AIRFLOW_EXTRAS", "jdbc"),
        ("ADDITIONAL_PYTHON_DEPS", "pandas"), ("ADDITIONAL_DEV_DEPS", "gcc g++"),
        ("ADDITIONAL_RUNTIME_DEPS", "default-jre-headless"),
    ]

    @Sendable private static func customise(_ image: inout TestImage) {
        image.set("ADDITIONAL_RUNTIME_DEPS", "default-jre-headless")
        image.change("/var/lib/dpkg/status") {
            $0.text += dpkgStatus([
                "default-jre-headless=2:1.11-71", "java-common=0.71", "openjdk-11-jre-headless",
            ])
        }
        image.layers[2].members.append(.command("/usr/bin/java"))
        image.change("\(image.site)/apache_airflow-1.10.12.dist-info/METADATA") {
            $0.text +=
                "Provides-Extra: jdbc\nRequires-Dist: JPype1==0.7.1; extra == 'jdbc'\n"
                + "Requires-Dist: jaydebeapi>=1.1.1; extra == 'jdbc'\n"
        }
        let added = [("JPype1", "0.7.1"), ("JayDeBeApi", "1.2.3"), ("pandas", "1.1.2")]
        image.layers[4].members += added.flatMap { TestImage.installed($0, $1, in: image.site) }
    }

    /// `INSTALL_MYSQL_CLIENT=false`.
    static func removeMySQL(_ image: inout TestImage) {
        image.set("INSTALL_MYSQL_CLIENT", "false")
        image.change("/var/lib/dpkg/status") { [status = image.purging("mariadb-client", "libmariadb")] in
            $0 = status
        }
        for path in ["/usr/bin/mysql", "/usr/bin/mariadb", "/usr/lib/x86_64-linux-gnu/libmariadb.so.3"] {
            image.drop(path)
        }
        for name in ["mysqlclient-1.3.14", "apache_airflow_providers_mysql-2.0.0"] {
            image.drop("\(image.site)/\(name).dist-info")
        }
    }

    /// AIRFLOW_HOME, AIRFLOW_USER_HOME_DIR and AIRFLOW_UID of one's own.
    private static func relocated(_ image: TestImage) -> TestImage {
        func relocate(_ text: String) -> String {
            text.replacing("/opt/airflow", with: "/srv/airflow").replacing("/home/airflow", with: "/home/etl")
                .replacing(":x:50000:", with: ":x:1234:")
        }
        var image = image
        for layer in image.layers.indices {
            for member in image.layers[layer].members.indices {
                var moved = image.layers[layer].members[member]
                (moved.path, moved.text, moved.target) = (
                    relocate(moved.path), relocate(moved.text), relocate(moved.target)
                )
                if moved.uid == 50000 { moved.uid = 1234 }
                if moved.path == "/etc/group" { moved.text = moved.text.replacing(":1234:", with: ":50000:") }
                image.layers[layer].members[member] = moved
            }
        }
        image.user = "1234"
        image.workingDirectory = "/srv/airflow"
        for (name, value) in image.environment { image.set(name, relocate(value)) }
        image.set("AIRFLOW_UID", "1234")
        image.label("org.apache.airflow.uid", "1234")
        return image
    }

    // MARK: As the document extends

    static let extended: [ConformingImage] =
        [ReleaseLine.v1, .reference].flatMap { line in
            [
                ConformingImage(line, "with a Debian package") { addPackage(&$0) }
                    .with { $0.lost = ["AIR-USER-007"] },
                ConformingImage(line, "with a Python package") { addDistribution(&$0) }
                    .with { $0.lost = ["AIR-FS-008", "AIR-PY-009"] },
                ConformingImage(line, "with DAGs") { image in
                    image.extend(
                        "COPY dags /opt/airflow/dags",
                        [.directory("/opt/airflow/dags/team"), .file("/opt/airflow/dags/team/a.py")])
                }.with { $0.lost = ["AIR-FS-008"] },
                ConformingImage(line, "with build-essential") { image in
                    addPackage(&image, "build-essential", "gcc", "g++", "make", "libc6-dev", "dpkg-dev")
                    addDistribution(&image)
                }.with { image in
                    image.hasBase = true
                    image.lost = ["AIR-USER-007", "AIR-FS-008", "AIR-PY-009", "AIR-EXT-007"]
                },
            ].map { image in image.with { $0.isExtended = true } }
        }

    private static func addPackage(_ image: inout TestImage, _ more: String...) {
        image.extend("USER root")
        var member = image.installing("my-awesome-apt-dependency-to-add")
        member.text += dpkgStatus(more)
        image.extend(
            "RUN /bin/bash -o pipefail -c apt-get update && apt-get install -y --no-install-recommends "
                + "my-awesome-apt-dependency-to-add && rm -rf /var/lib/apt/lists/* # buildkit",
            [member, .command("/usr/bin/awesome")] + more.map { .command("/usr/bin/\($0)") })
        image.extend("USER airflow")
        image.user = "airflow"
    }

    /// pip leaves the modes of the umask, and compiles.
    private static func addDistribution(_ image: inout TestImage) {
        let folder = "\(image.site)/awesome"
        image.extend(
            "RUN /bin/bash -o pipefail -c pip install --no-cache-dir --user my-awesome-pip-dependency-to-add",
            [
                .directory("\(image.site)/awesome_pip-1.0.dist-info", uid: 50000),
                .distribution("awesome-pip", "1.0", in: image.site, uid: 50000),
                .directory(folder, uid: 50000), .file("\(folder)/__init__.py", uid: 50000),
                .directory("\(folder)/__pycache__", uid: 50000),
                .file("\(folder)/__pycache__/__init__.cpython.pyc", uid: 50000),
            ])
    }

    // MARK: What looks wrong and is not

    static let controls: [ConformingImage] = [
        ConformingImage(.reference, "without MySQL", make: { removeMySQL(&$0) }).with {
            $0.isCustomised = true
        },
        ConformingImage(.reference, "with other places and another UID") { $0 = relocated($0) }
            .with { $0.isCustomised = true },
        ConformingImage(.v1, "with other places and another UID") { $0 = relocated($0) }
            .with { $0.isCustomised = true },
        ConformingImage(.reference, "with some of the extras") { image in
            for name in ["elasticsearch", "kubernetes", "paramiko", "slack_sdk", "mysqlclient"] {
                image.layers[4].members.removeAll { $0.path.contains("/\(name)-") }
            }
        }.with { $0.variant = "custom" },
        ConformingImage(.early, "with the document's unidecode") { image in
            image.add("RUN pip install", TestImage.installed("text-unidecode", "1.3", in: image.site))
        }.with { $0.buildArguments = [("SLUGIFY_USES_TEXT_UNIDECODE", "yes")] },
        ConformingImage(.reference, "with the base packages of several compilers") {
            $0.add("RUN apt-get install", [$0.installing("gcc-13-base", "gcc-9-base")])
        },
        ConformingImage(.reference, "without a command") { $0.command = nil },
        ConformingImage(.reference, "with files that were compiled and are deleted") { image in
            let file = "\(image.site)/airflow/__pycache__/__init__.cpython-312.pyc"
            image.add("RUN python -m airflow", [.file(file, mode: 0o664, uid: 50000)])
            image.add("RUN rm", [.removal(of: "\(image.site)/airflow/__pycache__")])
        },
        ConformingImage(.reference, "with a build and a commit") { image in
            image.set("BUILD_ID", "1234")
            image.label("org.apache.airflow.main-image.build-id", "1234")
            image.set("COMMIT_SHA", "abcd")
            image.label("org.apache.airflow.main-image.commit-sha", "abcd")
            image.label("org.opencontainers.image.revision", "abcd")
        },
        ConformingImage(.reference, "without the variables of a build") { image in
            image.set("BUILD_ID", nil)
            image.set("COMMIT_SHA", nil)
        },
        ConformingImage(.reference, "with the home of adduser in Debian 11") {
            $0.change("/home/airflow") { $0.mode = 0o775 }
        },
        ConformingImage(.reference, "with its names") {
            $0.names = ["apache/airflow:2.10.5", "docker.io/apache/airflow:latest-python3.12", "other:1"]
        },
        ConformingImage(.reference, "with the lock of apt's lists") {
            $0.add("RUN apt-get update", [.file("/var/lib/apt/lists/lock", "", mode: 0o640)])
        },
        ConformingImage(.reference, "with packages of the configuration files of a purged compiler") {
            image in
            var member = image.installing("make")
            member.text = member.text.replacing(
                "Package: make\nStatus: install ok installed",
                with: "Package: make\nStatus: deinstall ok config-files")
            image.add("RUN apt-get remove make", [member])
        },
        ConformingImage(.reference, "with one of its packages held") { image in
            let text = "Package: git\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1\n\n"
            image.add("RUN apt-mark hold git", [image.changed("/var/lib/dpkg/status") { $0.text += text }])
        },
        ConformingImage(.reference, "with a sticky directory for everybody") {
            $0.add("RUN mkdir -m 1777", [.directory("/home/airflow/tmp", mode: 0o1777, uid: 50000)])
        },
        ConformingImage(.reference, "with directories that hand on their group") {
            $0.change("/opt/airflow/logs") { $0.mode = 0o2775 }
            $0.add("RUN mkdir", [.directory("/var/mail", mode: 0o2775, gid: 8)])
        },
    ]
}

@Suite("Images that keep the contract")
struct ConformingImageTests {
    struct Applicability: Sendable, CustomTestStringConvertible {
        var image: String
        var applies: [String]
        var doesNot: [String]

        var testDescription: String { image }
    }

    static let applicability: [Applicability] = [
        Applicability(
            image: "1.10.12",
            applies: [
                "AIR-ENV-003", "AIR-USER-002", "AIR-LABEL-007", "AIR-PY-016", "AIR-PY-019", "AIR-RUN-010",
            ],
            doesNot: [
                "AIR-LABEL-004", "AIR-LABEL-005", "AIR-PY-002", "AIR-PY-007", "AIR-ENV-013", "AIR-IMG-001",
            ]),
        Applicability(
            image: "1.10.12 from local sources", applies: ["AIR-FS-001", "AIR-FS-015", "AIR-USER-008"],
            doesNot: ["AIR-PY-002", "AIR-LABEL-004"]),
        Applicability(
            image: "2.1.2", applies: ["AIR-ENV-003", "AIR-USER-002", "AIR-USER-003", "AIR-ENV-013"],
            doesNot: ["AIR-USER-004", "AIR-RUN-009", "AIR-RUN-010", "AIR-FS-005"]),
        Applicability(
            image: "2.1.2 pushed again", applies: ["AIR-USER-004", "AIR-RUN-009", "AIR-ENV-015"],
            doesNot: ["AIR-ENV-003", "AIR-USER-002", "AIR-USER-003", "AIR-FS-005"]),
        Applicability(
            image: "2.2.5", applies: ["AIR-FS-005", "AIR-RUN-010", "AIR-APT-009"], doesNot: ["AIR-APT-015"]),
        Applicability(
            image: "2.3.0 arm64", applies: ["AIR-APT-008", "AIR-APT-015"],
            doesNot: ["AIR-MYSQL-001", "AIR-MYSQL-002", "AIR-MYSQL-003", "AIR-MYSQL-004", "AIR-APT-017"]),
        Applicability(
            image: "2.7.3 arm64", applies: ["AIR-MYSQL-001", "AIR-MYSQL-002", "AIR-APT-017"],
            doesNot: ["AIR-MYSQL-004", "AIR-MYSQL-010"]),
        Applicability(
            image: "2.8.4", applies: ["AIR-ENV-013", "AIR-APT-011"],
            doesNot: ["AIR-PY-007", "AIR-APT-007", "AIR-APT-008", "AIR-APT-010"]),
        Applicability(
            image: "2.10.5 slim", applies: ["AIR-PY-020", "AIR-MYSQL-001", "AIR-APT-006"],
            doesNot: ["AIR-MYSQL-004", "AIR-PY-021"]),
        Applicability(image: "3.0.1", applies: ["AIR-ENV-009"], doesNot: ["AIR-APT-012", "AIR-PY-015"]),
        Applicability(
            image: "3.1.5",
            applies: ["AIR-ENV-011", "AIR-ENV-017", "AIR-APT-012", "AIR-APT-013", "AIR-LABEL-010"],
            doesNot: ["AIR-ENV-009", "AIR-IMG-005", "AIR-PY-015", "AIR-RUN-008"]),
        Applicability(
            image: "1.10.12 of the document customised",
            applies: ["AIR-APT-001", "AIR-TOOL-007", "AIR-PY-011"],
            doesNot: ["AIR-EXT-002", "AIR-PY-013"]),
    ]

    @Test("are judged by the checks of their line", arguments: applicability)
    func applies(_ applicability: Applicability) throws {
        let conforming = try #require(ConformingImage.all.first { $0.name == applicability.image })
        let image = conforming.make()
        let judgement = try CompiledSuite.airflow().judge(image.facts(), inputs: conforming.inputs(image))
        for id in applicability.applies { #expect(try judgement.result(id).outcome == .pass, "\(id)") }
        for id in applicability.doesNot {
            #expect(try judgement.result(id).outcome == .notApplicable, "\(id)")
        }
    }

    @Test("pass every check that applies, as what they are", arguments: ConformingImage.all)
    func conforming(_ conforming: ConformingImage) throws {
        let image = conforming.make()
        let judgement = try CompiledSuite.airflow().judge(image.facts(), inputs: conforming.inputs(image))
        #expect(judgement.profile?.id == conforming.profile)
        #expect(judgement.profile?.variant == conforming.variant)
        #expect(judgement.profile?.warnings == conforming.warnings)
        #expect(judgement.lineage?.extended == conforming.isExtended)
        #expect(judgement.lineage?.customised == conforming.isCustomised)
        for result in judgement.results {
            switch result.outcome {
            case .pass: #expect(!result.findings.isEmpty, "\(result.id)")
            case .notApplicable: #expect(result.reason?.isEmpty == false, "\(result.id)")
            case .fail where conforming.lost.contains(result.id):
                #expect(result.severity == .info, "\(result.id)")
            case .skipped where result.reason == "no container was run": break
            case .fail, .error, .skipped, .waived:
                Issue.record("\(result.id) \(result.outcome): \(result.reason ?? "")")
            }
        }
        #expect(Set(judgement.ids(.fail)) == conforming.lost)
    }
}
