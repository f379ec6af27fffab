import LayerArchive
import OCIModel

extension ContentPlan {
    /// The file contents that the facts are read from. A run must keep at least these while it reads the layers.
    public static let facts = facts(Limits())

    /// The same with other bounds on how large the files may be.
    public static func facts(_ limits: Limits) -> ContentPlan {
        func bound(_ limit: Limit) -> Int { Int(limits[limit]) }
        var plan = ContentPlan()
        for path: ImagePath in ["/etc/passwd", "/etc/group"] {
            plan.insert(Rule(.path(path), maximumBytes: bound(.passwd), keepsVersions: true))
        }
        for path: ImagePath in [
            "/etc/os-release", "/usr/lib/os-release", "/etc/debian_version", "/etc/apt/sources.list",
            "/etc/ld.so.conf",
        ] {
            plan.insert(Rule(.path(path), maximumBytes: 64 << 10))
        }
        plan.insert(
            Rule(.path("/var/lib/dpkg/status"), maximumBytes: bound(.dpkgStatus), keepsVersions: true))
        plan.insert(Rule(.directory("/var/lib/dpkg/status.d")))
        plan.insert(Rule(.suffix(Array(".list".utf8)), maximumBytes: bound(.dpkgList)))
        plan.insert(Rule(.path("/var/lib/dpkg/diversions")))
        plan.insert(Rule(.suffix(Array(".so".utf8)), keeps: .linkage))
        plan.insert(Rule(.infix(Array(".so.".utf8)), keeps: .linkage))
        for path: ImagePath in ["/etc/apt/sources.list.d", "/etc/ld.so.conf.d"] {
            plan.insert(Rule(.directory(path), maximumBytes: 64 << 10))
        }
        plan.insert(Rule(.path("/etc/apt/trusted.gpg")))
        for path: ImagePath in ["/etc/apt/trusted.gpg.d", "/etc/apt/keyrings", "/usr/share/keyrings"] {
            plan.insert(Rule(.directory(path)))
        }
        for rule in SecretFile.rules { plan.insert(rule) }
        // Keyrings that a source may name wherever they are.
        for suffix in [".gpg", ".asc"] { plan.insert(Rule(.suffix(Array(suffix.utf8)))) }
        for suffix in [".dist-info/METADATA", ".egg-info/PKG-INFO", ".egg-info/requires.txt", ".egg-info"] {
            plan.insert(Rule(.suffix(Array(suffix.utf8)), maximumBytes: bound(.metadata)))
        }
        for suffix in [
            ".dist-info/INSTALLER", ".dist-info/WHEEL", ".dist-info/direct_url.json", "/pyvenv.cfg",
        ] {
            plan.insert(Rule(.suffix(Array(suffix.utf8)), maximumBytes: 64 << 10))
        }
        plan.insert(Rule(.suffix(Array(".pth".utf8)), maximumBytes: 16 << 10))
        plan.insert(Rule(.suffix(Array(".dist-info/RECORD".utf8)), maximumBytes: bound(.record)))
        plan.insert(Rule(.suffix(Array("/constraints.txt".utf8))))
        return plan
    }
}
