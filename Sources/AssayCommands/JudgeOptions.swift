import ArgumentParser
import Checks
import ImageSource
import LayerArchive
import OCIModel
import Verdict

/// What every command that judges takes: the suites, and what the user knows of the image.
struct JudgeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A suite: the name of one that is built in, a directory or a YAML file. May be repeated.",
            valueName: "name|path"))
    var suite = ["airflow"]
    @Option(
        help: ArgumentHelp(
            "A build argument that the image was built with. May be repeated.", valueName: "name=value"))
    var buildArg: [String] = []
    @Option(
        help: ArgumentHelp("A file of build arguments, a name=value on each line.", valueName: "file"))
    var buildArgFile: String?
    @Option(help: ArgumentHelp("Judge by this release line, whatever the image looks like.", valueName: "id"))
    var profile: String?
    @Option(
        help: ArgumentHelp(
            "The image that this one was made from: turns on what is said of added layers.",
            valueName: "image"))
    var base: String?
    @Option(
        help: ArgumentHelp(
            "A constraints file of pip: turns on what is said of versions by a given file.",
            valueName: "file"))
    var constraints: String?
    @Flag(help: "Judge by the letter of the document where images are known to differ from it.")
    var documented = false
    @Option(
        help: ArgumentHelp(
            "Only checks with this id or group, or matching this glob; static for those that run nothing, probe for those that do.",
            valueName: "id|glob"))
    var only: [String] = []
    @Option(
        help: ArgumentHelp(
            "Not the checks with this id or group, or matching this glob.", valueName: "id|glob"))
    var skip: [String] = []

    /// - Throws: `CommandExit` for a build argument or a file that is wrong, `ImageSourceError` when the base cannot be
    ///   opened.
    func inputs(_ opener: ImageOpener) async throws -> JudgeInputs {
        var baseImage: BaseImage?
        if let base {
            baseImage = BaseImage(reference: base, diffIDs: try await opener.open(base).config.diffIDs)
        }
        return JudgeInputs(
            buildArguments: try buildArg.map { try JudgeOptions.buildArgument($0, "--build-arg") },
            buildArgumentFile: try buildArgFile.map { try JudgeOptions.readBuildArguments($0) } ?? [],
            profile: profile, base: baseImage,
            constraints: try constraints.map { try JudgeOptions.readConstraints($0) },
            judgesByDocument: documented,
            now: Int64(exactly: RunTime.start.timeIntervalSince1970),
            only: only, skip: skip)
    }

    private static func buildArgument(_ text: some StringProtocol, _ place: String) throws
        -> JudgeInputs.Argument
    {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw CommandExit(.usage, "\(place): \(quoted(String(text))) is not NAME=VALUE")
        }
        return JudgeInputs.Argument(name: String(parts[0]), value: String(parts[1]))
    }

    private static func readConstraints(_ path: String) throws -> JudgeInputs.GivenConstraints {
        let bytes = try InputFile.read(path, limit: 1 << 20)
        do {
            return try JudgeInputs.GivenConstraints(name: path, reading: bytes)
        } catch {
            throw CommandExit(.usage, "\(escaped(path)): \(error)")
        }
    }

    /// Lines of NAME=VALUE; empty lines and those that begin with # do not count.
    private static func readBuildArguments(_ path: String) throws -> [JudgeInputs.Argument] {
        let bytes = try InputFile.read(path, limit: 1 << 20)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandExit(.usage, "\(escaped(path)) is not UTF-8")
        }
        var arguments: [JudgeInputs.Argument] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.trimmingPrefix { $0 == " " || $0 == "\t" }
            if line.isEmpty || line.hasPrefix("#") { continue }
            arguments.append(try buildArgument(line, "\(escaped(path)):\(index + 1)"))
        }
        return arguments
    }
}
