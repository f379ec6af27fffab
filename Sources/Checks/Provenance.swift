import Facts
import OCIModel
import Verdict

/// Who wrote a thing: the one place where layers and history steps become provenance.
extension EvaluationContext {
    /// The layer, lowest 0, with the step that made it.
    func provenance(ofLayer layer: Int) -> Provenance {
        guard facts.layers.indices.contains(layer) else { return Provenance(layer: layer + 1) }
        let fact = facts.layers[layer]
        return Provenance(
            layer: layer + 1, layerDigest: fact.digest.description, diffID: fact.diffID.description,
            instruction: facts.history.step(forLayer: layer).flatMap(instruction))
    }

    func provenance(ofKnownLayer layer: Int?) -> Provenance? { layer.map { provenance(ofLayer: $0) } }

    /// The layer that removed the path or a directory above it, if one did.
    func provenance(ofMissing path: ImagePath) -> Provenance? {
        provenance(ofKnownLayer: facts.rootfs.layerThatRemoved(path))
    }

    /// The layer that wrote the file last.
    func provenance(ofFile path: ImagePath) -> Provenance? {
        guard let node = try? facts.rootfs.node(at: path) else { return provenance(ofMissing: path) }
        return provenance(ofLayer: facts.rootfs.status(of: node).layer)
    }

    /// The step of the history that set a key of the image config; it need not have made a layer.
    func provenance(ofStep step: BuildHistory.Step?) -> Provenance? {
        guard let step else { return nil }
        if let layer = step.layer { return provenance(ofLayer: layer) }
        return Provenance(instruction: instruction(step))
    }

    /// The Debian package that a file belongs to; nil for a file of none, or when that cannot be told.
    func package(of path: ImagePath) -> String? {
        guard case .success(let packages) = facts.packages,
            case .success(let owner) = packages.owner(of: path)
        else { return nil }
        return owner
    }

    private func instruction(_ step: BuildHistory.Step) -> String? {
        step.raw.isEmpty ? nil : shortened(escaped(step.raw), limit: 1_000)
    }
}
