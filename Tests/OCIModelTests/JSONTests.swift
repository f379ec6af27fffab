import OCIModel
import Testing

@Suite("JSON") struct JSONTests {
    @Test(
        "keeps order, number text and escapes",
        arguments: [
            #"{"b":1,"a":[true,false,null],"n":-1.50e+10}"#, #"["é","\"\\"]"#, "0", "[]", "{}",
        ])
    func roundTrip(text: String) throws {
        let json = try JSON(parsing: Array(text.utf8), limits: .config)
        #expect(String(decoding: json.serialized, as: UTF8.self) == text)
    }

    @Test(
        "refuses what RFC 8259 does not allow",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "01", "+1", "1.", "nul", "'a'", "\"\u{01}\"", "[1] x", "{\"a\" 1}",
            "\"\\x\"", "\"\\u12\"",
        ])
    func syntax(text: String) {
        #expect { try JSON(parsing: Array(text.utf8), limits: .config) } throws: {
            ($0 as? ModelError)?.kind == .json
        }
    }

    @Test func invalidUTF8() {
        #expect { try JSON(parsing: [0x22, 0xFF, 0x22], limits: .config) } throws: {
            ($0 as? ModelError)?.kind == .json
        }
    }

    @Test(
        "a name twice, also when spelt with an escape",
        arguments: [#"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#])
    func duplicateKeys(text: String) {
        #expect { try JSON(parsing: Array(text.utf8), limits: .config) } throws: {
            ($0 as? ModelError)?.kind == .duplicateKey
        }
    }

    @Test("names that Unicode finds equivalent are two names")
    func canonicalEquivalence() throws {
        let json = try JSON(parsing: Array("{\"caf\u{e9}\":1,\"cafe\u{301}\":2}".utf8), limits: .config)
        #expect(json["cafe\u{301}"]?.integer == 2)
        #expect(json["caf\u{e9}"]?.integer == 1)
    }

    @Test func depthAndSizeAreBounded() throws {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 200_000)
        #expect { try JSON(parsing: deep, limits: .config) } throws: {
            ($0 as? ModelError)?.kind == .jsonLimit
        }
        let nested = Array((String(repeating: "[", count: 64) + String(repeating: "]", count: 64)).utf8)
        _ = try JSON(parsing: nested, limits: .config)
        let large = [UInt8](repeating: 0x20, count: 100) + Array("1".utf8)
        #expect(throws: ModelError.self) { try JSON(parsing: large, limits: JSONLimits(bytes: 100)) }
        _ = try JSON(parsing: large, limits: JSONLimits(bytes: 101))
    }

    @Test func surrogates() throws {
        let json = try JSON(parsing: Array(#"["\ud83d\ude00","\ud83d"]"#.utf8), limits: .config)
        #expect(json.array?.map(\.string) == ["😀", "\u{FFFD}"])
    }

    @Test("position of an error counts lines and columns from 1")
    func position() {
        #expect { try JSON(parsing: Array("{\n  \"a\": x}".utf8), limits: .config) } throws: {
            "\($0)".contains("line 2, column 8")
        }
    }
}
