extension ImageConfig {
    /// What is odd about the config by itself: elements of Env that are no variables, a user written as no tool writes
    /// one, and a history that does not go with the layers.
    public var oddities: Oddities {
        var oddities = Oddities()
        for entry in run.environment {
            let bytes = entry.utf8
            if bytes.first == UInt8(ascii: "=") || !bytes.contains(UInt8(ascii: "=")) || bytes.contains(0) {
                oddities.note(.environment, quoted(entry))
            }
        }
        for part in (run.user ?? "").utf8.split(separator: UInt8(ascii: ":")) {
            if part.first == UInt8(ascii: "0"), part.count > 1, part.allSatisfy({ (48...57).contains($0) }) {
                oddities.note(.user, quoted(run.user ?? ""))
            }
        }
        let steps = history.count { !$0.isEmptyLayer }
        if !history.isEmpty, steps != diffIDs.count {
            oddities.note(.history, "\(steps) steps that make a layer, \(diffIDs.count) layers")
        }
        return oddities
    }
}
