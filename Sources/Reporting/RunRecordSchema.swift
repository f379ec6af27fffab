import Verdict

/// The JSON Schema (draft 2020-12) of the run record, for those who read or write one without this library.
public enum RunRecordSchema {
    /// The schema, indented, its keys always in the same order.
    public static var text: String {
        get throws {
            String(decoding: try JSONDocument.bytes(of: root), as: UTF8.self)
        }
    }

    /// A schema, or a part of one.
    private indirect enum Schema: Encodable {
        case text(String)
        case number(Double)
        case flag(Bool)
        case list([Schema])
        case map([String: Schema])

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number):
                if let whole = Int64(exactly: number) {
                    try container.encode(whole)
                } else {
                    try container.encode(number)
                }
            case .flag(let flag): try container.encode(flag)
            case .list(let list): try container.encode(list)
            case .map(let map): try container.encode(map)
            }
        }

        func adding(_ keys: [String: Schema]) -> Schema {
            guard case .map(let own) = self else { return self }
            return .map(own.merging(keys) { _, new in new })
        }
    }

    private struct Key {
        var name: String
        var isNeeded: Bool
        var schema: Schema
    }

    private static func needed(_ name: String, _ schema: Schema) -> Key {
        Key(name: name, isNeeded: true, schema: schema)
    }

    private static func optional(_ name: String, _ schema: Schema) -> Key {
        Key(name: name, isNeeded: false, schema: schema)
    }

    // MARK: Values

    private static func of(type: String, _ description: String?) -> Schema {
        .map(["type": .text(type)].merging(description.map { ["description": .text($0)] } ?? [:]) { $1 })
    }

    private static func text(_ description: String? = nil) -> Schema { of(type: "string", description) }

    private static func flag(_ description: String) -> Schema { of(type: "boolean", description) }

    private static func integer(_ description: String?, _ range: ClosedRange<Int64>) -> Schema {
        of(type: "integer", description).adding([
            "minimum": .number(Double(range.lowerBound)), "maximum": .number(Double(range.upperBound)),
        ])
    }

    private static func count(_ description: String) -> Schema { integer(description, RecordBounds.counts) }

    private static func seconds(_ description: String) -> Schema {
        of(type: "number", description).adding([
            "minimum": .number(RecordBounds.seconds.lowerBound),
            "maximum": .number(RecordBounds.seconds.upperBound),
        ])
    }

    private static func list(of item: Schema, _ description: String? = nil) -> Schema {
        of(type: "array", description).adding(["items": item])
    }

    private static func choice(_ values: [String], _ description: String? = nil) -> Schema {
        text(description).adding(["enum": .list(values.map { .text($0) })])
    }

    private static func reference(_ name: String, _ description: String? = nil) -> Schema {
        .map(
            ["$ref": .text("#/$defs/\(name)")].merging(description.map { ["description": .text($0)] } ?? [:])
            { $1 })
    }

    /// With no other keys than these.
    private static func object(_ description: String, _ keys: [Key]) -> Schema {
        of(type: "object", description).adding([
            "properties": .map(Dictionary(keys.map { ($0.name, $0.schema) }) { $1 }),
            "required": .list(keys.filter(\.isNeeded).map { .text($0.name) }),
            "additionalProperties": .flag(false),
        ])
    }

    // MARK: The record

    private static var root: Schema {
        object(
            "What assay check found out, and the one source of its reports. Volatile: started, and whatever is said to be.",
            [
                needed("version", .map(["const": .number(Double(RunRecord.currentVersion))])),
                needed(
                    "tool",
                    object("The program that ran.", [needed("name", text()), needed("version", text())])),
                optional("started", text("When the run began, RFC 3339 in UTC. Volatile.")),
                needed("complete", flag("False when the run was interrupted: the results are partial.")),
                needed(
                    "suites",
                    list(
                        of: object(
                            "A suite.", [needed("name", text()), needed("digest", text("Of its files."))]))),
                needed("images", list(of: reference("run"))),
                needed(
                    "unreadable",
                    list(
                        of: object(
                            "An image that could not be judged at all.",
                            [
                                needed("reference", text("As the user named it.")),
                                needed("reason", text("What is wrong and where.")),
                                optional("hint", text("What the user can do about it.")),
                            ]))),
                optional(
                    "unusedWaivers", list(of: reference("unusedWaiver"), "Waivers that no image needed.")),
                optional(
                    "conflicts",
                    list(
                        of: reference("conflict"), "Of merged records: where runs on one image do not agree.")
                ),
            ]
        ).adding([
            "$schema": .text("https://json-schema.org/draft/2020-12/schema"),
            "title": .text("A run record of Assay"),
            "$defs": .map([
                "run": run, "identity": identity, "layer": layer, "profile": profile, "lineage": lineage,
                "baseline": baseline, "parameter": parameter, "result": result, "finding": finding,
                "subject": subject, "provenance": provenance, "waiverMark": waiverMark, "position": position,
                "drift": drift, "note": note, "transcript": transcript, "container": container,
                "containerState": containerState,
                "output": output,
                "service": service, "unusedWaiver": unusedWaiver, "conflict": conflict, "day": day,
                "outcome": outcome, "severity": severity, "contents": contents, "directory": directory,
                "packages": packages,
            ]),
        ])
    }

    private static var run: Schema {
        object(
            "The run on one image.",
            [
                needed("image", reference("identity")),
                optional("profile", reference("profile")), optional("lineage", reference("lineage")),
                optional(
                    "judgedByDocument",
                    flag(
                        "True when the letter of the document decided where images are known to differ from it."
                    )),
                optional("baseline", reference("baseline")),
                needed("parameters", list(of: reference("parameter"))),
                needed("results", list(of: reference("result"), "In the order of the suites.")),
                optional(
                    "transcripts", list(of: reference("transcript"), "What the scenarios of the probes did.")),
                optional("contents", reference("contents")),
                needed(
                    "notes", list(of: reference("note"), "Oddities of the image that are no check's subject.")
                ),
                needed("duration", seconds("Wall time, in seconds. Volatile.")),
            ])
    }

    private static var note: Schema {
        object(
            "Something odd about the image.",
            [
                needed("name", text("Stable, as tar.path.escape.")),
                optional(
                    "layer",
                    integer(
                        "The lowest is 1; not there for the image's documents.", RecordBounds.positions)),
                needed("message", text()),
            ])
    }

    private static var identity: Schema {
        object(
            "What was judged.",
            [
                needed("reference", text("As the user named it, with the transport.")),
                optional("manifestDigest", text("Not there where the transport has no manifest.")),
                needed("configDigest", text("The image ID.")),
                needed("platform", text("os/architecture[/variant]")),
                optional("created", text("RFC 3339, as the image config says.")),
                needed("layers", list(of: reference("layer"), "The lowest first.")),
            ])
    }

    private static var layer: Schema {
        object(
            "A layer.",
            [
                needed("digest", text("Of the blob.")),
                needed("diffID", text("Of the uncompressed archive.")),
                needed("size", count("Bytes of the blob.")),
                needed("uncompressedSize", count("Bytes of the uncompressed archive.")),
                optional("instruction", text("The step of the history that wrote it.")),
            ])
    }

    private static var profile: Schema {
        object(
            "The release line that the image was judged by.",
            [
                needed("id", text()), needed("title", text()),
                optional("variant", text("The kind of image within the line.")),
                needed("evidence", list(of: text(), "What was seen that led to it.")),
                needed("warnings", list(of: text())),
            ])
    }

    private static var lineage: Schema {
        object(
            "How the image came to be out of the standard's own.",
            [
                needed("extended", flag("Layers were added on top.")),
                needed("customised", flag("Built with build arguments that change its content.")),
                needed("evidence", list(of: text())),
                optional("baseLayers", count("Layers of the image that was extended.")),
                optional("baseSize", count("Bytes of their uncompressed archives.")),
                optional("addedSize", count("Bytes of the uncompressed archives of the layers on top.")),
            ])
    }

    private static var baseline: Schema {
        object(
            "What became of the baseline.",
            [
                needed("file", text("The record, as the user named it.")),
                optional("started", text("When the earlier run began.")),
                optional("reference", text("The image of the earlier run; not there when it has none.")),
                needed("gone", list(of: text(), "Ids of the checks that failed then and do not now.")),
            ])
    }

    private static var parameter: Schema {
        object(
            "A parameter with the value that was used; secrets are masked.",
            [
                needed("name", text()), needed("value", text()),
                needed("origin", text("Where the value comes from.")),
                optional("isDefault", flag("True for the value that holds where nothing tells another.")),
            ])
    }

    private static var result: Schema {
        object(
            "One check on one image.",
            [
                needed("id", text()), needed("title", text()), needed("suite", text("The suite's name.")),
                optional("suiteDigest", text("Where the record has several suites of that name.")),
                needed("group", text("The subject area within the suite.")),
                needed("severity", reference("severity")), needed("outcome", reference("outcome")),
                optional("reason", text("Why, in one line.")),
                needed(
                    "findings",
                    list(of: reference("finding"), "Of a fail what is wrong, of a pass what was observed.")),
                optional("undecided", list(of: text(), "Why parts of a fail could not be decided.")),
                optional("known", flag("True for a fail that the baseline has: it does not count.")),
                needed("statements", list(of: text(), "Ids of the document's statements that it enforces.")),
                optional("drift", list(of: reference("drift"))),
                optional("source", text("The section of the document.")), optional("remedy", text()),
                needed("position", reference("position", "Where the check is written.")),
                optional("scenario", text("The scenario whose transcript it looks at.")),
                needed("duration", seconds("Seconds. Volatile.")),
            ])
    }

    private static var finding: Schema {
        object(
            "One observation.",
            [
                needed("subject", reference("subject")), needed("expected", text()),
                needed("observed", text()),
                optional("provenance", reference("provenance")),
                needed("details", list(of: text(), "More of the same, one line each.")),
                optional("others", list(of: text(), "Names of the other subjects, of the same kind.")),
                optional("omitted", count("How many more subjects there are than are listed.")),
                optional("waiver", reference("waiverMark")),
                optional("known", flag("True when the baseline has it.")),
            ])
    }

    private static var subject: Schema {
        object(
            "What a finding speaks of.",
            [needed("kind", choice(Subject.Kind.allCases.map(\.rawValue))), needed("name", text())])
    }

    private static var provenance: Schema {
        object(
            "Which step of the build wrote it.",
            [
                optional("layer", integer("The lowest is 1.", RecordBounds.positions)),
                optional("layerDigest", text("Of the blob.")), optional("diffID", text()),
                optional("instruction", text("As the image's history tells it.")),
            ])
    }

    private static var waiverMark: Schema {
        object(
            "The waiver that covers a finding.",
            [
                needed("reason", text()), needed("owner", text()), needed("expires", reference("day")),
                needed("isExpired", flag("True when its day was over: the finding counts then.")),
                needed("position", reference("position")),
            ])
    }

    private static var position: Schema {
        object(
            "A place in a file; line and column count from 1.",
            [
                needed("file", text()), needed("line", integer(nil, RecordBounds.positions)),
                needed("column", integer(nil, RecordBounds.positions)),
            ])
    }

    private static var drift: Schema {
        object(
            "A statement of the document that images are known not to keep.",
            [
                needed("statement", text()), needed("document", text("What the document says.")),
                needed("images", text("What the images do.")), needed("sources", list(of: text())),
            ])
    }

    private static var transcript: Schema {
        object(
            "What happened while a scenario ran. Volatile but for its name: times, ports and what programs print.",
            [
                needed("scenario", text()), needed("runtime", text("oci, docker or podman")),
                needed(
                    "containers", list(of: reference("container"), "In the order in which they were started.")
                ),
                needed("services", list(of: reference("service"))),
                needed(
                    "events",
                    list(
                        of: object(
                            "Something that was done or seen.",
                            [
                                needed("time", seconds("Seconds since the scenario began.")),
                                needed("text", text()),
                            ]))),
                optional("incident", text("Why the scenario did not come to its end.")),
                needed("duration", seconds("Seconds.")),
            ])
    }

    private static var container: Schema {
        object(
            "What a container, or a command in one, did.",
            [
                needed("name", text()), needed("command", text("A command line that runs the same by hand.")),
                optional("exitCode", integer("128 and the number for a signal.", RecordBounds.exitCodes)),
                needed("standardOutput", reference("output")), needed("standardError", reference("output")),
                optional("started", seconds("Seconds after the scenario began.")),
                needed("duration", seconds("Seconds from its start to its end or removal.")),
                optional("state", reference("containerState", "What the last look saw of it.")),
            ])
    }

    private static var containerState: Schema {
        let status = object(
            "Of what is there.",
            [
                needed("type", text()),
                needed("uid", integer("As the container numbers its users.", RecordBounds.counts)),
                needed("gid", integer(nil, RecordBounds.counts)),
                needed("permissions", integer("Mode bits 07777.", RecordBounds.permissions)),
                optional("content", reference("output", "What is in a file that was read.")),
            ])
        let process = object(
            "Numbered as the container does; 0 is outside of it.",
            ["pid", "parent", "group", "session"].map { needed($0, integer(nil, RecordBounds.counts)) }
                + [needed("name", text("The program's name."))])
        let port = object(
            "A TCP port on which something listened.",
            [needed("address", text()), needed("number", integer(nil, 0...65_535))])
        return object(
            "A container at one moment, seen from outside.",
            [
                needed(
                    "files",
                    list(
                        of: object(
                            "What a path leads to.", [needed("path", text()), optional("status", status)]))),
                optional("processes", list(of: process)), optional("ports", list(of: port)),
            ])
    }

    private static var output: Schema {
        object(
            "What was written to a stream.",
            [
                needed("text", text("The beginning.")),
                needed("byteCount", count("All bytes that were written.")),
                needed("isTruncated", flag("Whether there was more than is kept.")),
            ])
    }

    private static var service: Schema {
        object(
            "What was seen of a service.",
            [
                needed("name", text()), needed("kind", text()), needed("port", integer(nil, 0...65_535)),
                needed("connections", count("Those that were accepted.")),
                optional("opened", seconds("Seconds after the scenario began.")),
                optional("firstConnection", seconds("Seconds after the scenario began.")),
            ])
    }

    private static var contents: Schema {
        object(
            "What the image holds, summed up.",
            [
                needed(
                    "layers",
                    list(of: reference("directory"), "The root as each layer has it, the lowest first.")),
                optional("packages", reference("packages", "Of Debian.")),
                optional("distributions", reference("packages", "Of Python.")),
            ])
    }

    private static var directory: Schema {
        object(
            "The bytes of the regular files that a layer has below a directory.",
            [
                needed("name", text("The last component of the path; empty for the root.")),
                needed("bytes", count("That the image shows.")),
                needed("hiddenBytes", count("That a later layer replaces or removes.")),
                needed("directories", list(of: reference("directory"), "The largest, the largest first.")),
            ])
    }

    private static var packages: Schema {
        object(
            "What a package manager says is installed.",
            [
                needed(
                    "packages",
                    list(
                        of: object(
                            "A package or distribution.",
                            [
                                needed("name", text()), needed("version", text()),
                                optional("architecture", text("Of a package of Debian.")),
                                optional("location", text("The directory of a distribution of Python.")),
                                optional("bytes", count("As its author estimated.")),
                                optional(
                                    "layer",
                                    integer("That installed it; the lowest is 1.", RecordBounds.positions)),
                            ]))), optional("omitted", count("How many more there are than are listed.")),
            ])
    }

    private static var unusedWaiver: Schema {
        object(
            "A waiver that no image of the run needed.",
            [
                needed(
                    "waiver",
                    object(
                        "As it is written.",
                        [
                            needed("check", text("An id or a glob.")), optional("subject", text("A glob.")),
                            optional("image", text("A digest, or a glob for references.")),
                            needed("reason", text()),
                            needed("owner", text()), needed("expires", reference("day")),
                            needed("position", reference("position")),
                        ])), needed("reason", text("Why it was not needed.")),
            ])
    }

    private static var conflict: Schema {
        object(
            "A check of which several runs on one image say different things.",
            [
                needed("configDigest", text("The image ID.")), needed("suite", text()),
                needed("check", text()),
                needed(
                    "variants",
                    list(
                        of: object(
                            "What one of the runs says.",
                            [
                                needed("reference", text("The image as it was named.")),
                                optional(
                                    "suiteDigest", text("Where the runs had different suites of that name.")),
                                needed("outcome", reference("outcome")), optional("evidence", text()),
                            ]))),
            ])
    }

    private static var day: Schema {
        text("The last day, in UTC.").adding(["pattern": .text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")])
    }

    private static var outcome: Schema {
        choice(
            Outcome.allCases.map(\.rawValue),
            "error: could not be decided; notApplicable: the statement does not speak of this image; waived: a fail under a dated waiver."
        )
    }

    private static var severity: Schema {
        choice(Severity.allCases.map(\.rawValue), "How much a fail weighs.")
    }
}
