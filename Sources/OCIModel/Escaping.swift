/// Text from outside, made safe for one line of a terminal or a log: C0 and C1 controls, bidirectional
/// controls, line separators and backslashes are written as escapes, invalid UTF-8 as `\xHH`.
public func escaped(_ input: some Sequence<UInt8>) -> String {
    let bytes = Array(input)
    if bytes.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x5C }) {
        return String(decoding: bytes, as: UTF8.self)
    }
    var output = ""
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var position = 0
    while true {
        switch parser.parseScalar(from: &iterator) {
        case .valid(let encoded):
            append(Unicode.UTF8.decode(encoded), to: &output)
            position += encoded.count
        case .error(let length):
            for byte in bytes[position..<position + length] {
                output += "\\x" + hexadecimal(byte, width: 2)
            }
            position += length
        case .emptyInput:
            return output
        }
    }
}

/// As `escaped(_:)`, for text that is already Unicode.
public func escaped(_ text: String) -> String { escaped(text.utf8) }

/// Escaped, shortened to `limit` characters and put between quotation marks, for messages.
public func quoted(_ text: String, limit: Int = 120) -> String {
    let shown = escaped(text)
    return shown.count > limit ? "\"\(shown.prefix(limit))…\"" : "\"\(shown)\""
}

private func append(_ scalar: Unicode.Scalar, to output: inout String) {
    switch scalar.value {
    case 0x09: output += "\\t"
    case 0x0A: output += "\\n"
    case 0x0D: output += "\\r"
    case 0x5C: output += "\\\\"
    case 0..<0x20, 0x7F..<0xA0: output += "\\x" + hexadecimal(scalar.value, width: 2)
    case 0x200E, 0x200F, 0x061C, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
        output += "\\u{" + hexadecimal(scalar.value, width: 4) + "}"
    default: output.unicodeScalars.append(scalar)
    }
}

private func hexadecimal(_ value: some BinaryInteger, width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
