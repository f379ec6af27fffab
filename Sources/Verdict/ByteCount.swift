/// A number of bytes in a unit that reads well: decimal units, as registries and disks count.
public struct ByteCount: Sendable, CustomStringConvertible {
    private let bytes: Int64

    public init(_ bytes: Int64) { self.bytes = bytes }

    public var description: String {
        var value = Double(bytes)
        for unit in ["B", "kB", "MB", "GB"] {
            if value < 1_000 { return unit == "B" ? "\(bytes) B" : "\(oneDecimal(value)) \(unit)" }
            value /= 1_000
        }
        return "\(oneDecimal(value)) TB"
    }

    private func oneDecimal(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
