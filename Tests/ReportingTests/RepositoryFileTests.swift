import Testing
import Verdict

@testable import Reporting

struct RepositoryFileTests {
    private static let dockerfile = """
        # syntax=docker/dockerfile:1
        ARG BASE=debian
        FROM ${BASE} AS main
        SHELL ["/bin/bash", "-o", "pipefail", "-c"]
        RUN apt-get update \\
            && apt-get install --yes dumb-init \\
            # a comment

            && rm -rf /var/lib/apt/lists
        ENV PATH=/usr/bin   HOME=/root
        run --mount=type=cache,target=/root/.cache pip install airflow
        COPY <<"EOF" /script.sh
        USER root
        EOF
        COPY --chown=airflow:0 scripts /opt/airflow
        USER airflow
        RUN true
        RUN true
        """

    private let file = RepositoryFile(path: "./build/Dockerfile", dockerfile: dockerfile)

    @Test(
        arguments: [
            // As BuildKit writes history, as the classic builder and buildah do.
            (
                "RUN /bin/bash -o pipefail -c apt-get update     && apt-get install --yes dumb-init     && rm -rf /var/lib/apt/lists # buildkit",
                5
            ),
            (
                "RUN |1 BASE=debian /bin/bash -o pipefail -c apt-get update     && apt-get install --yes dumb-init     && rm -rf /var/lib/apt/lists # buildkit",
                5
            ),
            ("/bin/sh -c pip install airflow", 11), ("|2 A=1 B=x -c y /bin/sh -c pip install airflow", 11),
            ("ENV PATH=/usr/bin HOME=/root", 10), ("/bin/sh -c #(nop)  USER airflow", 16),
            ("COPY --chown=airflow:0 scripts /opt/airflow # buildkit", 15),
            // In a here-document, twice, in part, or not there.
            ("USER root", nil), ("/bin/sh -c true", nil), ("/bin/sh -c install airflow", nil),
            ("/bin/sh -c pip install", nil), ("", nil), (CanonicalRun.hostile, nil),
        ] as [(String, Int?)])
    func aStepHasTheLineOfItsInstruction(step: String, line: Int?) {
        #expect(file.line(of: step) == line)
    }

    @Test func linesMayEndAsOnWindows() {
        let file = RepositoryFile(path: "x", dockerfile: "FROM x\r\nRUN a \\\r\n b\r\nUSER airflow\r\n")
        #expect(file.line(of: "/bin/sh -c a b") == 2)
        #expect(file.line(of: "USER airflow") == 4)
    }

    @Test(arguments: ["", "\\", "RUN", "RUN \\\n", "<<EOF", "RUN <<EOF\nx", "#\n\n#", "\u{0}\r\n"])
    func whatIsNoDockerfileHasNoLines(text: String) {
        let file = RepositoryFile(path: "x", dockerfile: text)
        for step in ["", "RUN", "/bin/sh -c x", "x"] { #expect((file.line(of: step) ?? 1) >= 1) }
        #expect(file.line(of: "/bin/sh -c true") == nil)
    }

    @Test func findingsAreShownAtTheInstruction() throws {
        var finding = Finding.of("/a")
        finding.provenance?.instruction = "/bin/sh -c pip install airflow"
        let record = RunRecord.of([
            .of("A", .fail, findings: [finding]), .of("B", .fail, findings: [.of("/b")]),
        ])
        let options = RenderOptions(anchor: file)
        #expect(file.path == "build/Dockerfile")
        let lines = try text(.github, record, options).split(separator: "\n")
        #expect(lines[0].hasPrefix("::error file=build/Dockerfile,line=11,title=A title::"))
        #expect(lines[1].hasPrefix("::error file=build/Dockerfile,line=1,title=B title::"))
        let quality = try Document(ReportFormat.gitlab.render(record, options: options))
        #expect(quality[0, "location", "lines", "begin"]?.number == 11)
        let sarif = try Document(ReportFormat.sarif.render(record, options: options))
        let location = sarif["runs", 0, "results", 0, "locations", 0, "physicalLocation"]
        #expect(location?["region", "startLine"]?.number == 11)
        #expect(location?["artifactLocation", "uri"]?.text == "build/Dockerfile")
    }
}
