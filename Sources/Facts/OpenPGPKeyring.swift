import OCIModel

/// The public keys of an OpenPGP keyring (RFC 4880, RFC 9580), binary or in ASCII armor, as far as a user of apt sees
/// them. Signatures are read, not verified: a keyring says what its keys claim.
public struct OpenPGPKeyring: Hashable, Sendable {
    /// A primary key of version 4.
    public struct Key: Hashable, Sendable {
        /// Capital hexadecimal digits.
        public let fingerprint: String
        /// Those of the subkeys.
        public fileprivate(set) var subkeyFingerprints: [String] = []
        /// Seconds since the epoch.
        public let created: Int64
        /// Seconds since the epoch; nil for a key that does not expire. By the latest signature of the key on itself.
        public fileprivate(set) var expires: Int64?
        public fileprivate(set) var isRevoked = false
        fileprivate var expiryStated: Int64 = -1

        /// The last 16 digits of the fingerprint of version 4.
        public var keyID: String { String(fingerprint.suffix(16)) }
    }

    public static let maximumKeys = 1_000

    /// In the order of the file.
    public private(set) var keys: [Key] = []

    /// - Returns: nil when the bytes are no keyring, or are cut short.
    public init?(parsing bytes: [UInt8]) {
        let armored = bytes.prefix(while: { $0 < 0x80 }).count == bytes.count
        guard !bytes.isEmpty, let packets = armored ? OpenPGPKeyring.dearmored(bytes) : bytes,
            read(packets), !keys.isEmpty
        else { return nil }
    }

    // MARK: Armor

    private static let begin = Array("-----BEGIN PGP PUBLIC KEY BLOCK-----".utf8)
    private static let end = Array("-----END PGP PUBLIC KEY BLOCK-----".utf8)

    /// The data of all armored blocks, one after another. A line of deb822 that is `.` stands for an empty one.
    private static func dearmored(_ bytes: [UInt8]) -> [UInt8]? {
        var data: [UInt8] = []
        var text: [UInt8] = []
        var isInside = false
        var isHeader = false
        for (_, line) in Lines(bytes) {
            let line = line.trimmed
            if line.elementsEqual(begin) {
                (isInside, isHeader, text) = (true, true, [])
            } else if line.elementsEqual(end) {
                guard isInside, let decoded = base64(text) else { return nil }
                data += decoded
                isInside = false
            } else if isInside {
                if isHeader, line.contains(UInt8(ascii: ":")) { continue }
                isHeader = false
                // The checksum, which nobody needs to check any more (RFC 9580, 6.1).
                if line.first == UInt8(ascii: "=") { continue }
                if line.elementsEqual(".".utf8) {
                    // What came before were headers, their words in lines of their own.
                    text = []
                    continue
                }
                text += line
            }
        }
        return isInside || data.isEmpty ? nil : data
    }

    // MARK: Packets

    private enum Tag {
        static let signature = 2
        static let publicKey = 6
        static let publicSubkey = 14
    }

    private mutating func read(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        var isOfSubkey = false
        var isUnknown = true
        while let (tag, body) = OpenPGPKeyring.packet(&rest) {
            guard let body else { return false }
            switch tag {
            case Tag.publicKey:
                guard keys.count < OpenPGPKeyring.maximumKeys else { return false }
                isOfSubkey = false
                let key = OpenPGPKeyring.key(body)
                isUnknown = key == nil
                if let key { keys.append(key) }
            case Tag.publicSubkey:
                isOfSubkey = true
                if !isUnknown, let key = OpenPGPKeyring.key(body),
                    keys[keys.count - 1].subkeyFingerprints.count < 100
                {
                    keys[keys.count - 1].subkeyFingerprints.append(key.fingerprint)
                }
            case Tag.signature where !isOfSubkey && !isUnknown:
                OpenPGPKeyring.apply(body, to: &keys[keys.count - 1])
            default: break
            }
        }
        return rest.isEmpty
    }

    /// The next packet; its body is nil when it is cut short or of unknown length.
    private static func packet(_ rest: inout ArraySlice<UInt8>) -> (tag: Int, body: ArraySlice<UInt8>?)? {
        guard let header = rest.popFirst() else { return nil }
        guard header & 0x80 != 0 else { return (0, nil) }
        let isNew = header & 0x40 != 0
        let length: Int?
        if isNew {
            length = newLength(&rest)
        } else {
            let width = [1, 2, 4][safe: Int(header & 3)]
            length = width.flatMap { number(&rest, $0) }
        }
        guard let length, length <= rest.count else { return (0, nil) }
        let body = rest.prefix(length)
        rest = rest.dropFirst(length)
        return (Int(isNew ? header & 0x3F : header >> 2 & 0xF), body)
    }

    /// The length of a packet or subpacket; keys have no partial ones.
    private static func newLength(_ rest: inout ArraySlice<UInt8>, isSubpacket: Bool = false) -> Int? {
        guard let first = rest.popFirst().map(Int.init) else { return nil }
        if first < 192 { return first }
        if first == 255 { return number(&rest, 4) }
        if first >= 224, !isSubpacket { return nil }
        guard let second = rest.popFirst().map(Int.init) else { return nil }
        return (first - 192) << 8 + second + 192
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ width: Int) -> Int? {
        guard rest.count >= width else { return nil }
        let value = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(width)
        return value
    }

    private static func key(_ body: ArraySlice<UInt8>) -> Key? {
        var rest = body
        guard rest.popFirst() == 4, body.count <= 0xFFFF, let created = number(&rest, 4) else { return nil }
        let prefix = [0x99, UInt8(body.count >> 8), UInt8(body.count & 0xFF)]
        return Key(fingerprint: hexadecimal(sha1(prefix + body)), created: Int64(created))
    }

    /// Takes over what a signature says, if the key made it on itself.
    private static func apply(_ body: ArraySlice<UInt8>, to key: inout Key) {
        var rest = body
        guard rest.popFirst() == 4, let type = rest.popFirst() else { return }
        rest = rest.dropFirst(2)
        guard let hashedCount = number(&rest, 2), hashedCount <= rest.count else { return }
        let hashed = subpackets(rest.prefix(hashedCount))
        rest = rest.dropFirst(hashedCount)
        guard let plainCount = number(&rest, 2), plainCount <= rest.count else { return }
        let all = hashed + subpackets(rest.prefix(plainCount))
        let issuers = all.compactMap { type, value in
            switch type {
            case 16: hexadecimal(value)
            case 33: hexadecimal(value.dropFirst())
            default: nil
            }
        }
        guard issuers.contains(where: { $0 == key.keyID || $0 == key.fingerprint }) else { return }
        if type == 0x20 {
            key.isRevoked = true
            return
        }
        guard (0x10...0x13).contains(type) || type == 0x1F else { return }
        func time(_ wanted: UInt8) -> Int64? {
            hashed.first { $0.type == wanted }.flatMap { subpacket in
                var value = subpacket.value
                return number(&value, 4).map(Int64.init)
            }
        }
        let made = time(2) ?? 0
        guard made >= key.expiryStated else { return }
        key.expiryStated = made
        key.expires = time(9).flatMap { $0 == 0 ? nil : key.created + $0 }
    }

    private static func subpackets(_ area: ArraySlice<UInt8>) -> [(type: UInt8, value: ArraySlice<UInt8>)] {
        var rest = area
        var found: [(type: UInt8, value: ArraySlice<UInt8>)] = []
        while let length = newLength(&rest, isSubpacket: true), length > 0, length <= rest.count {
            let content = rest.prefix(length)
            if let type = content.first { found.append((type & 0x7F, content.dropFirst())) }
            rest = rest.dropFirst(length)
        }
        return found
    }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

/// The bytes of base64 (RFC 4648, 4); nil for anything else. Padding may be missing.
func base64(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var output: [UInt8] = []
    var value: UInt32 = 0
    var bits = 0
    var isPadded = false
    for byte in text {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): digit = 62
        case UInt8(ascii: "/"): digit = 63
        case UInt8(ascii: "="):
            isPadded = true
            continue
        default: return nil
        }
        // A block that ends with padding may be followed by the next one.
        if isPadded { (value, bits, isPadded) = (0, 0, false) }
        value = value << 6 | UInt32(digit)
        bits += 6
        if bits >= 8 {
            bits -= 8
            output.append(UInt8(truncatingIfNeeded: value >> UInt32(bits)))
        }
    }
    return output
}
