import AssayTestSupport
import Foundation
import Glibc
import LayerArchive
import OCIModel
import Testing

@testable import ImageSource

@Suite("Archives for engines") struct DockerArchiveWriterTests {
    @Test("an archive that is written is read as the same image, under its name")
    func roundTrip() async throws {
        let directory = try TemporaryDirectory()
        var builder = ImageBuilder()
        for name in ["a", "b"] {
            builder.addLayer(createdBy: "ADD \(name)") {
                $0.add(name, content: Array(repeating: 7, count: 1000))
            }
        }
        let opener = ImageOpener(platform: nil, notify: { _ in })
        let image = try await opener.open(
            "oci:\(try directory.write(try builder.layoutFiles(), below: "layout"))")
        let path = "\(directory.path)/image.tar"
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        try DockerArchiveWriter.write(image, tag: "localhost/assay/probe:x", to: descriptor)
        #expect(lseek(descriptor, 0, SEEK_CUR) == 0)
        let copy = try await opener.open("docker-archive:\(path)")
        #expect(copy.configDigest == image.configDigest)
        #expect(copy.names.contains("localhost/assay/probe:x"))
        #expect(copy.layers.map(\.diffID) == image.layers.map(\.diffID))
    }

    @Test("sizes beyond 8 GiB are written in base 256")
    func largeSize() {
        let header = DockerArchiveWriter.header(of: "blobs/x", size: 1 << 34)
        #expect(Array(header[124..<136]) == [0x80, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0])
        #expect(
            Array(DockerArchiveWriter.header(of: "x", size: 8)[124..<136]) == Array("00000000010\u{0}".utf8))
    }
}
