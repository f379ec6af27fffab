import Facts
import LayerArchive
import OCIModel
import RootFS

/// A layer in the making: members in the order in which they are added.
struct Layer {
    private(set) var table = EntryTable()

    func file(
        _ path: String, _ text: String = "", mode: UInt16 = 0o644, uid: Int64 = 0, gid: Int64 = 0,
        attributes: [ExtendedAttribute] = []
    ) -> Layer {
        file(path, bytes: Array(text.utf8), mode: mode, uid: uid, gid: gid, attributes: attributes)
    }

    func file(
        _ path: String, bytes: [UInt8], mode: UInt16 = 0o644, uid: Int64 = 0, gid: Int64 = 0,
        attributes: [ExtendedAttribute] = []
    ) -> Layer {
        // The reader keeps what the plan asks for, and no more.
        let rule = Array(path.utf8).withUnsafeBufferPointer { ContentPlan.facts.rule(forMember: $0) }
        let isKept = rule.map { bytes.count <= $0.maximumBytes } ?? false
        return adding {
            $0.append(
                path: path.utf8, kind: .file, permissions: mode, uid: uid, gid: gid, size: Int64(bytes.count),
                extendedAttributes: attributes, contents: isKept ? bytes : nil)
        }
    }

    /// A file of which the reader found this.
    func linked(_ path: String, _ linkage: Linkage) -> Layer {
        adding { $0.append(path: path.utf8, kind: .file, permissions: 0o755, size: 1, linkage: linkage) }
    }

    func directory(_ path: String, mode: UInt16 = 0o755, uid: Int64 = 0, gid: Int64 = 0) -> Layer {
        adding { $0.append(path: path.utf8, kind: .directory, permissions: mode, uid: uid, gid: gid) }
    }

    func link(_ path: String, to target: String) -> Layer {
        adding {
            $0.append(
                path: path.utf8, kind: .symbolicLink, permissions: 0o777, linkTarget: Array(target.utf8))
        }
    }

    func hardLink(_ path: String, to target: String) -> Layer {
        adding {
            $0.append(path: path.utf8, kind: .hardLink, permissions: 0o644, linkTarget: Array(target.utf8))
        }
    }

    func whiteout(_ path: String) -> Layer { file(path) }

    private func adding(_ change: (inout EntryTable) -> Void) -> Layer {
        var copy = self
        change(&copy.table)
        return copy
    }
}

func tree(_ layers: Layer...) -> RootFS { RootFS.merging(layers.map(\.table), plan: .facts) }

/// A config as a builder writes it.
func config(
    user: String? = nil, environment: [String] = [], workingDirectory: String? = nil,
    architecture: String = "amd64",
    history: [(createdBy: String, isEmptyLayer: Bool)] = [], layerCount: Int = 0
) throws -> ImageConfig {
    var run: [JSON.Member] = [.init("Env", .array(environment.map(JSON.string)))]
    if let user { run.append(.init("User", .string(user))) }
    if let workingDirectory { run.append(.init("WorkingDir", .string(workingDirectory))) }
    let digests = (0..<layerCount).map { JSON.string("sha256:" + String(repeating: "\($0 % 10)", count: 64)) }
    let entries = history.map { entry in
        JSON.object([
            .init("created_by", .string(entry.createdBy)), .init("empty_layer", .bool(entry.isEmptyLayer)),
        ])
    }
    return try ImageConfig(
        parsing: JSON.object([
            .init("os", .string("linux")), .init("architecture", .string(architecture)),
            .init("config", .object(run)), .init("history", .array(entries)),
            .init(
                "rootfs", .object([.init("type", .string("layers")), .init("diff_ids", .array(digests))])),
        ]).serialized)
}

func facts(_ rootfs: RootFS, config imageConfig: ImageConfig? = nil) throws -> ImageFacts {
    ImageFacts(config: try imageConfig ?? config(), layers: [], rootfs: rootfs)
}

extension Result where Failure == FactError {
    /// Why the fact could not be had.
    var failureKind: FactError.Kind? { if case .failure(let error) = self { error.kind } else { nil } }
}
