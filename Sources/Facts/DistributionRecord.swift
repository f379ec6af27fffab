import OCIModel
import RootFS

/// The files of an installed distribution by its RECORD ("Recording installed projects" of the PyPA).
public struct DistributionRecord: Sendable {
    /// Where each recorded file has to be, in the order of RECORD.
    public let files: [ImagePath]
    /// Entries that lead out of the image's root, as written, escaped; the first 20.
    public let escapes: [String]

    /// Paths are relative to the directory that holds the distribution; the likes of `../../bin/tool` are common.
    init(_ bytes: [UInt8], in directory: ImagePath) {
        var files: [ImagePath] = []
        var escapes: [String] = []
        for (_, line) in Lines(bytes) {
            let name = DistributionRecord.firstField(line)
            if name.isEmpty { continue }
            if name.first == UInt8(ascii: "/") {
                files.append(ImagePath(name))
            } else if DistributionRecord.climbs(name, from: directory) {
                if escapes.count < 20 { escapes.append(escaped(name)) }
            } else {
                files.append(ImagePath(directory.bytes + [UInt8(ascii: "/")] + name))
            }
        }
        self.files = files
        self.escapes = escapes
    }

    /// A field of RFC 4180: as it is, or between quotation marks that are doubled inside.
    private static func firstField(_ line: ArraySlice<UInt8>) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        guard line.first == quote else { return Array(line.prefix { $0 != UInt8(ascii: ",") }) }
        var field: [UInt8] = []
        var rest = line.dropFirst()
        while let byte = rest.popFirst() {
            if byte == quote {
                guard rest.first == quote else { break }
                rest = rest.dropFirst()
            }
            field.append(byte)
        }
        return field
    }

    private static func climbs(_ name: [UInt8], from directory: ImagePath) -> Bool {
        var depth = directory.components.count
        for component in name.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            depth += component.elementsEqual("..".utf8) ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }
}

extension ImageFacts {
    /// The RECORD of a distribution; missing for those that no installer of wheels wrote.
    public func record(of distribution: PythonEnvironment.Distribution) -> Fact<DistributionRecord> {
        rootfs.factFile(at: distribution.metadataPath.parent.appending("RECORD")).map {
            DistributionRecord($0.bytes, in: distribution.sitePackages)
        }
    }

    /// A constraints file of the image.
    public func constraints(at path: ImagePath) -> Fact<Constraints> {
        rootfs.factFile(at: path).flatMap { file in
            Result { () throws(FactError) in
                do throws(MalformedRequirement) {
                    return try Constraints(file.bytes)
                } catch {
                    throw FactError(.malformed, "\(path): \(error.message)")
                }
            }
        }
    }
}
