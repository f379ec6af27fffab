import Foundation
import OCIModel
import Verdict

/// When a run began.
enum RunTime {
    /// True when `SOURCE_DATE_EPOCH` says it (reproducible-builds.org): then durations are left out too, so that the same
    /// image and suites give the same bytes.
    static let isPinned = Console.environment("SOURCE_DATE_EPOCH") != nil

    /// By `SOURCE_DATE_EPOCH` where it is set, else by the clock.
    static let start: Date = {
        let epoch = Console.environment("SOURCE_DATE_EPOCH").flatMap(seconds)
        return epoch.map { Date(timeIntervalSince1970: $0) } ?? Date()
    }()

    /// The same as RFC 3339.
    static let started = start.formatted(.iso8601)

    /// - Throws: `CommandExit` with the code for usage when `SOURCE_DATE_EPOCH` is not a whole number of seconds from
    ///   1970 to 9999.
    static func validate() throws {
        guard let text = Console.environment("SOURCE_DATE_EPOCH"), seconds(text) == nil else { return }
        throw CommandExit(
            .usage, "SOURCE_DATE_EPOCH is \(quoted(text)), which is not a number of seconds since 1970",
            hint: "set it to what date +%s prints, or unset it")
    }

    private static func seconds(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let seconds = Int64(text),
            seconds < 253_402_300_800
        else { return nil }
        return Double(seconds)
    }
}
