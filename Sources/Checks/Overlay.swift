import Facts
import OCIModel
import RootFS
import Suite

extension ImageFacts {
    /// The facts of the image with a violation laid over it.
    ///
    /// - Throws: `Unresolved` when the changed config would not be one.
    func applying(_ violation: Violation) throws(Unresolved) -> ImageFacts {
        var overlay: RootFSOverlay?
        var config = EditedConfig(self.config)
        var names: [String]?
        for change in violation.changes {
            switch change {
            case .environment(let name, let value): config.setEnvironment(name, value)
            case .label(let name, let value): config.setLabel(name, value)
            case .config(let key, let value): config.set(key, value)
            case .platform(let os, let architecture): config.setPlatform(os, architecture)
            case .diffIDs(let digests): config.setDiffIDs(digests)
            case .step(let instruction): config.addStep(instruction)
            case .names(let given): names = given
            case .write, .remove, .chmod, .chown:
                var changed = overlay ?? RootFSOverlay(rootfs)
                overlay = nil
                change.apply(to: &changed, layer: violation.layer, topmost: max(0, layers.count - 1))
                overlay = changed
            }
        }
        let changed = try config.result() ?? self.config
        guard let overlay else { return with(config: changed, names: names ?? self.names) }
        return ImageFacts(
            config: changed, layers: layers, rootfs: overlay.tree, names: names ?? self.names)
    }
}

extension Violation.Change {
    /// - Parameter layer: that the change is ascribed to; nil: the one that wrote what is there.
    fileprivate func apply(to overlay: inout RootFSOverlay, layer: Int?, topmost: Int) {
        func layerOf(_ path: ImagePath) -> Int {
            layer ?? (try? overlay.tree.status(at: path, followingFinalLink: false))??.layer ?? topmost
        }
        switch self {
        case .write(let entry):
            let layer = layerOf(entry.path)
            overlay.write(
                entry.path, kind: entry.kind, permissions: entry.permissions, uid: entry.uid, gid: entry.gid,
                content: entry.content, layer: layer)
        case .remove(let path): overlay.remove(path, layer: layer ?? topmost)
        case .chmod(let path, let permissions):
            let layer = layerOf(path)
            overlay.change(path, layer: layer) { $0.permissions = permissions }
        case .chown(let path, let uid, let gid):
            let layer = layerOf(path)
            overlay.change(path, layer: layer) { ($0.uid, $0.gid) = (uid, gid) }
        case .environment, .label, .config, .platform, .names, .diffIDs, .step: break
        }
    }
}

/// The JSON of an image config while it is changed.
private struct EditedConfig {
    private let original: ImageConfig
    private var changes: [(inout JSON) -> Void] = []

    init(_ config: ImageConfig) { original = config }

    mutating func set(_ key: String, _ value: JSON?) {
        changes.append { json in
            var run = json["config"] ?? .object([])
            run.set(key, value)
            json.set("config", run)
        }
    }

    mutating func setEnvironment(_ name: String, _ value: String?) {
        let others = original.run.environment
        changes.append { json in
            var run = json["config"] ?? .object([])
            let present = run["Env"]?.array?.compactMap(\.string) ?? others
            let kept = present.filter { !$0.utf8.starts(with: "\(name)=".utf8) }
            run.set("Env", .array((kept + (value.map { ["\(name)=\($0)"] } ?? [])).map(JSON.string)))
            json.set("config", run)
        }
    }

    mutating func setLabel(_ name: String, _ value: String?) {
        changes.append { json in
            var run = json["config"] ?? .object([])
            var labels = run["Labels"] ?? .object([])
            if labels.isNull { labels = .object([]) }
            labels.set(name, value.map(JSON.string))
            run.set("Labels", labels)
            json.set("config", run)
        }
    }

    mutating func setPlatform(_ os: String, _ architecture: String) {
        changes.append { json in
            json.set("os", .string(os))
            json.set("architecture", .string(architecture))
            json.set("variant", nil)
        }
    }

    mutating func setDiffIDs(_ digests: [Digest]) {
        changes.append { json in
            var rootfs = json["rootfs"] ?? .object([])
            rootfs.set("diff_ids", .array(digests.map { .string($0.description) }))
            json.set("rootfs", rootfs)
        }
    }

    mutating func addStep(_ instruction: String) {
        changes.append { json in
            let step = JSON.object([
                .init("created_by", .string(instruction)), .init("empty_layer", .bool(true)),
            ])
            json.set("history", .array((json["history"]?.array ?? []) + [step]))
        }
    }

    /// Nil when nothing was changed.
    func result() throws(Unresolved) -> ImageConfig? {
        if changes.isEmpty { return nil }
        do throws(ModelError) {
            var json = try JSON(parsing: original.raw, limits: .config)
            for change in changes { change(&json) }
            return try ImageConfig(parsing: json.serialized)
        } catch {
            throw Unresolved("the changed image config is none: \(error.message)")
        }
    }
}

extension JSON {
    /// Sets a member of an object in its place, or adds it at the end; nil removes it.
    fileprivate mutating func set(_ name: String, _ value: JSON?) {
        var members = object ?? []
        let position = members.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
        switch (position, value) {
        case (let position?, let value?): members[position] = Member(name, value)
        case (let position?, nil): members.remove(at: position)
        case (nil, let value?): members.append(Member(name, value))
        case (nil, nil): break
        }
        self = .object(members)
    }
}
