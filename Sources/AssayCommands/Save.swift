import ArgumentParser
import ImageSource
import LayerArchive
import OCIModel
import Verdict

struct Save: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save",
        abstract: "Copy an image to an OCI layout, bit for bit, every blob verified.",
        discussion: """
            Example:
              assay save docker-daemon:apache/airflow:2.10.5 oci:airflow:2.10.5

            A blob that is there already is not copied again. Standard output is the manifest's digest.
            """)

    @Argument(help: "The image, TRANSPORT:LOCATION.") var image: String
    @Argument(help: ArgumentHelp("Where to.", valueName: "oci:DIRECTORY[:NAME]")) var destination: String
    @OptionGroup var options: ImageOptions

    func run() async throws {
        guard destination.hasPrefix("oci:"), destination.count > 4 else {
            throw ValidationError("\(quoted(destination)) is not oci:DIRECTORY[:NAME]")
        }
        let parts = destination.dropFirst(4).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let tag = parts.count == 2 ? String(parts[1]) : nil
        guard let directory = parts.first, !directory.isEmpty, tag != "" else {
            throw ValidationError("\(quoted(destination)) is not oci:DIRECTORY[:NAME]")
        }
        let source = try await options.opener().open(image)
        let digest = try await ProgressDisplay.during { progress in
            try await LayoutWriter(directory: String(directory)).write(
                source, tag: tag, progress: progress.begin("copying \(source.name)", source))
        }
        Console.output("\(digest)\n")
    }
}
