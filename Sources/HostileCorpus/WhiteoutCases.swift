import OCIModel

extension HostileCorpus {
    private static let base: @Sendable (inout TarBuilder, HostileWorkshop) -> Void = { tar, _ in
        tar.add("d/", .directory)
        tar.add("d/x", content: Array("old".utf8))
        tar.add("d/y")
    }

    /// Whiteouts that remove what they should not, or are none.
    static let whiteoutCases: [HostileCase] =
        [".wh.", ".wh..", ".wh...", ".wh.nonexistent"].enumerated().map { number, name in
            .layers(
                "32-whiteout-\(number + 1)", "whiteout \(name)", .judged([.oddWhiteout], entries: 4),
                [base, { tar, _ in tar.add(name) }])
        } + [
            .layers(
                "33-opaque-root", "an opaque root", .judged(entries: 2),
                [
                    base,
                    { tar, _ in
                        tar.add(".wh..wh..opq")
                        tar.add("new")
                    },
                ]),
            .layers(
                "33-opaque-directory", "an opaque directory", .judged(entries: 3),
                [
                    base,
                    { tar, _ in
                        tar.add("d/.wh..wh..opq")
                        tar.add("d/new")
                    },
                ]),
            .layers(
                "33-opaque-many-times", "100,000 times opaque", .judged([], entries: 2),
                [
                    base,
                    { tar, _ in for _ in 0..<100_000 { tar.add("d/.wh..wh..opq") } },
                ]),
            .layers(
                "34-whiteout-then-file", "a whiteout and its file again, in this order", .judged(entries: 4),
                [
                    base,
                    { tar, _ in
                        tar.add("d/.wh.x")
                        tar.add("d/x")
                    },
                ]),
            .layers(
                "34-file-then-whiteout", "the same in the other order: the file stays",
                .judged([.whiteoutOrder], entries: 4),
                [
                    base,
                    { tar, _ in
                        tar.add("d/x")
                        tar.add("d/.wh.x")
                    },
                ]),
            .layers(
                "35-whiteout-directory", "a whiteout that is a directory",
                .judged([.whiteoutType], entries: 3),
                [base, { tar, _ in tar.add("d/.wh.x/", .directory) }]),
            .layers(
                "35-whiteout-link", "a whiteout that is a symbolic link",
                .judged([.whiteoutType], entries: 3),
                [base, { tar, _ in tar.add("d/.wh.x", .symbolicLink, linkTarget: "/") }]),
            .layers(
                "35-whiteout-data", "a whiteout with data", .judged([.whiteoutType], entries: 3),
                [base, { tar, _ in tar.add("d/.wh.x", content: Array("data".utf8)) }]),
            .layers(
                "35-whiteout-hard-link", "a whiteout that is a hard link",
                .judged([.whiteoutType], entries: 3),
                [base, { tar, _ in tar.add("d/.wh.x", .hardLink, linkTarget: "d/y") }]),
            .layers(
                "36-whiteout-of-a-parent", "a child, then the whiteout of its directory",
                .judged([.whiteoutOrder], entries: 3),
                [
                    base,
                    { tar, _ in
                        tar.add("d/new")
                        tar.add(".wh.d")
                    },
                ]),
            .layers(
                "37-overlay-whiteout", "a whiteout of overlayfs, a character device 0:0",
                .judged([.foreignWhiteout], entries: 4),
                [base, { tar, _ in tar.add("d/x", .characterDevice) }]),
            .layers(
                "37-overlay-opaque", "an opaque directory of overlayfs, an attribute",
                .judged([.foreignWhiteout], entries: 4),
                [
                    base,
                    { tar, _ in
                        tar.add("d/", .directory, attributes: [("trusted.overlay.opaque", Array("y".utf8))])
                    },
                ]),
        ]
}
