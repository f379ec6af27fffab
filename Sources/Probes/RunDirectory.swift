import Foundation
import Glibc
import OCIModel

/// The directory of one run, for as long as the process lasts: a lock on it says so, which the kernel takes away when
/// the process ends, however it ends.
public final class RunDirectory: Sendable {
    /// `RUNTIME-PROCESS-RANDOM`.
    public let id: String
    public let path: String
    private let kind: RuntimeKind
    private let descriptor: Int32

    /// Makes a directory below another one, which is made too where it is not there.
    public init(below parent: String, runtime: RuntimeKind) throws(ProbeError) {
        do {
            try FileManager.default.createDirectory(
                atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ProbeError(.unavailable, "cannot make \(escaped(parent)): \(error.localizedDescription)")
        }
        let random = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        kind = runtime
        id = "\(runtime.rawValue)-\(getpid())-\(random)"
        path = "\(parent)/\(id)"
        guard mkdir(path, 0o700) == 0 else { throw RunDirectory.failure(path) }
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Somebody who looked for leftovers may have been between the two: then it is gone.
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 else {
            throw RunDirectory.failure(path)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func failure(_ path: String) -> ProbeError {
        ProbeError(.unavailable, "\(escaped(path)): \(String(cString: strerror(errno)))")
    }

    /// Removes it with everything that the run has made. What cannot be removed now, since its engine does not
    /// answer, stays with the directory, by which the next run finds it.
    public func remove() async { try? await Leftovers.remove(id, kind, at: path) }
}

/// What runs that are gone have left.
public enum Leftovers {
    /// Removes the directories, cgroups, containers and half unpacked images of runs whose process is gone.
    ///
    /// - Parameter cache: the directory of what is kept between runs.
    /// - Returns: what was removed or could not be, a line each.
    @discardableResult
    public static func remove(cache: String) async -> [String] {
        var lines: [String] = []
        for (name, kind) in runs(of: cache) {
            let path = "\(cache)/run/\(name)"
            guard let lock = lockIfDead(path) else { continue }
            defer { close(lock) }
            do throws(ProbeError) {
                try await remove(name, kind, at: path)
                lines.append("removed what the run \(name) left")
            } catch {
                lines.append("the run \(name) has left containers that cannot be removed: \(error.message)")
            }
        }
        return lines + (await removeHalfUnpacked(cache: cache))
    }

    /// Removes the half unpacked images whose process is gone.
    ///
    /// - Returns: what was removed, a line each.
    @discardableResult
    public static func removeHalfUnpacked(cache: String) async -> [String] {
        var lines: [String] = []
        for path in halfUnpacked(of: cache) {
            guard let lock = lockIfDead(path) else { continue }
            defer { close(lock) }
            await removeTree(path)
            lines.append("removed the half unpacked image \(escaped(path))")
        }
        return lines
    }

    /// - Throws: `ProbeError` when an engine cannot be asked; then the directory is as it was.
    fileprivate static func remove(_ id: String, _ kind: RuntimeKind, at path: String)
        async throws(ProbeError)
    {
        switch kind {
        case .oci:
            OCIRuntime.cutLifelines(below: path)
            OCIRuntime.removeCgroups { $0.hasPrefix("\(id)-") }
        case .docker, .podman: try await EngineRuntime.removeLeftovers(of: id, kind)
        }
        await removeTree(path)
    }

    /// What `remove` would remove.
    public static func list(cache: String) -> [String] {
        let paths = runs(of: cache).map { "\(cache)/run/\($0.name)" } + halfUnpacked(of: cache)
        return paths.filter { path in lockIfDead(path).map { close($0) } != nil }.map { escaped($0) }
    }

    private static func runs(of cache: String) -> [(name: String, kind: RuntimeKind)] {
        names(in: "\(cache)/run").compactMap { name in
            let parts = name.split(separator: "-")
            guard parts.count == 3, let kind = RuntimeKind(rawValue: String(parts[0])) else { return nil }
            return (name, kind)
        }
    }

    private static func halfUnpacked(of cache: String) -> [String] {
        UnpackedImages.folders(of: cache).flatMap { folder in
            names(in: folder).filter { $0.contains(".assay-") }.map { "\(folder)/\($0)" }
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// - Returns: a descriptor that holds the lock, when nobody else does.
    private static func lockIfDead(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}

/// Where unpacked images are kept below the cache.
public enum UnpackedImages {
    /// The directory of this account's own: root's files have the owners of the image, those of others have the
    /// numbers that the account has for them.
    public static func folder(of cache: String) -> String { folders(of: cache)[geteuid() == 0 ? 0 : 1] }

    static func folders(of cache: String) -> [String] { ["\(cache)/rootfs", "\(cache)/rootfs-user"] }

    /// The whole ones with the bytes of their regular files, hard links as often as they are there.
    public static func list(cache: String) -> [(path: String, size: Int64)] {
        folders(of: cache).flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
                .filter { !$0.contains(".assay-") }.sorted().map {
                    ("\(folder)/\($0)", size(of: "\(folder)/\($0)"))
                }
        }
    }

    private static func size(of path: String) -> Int64 {
        let keys: [URLResourceKey] = [.isRegularFileKey, .fileSizeKey]
        guard
            let files = FileManager.default.enumerator(
                at: URL(filePath: path), includingPropertiesForKeys: keys)
        else { return 0 }
        var sum: Int64 = 0
        for case let file as URL in files {
            let values = try? file.resourceValues(forKeys: Set(keys))
            if values?.isRegularFile == true { sum += Int64(values?.fileSize ?? 0) }
        }
        return sum
    }

    /// Removes them.
    ///
    /// - Returns: what was removed, a line each.
    public static func remove(cache: String) async -> [String] {
        var lines: [String] = []
        for (path, _) in list(cache: cache) {
            await removeTree(path)
            lines.append("removed the unpacked image \(escaped(path))")
        }
        return lines
    }
}

/// Removes a directory with everything in it. An ordinary user may need the owners that containers had for that.
func removeTree(_ path: String) async {
    try? FileManager.default.removeItem(atPath: path)
    guard access(path, F_OK) == 0, geteuid() != 0 else { return }
    _ = try? await RunningProgram.complete(OCIRuntime.mapping + ["rm", "-rf", "--", path])
}
