import Checks
import LayerArchive
import OCIModel
import Reporting
import Suite
import Verdict

/// What keeps a fail from counting: waivers and a baseline, read before anything is judged.
struct Exemptions: Sendable {
    private let waivers: Waivers?
    private let baseline: Baseline?

    /// - Throws: when a file cannot be read or is wrong: nothing is judged then.
    init(waivers files: [String], baseline file: String?) throws {
        if files.isEmpty {
            waivers = nil
        } else {
            guard let today = CalendarDay(ofTime: RunTime.started) else {
                throw CommandExit(.usage, "SOURCE_DATE_EPOCH is no time at which a waiver can hold or expire")
            }
            waivers = Waivers(try WaiverFile.load(files), today: today)
        }
        baseline = try file.map { Baseline(try RecordFile.read($0), file: escaped($0)) }
    }

    /// Waivers come first: what they cover needs no baseline.
    func marking(_ record: RunRecord) -> RunRecord {
        let marked = waivers?.marking(record) ?? record
        return baseline?.marking(marked) ?? marked
    }
}

/// Files that the user names beside images and suites.
enum InputFile {
    /// - Throws: `CommandExit` with the code for wrong input when it cannot be read or is larger than `limit` bytes.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        do throws(LayerError) {
            return try Blob(file: try RandomAccessFile(path: path)).bytes(limit: limit)
        } catch {
            throw CommandExit(.usage, error.message)
        }
    }
}
