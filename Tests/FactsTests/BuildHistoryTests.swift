import Facts
import OCIModel
import Testing

@Suite("Build history") struct BuildHistoryTests {
    struct Spelling: Sendable {
        let raw: String
        let instruction: BuildHistory.Instruction
        let arguments: String
        var buildArguments: [String] = []
        var isAmbiguous = false
    }

    static let spellings: [Spelling] = [
        // BuildKit
        Spelling(raw: "USER 50000", instruction: .user, arguments: "50000"),
        Spelling(raw: "ENV A=b", instruction: .env, arguments: "A=b"),
        Spelling(raw: "COPY x y # buildkit", instruction: .copy, arguments: "x y"),
        Spelling(raw: "EXPOSE map[8080/tcp:{}]", instruction: .expose, arguments: "map[8080/tcp:{}]"),
        Spelling(
            raw: "ENTRYPOINT [\"/usr/bin/dumb-init\" \"--\" \"/entrypoint\"]", instruction: .entrypoint,
            arguments: "[\"/usr/bin/dumb-init\" \"--\" \"/entrypoint\"]"),
        Spelling(
            raw: "RUN |2 A=b C=d /bin/bash -o pipefail -c make all # buildkit", instruction: .run,
            arguments: "make all", buildArguments: ["A=b", "C=d"]),
        Spelling(
            raw: "RUN /bin/bash -o pipefail -o errexit -o nounset -o nolog -c id # buildkit",
            instruction: .run,
            arguments: "id"),
        Spelling(raw: "RUN /usr/bin/make all # buildkit", instruction: .run, arguments: "/usr/bin/make all"),
        Spelling(
            raw: "RUN |1 A=b /usr/bin/make all # buildkit", instruction: .run, arguments: "/usr/bin/make all",
            buildArguments: ["A=b"], isAmbiguous: true),
        Spelling(
            raw: "RUN |3 DEPS=gcc make  git EMPTY= LAST=x /bin/sh -c true # buildkit", instruction: .run,
            arguments: "true", buildArguments: ["DEPS=gcc make  git", "EMPTY=", "LAST=x"]),
        Spelling(
            raw: "RUN |1 OPTS=X=1 Y=2 /bin/sh -c true # buildkit", instruction: .run, arguments: "true",
            buildArguments: ["OPTS=X=1 Y=2"]),
        Spelling(
            raw: "RUN |2 A=b X=y C=d /bin/sh -c true # buildkit", instruction: .run, arguments: "true",
            buildArguments: ["A=b", "X=y C=d"], isAmbiguous: true),
        // Docker's legacy builder
        Spelling(raw: "/bin/sh -c #(nop)  USER root", instruction: .user, arguments: "root"),
        Spelling(
            raw:
                "/bin/sh -c #(nop) ADD file:5d68d27cc15a80653c93d3a0b262a28112d47a46326ff5fc2dfbf7fa3b9a0ce8 in / ",
            instruction: .add,
            arguments: "file:5d68d27cc15a80653c93d3a0b262a28112d47a46326ff5fc2dfbf7fa3b9a0ce8 in /"),
        Spelling(
            raw: "/bin/bash -o pipefail -e -u -x -c #(nop)  CMD [\"--help\"]", instruction: .cmd,
            arguments: "[\"--help\"]"),
        Spelling(
            raw: "|2 A=b C=d /bin/sh -c apt-get update  && true", instruction: .run,
            arguments: "apt-get update  && true", buildArguments: ["A=b", "C=d"]),
        Spelling(raw: "|0 /bin/sh -c true", instruction: .run, arguments: "true"),
        // Buildah
        Spelling(raw: "/bin/sh -c #(nop) WORKDIR /opt", instruction: .workdir, arguments: "/opt"),
        Spelling(raw: "|1 A=b /bin/sh -c env", instruction: .run, arguments: "env", buildArguments: ["A=b"]),
        Spelling(raw: "/bin/sh -c env", instruction: .run, arguments: "env"),
        Spelling(raw: "/bin/ash -eo pipefail -c env", instruction: .run, arguments: "env"),
        // A command is not an instruction, whatever it holds.
        Spelling(
            raw: "/bin/sh -c echo -c #(nop) USER root", instruction: .run,
            arguments: "echo -c #(nop) USER root"),
        Spelling(raw: "/bin/sh -c USER root", instruction: .run, arguments: "USER root"),
        // Neither of them
        Spelling(
            raw: "# debian.sh --arch 'amd64' out/ 'bookworm'", instruction: .other,
            arguments: "# debian.sh --arch 'amd64' out/ 'bookworm'"),
        Spelling(raw: "", instruction: .other, arguments: ""),
        Spelling(raw: "/bin/bash", instruction: .other, arguments: "/bin/bash"),
        Spelling(raw: "USERS root", instruction: .other, arguments: "USERS root"),
        Spelling(raw: "|9999999 A=b", instruction: .other, arguments: "|9999999 A=b"),
        Spelling(raw: "|2 /bin/sh -c x", instruction: .run, arguments: "x", isAmbiguous: true),
        Spelling(raw: "|1", instruction: .other, arguments: "|1"),
    ]

    @Test("reads a spelling", arguments: spellings)
    func reads(_ spelling: Spelling) throws {
        let history = BuildHistory(config: try config(history: [(spelling.raw, true)]))
        let step = try #require(history.steps.first)
        #expect(step.instruction == spelling.instruction)
        #expect(step.arguments == spelling.arguments)
        #expect(step.buildArguments.map { "\($0.name)=\($0.value)" } == spelling.buildArguments)
        #expect(step.hasAmbiguousBuildArguments == spelling.isAmbiguous)
        #expect(step.raw == spelling.raw)
    }

    @Test func declaredArgumentsSettleWhatIsAValue() throws {
        let history = BuildHistory(
            config: try config(history: [
                ("ARG A=b", true), ("ARG C", true), ("RUN |2 A=b X=y C=d /bin/sh -c true # buildkit", true),
            ]))
        #expect(history.buildArgument(named: "A")?.value == "b X=y")
        #expect(history.buildArgument(named: "C")?.value == "d")
        #expect(history.buildArgument(named: "X") == nil)
    }

    @Test func assignsStepsToLayers() throws {
        let steps = [
            ("ADD rootfs / # buildkit", false), ("ENV PATH=/bin", true),
            ("RUN /bin/sh -c a # buildkit", false),
            ("USER 50000", true),
        ]
        let history = BuildHistory(config: try config(history: steps, layerCount: 2))
        #expect(history.isConsistent)
        #expect(history.steps.map(\.layer) == [0, nil, 1, nil])
        #expect(history.step(forLayer: 1)?.arguments == "a")
        #expect(history.step(forLayer: 2) == nil)
        #expect(history.step(forLayer: -1) == nil)
    }

    @Test("an incomplete history assigns no layer", arguments: [0, 1, 3])
    func incomplete(layerCount: Int) throws {
        let history = BuildHistory(
            config: try config(
                history: [("RUN /bin/sh -c a", false), ("RUN /bin/sh -c b", false)], layerCount: layerCount))
        #expect(!history.isConsistent)
        #expect(history.steps.allSatisfy { $0.layer == nil })
        #expect(history.step(forLayer: 0) == nil)
    }

    @Test func withoutHistory() throws {
        let history = BuildHistory(config: try config(layerCount: 0))
        #expect(history.steps.isEmpty)
        #expect(history.isConsistent)
        #expect(history.lastStep(.user) == nil)
    }

    @Test func findsTheLastStep() throws {
        let history = BuildHistory(
            config: try config(history: [
                ("USER root", true), ("ENV PATH=/a HOME=/root", true), ("ENV PATHS=/b", true),
                ("USER 50000", true),
                ("/bin/sh -c #(nop)  LABEL a.b=c \"d e\"=f", true), ("/bin/sh -c #(nop) ENV OLD value", true),
            ]))
        #expect(history.lastStep(.user)?.index == 3)
        #expect(history.lastStep(.user) { $0.arguments == "root" }?.index == 0)
        #expect(history.lastStep(.env, setting: "PATH")?.index == 1)
        #expect(history.lastStep(.env, setting: "HOME")?.index == 1)
        #expect(history.lastStep(.env, setting: "OLD")?.index == 5)
        #expect(history.lastStep(.env, setting: "OME") == nil)
        #expect(history.lastStep(.label, setting: "a.b")?.index == 4)
        #expect(history.lastStep(.label, setting: "d e")?.index == 4)
    }
}
