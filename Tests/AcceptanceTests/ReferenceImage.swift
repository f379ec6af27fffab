import Foundation
import Testing

/// The image that `scripts/reference-image` builds, and the forms that others make of it.
enum ReferenceImage {
    /// `oci:PATH:TAG`.
    static func reference() throws -> String {
        let reference = try Setting.referenceImage.value()
        guard reference.hasPrefix("oci:") else {
            throw ToolError(description: "\(reference) is no oci: reference")
        }
        return reference
    }

    /// The path of the image in a form of `scripts/lib/image-form`, which makes it when it is not there yet.
    static func form(_ name: String) async throws -> String {
        let layout = try String(reference().dropFirst("oci:".count))
        return try await output(of: "\(projectRoot)/scripts/lib/image-form", [layout, name])
            .trimmingCharacters(in: .newlines)
    }

    /// A path for something large that a test makes and removes: beside the forms, where there is room for it.
    static func scratch(_ name: String) async throws -> String {
        let form = try await form("dir")
        return "\((form as NSString).deletingLastPathComponent)/scratch-\(name)-\(getpid())"
    }
}

/// Tests of the reference image run one after another: each fills the processors and the disk by itself.
@Suite(.serialized) enum ReferenceImageTests {}
