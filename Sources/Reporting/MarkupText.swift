/// What of a text means nothing in HTML and XML.
enum MarkupText {
    enum Part {
        /// Bytes of whole characters that can be written as they are.
        case plain(UnsafeBufferPointer<UInt8>)
        /// A character that has to be looked at.
        case scalar(Unicode.Scalar)
    }

    static func forEachPart(of text: String, _ body: (Part) -> Void) {
        var text = text
        text.withUTF8 { bytes in
            if SafeText.all(bytes, isPlain) { return body(.plain(bytes)) }
            var place = 0
            while place < bytes.count {
                let start = place
                place += 1
                if isPlain(bytes[start]) {
                    while place < bytes.count, isPlain(bytes[place]) { place += 1 }
                    body(.plain(UnsafeBufferPointer(rebasing: bytes[start..<place])))
                } else if bytes[start] < 0x80 {
                    body(.scalar(Unicode.Scalar(bytes[start])))
                } else {
                    while place < bytes.count, bytes[place] >= 0x80 { place += 1 }
                    let run = UnsafeBufferPointer(rebasing: bytes[start..<place])
                    for scalar in String(decoding: run, as: UTF8.self).unicodeScalars {
                        body(.scalar(scalar))
                    }
                }
            }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        guard byte >= 0x20, byte < 0x7F else { return false }
        return byte != UInt8(ascii: "&") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
            && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'")
    }
}
