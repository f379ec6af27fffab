import OCIModel

/// An image, or a file of Assay's own, that is made to break what reads it.
public struct HostileCase: Sendable {
    /// What is given to the program.
    public enum Input: Sendable {
        case image
        /// A file of a suite.
        case suite
        case waivers
    }

    /// What has to come of it.
    public enum Expected: Sendable {
        /// It is judged, with exactly these notes.
        ///
        /// - entries: names in the merged tree, the root included; nil where that does not matter.
        /// - missing: what is said of the one fact that cannot be had because of it; nil where facts do not matter.
        case judged(Set<Oddity.Kind> = [], entries: Int? = nil, missing: String? = nil)
        /// It is refused, and the reason has these words.
        case refused(String)
    }

    /// The row of the class, and which one of it: `07-hard-link-to-itself`.
    public let id: String
    /// What it is, in a few words.
    public let title: String
    public let input: Input
    public let expected: Expected
    /// Checks of the suite language, each of which must pass on it.
    public let checks: String
    /// Of an image with a program, `/program`, that ends with 0: whether a runtime can start it, or must refuse to. Nil
    /// where there is nothing to start.
    public let begins: Bool?
    private let build: @Sendable (HostileWorkshop) throws -> String

    init(
        _ id: String, _ title: String, _ expected: Expected, input: Input = .image, checks: String = "",
        begins: Bool? = nil, build: @escaping @Sendable (HostileWorkshop) throws -> String
    ) {
        self.id = id
        self.title = title
        self.input = input
        self.expected = expected
        self.checks = checks
        self.begins = begins
        self.build = build
    }

    /// Writes the files of the case.
    ///
    /// - Returns: the name of the image, as `oci:PATH`, or the path of the file.
    /// - Throws: what the file system refuses.
    public func write(in workshop: HostileWorkshop) throws -> String { try build(workshop) }
}

extension HostileCase {
    /// An image of one layer, from the members of its archive.
    static func layer(
        _ id: String, _ title: String, _ expected: Expected, checks: String = "",
        _ add: @escaping @Sendable (inout TarBuilder, HostileWorkshop) -> Void
    ) -> HostileCase {
        layers(id, title, expected, checks: checks, [add])
    }

    /// An image of several layers, lowest first.
    static func layers(
        _ id: String, _ title: String, _ expected: Expected, checks: String = "",
        _ layers: [@Sendable (inout TarBuilder, HostileWorkshop) -> Void]
    ) -> HostileCase {
        HostileCase(id, title, expected, checks: checks) { workshop in
            try workshop.image(
                layers.map { add in
                    var tar = TarBuilder()
                    add(&tar, workshop)
                    return tar.archive
                })
        }
    }

    /// An image of one layer with this config.
    static func config(
        _ id: String, _ title: String, _ expected: Expected, run: String = "{}", history: String? = nil,
        document: (@Sendable (_ diffID: String) -> String)? = nil
    ) -> HostileCase {
        HostileCase(id, title, expected) { workshop in
            var tar = TarBuilder()
            tar.add("file")
            var layout = LayoutForm([try LayoutForm.Layer(tar.archive)])
            layout.run = run
            layout.history = history
            let diffID = layout.layers[0].diffID
            layout.config = document.map { $0(diffID) }
            return try workshop.layout(layout)
        }
    }

    /// An image of one layer whose data are these, and whose digests hold.
    static func data(
        _ id: String, _ title: String, _ expected: Expected, mediaType: MediaType = .ociLayer,
        _ data: @escaping @Sendable () throws -> (blob: [UInt8], plain: [UInt8])
    ) -> HostileCase {
        HostileCase(id, title, expected) { workshop in
            let (blob, plain) = try data()
            var layer = try LayoutForm.Layer(plain)
            layer.blob = blob
            layer.mediaType = mediaType
            return try workshop.layout(LayoutForm([layer]))
        }
    }

    /// A Docker archive of these members.
    static func archive(
        _ id: String, _ title: String, _ expected: Expected,
        _ add: @escaping @Sendable (inout TarBuilder, HostileWorkshop) throws -> Void
    ) -> HostileCase {
        HostileCase(id, title, expected) { workshop in
            var tar = TarBuilder()
            try add(&tar, workshop)
            return "docker-archive:" + (try workshop.write(tar.archive, to: "image.tar"))
        }
    }
}

/// All cases.
public enum HostileCorpus {
    public static let cases: [HostileCase] =
        memberCases + linkCases + dataCases + documentCases + archiveCases + whiteoutCases + contentCases
        + startCases + inputCases
}
