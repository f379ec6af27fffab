import Foundation
import Testing
import Verdict

@testable import Reporting

/// Results of checks are written and read by hand: it has to be what `Codable` makes of them.
struct CheckResultJSONTests {
    /// One that has everything.
    static let full: CheckResult = {
        var finding = Finding.of("/a", others: ["/b", "/c"], known: false, waiver: CanonicalRun.expired)
        finding.details = ["one", CanonicalRun.hostile]
        finding.omitted = 3
        finding.provenance?.diffID = CanonicalRun.digest("d")
        var result = CheckResult.of(
            "FULL", .fail, severity: .info, reason: "why", title: CanonicalRun.hostile,
            findings: [finding, .of("/d")], known: true)
        result.suiteDigest = CanonicalRun.digest("5")
        result.undecided = ["not this"]
        result.statements = ["B01", "F24"]
        result.drift = [DriftNote(statement: "F24", document: "says", images: "do", sources: ["a", "b"])]
        result.scenario = "start"
        result.duration = 0.125
        return result
    }()

    static let results = [full] + everyKind + Sample.allCases.flatMap { $0.record.images }.flatMap(\.results)

    private func written(_ result: CheckResult) -> [UInt8] {
        var json = JSONWriter()
        json.write(result)
        return json.bytes + [UInt8(ascii: "\n")]
    }

    private func read(_ bytes: some Sequence<UInt8>) -> CheckResult? {
        Array(bytes).withUnsafeBufferPointer { bytes in
            var json = JSONScanner(bytes)
            return json.result()
        }
    }

    /// What has no value here would not be noticed when it is left out.
    @Test func theFullResultHasEverything() {
        func isComplete(_ value: Any) -> Bool {
            Mirror(reflecting: value).children.allSatisfy { "\($0.value)" != "nil" && "\($0.value)" != "[]" }
        }
        let finding = Self.full.findings[0]
        #expect(isComplete(Self.full))
        #expect(isComplete(finding))
        #expect(isComplete(finding.provenance as Any))
        #expect(isComplete(finding.waiver as Any))
    }

    @Test func whatIsWrittenIsWhatCodableWrites() throws {
        for result in Self.results {
            #expect(try written(result) == JSONDocument.bytes(of: result), "\(result.id)")
        }
        #expect(try JSONDocument.bytes(of: [CheckResult]()) == Array("[]\n".utf8))
    }

    @Test func whatIsReadIsWhatCodableReads() throws {
        for result in Self.results {
            let bytes = written(result)
            #expect(read(bytes) == result, "\(result.id)")
            #expect(try JSONDecoder().decode(CheckResult.self, from: Data(bytes)) == result)
        }
    }

    private static let text = """
        {"id": "A", "title": "é \\u0041", "suite": "s", "group": "g", "severity": "error", "outcome": "pass",
         "findings": [{"subject": {"kind": "path", "name": "/a"}, "expected": "", "observed": "b", "details": [],
                       "provenance": {}, "known": true}],
         "statements": ["B01"], "position": {"file": "f", "line": 1, "column": 2}, "duration": 1.5e-1}
        """

    private static func text(_ old: String, _ new: String) throws -> String {
        let text = Self.text.replacing(old, with: new)
        try #require(text != Self.text)
        return text
    }

    @Test(arguments: [
        ("1.5e-1", "0"), ("1.5e-1", "-0.5"), ("1.5e-1", "1E+2"), ("1.5e-1", "10.25"),
        (#""line": 1"#, #""line":-1"#), (#""line": 1"#, #""line": 0"#), ("true", "false"),
        (#"\u0041"#, #"\"\\\/\b\f\n\r\t"#), (#"\u0041"#, #"\ud83d\uDE00 \u20ac\u0000\uFFFF"#),
        ("é", "e\u{301}日本語"), (#", "known": true"#, ""),
    ])
    func plainTextIsReadAsCodableReadsIt(old: String, new: String) throws {
        let text = try Self.text(old, new)
        #expect(try read(text.utf8) == JSONDecoder().decode(CheckResult.self, from: Data(text.utf8)))
    }

    @Test func plainTextIsRead() throws {
        let result = try #require(read(Self.text.utf8))
        #expect(result.title == "é A")
        #expect(result.duration == 0.15)
        #expect(result.findings.first?.provenance == Provenance())
    }

    /// Whether it can be read at all is for a whole decoder to say.
    @Test(arguments: [
        ("1.5e-1", "01"), ("1.5e-1", "1."), ("1.5e-1", ".5"), ("1.5e-1", "1e"), ("1.5e-1", "+1"),
        ("1.5e-1", "-"), ("1.5e-1", "NaN"), ("1.5e-1", "1e400"), ("1.5e-1", "\"1\""), ("1.5e-1", "null"),
        ("1.5e-1", "1 2"),
        (#""line": 1"#, #""line": 1.0"#), (#""line": 1"#, #""line": 9223372036854775808"#), ("true", "True"),
        ("true", "tru"), (#"\u0041"#, #"\x"#), (#"\u0041"#, #"\ud800"#),
        (#"\u0041"#, #"\udc00"#), (#"\u0041"#, #"\ud83d\u0041"#), (#"\u0041"#, #"\ud83d\ud83d"#),
        (#"\u0041"#, #"\u+041"#), (#"\u0041"#, #"\u004"#), (#"\u0041"#, #"\ud83d\u12"#),
        (#"\u0041"#, "\u{1}"),
        (#""id": "A","#, ""), (#""id""#, #""\u0069d""#), (#""id": "A""#, #""id": "A", "id": "A""#),
        (#""id": "A""#, #""id": "A", "other": 1"#), (#""id": "A""#, #""id": null"#),
        (#""id": "A""#, #""reason": null, "id": "A""#), (#""error""#, #""heavy""#), (#""pass""#, #""fine""#),
        (#""path""#, #""place""#), ("[\"B01\"]", "[\"B01\",]"), ("[\"B01\"]", "\"B01\""), ("{}", "{,}"),
        (", \"details\": []", ""), (#""column": 2"#, #""column": 2,"#), ("{\"id\"", "[\"id\""),
    ])
    func whatIsNotPlainIsNotRead(old: String, new: String) throws {
        #expect(read(try Self.text(old, new).utf8) == nil)
    }

    @Test func textThatIsNotUTF8IsNotRead() throws {
        var bytes = Array(Self.text.utf8)
        let place = try #require(bytes.firstIndex(of: 0xC3))
        bytes[place + 1] = UInt8(ascii: "x")
        #expect(read(bytes) == nil)
    }

    @Test func noBeginningIsRead() {
        let bytes = Array(Self.text.utf8)
        for end in bytes.indices { #expect(read(bytes[..<end]) == nil) }
    }
}
