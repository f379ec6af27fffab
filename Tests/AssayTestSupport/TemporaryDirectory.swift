import Foundation

/// A directory that lasts as long as a test; `ASSAY_KEEP_SCRATCH=1` keeps it for a look.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "assay-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        if ProcessInfo.processInfo.environment["ASSAY_KEEP_SCRATCH"] == nil {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Writes a file below the directory and returns its path.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        let folder = (file as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Writes several files and returns the directory that holds them.
    @discardableResult
    public func write(_ files: [String: [UInt8]], below folder: String) throws -> String {
        for (name, bytes) in files { try write(bytes, to: "\(folder)/\(name)") }
        return "\(path)/\(folder)"
    }

    public func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
}
