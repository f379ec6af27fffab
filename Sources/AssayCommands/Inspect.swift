import ArgumentParser
import Foundation
import Runner
import Verdict

struct Inspect: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is in an image: identity, config, layers, sizes, users, packages, setuid files.",
        discussion: """
            Examples:
              assay inspect docker-archive:airflow.tar
              assay inspect --format json oci:airflow:2.10.5 | jq '.packages | length'
            """)

    @Argument(help: "The image, TRANSPORT:LOCATION.") var image: String
    @Option(help: "How to show it: text or json.") var format = Format.text
    @OptionGroup var options: ReadingOptions

    func run() async throws {
        let inspection = Inspection(try await options.analyze(image))
        switch format {
        case .text:
            Console.output(InspectionText(inspection).render())
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            Console.output(Array(try encoder.encode(inspection)) + [0x0A])
        }
    }
}
