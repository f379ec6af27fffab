import CXattr

/// An extended attribute, `SCHILY.xattr.NAME` in a PAX header.
public struct ExtendedAttribute: Hashable, Sendable {
    public let name: String
    public let value: [UInt8]

    public init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// Sets the attribute on an open file.
    ///
    /// - Returns: false when the system refuses; `errno` says why.
    public func set(on descriptor: Int32) -> Bool {
        fsetxattr(descriptor, name, value, value.count, 0) == 0
    }

    /// Sets the attribute on a path, on a symbolic link itself and not on its target.
    ///
    /// - Parameter path: a C string.
    /// - Returns: false when the system refuses; `errno` says why.
    public func set(onPath path: [CChar]) -> Bool {
        lsetxattr(path, name, value, value.count, 0) == 0
    }
}
