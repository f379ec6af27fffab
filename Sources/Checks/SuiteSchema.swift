import Foundation
import OCIModel
import Suite
import Verdict

/// The JSON Schema (draft 2020-12) of the files of a suite, for editors and linters. What a schema cannot say, as
/// that a parameter is declared, `assay suites lint` says.
public enum SuiteSchema {
    /// The schema, indented, its keys always in the same order.
    public static var text: String {
        get throws {
            let value = try JSONSerialization.jsonObject(with: Data(root.serialized))
            let data = try JSONSerialization.data(
                withJSONObject: value, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            return String(decoding: data, as: UTF8.self) + "\n"
        }
    }

    private static var root: JSON {
        object([
            ("$schema", "https://json-schema.org/draft/2020-12/schema"),
            ("title", "A file of an Assay suite"),
            (
                "description",
                .string(
                    "suite names the suite, profiles the release lines, statements the document; a file "
                        + "with group has the checks of one subject.")
            ),
            ("type", "object"), ("minProperties", .number("1")), ("additionalProperties", .bool(false)),
            (
                "properties",
                object([
                    ("suite", text("the name of the suite")), ("title", text("in words")),
                    ("document", text("the written standard")),
                    (
                        "release",
                        closed([
                            ("distribution", reference("texts", "names of Python distributions")),
                            ("parameter", text("the parameter by which an image claims to be of a release")),
                            ("repository", text("the repository whose tags begin with a release")),
                        ])
                    ),
                    ("parameters", map(of: "parameter")), ("lineage", reference("lineage")),
                    ("profiles", list(of: "profile")), ("variants", list(of: "variant")),
                    ("statements", list(of: "statement")), ("group", text("the subject of the checks")),
                    ("scenarios", map(of: "scenario")),
                    ("checks", list(of: "check")),
                ])
            ), ("$defs", object(definitions)),
        ])
    }

    private static var definitions: [(String, JSON)] {
        [
            ("text", object([("type", .array(["string", "number", "boolean"]))])),
            (
                "texts",
                anyOf([
                    reference("text"), object([("type", "array"), ("items", reference("text"))]),
                ])
            ),
            ("flag", object([("type", "boolean")])),
            ("matcher", matcher), ("operators", operators), ("quantified", quantified),
            ("parameter", parameter), ("profile", profile), ("variant", variant), ("lineage", lineage),
            ("statement", statement),
            ("place", choice(StatementDeclaration.Place.allCases.map(\.rawValue))), ("condition", condition),
            ("check", check), ("scenario", scenario), ("container", container), ("service", service),
            ("file", file), ("step", step),
            (
                "expectation",
                object([
                    (
                        "anyOf",
                        .array(ExpectationKind.all.map { reference("expect-\($0.name)") })
                    ), ("unevaluatedProperties", .bool(false)),
                ])
            ), ("expectations", oneOrMore("expectation")),
        ] + ExpectationKind.all.map { ("expect-\($0.name)", schema(of: $0)) }
    }

    // MARK: Values

    private static var matcher: JSON {
        anyOf([
            reference("text"), object([("type", "array"), ("items", reference("text"))]),
            reference("operators"),
            object([
                ("type", "object"), ("minProperties", .number("1")),
                (
                    "propertyNames",
                    object([("pattern", "^(default|[<>=]=? *[0-9].*|[0-9.]*[0-9][^ ]*|\\.\\.[0-9].*)$")])
                ), ("additionalProperties", reference("matcher")),
            ]),
        ])
    }

    private static var operators: JSON {
        closed(
            Matcher.operators.map { ($0, value(ofOperator: $0)) }, and: [("minProperties", .number("1"))])
    }

    private static func value(ofOperator name: String) -> JSON {
        switch name {
        case "not", "each": reference("matcher")
        case "absent": reference("flag")
        case "oneOf": object([("type", "array"), ("items", reference("text")), ("minItems", .number("1"))])
        case "equals": reference("texts")
        default: reference("text")
        }
    }

    private static var quantified: JSON {
        let names = Quantified.Quantifier.allCases.map(\.rawValue)
        let mapping = closed(
            names.map { ($0, reference("texts")) } + [
                ("except", reference("texts", "names or globs that do not count")),
                ("from", choice(Quantified.Origin.allCases.map(\.rawValue))),
            ],
            and: [("oneOf", .array(names.map { object([("required", .array([.string($0)]))]) }))])
        return anyOf([reference("texts"), mapping])
    }

    // MARK: Declarations

    private static var parameter: JSON {
        closed(
            [
                ("title", text("what it is, in words")), ("default", reference("text")),
                ("type", choice(ParameterDeclaration.ValueType.allCases.map(\.rawValue))),
                ("aliases", reference("texts", "other names of the same argument")),
                ("environment", reference("texts", "variables of the image that repeat it")),
                ("label", reference("texts", "labels of the image that repeat it")),
                ("matching", text("what to take of an observed value: the first group")),
            ], required: ["title"])
    }

    private static var profile: JSON {
        closed(
            [
                ("id", text("")), ("title", text("")), ("versions", text("a range of releases")),
                ("when", reference("condition")),
                ("parameters", object([("type", "object"), ("additionalProperties", reference("text"))])),
            ], required: ["id", "title", "versions"])
    }

    private static var variant: JSON {
        closed(
            [("id", text("")), ("title", text("")), ("when", reference("condition"))],
            required: ["id", "title"])
    }

    private static var lineage: JSON {
        closed(
            [
                ("lastInstruction", text("the instruction by which the standard's Dockerfile ends")),
                ("containing", text("what the step contains")),
                ("customisedBy", reference("texts", "parameters")),
            ], required: ["lastInstruction", "containing"])
    }

    private static var statement: JSON {
        closed(
            [
                ("id", object([("type", "string"), ("pattern", "^[A-Z]{1,8}[0-9]{1,6}$")])),
                ("lines", reference("texts", "lines of the document")),
                ("shown", oneOrMore("place")), ("text", text("what the document says, in our words")),
                ("reason", text("why no image shows it")), ("note", text("what changed, or is vague")),
                (
                    "drift",
                    closed(
                        [
                            ("document", text("what the document says")),
                            ("images", text("what images do")), ("sources", reference("texts")),
                        ], required: ["document", "images"])
                ),
            ], required: ["id", "shown", "text"])
    }

    private static var condition: JSON {
        object([
            ("type", "object"), ("minProperties", .number("1")),
            (
                "properties",
                object([
                    ("versions", text("a range of releases")), ("parameters", map(of: "matcher")),
                    ("variant", text("the id of a variant")),
                    ("lineage", choice(Condition.Lineage.allCases.map(\.rawValue))),
                    ("given", choice(Condition.Input.allCases.map(\.rawValue))),
                    ("all", list(of: "condition")), ("any", list(of: "condition")),
                    ("none", list(of: "condition")),
                ])
            ),
            (
                "anyOf",
                .array(
                    ExpectationKind.all.map { reference("expect-\($0.name)") } + [
                        object([
                            (
                                "not",
                                anyOf(
                                    ExpectationKind.all.map {
                                        object([("required", .array([.string($0.name)]))])
                                    })
                            )
                        ])
                    ])
            ), ("unevaluatedProperties", .bool(false)),
        ])
    }

    private static var check: JSON {
        closed(
            [
                ("id", object([("type", "string"), ("pattern", "^[A-Z0-9]+(-[A-Z0-9]+)+$")])),
                ("title", text("what has to hold")),
                ("statements", reference("texts", "ids of the document's statements")),
                ("source", text("the section of the document")),
                ("severity", choice(Severity.allCases.map(\.rawValue))),
                ("when", reference("condition", "to what images it applies")),
                ("run", text("the scenario that it looks at")),
                ("expect", reference("expectations", "all have to hold")),
                ("documented", reference("expectations", "what the document says, where images differ")),
                ("remedy", text("what to do about a fail")),
            ], required: ["id", "title", "expect"])
    }

    // MARK: Scenarios

    private static var scenario: JSON {
        closed(
            [
                ("services", map(of: "service")), ("environment", map(of: "text")),
                ("files", list(of: "file")), ("containers", map(of: "container")),
                ("steps", list(of: "step")), ("within", text("seconds that the whole may take")),
            ], required: ["containers"])
    }

    private static var service: JSON {
        closed(
            [
                ("kind", choice(ServiceDeclaration.Kind.allCases.map(\.rawValue))),
                ("opens", reference("flag", "false: it can be reached when a step opens it, or never")),
                ("opensAfter", text("seconds after the start")),
                ("drops", text("so many of the first connections are closed at once")),
                ("resets", text("so many of the next connections are reset")),
            ], required: ["kind"])
    }

    private static var container: JSON {
        anyOf([
            object([("type", "null")]),
            closed([
                ("args", reference("texts", "arguments of the entrypoint")),
                ("entrypoint", reference("texts", "instead of the image's")),
                ("user", text("a name, or UID:GID")), ("workingDirectory", text("")),
                ("environment", map(of: "text")), ("stdin", text("what it reads")),
                ("files", list(of: "file")), ("volumes", map(of: "text")),
                ("tty", reference("flag", "its streams are a terminal")),
                ("tmpfs", reference("texts", "empty directories in memory")),
                ("memory", text("bytes, with k, m or g")), ("processes", text("and threads")),
            ]),
        ])
    }

    private static var file: JSON {
        closed(
            [
                ("path", text("")), ("content", text("")),
                ("from", text("SERVICE.FILE: a file that a service makes")),
                ("mode", text("up to four octal digits")),
            ], required: ["path"])
    }

    private static var step: JSON {
        closed([
            ("start", text("a container")),
            ("wait", text("a container: its end, text of a stream, or a port; a service: connections")),
            ("signal", text("a container")), ("exec", text("a container")),
            ("look", text("a container: its processes, ports and files")),
            ("files", reference("texts", "paths to look at")),
            ("contents", reference("texts", "paths of files to read")),
            ("port", text("TCP, of a container without services")),
            ("connections", text("that a service has accepted, 1 to 1000")),
            ("open", text("a service that is not open")), ("pause", text("seconds")),
            ("stdout", reference("matcher")), ("stderr", reference("matcher")),
            ("name", text("of the signal, without SIG")), ("as", text("the name of the command")),
            ("args", reference("texts")), ("user", text("who runs the command")),
            ("within", text("seconds")),
        ])
    }

    private static func schema(of kind: ExpectationKind) -> JSON {
        let keys = [(kind.name, value(kind.value, kind.name, kind.summary))]
        return object([
            ("type", "object"),
            (
                "properties",
                object(keys + kind.keys.map { ($0.name, value($0.value, $0.name, $0.summary)) })
            ), ("required", .array([.string(kind.name)])),
        ])
    }

    private static func value(_ kind: ExpectationKind.ValueKind, _ name: String, _ summary: String) -> JSON {
        switch kind {
        case .text: return reference("text", summary)
        case .texts: return reference("texts", summary)
        case .flag: return reference("flag", summary)
        case .matcher: return reference("matcher", summary)
        case .quantified: return reference("quantified", summary)
        case .matcherOperator: return value(ofOperator: name)
        case .mapping(let keys):
            return closed(keys.map { ($0.name, value($0.value, $0.name, $0.summary)) })
        }
    }

    // MARK: Building blocks

    private static func object(_ members: [(String, JSON)]) -> JSON {
        .object(members.map { JSON.Member($0.0, $0.1) })
    }

    private static func closed(
        _ properties: [(String, JSON)], required: [String] = [], and others: [(String, JSON)] = []
    ) -> JSON {
        object(
            [
                ("type", "object"), ("properties", object(properties)),
                ("required", .array(required.map(JSON.string))), ("additionalProperties", .bool(false)),
            ] + others)
    }

    private static func reference(_ name: String, _ description: String = "") -> JSON {
        object(
            [("$ref", .string("#/$defs/\(name)"))]
                + (description.isEmpty ? [] : [("description", .string(description))]))
    }

    private static func text(_ description: String) -> JSON { reference("text", description) }

    private static func list(of name: String) -> JSON {
        object([("type", "array"), ("items", reference(name))])
    }

    private static func map(of name: String) -> JSON {
        object([("type", "object"), ("additionalProperties", reference(name))])
    }

    private static func oneOrMore(_ name: String) -> JSON {
        anyOf([
            reference(name),
            object([("type", "array"), ("items", reference(name)), ("minItems", .number("1"))]),
        ])
    }

    private static func choice(_ values: [String]) -> JSON {
        object([("enum", .array(values.map(JSON.string)))])
    }

    private static func anyOf(_ schemas: [JSON]) -> JSON { object([("anyOf", .array(schemas))]) }
}
