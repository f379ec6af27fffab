/// Changes of seeds at random that are the same in every run: a number tells one from another.
public enum Mutation {
    /// The input of a number: a seed, changed in one to eight places.
    ///
    /// - Parameter seeds: of one target, at least one that is not empty.
    public static func input(_ number: Int, of seeds: [[UInt8]]) -> [UInt8] {
        let seeds = seeds.filter { !$0.isEmpty }
        var random = SplitMix64(state: UInt64(bitPattern: Int64(number)))
        guard var bytes = seeds.randomElement(using: &random) else { return [] }
        for _ in 0..<Int.random(in: 1...8, using: &random) { change(&bytes, by: seeds, &random) }
        return bytes
    }

    private static func change(_ bytes: inout [UInt8], by seeds: [[UInt8]], _ random: inout SplitMix64) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let length = min(bytes.count - place, 1 << Int.random(in: 0...9, using: &random))
        let range = place..<(place + length)
        switch Int.random(in: 0..<8, using: &random) {
        case 0 where length > 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where length > 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(range)
        case 3: bytes.insert(contentsOf: Array(bytes[range]), at: place)
        case 4:
            // A piece of another seed.
            let other = seeds.randomElement(using: &random) ?? []
            let start = Int.random(in: 0...other.count, using: &random)
            bytes.replaceSubrange(range, with: other[start...].prefix(length))
        case 5:
            // In place: headers have fields of fixed width.
            let word = words.randomElement(using: &random) ?? []
            bytes.replaceSubrange(place..<min(bytes.count, place + word.count), with: word)
        case 6: bytes.insert(contentsOf: words.randomElement(using: &random) ?? [], at: place)
        default:
            let byte: UInt8 = [0, 0x20, 0x30, 0x37, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            bytes.replaceSubrange(range, with: repeatElement(byte, count: length))
        }
    }

    /// What readers stumble over.
    private static let words: [[UInt8]] =
        [
            "-1", "0", "00", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e999",
            "77777777777",
            "0.", "..", "../", "//", "/", "\\", "\"", "'", "\n", "\r\n", "\n\n", "\n ", ":", ": ", ";", ",",
            "(", ")", "[",
            "{", "}", "]", "*", "&a", "<<", "|", "-", "=", "==", "~=", "@", "!", "%", "$", "${", "\u{1B}[",
            "\u{202E}",
            "é", "e\u{301}", "null", "true",
        ].map { Array($0.utf8) } + [
            [0], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0, 0, 0, 0, 0], [0xC0, 0x80],
            [0xED, 0xA0, 0x80],
            [0x7F, 0xFF, 0xFF, 0xFF],
        ]
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
