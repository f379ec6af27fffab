/// What of a text means nothing in HTML and XML.
enum MarkupText {
    /// Gives the bytes of a text to `body` in runs, in turn those that can be written as they are and those that cannot,
    /// each of whole characters.
    static func forEachRun(of text: String, _ body: (UnsafeBufferPointer<UInt8>, _ isPlain: Bool) -> Void) {
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let isPlain = isPlain(bytes[start])
                var end = start + 1
                while end < bytes.count, self.isPlain(bytes[end]) == isPlain { end += 1 }
                body(UnsafeBufferPointer(rebasing: bytes[start..<end]), isPlain)
                start = end
            }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        guard byte >= 0x20, byte < 0x7F else { return false }
        return byte != UInt8(ascii: "&") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
            && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'")
    }
}
