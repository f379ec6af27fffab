import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// What `path` and `paths` can expect of one entry of the tree.
struct PathAttributes: Sendable {
    private let type: Matcher?
    private let owner: Matcher?
    private let group: Matcher?
    private let mode: Matcher?
    private let chmod: ChmodClauses?
    private let target: Matcher?
    private let isEmpty: Bool?
    private let readers: [Template]
    private let writers: [Template]

    static let keys = [
        ExpectationKind.Key(
            "type", "file, directory, symbolicLink, characterDevice, blockDevice, fifo or socket"),
        ExpectationKind.Key("owner", "name or UID of the owner"),
        ExpectationKind.Key("group", "name or GID of the group"),
        ExpectationKind.Key("mode", "permissions as four octal digits"),
        ExpectationKind.Key("chmod", "symbolic modes that would change nothing, as g=u,o-w", .text),
        ExpectationKind.Key("target", "target of a symbolic link, as written"),
        ExpectationKind.Key("empty", "true: a directory without entries, or a file without bytes", .flag),
        ExpectationKind.Key(
            "readableBy", "users, as names or UID:GID, who may read it and search every directory above it",
            .texts),
        ExpectationKind.Key("writableBy", "users who may write it", .texts),
    ]

    init(_ fields: Fields, _ reading: inout SuiteReading) {
        type = fields.matcher("type", &reading)
        let kinds = FileStatus.Kind.allCases.map(\.rawValue)
        for name in type?.texts ?? [] where !kinds.contains(name) && !name.contains("${") {
            reading.report(
                fields.node["type"]?.position,
                "\(name) is no type of file (\(kinds.joined(separator: ", ")))",
                suggestion: nearest(to: name, among: kinds))
        }
        owner = fields.matcher("owner", &reading)
        group = fields.matcher("group", &reading)
        mode = fields.matcher("mode", &reading)?.mappingTexts(PathAttributes.fourDigits)
        for text in mode?.texts ?? [] where !text.contains("${") && PathAttributes.isNotOctal(text) {
            reading.report(
                fields.node["mode"]?.position, "\(text) is not a mode: expected up to four octal digits")
        }
        target = fields.matcher("target", &reading)
        isEmpty = fields.flag("empty", &reading)
        readers = fields.templates("readableBy", &reading)
        writers = fields.templates("writableBy", &reading)
        let text = fields.text("chmod", &reading)
        chmod = text.flatMap(ChmodClauses.init)
        if let text, chmod == nil {
            reading.report(
                fields.node["chmod"]?.position, "\(text) is not a list of symbolic modes: expected as g=u,o-w"
            )
        }
    }

    var isEmptySet: Bool {
        type == nil && owner == nil && group == nil && mode == nil && chmod == nil && target == nil
            && isEmpty == nil && readers.isEmpty && writers.isEmpty
    }

    /// Whether entries of one kind, mode, owner and group are all alike to these attributes.
    var dependsOnStatusOnly: Bool {
        target == nil && isEmpty == nil && readers.isEmpty && writers.isEmpty
    }

    /// Whether the permissions are described, of which a symbolic link has none.
    var describesMode: Bool { mode != nil || chmod != nil }

    private static func fourDigits(_ text: String) -> String {
        String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    private static func isNotOctal(_ text: String) -> Bool {
        text.count != 4 || !text.utf8.allSatisfy { (48...55).contains($0) }
    }

    /// Holds every attribute against an entry.
    func evaluate(_ node: Node, subject: Subject, _ context: EvaluationContext) throws(Unresolved)
        -> Evaluation
    {
        let rootfs = context.facts.rootfs
        let status = rootfs.status(of: node)
        let provenance = context.provenance(ofLayer: status.layer)
        var result = Evaluation()
        func hold(_ matcher: Matcher?, _ name: String, _ value: Observed, shown: String? = nil)
            throws(Unresolved)
        {
            try result.compare(
                matcher, name, value, shown: shown, subject: subject, provenance: provenance,
                in: context.scope)
        }
        try hold(type, "type", .text(status.kind.rawValue))
        try hold(
            target, "target",
            rootfs.linkTarget(of: node).map { .text(String(decoding: $0, as: UTF8.self)) } ?? .none)
        if let owner {
            let name = try context.name(ofUser: status.uid, neededBy: owner)
            try hold(owner, "owner", .text(name ?? "\(status.uid)"), shown: shown(status.uid, name))
        }
        if let group {
            let name = try context.name(ofGroup: status.gid, neededBy: group)
            try hold(group, "group", .text(name ?? "\(status.gid)"), shown: shown(status.gid, name))
        }
        // The mode of a symbolic link means nothing.
        if status.kind != .symbolicLink {
            try hold(mode, "mode", .text(status.octalPermissions))
            if let chmod {
                let isDirectory = status.kind == .directory
                let wanted = octal(chmod.apply(to: status.permissions, isDirectory: isDirectory))
                let finding = Finding(
                    subject: subject, expected: "mode \(chmod.source), that is \(wanted)",
                    observed: "mode \(status.octalPermissions)", provenance: provenance)
                result.record(wanted == status.octalPermissions, finding)
            }
        }
        if let isEmpty {
            let entries = status.kind == .directory ? rootfs.entries(of: node) : []
            let size = status.kind == .directory ? Int64(entries.count) : status.size
            let unit = status.kind == .directory ? "entries" : "bytes"
            var finding = Finding(
                subject: subject, expected: isEmpty ? "empty" : "not empty",
                observed: size == 0 ? "empty" : "\(size) \(unit)", provenance: provenance)
            if isEmpty, let first = entries.first {
                finding.provenance = context.provenance(ofLayer: rootfs.status(of: first).layer)
                finding.details = entries.prefix(10).map { escaped(rootfs.name(of: $0)) }
            }
            result.record((size == 0) == isEmpty, finding)
        }
        try holdAccess(.read, of: readers, node, subject, provenance, context, &result)
        try holdAccess(.write, of: writers, node, subject, provenance, context, &result)
        return result
    }

    private func holdAccess(
        _ permission: Credentials.Permission, of users: [Template], _ node: Node, _ subject: Subject,
        _ provenance: Provenance, _ context: EvaluationContext, _ result: inout Evaluation
    ) throws(Unresolved) {
        let rootfs = context.facts.rootfs
        for template in users {
            let user = try context.resolve(template)
            let credentials = try context.credentials(of: user)
            let path = rootfs.path(of: node)
            let status = rootfs.status(of: node)
            let closed = AccessPath(path, in: rootfs, for: credentials)?.unsearchableDirectory
            let observed: String =
                if let closed {
                    "\(rootfs.path(of: closed)) cannot be searched by it"
                } else {
                    "mode \(status.octalPermissions), \(status.uid):\(status.gid)"
                }
            result.record(
                closed == nil && credentials.allows(permission, on: status),
                Finding(
                    subject: subject,
                    expected: "\(permission == .read ? "readable" : "writable") by \(escaped(user))",
                    observed: observed, provenance: provenance))
        }
    }

    private func shown(_ id: Int64, _ name: String?) -> String { name.map { "\($0) (\(id))" } ?? "\(id)" }

    private func octal(_ mode: UInt16) -> String { PathAttributes.fourDigits(String(mode, radix: 8)) }
}
