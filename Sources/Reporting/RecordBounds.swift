import Verdict

/// The bounds of what a record may say. Records come from elsewhere: nothing in one may make a report overflow.
enum RecordBounds {
    /// Whole numbers that every reader of JSON has (RFC 8259, section 6).
    static let counts: ClosedRange<Int64> = 0...(1 << 53)
    /// Thirty years.
    static let seconds: ClosedRange<Double> = 0...1e9
    /// Lines, columns and layers.
    static let positions: ClosedRange<Int64> = 1...Int64(Int32.max)
    static let permissions: ClosedRange<Int64> = 0...0o7777
    static let exitCodes: ClosedRange<Int64> = Int64(Int32.min)...Int64(Int32.max)

    /// Where the record leaves the bounds, and how; nil when it does not.
    static func problem(in record: RunRecord) -> String? {
        for (number, waiver) in (record.unusedWaivers ?? []).enumerated() {
            if let problem = problem(waiver.waiver.position) {
                return "unusedWaivers[\(number)].waiver.\(problem)"
            }
        }
        for (number, run) in record.images.enumerated() {
            if let problem = problem(in: run) { return "images[\(number)].\(problem)" }
        }
        // Reports add up; no real run comes near.
        let sum = record.images.reduce(0) { $0 + total(of: $1) }
        return sum > Double(counts.upperBound) ? "images: sizes and counts add up to \(sum)" : nil
    }

    private static func total(of run: ImageRun) -> Double {
        func sum(_ directory: DirectorySize) -> Double {
            directory.directories.reduce(Double(directory.bytes) + Double(directory.hiddenBytes)) {
                $0 + sum($1)
            }
        }
        var total = run.image.layers.reduce(0) { $0 + Double($1.size) + Double($1.uncompressedSize) }
        for directory in run.contents?.layers ?? [] { total += sum(directory) }
        for list in [run.contents?.packages, run.contents?.distributions] {
            total += (list?.packages ?? []).reduce(Double(list?.omitted ?? 0)) { $0 + Double($1.bytes ?? 0) }
        }
        for place in run.results.indices {
            for finding in run.results[place].findings.indices {
                total += Double(run.results[place].findings[finding].omitted ?? 0)
            }
        }
        for transcript in run.transcripts ?? [] {
            total += transcript.services.reduce(0) { $0 + Double($1.connections) }
            for container in transcript.containers {
                total +=
                    Double(container.standardOutput.byteCount) + Double(container.standardError.byteCount)
                for file in container.state?.files ?? [] {
                    total += Double(file.status?.content?.byteCount ?? 0)
                }
            }
        }
        return total
    }

    private static func problem(in run: ImageRun) -> String? {
        if let problem = outside(run.duration, "duration") { return problem }
        for (number, layer) in run.image.layers.enumerated() {
            let found = outside(layer.size, "size") ?? outside(layer.uncompressedSize, "uncompressedSize")
            if let found { return "image.layers[\(number)].\(found)" }
        }
        if let lineage = run.lineage {
            let layers = Int64(run.image.layers.count)
            let found =
                outside(lineage.baseLayers, "baseLayers", 0...layers) ?? outside(lineage.baseSize, "baseSize")
                ?? outside(lineage.addedSize, "addedSize")
            if let found { return "lineage.\(found)" }
        }
        for number in run.results.indices {
            if let problem = problem(in: run.results[number]) { return "results[\(number)].\(problem)" }
        }
        for (number, note) in run.notes.enumerated() {
            if let problem = outside(note.layer, "layer", positions) { return "notes[\(number)].\(problem)" }
        }
        for (number, transcript) in (run.transcripts ?? []).enumerated() {
            if let problem = problem(in: transcript) { return "transcripts[\(number)].\(problem)" }
        }
        return run.contents.flatMap { problem(in: $0) }.map { "contents.\($0)" }
    }

    private static func problem(in contents: ImageContents) -> String? {
        for (number, layer) in contents.layers.enumerated() {
            if let problem = problem(in: layer) { return "layers[\(number)].\(problem)" }
        }
        for (name, list) in [("packages", contents.packages), ("distributions", contents.distributions)] {
            if let problem = outside(list?.omitted, "omitted") { return "\(name).\(problem)" }
            for (number, package) in (list?.packages ?? []).enumerated() {
                let found = outside(package.bytes, "bytes") ?? outside(package.layer, "layer", positions)
                if let found { return "\(name).packages[\(number)].\(found)" }
            }
        }
        return nil
    }

    private static func problem(in directory: DirectorySize) -> String? {
        if let problem = outside(directory.bytes, "bytes") ?? outside(directory.hiddenBytes, "hiddenBytes") {
            return problem
        }
        for (number, inner) in directory.directories.enumerated() {
            if let problem = problem(in: inner) { return "directories[\(number)].\(problem)" }
        }
        return nil
    }

    private static func problem(in result: CheckResult) -> String? {
        if let problem = outside(result.duration, "duration") ?? problem(result.position) { return problem }
        for number in result.findings.indices {
            if let problem = problem(in: result.findings[number]) { return "findings[\(number)].\(problem)" }
        }
        return nil
    }

    private static func problem(in finding: Finding) -> String? {
        outside(finding.provenance?.layer, "provenance.layer", positions)
            ?? outside(finding.omitted, "omitted")
            ?? finding.waiver.flatMap { problem($0.position) }.map { "waiver.\($0)" }
    }

    private static func problem(in transcript: ProbeTranscript) -> String? {
        if let problem = outside(transcript.duration, "duration") { return problem }
        for (number, container) in transcript.containers.enumerated() {
            let found =
                outside(container.duration, "duration") ?? outside(container.started ?? 0, "started")
                ?? outside(container.standardOutput.byteCount, "standardOutput.byteCount")
                ?? outside(container.standardError.byteCount, "standardError.byteCount")
                ?? container.state.flatMap { problem(in: $0) }.map { "state.\($0)" }
            if let found { return "containers[\(number)].\(found)" }
        }
        for (number, service) in transcript.services.enumerated() {
            let found =
                outside(service.connections, "connections") ?? outside(service.opened ?? 0, "opened")
                ?? outside(service.firstConnection ?? 0, "firstConnection")
            if let found { return "services[\(number)].\(found)" }
        }
        for (number, event) in transcript.events.enumerated() {
            if let found = outside(event.time, "time") { return "events[\(number)].\(found)" }
        }
        return nil
    }

    private static func problem(in state: ContainerState) -> String? {
        for (number, file) in state.files.enumerated() {
            guard let status = file.status else { continue }
            let found =
                outside(status.uid, "uid") ?? outside(status.gid, "gid")
                ?? outside(Int64(status.permissions), "permissions", permissions)
                ?? outside(status.content?.byteCount, "content.byteCount")
            if let found { return "files[\(number)].status.\(found)" }
        }
        for (number, process) in (state.processes ?? []).enumerated() {
            let found =
                outside(process.pid, "pid") ?? outside(process.parent, "parent")
                ?? outside(process.group, "group") ?? outside(process.session, "session")
            if let found { return "processes[\(number)].\(found)" }
        }
        return nil
    }

    private static func problem(_ position: SourcePosition) -> String? {
        let found = outside(position.line, "line", positions) ?? outside(position.column, "column", positions)
        return found.map { "position.\($0)" }
    }

    private static func outside(_ value: Double, _ name: String) -> String? {
        seconds.contains(value)
            ? nil
            : "\(name): \(value) is not from \(Int64(seconds.lowerBound)) to \(Int64(seconds.upperBound))"
    }

    private static func outside(
        _ value: (some BinaryInteger)?, _ name: String, _ range: ClosedRange<Int64> = counts
    ) -> String? {
        guard let value, !range.contains(Int64(clamping: value)) else { return nil }
        return "\(name): \(value) is not from \(range.lowerBound) to \(range.upperBound)"
    }
}
