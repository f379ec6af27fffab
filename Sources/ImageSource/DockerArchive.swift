import LayerArchive
import OCIModel

/// The file that `docker save` writes, in both its layouts: `ID/layer.tar` members beside `ID.json`, or
/// `blobs/sha256/…`, each with a `manifest.json` that says which is which (Docker Image Specification v1.2).
struct DockerArchive {
    let index: ArchiveIndex
    let place: String
    let name: ImageName
    let platform: Platform?
    let limits: Limits

    /// One element of `manifest.json`.
    struct Item {
        var config: String
        var repoTags: [String]
        var layers: [String]
    }

    func open() throws(ImageSourceError) -> Image {
        let item = try choose(try items())
        let configBytes = try bytes(of: item.config, limit: limits.config.bytes)
        let configDigest = try digest(ofConfig: configBytes, named: item.config)
        let store = LayoutArchive(place: place, index: index, limits: limits)
        let config = try store.parseConfig(configBytes, configDigest)
        guard item.layers.count == config.diffIDs.count else {
            throw ImageSourceError(
                .untrustworthy,
                "\(escaped(place)): manifest.json names \(item.layers.count) layers, "
                    + "the image config has \(config.diffIDs.count) diff IDs")
        }
        // Newer archives are an OCI layout as well, whose manifest names each layer by digest and size.
        let layout = Layout(store: store, name: name, platform: nil)
        if let manifest = try layout.manifest(withConfig: configDigest) {
            return try store.image(
                named: name, names: item.repoTags, manifestBytes: manifest.bytes, digest: manifest.digest)
        }
        try store.checkNumber(ofLayers: item.layers.count)
        var layers: [Image.Layer] = []
        for (path, diffID) in zip(item.layers, config.diffIDs) {
            let blob = try blob(at: path)
            layers.append(
                Image.Layer(blob: blob, digest: blobDigest(inName: path), diffID: diffID, mediaType: nil))
        }
        return Image(
            name: name, names: item.repoTags, manifest: nil, manifestDigest: nil, config: config,
            configDigest: configDigest, layers: layers, limits: limits)
    }

    private func items() throws(ImageSourceError) -> [Item] {
        guard index.blob(at: "/manifest.json") != nil else {
            throw ImageSourceError(
                .untrustworthy, "\(escaped(place)) has no manifest.json: it is not an archive of docker save",
                hint: index.blob(at: "/oci-layout") == nil ? nil : "it is an OCI layout: use oci-archive:")
        }
        let raw = try bytes(of: "manifest.json", limit: limits.manifest.bytes)
        let json: JSON
        do throws(ModelError) {
            json = try JSON(parsing: raw, limits: limits.manifest)
        } catch {
            throw ImageSourceError(error, in: "\(escaped(place)): manifest.json")
        }
        guard let elements = json.array else { throw malformed("is not an array") }
        var items: [Item] = []
        for element in elements {
            // An image without layers has null.
            let listed = element["Layers"]?.isNull == true ? [] : element["Layers"]?.array
            guard let config = element["Config"]?.string, let listed,
                case let layers = listed.compactMap(\.string), layers.count == listed.count
            else { throw malformed("has an element without Config or Layers") }
            items.append(
                Item(
                    config: config, repoTags: element["RepoTags"]?.array?.compactMap(\.string) ?? [],
                    layers: layers))
        }
        return items
    }

    private func malformed(_ problem: String) -> ImageSourceError {
        ImageSourceError(.untrustworthy, "\(escaped(place)): manifest.json \(problem)")
    }

    /// The one image that name and platform leave; else an error that lists what is there.
    private func choose(_ items: [Item]) throws(ImageSourceError) -> Item {
        var remaining = items
        if let wanted = name.selection {
            if wanted.hasPrefix("@"), let position = Int(wanted.dropFirst()) {
                remaining = items.indices.contains(position) ? [items[position]] : []
            } else {
                remaining = items.filter { item in
                    item.repoTags.contains { DockerArchive.matches($0, wanted) }
                }
            }
        }
        if let platform {
            var matching: [Item] = []
            for item in remaining where try self.platform(of: item).satisfies(platform) {
                matching.append(item)
            }
            remaining = matching
        }
        if remaining.count == 1 { return remaining[0] }
        var lines: [String] = []
        for (position, item) in items.enumerated().prefix(20) {
            let tags = item.repoTags.isEmpty ? "@\(position)" : item.repoTags.joined(separator: ", ")
            lines.append("\(escaped(tags)) (\(try self.platform(of: item)))")
        }
        if items.count > 20 { lines.append("… and \(items.count - 20) more") }
        let there = items.isEmpty ? "it holds no image" : "it holds: " + lines.joined(separator: "; ")
        let request = [name.selection.map { quoted($0) }, platform.map(\.description)].compactMap { $0 }
        throw ImageSourceError(
            items.isEmpty ? .notFound : .ambiguous,
            remaining.isEmpty
                ? "\(escaped(place)) holds no image \(request.joined(separator: " for ")); \(there)"
                : "\(escaped(place)) holds several images; \(there)",
            hint: items.isEmpty
                ? nil
                : "choose one with docker-archive:FILE:NAME:TAG, docker-archive:FILE:@INDEX or --platform")
    }

    /// Whether a tag of the archive is the one the user means: as written, or without the registry's part.
    private static func matches(_ tag: String, _ wanted: String) -> Bool {
        func familiar(_ name: String) -> String {
            var name = name[...]
            for prefix in ["docker.io/", "index.docker.io/", "library/"] where name.hasPrefix(prefix) {
                name = name.dropFirst(prefix.count)
            }
            return name.split(separator: "/").last?.contains(":") == true ? String(name) : "\(name):latest"
        }
        return familiar(tag) == familiar(wanted)
    }

    private func platform(of item: Item) throws(ImageSourceError) -> Platform {
        let bytes = try bytes(of: item.config, limit: limits.config.bytes)
        let store = LayoutArchive(place: place, index: index, limits: limits)
        return try store.parseConfig(bytes, try digest(ofConfig: bytes, named: item.config)).platform
    }

    // MARK: Members

    private func blob(at path: String) throws(ImageSourceError) -> Blob {
        let isInside = !path.hasPrefix("/") && !path.split(separator: "/").contains("..")
        guard isInside else {
            throw ImageSourceError(
                .untrustworthy,
                "\(escaped(place)): manifest.json names \(quoted(path)), which leads out of the archive")
        }
        let member = ImagePath(path)
        guard !index.duplicates.contains(member) else {
            throw ImageSourceError(
                .untrustworthy,
                "\(escaped(place)): \(member) occurs twice in the archive; readers differ in which one they take"
            )
        }
        guard let blob = index.blob(at: member) else {
            throw ImageSourceError(
                .untrustworthy, "\(escaped(place)): \(quoted(path)), which manifest.json names, is missing")
        }
        return blob
    }

    private func bytes(of path: String, limit: Int) throws(ImageSourceError) -> [UInt8] {
        let blob = try blob(at: path)
        do throws(LayerError) {
            return try blob.bytes(limit: limit)
        } catch {
            throw ImageSourceError(error)
        }
    }

    /// The config's digest, which its name states in both layouts.
    private func digest(ofConfig bytes: [UInt8], named path: String) throws(ImageSourceError) -> Digest {
        do throws(ModelError) {
            let computed = try LayerArchive.Digester.digest(of: bytes)
            if let claimed = blobDigest(inName: path), claimed != computed {
                throw ModelError(.digest, "image config \(quoted(path)) has the digest \(computed)")
            }
            return computed
        } catch {
            throw ImageSourceError(error, in: escaped(place))
        }
    }

    /// The digest in `blobs/sha256/HEX` or, for a config, `HEX.json`; nil for a name that states none. Layers
    /// of the older layout have names that mean nothing: their diff IDs vouch for them.
    private func blobDigest(inName path: String) -> Digest? {
        let components = path.split(separator: "/")
        guard let last = components.last else { return nil }
        if path.hasPrefix("blobs/sha256/"), components.count == 3 {
            return try? Digest(algorithm: .sha256, encoded: String(last))
        }
        guard components.count == 1, last.hasSuffix(".json") else { return nil }
        return try? Digest(algorithm: .sha256, encoded: String(last.dropLast(5)))
    }
}
