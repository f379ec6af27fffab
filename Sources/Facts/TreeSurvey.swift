import LayerArchive
import RootFS

/// What one walk over the whole tree collects for several facts.
struct TreeSurvey {
    /// Directories named `site-packages` or `dist-packages`.
    private(set) var siteDirectories: [Node] = []
    /// Files named `pyvenv.cfg`.
    private(set) var virtualEnvironmentFiles: [Node] = []
    /// Files whose names say that they may hold secrets.
    private(set) var secretCandidates: [Node] = []
    private(set) var specialFiles = SpecialFiles()
    /// Bytes of regular files by the layer that wrote them, hard links counted once.
    private(set) var fileBytes: [Int64]

    init(of rootfs: RootFS, layerCount: Int) {
        fileBytes = Array(repeating: 0, count: layerCount)
        var linked: Set<Member> = []
        rootfs.forEachDescendant(of: rootfs.root) { node in
            let status = rootfs.status(of: node)
            switch status.kind {
            case .directory:
                let name = rootfs.name(of: node)
                if name.elementsEqual("site-packages".utf8) || name.elementsEqual("dist-packages".utf8) {
                    siteDirectories.append(node)
                }
            case .file:
                let name = rootfs.name(of: node)
                if name.elementsEqual("pyvenv.cfg".utf8) { virtualEnvironmentFiles.append(node) }
                if SecretFile.isLikely(name) { secretCandidates.append(node) }
                // The names of one file share its member.
                if status.linkCount > 1, let member = rootfs.member(of: node),
                    !linked.insert(Member(layer: member.layer, entry: member.entry)).inserted
                {
                    break
                }
                if fileBytes.indices.contains(status.layer) {
                    fileBytes[status.layer] = saturatingSum(fileBytes[status.layer], max(0, status.size))
                }
            case .symbolicLink, .characterDevice, .blockDevice, .fifo, .socket: break
            }
            specialFiles.insert(node, status, of: rootfs)
        }
    }

    private struct Member: Hashable {
        let layer: Int
        let entry: Int
    }
}
