import Facts
import OCIModel
import Testing

@Suite("Python") struct PythonEnvironmentTests {
    static let site = "home/airflow/.local/lib/python3.12/site-packages"

    static func metadata(_ name: String, _ version: String, _ more: String = "") -> String {
        "Metadata-Version: 2.1\nName: \(name)\nVersion: \(version)\n\(more)\nName: the description\n"
    }

    @Test func readsDistributions() throws {
        let info = "\(Self.site)/Apache_Airflow-2.10.5.dist-info"
        let rootfs = tree(
            Layer().file(
                "\(info)/METADATA",
                Self.metadata(
                    "Apache.Airflow", "2.10.5",
                    "Requires-Dist: celery>=5 ; extra == 'celery'\nrequires-dist: sqlalchemy\nProvides-Extra: celery\n"
                )
            )
            .file("\(info)/INSTALLER", "uv\n")
            .file("\(info)/direct_url.json", "{\"url\":\"file:///x\"}"),
            Layer().file("usr/lib/python3/dist-packages/old-1.egg-info", Self.metadata("old", "1"))
                .file("usr/lib/python3/dist-packages/dir-2.egg-info/PKG-INFO", Self.metadata("dir", "2"))
                .file("opt/src/not.dist-info/METADATA", Self.metadata("not", "1"))
                .file("\(Self.site)/setuptools/_vendor/v-1.dist-info/METADATA", Self.metadata("v", "1")))
        let python = try facts(rootfs).python.get()
        #expect(python.distributions.map(\.name) == ["Apache.Airflow", "dir", "old"])
        #expect(python.malformed.isEmpty)
        let airflow = try #require(python.distributions(named: "apache-airflow").first)
        #expect(airflow.normalizedName == "apache-airflow" && airflow.version == "2.10.5")
        #expect(try #require(airflow.pep440Version) == #require(PEP440Version("2.10.5")))
        #expect(airflow.sitePackages == ImagePath(Self.site))
        #expect(airflow.metadataPath == ImagePath("\(info)/METADATA"))
        #expect(airflow.installer == "uv" && airflow.layer == 0 && airflow.pythonVersion == "3.12")
        #expect(try airflow.directURL?.get() == "{\"url\":\"file:///x\"}")
        #expect(airflow.requiresDist == ["celery>=5 ; extra == 'celery'", "sqlalchemy"])
        #expect(airflow.providesExtra == ["celery"])
        let old = try #require(python.distributions(named: "OLD").first)
        #expect(old.installer == nil && old.directURL == nil && old.pythonVersion == nil && old.layer == 1)
        #expect(python.distributions(named: "none").isEmpty)
        #expect(python.siteDirectories == [ImagePath(Self.site), "/usr/lib/python3/dist-packages"])
    }

    @Test(
        "collects malformed distributions",
        arguments: [
            "", "Name: x\n", "Version: 1\n", "Name: ../x\nVersion: 1\n", "\nName: x\nVersion: 1\n",
            "no header\nName: x\nVersion: 1\n",
        ])
    func malformed(_ text: String) throws {
        let rootfs = tree(Layer().file("\(Self.site)/x-1.dist-info/METADATA", text))
        let python = try facts(rootfs).python.get()
        #expect(python.distributions.isEmpty)
        #expect(python.malformed.entries.map(\.path) == [ImagePath("\(Self.site)/x-1.dist-info/METADATA")])
    }

    @Test func whatCannotBeRead() throws {
        let rootfs = tree(
            Layer().directory("\(Self.site)/empty-1.dist-info")
                .file(
                    "\(Self.site)/large-1.dist-info/METADATA",
                    bytes: Array(repeating: 0x41, count: 1 << 20 + 1)
                )
                .file("\(Self.site)/url-1.dist-info/METADATA", Self.metadata("url", "1"))
                .file(
                    "\(Self.site)/url-1.dist-info/direct_url.json",
                    bytes: Array(repeating: 0x20, count: 1 << 17)))
        let python = try facts(rootfs).python.get()
        #expect(
            python.malformed.entries.map(\.reason).map { $0.contains("does not exist") } == [true, false])
        #expect(python.distributions(named: "url").first?.directURL?.failureKind == .tooLarge)
        #expect(try facts(tree(Layer())).python.failureKind == .missing)
    }

    @Test func readsVirtualEnvironments() throws {
        let rootfs = tree(
            Layer().file(
                "opt/venv/pyvenv.cfg",
                "home = /usr/local/bin\nInclude-System-Site-Packages = TRUE\nversion = 3.12.8\n"
            )
            .file("opt/uv/pyvenv.cfg", "home=/usr/bin\nversion_info = 3.11.2")
            .file("opt/bad/pyvenv.cfg", "nothing"))
        let python = try facts(rootfs).python.get()
        #expect(python.virtualEnvironments.map(\.path) == ["/opt/uv", "/opt/venv"])
        #expect(python.virtualEnvironments.map(\.version) == ["3.11.2", "3.12.8"])
        #expect(python.virtualEnvironments.map(\.home) == ["/usr/bin", "/usr/local/bin"])
        #expect(python.virtualEnvironments.map(\.includesSystemSitePackages) == [false, true])
        #expect(python.malformed.entries.map(\.path) == ["/opt/bad/pyvenv.cfg"])
    }

    @Test func readsTheRequirementsOfEggs() throws {
        let info = "\(Self.site)/egg-1.egg-info"
        let rootfs = tree(
            Layer().file("\(info)/PKG-INFO", Self.metadata("egg", "1"))
                .file(
                    "\(info)/requires.txt",
                    "six>=1\n# why\n\n[:python_version < \"3\"]\nenum34\n[dev]\npytest\n[dev:os_name == \"nt\"]\nx[y]\n"
                ))
        let egg = try #require(facts(rootfs).python.get().distributions.first)
        #expect(
            egg.requiresDist == [
                "six>=1", "enum34 ; python_version < \"3\"", "pytest ; extra == \"dev\"",
                "x[y] ; (os_name == \"nt\") and extra == \"dev\"",
            ])
        #expect(egg.providesExtra == ["dev"])
    }

    @Test(
        "normalises names",
        arguments: [("Foo.Bar__baz", "foo-bar-baz"), ("a", "a"), ("A-._-B", "a-b"), ("", "")])
    func normalises(_ name: String, _ normal: String) {
        #expect(PythonEnvironment.normalize(name) == normal)
    }

    @Test func tellsWhichLayerRemovedADistribution() throws {
        let site = "usr/lib/python3.11/site-packages"
        let python = try facts(
            tree(
                Layer().file("\(site)/My_Pkg-1.0.dist-info/METADATA", "Name: My.Pkg\nVersion: 1.0\n\n")
                    .file("\(site)/kept-1.dist-info/METADATA", "Name: kept\nVersion: 1\n\n"),
                Layer().file("\(site)/.wh.My_Pkg-1.0.dist-info"))
        ).python.get()
        #expect(python.layer(thatRemoved: Glob("my-pkg")) == 1)
        #expect(python.layer(thatRemoved: Glob("my-*")) == 1)
        #expect(python.layer(thatRemoved: Glob("kept")) == nil)
    }
}
