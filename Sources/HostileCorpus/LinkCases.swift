import OCIModel

extension HostileCorpus {
    /// Links that lead out of the image, in circles or nowhere.
    static let linkCases: [HostileCase] = [
        .layer(
            "03-through-a-link", "a link to a directory of the host, and a file written through it",
            .judged([.writeThroughLink])
        ) {
            tar, workshop in
            tar.add("link", .symbolicLink, linkTarget: workshop.outside)
            tar.add("link/through", content: Array("x".utf8))
        },
        .layer("03-through-a-climbing-link", "the same by ../../..", .judged([.writeThroughLink])) {
            tar, workshop in
            tar.add(
                "link", .symbolicLink,
                linkTarget: String(repeating: "../", count: 30) + workshop.outside.dropFirst())
            tar.add("link/through", content: Array("x".utf8))
        },
        .layers(
            "04-through-a-lower-link", "the same, link and file in different layers",
            .judged([.writeThroughLink]),
            [
                { tar, workshop in tar.add("link", .symbolicLink, linkTarget: workshop.outside) },
                { tar, _ in tar.add("link/through", content: Array("x".utf8)) },
            ]),
        .layer(
            "05-hard-link-climbs", "a hard link to a file of the host by ../..",
            .judged([.danglingHardLink], entries: 1)
        ) {
            tar, workshop in
            tar.add(
                "a", .hardLink,
                linkTarget: String(repeating: "../", count: 30) + workshop.outside.dropFirst() + "/secret")
        },
        .layer(
            "06-hard-link-absolute", "a hard link to a file of the host",
            .judged([.danglingHardLink], entries: 1)
        ) {
            tar, workshop in
            tar.add("a", .hardLink, linkTarget: workshop.outside + "/secret")
        },
        .layer(
            "07-hard-link-with-data", "a hard link with data of its own",
            .judged([.hardLinkWithData, .readerDisagreement], entries: 3)
        ) {
            tar, _ in
            tar.add("a", content: Array("one".utf8))
            tar.addPAX([("comment", Array("PAX archives may have such links".utf8))])
            tar.add("b", .hardLink, content: Array("two".utf8), linkTarget: "a")
        },
        .layer(
            "07-hard-link-to-later", "a hard link to a later entry", .judged([.danglingHardLink], entries: 2)
        ) {
            tar, _ in
            tar.add("b", .hardLink, linkTarget: "a")
            tar.add("a")
        },
        .layer("07-hard-link-to-itself", "a hard link to itself", .judged([.danglingHardLink], entries: 1)) {
            tar, _ in
            tar.add("a", .hardLink, linkTarget: "a")
        },
        .layer(
            "07-hard-link-to-directory", "a hard link to a directory",
            .judged([.hardLinkToDirectory], entries: 2)
        ) {
            tar, _ in
            tar.add("d/", .directory)
            tar.add("a", .hardLink, linkTarget: "d")
        },
        .layer(
            "08-content-by-link", "files that facts are read from are links to the host's", .judged(),
            checks:
                "  - {id: H-1, title: t, expect: {path: /etc/os-release, type: symbolicLink, follow: false}}\n"
        ) { tar, workshop in
            for name in ["os-release", "passwd", "group", "debian_version"] {
                tar.add("etc/\(name)", .symbolicLink, linkTarget: "\(workshop.outside)/secret")
            }
            tar.add("var/lib/dpkg/status", .symbolicLink, linkTarget: "/proc/self/environ")
        },
        .layer(
            "09-path-of-a-check-climbs", "a check of /../../x looks no further than the root", .judged(),
            checks: "  - {id: H-1, title: t, expect: {path: /../../../../x, type: file}}\n"
        ) { tar, _ in
            tar.add("x")
        },
        .layer(
            "10-links-in-a-circle", "links a to b to a, and one to itself", .judged([.linkLoop], entries: 4)
        ) {
            tar, _ in
            tar.add("a", .symbolicLink, linkTarget: "b")
            tar.add("b", .symbolicLink, linkTarget: "a")
            tar.add("c", .symbolicLink, linkTarget: "c")
        },
        .layer("10-file-behind-a-circle", "a file behind links in a circle", .judged([.linkLoop], entries: 3))
        {
            tar, _ in
            tar.add("a", .symbolicLink, linkTarget: "b")
            tar.add("b", .symbolicLink, linkTarget: "a")
            tar.add("a/file")
        },
        .layer(
            "10-links-through-links", "links that multiply on the way to each file", .refused("merge-steps")
        ) {
            tar, _ in
            // Each link leads through the one before by a thousand steps.
            let detour = String(repeating: "d/../", count: 800)
            tar.add("d/", .directory)
            tar.add("l0", .symbolicLink, linkTarget: detour + "d")
            for number in 1..<39 {
                tar.add("l\(number)", .symbolicLink, linkTarget: detour + "l\(number - 1)")
            }
            for number in 0..<2_000 {
                tar.add("l38/f\(number)")
                tar.add("l37/g\(number)")
            }
        },
        .layers(
            "44-child-of-a-file", "a file replaces a directory, and a later layer has a child of it",
            .judged([.parentNotDirectory], entries: 3),
            [
                { tar, _ in tar.add("d/", .directory) }, { tar, _ in tar.add("d") },
                { tar, _ in tar.add("d/child") },
            ]),
    ]
}
