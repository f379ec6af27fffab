import Foundation
import Glibc
import OCIModel

/// Every file below a directory with what `lstat` says of it: whether something was changed shows by comparing two.
struct Surroundings: Equatable {
    private var files: [String: [Int64]] = [:]

    /// - Parameter excluded: a name directly below the directory that does not count.
    init(of directory: String, without excluded: String) {
        let enumerator = FileManager.default.enumerator(atPath: directory)
        while let name = enumerator?.nextObject() as? String {
            if name == excluded {
                enumerator?.skipDescendants()
                continue
            }
            add(name, directory)
        }
    }

    private mutating func add(_ name: String, _ directory: String) {
        var status = stat()
        guard lstat("\(directory)/\(name)", &status) == 0 else { return }
        // Reading changes the time of access, and nothing else.
        files[name] = [
            Int64(status.st_mode), Int64(status.st_size), Int64(status.st_ino), Int64(status.st_uid),
            Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec), Int64(status.st_ctim.tv_sec),
            Int64(status.st_ctim.tv_nsec),
        ]
    }

    /// The names that are not in both, or not the same.
    func differences(from other: Surroundings) -> [String] {
        Set(files.keys).union(other.files.keys).filter { files[$0] != other.files[$0] }.sorted()
    }
}
