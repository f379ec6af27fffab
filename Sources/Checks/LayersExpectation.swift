import Facts
import OCIModel
import RootFS
import Suite
import Verdict

/// `layers: {none: ["/var/lib/apt/lists/**"]}`
struct LayersExpectation: Expectation {
    static let kind = ExpectationKind(
        "layers", summary: "no layer carries such a file, whether or not a later layer hides it",
        value: .quantified,
        keys: [
            .init(
                "copied", "true: only files that a later layer stores again to change owner or mode", .flag),
            .init("allowedBytes", "up to so many bytes of them are no matter", .text),
        ],
        passing: "layers: {none: [\"/var/cache/apt/archives/*.deb\"]}",
        failing: "layers: {none: [\"/etc/os-release\"]}")

    private let quantified: Quantified
    private let isOfCopies: Bool
    private let allowedBytes: Int64

    init?(_ fields: Fields, _ reading: inout SuiteReading) {
        guard let quantified = Quantified("layers", fields, &reading) else { return nil }
        if quantified.quantifier != .none {
            reading.report(fields.node["layers"]?.position, "layers knows none, no other quantifier")
        }
        self.quantified = quantified
        isOfCopies = fields.flag("copied", &reading) ?? false
        let bytes = fields.text("allowedBytes", &reading)
        allowedBytes = bytes.flatMap(Int64.init) ?? 0
        if let bytes, Int64(bytes).map({ $0 < 0 }) ?? true {
            reading.report(
                fields.node["allowedBytes"]?.position, "\(bytes) is not a number of bytes")
        }
    }

    /// Files that a finding lists by name.
    private static let maximumListed = 10_000

    private struct Carried {
        var path: ImagePath
        var size: Int64
    }

    /// The layer that carries a file, and the one that hides it.
    private struct Place: Hashable, Comparable {
        var layer: Int
        var hiddenBy: Int?

        static func < (left: Place, right: Place) -> Bool {
            (left.layer, left.hiddenBy ?? .max) < (right.layer, right.hiddenBy ?? .max)
        }
    }

    func evaluate(_ context: EvaluationContext) throws(Unresolved) -> Evaluation {
        let names = try quantified.names(in: context.scope)
        let subject = Subject(.path, escaped(names.joined(separator: " ")))
        let wanted =
            isOfCopies ? "in no layer a file that a later one stores again" : "in no layer such a file"
        let carried = try self.carried(context)
        let bytes = carried.values.joined().reduce(Int64(0)) { saturatingSum($0, $1.size) }
        var result = Evaluation()
        if carried.isEmpty || bytes <= allowedBytes && allowedBytes > 0 {
            result.proofs.append(
                Finding(
                    subject: subject, expected: wanted,
                    observed: carried.isEmpty
                        ? "none" : "\(bytes.grouped) bytes, at most \(allowedBytes.grouped) are allowed"
                ))
            return result
        }
        let sums = carried.map { place, files in
            (place: place, files: files, total: files.reduce(Int64(0)) { saturatingSum($0, $1.size) })
        }
        for (place, files, total) in sums.sorted(by: { ($1.total, $0.place) < ($0.total, $1.place) }) {
            let fate =
                place.hiddenBy.map {
                    isOfCopies ? "stored again by layer \($0 + 1)" : "hidden by layer \($0 + 1)"
                }
                ?? "in the image"
            let largest = files.sorted { ($1.size, $0.path) < ($0.size, $1.path) }
            let names = largest.prefix(LayersExpectation.maximumListed).map(\.path.description)
            var finding = Finding(
                subject: Subject(.path, names.first ?? subject.name), expected: wanted,
                observed: "\(files.count.grouped) files of \(total.grouped) bytes, \(fate)",
                provenance: context.provenance(ofLayer: place.layer),
                details: largest.prefix(10).map { "\($0.path) (\($0.size.grouped) bytes)" })
            if names.count > 1 { finding.others = Array(names.dropFirst()) }
            if files.count > names.count { finding.omitted = files.count - names.count }
            result.failures.append(finding)
        }
        return result
    }

    func violations(_ context: EvaluationContext) throws(Unresolved) -> [Violation] {
        if isOfCopies {
            let largest = try PathsExpectation.matches(quantified, context)
                .filter { context.facts.rootfs.status(of: $0).kind == .file }
                .max { context.facts.rootfs.status(of: $0).size < context.facts.rootfs.status(of: $1).size }
            guard let largest, context.facts.rootfs.status(of: largest).size > allowedBytes else { return [] }
            let path = context.facts.rootfs.path(of: largest)
            return [
                Violation(
                    "chown 12345 \(path)", [.chown(path, uid: 12345, gid: 0)],
                    layer: context.facts.layers.count)
            ]
        }
        return try quantified.names(in: context.scope).prefix(3).map { name in
            let path = ImagePath(name.replacing("**/", with: "").replacing("*", with: "assay"))
            return Violation("write \(path)", [.write(.init(path, content: [0x78]))])
        }
    }

    /// What the globs match, by place: in the tree and hidden; directories take no room in a layer.
    private func carried(_ context: EvaluationContext) throws(Unresolved) -> [Place: [Carried]] {
        let rootfs = context.facts.rootfs
        var found: [Place: [Carried]] = [:]
        if !isOfCopies {
            for node in try PathsExpectation.matches(quantified, context) {
                let status = rootfs.status(of: node)
                guard status.kind != .directory, try quantified.counts(layer: status.layer, context) else {
                    continue
                }
                found[Place(layer: status.layer), default: []]
                    .append(Carried(path: rootfs.path(of: node), size: status.size))
            }
        }
        let globs = try quantified.names(in: context.scope).map { PathGlob($0) }
        let exceptions = try quantified.exceptions(in: context.scope).map { PathGlob($0) }
        for file in rootfs.hiddenFiles {
            if isOfCopies, !file.isCopied { continue }
            let path = file.path.bytes[...]
            guard globs.contains(where: { $0.matches(path) }),
                !exceptions.contains(where: { $0.matches(path) }),
                try quantified.counts(layer: file.status.layer, context)
            else { continue }
            found[Place(layer: file.status.layer, hiddenBy: file.hiddenBy), default: []]
                .append(Carried(path: file.path, size: file.status.size))
        }
        return found
    }
}
