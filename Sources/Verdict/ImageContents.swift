/// What an image holds, summed up: where its bytes are and what is installed. Bounded whatever the image.
public struct ImageContents: Hashable, Codable, Sendable {
    /// The root directory as each layer has it, the lowest first.
    public var layers: [DirectorySize]
    /// Debian's packages that are installed; nil when the image has no database of them, or none that can be read.
    public var packages: PackageList?
    /// Python's distributions; nil when there is no directory for them.
    public var distributions: PackageList?

    public init(
        layers: [DirectorySize], packages: PackageList? = nil, distributions: PackageList? = nil
    ) {
        self.layers = layers
        self.packages = packages
        self.distributions = distributions
    }
}

/// The bytes of the regular files that a layer has below a directory; of hard links the first name counts.
public struct DirectorySize: Hashable, Codable, Sendable {
    /// The last component of the path, escaped; empty for the root.
    public var name: String
    /// Bytes that the image shows, those of `directories` included.
    public var bytes: Int64
    /// Bytes that a later layer replaces or removes, those of `directories` included: they are in the image and
    /// nobody sees them.
    public var hiddenBytes: Int64
    /// The largest of those directly below it, the largest first. Not all of them: what is missing from the sum lies
    /// in the others, and in files of its own.
    public var directories: [DirectorySize]

    public init(name: String, bytes: Int64, hiddenBytes: Int64, directories: [DirectorySize] = []) {
        self.name = name
        self.bytes = bytes
        self.hiddenBytes = hiddenBytes
        self.directories = directories
    }
}

/// What a package manager says is installed.
public struct PackageList: Hashable, Codable, Sendable {
    /// In the order of their names.
    public var packages: [InstalledPackage]
    /// How many more there are than are listed; nil when all are.
    public var omitted: Int?

    /// Keeps at most `limit` of the packages.
    public init(_ packages: [InstalledPackage], limit: Int = 5_000) {
        self.packages = Array(packages.prefix(limit))
        omitted = packages.count > limit ? packages.count - limit : nil
    }
}

public struct InstalledPackage: Hashable, Codable, Sendable {
    /// Escaped, as all text here.
    public var name: String
    public var version: String
    /// As Debian names it; nil for a distribution of Python.
    public var architecture: String?
    /// The directory of a distribution of Python; nil for a package of Debian.
    public var location: String?
    /// Bytes that it takes, as its author estimated; nil when nobody did.
    public var bytes: Int64?
    /// Position of the layer that installed it, the lowest being 1; nil when that cannot be told.
    public var layer: Int?

    public init(
        name: String, version: String, architecture: String? = nil, location: String? = nil,
        bytes: Int64? = nil, layer: Int? = nil
    ) {
        self.name = name
        self.version = version
        self.architecture = architecture
        self.location = location
        self.bytes = bytes
        self.layer = layer
    }
}
