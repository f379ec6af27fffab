/// Why a scenario could not be run: nothing is known of the image by that.
public struct ProbeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        /// What the scenario asks for cannot be resolved for this image, as the name of a user.
        case scenario
        /// The runtime broke, or does not do what it should.
        case runtime
        /// This machine lacks something.
        case unavailable
    }

    public let kind: Kind
    /// What is wrong, and what to do about it, in one line; text from the image is escaped.
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
