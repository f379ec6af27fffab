import Foundation
import LayerArchive
import Testing
import Verdict

@testable import Reporting

@Suite("The HTML report") struct HTMLReportTests {
    private func page(_ record: RunRecord) -> String {
        String(decoding: HTMLReport.render(record, options: RenderOptions()), as: UTF8.self)
    }

    private func record(_ run: ImageRun) -> RunRecord { CanonicalRun.record(images: [run]) }

    private struct Tag {
        var name: Substring
        var attributes: Substring
        var isEnd: Bool
    }

    /// What begins with `<` outside of style and script, up to the next `>`.
    private func tags(_ page: String) -> [Tag] {
        let markup = page.replacing(HTMLAssets.style.description, with: "")
            .replacing(HTMLAssets.script.description, with: "")
        return markup.utf8.split(separator: UInt8(ascii: "<"), omittingEmptySubsequences: false).dropFirst()
            .compactMap {
                let tag = Substring($0.prefix { $0 != UInt8(ascii: ">") })
                guard tag != "!DOCTYPE html" else { return nil }
                let isEnd = tag.hasPrefix("/")
                let name = tag.utf8.dropFirst(isEnd ? 1 : 0).prefix { $0 != UInt8(ascii: " ") }
                return Tag(name: Substring(name), attributes: tag[name.endIndex...], isEnd: isEnd)
            }
    }

    // MARK: Safety

    @Test func thePolicyAllowsThisStyleAndThisScript() throws {
        for (name, text) in [("style", HTMLAssets.style), ("script", HTMLAssets.script)] {
            let digest = try Digester.digest(of: Array(text.description.utf8)).encoded
            let bytes = stride(from: 0, to: digest.utf8.count, by: 2).compactMap {
                UInt8(digest.dropFirst($0).prefix(2), radix: 16)
            }
            let source = "\(name)-src 'sha256-\(Data(bytes).base64EncodedString())'"
            #expect(
                HTMLAssets.contentSecurityPolicy.description.contains(source),
                "HTMLAssets.contentSecurityPolicy has to say \(source)")
        }
        #expect(HTMLAssets.contentSecurityPolicy.description.hasPrefix("default-src 'none'; "))
    }

    /// One style, one script, no attribute that runs or loads anything, whatever the record says.
    @Test(arguments: Sample.allCases)
    func markupIsTheProgramsOwn(sample: Sample) throws {
        let page = page(sample.record)
        let found = tags(page)
        #expect(found.count { $0.name == "script" } == 2)
        #expect(found.count { $0.name == "style" } == 2)
        let loading: Set<Substring> = [
            "img", "link", "iframe", "object", "embed", "video", "audio", "base", "image",
        ]
        #expect(found.allSatisfy { !loading.contains($0.name) })
        for tag in found {
            #expect(tag.name.wholeMatch(of: /[a-zA-Z0-9]+/) != nil, "\(tag)")
            #expect(tag.attributes.wholeMatch(of: /(?: [a-zA-Z0-9-]+="[^"<]*")*/) != nil, "\(tag)")
            #expect(!tag.attributes.contains(#/ (on[a-z]+|style|src|srcset|action|formaction)="/#), "\(tag)")
            for link in tag.attributes.matches(of: #/ href="([^"]*)"/#) {
                #expect(link.output.1.hasPrefix("#"))
            }
        }
    }

    @Test(arguments: Sample.allCases)
    func everyElementIsClosed(sample: Sample) {
        var open: [Substring] = []
        for tag in tags(page(sample.record)) where !["meta", "input", "br"].contains(tag.name) {
            if tag.isEnd { #expect(open.popLast() == tag.name) } else { open.append(tag.name) }
        }
        #expect(open.isEmpty)
    }

    @Test(arguments: Sample.allCases)
    func everyLinkLeadsToOneElement(sample: Sample) {
        let found = tags(page(sample.record))
        let ids = found.flatMap { $0.attributes.matches(of: #/ id="([^"]*)"/#).map(\.output.1) }
        #expect(Set(ids).count == ids.count)
        for link in found.flatMap({ $0.attributes.matches(of: #/ href="#([^"]*)"/#).map(\.output.1) }) {
            #expect(ids.contains(link), "\(link)")
        }
    }

    @Test func hostileIdsBecomeAnchorsOfTheirOwn() {
        var run = CanonicalRun.run([.fail, .fail, .pass, .pass])
        for index in run.results.indices { run.results[index].id = index == 3 ? "<b>" : "\" onclick=\"x" }
        let page = page(record(run))
        #expect(page.contains("id=\"check-__onclick__x\""))
        #expect(page.contains("id=\"check-__onclick__x.2\""))
        #expect(page.contains("id=\"check-_b_\""))
    }

    @Test func whatActsIsShownInLetters() {
        var html = HTMLWriter()
        html.text(
            "<&>\"' \u{1B}[2J\u{202E}\u{FFFE}" + String(decoding: [0xEF, 0xB7, 0x90], as: UTF8.self)
                + "\0\n\té")
        #expect(
            String(decoding: html.bytes, as: UTF8.self)
                == "&lt;&amp;&gt;&quot;&#39; \\x1b[2J\\u{202e}\\u{fffe}\\u{fdd0}\\x00\\n\\té")
        html = HTMLWriter()
        html.lines("a\n\tb\r")
        #expect(String(decoding: html.bytes, as: UTF8.self) == "a\n\tb\\r")
    }

    // MARK: Content

    @Test func theVerdictComesFirst() throws {
        for (outcomes, words) in [
            ([.pass], "Conforms"), ([.pass, .fail], "Does not conform"), ([.skipped], "Could not be judged"),
        ] as [([Outcome], String)] {
            let page = page(record(CanonicalRun.run(outcomes)))
            #expect(page.contains("<h1>\(words)</h1>"))
        }
        #expect(page(CanonicalRun.record(images: [])).contains("no image was judged"))
        let incomplete = CanonicalRun.record(images: [CanonicalRun.run([.pass])], complete: false)
        #expect(page(incomplete).contains("The run was interrupted"))
    }

    @Test func everyCheckIsThereWithItsOutcome() {
        let page = page(record(CanonicalRun.hostileRun))
        for result in CanonicalRun.hostileRun.results {
            let style =
                result.outcome == .notApplicable
                ? "none" : result.outcome == .skipped ? "skip" : result.outcome.rawValue
            #expect(
                page.contains("<details class=\"check \(style)\" id=\"check-\(result.id)\""), "\(result.id)")
        }
        #expect(page.contains("create the user with --uid ${AIRFLOW_UID} --gid 0"))
        #expect(page.contains("Production image build arguments: AIRFLOW_UID"))
        #expect(page.contains("G16, B09"))
        #expect(page.contains("Conformance/airflow/user.yaml:12:5"))
        #expect(page.contains("layer 2 of 3"))
    }

    @Test func severalImagesAreColumns() throws {
        let page = page(
            CanonicalRun.record(images: [
                CanonicalRun.run([.pass, .fail]), CanonicalRun.run([.pass, .pass, .skipped]),
            ]))
        let rows = page.matches(of: /<tr data-check="([^"]*)"[^>]*><th scope="row">.*?<\/th>\n(.*?)<\/tr>/)
        #expect(rows.map(\.output.1) == ["pass", "fail pass", "skip"])
        #expect(
            rows.map(\.output.2) == [
                "<td class=\"pass\">✓</td><td class=\"pass\">✓</td>",
                "<td class=\"fail\">✗ fail</td><td class=\"pass\">✓</td>",
                "<td></td><td class=\"skip\">-</td>",
            ])
        // Only what does not just pass is told at length.
        #expect(page.matches(of: #/<details class="check /#).count == 1)
    }

    @Test func whatIsTheSameOnSeveralImagesIsSaidOnce() {
        let run = CanonicalRun.run([.fail])
        var other = run
        other.results[0].duration = 9
        let page = page(CanonicalRun.record(images: [run, other, run]))
        #expect(page.matches(of: /<div class="byimage">/).count == 1)
        #expect(page.contains("all images"))
    }

    @Test func contentsAreDrawnAndTold() {
        let page = page(record(CanonicalRun.hostileRun))
        #expect(page.contains("class=\"treemap\""))
        #expect(page.contains("layer 1  /usr/lib  70.0 MB"))
        // A directory that holds nothing but another one.
        #expect(page.contains("layer 2  /var/cache/apt  0 B, and 25.0 MB hidden"))
        #expect(page.contains("class=\"waste\""))
        #expect(page.contains("<code>/var/cache/apt</code>"))
        #expect(page.contains("dumb-init"))
        #expect(page.contains("… 1 more, which the record does not list"))
        #expect(page.contains("/home/airflow/.local/lib/python3.12/site-packages"))
    }

    @Test func aRecordWithoutContentsSaysSo() {
        var run = CanonicalRun.hostileRun
        run.contents = nil
        let page = page(record(run))
        #expect(page.contains("written by an older version"))
        #expect(!page.contains("class=\"treemap\""))
        #expect(page.contains("class=\"layerbar\""))
    }

    @Test func scenariosHaveATimeAxis() {
        let page = page(record(CanonicalRun.hostileRun))
        #expect(page.matches(of: /class="timeline"/).count == 2)
        #expect(page.contains("redis, 3 connections"))
        #expect(page.contains("never opened"))
        #expect(page.contains("exit code 143"))
        #expect(page.contains("! incident"))
        #expect(page.contains("............. OK\n</pre>"))
    }

    @Test func theStateOfAContainerIsShown() {
        let page = page(record(CanonicalRun.hostileRun))
        #expect(page.contains("<caption>Files of main, at the last look</caption>"))
        #expect(page.contains("<code>/etc/passwd</code></th>\n<td>file</td>\n<td class=\"number\">0:0</td>"))
        #expect(page.contains("<td class=\"number\">0664</td>"))
        #expect(page.contains("<code>/nope</code></th>\n<td>nothing</td>"))
        #expect(page.contains("content of /etc/passwd, 11 B"))
        #expect(page.contains("<caption>Processes of main, at the last look</caption>"))
        #expect(page.contains("<td class=\"number\">8080</td>"))
        #expect(!page.contains("of look, at the last look"))
    }

    @Test func aStateIsBoundedAndAnEmptyListSaysSo() {
        var run = CanonicalRun.hostileRun
        let files = (1...201).map { ContainerState.File(path: "/file-\($0)") }
        run.transcripts?[0].containers[0].state = ContainerState(files: files, processes: nil, ports: [])
        let page = page(record(run))
        #expect(page.contains("/file-200<") && !page.contains("/file-201<"))
        #expect(page.contains("… 1 more; the JSON report has them"))
        #expect(page.contains("<p class=\"rest\">none</p>"))
        #expect(!page.contains("Processes of main"))
    }

    /// Numbers that no drawing can have.
    @Test(arguments: [Double.infinity, -.infinity, .nan, -5, 1e300])
    func timesOfAnyKindAreDrawnWithinBounds(time: Double) {
        var run = CanonicalRun.hostileRun
        run.transcripts = [
            ProbeTranscript(
                scenario: "s", runtime: "oci",
                containers: [ContainerTranscript(name: "c", command: "x", started: time, duration: time)],
                services: [
                    ServiceTranscript(name: "d", kind: "redis", port: 1, opened: time, firstConnection: time)
                ],
                events: [.init(time: time, text: "e")], duration: time)
        ]
        run.duration = time
        run.contents?.layers[0].bytes = .max
        run.contents?.layers[0].hiddenBytes = .max
        run.contents?.layers[1].bytes = -1
        for tag in tags(page(record(run))) where ["rect", "line", "circle", "text"].contains(tag.name) {
            for number in tag.attributes.matches(of: #/ (?:x|y|x1|x2|y1|y2|cx|cy|width|height)="([^"]*)"/#) {
                #expect(Double(number.output.1).map { abs($0) < 100_000 } == true, "\(tag)")
            }
        }
    }

    @Test func longListsAreCutAndCounted() {
        var run = CanonicalRun.run([.fail])
        run.results[0].findings = (0..<80).map {
            Finding(
                subject: Subject(.path, "/p\($0)"), expected: "e\($0)", observed: "o",
                details: (0..<60).map { "detail \($0)" })
        }
        let page = page(record(run))
        #expect(page.contains("… 30 more findings"))
        #expect(page.contains("… 10 more lines"))
    }
}
