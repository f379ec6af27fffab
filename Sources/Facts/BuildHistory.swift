import OCIModel

/// How the image says it was built: the member `history` of the image config (OCI image-spec, "Image
/// Configuration"), in the spellings of Docker's legacy builder, BuildKit and Buildah.
///
/// History is text that the builder wrote and anybody may have edited. It explains a finding; it proves nothing.
public struct BuildHistory: Sendable {
    /// The keyword of a Dockerfile instruction.
    public enum Instruction: String, Sendable, CaseIterable {
        case add = "ADD"
        case arg = "ARG"
        case cmd = "CMD"
        case copy = "COPY"
        case entrypoint = "ENTRYPOINT"
        case env = "ENV"
        case expose = "EXPOSE"
        case from = "FROM"
        case healthcheck = "HEALTHCHECK"
        case label = "LABEL"
        case maintainer = "MAINTAINER"
        case onBuild = "ONBUILD"
        case run = "RUN"
        case shell = "SHELL"
        case stopSignal = "STOPSIGNAL"
        case user = "USER"
        case volume = "VOLUME"
        case workdir = "WORKDIR"
        /// Text that no Dockerfile builder writes, as that of a base image made by another tool.
        case other = "-"
    }

    /// A build argument that was in effect for a RUN instruction (`|1 NAME=value` before its command).
    public struct BuildArgument: Hashable, Sendable {
        public let name: String
        public let value: String
    }

    /// One step of the build.
    public struct Step: Hashable, Sendable {
        /// Position in the history, from 0.
        public let index: Int
        public let instruction: Instruction
        /// What follows the keyword; of RUN in shell form the command alone, without the shell and the build
        /// arguments.
        public let arguments: String
        public let buildArguments: [BuildArgument]
        /// True when the values of `buildArguments` hold text that may as well begin another argument: builders
        /// write them without quotation marks.
        public let hasAmbiguousBuildArguments: Bool
        /// The text as the builder wrote it; empty when the history has none.
        public let raw: String
        /// The layer that this step made, lowest 0; nil when it made none, or when that is not certain.
        public let layer: Int?
    }

    /// Oldest first.
    public let steps: [Step]
    /// Whether as many steps made a layer as there are layers. If not, no step is assigned to a layer: parts of
    /// the history are missing or invented, and it cannot be told which.
    public let isConsistent: Bool
    private let stepsByLayer: [Int]

    public init(config: ImageConfig) {
        let layerSteps = config.history.indices.filter { !config.history[$0].isEmptyLayer }
        isConsistent = layerSteps.count == config.diffIDs.count
        stepsByLayer = isConsistent ? layerSteps : []
        var declared: Set<String> = []
        var layersSoFar = 0
        var steps: [Step] = []
        steps.reserveCapacity(config.history.count)
        for (index, entry) in config.history.enumerated() {
            let raw = entry.createdBy ?? ""
            let line = HistoryLine(parsing: raw, declaredArguments: declared)
            if line.instruction == .arg {
                declared.insert(String(line.arguments.prefix { $0 != "=" && $0 != " " }))
            }
            steps.append(
                Step(
                    index: index, instruction: line.instruction, arguments: line.arguments,
                    buildArguments: line.buildArguments,
                    hasAmbiguousBuildArguments: line.hasAmbiguousBuildArguments, raw: raw,
                    layer: isConsistent && !entry.isEmptyLayer ? layersSoFar : nil))
            if !entry.isEmptyLayer { layersSoFar += 1 }
        }
        self.steps = steps
    }

    /// The step that made a layer (lowest 0); nil when that is not certain.
    public func step(forLayer layer: Int) -> Step? {
        stepsByLayer.indices.contains(layer) ? steps[stepsByLayer[layer]] : nil
    }

    /// The last step with this instruction that satisfies the condition.
    public func lastStep(_ instruction: Instruction, where condition: (Step) -> Bool = { _ in true }) -> Step?
    {
        steps.last { $0.instruction == instruction && condition($0) }
    }

    /// The last step that sets a name: of ENV a variable, of LABEL a label, of ARG a build argument.
    public func lastStep(_ instruction: Instruction, setting name: String) -> Step? {
        let assignments = ["\(name)=", "\"\(name)\"=", "'\(name)'="].map { Array($0.utf8) }
        let oldForm = Array("\(name) ".utf8)
        return lastStep(instruction) { step in
            let text = Array(step.arguments.utf8)
            if text.starts(with: oldForm) || text == oldForm.dropLast() { return true }
            return text.indices.contains { start in
                (start == 0 || isSpace(text[start - 1]))
                    && assignments.contains { text[start...].starts(with: $0) }
            }
        }
    }

    /// The value that a build argument had last, with the step that says so. Steps whose arguments are ambiguous
    /// are passed over.
    public func buildArgument(named name: String) -> (value: String, step: Step)? {
        for step in steps.reversed() where !step.hasAmbiguousBuildArguments {
            if let argument = step.buildArguments.last(where: { $0.name == name }) {
                return (argument.value, step)
            }
        }
        return nil
    }
}
