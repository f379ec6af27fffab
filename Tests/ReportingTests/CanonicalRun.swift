import Verdict

/// One run with everything a record of one run can say: all six outcomes, waivers, a baseline, drift, lineage, two images,
/// one that could not be read, probes, and text from a hostile image.
enum CanonicalRun {
    /// Controls, markup, bidirectional overrides, forbidden code points and commands of CI log readers.
    static let hostile =
        "\u{1B}[31mred\u{1B}[0m\u{0}\u{7}\u{9B}2J ]]> </script><b a=\"1\" b='2'>&amp; \u{202E}gpj.exe\u{2066} "
        + "\u{FFFD} \u{FFFE} tab\there\r\nnew line\n::error::injected ##[error]injected %0A::error::injected \\xff\\xfe 日本語 e\u{301}"

    static func digest(_ digit: Character) -> String { "sha256:" + String(repeating: digit, count: 64) }

    static let runInstruction =
        "RUN /bin/sh -c apt-get update && apt-get install --no-install-recommends --yes dumb-init libpq5 "
        + "&& useradd --uid 1000 airflow && chmod 0755 /opt/airflow # buildkit"

    static let copy = Provenance(
        layer: 3, layerDigest: digest("3"), diffID: digest("d"),
        instruction: "COPY scripts /opt/airflow # buildkit")

    static let run = Provenance(
        layer: 2, layerDigest: digest("2"), diffID: digest("e"), instruction: runInstruction)

    static let environment = Provenance(instruction: "ENV PATH=/usr/bin")

    static func position(_ line: Int) -> SourcePosition {
        SourcePosition(file: "Conformance/airflow/user.yaml", line: line, column: 5)
    }

    static func waiver(
        _ check: String, line: Int, until day: String, reason: String, subject: String? = nil,
        image: String? = nil
    ) -> Waiver? {
        CalendarDay(day).map {
            Waiver(
                check: check, subject: subject, image: image, reason: reason, owner: "release@example.org",
                expires: $0,
                position: SourcePosition(file: "waivers.yaml", line: line, column: 5))
        }
    }

    static func finding(_ finding: Finding, known: Bool? = nil, waiver: WaiverMark? = nil) -> Finding {
        var finding = finding
        (finding.known, finding.waiver) = (known, waiver)
        return finding
    }

    static let expired = waiver("AIR-ENV-*", line: 7, until: "2026-10-31", reason: "scripts move in October")
        .map { WaiverMark($0, isExpired: true) }

    static let current = waiver(
        "AIR-MYSQL-001", line: 2, until: "2027-01-31", reason: "MariaDB mirror is down"
    )
    .map { WaiverMark($0, isExpired: false) }

    static let undecidedFail: CheckResult = {
        var result = CheckResult(
            id: "AIR-USER-003", title: "the users are as documented", suite: "airflow", group: "user",
            severity: .error, outcome: .fail,
            findings: [
                finding(
                    Finding(subject: Subject(.user, "default"), expected: "absent", observed: "UID 1"),
                    known: true),
                finding(
                    Finding(subject: Subject(.user, "ftp"), expected: "absent", observed: "UID 2"),
                    waiver: current),
                Finding(subject: Subject(.user, "games"), expected: "absent", observed: "UID 5"),
            ], position: position(115))
        result.undecided = ["/etc/shadow does not parse"]
        return result
    }()

    static let knownFail: CheckResult = {
        var result = CheckResult(
            id: "AIR-FS-102", title: "no file of root in /opt/airflow", suite: "airflow", group: "filesystem",
            severity: .error, outcome: .fail,
            findings: [
                finding(
                    Finding(
                        subject: Subject(.path, "/opt/airflow/a"), expected: "every entry with owner 50000",
                        observed: "3 of 31,877 entries; first 2 listed", provenance: run,
                        details: ["/opt/airflow/a (file, 0644)", "/opt/airflow/b (file, 0644)"],
                        others: ["/opt/airflow/b", "/opt/airflow/c"]),
                    known: true)
            ], position: position(36))
        result.known = true
        return result
    }()

    static let probeError: CheckResult = {
        var result = CheckResult(
            id: "AIR-PROBE-001", title: "airflow version prints the version", suite: "airflow",
            group: "probe", severity: .error, outcome: .error,
            reason: "the container did not start: exec format error", statements: ["P01"],
            source: "Running the image", position: position(60), duration: 0.5)
        result.scenario = "webserver"
        return result
    }()

    static let results = [
        CheckResult(
            id: "AIR-USER-001", title: "the airflow user has UID 50000 and primary GID 0", suite: "airflow",
            group: "user", severity: .error, outcome: .fail,
            findings: [
                Finding(
                    subject: Subject(.user, "airflow"), expected: "UID 50000", observed: "UID 1000",
                    provenance: run, details: ["/etc/passwd line 21", "/etc/shadow line 21"]),
                Finding(
                    subject: Subject(.path, "/opt/airflow/entrypoint.sh"), expected: "owner 50000",
                    observed: "owner 1000", provenance: copy),
            ], statements: ["G16", "B09"], source: "Production image build arguments: AIRFLOW_UID",
            remedy: "create the user with --uid ${AIRFLOW_UID} --gid 0", position: position(12),
            duration: 0.0125),
        CheckResult(
            id: "AIR-FS-101", title: "/opt/airflow is group-writable", suite: "airflow", group: "filesystem",
            severity: .error, outcome: .fail, reason: "12 paths are not group-writable",
            findings: (1...12).map {
                Finding(
                    subject: Subject(.path, "/opt/airflow/dags/d\($0)"), expected: "mode g+w",
                    observed: "mode 0755", provenance: run)
            }, statements: ["G17"],
            drift: [
                DriftNote(
                    statement: "G17", document: "mode 0755", images: "mode 0775 since 2.0",
                    sources: ["releases 2.0.0 to 2.10.5", hostile])
            ], source: "Using the image as an arbitrary user",
            remedy: "chmod -R g=u /opt/airflow", position: position(30), duration: 0.25),
        CheckResult(
            id: "AIR-ENV-007", title: "PATH begins with the user's scripts", suite: "airflow", group: "env",
            severity: .warning, outcome: .fail,
            findings: [
                finding(
                    Finding(
                        subject: Subject(.environment, "PATH"),
                        expected: "starts with /home/airflow/.local/bin", observed: "",
                        provenance: environment),
                    waiver: expired)
            ], statements: ["E04"], position: position(44)),
        CheckResult(
            id: "AIR-HOSTILE-1", title: "hostile text stays text: \(hostile)", suite: "airflow <&>",
            group: "a.b/ü", severity: .info, outcome: .fail, reason: hostile,
            findings: [
                Finding(
                    subject: Subject(.label, hostile), expected: hostile, observed: hostile,
                    provenance: Provenance(layer: 1, layerDigest: digest("1"), instruction: hostile),
                    details: [hostile], others: [hostile], omitted: 31_877)
            ], statements: [hostile], source: hostile, remedy: hostile,
            position: SourcePosition(file: "\(hostile).yaml", line: 1, column: 1)),
        CheckResult(
            id: "AIR-HOSTILE-2", title: "no step is known", suite: "airflow", group: "filesystem",
            severity: .error, outcome: .fail, position: position(50)),
        probeError,
        CheckResult(
            id: "AIR-MYSQL-001", title: "the MySQL client library is there", suite: "airflow",
            group: "packages", severity: .error, outcome: .waived,
            reason: "until 2027-01-31 by release@example.org: MariaDB mirror is down",
            findings: [
                finding(
                    Finding(
                        subject: Subject(.package, "libmariadb3"), expected: "installed", observed: "absent",
                        provenance: run),
                    waiver: current)
            ], statements: ["D02"], remedy: "install libmariadb3", position: position(70)),
        CheckResult(
            id: "AIR-PROBE-002", title: "the scheduler starts", suite: "airflow", group: "probe",
            severity: .error, outcome: .skipped, reason: "no container runtime on this machine",
            position: position(80)),
        CheckResult(
            id: "AIR-PROBE-003", title: "the webserver starts", suite: "airflow", group: "probe",
            severity: .error, outcome: .skipped, reason: "no container runtime on this machine",
            position: position(81)),
        CheckResult(
            id: "AIR-GOSU-001", title: "gosu is on PATH", suite: "airflow", group: "packages",
            severity: .error, outcome: .notApplicable, reason: "only for release lines before 2.0",
            position: position(90)),
        CheckResult(
            id: "AIR-OS-001", title: "the distribution is Debian 12", suite: "airflow", group: "packages",
            severity: .error, outcome: .pass,
            findings: [
                Finding(
                    subject: Subject(.distribution, "debian"), expected: "12", observed: "12",
                    provenance: Provenance(layer: 1, layerDigest: digest("1"), instruction: "ADD rootfs /"))
            ], statements: ["O01"], position: position(100), duration: 0.001),
        undecidedFail, knownFail,
        CheckResult(
            id: "AIR-USER-002", title: "the group root exists", suite: "airflow", group: "user",
            severity: .error, outcome: .pass, position: position(110), duration: 0),
    ]

    static let transcripts = [
        ProbeTranscript(
            scenario: "broker-late", runtime: "oci",
            containers: [
                ContainerTranscript(
                    name: "main",
                    command: "docker run --rm --env AIRFLOW__CELERY__BROKER_URL=*** IMAGE celery worker",
                    exitCode: 0,
                    standardOutput: .init(
                        text: "............. OK\n", byteCount: 17),
                    standardError: .init(text: hostile, byteCount: 70_000, isTruncated: true), started: 0.03,
                    duration: 4.25,
                    state: ContainerState(
                        files: [
                            .init(
                                path: "/etc/passwd",
                                status: .init(
                                    type: "file", uid: 0, gid: 0, permissions: 0o664,
                                    content: .init(text: "root:x:0:0\n", byteCount: 11))),
                            .init(path: "/nope"),
                        ], processes: [.init(pid: 1, parent: 0, group: 1, session: 1, name: "dumb-init")],
                        ports: [.init(address: "0.0.0.0", number: 8080)])),
                ContainerTranscript(
                    name: "look", command: "docker exec CONTAINER id", exitCode: 143,
                    standardOutput: .init(text: "uid=50000(airflow) gid=0(root)\n", byteCount: 31),
                    started: 3, duration: 0.02),
            ],
            services: [
                ServiceTranscript(
                    name: "broker", kind: "redis", port: 41_233, connections: 3, opened: 2,
                    firstConnection: 2.125),
                ServiceTranscript(name: "database", kind: "postgresql", port: 41_234),
            ],
            events: [
                .init(time: 0.03, text: "main started"), .init(time: 2, text: "broker opened"),
                .init(time: 4.28, text: "main ended with 0"), .init(time: 4.3, text: hostile),
            ], duration: 4.5),
        ProbeTranscript(
            scenario: "webserver", runtime: "oci",
            containers: [
                ContainerTranscript(name: "main", command: "docker run --rm IMAGE webserver", duration: 60)
            ], events: [.init(time: 0.03, text: "main started")],
            incident: "step 2, wait for port 8080 of main: not open after 60 s\n\(hostile)", duration: 60.5),
    ]

    /// Of three layers, the third hides a part of the second.
    static let contents = ImageContents(
        layers: [
            DirectorySize(
                name: "", bytes: 110_000_000, hiddenBytes: 0,
                directories: [
                    DirectorySize(
                        name: "usr", bytes: 100_000_000, hiddenBytes: 0,
                        directories: [
                            DirectorySize(name: "lib", bytes: 70_000_000, hiddenBytes: 0),
                            DirectorySize(name: "share", bytes: 20_000_000, hiddenBytes: 0),
                        ]), DirectorySize(name: hostile, bytes: 9_000_000, hiddenBytes: 0),
                ]),
            DirectorySize(
                name: "", bytes: 40_000_000, hiddenBytes: 30_000_000,
                directories: [
                    DirectorySize(
                        name: "var", bytes: 0, hiddenBytes: 25_000_000,
                        directories: [
                            DirectorySize(
                                name: "cache", bytes: 0, hiddenBytes: 25_000_000,
                                directories: [DirectorySize(name: "apt", bytes: 0, hiddenBytes: 25_000_000)])
                        ]), DirectorySize(name: "opt", bytes: 40_000_000, hiddenBytes: 5_000_000),
                ]),
            DirectorySize(name: "", bytes: 31_877, hiddenBytes: 0),
        ],
        packages: PackageList(
            [
                InstalledPackage(
                    name: "dumb-init", version: "1.2.5-2", architecture: "arm64", bytes: 102_400, layer: 2),
                InstalledPackage(name: hostile, version: hostile, architecture: hostile),
                InstalledPackage(name: "zlib1g", version: "1:1.2.13", architecture: "arm64", layer: 1),
            ], limit: 2),
        distributions: PackageList([
            InstalledPackage(
                name: "apache-airflow", version: "2.10.5",
                location: "/home/airflow/.local/lib/python3.12/site-packages", layer: 2)
        ]))

    static let hostileRun: ImageRun = {
        var run = judgedRun
        run.lineage = LineageSummary(
            extended: true, customised: true,
            evidence: [
                "layer 3 and those above come after the step ENTRYPOINT that ends the image",
                "INSTALL_MYSQL_CLIENT is empty (command line)",
            ], baseLayers: 2, baseSize: 1_204_331_877, addedSize: 31_877)
        run.judgedByDocument = true
        run.transcripts = transcripts
        run.contents = contents
        run.baseline = BaselineComparison(
            file: "main.json", started: "2026-11-01T12:00:00Z",
            reference: "docker://docker.io/apache/airflow:2.10.4", gone: ["AIR-OS-001", "AIR-USER-002"])
        return run
    }()

    private static let judgedRun = ImageRun(
        image: ImageIdentity(
            reference: "docker://docker.io/apache/airflow:2.10.5", manifestDigest: digest("a"),
            configDigest: digest("c"), platform: "linux/arm64/v8", created: "2025-02-06T20:42:11Z",
            layers: ["1", "2", "3"].map {
                LayerIdentity(
                    digest: digest($0), diffID: digest("d"), size: 1 << 20, uncompressedSize: 3 << 20,
                    instruction: "step \($0)")
            }),
        profile: ProfileChoice(
            id: "airflow-2.9", title: "Airflow 2.9 to 2.11", variant: "slim",
            evidence: ["apache-airflow 2.10.5 is installed"],
            warnings: ["the label says 2.10.4, the content 2.10.5"]),
        parameters: [
            ParameterValue(name: "AIRFLOW_UID", value: "50000", origin: "default", isDefault: true),
            ParameterValue(name: "INSTALL_MYSQL_CLIENT", value: "", origin: "command line"),
            ParameterValue(name: "HOSTILE", value: hostile, origin: "image environment"),
        ], results: results,
        notes: [
            Note(name: "layer.trailing-data", layer: 1, message: "trailing data"),
            Note(name: "tar.path.escape", message: hostile),
        ],
        duration: 12.3456)

    private static let cleanRunWithoutBaseline: ImageRun = {
        var run = cleanRun
        run.baseline = BaselineComparison(file: "main.json", started: nil, reference: nil)
        return run
    }()

    static let cleanRun = ImageRun(
        image: ImageIdentity(
            reference: "oci:build/out", manifestDigest: nil, configDigest: digest("b"),
            platform: "linux/amd64",
            created: nil, layers: []),
        profile: nil, parameters: [], results: results.filter { $0.outcome == .pass }, notes: [],
        duration: 1)

    static let record: RunRecord = {
        var record = recordOfImages
        record.unusedWaivers = waiver(
            "AIR-USR-001", line: 12, until: "2027-02-28", reason: "to be renamed", subject: "airflow",
            image: "apache/airflow:2.*"
        ).map {
            [UnusedWaiver($0, reason: "no check matches AIR-USR-001; did you mean AIR-USER-001?")]
        }
        return record
    }()

    private static let recordOfImages = record(
        images: [hostileRun, cleanRunWithoutBaseline],
        unreadable: [
            UnreadableImage(
                reference: "oci:damaged",
                reason: "layer 3 of 9 (\(digest("3"))): gzip checksum does not match",
                hint: hostile)
        ])

    static func record(
        images: [ImageRun], complete: Bool = true, unreadable: [UnreadableImage] = []
    ) -> RunRecord {
        RunRecord(
            tool: RunRecord.Tool(name: "assay", version: "0.1.0"), started: "2026-11-23T12:00:00.5Z",
            complete: complete,
            suites: [RunRecord.SuiteIdentity(name: "airflow", digest: digest("f"))], images: images,
            unreadable: unreadable)
    }

    /// A run on one image with one result per outcome.
    static func run(_ outcomes: [Outcome], severity: Severity = .error) -> ImageRun {
        var run = cleanRun
        run.results = outcomes.enumerated().map { number, outcome in
            CheckResult(
                id: "C-\(number)", title: "check", suite: "s", group: "g", severity: severity,
                outcome: outcome, position: position(1))
        }
        return run
    }

    static let merged: RunRecord = {
        var other = run([.pass, .fail, .pass])
        other.results[0].findings = [
            Finding(subject: Subject(.user, "airflow"), expected: "UID 50000", observed: "UID 50000")
        ]
        var changed = record(images: [other])
        changed.suites = [RunRecord.SuiteIdentity(name: "s", digest: digest("9"))]
        changed.tool.version = "0.2.0"
        var before = record(images: [run([.fail, .fail, .skipped])])
        before.suites = [RunRecord.SuiteIdentity(name: "s", digest: digest("8"))]
        var elsewhere = run([.pass])
        elsewhere.image.reference = "oci:elsewhere"
        var third = record(images: [elsewhere])
        third.suites = before.suites
        return RunRecord.merging([before, changed, third]) ?? record(images: [])
    }()

    /// One fail whose observed value is a line of a million characters.
    static let longLine: RunRecord = {
        var run = cleanRun
        run.results = [
            CheckResult(
                id: "LONG-1", title: "a long line", suite: "airflow", group: "long", severity: .error,
                outcome: .fail,
                findings: [
                    Finding(
                        subject: Subject(.config, "Cmd"), expected: "short",
                        observed: String(repeating: "x", count: 1_000_000),
                        provenance: Provenance(
                            layer: 1, instruction: String(repeating: "y", count: 1_000_000)))
                ], position: position(1))
        ]
        return record(images: [run])
    }()
}

/// Records as arguments of tests. The test log prints arguments, and hostile text has no place in a CI log.
enum Sample: String, CaseIterable {
    case canonical
    case noImage
    case noCheck
    case nothingEvaluated
    case sameImageTwiceInterrupted
    /// Interrupted in the second image.
    case incomplete
    /// Of three runs, two of which are on one image and do not agree.
    case merged

    var record: RunRecord {
        switch self {
        case .canonical: CanonicalRun.record
        case .noImage: CanonicalRun.record(images: [])
        case .noCheck: CanonicalRun.record(images: [CanonicalRun.run([])])
        case .nothingEvaluated: CanonicalRun.record(images: [CanonicalRun.run([.skipped, .notApplicable])])
        case .sameImageTwiceInterrupted:
            CanonicalRun.record(images: [CanonicalRun.hostileRun, CanonicalRun.hostileRun], complete: false)
        case .incomplete:
            CanonicalRun.record(
                images: [CanonicalRun.run([.pass, .fail, .skipped])], complete: false)
        case .merged: CanonicalRun.merged
        }
    }
}
