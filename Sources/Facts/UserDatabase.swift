import OCIModel
import RootFS

/// The users and groups of the image: `/etc/passwd` and `/etc/group` (passwd(5), group(5)).
///
/// Duplicate names and numbers are kept; look-ups give the first, as the C library does.
public struct UserDatabase: Sendable {
    /// A line of `/etc/passwd`.
    public struct User: Hashable, Sendable {
        public let name: String
        /// 0...4294967294.
        public let uid: Int64
        /// The primary group, 0...4294967294.
        public let gid: Int64
        /// The comment field, usually the full name.
        public let gecos: String
        public let home: String
        /// The login shell; empty means `/bin/sh`.
        public let shell: String
        /// From 1.
        public let line: Int
        /// The layer that made the line what it is, lowest 0; nil when the versions of the file were not kept.
        public let layer: Int?
    }

    /// A line of `/etc/group`.
    public struct Group: Hashable, Sendable {
        public let name: String
        /// 0...4294967294.
        public let gid: Int64
        /// Names of the users for whom this is a supplementary group.
        public let members: [String]
        /// From 1.
        public let line: Int
        /// The layer that made the line what it is, lowest 0; nil when the versions of the file were not kept.
        public let layer: Int?
    }

    /// The groups that a user is in.
    public struct Membership: Hashable, Sendable {
        /// The number in the user's own line; it need not belong to a group that has a name.
        public let primaryGID: Int64
        public let primary: Group?
        /// The groups that list the user as a member, in the order of the file.
        public let supplementary: [Group]

        /// The primary group and the others, none twice, as `id -G` prints them.
        public var gids: [Int64] {
            var seen: Set<Int64> = [primaryGID]
            return [primaryGID] + supplementary.map(\.gid).filter { seen.insert($0).inserted }
        }
    }

    /// In the order of the file, as `groups`.
    public let users: [User]
    public let groups: [Group]
    /// Lines of both files that do not parse. The C library passes over them.
    public let malformedLines: MalformedEntries
    private let usersByName: [[UInt8]: Int]
    private let usersByUID: [Int64: Int]
    private let groupsByName: [[UInt8]: Int]
    private let groupsByGID: [Int64: Int]

    init(users: [User] = [], groups: [Group] = [], malformedLines: MalformedEntries = MalformedEntries()) {
        func positions<Key>(_ keys: [Key]) -> [Key: Int] {
            Dictionary(keys.enumerated().map { ($1, $0) }) { first, _ in first }
        }
        self.users = users
        self.groups = groups
        self.malformedLines = malformedLines
        usersByName = positions(users.map { Array($0.name.utf8) })
        usersByUID = positions(users.map(\.uid))
        groupsByName = positions(groups.map { Array($0.name.utf8) })
        groupsByGID = positions(groups.map(\.gid))
    }

    public func user(named name: String) -> User? { usersByName[Array(name.utf8)].map { users[$0] } }

    public func user(uid: Int64) -> User? { usersByUID[uid].map { users[$0] } }

    public func group(named name: String) -> Group? { groupsByName[Array(name.utf8)].map { groups[$0] } }

    public func group(gid: Int64) -> Group? { groupsByGID[gid].map { groups[$0] } }

    /// The primary and supplementary groups of a user.
    public func groups(of user: User) -> Membership {
        let name = Array(user.name.utf8)
        return Membership(
            primaryGID: user.gid, primary: group(gid: user.gid),
            supplementary: groups.filter { $0.members.contains { Array($0.utf8) == name } })
    }
}

// MARK: - Reading

extension UserDatabase {
    /// Reads both files. An image without `/etc/passwd` has no user database; one without `/etc/group` has no
    /// groups.
    static func read(from rootfs: RootFS) -> Fact<UserDatabase> {
        do throws(FactError) {
            var malformed = MalformedEntries()
            let passwd = try rootfs.factFile(at: "/etc/passwd").get()
            let userLayers = layers(of: passwd, in: rootfs)
            let users = records(of: passwd, separators: 6, malformed: &malformed) { fields, line -> User? in
                guard let uid = identifier(fields[2]), let gid = identifier(fields[3]) else { return nil }
                return User(
                    name: text(of: fields[0]), uid: uid, gid: gid, gecos: text(of: fields[4]),
                    home: text(of: fields[5]), shell: text(of: fields[6]), line: line,
                    layer: userLayers[Array(fields[0])])
            }
            var groups: [Group] = []
            switch rootfs.factFile(at: "/etc/group") {
            case .success(let file):
                let groupLayers = layers(of: file, in: rootfs)
                groups = records(of: file, separators: 3, malformed: &malformed) { fields, line -> Group? in
                    guard let gid = identifier(fields[2]) else { return nil }
                    return Group(
                        name: text(of: fields[0]), gid: gid,
                        members: fields[3].split(separator: UInt8(ascii: ",")).map { text(of: $0) },
                        line: line, layer: groupLayers[Array(fields[0])])
                }
            case .failure(let error) where error.kind == .missing: break
            case .failure(let error): throw error
            }
            return .success(UserDatabase(users: users, groups: groups, malformedLines: malformed))
        } catch {
            return .failure(error)
        }
    }

    private static let colon = UInt8(ascii: ":")

    /// A user or group number; 4294967295 is not one, it is the C library's "no change".
    private static func identifier(_ field: ArraySlice<UInt8>) -> Int64? {
        decimal(field).flatMap { $0 < 4_294_967_295 ? $0 : nil }
    }

    /// Parses the lines; blank ones and comments are passed over, as by the C library.
    private static func records<Record>(
        of file: FactFile, separators: Int, malformed: inout MalformedEntries,
        _ parse: (_ fields: [ArraySlice<UInt8>], _ line: Int) -> Record?
    ) -> [Record] {
        var records: [Record] = []
        for (number, line) in Lines(file.bytes) where !isIgnored(line) {
            let fields = line.split(
                separator: colon, maxSplits: separators + 1, omittingEmptySubsequences: false)
            if fields.count == separators + 1, !fields[0].isEmpty, let record = parse(fields, number) {
                records.append(record)
                continue
            }
            malformed.append(file.path, line: number, reason(fields, separators: separators))
        }
        return records
    }

    private static func reason(_ fields: [ArraySlice<UInt8>], separators: Int) -> String {
        if fields.count != separators + 1 {
            let count = fields.count > separators + 1 ? "more" : "\(fields.count)"
            return "\(count) fields instead of \(separators + 1)"
        }
        return fields[0].isEmpty ? "the name is empty" : "a number is not in 0...4294967294"
    }

    private static func isIgnored(_ line: ArraySlice<UInt8>) -> Bool {
        let trimmed = line.trimmed
        return trimmed.isEmpty || trimmed.first == UInt8(ascii: "#")
    }

    /// For each name, the layer that made its first line what it is.
    private static func layers(of file: FactFile, in rootfs: RootFS) -> [[UInt8]: Int] {
        var timeline = RecordTimeline<ArraySlice<UInt8>>()
        for version in rootfs.versions(of: file.path) {
            var lines: [[UInt8]: ArraySlice<UInt8>] = [:]
            for (_, line) in Lines(version.bytes) where !isIgnored(line) {
                let name = Array(line.prefix { $0 != colon })
                if lines[name] == nil { lines[name] = line }
            }
            timeline.advance(to: lines, layer: version.layer)
        }
        return timeline.writtenBy
    }
}
