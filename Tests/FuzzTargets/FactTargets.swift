import Facts
import LayerArchive
import OCIModel
import RootFS

/// Files of an image whose formats are parsed.
enum FactTargets {
    private static func facts(_ files: [(path: String, content: [UInt8])]) -> ImageFacts? {
        var table = EntryTable()
        for (path, content) in files {
            table.append(
                path: path.utf8, kind: .file, permissions: 0o644, size: Int64(content.count),
                contents: content)
        }
        let rootfs = RootFS.merging([table], plan: .facts)
        guard let config = try? ImageConfig(parsing: emptyConfig) else { return nil }
        return ImageFacts(config: config, layers: [], rootfs: rootfs)
    }

    private static let emptyConfig = JSON.object([
        .init("os", .string("linux")), .init("architecture", .string("amd64")),
        .init("config", .object([.init("User", .string("airflow"))])),
        .init("rootfs", .object([.init("type", .string("layers")), .init("diff_ids", .array([]))])),
    ]).serialized

    static func packages(_ bytes: [UInt8]) -> String? {
        let files = parts(bytes, 3)
        let facts = facts([
            ("var/lib/dpkg/status", files[0]), ("var/lib/dpkg/info/libc6.list", files[1]),
            ("var/lib/dpkg/diversions", files[2]),
        ])
        guard let packages = try? facts?.packages.get() else { return nil }
        for package in packages.installed.prefix(8) {
            _ = packages.providers(of: package.name)
            if !packages.packages(named: package.name).contains(where: { $0.name == package.name }) {
                return "the package \(package.name) is not found by its name"
            }
        }
        _ = packages.owner(of: "/usr/bin/env")
        return nil
    }

    static func distributions(_ bytes: [UInt8]) -> String? {
        let files = parts(bytes, 5)
        let folder = "usr/lib/python3/dist-packages"
        let facts = facts([
            ("\(folder)/a-1.dist-info/METADATA", files[0]), ("\(folder)/a-1.dist-info/RECORD", files[1]),
            ("\(folder)/a-1.dist-info/WHEEL", files[2]),
            ("\(folder)/a-1.dist-info/direct_url.json", files[3]),
            ("constraints.txt", files[4]), ("\(folder)/b-1.dist-info/METADATA", files[0]),
        ])
        guard let facts, let python = try? facts.python.get() else { return nil }
        for distribution in python.distributions {
            _ = facts.record(of: distribution)
            _ = facts.workingSet(holding: distribution)
        }
        _ = facts.constraints(at: "/constraints.txt")
        return nil
    }

    static func users(_ bytes: [UInt8]) -> String? {
        let files = parts(bytes, 3)
        let facts = facts([("etc/passwd", files[0]), ("etc/group", files[1]), ("etc/os-release", files[2])])
        guard let users = try? facts?.users.get() else { return nil }
        for user in users.users.prefix(8) {
            if users.user(named: user.name)?.name != user.name { return "\(user.name) is not found by name" }
            _ = users.groups(of: user)
        }
        return nil
    }

    static func sources(_ bytes: [UInt8]) -> String? {
        let files = parts(bytes, 3)
        let facts = facts([
            ("etc/apt/sources.list", files[0]), ("etc/apt/sources.list.d/a.sources", files[1]),
            ("etc/apt/trusted.gpg.d/a.gpg", files[2]), ("etc/apt/trusted.gpg.d/a.asc", files[2]),
        ])
        guard let facts else { return nil }
        for source in facts.aptSources.sources.prefix(8) {
            _ = try? facts.aptSources.keyState(of: source, now: 1_700_000_000)
        }
        return nil
    }
}
