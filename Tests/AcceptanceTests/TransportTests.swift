import AssayTestSupport
import Foundation
import Glibc
import Synchronization
import Testing
import Verdict

extension ReferenceImageTests {
    /// One image in every form that a transport reads: the same outcomes and the same facts.
    @Suite struct TransportTests {
        /// A transport and the form of the image that it reads.
        struct Form: Sendable, CustomTestStringConvertible {
            let transport: String
            let name: String
            var testDescription: String { "\(transport): of \(name)" }
        }

        static let files = [
            Form(transport: "docker-archive", name: "docker-archive"),
            Form(transport: "docker-archive", name: "docker-legacy"),
            Form(transport: "docker-archive", name: "docker-blobs"),
            Form(transport: "docker-archive", name: "docker-containerd"),
            Form(transport: "docker-archive", name: "docker-gzip"),
            Form(transport: "oci", name: "oci-zstd"),
            Form(transport: "oci-archive", name: "oci-archive"),
            Form(transport: "dir", name: "dir"),
        ]

        @Test(arguments: files) func aFile(form: Form) async throws {
            try await expectSame("\(form.transport):\(try await ReferenceImage.form(form.name))")
        }

        @Test func zstdLayersAreRead() async throws {
            let facts = try await TransportTests.inspection(
                "oci:\(try await ReferenceImage.form("oci-zstd"))")
            let layers = try #require(facts["layers"] as? [[String: Any]])
            #expect(layers.allSatisfy { $0["compression"] as? String == "zstd" })
        }

        @Test(arguments: ["docker-legacy", "docker-containerd", "docker-gzip", "oci-archive"])
        func standardInput(form: String) async throws {
            try await expectSame("-", input: .file(try await ReferenceImage.form(form)))
        }

        @Test func aPipe() async throws {
            // From the engine's stream to the pipe of a shell: nothing can be read twice.
            let file = try await ReferenceImage.form("docker-containerd")
            let binary = try Setting.binary.value()
            let facts = try await output(
                of: "sh", ["-c", #"cat "$1" | "$2" inspect --format json -"#, "sh", file, binary])
            let piped = try TransportTests.comparable(Data(facts.utf8))
            #expect(piped == (try await TransportTests.expectedFacts()))
        }

        @Test func dockerDaemon() async throws {
            let engine = try await DockerEngine(data: try await ReferenceImage.form("docker-engine"))
            let environment = ["DOCKER_HOST": engine.host, "DOCKER_CONTEXT": nil]
            // Without a transport too: there is no such file, and docker is asked first.
            try await expectSame(
                "docker-daemon:assay/reference:test", or: "assay/reference:test", environment: environment)
            let absent = try await Assay.run(
                "inspect", "docker-daemon:assay/absent:1", environment: environment)
            #expect(absent.code == 3, "\(absent)")
            expectComplaint(absent)
            try await engine.stop()
        }

        @Test func podman() async throws {
            let storage = try await ReferenceImage.form("podman")
            let directory = try TemporaryDirectory()
            let settings = """
                [storage]
                driver = "overlay"
                graphroot = "\(storage)/root"
                runroot = "\(storage)/run"
                """
            let file = try directory.write(Array(settings.utf8), to: "storage.conf")
            let environment = ["CONTAINERS_STORAGE_CONF": file, "CONTAINER_HOST": nil]
            try await expectSame("podman:localhost/assay/reference:test", environment: environment)
            let absent = try await Assay.run("inspect", "podman:localhost/absent:1", environment: environment)
            #expect(absent.code == 3, "\(absent)")
            expectComplaint(absent)
        }

        // MARK: Comparison

        private func expectSame(
            _ name: String, or otherName: String? = nil, input: Stream = .null,
            environment: [String: String?] = [:], sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let inspected = try await Assay.run(
                ["inspect", "--format", "json", name], input: input, environment: environment)
            try #require(inspected.code == 0, "\(inspected)", sourceLocation: sourceLocation)
            let facts = try TransportTests.comparable(Data(inspected.outputBytes))
            let reference = try JSONDecoder().decode(Referring.self, from: Data(inspected.outputBytes))
                .reference
            let expected = try await TransportTests.expectedFacts()
            for key in Set(facts.keys).union(expected.keys).sorted() {
                #expect(facts[key] == expected[key], "\(name): \(key)", sourceLocation: sourceLocation)
            }
            let record = try await Assay.record([otherName ?? name], input: input, environment: environment)
            #expect(
                record.images.first?.image.reference == reference, sourceLocation: sourceLocation)
            #expect(
                TransportTests.outcomes(record) == (try await TransportTests.expectedOutcomes()),
                sourceLocation: sourceLocation)
        }

        private struct Referring: Decodable {
            let reference: String
        }

        /// What differs by transport: the reference, how the blobs are compressed, and what is made of that.
        private static let differing: Set<String> = ["reference", "manifestDigest", "compressedSize"]
        private static let differingOfLayers: Set<String> = ["digest", "compression", "size"]

        private static func inspection(_ name: String) async throws -> [String: Any] {
            let text = try await output(of: Setting.binary.value(), ["inspect", "--format", "json", name])
            return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        /// The facts that have to be the same, each as JSON text of one form.
        private static func comparable(_ json: Data) throws -> [String: String] {
            var facts = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
            differing.forEach { facts[$0] = nil }
            facts["layers"] = (facts["layers"] as? [[String: Any]])?.map { layer in
                layer.filter { !differingOfLayers.contains($0.key) }
            }
            return try facts.mapValues { value in
                let data = try JSONSerialization.data(withJSONObject: [value], options: [.sortedKeys])
                return String(decoding: data, as: UTF8.self)
            }
        }

        private static func outcomes(_ record: RunRecord) -> [String] {
            record.images.flatMap(\.results).map { result in
                let findings = result.findings.map { finding in
                    "\(finding.subject) \(finding.expected) \(finding.observed) "
                        + "\(finding.provenance?.layer ?? 0) \(finding.provenance?.diffID ?? "") "
                        + "\(finding.provenance?.instruction ?? "") \(finding.details)"
                }
                return "\(result.id) \(result.outcome) \(result.reason ?? "") \(findings)"
            }
        }

        /// Read once, whatever the number of forms that are compared with it.
        private static let expected = Task {
            let reference = try ReferenceImage.reference()
            let text = try await output(
                of: Setting.binary.value(), ["inspect", "--format", "json", reference])
            return (
                facts: try comparable(Data(text.utf8)),
                outcomes: outcomes(try await Assay.record([reference]))
            )
        }

        private static func expectedFacts() async throws -> [String: String] {
            try await expected.value.facts
        }
        private static func expectedOutcomes() async throws -> [String] { try await expected.value.outcomes }
    }
}

/// A Docker engine that serves nothing but a test: its own data, socket and process file, and no network.
final class DockerEngine: Sendable {
    let host: String
    private let directory: TemporaryDirectory
    private let data: String
    private let process: Mutex<RunningTool>

    /// Starts it and waits until it answers.
    init(data: String) async throws {
        directory = try TemporaryDirectory()
        self.data = data
        host = "unix://\(directory.path)/socket"
        process = Mutex(try DockerEngine.start(data: data, in: directory.path))
        try await awaitAnswer()
    }

    private static func start(data: String, in place: String) throws -> RunningTool {
        let arguments = [
            "dockerd", "--data-root", data, "--exec-root", "\(place)/exec", "--pidfile", "\(place)/pid",
            "--host",
            "unix://\(place)/socket", "--group", "\(getegid())", "--bridge", "none", "--iptables=false",
            "--ip6tables=false",
        ]
        return geteuid() == 0
            ? try RunningTool("dockerd", Array(arguments.dropFirst()))
            : try RunningTool("sudo", ["-n"] + arguments)
    }

    private func awaitAnswer() async throws {
        // The client tries to connect until the engine's socket is there; each attempt ends by itself.
        let script =
            #"for attempt in $(seq 300); do docker version >/dev/null 2>&1 && exit 0; sleep 0.2; done; exit 1"#
        let answer = try await run(
            "sh", ["-c", script], environment: ["DOCKER_HOST": host, "DOCKER_CONTEXT": nil])
        guard answer.code == 0 else {
            let process = process.withLock { $0 }
            process.signal(SIGTERM)
            throw ToolError(
                description: "the Docker engine does not answer: \(try await process.result(within: 300))")
        }
    }

    /// Ends it at once, as a crash does: its containers go on.
    func kill() async throws {
        try await end(by: SIGKILL)
    }

    /// Starts it again.
    func restart() async throws {
        // It would take a process with an old number, dead or another's, for its own.
        for file in ["pid", "exec/containerd/containerd.pid"] {
            try? FileManager.default.removeItem(atPath: "\(directory.path)/\(file)")
        }
        let started = try DockerEngine.start(data: data, in: directory.path)
        process.withLock { $0 = started }
        try await awaitAnswer()
    }

    /// Ends it in its own order, so that its data are as it wants to find them.
    func stop() async throws {
        try await end(by: SIGTERM)
    }

    private func end(by number: Int32) async throws {
        let process = process.withLock { $0 }
        if geteuid() == 0 {
            process.signal(number)
        } else {
            let processID = String(decoding: try directory.read("pid"), as: UTF8.self)
            _ = try await rootOutput(of: "kill", ["-\(number)", processID])
        }
        _ = try await process.result(within: 300)
    }
}
