import ArgumentParser
import ImageSource
import LayerArchive
import OCIModel
import RootFS
import Runner
import Verdict

struct Unpack: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack",
        abstract: "Write an image's merged root file system into a directory.",
        discussion: """
            Examples:
              sudo assay unpack oci:airflow:2.10.5 rootfs
              assay unpack --no-same-owner oci:airflow:2.10.5 rootfs

            The directory appears when everything is written; nothing is ever written outside it.
            """)

    @Argument(help: "The image, TRANSPORT:LOCATION.") var image: String
    @Argument(help: "A directory that does not exist yet, or is empty.") var directory: String
    @Flag(
        name: .customLong("no-same-owner"),
        help: "Everything becomes the caller's own; devices and privileged attributes are left out.")
    var noSameOwner = false
    @Option(help: .hidden) var configDigest: String?
    @OptionGroup var options: ReadingOptions

    func run() async throws {
        let analysis = try await options.analyze(image)
        // Whoever asks for it has read the image before.
        if let configDigest, analysis.image.configDigest.description != configDigest {
            throw CommandExit(.undecided, "\(analysis.image.name) has become another image")
        }
        let writer = RootFSWriter(preservesOwners: !noSameOwner)
        let report = try await ProgressDisplay.during { progress in
            try await writer.write(
                analysis.facts.rootfs, layers: analysis.image.layerInputs, to: directory,
                limits: analysis.image.limits,
                progress: progress.begin("writing \(escaped(directory))", analysis.image))
        }
        for omission in report.omitted { Console.note("left out \(omission)") }
        for note in analysis.notes { Console.note(note.description) }
    }
}
