/// Operating system and processor of an image (OCI image-index, "platform").
public struct Platform: Hashable, Sendable {
    public var os: String
    public var architecture: String
    public var variant: String?
    public var osVersion: String?

    public init(os: String, architecture: String, variant: String? = nil, osVersion: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
        self.osVersion = osVersion
    }

    /// Parses `os/architecture[/variant]`, as `--platform` options of container tools do.
    ///
    /// - Throws: `ModelError` of kind `.platform`.
    public init(parsing text: String) throws(ModelError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
            throw ModelError(
                .platform,
                "\(quoted(text)) is not a platform: expected os/architecture[/variant], as linux/amd64")
        }
        self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
    }

    /// Whether an image of this platform answers a request for `wanted`; a request without variant takes any.
    public func satisfies(_ wanted: Platform) -> Bool {
        os == wanted.os && architecture == wanted.architecture
            && (wanted.variant == nil || wanted.variant == variant)
    }
}

extension Platform: CustomStringConvertible {
    public var description: String {
        escaped([os, architecture, variant].compactMap { $0 }.joined(separator: "/"))
    }
}
