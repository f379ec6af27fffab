import ArgumentParser
import Foundation
import Probes

/// Looks at files of a container for a check that runs, as a process that may read all of them: standard input is the
/// container's root, standard output gets what is there as JSON.
struct Look: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "look",
        abstract: "Look at files of a container, for a check that runs.", shouldDisplay: false)

    @Argument(help: "What to look at, as JSON.") var request: String

    func run() throws {
        let files = try JSONDecoder().decode(ContainerFiles.self, from: Data(request.utf8)).look(below: 0)
        try FileHandle.standardOutput.write(contentsOf: JSONEncoder().encode(files))
    }
}
