import OCIModel
import RootFS

/// The operating system that the image says it holds: `/etc/os-release`, or `/usr/lib/os-release` when that does
/// not exist (os-release(5)).
public struct OSRelease: Sendable {
    /// An assignment.
    public struct Field: Hashable, Sendable {
        public let name: String
        /// Without quotation marks and escapes.
        public let value: String
        /// From 1.
        public let line: Int
    }

    /// The file that was read, after symbolic links.
    public let path: ImagePath
    /// The layer that wrote it, lowest 0.
    public let layer: Int
    /// In the order of the file.
    public let fields: [Field]
    /// Lines that are not an assignment in the format of os-release(5).
    public let malformedLines: MalformedEntries
    /// The text of `/etc/debian_version`, as `12.5`; nil when the image has no such file.
    public let debianVersion: String?

    /// The value of a field; of several assignments the last one counts, as in a shell.
    public subscript(name: String) -> String? { fields.last { $0.name == name }?.value }

    /// The lower-case identifier of the distribution, as `debian`.
    public var id: String? { self["ID"] }
    /// The distributions that this one is like, closest first.
    public var idLike: [String] { self["ID_LIKE"]?.split(separator: " ").map(String.init) ?? [] }
    public var versionID: String? { self["VERSION_ID"] }
    public var versionCodename: String? { self["VERSION_CODENAME"] }
    public var prettyName: String? { self["PRETTY_NAME"] }

    static func read(from rootfs: RootFS) -> Fact<OSRelease> {
        var found = rootfs.factFile(at: "/etc/os-release")
        if case .failure(let error) = found, error.kind == .missing {
            found = rootfs.factFile(at: "/usr/lib/os-release")
        }
        let debianVersion: String?
        switch rootfs.factFile(at: "/etc/debian_version") {
        case .success(let file): debianVersion = text(of: file.bytes.trimmed)
        case .failure(let error) where error.kind == .missing: debianVersion = nil
        case .failure(let error): return .failure(error)
        }
        return found.map { OSRelease(parsing: $0, debianVersion: debianVersion) }
    }

    private init(parsing file: FactFile, debianVersion: String?) {
        var fields: [Field] = []
        var malformed = MalformedEntries()
        for (number, line) in Lines(file.bytes) {
            let assignment = line.trimmed
            if assignment.isEmpty || assignment.first == UInt8(ascii: "#") { continue }
            let name = assignment.prefix { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
            guard !name.isEmpty, name.endIndex < assignment.endIndex,
                assignment[name.endIndex] == UInt8(ascii: "=")
            else {
                malformed.append(file.path, line: number, "not an assignment NAME=value")
                continue
            }
            guard let value = Self.unquoted(assignment[(name.endIndex + 1)...]) else {
                malformed.append(
                    file.path, line: number,
                    "the value of \(text(of: name)) is not quoted as a shell needs it")
                continue
            }
            fields.append(Field(name: text(of: name), value: text(of: value), line: number))
        }
        path = file.path
        layer = file.layer
        self.fields = fields
        malformedLines = malformed
        self.debianVersion = debianVersion
    }

    /// The value that a shell would assign; nil when it would not be a plain assignment: a quotation that is not
    /// closed or does not end the line, an expansion, or a special character outside of quotation marks.
    private static func unquoted(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        let special = Array("\"'`$;&|<>() \t".utf8)
        let quote = value.first.flatMap { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") ? $0 : nil }
        var result: [UInt8] = []
        var rest = quote == nil ? value : value.dropFirst()
        while let byte = rest.popFirst() {
            if let quote, byte == quote { return rest.isEmpty ? result : nil }
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                guard let escaped = rest.popFirst() else { return nil }
                // Between double quotation marks a backslash stays unless it escapes one of these.
                if quote != nil, !"\"\\$`".utf8.contains(escaped) { result.append(byte) }
                result.append(escaped)
                continue
            }
            let isExpansion = byte == UInt8(ascii: "$") || byte == UInt8(ascii: "`")
            if quote == nil ? special.contains(byte) : quote == UInt8(ascii: "\"") && isExpansion {
                return nil
            }
            result.append(byte)
        }
        return quote == nil ? result : nil
    }
}
