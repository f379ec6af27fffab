/// Reads stanzas of `Name: value` fields with continuation lines, the form that deb-control(5) and Python's core
/// metadata (PEP 566) share with RFC 822. Keeps the fields that are asked for, as slices of the text; one pass,
/// whatever the text holds.
struct FieldReader {
    struct Stanza {
        /// The line on which it begins, from 1.
        let line: Int
        /// In the order of the text; names that come twice are there twice.
        fileprivate(set) var fields: [(name: Int, value: ArraySlice<UInt8>)] = []
        /// What is wrong with it; the fields before the fault are kept, those after it are not.
        fileprivate(set) var fault: String?

        /// The first value of a field, on one line and without blanks around it.
        func value(_ name: Int) -> String? {
            fields.first { $0.name == name }.map { FieldReader.folded($0.value) }
        }

        func values(_ name: Int) -> [String] {
            fields.filter { $0.name == name }.map { FieldReader.folded($0.value) }
        }
    }

    private let bytes: [UInt8]
    /// Names of the fields to keep, in lower case.
    private let names: [[UInt8]]
    private var position = 0
    private var lineNumber = 0

    /// - Parameter names: the fields to keep, in lower case; a stanza refers to them by position.
    init(_ bytes: [UInt8], names: [String]) {
        self.bytes = bytes
        self.names = names.map { Array($0.utf8) }
    }

    /// The next stanza; nil at the end.
    mutating func next() -> Stanza? {
        var stanza: Stanza?
        /// Start of the value that continuation lines belong to; nil for a field that is not kept.
        var open: (name: Int, start: Int, end: Int)?
        func close(_ stanza: inout Stanza?) {
            if let open { stanza?.fields.append((open.name, bytes[open.start..<open.end])) }
        }
        while position < bytes.count {
            let start = position
            let newline = endOfLine(from: start)
            position = newline + 1
            lineNumber += 1
            var end = newline
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            if start == end {
                if stanza != nil { break }
                continue
            }
            if stanza?.fault != nil { continue }
            let isContinuation = bytes[start] == UInt8(ascii: " ") || bytes[start] == UInt8(ascii: "\t")
            if isContinuation, stanza != nil {
                open?.end = end
                continue
            }
            close(&stanza)
            open = nil
            if stanza == nil { stanza = Stanza(line: lineNumber) }
            guard !isContinuation, let colon = nameEnd(from: start, to: end) else {
                stanza?.fault = "line \(lineNumber) has no field name"
                continue
            }
            if let name = position(ofName: start..<colon) { open = (name, colon + 1, end) }
        }
        close(&stanza)
        return stanza
    }

    private func endOfLine(from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            var end = start
            while end < buffer.count, buffer[end] != UInt8(ascii: "\n") { end += 1 }
            return end
        }
    }

    /// The position of the colon that ends the field name.
    private func nameEnd(from start: Int, to end: Int) -> Int? {
        for index in start..<end {
            if bytes[index] == UInt8(ascii: ":") { return index > start ? index : nil }
            // Names are printable and have no blanks.
            if bytes[index] <= 0x20 { return nil }
        }
        return nil
    }

    private func position(ofName range: Range<Int>) -> Int? {
        names.firstIndex { name in
            name.count == range.count && zip(name, range).allSatisfy { $0 == lowercased(bytes[$1]) }
        }
    }

    private static func folded(_ value: ArraySlice<UInt8>) -> String {
        let value = value.trimmed
        guard value.contains(UInt8(ascii: "\n")) else { return text(of: value) }
        return text(
            of: Array(
                value.split(separator: UInt8(ascii: "\n")).map(\.trimmed).joined(separator: [
                    UInt8(ascii: " ")
                ])))
    }
}
