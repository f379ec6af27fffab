import Verdict

/// Reads files of waivers: a mapping with the one key `waivers`, as strict as suites are read.
public enum WaiverFile {
    private static let keys = ["check", "subject", "image", "reason", "owner", "expires"]

    /// Reads files from disk.
    ///
    /// - Throws: `SuiteError` with everything that is wrong with them, or when one cannot be read.
    public static func load(_ paths: [String]) throws(SuiteError) -> [Waiver] {
        var files: [(name: String, text: String)] = []
        for path in paths { files.append((path, try SuiteSource.read(path))) }
        return try read(files)
    }

    /// - Parameter files: name and text of each; the names appear in positions.
    /// - Throws: `SuiteError` with everything that is wrong.
    public static func read(_ files: [(name: String, text: String)]) throws(SuiteError) -> [Waiver] {
        var reading = SuiteReading()
        var waivers: [Waiver] = []
        for file in files {
            guard let root = SuiteSyntax.read(file.text, file: file.name, reading: &reading),
                let fields = Fields(root, "a file of waivers", allowed: ["waivers"], reading: &reading),
                let value = fields.required("waivers", &reading)
            else { continue }
            guard let items = value.list else {
                reading.report(value.position, "waivers is a list, not \(value.kindName)")
                continue
            }
            waivers += items.compactMap { waiver($0, &reading) }
        }
        try reading.finish()
        return waivers
    }

    private static func waiver(_ node: SuiteNode, _ reading: inout SuiteReading) -> Waiver? {
        guard let fields = Fields(node, "a waiver", allowed: keys, reading: &reading) else { return nil }
        let check = requiredLine("check", fields, &reading)
        let reason = requiredLine("reason", fields, &reading)
        let owner = requiredLine("owner", fields, &reading)
        let expires = fields.requiredText("expires", &reading)
        let day = expires.flatMap { CalendarDay($0) }
        if let expires, day == nil {
            reading.report(
                fields.node["expires"]?.position,
                "\(expires) is not a day: expected YYYY-MM-DD, as 2027-01-31")
        }
        let image = fields.text("image", &reading)
        if let image, image.hasPrefix("sha256:"), image.wholeMatch(of: /sha256:[0-9a-f]{64}/) == nil {
            reading.report(
                fields.node["image"]?.position, "\(image) is not a digest: expected sha256: and 64 digits")
        }
        let subject = fields.text("subject", &reading)
        guard let check, let reason, let owner, let day else { return nil }
        return Waiver(
            check: check, subject: subject, image: image, reason: reason, owner: owner, expires: day,
            position: node.position)
    }

    /// A text that says something; line breaks in it become spaces.
    private static func requiredLine(
        _ key: String, _ fields: Fields, _ reading: inout SuiteReading
    ) -> String? {
        guard let text = fields.requiredText(key, &reading) else { return nil }
        let line = text.split { $0.isWhitespace }.joined(separator: " ")
        if line.isEmpty { reading.report(fields.node[key]?.position, "\(key) of a waiver is empty") }
        return line
    }
}
