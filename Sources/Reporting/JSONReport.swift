import FoundationEssentials
import Verdict

/// The run record as JSON (RFC 8259): sorted keys, two spaces of indentation, a newline at the end.
///
/// Control characters and bidirectional controls are written as `\u` escapes, so that the file can be
/// looked at in a terminal; reading it back gives the very same record.
public enum JSONReport {
    static let form = ReportForm(
        summary: "the complete run record, which can be rendered or merged later", fileExtension: "json",
        render: { (record, _) throws(ReportError) in try render(record) })

    /// - Throws: `ReportError` of kind `notRepresentable` for a duration that is infinite or not a number.
    public static func render(_ record: RunRecord) throws(ReportError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let encoded: Data
        do {
            encoded = try encoder.encode(record)
        } catch {
            throw ReportError(
                .notRepresentable,
                "the run record cannot be written as JSON: \(explain(error)); every duration has to be finite"
            )
        }
        var bytes = escapingControls(in: encoded)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Reads a saved run record.
    ///
    /// - Throws: `ReportError` of kind `newerVersion` or `malformedRecord`.
    public static func decode(_ bytes: some Sequence<UInt8>) throws(ReportError) -> RunRecord {
        let data = Data(bytes)
        let decoder = JSONDecoder()
        let version: Int
        do {
            version = try decoder.decode(Versioned.self, from: data).version
        } catch {
            throw ReportError(
                .malformedRecord,
                "not a run record: \(explain(error)); give a file written by a JSON report")
        }
        guard version <= RunRecord.currentVersion else {
            throw ReportError(
                .newerVersion,
                "the run record has version \(version), this tool reads up to version "
                    + "\(RunRecord.currentVersion); use the version of the tool that wrote it, or a newer one"
            )
        }
        guard version >= 1 else {
            throw ReportError(
                .malformedRecord, "the run record has version \(version), but versions count from 1")
        }
        do {
            return try decoder.decode(RunRecord.self, from: data)
        } catch {
            throw ReportError(
                .malformedRecord, "the run record is damaged: \(explain(error)); write it again")
        }
    }

    private struct Versioned: Decodable {
        var version: Int
    }

    /// JSON allows DEL, C1 and bidirectional controls inside strings as they are; nowhere else do they
    /// occur, so that escaping them in the finished document is safe.
    private static func escapingControls(in encoded: Data) -> [UInt8] {
        guard encoded.contains(where: { $0 >= 0x7F }) else { return Array(encoded) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.count)
        for scalar in String(decoding: encoded, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0x7F, SafeText.isControl(scalar) {
                bytes += ("\\u" + SafeText.hexadecimal(scalar, width: 4)).utf8
            } else {
                bytes += UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter
            }
        }
        return bytes
    }

    /// Where in the document and what, in one line.
    private static func explain(_ error: any Error) -> String {
        let context: (path: [any CodingKey], what: String)
        switch error {
        case EncodingError.invalidValue(_, let found):
            context = (found.codingPath, found.debugDescription)
        case DecodingError.keyNotFound(let key, let found):
            context = (found.codingPath, "the key \(SafeText.quoted(key.stringValue)) is missing")
        case DecodingError.valueNotFound(_, let found), DecodingError.typeMismatch(_, let found),
            DecodingError.dataCorrupted(let found):
            context = (found.codingPath, found.debugDescription)
        default:
            context = ([], String(describing: error))
        }
        let what = SafeText.shortened(SafeText.oneLine(context.what), limit: 300)
        return context.path.isEmpty ? what : "at \(dotted(context.path)): \(what)"
    }

    private static func dotted(_ path: [any CodingKey]) -> String {
        var output = ""
        for key in path {
            if let index = key.intValue {
                output += "[\(index)]"
            } else {
                output += (output.isEmpty ? "" : ".") + SafeText.oneLine(key.stringValue)
            }
        }
        return output
    }
}
