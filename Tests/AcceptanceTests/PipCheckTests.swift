import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel
import Testing
import Verdict

/// The real `pip check` is asked about virtual environments that are broken on purpose, and Assay about images of
/// them.
@Suite struct PipCheckTests {
    struct Environment: Sendable, CustomTestStringConvertible {
        var name: String
        /// Name, version and requirements.
        var distributions: [(String, String, [String])]
        /// How many lines pip is to print.
        var problems: Int

        var testDescription: String { name }
    }

    static let environments: [Environment] = [
        Environment(
            name: "requirements that are missing",
            distributions: [
                ("holder", "1.0", ["Absent.Thing>=2", "also-absent ; os_name == 'posix'", "pip"]),
                ("other", "1", ["absent_thing", "holder[nothing]"]),
            ], problems: 3),
        Environment(
            name: "versions that conflict",
            distributions: [
                (
                    "holder", "1",
                    ["B.b<2,>=1.5", "b-b!=2.0 ; sys_platform == \"linux\"", "c~=1.4.2", "c==1.4.*"]
                ),
                ("b_b", "2.0", []), ("c", "1.5", ["holder===1.0"]),
            ], problems: 5),
        Environment(
            name: "markers of extras",
            distributions: [
                (
                    "holder", "1",
                    [
                        "gone; extra == 'x'", "gone2; extra != 'x'",
                        "b<1; (extra == 'x' or os_name == 'posix')",
                        "b<2; extra == 'x' and os_name == 'posix'", "gone3; extra == 'x' or extra == ''",
                    ]
                ), ("b", "5", []),
            ], problems: 3),
        Environment(
            name: "markers of the version of Python and of the machine",
            distributions: [
                (
                    "holder", "1",
                    [
                        "old; python_version < '3.7'", "new; python_version >= '3.7'",
                        "listed; python_version not in '2.7, 3.4'", "full; python_full_version >= '3.6.1'",
                        "reversed; '3.6' <= python_version", "wheel3; python_version == '3.*'",
                        "pypy; platform_python_implementation == 'PyPy'",
                        "cpython; implementation_name == 'cpython'",
                        "word; sys_platform >= 'linus' and platform_system == 'Linux'",
                        "machine; platform_machine in 'x86_64 aarch64'",
                        "precedence; os_name == 'nt' and os_name == 'nt' or os_name == 'posix'",
                        "parentheses; os_name == 'nt' and (os_name == 'nt' or os_name == 'posix')",
                        "b<1 ; python_version >= '3.6' and (os_name == 'posix' or (os_name == 'nt'))",
                    ]
                ), ("b", "1", []),
            ], problems: 10),
        Environment(
            name: "pre-releases, post-releases and local versions",
            distributions: [
                (
                    "holder", "1",
                    [
                        "pre>=2.0", "pre>=2.0rc1", "pre<2.0", "pre<2.0rc2", "pre==2.0.*", "pre~=2.0",
                        "pre!=2.0",
                        "post>1.0", "post>1.0.post1", "post==1.0", "post==1.0.*", "post>=1.0", "post<=1.0",
                        "local==1.1", "local==1.1+abc.2", "local==1.1+abc", "local>1.1", "local<=1.1",
                        "local!=1.1",
                        "dev<3", "dev>=3.dev1", "dev==3", "epoch>5", "epoch==1!1.*", "epoch<2", "zeros==1",
                        "zeros===1.0.0", "zeros===1",
                    ]
                ), ("pre", "2.0RC1", []), ("post", "1.0.post2", []), ("local", "1.1+ABC-2", []),
                ("dev", "3.dev2", []),
                ("epoch", "1!1.0", []), ("zeros", "1.0.0", []),
            ], problems: 13),
    ]

    @Test(arguments: environments)
    func problemsAreThoseOfPip(_ environment: Environment) async throws {
        let scratch = try TemporaryDirectory()
        let venv = "\(scratch.path)/venv"
        _ = try await output(of: "python3", ["-m", "venv", venv])
        let libraries = try FileManager.default.contentsOfDirectory(atPath: "\(venv)/lib")
        let library = try #require(libraries.first { $0.hasPrefix("python") })
        let site = "venv/lib/\(library)/site-packages"
        for (name, version, requirements) in environment.distributions {
            let fields = ["Metadata-Version: 2.1", "Name: \(name)", "Version: \(version)"]
            let text = (fields + requirements.map { "Requires-Dist: \($0)" }).joined(separator: "\n") + "\n"
            try scratch.write(Array(text.utf8), to: "\(site)/\(name)-\(version).dist-info/METADATA")
        }
        let pip = try await run(
            "\(venv)/bin/python", ["-m", "pip", "--disable-pip-version-check", "check"],
            environment: ["PYTHONPATH": nil])
        let lines = pip.output.split(separator: "\n").map(String.init)
        #expect(pip.code == 1 && lines.count == environment.problems, "\(pip)")
        let record = try await Assay.record(
            [try layout(of: scratch, site), "--suite", try suite(in: scratch)], code: 1)
        let result = try #require(record.images.first?.results.first)
        #expect(result.findings.map(\.observed).sorted() == lines.sorted())
    }

    private func suite(in scratch: TemporaryDirectory) throws -> String {
        let text = """
            suite: pip
            title: pip check
            checks:
              - id: P-1
                title: nothing is broken
                expect: {requirements: holder}

            """
        return try scratch.write(Array(text.utf8), to: "suite.yaml")
    }

    /// An image that holds the configuration and the metadata of the environment.
    private func layout(of scratch: TemporaryDirectory, _ site: String) throws -> String {
        var image = ImageBuilder()
        #if arch(arm64)
            image.architecture = "arm64"
        #endif
        let folders = try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/\(site)")
        let files =
            ["venv/pyvenv.cfg"]
            + folders.filter { $0.hasSuffix(".dist-info") }.map { "\(site)/\($0)/METADATA" }
        let contents = try files.map { (name: $0, bytes: try scratch.read($0)) }
        image.addLayer(createdBy: "COPY venv /opt/venv") { tar in
            for file in contents { tar.add("opt/\(file.name)", content: file.bytes) }
        }
        return "oci:\(try scratch.write(try image.layoutFiles(), below: "layout"))"
    }
}
