import Foundation
import Verdict

/// Where suites come from: built into the program, or a directory or file of the user.
public enum SuiteSource {
    /// Names of the suites that need no files.
    public static var builtinNames: [String] { BuiltinSuites.files.keys.sorted() }

    /// The YAML files of a suite.
    ///
    /// A path is a directory (its `*.yaml` and `*.yml` files, not those of directories below) or one file; a
    /// name without a slash that is a built-in suite is that suite, unless a `./` says otherwise.
    ///
    /// - Returns: names, as positions will show them, and texts; sorted by name.
    /// - Throws: `SuiteError` when there is no such suite, or a file cannot be read.
    public static func files(of suite: String) throws(SuiteError) -> [(name: String, text: String)] {
        if let files = BuiltinSuites.files[suite] { return files.map { ("\(suite)/\($0.name)", $0.text) } }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: suite, isDirectory: &isDirectory) else {
            throw SuiteError([
                SuiteDiagnostic(
                    nil,
                    "\(suite) is neither a built-in suite (\(builtinNames.joined(separator: ", "))) nor a path",
                    suggestion: nearest(to: suite, among: builtinNames))
            ])
        }
        guard isDirectory.boolValue else { return [(suite, try read(suite))] }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: suite)) ?? []).sorted()
        var files: [(name: String, text: String)] = []
        for name in names where name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            let path = suite.hasSuffix("/") ? suite + name : "\(suite)/\(name)"
            files.append((path, try read(path)))
        }
        if files.isEmpty { throw SuiteError([SuiteDiagnostic(nil, "\(suite) has no .yaml file")]) }
        return files
    }

    /// The text of one file.
    static func read(_ path: String) throws(SuiteError) -> String {
        let limit = SuiteSyntax.maximumSize
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw SuiteError([SuiteDiagnostic(nil, "\(path) cannot be read")])
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: limit + 1) ?? Data() else {
            throw SuiteError([SuiteDiagnostic(nil, "\(path) cannot be read")])
        }
        guard data.count <= limit else {
            throw SuiteError([SuiteDiagnostic(nil, "\(path) is larger than \(limit) bytes")])
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw SuiteError([SuiteDiagnostic(nil, "\(path) is not UTF-8")])
        }
        return text
    }
}
