import OCIModel
import RootFS

/// A change of an image that an expectation must not survive. Expectations propose them, and `assay prove` lays
/// them over an image: a check that no violation can make fail proves nothing.
public struct Violation: Sendable {
    /// What is done to the image, in words: "chown 12345 /opt/airflow".
    public var summary: String
    /// All are done together, in this order.
    public var changes: [Change]
    /// The layer, lowest 0, that the image then seems to have them from; nil: the one that wrote what was there, and
    /// the topmost where nothing was.
    public var layer: Int?

    public init(_ summary: String, _ changes: [Change], layer: Int? = nil) {
        self.summary = summary
        self.changes = changes
        self.layer = layer
    }

    /// One thing that is done to the image.
    public enum Change: Hashable, Sendable {
        /// A file, directory or link is put in the place of whatever is there.
        case write(Entry)
        /// What is at the path is removed, with everything below it.
        case remove(ImagePath)
        /// What is at the path gets other metadata; its content stays.
        case chmod(ImagePath, permissions: UInt16)
        case chown(ImagePath, uid: Int64, gid: Int64)
        /// A variable of the image config is set, or removed by nil.
        case environment(name: String, value: String?)
        /// A label is set, or removed by nil.
        case label(name: String, value: String?)
        /// A key of the config's execution parameters ("User", "Entrypoint" …) gets another value; nil removes it.
        case config(key: String, value: JSON?)
        /// The platform of the image.
        case platform(os: String, architecture: String)
        /// The names that the image has where it is read from.
        case names([String])
        /// A step without layer is added at the end of the history.
        case step(String)
        /// The digests of the uncompressed layers, lowest first, as the config lists them.
        case diffIDs([Digest])
    }

    /// What a layer can add.
    public struct Entry: Hashable, Sendable {
        public var path: ImagePath
        public var kind: FileStatus.Kind
        /// Mode bits 07777.
        public var permissions: UInt16
        public var uid: Int64
        public var gid: Int64
        /// The content of a file; the target of a symbolic link.
        public var content: [UInt8]

        public init(
            _ path: ImagePath, kind: FileStatus.Kind = .file, permissions: UInt16 = 0o644, uid: Int64 = 0,
            gid: Int64 = 0, content: [UInt8] = []
        ) {
            self.path = path
            self.kind = kind
            self.permissions = permissions
            self.uid = uid
            self.gid = gid
            self.content = content
        }
    }
}
