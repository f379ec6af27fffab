import FoundationEssentials
import Verdict

/// The run record as JSON (RFC 8259): sorted keys, two spaces of indentation, a newline at the end.
///
/// Control characters and bidirectional controls are written as `\u` escapes, so that the file can be
/// looked at in a terminal; reading it back gives the very same record.
public enum JSONReport {
    static let form = ReportForm(
        summary: "the complete run record, which can be rendered or merged later", fileExtension: "json",
        bytesPerResult: 1_500,
        render: { (record, _) throws(ReportError) in try render(record) })

    /// - Throws: `ReportError` of kind `notRepresentable` for a duration that is infinite or not a number.
    public static func render(_ record: RunRecord) throws(ReportError) -> [UInt8] {
        do {
            return try JSONDocument.bytes(of: record, capacity: record.resultCount * form.bytesPerResult)
        } catch {
            throw ReportError(
                .notRepresentable,
                "the run record cannot be written as JSON: \(explain(error)); every duration has to be finite"
            )
        }
    }

    /// Bytes of the largest record that is read.
    public static let maximumBytes = 256 << 20
    /// Results of all images of the largest record that is read.
    public static let maximumResults = 250_000
    /// Images, unreadable ones included, of the largest record that is read.
    public static let maximumImages = 10_000

    /// Reads a saved run record, which may come from anywhere.
    ///
    /// - Throws: `ReportError` of kind `newerVersion`, or `malformedRecord` for what is no record, is larger than the
    ///   limits, or has a number that no run can have.
    public static func decode(_ bytes: some Sequence<UInt8>) throws(ReportError) -> RunRecord {
        let bytes = Array(bytes)
        guard bytes.count <= maximumBytes else {
            throw ReportError(.malformedRecord, "the run record has more than \(maximumBytes) bytes")
        }
        let record: RunRecord
        if let found = RecordParts(bytes)?.decoded() {
            record = found
        } else {
            record = try decodeWhole(Data(bytes))
        }
        let results = record.resultCount
        let images = record.images.count + record.unreadable.count
        for (count, limit, what) in [
            (results, maximumResults, "results"), (images, maximumImages, "images"),
        ] where count > limit {
            throw ReportError(
                .malformedRecord,
                "the run record has \(count.grouped) \(what); at most \(limit.grouped) are read")
        }
        if let problem = RecordBounds.problem(in: record) {
            throw ReportError(.malformedRecord, "the run record is damaged: at \(problem); write it again")
        }
        return record
    }

    /// Tells what is wrong with a document that is no record.
    private static func decodeWhole(_ data: Data) throws(ReportError) -> RunRecord {
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
