import Verdict

extension HTMLReport {
    /// Characters of a stream, and events of a scenario, that are shown.
    private static let outputLimit = 4_000
    private static let eventLimit = 200
    /// Rows of a table of what was seen of a container.
    private static let stateLimit = 200

    /// Where things lie in a drawing of a scenario.
    private enum Drawing {
        static let width = 1000.0
        static let left = 150.0
        static let right = 980.0
        static let row = 24.0
    }

    mutating func writeProbes(_ run: ImageRun, _ prefix: String) {
        guard let transcripts = run.transcripts, !transcripts.isEmpty else { return }
        let longest = transcripts.map { time($0.duration) }.max() ?? 0
        startSection("\(prefix)-probes", "Probes")
        html.element(
            "p", class: "hint",
            "What \(counted(transcripts.count, "scenario")) did in containers, run by \(transcripts[0].runtime); "
                + "the longest took \(seconds(longest)).")
        for transcript in transcripts { write(transcript, longest: longest) }
        html.end()
    }

    /// Finite and not negative.
    private func time(_ time: Double) -> Double { time.isFinite ? min(max(0, time), 1e9) : 0 }

    private mutating func write(_ transcript: ProbeTranscript, longest: Double) {
        html.start("details", class: "probe")
        html.start("summary")
        html.element("b", shortened(transcript.scenario, limit: 120))
        html.start(
            "svg",
            [
                ("viewBox", "0 0 200 8"), ("class", "mini"), ("preserveAspectRatio", "none"),
                ("aria-hidden", "true"),
            ])
        let share = longest > 0 ? time(transcript.duration) / longest : 0
        rectangle(Rectangle(x: 0, y: 0, width: max(1, share * 200), height: 8), "mini")
        html.end()
        html.element("span", class: "hint", seconds(transcript.duration))
        if transcript.incident != nil { html.element("span", class: "badge error", "! incident") }
        html.end()
        if let incident = transcript.incident { html.element("p", class: "warning", "! \(value(incident))") }
        writeTimeline(transcript)
        writeServices(transcript.services)
        for container in transcript.containers { write(container) }
        if !transcript.events.isEmpty {
            startTable("Events of \(shortened(transcript.scenario, limit: 120))", class: "events")
            tableHead(["time", "event"], numbers: ["time"])
            for event in transcript.events.prefix(Self.eventLimit) {
                html.start("tr")
                html.element("td", class: "number", seconds(event.time))
                html.element("td", value(event.text))
                html.end()
            }
            endTable()
            let rest = transcript.events.count - Self.eventLimit
            if rest > 0 {
                html.element("p", class: "rest", "… \(rest.grouped) more; the JSON report has them")
            }
        }
        html.end()
    }

    private mutating func write(_ container: ContainerTranscript) {
        html.start("div", class: "container")
        html.start("p")
        html.element("b", shortened(container.name, limit: 120))
        html.text(
            " \(container.exitCode.map { "ended with \($0)" } ?? "had not ended") after \(seconds(container.duration))"
        )
        html.end()
        html.element("pre", class: "command", shortened(container.command, limit: Self.outputLimit))
        write(container.standardOutput, "standard output")
        write(container.standardError, "standard error")
        if let state = container.state { write(state, of: shortened(container.name, limit: 120)) }
        html.end()
    }

    private mutating func write(_ state: ContainerState, of name: String) {
        writeState("Files of \(name), at the last look", ["path", "type", "owner", "mode"], state.files) {
            report, file in
            let status = file.status
            report.html.start("th", [("scope", "row")])
            report.html.element("code", report.value(file.path))
            report.html.end()
            report.html.element("td", status.map { report.shortened($0.type, limit: 60) } ?? "nothing")
            report.html.element("td", class: "number", status.map { "\($0.uid):\($0.gid)" } ?? "")
            report.html.element("td", class: "number", status.map { octal($0.permissions) } ?? "")
        }
        for file in state.files.prefix(Self.stateLimit) {
            if let content = file.status?.content {
                write(content, "content of \(shortened(file.path, limit: 200))")
            }
        }
        writeState(
            "Processes of \(name), at the last look", ["PID", "parent", "group", "session", "program"],
            state.processes
        ) { report, process in
            for number in [process.pid, process.parent, process.group, process.session] {
                report.html.element("td", class: "number", String(number))
            }
            report.html.start("th", [("scope", "row")])
            report.html.element("code", report.value(process.name))
            report.html.end()
        }
        writeState("Ports of \(name) that something listened on", ["address", "port"], state.ports) {
            report, port in
            report.html.element("th", [("scope", "row")], report.value(port.address))
            report.html.element("td", class: "number", String(port.number))
        }
    }

    /// A table with a row for each thing; none where nobody looked, and words where there was nothing.
    private mutating func writeState<Thing>(
        _ caption: String, _ columns: [String], _ things: [Thing]?,
        row: (inout HTMLReport, Thing) -> Void
    ) {
        guard let things else { return }
        startTable(caption, class: "state")
        tableHead(columns, numbers: ["owner", "mode", "PID", "parent", "group", "session", "port"])
        for thing in things.prefix(Self.stateLimit) {
            html.start("tr")
            row(&self, thing)
            html.end()
        }
        endTable()
        let rest = things.count - Self.stateLimit
        if rest > 0 {
            html.element("p", class: "rest", "… \(rest.grouped) more; the JSON report has them")
        } else if things.isEmpty {
            html.element("p", class: "rest", "none")
        }
    }

    private mutating func write(_ output: ContainerTranscript.Output, _ name: String) {
        if output.text.isEmpty { return }
        let text = output.text.unicodeScalars
        let shown =
            text.count > Self.outputLimit ? String(text.prefix(Self.outputLimit)) : output.text
        html.start("details", [("class", "stream")] + (text.count < 400 ? [("open", "")] : []))
        html.element("summary", "\(name), \(ByteCount(output.byteCount))")
        html.start("pre")
        html.lines(shown)
        html.end()
        if shown.utf8.count < output.text.utf8.count || output.isTruncated {
            html.element(
                "p", class: "rest",
                "… this is the beginning; the JSON report has more of it where it was kept")
        }
        html.end()
    }

    private mutating func writeServices(_ services: [ServiceTranscript]) {
        if services.isEmpty { return }
        startTable("Services")
        tableHead(
            ["service", "kind", "port", "opened", "first connection", "connections"],
            numbers: ["port", "opened", "first connection", "connections"])
        for service in services {
            html.start("tr")
            html.element("th", [("scope", "row")], shortened(service.name, limit: 120))
            html.element("td", shortened(service.kind, limit: 60))
            html.element("td", class: "number", String(service.port))
            html.element("td", class: "number", service.opened.map { seconds($0) } ?? "never")
            html.element("td", class: "number", service.firstConnection.map { seconds($0) } ?? "none")
            html.element("td", class: "number", service.connections.grouped)
            html.end()
        }
        endTable()
    }

    // MARK: Time axis

    /// A bar of a timeline.
    private struct Bar {
        var name: String
        var style: String
        var start: Double
        var end: Double
        var note: String
        var mark: Double?
    }

    /// What the tables beside it say, on an axis.
    private mutating func writeTimeline(_ transcript: ProbeTranscript) {
        var bars: [Bar] = []
        let total = max(time(transcript.duration), transcript.events.map { time($0.time) }.max() ?? 0)
        guard total > 0 else { return }
        for service in transcript.services {
            bars.append(
                Bar(
                    name: service.name, style: "service", start: service.opened.map(time) ?? total,
                    end: total,
                    note: service.opened == nil
                        ? "never opened" : "\(service.kind), \(service.connections) connections",
                    mark: service.firstConnection.map(time)))
        }
        for container in transcript.containers {
            guard let started = container.started.map(time) else { continue }
            bars.append(
                Bar(
                    name: container.name, style: "container", start: started,
                    end: started + time(container.duration),
                    note: container.exitCode.map { "exit code \($0)" } ?? "removed", mark: nil))
        }
        let end = bars.map(\.end).reduce(total, max)
        let scale = (Drawing.right - Drawing.left) / end
        func x(_ time: Double) -> Double { Drawing.left + min(time, end) * scale }
        let height = 26 + Drawing.row * Double(bars.count) + 18
        let name = "Timeline of \(shortened(transcript.scenario, limit: 120))"
        html.start("div", [("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", name)])
        html.start(
            "svg",
            [
                ("viewBox", "0 0 \(decimal(Drawing.width)) \(decimal(height))"), ("class", "timeline"),
                ("role", "img"), ("aria-label", "\(name); the tables below say the same"),
            ])
        for tick in ticks(to: end) {
            line(x(tick), 18, height - 4, "grid")
            html.element(
                "text", [("x", decimal(x(tick))), ("y", "12"), ("class", "tick")],
                tick == 0 ? "0" : seconds(tick))
        }
        for (index, bar) in bars.enumerated() {
            let y = 24 + Drawing.row * Double(index)
            html.element(
                "text", [("x", "6"), ("y", decimal(y + 13)), ("class", "name")],
                shortened(bar.name, limit: 22))
            let start = min(x(bar.start), Drawing.right)
            let width = max(2, (bar.end - bar.start) * scale)
            rectangle(Rectangle(x: start, y: y + 2, width: width, height: 14), bar.style)
            let isRoomy = width > 150
            html.element(
                "text",
                [
                    ("x", decimal(isRoomy ? start + 6 : start > 600 ? start - 6 : start + width + 6)),
                    ("y", decimal(y + 13)),
                    ("class", isRoomy ? "note inside" : start > 600 ? "note before" : "note"),
                ], shortened(bar.note, limit: 40))
            if let mark = bar.mark { line(x(mark), y, y + 18, "mark") }
        }
        let y = 24 + Drawing.row * Double(bars.count) + 4
        for event in transcript.events.prefix(Self.eventLimit) {
            html.start(
                "circle",
                [("cx", decimal(x(time(event.time)))), ("cy", decimal(y)), ("r", "3.5"), ("class", "event")])
            html.element("title", "\(seconds(event.time))  \(shortened(event.text, limit: 200))")
            html.end()
        }
        html.end()
        html.end()
    }

    private mutating func line(_ x: Double, _ top: Double, _ bottom: Double, _ style: String) {
        html.element(
            "line",
            [
                ("x1", decimal(x)), ("x2", decimal(x)), ("y1", decimal(top)), ("y2", decimal(bottom)),
                ("class", style),
            ], "")
    }

    /// Four to ten round times from zero to the end.
    private func ticks(to end: Double) -> [Double] {
        var step = 0.001
        while step * 10 < end { step *= 10 }
        for factor in [1.0, 2, 5] where end / (step * factor) >= 4 && end / (step * factor) <= 10 {
            step *= factor
            break
        }
        return (0...10).map { Double($0) * step }.filter { $0 <= end }
    }
}
