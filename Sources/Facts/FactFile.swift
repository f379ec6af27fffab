import LayerArchive
import OCIModel
import RootFS

/// A file of the image whose content the run has kept.
struct FactFile {
    /// Where the file is, after all symbolic links.
    let path: ImagePath
    /// The layer that wrote it, lowest 0.
    let layer: Int
    let bytes: [UInt8]
}

extension RootFS {
    /// The content of a regular file, found as a process in the image would find it.
    func factFile(at path: ImagePath) -> Fact<FactFile> {
        let found: Node?
        do {
            found = try node(at: path)
        } catch {
            let reason =
                switch error {
                case .tooManyLinks: "too many symbolic links"
                case .notADirectory(let parent): "\(parent) is not a directory"
                }
            return .failure(FactError(.unreachable, "\(path): \(reason)"))
        }
        guard let found else { return .failure(FactError(.missing, "\(path) does not exist")) }
        let status = status(of: found)
        let resolved = self.path(of: found)
        guard status.kind == .file else {
            return .failure(
                FactError(.malformed, "\(path) is not a regular file but a \(status.kind.rawValue)"))
        }
        guard let bytes = contents(of: found) ?? (status.size == 0 ? [] : nil) else {
            let rule = resolved.bytes.withUnsafeBufferPointer { plan.rule(forMember: $0) }
            if let limit = rule?.maximumBytes, status.size > limit {
                return .failure(
                    FactError(
                        .tooLarge, "\(path): \(status.size) bytes are more than the \(limit) that Assay reads"
                    ))
            }
            return .failure(
                FactError(
                    .unread, "\(path): the content of \(resolved) was not kept while reading the layers"))
        }
        return .success(FactFile(path: resolved, layer: status.layer, bytes: bytes))
    }
}
