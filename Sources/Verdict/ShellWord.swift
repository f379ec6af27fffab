/// A word as a POSIX shell takes it.
public func shellQuoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy {
        (48...57).contains($0) || (64...90).contains($0) || (97...122).contains($0)
            || "-_./:=,+%".utf8.contains($0)
    }
    return plain && !word.isEmpty
        ? word
        : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
}
