import Foundation
import Testing

/// Compares a report with the file of that name in `Goldens`.
///
/// `ASSAY_RECORD_GOLDENS=1 swift test --filter ReportingTests` writes the files anew; the tests fail even
/// then, so that a recording can never pass for a comparison. Look at the difference before committing it.
func expectGolden(
    _ bytes: [UInt8], _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Goldens").appending(path: name)
    if ProcessInfo.processInfo.environment["ASSAY_RECORD_GOLDENS"] == "1" {
        try Data(bytes).write(to: file)
        Issue.record("recorded \(name): run again without recording", sourceLocation: sourceLocation)
        return
    }
    let golden = try [UInt8](Data(contentsOf: file))
    if bytes == golden { return }
    let newline = UInt8(ascii: "\n")
    let new = bytes.split(separator: newline, omittingEmptySubsequences: false)
    let old = golden.split(separator: newline, omittingEmptySubsequences: false)
    let line = zip(new, old).enumerated().first { $1.0 != $1.1 }?.offset ?? min(new.count, old.count)
    func shown(_ lines: [ArraySlice<UInt8>]) -> String {
        line < lines.count ? String(decoding: lines[line], as: UTF8.self).debugDescription : "end of file"
    }
    Issue.record(
        "\(name) differs from line \(line + 1) on:\n  golden \(shown(old))\n  now    \(shown(new))",
        sourceLocation: sourceLocation)
}
