import OCIModel

/// Something odd in how the layers make up the tree. The tree is what a runtime would make of it; the note
/// says that it was odd.
public struct MergeNote: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// A member's name climbs above the root with `..`.
        case pathEscape
        /// A member was written through a symbolic link to a directory.
        case writeThroughLink
        /// A member lies below something that is not a directory.
        case parentNotDirectory
        /// A member would replace the root directory by something else.
        case rootReplaced
        /// A hard link whose target does not exist, or is a directory.
        case danglingHardLink
        /// The same name twice in one layer; the last one wins.
        case duplicateEntry
        /// A whiteout that names nothing, or has no name.
        case oddWhiteout
        /// Symbolic links that lead in a circle on the way to a member.
        case linkLoop
        /// A member type that no container runtime unpacks.
        case unknownType
    }

    public let kind: Kind
    /// Position of the layer, lowest 0.
    public let layer: Int
    public let path: ImagePath

    public init(kind: Kind, layer: Int, path: ImagePath) {
        self.kind = kind
        self.layer = layer
        self.path = path
    }
}
