import Facts
import OCIModel
import Suite
import Verdict

/// The image that another one was made from, as far as lineage needs it.
public struct BaseImage: Hashable, Sendable {
    /// As the user named it.
    public var reference: String
    /// Lowest first.
    public var diffIDs: [Digest]

    public init(reference: String, diffIDs: [Digest]) {
        self.reference = reference
        self.diffIDs = diffIDs
    }
}

/// How the image came to be out of the standard's own: by layers on top of it, by other build arguments, or both.
struct Lineage: Sendable {
    /// The lowest layer, from 0, that was added on top; nil when none was, or when nothing tells.
    private(set) var extensionStart: Int?
    private(set) var isCustomised = false
    /// What was seen that says so, one line each.
    private(set) var extensionEvidence: String
    private(set) var customisationEvidence: [String] = []
    /// Whether the base that the user gave is what the image begins with; nil when none was given.
    private(set) var beginsWithBase: Bool?

    init() { extensionEvidence = "nothing tells of layers on top of another image" }

    /// - Parameter parameters: with their values and where these come from.
    init(
        _ declaration: LineageDeclaration?, facts: ImageFacts, inputs: JudgeInputs,
        parameters: [ParameterValue], defaults: [String: String]
    ) {
        self.init()
        if let base = inputs.base {
            compare(base, facts.config.diffIDs)
        } else if let declaration {
            readHistory(declaration, facts)
        }
        for name in declaration?.customisedBy ?? [] {
            guard let value = parameters.first(where: { $0.name == name }),
                value.value != defaults[name] ?? "", value.origin != "default",
                !value.origin.hasPrefix("profile ")
            else { continue }
            isCustomised = true
            customisationEvidence.append("\(name) is \(value.value) (\(value.origin))")
        }
    }

    private mutating func compare(_ base: BaseImage, _ diffIDs: [Digest]) {
        let count = base.diffIDs.count
        let begins = diffIDs.starts(with: base.diffIDs)
        beginsWithBase = begins && diffIDs.count > count
        let shown = escaped(base.reference)
        if !begins {
            extensionEvidence = "the layers of \(shown) are not the lowest of the image"
        } else if diffIDs.count == count {
            extensionEvidence = "the image has the layers of \(shown) and no more"
        } else {
            extensionStart = count
            extensionEvidence = "its lowest \(count) layers are those of \(shown)"
        }
    }

    /// Whatever makes a layer after the step by which the standard's image ends was added.
    private mutating func readHistory(_ declaration: LineageDeclaration, _ facts: ImageFacts) {
        guard facts.history.isConsistent else {
            extensionEvidence = "the history does not tell which step made which layer"
            return
        }
        let last = facts.history.steps.first { step in
            step.instruction.rawValue == declaration.lastInstruction
                && step.arguments.contains(declaration.containing)
        }
        guard let last else {
            extensionEvidence =
                "the history has no step \(declaration.lastInstruction) \(declaration.containing)"
            return
        }
        let added = facts.history.steps.dropFirst(last.index + 1).first { $0.layer != nil }
        guard let added, let layer = added.layer else {
            extensionEvidence = "no step after \(declaration.lastInstruction) made a layer"
            return
        }
        extensionStart = layer
        extensionEvidence =
            "layer \(layer + 1) and those above come after the step \(declaration.lastInstruction) that ends "
            + "the image"
    }

    /// For the report. The sizes are those of the layers' uncompressed archives, in bytes.
    func summary(_ facts: ImageFacts) -> LineageSummary {
        let start = extensionStart ?? facts.layers.count
        let sizes = facts.layers.map(\.uncompressedSize)
        return LineageSummary(
            extended: extensionStart != nil, customised: isCustomised,
            evidence: [extensionEvidence] + customisationEvidence,
            baseLayers: extensionStart,
            baseSize: extensionStart == nil ? nil : sizes.prefix(start).reduce(0, saturatingSum),
            addedSize: extensionStart == nil ? nil : sizes.dropFirst(start).reduce(0, saturatingSum))
    }
}
