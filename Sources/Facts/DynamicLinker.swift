import LayerArchive
import OCIModel
import RootFS

/// Finds what ELF files need, as the dynamic linker would when it loads them (ld.so(8)): in DT_RPATH, in
/// LD_LIBRARY_PATH of the image config, in DT_RUNPATH, in the directories of `/etc/ld.so.conf`, and in the
/// linker's own. A library that is loaded already answers to its DT_SONAME.
///
/// What a process has loaded before, or what the cache of the linker has beyond its configuration, it does not know.
public struct DynamicLinker: Sendable {
    private let libraries: LibrarySearch
    private let rootfs: RootFS
    /// The format of the image's own programs; nil where the platform does not tell.
    private let ownFormat: DynamicSection.Format?
    private let variableDirectories: [Node]
    private let systemDirectories: [Node]
    private let defaultDirectories: Set<Node>

    /// Libraries that one file may bring with it.
    static let maximumLibraries = 2_000

    /// What came of one DT_NEEDED.
    public struct Need: Hashable, Sendable {
        public enum Resolution: Hashable, Sendable {
            case found(ImagePath)
            case missing
            /// Where it is, or what it needs in turn, cannot be told.
            case undecided(String)
        }

        /// The name, as bytes.
        public let name: [UInt8]
        /// The file that needs it.
        public let neededBy: ImagePath
        public let resolution: Resolution
    }

    init(config: ImageConfig, libraries: LibrarySearch, rootfs: RootFS) {
        self.libraries = libraries
        self.rootfs = rootfs
        ownFormat =
            switch config.platform.architecture {
            case "amd64": DynamicSection.Format(machine: 62)
            case "arm64": DynamicSection.Format(machine: 183)
            default: nil
            }
        func directories(_ paths: some Sequence<ImagePath>) -> [Node] {
            paths.compactMap { path in
                guard let node = (try? rootfs.node(at: path)) ?? nil,
                    rootfs.status(of: node).kind == .directory
                else { return nil }
                return node
            }
        }
        variableDirectories = directories(libraries.variablePath)
        systemDirectories = directories(libraries.path.dropFirst(libraries.variablePath.count))
        defaultDirectories = Set(directories(["/lib", "/usr/lib", "/lib64", "/usr/lib64"]))
    }

    /// What a file needs, and what that needs in turn: each name once, in the order in which the linker would load
    /// them.
    ///
    /// - Returns: nil for a file that is not linked: no ELF file, or one for another machine than the image.
    /// - Throws: `FactError` when the file's dynamic section was not kept or could not be read.
    public func needs(of file: Node) throws(FactError) -> [Need]? {
        let path = rootfs.path(of: file)
        switch rootfs.linkage(of: file) {
        case .dynamic(let section):
            if let ownFormat, section.format != ownFormat { return nil }
            var loading = Loading(linker: self, path: path, section: section)
            return loading.run()
        case .notDynamic: return nil
        case .unreadable(let reason): throw FactError(.malformed, "\(path): \(reason)")
        case nil:
            throw FactError(.unread, "\(path): what it is linked with was not kept while reading the layers")
        }
    }

    /// One run of the linker.
    private struct Loading {
        private struct Object {
            let path: ImagePath
            let section: DynamicSection
            /// The position of the object that brought it; nil for the first.
            let loader: Int?
        }

        private let linker: DynamicLinker
        private var objects: [Object]
        private var names: Set<[UInt8]> = []
        private var needs: [Need] = []

        init(linker: DynamicLinker, path: ImagePath, section: DynamicSection) {
            self.linker = linker
            objects = [Object(path: path, section: section, loader: nil)]
            if let name = section.name { names.insert(name) }
        }

        mutating func run() -> [Need] {
            var next = 0
            while next < objects.count {
                for name in objects[next].section.needed where names.insert(name).inserted {
                    load(name, for: next)
                }
                next += 1
            }
            return needs
        }

        private mutating func load(_ name: [UInt8], for loader: Int) {
            let object = objects[loader]
            func note(_ resolution: Need.Resolution) {
                needs.append(Need(name: name, neededBy: object.path, resolution: resolution))
            }
            guard objects.count < DynamicLinker.maximumLibraries else {
                return note(.undecided("more than \(DynamicLinker.maximumLibraries) libraries"))
            }
            var doubts: [String] = []
            guard let (path, node) = find(name, for: loader, &doubts) else {
                doubts += linker.libraries.unreadFiles.map { "\($0) was not read" }
                return note(doubts.first.map { .undecided($0) } ?? .missing)
            }
            switch linker.rootfs.linkage(of: node) {
            case .dynamic(let section):
                if let soname = section.name { names.insert(soname) }
                objects.append(Object(path: path, section: section, loader: loader))
                note(.found(path))
            case .unreadable(let reason): note(.undecided("\(path): \(reason)"))
            case .notDynamic, nil: note(.undecided("\(path): what it needs was not read"))
            }
        }

        private func find(
            _ name: [UInt8], for loader: Int, _ doubts: inout [String]
        ) -> (path: ImagePath, node: Node)? {
            let format = objects[loader].section.format
            if name.contains(UInt8(ascii: "/")) {
                guard name.first == UInt8(ascii: "/") else {
                    doubts.append("\(escaped(name)) is relative to the working directory")
                    return nil
                }
                return linker.library(at: ImagePath(name), format)
            }
            for directory in directories(for: loader, &doubts) {
                if let found = linker.library(named: name, in: directory, format) { return found }
            }
            return nil
        }

        /// Where the linker looks for what an object needs, in its order.
        private func directories(for loader: Int, _ doubts: inout [String]) -> [Node] {
            var result: [Node] = []
            let section = objects[loader].section
            if section.runpath == nil {
                var position: Int? = loader
                while let current = position {
                    let object = objects[current]
                    if object.section.runpath == nil, let rpath = object.section.rpath {
                        result += linker.directories(of: rpath, origin: object.path.parent, &doubts)
                    }
                    position = object.loader
                }
            }
            result += linker.variableDirectories
            if let runpath = section.runpath {
                result += linker.directories(of: runpath, origin: objects[loader].path.parent, &doubts)
            }
            return result
                + (section.skipsDefaultDirectories
                    ? linker.systemDirectories.filter { !linker.defaultDirectories.contains($0) }
                    : linker.systemDirectories)
        }
    }

    /// The directories of DT_RPATH or DT_RUNPATH. `$ORIGIN` is the directory of the object; of the other variables
    /// it cannot be told what they stand for.
    private func directories(of path: [UInt8], origin: ImagePath, _ doubts: inout [String]) -> [Node] {
        var result: [Node] = []
        // The kernel takes ".." from where a directory really is.
        let realOrigin =
            ((try? rootfs.node(at: origin)) ?? nil).map { rootfs.path(of: $0).bytes } ?? origin.bytes
        for entry in path.split(separator: UInt8(ascii: ":")) {
            var expanded: [UInt8] = []
            var rest = entry
            for variable in ["$ORIGIN", "${ORIGIN}"] where rest.starts(with: variable.utf8) {
                expanded = realOrigin
                rest = rest.dropFirst(variable.utf8.count)
            }
            expanded += rest
            if expanded.first != UInt8(ascii: "/") || expanded.contains(UInt8(ascii: "$")) {
                doubts.append("the search path \(escaped(entry)) is not known")
                continue
            }
            if let node = (try? rootfs.node(at: ImagePath(expanded))) ?? nil,
                rootfs.status(of: node).kind == .directory
            {
                result.append(node)
            }
        }
        return result
    }

    /// A library of the format; one of another is passed over, as the linker does.
    private func library(
        named name: [UInt8], in directory: Node, _ format: DynamicSection.Format
    ) -> (path: ImagePath, node: Node)? {
        guard rootfs.child(of: directory, named: name) != nil else { return nil }
        return library(at: rootfs.path(of: directory).appending(name), format)
    }

    private func library(
        at path: ImagePath, _ format: DynamicSection.Format
    ) -> (path: ImagePath, node: Node)? {
        guard let node = (try? rootfs.node(at: path)) ?? nil, rootfs.status(of: node).kind == .file else {
            return nil
        }
        switch rootfs.linkage(of: node) {
        case .dynamic(let section) where section.format != format: return nil
        case .notDynamic: return nil
        case .dynamic, .unreadable, nil: return (path, node)
        }
    }
}
