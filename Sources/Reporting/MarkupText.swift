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
            func skip(while holds: (UInt8) -> Bool) -> UnsafeBufferPointer<UInt8> {
                let start = place
                while place < bytes.count, holds(bytes[place]) { place += 1 }
                return UnsafeBufferPointer(rebasing: bytes[start..<place])
            }
            while place < bytes.count {
                if isPlain(bytes[place]) {
                    body(.plain(skip(while: isPlain)))
                } else if bytes[place] < 0x80 {
                    body(.scalar(Unicode.Scalar(bytes[place])))
                    place += 1
                } else {
                    let run = skip { $0 >= 0x80 }
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
