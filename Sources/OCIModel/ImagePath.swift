/// An absolute path inside an image. Bytes, not a `String`: names in a layer need not be UTF-8, and two names
/// that Unicode considers equivalent are two files.
public struct ImagePath: Hashable, Sendable {
    /// Begins with `/`; no empty, `.` or `..` component, no slash at the end but for the root itself.
    public let bytes: [UInt8]

    /// The path that `text` names, seen from the root: `..` above the root stays at the root.
    public init(_ text: some Sequence<UInt8>) {
        var components: [ArraySlice<UInt8>] = []
        for component in Array(text).split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        bytes = components.isEmpty ? [UInt8(ascii: "/")] : components.flatMap { [UInt8(ascii: "/")] + $0 }
    }

    public init(_ text: String) { self.init(text.utf8) }

    public static let root = ImagePath("/")

    public var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// The last component; nil for the root.
    public var name: ArraySlice<UInt8>? { components.last }

    /// The directory that holds this path; the root is its own parent.
    public var parent: ImagePath { ImagePath(components.dropLast().joined(separator: [UInt8(ascii: "/")])) }

    public func appending(_ name: some Sequence<UInt8>) -> ImagePath {
        ImagePath(bytes + [UInt8(ascii: "/")] + Array(name))
    }

    public func appending(_ name: String) -> ImagePath { appending(name.utf8) }

    /// True for the path itself and everything below it.
    public func isWithin(_ directory: ImagePath) -> Bool {
        directory == .root || bytes == directory.bytes
            || bytes.starts(with: directory.bytes + [UInt8(ascii: "/")])
    }
}

extension ImagePath: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}

extension ImagePath: Comparable {
    public static func < (left: ImagePath, right: ImagePath) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension ImagePath: CustomStringConvertible {
    /// Escaped for showing; not for use as a path.
    public var description: String { escaped(bytes) }
}
