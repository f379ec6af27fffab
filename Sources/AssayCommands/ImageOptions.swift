import ArgumentParser
import ImageSource
import LayerArchive
import OCIModel
import Runner

/// What every command that opens an image takes.
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
}

/// What every command that reads the layers of an image takes.
struct ReadingOptions: ParsableArguments {
    @OptionGroup var options: ImageOptions
    @Flag(
        help: "Decode every layer; what earlier runs have kept of layers is neither used nor added to.")
    var noCache = false
    @Option(
        help: ArgumentHelp(
            "Bytes that layers in the cache may take; the ones used longest ago go first. K, M, G or T may follow.",
            valueName: "size"),
        transform: { text in
            guard let size = Limit.Unit.bytes.value(of: text) else {
                throw ValidationError("expected a whole number, or one with a suffix K, M, G or T")
            }
            return size
        })
    var cacheSize = LayerCache.defaultSizeLimit

    func opener() throws -> ImageOpener { try options.opener() }

    var settings: LayerReader.Settings {
        var cache = noCache ? nil : Cache.layers
        cache?.sizeLimit = cacheSize
        return LayerReader.Settings(cache: cache, program: ReaderMode.program)
    }

    /// Opens and reads an image, with progress.
    func analyze(_ reference: String) async throws -> ImageAnalysis {
        let image = try await opener().open(reference)
        return try await ProgressDisplay.during { progress in
            try await ImageAnalysis.read(
                image, reading: settings, progress: progress.begin("reading \(image.name)", image))
        }
    }
}

/// The mode in which this program is the process that reads layers for another run of it.
enum ReaderMode {
    private static let argument = "read-layers"

    static var program: ReaderProgram {
        // The running program, also where its file has been replaced since.
        ReaderProgram(path: "/proc/self/exe", arguments: ["assay", argument])
    }

    /// Serves and ends the process when it was started for that.
    static func enterIfAsked() {
        if CommandLine.arguments.dropFirst().elementsEqual([argument]) { ReaderService.run() }
    }
}
