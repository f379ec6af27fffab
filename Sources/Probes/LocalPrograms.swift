import Foundation
import Glibc

/// Programs of this machine.
enum LocalPrograms {
    /// The `PATH`, and where Debian keeps servers that are not on it.
    static let searchPath: [String] = {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let postgresql = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: postgresql)) ?? []
        let newest = versions.compactMap { Int($0) }.max()
        return path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
            + (newest.map { ["\(postgresql)/\($0)/bin"] } ?? [])
    }()

    /// Those of the programs that are not installed.
    static func missing(_ programs: [String]) -> [String] {
        programs.filter { program in !searchPath.contains { access("\($0)/\(program)", X_OK) == 0 } }
    }
}
