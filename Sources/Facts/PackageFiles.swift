import OCIModel
import RootFS
import Synchronization

/// Which Debian package a file belongs to: the lists of dpkg, `/var/lib/dpkg/info/PACKAGE.list` or
/// `PACKAGE:ARCHITECTURE.list` with one path in each line, and its diversions (dpkg-divert(1)).
///
/// The index over all lists is made when it is first asked.
final class PackageFiles: Sendable {
    private static let directory: ImagePath = "/var/lib/dpkg/info"
    private static let diversionsPath: ImagePath = "/var/lib/dpkg/diversions"

    private let rootfs: RootFS
    private let index = Mutex<Result<Index, FactError>?>(nil)

    init(rootfs: RootFS) { self.rootfs = rootfs }

    /// - Returns: the name of the package; nil for a file of none. Of several that share a directory, one.
    func owner(of path: ImagePath) -> Fact<String?> {
        index.withLock { index in
            let made = index ?? Index.reading(rootfs, PackageFiles.directory, PackageFiles.diversionsPath)
            index = made
            return made.map { $0.owner(of: path) }
        }
    }

    private struct Index {
        private var packages: [String] = []
        private var lists: [[UInt8]] = []
        /// By the hash of a path, where it stands.
        private var places: [Int: Place] = [:]
        /// Directories of the root that are links to those of the same name in /usr.
        private let aliases: [[UInt8]]
        /// Where a file is, for the package that has it by another name; and who moved it away.
        private var divertedFrom: [ImagePath: ImagePath] = [:]
        private var diverter: [ImagePath: String] = [:]

        private struct Place {
            var list: Int32
            var start: UInt32
            var length: UInt32
        }

        static func reading(
            _ rootfs: RootFS, _ directory: ImagePath, _ diversions: ImagePath
        ) -> Result<Index, FactError> {
            Result { () throws(FactError) in
                guard let node = (try? rootfs.node(at: directory)) ?? nil,
                    rootfs.status(of: node).kind == .directory
                else { throw FactError(.missing, "\(directory) does not exist") }
                var index = Index(rootfs)
                for entry in rootfs.entries(of: node) {
                    let name = rootfs.name(of: entry)
                    guard name.hasSuffix(".list") else { continue }
                    let file = try rootfs.factFile(at: directory.appending(name)).get()
                    let package = name.dropLast(".list".utf8.count).prefix { $0 != UInt8(ascii: ":") }
                    index.add(file.bytes, package: text(of: package))
                }
                switch rootfs.factFile(at: diversions) {
                case .success(let file): index.readDiversions(file.bytes)
                case .failure(let error) where error.kind == .missing: break
                case .failure(let error): throw error
                }
                return index
            }
        }

        private init(_ rootfs: RootFS) {
            aliases = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].compactMap { name in
                guard let node = rootfs.child(of: rootfs.root, named: Array(name.utf8)),
                    let target = rootfs.linkTarget(of: node), ImagePath(target) == ImagePath("usr/\(name)")
                else { return nil }
                return Array("/\(name)/".utf8)
            }
        }

        private mutating func add(_ bytes: [UInt8], package: String) {
            let list = lists.count
            lists.append(bytes)
            packages.append(package)
            for (_, line) in Lines(bytes) where line.first == UInt8(ascii: "/") {
                let place = Place(
                    list: Int32(list), start: UInt32(line.startIndex), length: UInt32(line.count))
                let hash = self.hash(line)
                if places[hash] == nil { places[hash] = place }
            }
        }

        /// Three lines each: the path, where it went, and the package for whose sake; `:` for a local diversion.
        private mutating func readDiversions(_ bytes: [UInt8]) {
            let lines = Lines(bytes).map(\.bytes)
            for start in stride(from: 0, to: lines.count - 2, by: 3) {
                let from = ImagePath(canonical(lines[start]))
                divertedFrom[ImagePath(canonical(lines[start + 1]))] = from
                diverter[from] = text(of: lines[start + 2])
            }
        }

        func owner(of path: ImagePath) -> String? {
            let path = ImagePath(canonical(path.bytes[...]))
            if let original = divertedFrom[path] { return listed(original) }
            if let package = diverter[path], package != ":" { return package }
            return listed(path)
        }

        private func listed(_ path: ImagePath) -> String? {
            guard let place = places[hash(path.bytes[...])] else { return nil }
            let line = lists[Int(place.list)][Int(place.start)..<Int(place.start + place.length)]
            return canonical(line).elementsEqual(path.bytes) ? packages[Int(place.list)] : nil
        }

        private func isAliased(_ path: ArraySlice<UInt8>) -> Bool {
            aliases.contains { path.starts(with: $0) }
        }

        private func canonical(_ path: ArraySlice<UInt8>) -> [UInt8] {
            (isAliased(path) ? Array("/usr".utf8) : []) + Array(path)
        }

        private func hash(_ path: ArraySlice<UInt8>) -> Int {
            var hasher = Hasher()
            if isAliased(path) { "/usr".utf8.forEach { hasher.combine($0) } }
            path.forEach { hasher.combine($0) }
            return hasher.finalize()
        }
    }
}
