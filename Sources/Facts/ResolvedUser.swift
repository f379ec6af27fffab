import OCIModel

/// Who a container of the image runs as.
public struct ResolvedUser: Hashable, Sendable {
    /// 0...2147483647.
    public let uid: Int64
    public let gid: Int64
    /// The first name with that number in `/etc/passwd`; nil when there is none.
    public let name: String?
    /// Without `gid`'s own entry unless a group lists the user as a member.
    public let supplementaryGIDs: [Int64]

    public var credentials: Credentials {
        Credentials(uid: uid, gids: Set(supplementaryGIDs).union([gid]))
    }
}

extension UserDatabase {
    /// Resolves the `User` of an image config, `user[:group]` with names or numbers, as runc does (OCI
    /// image-spec, "Image Configuration", `User`): no user is root, digits are always a number, a number needs no
    /// entry, and supplementary groups hold only when no group is given.
    ///
    /// - Throws: `FactError` of kind `.missing` for a name that has no entry, `.malformed` for anything else that
    ///   a runtime refuses or ought to: numbers above 2147483647, which some runtimes took for root
    ///   (CVE-2024-40635), signs, other bases, blanks.
    public func resolve(_ configUser: String?) throws(FactError) -> ResolvedUser {
        let specification = configUser ?? ""
        let parts = Array(specification.utf8)
            .split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count <= 2, !specification.utf8.contains(where: { isSpace($0) || $0 == 0 }) else {
            throw FactError(.malformed, "\(quoted(specification)) is not user[:group]")
        }
        let userPart = parts.first ?? []
        let groupPart = parts.count == 2 ? parts[1] : []

        var user: User?
        var uid: Int64 = 0
        if userPart.isEmpty {
            user = self.user(uid: 0)
        } else if let number = try identifier(userPart, in: specification) {
            user = self.user(uid: number)
            uid = number
        } else {
            user = self.user(named: String(decoding: userPart, as: UTF8.self))
            guard user != nil else {
                throw FactError(
                    .missing, "no user \(quoted(String(decoding: userPart, as: UTF8.self))) in /etc/passwd")
            }
        }
        uid = user?.uid ?? uid
        guard uid <= ResolvedUser.maximum else {
            throw FactError(.malformed, "the uid \(uid) of user \(quoted(specification)) is above 2147483647")
        }

        if groupPart.isEmpty {
            return ResolvedUser(
                uid: uid, gid: user?.gid ?? 0, name: user?.name,
                supplementaryGIDs: user.map { groups(of: $0).supplementary.map(\.gid) } ?? [])
        }
        let gid: Int64
        if let number = try identifier(groupPart, in: specification) {
            gid = number
        } else {
            let name = String(decoding: groupPart, as: UTF8.self)
            guard let group = group(named: name) else {
                throw FactError(.missing, "no group \(quoted(name)) in /etc/group")
            }
            gid = group.gid
        }
        return ResolvedUser(uid: uid, gid: gid, name: user?.name, supplementaryGIDs: [])
    }

    /// As `resolve(_:)`; an image without `/etc/passwd` may still name its user by number.
    public static func resolve(
        _ configUser: String?, by users: Fact<UserDatabase>
    ) throws(FactError) -> ResolvedUser {
        switch users {
        case .success(let database): return try database.resolve(configUser)
        case .failure(let error) where error.kind == .missing: return try UserDatabase().resolve(configUser)
        case .failure(let error): throw error
        }
    }

    /// A number in the range that runtimes accept; nil when the text is a name.
    private func identifier(
        _ text: ArraySlice<UInt8>, in specification: String
    ) throws(FactError) -> Int64? {
        if let number = decimal(text), number <= ResolvedUser.maximum { return number }
        // A name may begin with a digit, but not with a sign: "-1" and "+0" are numbers to some runtimes.
        let first = text.first ?? 0
        let looksNumeric =
            text.allSatisfy(isDigit) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        if looksNumeric {
            throw FactError(
                .malformed, "\(quoted(specification)) holds a number that is not in 0...2147483647")
        }
        return nil
    }
}

extension ResolvedUser {
    /// The largest user or group number that runc accepts.
    fileprivate static let maximum: Int64 = 2_147_483_647
}
