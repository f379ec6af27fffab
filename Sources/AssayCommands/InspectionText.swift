import OCIModel
import Runner
import Verdict

/// An inspection as a person reads it.
struct InspectionText {
    private let inspection: Inspection
    private var lines: [String] = []

    init(_ inspection: Inspection) { self.inspection = inspection }

    func render() -> String {
        var text = self
        text.addIdentity()
        text.addConfig()
        text.addLayers()
        text.addUsers()
        text.addPackages()
        text.addPrivilegedFiles()
        text.add("Missing", inspection.missing)
        text.add("Notes", inspection.notes.map(\.description))
        return text.lines.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ title: String, _ rows: [String]) {
        guard !rows.isEmpty else { return }
        if !lines.isEmpty { lines.append("") }
        lines.append(title)
        lines += rows.map { "  \($0)" }
    }

    private mutating func add(_ title: String, fields: [(name: String, value: String?)]) {
        let present = fields.compactMap { field in field.value.map { (field.name, $0) } }
        let width = present.map(\.0.count).max() ?? 0
        add(title, present.map { InspectionText.padded($0.0, width) + "  " + $0.1 })
    }

    private mutating func addIdentity() {
        add(
            inspection.reference,
            fields: [
                ("manifest", inspection.manifestDigest ?? "none in this transport"),
                ("config", inspection.configDigest),
                ("platform", inspection.platform), ("created", inspection.created),
                ("author", inspection.author.map { escaped($0) }),
                ("system", inspection.operatingSystem.map { escaped($0) }),
                (
                    "size",
                    "\(ByteCount(inspection.compressedSize)) in \(inspection.layers.count) layers, "
                        + "\(ByteCount(inspection.uncompressedSize)) uncompressed"
                ),
                (
                    "content",
                    "\(ByteCount(inspection.fileBytes)) in \(inspection.entries) entries, "
                        + "\(ByteCount(inspection.wastedBytes)) more hidden or removed by later layers"
                ),
            ])
    }

    private mutating func addConfig() {
        let config = inspection.config
        func list(_ values: [String]?) -> String? {
            values.map { "[" + $0.map { "\"\(escaped($0))\"" }.joined(separator: ", ") + "]" }
        }
        add(
            "Config",
            fields: [
                ("user", config.user.map { escaped($0) } ?? "none (root)"),
                ("working directory", config.workingDirectory.map { escaped($0) }),
                ("entrypoint", list(config.entrypoint)),
                ("command", list(config.command)),
                (
                    "exposed ports",
                    config.exposedPorts.isEmpty ? nil : escaped(config.exposedPorts.joined(separator: ", "))
                ),
                ("volumes", config.volumes.isEmpty ? nil : escaped(config.volumes.joined(separator: ", "))),
                ("stop signal", config.stopSignal.map { escaped($0) }),
                ("healthcheck", list(config.healthcheck)),
                ("shell", list(config.shell)),
            ])
        add("Environment", config.environment.map { escaped($0) })
        add("Labels", config.labels.sorted { $0.key < $1.key }.map { escaped("\($0.key)=\($0.value)") })
    }

    private mutating func addLayers() {
        var rows: [String] = []
        for layer in inspection.layers {
            let sizes = [
                "\(ByteCount(layer.size)) \(layer.compression)",
                "\(ByteCount(layer.uncompressedSize)) uncompressed",
                "\(layer.entries) entries", "\(ByteCount(layer.wastedBytes)) wasted",
            ]
            rows.append("\(InspectionText.padded("\(layer.number)", 3)) \(layer.digest)")
            rows.append("    " + sizes.joined(separator: ", "))
            if let instruction = layer.instruction {
                rows.append("    " + InspectionText.shortened(instruction))
            }
        }
        add("Layers", rows)
        add(
            "History",
            inspection.history.map { step in
                InspectionText.padded(step.layer.map { "\($0)" } ?? "-", 3) + " "
                    + InspectionText.shortened(step.instruction)
            })
    }

    private mutating func addUsers() {
        add(
            "Users",
            inspection.users.map {
                escaped("\($0.name) uid=\($0.uid) gid=\($0.gid) home=\($0.home) shell=\($0.shell)")
            })
        add(
            "Groups",
            inspection.groups.map { group in
                escaped(
                    "\(group.name) gid=\(group.gid)"
                        + (group.members.isEmpty ? "" : " members=\(group.members.joined(separator: ","))"))
            })
    }

    private mutating func addPackages() {
        add(
            "Packages (dpkg): \(inspection.packages.count)",
            inspection.packages.map { escaped("\($0.name) \($0.version) \($0.architecture) (\($0.status))") })
        add(
            "Python distributions: \(inspection.distributions.count)",
            inspection.distributions.map { "\(escaped("\($0.name) \($0.version)")) in \($0.location)" })
    }

    private mutating func addPrivilegedFiles() {
        func rows(_ files: [Inspection.PrivilegedFile]) -> [String] {
            files.map { "\($0.mode) \($0.uid):\($0.gid) \($0.path)" }
        }
        add("Setuid files", rows(inspection.setuidFiles))
        add("Setgid files", rows(inspection.setgidFiles))
        add("Files with capabilities", rows(inspection.capabilityFiles))
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func shortened(_ text: String) -> String {
        let shown = escaped(text)
        return shown.count > 160 ? "\(shown.prefix(160))… (\(shown.count) characters)" : shown
    }
}
