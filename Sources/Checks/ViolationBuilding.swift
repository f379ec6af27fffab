import Facts
import OCIModel
import RootFS

/// A text file of the image while violations of it are made up: line by line, its metadata kept.
struct EditedFile {
    private let entry: Violation.Entry
    /// Without their ends; nil for one that is taken out, so that the others keep their numbers.
    private var lines: [[UInt8]?]

    /// - Returns: nil when the content is not known, or the path leads to something that is no file.
    init?(_ path: ImagePath, _ context: EvaluationContext) {
        let rootfs = context.facts.rootfs
        guard let found = try? rootfs.node(at: path) else {
            entry = context.newEntry(at: path)
            lines = []
            return
        }
        let status = rootfs.status(of: found)
        guard status.kind == .file, let bytes = rootfs.contents(of: found) ?? (status.size == 0 ? [] : nil)
        else { return nil }
        entry = Violation.Entry(
            rootfs.path(of: found), permissions: status.permissions, uid: status.uid, gid: status.gid)
        lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        if lines.last == [] { lines.removeLast() }
    }

    /// The numbers of its lines, from 1.
    var numbers: Range<Int> { 1..<lines.count + 1 }

    /// By its number, from 1; nil when there is none.
    subscript(number: Int) -> [UInt8]? {
        get { lines.indices.contains(number - 1) ? lines[number - 1] : nil }
        set { if lines.indices.contains(number - 1) { lines[number - 1] = newValue } }
    }

    mutating func append(_ line: String) { lines.append(Array(line.utf8)) }

    /// Gives a line with fields between colons another one, counted from 0.
    mutating func setField(_ field: Int, ofLine number: Int, to value: String) {
        var fields =
            self[number]?.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) ?? []
        guard fields.indices.contains(field) else { return }
        fields[field] = Array(value.utf8)[...]
        self[number] = Array(fields.joined(separator: [UInt8(ascii: ":")]))
    }

    /// The file with all its changes.
    var change: Violation.Change {
        var written = entry
        written.content = content
        return .write(written)
    }

    var content: [UInt8] { lines.compactMap { $0 }.flatMap { $0 + [UInt8(ascii: "\n")] } }
}

extension EvaluationContext {
    /// An entry as whoever owns the directory would make it: of its owner and group, with its permissions.
    func newEntry(
        at path: ImagePath, kind: FileStatus.Kind = .file, isExecutable: Bool = false, content: [UInt8] = []
    ) -> Violation.Entry {
        var directory = path.parent
        var status = try? facts.rootfs.status(at: directory)
        while status == nil, directory != .root {
            directory = directory.parent
            status = try? facts.rootfs.status(at: directory)
        }
        let mask: UInt16 = isExecutable || kind == .directory ? 0o777 : 0o666
        return Violation.Entry(
            path, kind: kind,
            permissions: kind == .symbolicLink ? 0o777 : (status?.permissions ?? 0o755) & mask,
            uid: status?.uid ?? 0, gid: status?.gid ?? 0, content: content)
    }

    /// Puts an entry there, with the directories above it that are missing.
    func adding(_ entry: Violation.Entry) -> [Violation.Change] {
        var missing: [ImagePath] = []
        var directory = entry.path.parent
        while directory != .root, (try? facts.rootfs.node(at: directory)) == nil {
            missing.append(directory)
            directory = directory.parent
        }
        return missing.reversed().map { .write(newEntry(at: $0, kind: .directory)) } + [.write(entry)]
    }

    /// The directories of a search path that exist.
    func existing(_ directories: [ImagePath]) -> [ImagePath] {
        directories.filter { (try? facts.rootfs.status(at: $0))??.kind == .directory }
    }
}
