import LayerArchive
import OCIModel

/// Chooses an image in an OCI layout, a layout archive or a `dir:` directory.
struct Layout {
    let store: any BlobStore
    let name: ImageName
    let platform: Platform?

    /// An image that an index leads to.
    struct Candidate {
        var descriptor: Descriptor
        /// Names by which the user may select it.
        var names: [String]
        /// False for an image that the index names and the place does not hold, as engines leave the other
        /// platforms of an image out when they save it.
        var isPresent: Bool
    }

    func open() throws(ImageSourceError) -> Image {
        let chosen = try choose(try candidates())
        let bytes = try store.verified(chosen.descriptor, limit: store.limits.manifest.bytes)
        return try store.image(
            named: name, names: chosen.names, manifestBytes: bytes, digest: chosen.descriptor.digest)
    }

    /// The manifest of the layout's image that has this config, if there is one.
    func manifest(withConfig digest: Digest) throws(ImageSourceError) -> (bytes: [UInt8], digest: Digest)? {
        guard try document("index.json") != nil else { return nil }
        let candidates = try candidates()
        if let first = candidates.first, !candidates.contains(where: \.isPresent) {
            throw ImageSourceError(
                .untrustworthy, "\(escaped(store.place)): manifest \(first.descriptor.digest) is missing")
        }
        for candidate in candidates where candidate.isPresent {
            let bytes = try store.verified(candidate.descriptor, limit: store.limits.manifest.bytes)
            if let manifest = try? Manifest(parsing: bytes, limits: store.limits.manifest),
                manifest.config.digest == digest
            {
                return (bytes, candidate.descriptor.digest)
            }
        }
        return nil
    }

    private func document(_ path: String) throws(ImageSourceError) -> [UInt8]? {
        do throws(LayerError) {
            return try store.document(path)?.bytes(limit: store.limits.manifest.bytes)
        } catch {
            throw ImageSourceError(error)
        }
    }

    private func candidates() throws(ImageSourceError) -> [Candidate] {
        guard let bytes = try document("index.json") else {
            throw ImageSourceError(
                .notFound, "\(escaped(store.place)) is not an OCI layout: it has no index.json")
        }
        var found: [Candidate] = []
        var seen = 0
        try collect(from: bytes, in: "index.json", names: [], platform: nil, depth: 0, &seen, into: &found)
        return found
    }

    private func collect(
        from bytes: [UInt8], in document: String, names: [String], platform: Platform?, depth: Int,
        _ seen: inout Int, into found: inout [Candidate]
    ) throws(ImageSourceError) {
        let index: Index
        do throws(ModelError) {
            index = try Index(parsing: bytes, limits: store.limits.manifest)
        } catch {
            throw ImageSourceError(error, in: "\(escaped(store.place)): \(document)")
        }
        seen += index.manifests.count
        for (limit, value) in [(Limit.indexDepth, depth + 1), (.indexEntries, seen)]
        where value > store.limits[limit] {
            throw ImageSourceError(
                .untrustworthy, "\(escaped(store.place)): \(document) has \(store.limits.exceeded(limit))")
        }
        for var descriptor in index.manifests where !descriptor.isAttestation {
            let ownNames = [descriptor.referenceName, descriptor.annotations["io.containerd.image.name"]]
                .compactMap { $0 }
            descriptor.platform = descriptor.platform ?? platform
            let isPresent = try isPresent(descriptor)
            if descriptor.mediaType.isIndex, isPresent {
                let nested = try store.verified(descriptor, limit: store.limits.manifest.bytes)
                try collect(
                    from: nested, in: "index \(descriptor.digest)", names: names + ownNames,
                    platform: descriptor.platform, depth: depth + 1, &seen, into: &found)
            } else if descriptor.mediaType.isManifest || descriptor.mediaType.isIndex {
                found.append(Candidate(descriptor: descriptor, names: names + ownNames, isPresent: isPresent))
            }
        }
    }

    private func isPresent(_ descriptor: Descriptor) throws(ImageSourceError) -> Bool {
        do throws(LayerError) {
            return try store.blob(descriptor.digest) != nil
        } catch {
            throw ImageSourceError(error)
        }
    }

    /// The one candidate that name and platform leave; else an error that lists what is there.
    private func choose(_ candidates: [Candidate]) throws(ImageSourceError) -> Candidate {
        var remaining = candidates
        if let wanted = name.selection {
            remaining = remaining.filter {
                $0.names.contains(wanted) || $0.descriptor.digest.description == wanted
            }
        }
        if let platform {
            var matching: [Candidate] = []
            for candidate in remaining where try self.platform(of: candidate).satisfies(platform) {
                matching.append(candidate)
            }
            remaining = matching
        }
        if remaining.contains(where: \.isPresent) { remaining.removeAll { !$0.isPresent } }
        if let first = remaining.first, Set(remaining.map(\.descriptor.digest)).count == 1 { return first }
        var lines: [String] = []
        for candidate in candidates.prefix(20) { lines.append(try describe(candidate)) }
        if candidates.count > 20 { lines.append("… and \(candidates.count - 20) more") }
        let there = lines.isEmpty ? "it holds no image" : "it holds: " + lines.joined(separator: "; ")
        let request = [name.selection.map { quoted($0) }, platform.map(\.description)].compactMap { $0 }
        if remaining.isEmpty, !request.isEmpty {
            throw ImageSourceError(
                .ambiguous,
                "\(escaped(store.place)) holds no image \(request.joined(separator: " for ")); \(there)")
        }
        throw ImageSourceError(
            remaining.isEmpty ? .notFound : .ambiguous,
            "\(escaped(store.place)) " + (remaining.isEmpty ? "cannot be judged" : "holds several images")
                + "; \(there)",
            hint: "choose one with \(name.transport.rawValue):PATH:NAME, or with --platform")
    }

    private func platform(of candidate: Candidate) throws(ImageSourceError) -> Platform {
        if let platform = candidate.descriptor.platform { return platform }
        guard candidate.isPresent else { return Platform(os: "unknown", architecture: "unknown") }
        let bytes = try store.verified(candidate.descriptor, limit: store.limits.manifest.bytes)
        return try store.documents(of: bytes, digest: candidate.descriptor.digest).config.platform
    }

    private func describe(_ candidate: Candidate) throws(ImageSourceError) -> String {
        let names =
            candidate.names.isEmpty
            ? candidate.descriptor.digest.description : escaped(candidate.names.joined(separator: ", "))
        return "\(names) (\(try platform(of: candidate))\(candidate.isPresent ? "" : ", not in this place"))"
    }
}
