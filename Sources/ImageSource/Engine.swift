import Glibc
import LayerArchive
import OCIModel
import Subprocess
import SystemPackage

/// Reads images out of a container engine's store by the engine's own `save`: its configuration, contexts and
/// remote hosts apply without Assay knowing them.
struct Engine: Sendable {
    let transport: ImageName.Transport

    /// The command-line program.
    var program: String { transport == .podman ? "podman" : "docker" }

    /// Has the engine write the image into a temporary file: the only copy that is made.
    func save(_ image: String) async throws(ImageSourceError) -> RandomAccessFile {
        let descriptor: Int32
        do throws(LayerError) {
            descriptor = try Spool.makeFile()
        } catch {
            throw ImageSourceError(error)
        }
        do throws(ImageSourceError) {
            try await run(image, output: descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        do throws(LayerError) {
            return try RandomAccessFile(takingOver: descriptor, name: "\(transport.rawValue):\(image)")
        } catch {
            throw ImageSourceError(error)
        }
    }

    private func run(_ image: String, output descriptor: Int32) async throws(ImageSourceError) {
        let arguments =
            transport == .podman
            ? ["save", "--quiet", "--format", "docker-archive", image] : ["save", image]
        let result: ExecutionResult<Void, FileDescriptorOutput, StringOutput<UTF8>>
        do {
            result = try await Subprocess.run(
                .name(program), arguments: Arguments(arguments), input: .none,
                output: .fileDescriptor(
                    FileDescriptor(rawValue: descriptor), closeAfterSpawningProcess: false),
                error: .string(limit: 64 << 10))
        } catch {
            throw ImageSourceError(
                .engine, "\(program) could not be run: \(escaped("\(error)"))",
                hint: "install \(program), or save the image to a file and name that")
        }
        guard result.terminationStatus.isSuccess else {
            let complaint = result.standardError.split(separator: "\n").last.map { escaped(String($0)) }
            throw ImageSourceError(
                .engine, "\(program) save \(escaped(image)): \(complaint ?? "\(result.terminationStatus)")",
                hint: "\(program) must run and have the image: try \(program) image inspect \(escaped(image))"
            )
        }
    }

    /// Whether the program is on PATH.
    var isInstalled: Bool {
        get async { (try? await Executable.name(program).resolveExecutablePath(in: .inherit)) != nil }
    }
}
