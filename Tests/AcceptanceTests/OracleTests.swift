import AssayTestSupport
import Foundation
import Testing
import Verdict

extension ReferenceImageTests {
    /// Other tools, asked about the same image, say the same.
    @Suite(.serialized) struct OracleTests {
        /// The image's root file system as umoci unpacks it; tools of the image run in it.
        private static func tree() async throws -> String {
            try await ReferenceImage.form("umoci") + "/rootfs"
        }

        private static let facts = Task {
            let text = try await output(
                of: Setting.binary.value(), ["inspect", "--format", "json", ReferenceImage.reference()])
            return try JSONDecoder().decode(Facts.self, from: Data(text.utf8))
        }

        @Test func theMergedTreeIsTheOneOfUmoci() async throws {
            let tree = try await OracleTests.tree()
            let unpacked = try await ReferenceImage.scratch("tree")
            _ = try await rootOutput(
                of: Setting.binary.value(), ["unpack", ReferenceImage.reference(), unpacked])
            let program = "\(projectRoot)/scripts/lib/compare-trees.py"
            let arguments = [program, unpacked, tree]
            let comparison =
                geteuid() == 0
                ? try await run("python3", arguments) : try await run("sudo", ["-n", "python3"] + arguments)
            _ = try await rootOutput(of: "rm", ["-rf", unpacked])
            #expect(comparison.code == 0, "\(comparison)")
            let facts = try await OracleTests.facts.value
            #expect(
                comparison.output.contains("\(facts.entries) and \(facts.entries) entries, 0 differences"),
                "\(comparison)")
        }

        @Test func packagesAreThoseOfDpkg() async throws {
            let text = try await inImage(
                "dpkg-query", ["-W", "-f", #"${Package} ${Version} ${Architecture} ${Status}\n"#])
            let packages = try await OracleTests.facts.value.packages
            #expect(packages.count > 100)
            #expect(
                packages.map { "\($0.name) \($0.version) \($0.architecture) \($0.status)" }.sorted()
                    == text.split(separator: "\n").map(String.init).sorted())
        }

        @Test func distributionsAreThoseOfPip() async throws {
            let text = try await asAirflow("/home/airflow/.local/bin/pip", ["list", "--format", "json"])
            let listed = try JSONDecoder().decode([Named].self, from: Data(text.utf8))
            let distributions = try await OracleTests.facts.value.distributions
                .filter { $0.location.hasPrefix("/home/airflow/.local/") }
            #expect(listed.count > 100)
            #expect(
                Set(listed.map(\.normalized))
                    == Set(distributions.map { Named(name: $0.name, version: $0.version).normalized }))
            #expect(listed.count == distributions.count)
        }

        @Test func requirementsAreThoseOfPip() async throws {
            let command = try await OracleTests.inTree(
                ["--userspec=50000:0"],
                ["/usr/bin/env", "-i", "HOME=/home/airflow"] + OracleTests.environment
                    + ["/home/airflow/.local/bin/pip", "check"])
            let pip =
                geteuid() == 0
                ? try await run("unshare", command) : try await run("sudo", ["-n", "unshare"] + command)
            let scratch = try TemporaryDirectory()
            let suite = try scratch.write(
                Array(
                    """
                    suite: pip
                    title: pip check
                    checks:
                      - id: P-1
                        title: nothing is broken
                        expect: {requirements: apache-airflow}

                    """.utf8), to: "suite.yaml")
            let record = try await Assay.record(
                [ReferenceImage.reference(), "--suite", suite], code: pip.code)
            let result = try #require(record.images.first?.results.first)
            if pip.code == 0 {
                #expect(pip.output == "No broken requirements found.\n")
                #expect(result.outcome == .pass)
            } else {
                #expect(
                    Set(result.findings.map(\.observed))
                        == Set(pip.output.split(separator: "\n").map(String.init)),
                    "\(pip)")
            }
        }

        @Test func theConfigIsTheOneOfSkopeo() async throws {
            let text = try await output(of: "skopeo", ["inspect", "--config", ReferenceImage.reference()])
            let image = try JSONDecoder().decode(SkopeoConfig.self, from: Data(text.utf8))
            let facts = try await OracleTests.facts.value
            #expect(facts.platform == "\(image.os)/\(image.architecture)")
            #expect(facts.config.user == image.config.User)
            #expect(facts.config.workingDirectory == image.config.WorkingDir)
            #expect(facts.config.entrypoint == image.config.Entrypoint)
            #expect(facts.config.command ?? [] == image.config.Cmd ?? [])
            #expect(facts.config.environment == image.config.Env)
            #expect(facts.config.labels == image.config.Labels)
            #expect(facts.config.exposedPorts.sorted() == (image.config.ExposedPorts ?? [:]).keys.sorted())
            #expect(facts.config.volumes.sorted() == (image.config.Volumes ?? [:]).keys.sorted())
            #expect(facts.config.stopSignal == image.config.StopSignal)
            #expect(facts.layers.map(\.diffID) == image.rootfs.diff_ids)
            #expect(facts.history.map(\.instruction) == image.history.map { $0.created_by ?? "" })
        }

        @Test func usersAreThoseOfTheImagesOwnTools() async throws {
            let facts = try await OracleTests.facts.value
            let users = try await inImage("getent", ["passwd"]).split(separator: "\n").map { line in
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                return "\(fields[0]) \(fields[2]) \(fields[3]) \(fields[5]) \(fields[6])"
            }
            #expect(facts.users.map { "\($0.name) \($0.uid) \($0.gid) \($0.home) \($0.shell)" } == users)
            let groups = try await inImage("getent", ["group"]).split(separator: "\n").map { line in
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                return "\(fields[0]) \(fields[2]) \(fields[3])"
            }
            #expect(
                facts.groups.map { "\($0.name) \($0.gid) \($0.members.joined(separator: ","))" } == groups)
            let identity = try await inImage("id", ["airflow"])
            let airflow = try #require(facts.users.first { $0.name == "airflow" })
            #expect(identity.hasPrefix("uid=\(airflow.uid)(airflow) gid=\(airflow.gid)("), "\(identity)")
            let additional = facts.groups.filter { $0.members.contains("airflow") && $0.gid != airflow.gid }
                .map(\.gid)
            let ids = ([airflow.gid] + additional.sorted()).map { "\($0)" }.joined(separator: " ")
            #expect(try await inImage("id", ["-G", "airflow"]) == ids + "\n")
        }

        @Test(arguments: ["4000", "2000"])
        func privilegedFilesAreThoseOfFind(bits: String) async throws {
            let tree = try await OracleTests.tree()
            let text = try await rootOutput(
                of: "find", [tree, "-type", "f", "-perm", "-\(bits)", "-printf", #"/%P %m %U:%G\n"#])
            let facts = try await OracleTests.facts.value
            let files = bits == "4000" ? facts.setuidFiles : facts.setgidFiles
            #expect(!files.isEmpty)
            #expect(
                files.map { "\($0.path) \($0.mode) \($0.uid):\($0.gid)" }.sorted()
                    == text.split(separator: "\n").map(String.init).sorted())
        }

        @Test func sizesAreThoseOfFind() async throws {
            let tree = try await OracleTests.tree()
            let text = try await rootOutput(
                of: "find", [tree, "-mindepth", "1", "-type", "f", "-printf", #"%i %s\n"#])
            let files = Set(text.split(separator: "\n"))
            let bytes = files.compactMap { Int64($0.split(separator: " ")[1]) }.reduce(0, +)
            #expect(try await OracleTests.facts.value.fileBytes == bytes)
        }

        @Test func missingLibrariesAreThoseOfLdd() async throws {
            let directories = ["/home/airflow/.local/lib", "/usr/local/lib", "/usr/lib"]
            let text = try await inImage(
                "sh",
                [
                    "-c",
                    "find \(directories.joined(separator: " ")) -type f -name '*.so' -exec ldd {} + 2>/dev/null || true",
                ])
            var missing: Set<String> = []
            var count = 0
            var file = ""
            for line in text.split(separator: "\n") {
                if line.first != "\t" {
                    file = String(line.dropLast())
                    count += 1
                } else if line.hasSuffix("=> not found") {
                    missing.insert(file)
                }
            }
            #expect(count > 300)
            let folder = try TemporaryDirectory()
            let globs = directories.map { "\"\($0)/**/*.so\"" }.joined(separator: ", ")
            let suite = """
                suite: linked
                title: linked
                checks:
                  - {id: L-1, title: linked, expect: {linked: {every: [\(globs)]}}}
                """
            _ = try folder.write(Array(suite.utf8), to: "suite.yaml")
            let report = "\(folder.path)/report.json"
            _ = try await run(
                Setting.binary.value(),
                [
                    "check", ReferenceImage.reference(), "--suite", folder.path, "--quiet", "--report",
                    "json=\(report)",
                ])
            let record = try JSONDecoder().decode(
                RunRecord.self, from: Data(contentsOf: URL(fileURLWithPath: report)))
            let result = try #require(record.images.first?.results.first)
            #expect(result.outcome == (missing.isEmpty ? .pass : .fail), "\(result.reason ?? "")")
            if result.outcome == .fail {
                #expect(Set(result.findings.map(\.subject.name)) == missing)
            }
        }

        /// Found and not found: those of the user library and of Debian, through links, of root alone
        /// (`/root/bin/pip`), not executable (`activate`), for building, and none that a shell has built in.
        private static let commands = [
            "airflow", "python", "python3", "pip", "pip3", "uv", "celery", "gunicorn", "flask", "alembic",
            "bash",
            "sh", "env", "nc", "netcat", "mysql", "mariadb", "mysqldump", "psql", "kinit", "klist", "ksu",
            "sudo",
            "su", "apt-get", "dpkg", "gpg", "curl", "dumb-init", "sqlite3", "rsync", "ssh", "ldapsearch",
            "isql",
            "unix_chkpwd", "awk", "ldconfig", "adduser", "docker", "gcc", "g++", "make", "cmake", "cc", "git",
            "vi", "no-such-command", "activate", "activate.csh", "activate.fish",
        ]

        @Test func commandsAreThoseOfTheShell() async throws {
            let directory = try TemporaryDirectory()
            let checks = OracleTests.commands.enumerated().map { index, name in
                "  - {id: C-\(index), title: t, expect: {commands: [\"\(name)\"]}}\n"
            }
            try directory.write(
                Array("suite: oracle\ntitle: Commands\nchecks:\n\(checks.joined())".utf8),
                to: "suite/suite.yaml")
            let record = try await Assay.record(
                [ReferenceImage.reference(), "--suite", "\(directory.path)/suite"], code: 1)
            let results = try #require(record.images.first).results
            let found: [String] = zip(OracleTests.commands, results).compactMap { name, result in
                guard result.outcome == .pass, let path = result.findings.first?.observed else { return nil }
                return "\(name) \(String(path.prefix { $0 != "," }))"
            }
            // Bash names files that cannot be run too, where there are no others.
            let script = #"for n; do p="$(command -v "$n")" && [ -x "$p" ] && echo "$n $p"; done; true"#
            let path = try await OracleTests.facts.value.config.environment.filter { $0.hasPrefix("PATH=") }
            let text = try await asAirflow(
                "/usr/bin/env", path + ["/bin/bash", "-c", script, "-"] + OracleTests.commands)
            #expect(found.count > 35 && found.count < OracleTests.commands.count)
            #expect(found == text.split(separator: "\n").map(String.init))
        }

        // MARK: Tools of the image

        private static let environment = [
            "PATH=/home/airflow/.local/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
        ]

        /// Arguments of unshare(1) that run a command in the unpacked tree, under an overlay of which nothing stays:
        /// other tests compare the tree, and a shell's `>/dev/null` makes a file where no device is.
        private static func inTree(_ options: [String], _ command: [String]) async throws -> [String] {
            let script = """
                cd "$1" && shift && mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root \
                && mount -t overlay -o lowerdir=.,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root \
                && exec chroot "$@"
                """
            return try await ["--mount", "--propagation", "private", "sh", "-c", script, "-", tree()]
                + options + ["/mnt/root"] + command
        }

        private func inImage(_ program: String, _ arguments: [String]) async throws -> String {
            try await rootOutput(
                of: "unshare",
                OracleTests.inTree(
                    [], ["/usr/bin/env", "-i"] + OracleTests.environment + [program] + arguments))
        }

        private func asAirflow(_ program: String, _ arguments: [String]) async throws -> String {
            try await rootOutput(
                of: "unshare",
                OracleTests.inTree(
                    ["--userspec=50000:0"],
                    ["/usr/bin/env", "-i", "HOME=/home/airflow"] + OracleTests.environment + [program]
                        + arguments))
        }
    }
}

/// The output of `assay inspect --format json`, as far as it is compared.
private struct Facts: Decodable, Sendable {
    struct Config: Decodable {
        let user: String?
        let workingDirectory: String?
        let entrypoint: [String]?
        let command: [String]?
        let environment: [String]
        let exposedPorts: [String]
        let volumes: [String]
        let labels: [String: String]
        let stopSignal: String?
    }

    struct Layer: Decodable {
        let diffID: String
    }

    struct Step: Decodable {
        let instruction: String
    }

    struct User: Decodable {
        let name: String
        let uid: Int
        let gid: Int
        let home: String
        let shell: String
    }

    struct Group: Decodable {
        let name: String
        let gid: Int
        let members: [String]
    }

    struct Package: Decodable {
        let name: String
        let version: String
        let architecture: String
        let status: String
    }

    struct Distribution: Decodable {
        let name: String
        let version: String
        let location: String
    }

    struct File: Decodable {
        let path: String
        let mode: String
        let uid: Int
        let gid: Int
    }

    let platform: String
    let config: Config
    let layers: [Layer]
    let history: [Step]
    let users: [User]
    let groups: [Group]
    let packages: [Package]
    let distributions: [Distribution]
    let setuidFiles: [File]
    let setgidFiles: [File]
    let entries: Int
    let fileBytes: Int64
}

private struct Named: Decodable {
    let name: String
    let version: String

    /// The name as the specification of names has it: pip prints some as their authors write them.
    var normalized: String {
        name.lowercased().split(whereSeparator: { "-_.".contains($0) }).joined(separator: "-") + " " + version
    }
}

/// Names as the image specification has them.
private struct SkopeoConfig: Decodable {
    struct Run: Decodable {
        let User: String?
        let WorkingDir: String?
        let Entrypoint: [String]?
        let Cmd: [String]?
        let Env: [String]
        let Labels: [String: String]
        let ExposedPorts: [String: Empty]?
        let Volumes: [String: Empty]?
        let StopSignal: String?
    }

    struct Empty: Decodable {}

    struct RootFS: Decodable {
        let diff_ids: [String]
    }

    struct Step: Decodable {
        let created_by: String?
    }

    let os: String
    let architecture: String
    let config: Run
    let rootfs: RootFS
    let history: [Step]
}
