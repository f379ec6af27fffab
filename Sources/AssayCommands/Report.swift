import ArgumentParser
import LayerArchive
import OCIModel
import Reporting
import Verdict

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write reports of saved runs, one by one or merged.",
        discussion: """
            A record is what assay check --report json=FILE writes. Of several records one is made: the order does not \
            matter, and a record that is given twice counts once. An image is the same when name, digests and \
            platform are; what was skipped in one run and judged in another is judged; where runs on the same content \
            do not agree, every result is kept and the conflict is listed.

            Examples:
              assay report Reports/airflow-2.10.5.json
              assay report static.json probes.json --report junit=Reports/ --report json=whole.json
              assay report --schema > run-record.schema.json

            Exit codes: those of the runs: 0 conforms; 1 a check failed at or above --fail-on; 3 could not be judged, \
            or a report could not be written; 2 wrong usage, or a file that is no record: then nothing is written.
            """)

    @Argument(help: ArgumentHelp("The records.", valueName: "record")) var records: [String] = []
    @OptionGroup var reports: ReportOptions
    @Flag(help: "Print the JSON Schema of a record instead.") var schema = false

    func validate() throws {
        guard schema != records.isEmpty else { return }
        throw ValidationError(
            schema
                ? "--schema takes no records" : "give the record of a run, as written by --report json=FILE")
    }

    func run() throws {
        if schema {
            Console.output(try RunRecordSchema.text)
            return
        }
        var read: [RunRecord] = []
        var count = 0
        for path in records {
            let record = try RecordFile.read(path)
            count += record.images.reduce(0) { $0 + $1.results.count }
            guard count <= JSONReport.maximumResults else {
                throw CommandExit(
                    .usage,
                    "\(escaped(path)): more than \(JSONReport.maximumResults.grouped) results in all records")
            }
            read.append(record)
        }
        guard let record = RunRecord.merging(read) else { return }
        let references = record.images.map(\.image.reference) + record.unreadable.map(\.reference)
        let files = try ReportFile.all(reports.report, references: references)
        let allWritten = reports.write(record, to: files)
        try reports.end(record, allWritten: allWritten)
    }
}

/// A saved run record.
enum RecordFile {
    /// - Throws: `CommandExit` with the code for wrong input when the file cannot be read or is no record.
    static func read(_ path: String) throws -> RunRecord {
        do {
            return try JSONReport.decode(try InputFile.read(path, limit: JSONReport.maximumBytes))
        } catch let error as ReportError {
            throw CommandExit(.usage, "\(escaped(path)): \(error)")
        }
    }
}
