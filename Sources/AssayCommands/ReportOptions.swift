import ArgumentParser
import Dispatch
import Foundation
import Glibc
import ImageSource
import LayerArchive
import OCIModel
import Reporting
import Synchronization
import Verdict

/// What every command that reports on images takes.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write a report: \(ReportFormat.allCases.map(\.rawValue).joined(separator: ", ")). To standard output, to a file, or, where the path is a directory, to a file of the image's name in it; FORMAT= is FORMAT=Reports/. May be repeated.",
            valueName: "format[=path]"))
    var report: [ReportRequest] = []
    @Option(
        help: ArgumentHelp(
            "The Dockerfile, or another file of your repository, at which sarif, github and gitlab show findings: at the instruction that made them where it is told, else at its first line. By default it is the line of the suite.",
            valueName: "file"))
    var anchor: String?
    @Option(help: "The lightest severity whose fail counts: info, warning or error.") var failOn = Severity
        .warning
    @Option(help: "Colour in the text report: auto, always or never.") var color = ColorChoice.auto
    @Flag(name: .shortAndLong, help: "List passed checks too.") var verbose = false
    @Flag(name: .shortAndLong, help: "No text report on standard output.") var quiet = false

    func validate() throws { try ReportRequest.validate(report) }

    /// The anchor, with the lines of its instructions where it can be read.
    private var repositoryFile: RepositoryFile? {
        anchor.map { path in
            let content = try? InputFile.read(path, limit: RepositoryFile.sizeLimit)
            return RepositoryFile(path: path, dockerfile: String(decoding: content ?? [], as: UTF8.self))
        }
    }

    /// Writes every report. One that cannot be written is told on standard error, and keeps no other from being written.
    ///
    /// - Parameter files: where the reports go that are not for standard output.
    /// - Returns: false when there was one.
    func write(_ record: RunRecord, to files: [ReportFile]) -> Bool {
        var allWritten = Interruption.holdingOff { write(record, files) }
        guard let format = report.first(where: { $0.path == nil })?.format ?? (quiet ? nil : .text) else {
            return allWritten
        }
        let options = RenderOptions(
            width: Console.width(of: STDOUT_FILENO) ?? 100, color: color.isOn(for: STDOUT_FILENO),
            verbose: verbose, failOn: failOn, anchor: repositoryFile)
        do throws(ReportError) {
            Console.output(try format.render(record, options: options))
        } catch {
            Console.error("\(error)", hint: nil)
            allWritten = false
        }
        return allWritten
    }

    private func write(_ record: RunRecord, _ files: [ReportFile]) -> Bool {
        let options = RenderOptions(failOn: failOn, anchor: repositoryFile)
        let errors = Mutex([ReportError?](repeating: nil, count: files.count))
        // The largest first: none is begun when there is nothing left to do beside it.
        let order = files.indices.sorted {
            files[$0].format.bytesPerResult > files[$1].format.bytesPerResult
        }
        DispatchQueue.concurrentPerform(iterations: files.count) { iteration in
            let index = order[iteration]
            let rendered = files[index].rendered(record, options)
            // One after the other: where the disk is full, none is in the way of another that would fit.
            errors.withLock { $0[index] = files[index].write(rendered) }
        }
        let failed = errors.withLock { $0.compactMap(\.self) }
        for error in failed { Console.error("\(error)", hint: nil) }
        return failed.isEmpty
    }

    /// Ends the command with the code for the record. A report that could not be written is no verdict; a definite
    /// fail stays one.
    func end(_ record: RunRecord, allWritten: Bool) throws {
        let decision = ExitDecision(of: record, failOn: failOn)
        if decision == .conforming, !allWritten { throw CommandExit(.undecided) }
        if decision != .conforming { throw CommandExit(decision) }
    }
}

/// `--report FORMAT[=PATH]`.
struct ReportRequest: ExpressibleByArgument {
    let format: ReportFormat
    /// nil: standard output. One that ends with a slash is a directory.
    let path: String?

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let format = ReportFormat(rawValue: String(name)) else { return nil }
        self.format = format
        path = parts.count == 2 ? (parts[1].isEmpty ? "Reports/" : String(parts[1])) : nil
    }

    /// - Throws: `ValidationError` when more than one is for standard output.
    static func validate(_ reports: [ReportRequest]) throws {
        guard reports.count(where: { $0.path == nil }) <= 1 else {
            throw ValidationError(
                "only one report can go to standard output: give the others a path, as junit=FILE")
        }
    }
}

/// A file that a report is to be written to.
struct ReportFile: Equatable {
    let format: ReportFormat
    let path: String

    func rendered(_ record: RunRecord, _ options: RenderOptions) -> Result<[UInt8], ReportError> {
        do throws(ReportError) {
            return .success(try format.render(record, options: options))
        } catch {
            return .failure(error)
        }
    }

    /// - Returns: why it could not be written; nil when it is.
    func write(_ rendered: Result<[UInt8], ReportError>) -> ReportError? {
        do throws(ReportError) {
            try AtomicFile.write(try rendered.get(), to: path)
            return nil
        } catch {
            return error
        }
    }

    /// The files for requests that are not for standard output. A path that ends with a slash, or is a directory,
    /// gets a file in it that is named after what the reports are about.
    ///
    /// - Parameter references: the images, as they were named.
    /// - Throws: `CommandExit` with the code for usage when two would be the same.
    static func all(_ requests: [ReportRequest], references: [String]) throws -> [ReportFile] {
        let name = baseName(references)
        var seen: Set<String> = []
        return try requests.compactMap { request in
            guard var path = request.path else { return nil }
            if path.hasSuffix("/") || isDirectory(path) {
                path += (path.hasSuffix("/") ? "" : "/") + "\(name).\(request.format.fileExtension)"
            }
            guard seen.insert(URL(fileURLWithPath: path).standardizedFileURL.path).inserted else {
                throw CommandExit(.usage, "two reports have the same path: \(quoted(path))")
            }
            return ReportFile(format: request.format, path: path)
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// `docker-archive:build/airflow-2.10.5.tar` gives "airflow-2.10.5", `docker-daemon:apache/airflow:2.10.5` too;
    /// several images give "assay". It is of letters, digits, `.`, `_` and `-`, and begins with none of the last three,
    /// so that it never names anything outside of its directory.
    static func baseName(_ references: [String]) -> String {
        guard references.count == 1, let reference = references.first else { return "assay" }
        var name = reference.utf8[...]
        for transport in ImageName.Transport.allCases.map(\.rawValue) + ["docker"]
        where name.starts(with: "\(transport):".utf8) {
            name = name.dropFirst(transport.utf8.count + 1)
            break
        }
        if let at = name.firstIndex(of: UInt8(ascii: "@")) { name = name[..<at] }
        while name.last == UInt8(ascii: "/") { name = name.dropLast() }
        if let slash = name.lastIndex(of: UInt8(ascii: "/")) { name = name[name.index(after: slash)...] }
        var text = String(
            name.prefix(120).map { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    Character(UnicodeScalar(byte))
                case UInt8(ascii: ":"): "-"
                default: "_"
                }
            })
        for ending in [".gz", ".zst", ".xz", ".bz2"] where text.hasSuffix(".tar" + ending) {
            text.removeLast(ending.count)
        }
        for ending in [".tar", ".tgz"] where text.hasSuffix(ending) { text.removeLast(ending.count) }
        text = String(text.drop { "._-".contains($0) })
        return text.isEmpty ? "assay" : text
    }
}

extension Severity: ExpressibleByArgument {}
