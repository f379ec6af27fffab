import Checks
import LayerArchive
import OCIModel
import Suite
import Verdict

/// The suites of a run, compiled, with the digests of their files.
public struct SuiteSet: Sendable {
    public let suites: [CompiledSuite]
    public let identities: [RunRecord.SuiteIdentity]

    /// Loads suites by name or path.
    ///
    /// - Throws: `SuiteError` with everything that is wrong with them; a name twice is wrong too.
    public init(_ names: [String]) throws(SuiteError) {
        var suites: [CompiledSuite] = []
        var identities: [RunRecord.SuiteIdentity] = []
        for name in names {
            let files = try SuiteSource.files(of: name)
            let suite = try CompiledSuite(try SuiteLoader.load(directory: files))
            guard !identities.contains(where: { $0.name == suite.document.name }) else {
                throw SuiteError([SuiteDiagnostic(nil, "the suite \(suite.document.name) is given twice")])
            }
            suites.append(suite)
            identities.append(
                RunRecord.SuiteIdentity(name: suite.document.name, digest: try SuiteSet.digest(of: files)))
        }
        self.suites = suites
        self.identities = identities
    }

    /// Over the names and texts of all files, each preceded by its length.
    private static func digest(of files: [(name: String, text: String)]) throws(SuiteError) -> String {
        let digester = Digester()
        for file in files {
            let base = file.name.split(separator: "/").last.map(String.init) ?? file.name
            for part in [base, file.text] { digester.update(Array("\(part.utf8.count):\(part)".utf8)) }
        }
        do throws(ModelError) {
            return try digester.finish().description
        } catch {
            throw SuiteError([SuiteDiagnostic(nil, error.message)])
        }
    }
}
