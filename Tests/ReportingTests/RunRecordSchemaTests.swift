import Foundation
import Reporting
import Testing
import Verdict

/// The schema says what the record is: the canonical one has every key that the schema has, and no other. Whether it is
/// valid says another reader, in the acceptance tests.
struct RunRecordSchemaTests {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    /// The keys of a value by the names of the definitions, as `result.findings`.
    private struct Walk {
        let definitions: [String: Any]
        var declared: Set<String> = []
        var seen: Set<String> = []

        mutating func declare(_ schema: [String: Any], _ name: String) {
            if let items = schema["items"] as? [String: Any] { return declare(items, name + "[]") }
            for (key, value) in schema["properties"] as? [String: [String: Any]] ?? [:] {
                declared.insert("\(name).\(key)")
                declare(value, "\(name).\(key)")
            }
        }

        mutating func walk(_ value: Any, _ schema: [String: Any], _ name: String) {
            if let reference = schema["$ref"] as? String {
                let target = String(reference.dropFirst("#/$defs/".count))
                return walk(value, definitions[target] as? [String: Any] ?? [:], target)
            }
            if let list = value as? [Any] {
                for item in list { walk(item, schema["items"] as? [String: Any] ?? [:], name + "[]") }
            } else if let object = value as? [String: Any] {
                let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
                for (key, value) in object {
                    seen.insert("\(name).\(key)")
                    walk(value, properties[key] ?? [:], "\(name).\(key)")
                }
            }
        }
    }

    @Test func theRecordHasTheKeysOfTheSchema() throws {
        let schema = try object(RunRecordSchema.text)
        let definitions = try #require(schema["$defs"] as? [String: Any])
        var walk = Walk(definitions: definitions)
        walk.declare(schema, "")
        for (name, definition) in definitions { walk.declare(definition as? [String: Any] ?? [:], name) }
        for record in [CanonicalRun.record, CanonicalRun.merged] {
            let json = try object(String(decoding: JSONReport.render(record), as: UTF8.self))
            walk.walk(json, schema, "")
        }
        #expect(walk.seen.subtracting(walk.declared) == [], "keys that the schema does not have")
        #expect(walk.declared.subtracting(walk.seen) == [], "keys that no record has")
    }

    @Test func theFileInTheRepositoryIsOfToday() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Conformance/schema/run-record.schema.json")
        #expect(
            try String(contentsOf: file, encoding: .utf8) == RunRecordSchema.text,
            "run scripts/generate --with")
    }
}
