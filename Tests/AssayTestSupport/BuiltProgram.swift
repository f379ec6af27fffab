import Foundation

/// A program of this package that is built with the tests was not.
public struct NotBuilt: Error, CustomStringConvertible {
    public let description: String
}

/// The path of a program that is built with the tests and lies where they are.
public func builtProgram(_ name: String) throws -> String {
    let arguments = CommandLine.arguments
    let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
    let path = (bundle as NSString).deletingLastPathComponent + "/\(name)"
    guard FileManager.default.isExecutableFile(atPath: path) else {
        throw NotBuilt(description: "\(path) is built with the tests")
    }
    return path
}
