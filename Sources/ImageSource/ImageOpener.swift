import Glibc
import LayerArchive
import OCIModel

/// Opens images by name.
public struct ImageOpener: Sendable {
    /// Only an image of this platform; nil takes the only one there is.
    public var platform: Platform?
    /// Bounds on what the image may make of memory and time.
    public var limits: Limits
    /// Told in one line where an image without transport was found.
    public var notify: @Sendable (String) -> Void

    public init(
        platform: Platform? = nil, limits: Limits = Limits(),
        notify: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.platform = platform
        self.limits = limits
        self.notify = notify
    }

    /// Finds an image and verifies its documents; its layers are read later.
    ///
    /// - Parameter text: `TRANSPORT:LOCATION`, `-` for an archive on standard input, or a plain name: a file or
    ///   directory, else an image of docker or podman.
    /// - Throws: `ImageSourceError`.
    public func open(_ text: String) async throws(ImageSourceError) -> Image {
        switch try ImageName.parse(text, fileExists: { access($0, F_OK) == 0 }) {
        case .named(let name): return try await open(name)
        case .standardInput:
            let file: RandomAccessFile
            do throws(LayerError) {
                file = try Spool.seekable(STDIN_FILENO, name: "standard input")
            } catch {
                throw ImageSourceError(error)
            }
            return try open(archive: file, name: ImageName(.dockerArchive, "-"), guessing: true)
        case .plain(let text): return try await openPlain(text)
        }
    }

    private func open(_ name: ImageName) async throws(ImageSourceError) -> Image {
        switch name.transport {
        case .oci:
            let store = LayoutDirectory(place: name.location, limits: limits)
            return try Layout(store: store, name: name, platform: platform).open()
        case .directory: return try openFlatDirectory(name)
        case .dockerArchive, .ociArchive:
            let file: RandomAccessFile
            do throws(LayerError) {
                file = try RandomAccessFile(path: name.location)
            } catch {
                throw ImageSourceError(access(name.location, F_OK) == 0 ? .io : .notFound, error.message)
            }
            return try open(archive: file, name: name, guessing: false)
        case .dockerDaemon, .podman:
            let file = try await Engine(transport: name.transport).save(name.location)
            return try open(archive: file, name: name, guessing: false)
        }
    }

    /// - Parameter guessing: whether the archive's content decides which of the two kinds it is.
    private func open(
        archive file: RandomAccessFile, name: ImageName, guessing: Bool
    ) throws(ImageSourceError) -> Image {
        let index: ArchiveIndex
        do throws(LayerError) {
            index = try ArchiveIndex(of: try Spool.decompressed(file, limits: limits), limits: limits)
        } catch {
            throw ImageSourceError(error)
        }
        var name = name
        if guessing, index.blob(at: "/manifest.json") == nil, index.blob(at: "/index.json") != nil {
            name = ImageName(.ociArchive, name.location, selection: name.selection)
        }
        if name.transport == .ociArchive {
            let store = LayoutArchive(place: file.name, index: index, limits: limits)
            return try Layout(store: store, name: name, platform: platform).open()
        }
        return try DockerArchive(
            index: index, place: file.name, name: name, platform: platform, limits: limits
        ).open()
    }

    private func openFlatDirectory(_ name: ImageName) throws(ImageSourceError) -> Image {
        let store = FlatDirectory(place: name.location, limits: limits)
        let bytes: [UInt8]
        do throws(LayerError) {
            guard let manifest = try store.document("manifest.json") else {
                throw LayerError(
                    .io, "\(escaped(name.location)) has no manifest.json: it is not a directory of dir:")
            }
            bytes = try manifest.bytes(limit: limits.manifest.bytes)
        } catch {
            throw ImageSourceError(error)
        }
        let digest: Digest
        do throws(ModelError) {
            digest = try Digester.digest(of: bytes)
        } catch {
            throw ImageSourceError(error, in: escaped(name.location))
        }
        if let index = try? Index(parsing: bytes, limits: limits.manifest) {
            return try openFlatIndex(index, store: store, name: name)
        }
        let image = try store.image(named: name, manifestBytes: bytes, digest: digest)
        if let platform, !image.platform.satisfies(platform) {
            throw ImageSourceError(
                .ambiguous,
                "\(escaped(name.location)) holds an image for \(image.platform), not for \(platform)")
        }
        return image
    }

    private func openFlatIndex(
        _ index: Index, store: FlatDirectory, name: ImageName
    ) throws(ImageSourceError) -> Image {
        let images = index.manifests.filter { !$0.isAttestation }
        let matching = images.filter { descriptor in
            platform.map { descriptor.platform?.satisfies($0) == true } ?? true
        }
        guard let chosen = matching.first, matching.count == 1 else {
            let there = images.map { $0.platform?.description ?? $0.digest.description }.joined(
                separator: "; ")
            throw ImageSourceError(
                .ambiguous, "\(escaped(name.location)) holds several images; it holds: \(there)",
                hint: "choose one with --platform")
        }
        let manifest = try store.verified(chosen, limit: limits.manifest.bytes)
        return try store.image(named: name, manifestBytes: manifest, digest: chosen.digest)
    }

    /// A file or directory of that name, else an image of an engine.
    private func openPlain(_ text: String) async throws(ImageSourceError) -> Image {
        let (path, selection) = ImageName.splitPath(text, fileExists: { access($0, F_OK) == 0 })
        if access(path, F_OK) == 0 {
            let name = try transport(ofFile: path, selection: selection)
            notify("\(escaped(text)): reading it as \(name)")
            return try await open(name)
        }
        guard !text.hasPrefix("-"), !text.hasPrefix("/"), !text.hasPrefix(".") else {
            throw ImageSourceError(.notFound, "\(escaped(path)): no such file or directory")
        }
        var complaints: [String] = []
        for transport in [ImageName.Transport.dockerDaemon, .podman] {
            guard await Engine(transport: transport).isInstalled else { continue }
            do throws(ImageSourceError) {
                let image = try await open(ImageName(transport, text))
                notify("\(escaped(text)): found as \(image.name)")
                return image
            } catch {
                guard error.kind == .engine else { throw error }
                complaints.append(error.message)
            }
        }
        let reason =
            complaints.isEmpty ? "neither docker nor podman is installed" : complaints.joined(separator: "; ")
        throw ImageSourceError(
            .notFound, "\(escaped(text)): no such file, and no engine has such an image (\(reason))",
            hint: "name a transport: "
                + ImageName.Transport.allCases.map { "\($0.rawValue):" }.joined(separator: ", "))
    }

    private func transport(ofFile path: String, selection: String?) throws(ImageSourceError) -> ImageName {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw ImageSourceError(.io, "\(escaped(path)): \(String(cString: strerror(errno)))")
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            if access("\(path)/index.json", F_OK) == 0 { return ImageName(.oci, path, selection: selection) }
            if access("\(path)/manifest.json", F_OK) == 0 { return ImageName(.directory, path) }
            throw ImageSourceError(
                .notFound,
                "\(escaped(path)) is a directory without index.json or manifest.json: it holds no image")
        }
        do throws(LayerError) {
            let file = try Spool.decompressed(try RandomAccessFile(path: path), limits: limits)
            let index = try ArchiveIndex(of: file, limits: limits)
            let isLayout = index.blob(at: "/manifest.json") == nil && index.blob(at: "/index.json") != nil
            return ImageName(isLayout ? .ociArchive : .dockerArchive, path, selection: selection)
        } catch {
            throw ImageSourceError(error)
        }
    }
}
