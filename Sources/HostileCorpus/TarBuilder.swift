import OCIModel

/// Writes tar archives member by member, the odd ones too: everything a header can say is a parameter.
public struct TarBuilder: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public enum Kind: UInt8, Sendable {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case characterDevice = 0x33
        case blockDevice = 0x34
        case directory = 0x35
        case fifo = 0x36
    }

    /// Adds a member. A long name, a long link target, attributes and large numbers go into a PAX header.
    public mutating func add(
        _ name: String, _ kind: Kind = .file, content: [UInt8] = [], mode: Int? = nil, uid: Int = 0,
        gid: Int = 0, mtime: Int = 0, linkTarget: String = "", device: (major: Int, minor: Int) = (0, 0),
        attributes: [(name: String, value: [UInt8])] = [], declaredSize: Int? = nil
    ) {
        add(
            rawName: Array(name.utf8), kind, content: content, mode: mode, uid: uid, gid: gid, mtime: mtime,
            linkTarget: Array(linkTarget.utf8), device: device, attributes: attributes,
            declaredSize: declaredSize)
    }

    /// The same with a name that need not be UTF-8.
    public mutating func add(
        rawName name: [UInt8], _ kind: Kind = .file, content: [UInt8] = [], mode: Int? = nil, uid: Int = 0,
        gid: Int = 0, mtime: Int = 0, linkTarget: [UInt8] = [], device: (major: Int, minor: Int) = (0, 0),
        attributes: [(name: String, value: [UInt8])] = [], declaredSize: Int? = nil
    ) {
        var records: [UInt8] = []
        if name.count > 100 { records += TarBuilder.paxRecord("path", name) }
        if linkTarget.count > 100 { records += TarBuilder.paxRecord("linkpath", linkTarget) }
        for attribute in attributes {
            records += TarBuilder.paxRecord("SCHILY.xattr.\(attribute.name)", attribute.value)
        }
        if uid > 0o7777777 { records += TarBuilder.paxRecord("uid", Array("\(uid)".utf8)) }
        if !records.isEmpty {
            addHeader(name: Array("pax".utf8), type: 0x78, size: records.count, data: records)
        }
        addHeader(
            name: Array(name.prefix(100)), type: kind.rawValue, size: declaredSize ?? content.count,
            data: content,
            mode: mode ?? (kind == .directory ? 0o755 : kind == .symbolicLink ? 0o777 : 0o644),
            uid: min(uid, 0o7777777), gid: gid, mtime: mtime, linkTarget: Array(linkTarget.prefix(100)),
            device: device)
    }

    /// A GNU long-name member before the member itself.
    public mutating func addWithGNULongName(_ name: String, content: [UInt8]) {
        let data = Array(name.utf8) + [0]
        addHeader(name: Array("././@LongLink".utf8), type: 0x4C, size: data.count, data: data)
        addHeader(name: Array(name.utf8.prefix(100)), type: 0x30, size: content.count, data: content)
    }

    /// Adds a PAX header for the member that follows, or a global one for all that follow.
    public mutating func addPAX(_ records: [(key: String, value: [UInt8])], isGlobal: Bool = false) {
        addPAX(raw: records.flatMap { TarBuilder.paxRecord($0.key, $0.value) }, isGlobal: isGlobal)
    }

    /// A PAX header with records that need not be any.
    public mutating func addPAX(raw records: [UInt8], isGlobal: Bool = false) {
        addHeader(
            name: Array("pax".utf8), type: isGlobal ? 0x67 : 0x78, size: records.count, data: records)
    }

    /// Adds a member of any type flag, its checksum right or off by some.
    public mutating func add(
        _ name: String, typeFlag: UInt8, content: [UInt8] = [], declaredSize: Int? = nil,
        linkTarget: String = "", checksumError: Int = 0
    ) {
        addHeader(
            name: Array(name.utf8), type: typeFlag, size: declaredSize ?? content.count, data: content,
            linkTarget: Array(linkTarget.utf8), checksumError: checksumError)
    }

    /// Bytes as they are, at the present end.
    public mutating func appendRaw(_ raw: [UInt8]) { bytes += raw }

    /// The archive with its two closing blocks.
    public var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    public static func paxRecord(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [0x0A]
        var length = rest.count + 1
        while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
        return Array("\(length)".utf8) + rest
    }

    private mutating func addHeader(
        name: [UInt8], type: UInt8, size: Int, data: [UInt8], mode: Int = 0o644, uid: Int = 0, gid: Int = 0,
        mtime: Int = 0, linkTarget: [UInt8] = [], device: (major: Int, minor: Int) = (0, 0),
        checksumError: Int = 0
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int) {
            for (index, byte) in text.enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: width - digits.count) + digits).utf8)
        }
        put(name, at: 0)
        put(octal(mode, width: 7), at: 100)
        put(octal(uid, width: 7), at: 108)
        put(octal(gid, width: 7), at: 116)
        // Above 8 GiB the number is binary, with the first bit set (GNU tar, "Basic Tar Format").
        put(
            size < 1 << 33
                ? octal(size, width: 11)
                : [0x80, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * (7 - $0))) },
            at: 124)
        put(octal(mtime, width: 11), at: 136)
        put(Array("        ".utf8), at: 148)
        header[156] = type
        put(linkTarget, at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(octal(device.major, width: 7), at: 329)
        put(octal(device.minor, width: 7), at: 337)
        put(octal(header.reduce(checksumError) { $0 + Int($1) }, width: 6) + [0, 0x20], at: 148)
        bytes += header + data
        let padding = (512 - data.count % 512) % 512
        bytes += [UInt8](repeating: 0, count: padding)
    }
}
