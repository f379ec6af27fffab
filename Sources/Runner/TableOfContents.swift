import LayerArchive
import OCIModel

/// The table of contents that an eStargz layer carries (stargz-snapshotter, "eStargz: Standard-Compatible Extension to
/// Container Image Layers"): a runtime that pulls lazily goes by it, and every other by the archive.
enum TableOfContents {
    static let path: ImagePath = "/stargz.index.json"

    /// What is odd about the table of a layer; nil when there is none, or it names what the archive has.
    static func oddity(of table: EntryTable, limits: Limits) -> (kind: Oddity.Kind, subject: String)? {
        guard
            let member = (0..<table.count).last(where: {
                table.entries[$0].kind == .file && table.path(at: $0).elementsEqual("stargz.index.json".utf8)
            })
        else { return nil }
        guard let content = table.contents[member] else {
            return (.unreadTableOfContents, limits.exceeded(.manifestSize))
        }
        let named: [ImagePath: Int64]
        do throws(ModelError) {
            named = try files(namedBy: try JSON(parsing: content, limits: limits.manifest))
        } catch {
            return (.tableOfContents, error.message)
        }
        var found: [ImagePath: Int64] = [:]
        for index in 0..<table.count where index != member {
            let entry = table.entries[index]
            found[ImagePath(table.path(at: index))] = entry.kind == .file ? entry.size : 0
        }
        let differing = Set(named.keys).union(found.keys).filter { named[$0] != found[$0] }.sorted()
        guard let first = differing.first else { return nil }
        return (.tableOfContents, "\(first) and \(differing.count - 1) more")
    }

    /// The members that the table names, with the sizes of regular files.
    private static func files(namedBy json: JSON) throws(ModelError) -> [ImagePath: Int64] {
        guard let entries = json["entries"]?.array else {
            throw ModelError(.json, "a table of contents without entries")
        }
        var files: [ImagePath: Int64] = [:]
        for entry in entries where entry["type"]?.string != "chunk" {
            guard let name = entry["name"]?.string else {
                throw ModelError(.json, "a table of contents with an entry without a name")
            }
            files[ImagePath(name)] = entry["type"]?.string == "reg" ? entry["size"]?.integer ?? 0 : 0
        }
        return files
    }
}
