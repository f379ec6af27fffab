import Facts
import OCIModel
import RootFS
import Suite
import Verdict

extension Fields {
    /// `type:`, a matcher of the kind of a file.
    func fileType(_ reading: inout SuiteReading) -> Matcher? {
        let type = matcher("type", &reading)
        let kinds = FileStatus.Kind.allCases.map(\.rawValue)
        for name in type?.texts ?? [] where !kinds.contains(name) && !name.contains("${") {
            reading.report(
                node["type"]?.position, "\(name) is no type of file (\(kinds.joined(separator: ", ")))",
                suggestion: nearest(to: name, among: kinds))
        }
        return type
    }

    /// `mode:`, a matcher of permissions as four octal digits.
    func mode(_ reading: inout SuiteReading) -> Matcher? {
        let mode = matcher("mode", &reading)?.mappingTexts(fourDigits)
        for text in mode?.texts ?? []
        where !text.contains("${") && (text.count != 4 || !text.utf8.allSatisfy { (48...55).contains($0) }) {
            reading.report(
                node["mode"]?.position, "\(text) is not a mode: expected up to four octal digits")
        }
        return mode
    }
}

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
    private let package: Matcher?

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
        ExpectationKind.Key("package", "the Debian package that it belongs to; absent for none"),
    ]

    init(_ fields: Fields, _ reading: inout SuiteReading) {
        type = fields.fileType(&reading)
        owner = fields.matcher("owner", &reading)
        group = fields.matcher("group", &reading)
        mode = fields.mode(&reading)
        target = fields.matcher("target", &reading)
        isEmpty = fields.flag("empty", &reading)
        readers = fields.templates("readableBy", &reading)
        writers = fields.templates("writableBy", &reading)
        package = fields.matcher("package", &reading)
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
            && isEmpty == nil && readers.isEmpty && writers.isEmpty && package == nil
    }

    /// Whether entries of one kind, mode, owner and group are all alike to these attributes.
    var dependsOnStatusOnly: Bool {
        target == nil && isEmpty == nil && readers.isEmpty && writers.isEmpty && package == nil
    }

    /// Whether the permissions are described, of which a symbolic link has none.
    var describesMode: Bool { mode != nil || chmod != nil }

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
        if let package {
            let packages = try context.require(context.facts.packages)
            let owner = try context.require(packages.owner(of: rootfs.path(of: node)))
            try hold(package, "package", owner.map { .text($0) } ?? .none)
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

}

// MARK: - Violations

extension PathAttributes {
    /// What one has to do to an entry with all attributes so that it lacks one; the smallest first.
    func violations(of node: Node, _ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        let rootfs = context.facts.rootfs
        let path = rootfs.path(of: node)
        let status = rootfs.status(of: node)
        let entry = Violation.Entry(
            path, kind: status.kind, permissions: status.permissions, uid: status.uid, gid: status.gid,
            content: rootfs.linkTarget(of: node) ?? (status.size == 0 ? [] : [UInt8(ascii: "x")]))
        var violations = try without(entry, context).map {
            Violation($0.summary, changes(to: $0.entry, context))
        }
        let entries = status.kind == .directory ? rootfs.entries(of: node) : []
        if isEmpty == true, status.kind == .directory {
            let added = context.newEntry(at: path.appending("violation"))
            violations.append(Violation("put a file into \(path)", context.adding(added)))
        } else if isEmpty == false, !entries.isEmpty {
            violations.append(Violation("empty \(path)", entries.map { .remove(rootfs.path(of: $0)) }))
        }
        return violations
    }

    /// An entry that has all attributes; nil when none can be thought of.
    func entry(at path: ImagePath, _ context: EvaluationContext) throws(Unresolved) -> Violation.Entry? {
        let granted: UInt16 = (readers.isEmpty ? 0 : 0o444) | (writers.isEmpty ? 0 : 0o222)
        for kind in PathAttributes.kinds where try accepts(kind, context) {
            // Something would have to be put into it.
            if kind == .directory, isEmpty == false { continue }
            var entry = context.newEntry(at: path, kind: kind)
            if kind == .file, isEmpty == false { entry.content = [UInt8(ascii: "x")] }
            if kind == .symbolicLink { entry.content = Array("/nonexistent".utf8) }
            if let target = try target?.resolved(in: context.scope) {
                guard kind == .symbolicLink,
                    case .text(let text)? = target.accepted(near: .text("/nonexistent")).first
                else { continue }
                entry.content = Array(text.utf8)
            }
            var owners = [entry.uid] + PathAttributes.numbers
            var groups = [entry.gid] + PathAttributes.numbers
            if case .success(let database) = context.facts.users {
                owners += database.users.map(\.uid)
                groups += database.groups.map(\.gid)
            }
            guard
                let uid = try first(
                    of: owners, { uid throws(Unresolved) in try accepts(owner: uid, context) }),
                let gid = try first(
                    of: groups, { gid throws(Unresolved) in try accepts(group: gid, context) }),
                let permissions = try first(
                    of: permissions(like: entry.permissions | granted, kind),
                    { mode throws(Unresolved) in try accepts(permissions: mode, kind, context) })
            else { continue }
            (entry.uid, entry.gid, entry.permissions) = (uid, gid, permissions)
            return entry
        }
        return nil
    }

    /// The entry with one attribute less, in several ways.
    func without(
        _ entry: Violation.Entry, _ context: EvaluationContext
    ) throws(Unresolved) -> [(summary: String, entry: Violation.Entry)] {
        var result: [(summary: String, entry: Violation.Entry)] = []
        func add(_ summary: String, _ change: (inout Violation.Entry) -> Void) {
            var changed = entry
            change(&changed)
            result.append(("\(summary) \(entry.path)", changed))
        }
        let other = PathAttributes.numbers
        if let uid = try first(of: other, { uid throws(Unresolved) in try !accepts(owner: uid, context) }) {
            add("chown \(uid)") { $0.uid = uid }
        }
        if let gid = try first(of: other, { gid throws(Unresolved) in try !accepts(group: gid, context) }) {
            add("chgrp \(gid)") { $0.gid = gid }
        }
        if entry.kind != .symbolicLink {
            var modes: [UInt16] = []
            for mode in permissions(like: entry.permissions, entry.kind)
            where try !accepts(permissions: mode, entry.kind, context) {
                modes.append(mode)
                if modes.count == 3 { break }
            }
            if !readers.isEmpty { modes.append(entry.permissions & ~0o444) }
            if !writers.isEmpty { modes.append(entry.permissions & ~0o222) }
            for mode in modes { add("chmod \(octal(mode))") { $0.permissions = mode } }
        }
        if entry.kind == .symbolicLink, let target = try target?.resolved(in: context.scope) {
            let present = Observed.text(String(decoding: entry.content, as: UTF8.self))
            for case .text(let text) in target.rejected(near: present).prefix(1) {
                add("lead to \(escaped(text)) from") { $0.content = Array(text.utf8) }
            }
        }
        if entry.kind == .file, let isEmpty {
            add(isEmpty ? "write into" : "empty") { $0.content = isEmpty ? [UInt8(ascii: "x")] : [] }
        }
        if let kind = try first(
            of: PathAttributes.kinds, { kind throws(Unresolved) in try !accepts(kind, context) })
        {
            add("put a \(kind.rawValue) at") { ($0.kind, $0.content) = (kind, []) }
        }
        return result
    }

    /// What makes of the entry that is there, if one is, another one.
    func changes(to entry: Violation.Entry, _ context: EvaluationContext) -> [Violation.Change] {
        let rootfs = context.facts.rootfs
        guard let node = try? rootfs.node(at: entry.path, followingFinalLink: false) else {
            return context.adding(entry)
        }
        let status = rootfs.status(of: node)
        let isWritten =
            entry.kind != status.kind
            || (entry.kind == .file && isEmpty != nil && entry.content.isEmpty != (status.size == 0))
            || (entry.kind == .symbolicLink && entry.content != rootfs.linkTarget(of: node))
        if isWritten { return [.write(entry)] }
        var changes: [Violation.Change] = []
        if (entry.uid, entry.gid) != (status.uid, status.gid) {
            changes.append(.chown(entry.path, uid: entry.uid, gid: entry.gid))
        }
        if entry.permissions != status.permissions {
            changes.append(.chmod(entry.path, permissions: entry.permissions))
        }
        return changes
    }

    private static let kinds: [FileStatus.Kind] = [
        .file, .directory, .symbolicLink, .fifo, .socket, .characterDevice, .blockDevice,
    ]

    /// UIDs and GIDs that few images use, and root's.
    private static let numbers: [Int64] = [54321, 0, 1, 54322]

    /// The permissions themselves, then those with one bit changed, then usual ones, then all.
    private func permissions(like permissions: UInt16, _ kind: FileStatus.Kind) -> [UInt16] {
        let bits: [UInt16] = [
            0o002, 0o020, 0o200, 0o004, 0o040, 0o400, 0o001, 0o010, 0o100, 0o4000, 0o2000, 0o1000,
        ]
        let usual: [UInt16] = [
            0o644, 0o755, 0o664, 0o775, 0o666, 0o777, 0o600, 0o700, 0, 0o4755, 0o2755, 0o1777,
        ]
        return [permissions] + bits.map { permissions ^ $0 } + usual + (0...0o7777)
    }

    private func first<Value>(
        of values: [Value], _ condition: (Value) throws(Unresolved) -> Bool
    ) throws(Unresolved) -> Value? {
        for value in values where try condition(value) { return value }
        return nil
    }

    private func accepts(_ kind: FileStatus.Kind, _ context: EvaluationContext) throws(Unresolved) -> Bool {
        try type?.resolved(in: context.scope).accepts(.text(kind.rawValue)) ?? true
    }

    private func accepts(owner uid: Int64, _ context: EvaluationContext) throws(Unresolved) -> Bool {
        guard let owner else { return true }
        let name = try context.name(ofUser: uid, neededBy: owner)
        return try owner.resolved(in: context.scope).accepts(.text(name ?? "\(uid)"))
    }

    private func accepts(group gid: Int64, _ context: EvaluationContext) throws(Unresolved) -> Bool {
        guard let group else { return true }
        let name = try context.name(ofGroup: gid, neededBy: group)
        return try group.resolved(in: context.scope).accepts(.text(name ?? "\(gid)"))
    }

    private func accepts(
        permissions: UInt16, _ kind: FileStatus.Kind, _ context: EvaluationContext
    ) throws(Unresolved) -> Bool {
        if let mode, try !mode.resolved(in: context.scope).accepts(.text(octal(permissions))) { return false }
        return chmod?.holds(for: permissions, isDirectory: kind == .directory) ?? true
    }
}
