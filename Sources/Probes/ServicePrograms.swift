import Foundation

/// The programs by which services of scenarios are run.
public enum ServicePrograms {
    public static let names = ["postgres", "mariadbd", "redis-server", "krb5kdc"]

    /// Where a program is: on PATH, where a system keeps servers, or where Debian keeps PostgreSQL's.
    public static func path(of program: String) -> String? {
        let postgresql = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: postgresql)) ?? []
        return RunningProgram.path(
            of: program,
            orIn: ["/usr/sbin", "/sbin"]
                + versions.compactMap { Int($0) }.sorted(by: >).map { "\(postgresql)/\($0)/bin" })
    }
}
