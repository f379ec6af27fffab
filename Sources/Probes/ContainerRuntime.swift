import Facts
import Glibc
import Verdict

/// What runs containers of one image.
public protocol ContainerRuntime: Sendable {
    /// As transcripts name it: `oci`, `docker` or `podman`.
    var name: String { get }

    /// Starts a container.
    ///
    /// - Parameter volumes: the directory of this machine behind each volume of the scenario.
    /// - Throws: `ProbeError` when that cannot be done.
    func start(_ spec: ContainerSpec, volumes: [String: String]) async throws(ProbeError)
        -> any RunningContainer
}

/// A container that was started. It has to be removed.
public protocol RunningContainer: Sendable {
    /// The exit code once it has ended; nil while it runs.
    ///
    /// - Throws: `ProbeError` when the runtime broke.
    func exitCode() throws(ProbeError) -> Int32?

    /// What it wrote so far.
    var standardOutput: ContainerTranscript.Output { get }
    var standardError: ContainerTranscript.Output { get }

    /// Sends a signal to its first process.
    ///
    /// - Parameter name: without SIG.
    func signal(_ name: String) async throws(ProbeError)

    /// Starts a command in it, with the container's variables and working directory.
    ///
    /// - Parameter user: nil for the container's own.
    func execute(_ arguments: [String], user: ResolvedUser?) async throws(ProbeError) -> any RunningContainer

    /// The number of its first process on this machine; nil when it has ended.
    func processID() async throws(ProbeError) -> pid_t?

    /// What some of its files are, also when it has ended.
    func files(_ wanted: [ContainerFiles.Wanted]) async throws(ProbeError) -> [ContainerState.File]

    /// Ends it, whatever it does, and removes all that is left of it.
    ///
    /// - Throws: `ProbeError` when the runtime broke.
    func remove() async throws(ProbeError)
}
