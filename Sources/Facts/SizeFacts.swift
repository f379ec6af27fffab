import RootFS

/// How large the unpacked image is, and how much of what its layers carry it does not show. In bytes of regular
/// files; names, directories and padding of the archives do not count. Sums stop at `Int64.max`.
public struct SizeFacts: Hashable, Sendable {
    public struct Layer: Hashable, Sendable {
        /// Bytes of this layer's files that are in the final tree, hard links counted once.
        public let keptBytes: Int64
        /// Bytes of this layer's files that a later layer replaces or removes.
        public let wastedBytes: Int64
        /// All bytes that the layer adds.
        public var addedBytes: Int64 { saturatingSum(keptBytes, wastedBytes) }
    }

    /// Lowest first.
    public let layers: [Layer]

    /// Bytes of the final tree.
    public var totalBytes: Int64 { layers.reduce(0) { saturatingSum($0, $1.keptBytes) } }
    public var wastedBytes: Int64 { layers.reduce(0) { saturatingSum($0, $1.wastedBytes) } }

    /// The share of all bytes in layers that is in the final tree, 0...1; 1 for an image without files.
    public var efficiency: Double {
        let added = Double(totalBytes) + Double(wastedBytes)
        return added == 0 ? 1 : Double(totalBytes) / added
    }

    init(rootfs: RootFS, survey: TreeSurvey) {
        let wasted = rootfs.wastedBytes
        layers = survey.fileBytes.enumerated().map { index, kept in
            Layer(keptBytes: kept, wastedBytes: wasted.indices.contains(index) ? max(0, wasted[index]) : 0)
        }
    }
}
