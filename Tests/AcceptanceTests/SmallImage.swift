import AssayTestSupport
import Foundation
import LayerArchive
import OCIModel

/// A directory with a small image and suites that it conforms to or not; everything is made in code.
struct SmallImage {
    let directory: TemporaryDirectory
    let builder: ImageBuilder
    /// `oci:` with compressed layers.
    let layout: String
    /// The image conforms.
    let good: String
    /// One check fails with severity warning, one passes.
    let bad: String

    init() throws {
        directory = try TemporaryDirectory()
        builder = SmallImage.sample()
        layout = "oci:\(try directory.write(try builder.layoutFiles(), below: "layout"))"
        good = try SmallImage.write(
            suite: """
                  - id: T-1
                    title: the image runs as airflow
                    expect: {config: user, equals: "50000"}
                  - id: T-2
                    title: there is a passwd file
                    expect: {path: /etc/passwd, type: file, owner: 0}
                """, named: "good", in: directory)
        bad = try SmallImage.write(
            suite: """
                  - id: T-1
                    title: the image runs as airflow
                    expect: {config: user, equals: "50000"}
                  - id: T-3
                    title: there is a shadow file
                    severity: warning
                    expect: {path: /etc/shadow, type: file}
                """, named: "bad", in: directory)
    }

    /// Two layers, the second of which is large enough to be cut and flipped in places that matter.
    static func sample() -> ImageBuilder {
        var image = ImageBuilder()
        image.runConfig = .object([.init("User", .string("50000"))])
        image.addLayer(createdBy: "ADD rootfs") { tar in
            tar.add("etc/", .directory)
            tar.add("etc/passwd", content: Array("root:x:0:0::/root:/bin/sh\n".utf8))
        }
        image.addLayer(createdBy: "RUN make-data") { tar in
            tar.add("opt/", .directory)
            tar.add("opt/data", content: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        }
        return image
    }

    /// Writes a suite of one file and returns its path.
    func write(suite checks: String, named name: String) throws -> String {
        try SmallImage.write(suite: checks, named: name, in: directory)
    }

    private static func write(suite checks: String, named name: String, in directory: TemporaryDirectory)
        throws -> String
    {
        try directory.write(
            Array("suite: \(name)\ntitle: Example\nchecks:\n\(checks)\n".utf8), to: "\(name).yaml")
    }

    /// Judges the image and what is added to the command line.
    func check(_ suite: String, _ arguments: String..., input: Stream = .null) async throws -> ToolResult {
        try await Assay.run(["check", layout, "--suite", suite] + arguments, input: input)
    }
}

/// The path of a blob in a directory with an OCI layout.
func blobPath(_ blob: [UInt8]) throws -> String { "blobs/sha256/\(try Digester.digest(of: blob).encoded)" }
