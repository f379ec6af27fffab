import OCIModel

/// Where an image is read from, as the user types it: `TRANSPORT:LOCATION`, with the transports of
/// containers-transports(5) and `podman:`.
public struct ImageName: Hashable, Sendable {
    public enum Transport: String, Sendable, CaseIterable {
        /// `docker-archive:FILE[:NAME[:TAG]]`, a file written by `docker save`.
        case dockerArchive = "docker-archive"
        /// `oci:DIRECTORY[:NAME]`, an OCI image layout.
        case oci
        /// `oci-archive:FILE[:NAME]`, a tar file of an OCI image layout.
        case ociArchive = "oci-archive"
        /// `dir:DIRECTORY`, a manifest with its blobs side by side.
        case directory = "dir"
        /// `docker-daemon:NAME[:TAG]`, an image in the store of a Docker engine.
        case dockerDaemon = "docker-daemon"
        /// `podman:NAME[:TAG]`, an image in podman's store.
        case podman
    }

    public let transport: Transport
    /// A path, or an engine's name of an image.
    public let location: String
    /// Which of the images there; nil for the only one.
    public let selection: String?

    public init(_ transport: Transport, _ location: String, selection: String? = nil) {
        self.transport = transport
        self.location = location
        self.selection = selection
    }

    /// The result of parsing: a transport was named, or the text is to be looked up.
    public enum Parsed: Hashable, Sendable {
        case named(ImageName)
        /// No transport: a file, else an image of an engine.
        case plain(String)
        /// `-`: an archive on standard input.
        case standardInput
    }

    /// - Throws: `ImageSourceError` of kind `.reference`.
    public static func parse(
        _ text: String, fileExists: (String) -> Bool
    ) throws(ImageSourceError) -> Parsed {
        guard !text.isEmpty else {
            throw ImageSourceError(
                .reference, "the image name is empty", hint: "name an image, as oci:DIRECTORY:TAG")
        }
        if text == "-" { return .standardInput }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let transport = Transport(rawValue: String(parts[0])) else {
            if text.hasPrefix("docker://") || text.hasPrefix("containers-storage:")
                || text.hasPrefix("ostree:")
            {
                let name = text.prefix { $0 != ":" }
                throw ImageSourceError(
                    .reference, "\(quoted(text)): Assay does not read the transport \(name)",
                    hint: "copy the image first, as: skopeo copy \(escaped(text)) oci:DIRECTORY:TAG")
            }
            return .plain(text)
        }
        let rest = String(parts[1])
        guard !rest.isEmpty else {
            throw ImageSourceError(.reference, "\(quoted(text)) names no image after \(transport.rawValue):")
        }
        switch transport {
        case .dockerDaemon, .podman:
            guard !rest.hasPrefix("-") else {
                throw ImageSourceError(.reference, "\(quoted(rest)) is not the name of an image")
            }
            return .named(ImageName(transport, rest))
        case .directory:
            return .named(ImageName(transport, rest))
        case .dockerArchive, .oci, .ociArchive:
            if transport == .dockerArchive, rest == "-" { return .standardInput }
            let (path, selection) = splitPath(rest, fileExists: fileExists)
            return .named(ImageName(transport, path, selection: selection))
        }
    }

    /// Splits `PATH[:SELECTION]`: at the first colon, unless the file's own name has colons.
    static func splitPath(_ text: String, fileExists: (String) -> Bool) -> (path: String, selection: String?)
    {
        if fileExists(text) { return (text, nil) }
        var candidate: (String, String)?
        var search = text.startIndex
        while let colon = text[search...].firstIndex(of: ":") {
            let path = String(text[..<colon])
            let selection = String(text[text.index(after: colon)...])
            if fileExists(path) { return (path, selection) }
            candidate = candidate ?? (path, selection)
            search = text.index(after: colon)
        }
        return candidate.map { ($0.0, $0.1) } ?? (text, nil)
    }
}

extension ImageName: CustomStringConvertible {
    public var description: String {
        escaped([transport.rawValue, location, selection].compactMap { $0 }.joined(separator: ":"))
    }
}
