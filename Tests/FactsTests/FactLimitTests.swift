import Facts
import LayerArchive
import OCIModel
import RootFS
import Testing

/// The limits on files that facts are read from: a file that is larger is an error, not an absent one.
@Suite("Limits of facts' files") struct FactLimitTests {
    @Test(arguments: [
        (Limit.passwd, "etc/passwd"), (.passwd, "etc/group"), (.dpkgStatus, "var/lib/dpkg/status"),
        (.dpkgList, "var/lib/dpkg/info/a.list"), (.metadata, "usr/lib/a-1.dist-info/METADATA"),
        (.metadata, "usr/lib/a-1.egg-info/PKG-INFO"), (.record, "usr/lib/a-1.dist-info/RECORD"),
    ])
    func boundsTheContentThatIsKept(limit: Limit, path: String) throws {
        var limits = Limits()
        limits[limit] = 77
        let rule = Array(path.utf8).withUnsafeBufferPointer { ContentPlan.facts(limits).rule(forMember: $0) }
        #expect(try #require(rule).maximumBytes == 77)
        let standard = Array(path.utf8).withUnsafeBufferPointer { ContentPlan.facts.rule(forMember: $0) }
        #expect(try #require(standard).maximumBytes == Int(limit.defaultValue))
    }

    @Test func aLargerFileIsAnError() throws {
        var limits = Limits()
        for (bound, isRead) in [(Int64(26), true), (25, false)] {
            limits[.passwd] = bound
            let plan = ContentPlan.facts(limits)
            let text = Array("root:x:0:0::/root:/bin/sh\n".utf8)
            var table = EntryTable()
            table.append(
                path: "etc/passwd".utf8, kind: .file, permissions: 0o644, size: Int64(text.count),
                contents: isRead ? text : nil)
            let rootfs = RootFS.merging([table], plan: plan)
            let config = try ImageConfig(
                parsing: Array(#"{"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8))
            let facts = ImageFacts(config: config, layers: [], rootfs: rootfs)
            switch facts.users {
            case .success: #expect(isRead)
            case .failure(let error):
                #expect(!isRead)
                #expect(error.kind == .tooLarge)
                #expect(error.message.contains("26 bytes are more than the 25"))
            }
        }
    }
}
