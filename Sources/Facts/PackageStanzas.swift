import OCIModel

/// The stanzas of a dpkg status file.
struct PackageStanzas {
    private(set) var packages: [PackageDatabase.Package] = []
    private(set) var malformed = MalformedEntries()

    private enum Field: Int, CaseIterable {
        case package
        case status
        case version
        case architecture
        case source
        case section
        case installedSize
        case provides
        case depends

        var name: String { self == .installedSize ? "installed-size" : "\(self)" }
    }

    init() {}

    /// - Parameter defaultStatus: of a stanza without the field Status; nil when it must have one.
    init(parsing bytes: [UInt8], path: ImagePath, defaultStatus: PackageDatabase.Status? = nil) {
        var reader = FieldReader(bytes, names: Field.allCases.map(\.name))
        while let stanza = reader.next() {
            do {
                packages.append(try Self.package(from: stanza, path: path, defaultStatus: defaultStatus))
            } catch {
                malformed.append(path, line: stanza.line, error.reason)
            }
        }
    }

    mutating func append(_ other: PackageStanzas) {
        packages += other.packages
        malformed.append(contentsOf: other.malformed)
    }

    /// For each name that has files, what tells one installation of it from another.
    var records: [[UInt8]: [String]] {
        var records: [[UInt8]: [String]] = [:]
        for package in packages where package.hasFiles {
            records[Array(package.name.utf8), default: []] += [package.architecture, package.version]
        }
        return records
    }

    private struct Fault: Error {
        let reason: String
    }

    private static func package(
        from stanza: FieldReader.Stanza, path: ImagePath, defaultStatus: PackageDatabase.Status?
    ) throws(Fault) -> PackageDatabase.Package {
        if let fault = stanza.fault { throw Fault(reason: fault) }
        var present = 0
        for field in stanza.fields {
            if present & 1 << field.name != 0 {
                throw Fault(reason: "a field comes twice: \(Field(rawValue: field.name)?.name ?? "")")
            }
            present |= 1 << field.name
        }
        func value(_ field: Field) -> String? { stanza.value(field.rawValue) }
        guard let name = value(.package) else { throw Fault(reason: "no field Package") }
        guard isName(name) else { throw Fault(reason: "\(quoted(name)) is not a package name") }
        guard let status = value(.status).map(PackageDatabase.Status.init(words:)) ?? defaultStatus else {
            throw Fault(reason: "package \(name) has no status that dpkg knows")
        }
        let package = PackageDatabase.Package(
            name: name, version: value(.version) ?? "", architecture: value(.architecture) ?? "",
            status: status,
            source: value(.source), section: value(.section),
            installedSize: value(.installedSize).flatMap { decimal($0.utf8) },
            provides: value(.provides).map(names(in:)) ?? [], depends: value(.depends), path: path,
            line: stanza.line)
        if package.hasFiles, package.version.isEmpty { throw Fault(reason: "package \(name) has no version") }
        return package
    }

    /// dpkg's rule: a letter or digit, then these and `-`, `+`, `.`, `_`.
    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetter(first) || isDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || "-+._".utf8.contains($0) }
    }

    /// The names of a relation list, without versions and architectures: `a (= 1), b:any` is `a`, `b`.
    private static func names(in relations: String) -> [String] {
        relations.utf8.split(separator: UInt8(ascii: ",")).compactMap { relation in
            let name = relation.drop(while: isSpace).prefix {
                !isSpace($0) && $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ":")
            }
            return name.isEmpty ? nil : text(of: name)
        }
    }
}

extension PackageDatabase.Status {
    static let installed = PackageDatabase.Status(want: .install, flag: "ok", state: .installed)

    /// Returns nil unless there are three words that dpkg knows.
    init?(words text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, let want = Want(rawValue: words[0]), ["ok", "reinstreq"].contains(words[1]),
            let state = State(rawValue: words[2])
        else { return nil }
        self.init(want: want, flag: words[1], state: state)
    }
}
