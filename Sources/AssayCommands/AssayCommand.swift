import ArgumentParser

/// `assay`: the root of the command line.
public struct AssayCommand: AsyncParsableCommand {
    public static let version = "0.1.0"

    public static let configuration = CommandConfiguration(
        commandName: "assay",
        abstract: "Tests built container images against a written standard.",
        discussion: """
            Examples:
              assay check docker-archive:airflow.tar --report junit=Reports/airflow.xml
              assay check docker-daemon:my-image:ci --build-arg INSTALL_MYSQL_CLIENT=false
              assay inspect oci:build/out:latest

            An image is named TRANSPORT:LOCATION: docker-archive:FILE[:NAME:TAG], oci:DIRECTORY[:NAME],
            oci-archive:FILE[:NAME], dir:DIRECTORY, docker-daemon:NAME[:TAG], podman:NAME[:TAG], or - for an
            archive on standard input. Without a transport a file is tried first, then docker, then podman.

            Exit codes: 0 conforms; 1 a check failed; 2 wrong usage, suite or input file, nothing was judged;
            3 could not be judged; 130, 143 interrupted.
            """,
        version: "assay \(version)",
        subcommands: [
            CacheCommand.self, Check.self, Doctor.self, Explain.self, Inspect.self, Look.self, Prove.self,
            Report.self, Save.self, SelfTest.self, Suites.self, Unpack.self,
        ])

    public init() {}
}
