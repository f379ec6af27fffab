/// What a container may use: a hostile image must not harm the machine that looks at it.
public struct ProbeLimits: Hashable, Sendable {
    /// Processes and threads.
    public var processes = 512
    /// Bytes of memory.
    public var memory: Int64 = 4 << 30
    /// Bytes of files that a container writes, and the volumes of a scenario hold.
    public var disk: Int64 = 1 << 30
    /// Bytes that are kept of each of a container's streams.
    public var output = 256 << 10

    public init() {}
}

extension RuntimeKind {
    /// How long a runtime may take for an answer or the start of a container before it counts as broken: one that is
    /// whole waits for a disk that is busy with other things, for half a minute and more.
    static let patience = Duration.seconds(120)

    /// What of the limits it cannot hold a container to on this machine, in a line; nil when it can all.
    public var missingLimits: String? {
        switch self {
        case .oci:
            OCIRuntime.mapping.isEmpty
                ? nil
                : "an ordinary user has no cgroups: memory is bounded for each process, processes for each user of a container"
        case .docker, .podman: "what a container writes is measured every second, not bounded at once"
        }
    }
}
