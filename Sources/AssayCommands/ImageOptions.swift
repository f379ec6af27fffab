import ArgumentParser
import ImageSource
import LayerArchive
import OCIModel
import Runner

/// What every command that reads an image takes.
struct ImageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Take the image of this platform where there are several.", valueName: "os/arch[/variant]"))
    var platform: String?
    @Option(
        help: ArgumentHelp(
            "Bound what an image may make of memory and time; doctor lists the names. May be repeated.",
            valueName: "name=value"))
    var limit: [String] = []

    func opener() throws -> ImageOpener {
        let wanted: Platform?
        do throws(ModelError) {
            wanted = try platform.map { (text) throws(ModelError) in try Platform(parsing: text) }
        } catch {
            throw ValidationError(error.message)
        }
        var limits = Limits()
        do throws(ModelError) {
            for setting in limit { try limits.set(setting) }
        } catch {
            throw ValidationError("--limit: \(error.message)")
        }
        return ImageOpener(platform: wanted, limits: limits, notify: { Console.note($0) })
    }

    /// Opens and reads an image, with progress.
    func analyze(_ reference: String) async throws -> ImageAnalysis {
        let image = try await opener().open(reference)
        return try await ProgressDisplay.during { progress in
            try await ImageAnalysis.read(image, progress: progress.begin("reading \(image.name)", image))
        }
    }
}
