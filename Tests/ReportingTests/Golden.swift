import Foundation
import Testing

/// A file that a report has to be the same as.
enum Golden {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()

    /// A file of the tests.
    static func named(_ name: String) -> URL { root.appending(path: "Goldens").appending(path: name) }

    /// What people look at before they install.
    static func example(_ name: String) -> URL {
        root.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Reports/examples").appending(path: name)
    }
}

/// Compares a report with a golden file.
///
/// `ASSAY_RECORD_GOLDENS=1 swift test --filter ReportingTests` writes the files anew; the tests fail even
/// then, so that a recording can never pass for a comparison. Look at the difference before committing it. With
/// `CI=true` nothing is recorded.
func expectGolden(
    _ bytes: [UInt8], _ file: URL, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let name = file.lastPathComponent
    let environment = ProcessInfo.processInfo.environment
    if environment["ASSAY_RECORD_GOLDENS"] == "1" {
        if environment["CI"] == "true" {
            Issue.record("\(name) is not recorded: CI compares", sourceLocation: sourceLocation)
        } else {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
            Issue.record("recorded \(name): run again without recording", sourceLocation: sourceLocation)
        }
        return
    }
    let golden = try [UInt8](Data(contentsOf: file))
    if bytes == golden { return }
    let newline = UInt8(ascii: "\n")
    let new = bytes.split(separator: newline, omittingEmptySubsequences: false)
    let old = golden.split(separator: newline, omittingEmptySubsequences: false)
    let line = zip(new, old).enumerated().first { $1.0 != $1.1 }?.offset ?? min(new.count, old.count)
    func shown(_ lines: [ArraySlice<UInt8>]) -> String {
        line < lines.count
            ? String(String(decoding: lines[line], as: UTF8.self).debugDescription.prefix(2_000))
            : "end of file"
    }
    Issue.record(
        "\(name) differs from line \(line + 1) on:\n  golden \(shown(old))\n  now    \(shown(new))",
        sourceLocation: sourceLocation)
}
