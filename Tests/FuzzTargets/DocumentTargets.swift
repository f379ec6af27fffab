import Facts
import ImageSource
import OCIModel
import RootFS
import Suite

enum DocumentTargets {
    static func documents(_ bytes: [UInt8]) -> String? {
        if let json = try? JSON(parsing: bytes, limits: JSONLimits(bytes: 4 << 20)) {
            let again = try? JSON(parsing: json.serialized, limits: JSONLimits(bytes: 64 << 20))
            if again != json { return "a document that was written is read as another" }
        }
        _ = try? Manifest(parsing: bytes)
        _ = try? Index(parsing: bytes)
        guard let config = try? ImageConfig(parsing: bytes) else { return nil }
        return facts(of: config)
    }

    static func reference(_ bytes: [UInt8]) -> String? {
        for exists in [true, false] { _ = try? ImageName.parse(text(bytes)) { _ in exists } }
        _ = try? Digest(parsing: text(bytes))
        _ = try? Platform(parsing: text(bytes))
        let path = ImagePath(bytes)
        return ImagePath(path.bytes) == path ? nil : "\(path) is another path when it is read again"
    }

    /// Lines are the steps of a history; those that begin with `-` make no layer.
    static func history(_ bytes: [UInt8]) -> String? {
        let steps = bytes.split(separator: UInt8(ascii: "\n")).map { line in
            JSON.object([
                .init("created_by", .string(text(line))),
                .init("empty_layer", .bool(line.first == UInt8(ascii: "-"))),
            ])
        }
        let document = JSON.object([
            .init("os", .string("linux")), .init("architecture", .string("amd64")),
            .init("history", .array(steps)),
            .init("rootfs", .object([.init("type", .string("layers")), .init("diff_ids", .array([]))])),
        ])
        guard let config = try? ImageConfig(parsing: document.serialized) else { return nil }
        return facts(of: config)
    }

    private static func facts(of config: ImageConfig) -> String? {
        let facts = ImageFacts(config: config, layers: [], rootfs: RootFS.merging([]))
        for name in ["AIRFLOW_UID", ""] { _ = facts.history.buildArgument(named: name) }
        _ = facts.commands.find("airflow")
        return nil
    }

    static func suite(_ bytes: [UInt8]) -> String? {
        _ = try? SuiteLoader.load(directory: [("fuzz.yaml", text(bytes))])
        _ = try? WaiverFile.read([("fuzz.yaml", text(bytes))])
        return nil
    }
}
