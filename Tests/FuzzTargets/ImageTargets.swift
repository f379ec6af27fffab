import AssayTestSupport
import Facts
import Foundation
import Glibc
import ImageSource
import LayerArchive
import OCIModel
import RootFS
import Runner

/// Images and layers, read from a file as a run reads them.
enum ImageTargets {
    /// A file for one input, since tests run targets side by side.
    private static func file(of bytes: [UInt8]) -> String? {
        let path = "/dev/shm/assay-fuzz-\(UUID())"
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return nil }
        return path
    }

    /// libFuzzer calls from a plain thread.
    private static func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value? {
        let result = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        Task {
            result.value = await body()
            done.signal()
        }
        done.wait()
        return result.value
    }

    /// Written before the semaphore is signalled and read after it was waited for.
    private final class Box<Value>: @unchecked Sendable {
        var value: Value?
    }

    static func layer(_ bytes: [UInt8]) -> String? {
        guard let path = file(of: bytes) else { return "no file can be written" }
        defer { unlink(path) }
        guard let diffID = try? Digester.digest(of: bytes), let file = try? RandomAccessFile(path: path)
        else {
            return "the input cannot be opened"
        }
        let input = LayerInput(blob: Blob(file: file), digest: nil, diffID: diffID, name: "layer")
        return wait { () async -> String? in
            var limits = Limits()
            limits[.layerSize] = 64 << 20
            guard
                let layer = try? await LayerReader.index(
                    [input], plan: .facts, settings: .init(limits: limits)
                ).first
            else { return nil }
            let copy = try? layer.serialized.withUnsafeBytes {
                try LayerReader.IndexedLayer(serialized: $0, limits: limits)
            }
            guard copy?.serialized == layer.serialized else { return "the serial form is another layer" }
            let rootfs = RootFS.merging(
                [layer.table, layer.table], plan: .facts, limits: limits)
            for index in layer.table.entries.indices {
                let path = ImagePath(layer.table.path(at: index))
                if let kind = try? rootfs.status(at: path)?.kind, path.bytes.isEmpty, kind != .directory {
                    return "the root is a \(kind)"
                }
            }
            return nil
        } ?? nil
    }

    static func archive(_ bytes: [UInt8]) -> String? {
        guard let path = file(of: bytes) else { return "no file can be written" }
        defer { unlink(path) }
        return wait { () async -> String? in
            for transport in ["docker-archive", "oci-archive"] {
                guard let image = try? await ImageOpener().open("\(transport):\(path)") else { continue }
                _ = try? await ImageAnalysis.read(image)
            }
            return nil
        } ?? nil
    }

    static func elf(_ bytes: [UInt8]) -> String? {
        var tar = TarBuilder()
        tar.add("usr/lib/x86_64-linux-gnu/liba.so.1", content: bytes)
        tar.add("usr/lib/x86_64-linux-gnu/libb.so", content: bytes.reversed())
        return layer(tar.archive)
    }
}
