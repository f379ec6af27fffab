import Verdict

extension HTMLReport {
    private static let mapWidth = 1000.0
    /// Hues of layers; they come again where there are more layers.
    private static let hues = 10
    /// Rows of a table of the largest directories.
    private static let directoryLimit = 40

    // MARK: Layers

    mutating func writeContents(_ run: ImageRun, _ prefix: String) {
        let image = run.image
        if image.layers.isEmpty { return }
        let roots = run.contents?.layers ?? []
        startSection("\(prefix)-contents", "Layers")
        html.element("p", class: "hint", contentsSummary(run))
        writeLayerBar(image, roots)
        if roots.contains(where: { $0.size > 0 }) {
            writeMap(
                roots.enumerated().map { Tile($1, layer: $0, isLayer: true) }, prefix: prefix, height: 520,
                label: "Treemap of the image by layer and directory")
        }
        for (index, layer) in image.layers.enumerated() {
            writeLayer(layer, index, index < roots.count ? roots[index] : nil, prefix)
        }
        writeDirectories(roots)
        html.end()
    }

    private func contentsSummary(_ run: ImageRun) -> String {
        guard let contents = run.contents else {
            return "The record does not say what is in the layers: it was written by an older version."
        }
        let bytes = contents.layers.reduce(Int64(0)) { saturatingSum($0, $1.bytes) }
        let hidden = contents.layers.reduce(Int64(0)) { saturatingSum($0, $1.hiddenBytes) }
        return "\(ByteCount(bytes)) of files in \(counted(run.image.layers.count, "layer")), and "
            + "\(ByteCount(hidden)) that later layers replace or remove: it is in the image and nobody sees it. "
            + "Areas are bytes; what is hatched is hidden."
    }

    /// All layers beside each other; the share that is hidden is hatched.
    private mutating func writeLayerBar(_ image: ImageIdentity, _ roots: [DirectorySize]) {
        let total = image.layers.reduce(0.0) { $0 + Double(max(0, $1.uncompressedSize)) }
        guard total > 0 else { return }
        html.start(
            "svg",
            [
                ("viewBox", "0 0 1000 26"), ("class", "layerbar"), ("preserveAspectRatio", "none"),
                ("aria-hidden", "true"),
            ])
        var x = 0.0
        for (index, layer) in image.layers.enumerated() {
            let width = Double(max(0, layer.uncompressedSize)) / total * Self.mapWidth
            if width >= 0.1 {
                let whole = Rectangle(x: x, y: 0, width: width, height: 26)
                rectangle(whole, "fill \(hue(index))")
                if index < roots.count, roots[index].size > 0 {
                    let share = Double(roots[index].hiddenBytes) / Double(roots[index].size)
                    if share > 0 {
                        rectangle(
                            Rectangle(x: x + width * (1 - share), y: 0, width: width * share, height: 26),
                            "waste")
                    }
                }
            }
            x += width
        }
        html.end()
    }

    private mutating func writeLayer(
        _ layer: LayerIdentity, _ index: Int, _ root: DirectorySize?, _ prefix: String
    ) {
        html.start("details", [("class", "layer"), ("id", "\(prefix)-layer-\(index + 1)")])
        html.start("summary")
        html.element("span", class: "chip \(hue(index))", String(index + 1))
        html.start("span", class: "sizes")
        html.element("b", ByteCount(layer.uncompressedSize).description)
        if let root, root.hiddenBytes > 0 {
            html.element("span", class: "hidden-bytes", " ▨ \(ByteCount(root.hiddenBytes)) hidden")
        }
        html.end()
        html.element(
            "code", class: "instruction",
            shortened(step(layer.instruction ?? "the history does not say which step"), limit: 400))
        html.end()
        html.start("dl", class: "facts")
        field("instruction", layer.instruction ?? "the history does not say which step", isCode: true)
        field("digest", layer.digest, isCode: true)
        field("diff ID", layer.diffID, isCode: true)
        field("size", "\(ByteCount(layer.size)), \(ByteCount(layer.uncompressedSize)) uncompressed")
        if let root {
            field(
                "files",
                "\(ByteCount(root.bytes)) shown, \(ByteCount(root.hiddenBytes)) hidden by later layers")
        }
        html.end()
        if let root, !root.directories.isEmpty {
            writeMap(
                [Tile(root, layer: index, isLayer: false)], prefix: prefix, height: 260,
                label: "Treemap of layer \(index + 1) by directory")
        }
        html.end()
    }

    /// The step without what builders put before it: build arguments, shell, "#(nop)".
    private func step(_ instruction: String) -> String {
        var text = Substring(instruction)
        if text.hasPrefix("|"), let shell = text.firstRange(of: " /bin/") {
            text = text[shell.lowerBound...].dropFirst()
        }
        for prefix in ["/bin/sh -c #(nop) ", "/bin/sh -c "] where text.hasPrefix(prefix) {
            text = text.dropFirst(prefix.count)
        }
        return text.allSatisfy(\.isWhitespace) ? instruction : String(text.drop(while: \.isWhitespace))
    }

    private mutating func writeDirectories(_ roots: [DirectorySize]) {
        struct Row {
            var layer: Int
            var path: String
            var size: DirectorySize
        }
        var rows: [Row] = []
        for (layer, root) in roots.enumerated() {
            var pending = root.directories.map { ("/\($0.name)", $0) }
            while let (path, directory) = pending.popLast() {
                rows.append(Row(layer: layer, path: path, size: directory))
                pending += directory.directories.map { ("\(path)/\($0.name)", $0) }
            }
        }
        if rows.isEmpty { return }
        let largest = rows.enumerated().sorted { left, right in
            left.element.size.size == right.element.size.size
                ? left.offset < right.offset : left.element.size.size > right.element.size.size
        }.prefix(Self.directoryLimit)
        html.start("details")
        html.element("summary", "The largest directories as a table")
        startTable(
            "The \(largest.count) largest directories of \(rows.count) that the record has; each holds those below"
        )
        tableHead(["directory", "layer", "size", "hidden"], numbers: ["layer", "size", "hidden"])
        for (_, row) in largest {
            html.start("tr")
            html.start("th", [("scope", "row")])
            html.element("code", shortened(row.path, limit: 300))
            html.end()
            html.element("td", class: "number", String(row.layer + 1))
            html.element("td", class: "number", ByteCount(row.size.bytes).description)
            html.element(
                "td", class: "number",
                row.size.hiddenBytes > 0 ? ByteCount(row.size.hiddenBytes).description : "")
            html.end()
        }
        endTable()
        html.end()
    }

    private func hue(_ layer: Int) -> String { "h\(layer % Self.hues)" }

    // MARK: Treemap

    /// A directory, or the files of one.
    private struct Tile {
        var name: String
        var layer: Int
        var isLayer: Bool
        var bytes: Int64
        var hiddenBytes: Int64
        var children: [Tile]

        init(_ directory: DirectorySize, layer: Int, isLayer: Bool) {
            self.init(directory, name: isLayer ? "layer \(layer + 1)" : directory.name, layer, isLayer)
        }

        private init(_ directory: DirectorySize, name: String, _ layer: Int, _ isLayer: Bool) {
            var directory = directory
            var name = name
            // A directory that holds nothing but another one: one tile for both.
            while let only = directory.directories.first, only.size == directory.size, !isLayer, only.size > 0
            {
                name = name.isEmpty ? only.name : "\(name)/\(only.name)"
                directory = only
            }
            (self.name, self.layer, self.isLayer) = (name, layer, isLayer)
            (bytes, hiddenBytes) = (directory.bytes, directory.hiddenBytes)
            children = directory.directories.filter { $0.size > 0 }.map {
                Tile($0, name: $0.name, layer, false)
            }
        }

        var weight: Double { Double(max(0, bytes)) + Double(max(0, hiddenBytes)) }

        /// What is in none of the children.
        var rest: (bytes: Double, hiddenBytes: Double) {
            let below = children.reduce((0.0, 0.0)) {
                ($0.0 + Double($1.bytes), $0.1 + Double($1.hiddenBytes))
            }
            return (max(0, Double(bytes) - below.0), max(0, Double(hiddenBytes) - below.1))
        }
    }

    private mutating func writeMap(_ tiles: [Tile], prefix: String, height: Double, label: String) {
        html.start("figure", class: "map")
        html.start(
            "div",
            [
                ("class", "scroll"), ("role", "group"), ("tabindex", "0"),
                ("aria-label", "\(label); arrow keys move between the directories"),
            ])
        html.start(
            "svg",
            [("viewBox", "0 0 \(decimal(Self.mapWidth)) \(decimal(height))"), ("class", "treemap")])
        let tiles = tiles.filter { $0.weight > 0 }.sorted { $0.weight > $1.weight }
        let whole = Rectangle(x: 0, y: 0, width: Self.mapWidth, height: height)
        for (tile, place) in zip(tiles, Treemap.layout(tiles.map(\.weight), in: whole)) {
            if tile.isLayer {
                html.start(
                    "a",
                    [
                        ("href", "#\(prefix)-layer-\(tile.layer + 1)"),
                        ("aria-label", "layer \(tile.layer + 1), \(ByteCount(tile.bytes))"),
                    ])
                write(tile, in: place, path: "", depth: 0)
                html.end()
            } else {
                write(tile, in: place, path: "", depth: 0)
            }
        }
        html.end()
        html.end()
        html.element("figcaption", [("class", "readout"), ("aria-live", "polite")], label)
        html.end()
    }

    private mutating func write(_ tile: Tile, in place: Rectangle, path: String, depth: Int) {
        let path = depth == 0 && tile.isLayer ? "" : "\(path)/\(tile.name)"
        html.start("g", class: hue(tile.layer))
        box(place, "tile d\(min(depth, 5))", told: (tile, path.isEmpty ? "/" : path))
        let hasLabel = place.width >= 44 && place.height >= 18
        if hasLabel { label(tile.name.isEmpty ? "/" : tile.name, at: place) }
        let inside = place.inset(by: 1.5, top: hasLabel ? 14 : 0)
        let fits = inside.width >= 6 && inside.height >= 6
        let rest = tile.rest
        // What is left over is drawn after the children, so that the largest come first.
        var weights = fits ? tile.children.map(\.weight) : []
        let childCount = weights.count
        let hidden = fits ? rest.hiddenBytes : Double(max(0, tile.hiddenBytes))
        let shown = fits ? rest.bytes : Double(max(0, tile.bytes))
        weights += [shown, hidden]
        let places = Treemap.layout(weights, in: fits ? inside : place)
        for index in 0..<childCount where places[index].width >= 2 && places[index].height >= 2 {
            write(tile.children[index], in: places[index], path: path, depth: depth + 1)
        }
        if let waste = places.last, hidden > 0, waste.width >= 0.5, waste.height >= 0.5 {
            rectangle(waste, "waste")
        }
        html.end()
    }

    private mutating func box(_ place: Rectangle, _ style: String, told: (tile: Tile, path: String)) {
        html.start(
            "rect",
            [
                ("x", decimal(place.x)), ("y", decimal(place.y)), ("width", decimal(place.width)),
                ("height", decimal(place.height)), ("class", style),
            ])
        var text =
            "layer \(told.tile.layer + 1)  \(shortened(told.path, limit: 300))  \(ByteCount(told.tile.bytes))"
        if told.tile.hiddenBytes > 0 { text += ", and \(ByteCount(told.tile.hiddenBytes)) hidden" }
        html.element("title", text)
        html.end()
    }

    private mutating func label(_ text: String, at place: Rectangle) {
        let room = Int((place.width - 8) / 7.4)
        let scalars = text.unicodeScalars
        let shown = scalars.count <= room ? text : String(scalars.prefix(max(1, room - 1))) + "…"
        html.element("text", [("x", decimal(place.x + 4)), ("y", decimal(place.y + 12))], shown)
    }

    // MARK: Packages

    mutating func writePackages(_ run: ImageRun, _ prefix: String) {
        guard let contents = run.contents, contents.packages != nil || contents.distributions != nil else {
            return
        }
        startSection("\(prefix)-packages", "Packages")
        if let packages = contents.packages { writeTable(packages, "Debian packages") }
        if let distributions = contents.distributions { writeTable(distributions, "Python distributions") }
        html.end()
    }

    private mutating func writeTable(_ list: PackageList, _ title: String) {
        let packages = list.packages
        let count = packages.count + (list.omitted ?? 0)
        let bytes = packages.reduce(Int64(0)) { saturatingSum($0, $1.bytes ?? 0) }
        html.start("details", class: "packages")
        html.element(
            "summary",
            "\(count.grouped) \(title)" + (bytes > 0 ? ", \(ByteCount(bytes)) by their own account" : ""))
        startTable(title)
        let columns: [(name: String, isUsed: Bool)] = [
            ("architecture", packages.contains { $0.architecture != nil }),
            ("directory", packages.contains { $0.location != nil }),
            ("size", packages.contains { $0.bytes != nil }),
        ]
        tableHead(
            ["name", "version"] + columns.filter(\.isUsed).map(\.name) + ["layer"],
            numbers: ["size", "layer"])
        for package in packages {
            html.start("tr")
            html.element("th", [("scope", "row")], shortened(package.name, limit: 200))
            html.element("td", shortened(package.version, limit: 200))
            if columns[0].isUsed { html.element("td", shortened(package.architecture ?? "", limit: 60)) }
            if columns[1].isUsed {
                html.start("td")
                html.element("code", shortened(package.location ?? "", limit: 300))
                html.end()
            }
            if columns[2].isUsed {
                html.element("td", class: "number", package.bytes.map { ByteCount($0).description } ?? "")
            }
            html.element("td", class: "number", package.layer.map(String.init) ?? "")
            html.end()
        }
        endTable()
        if let omitted = list.omitted {
            html.element("p", class: "rest", "… \(omitted.grouped) more, which the record does not list")
        }
        html.end()
    }
}

extension DirectorySize {
    /// All bytes, up to `Int64.max`.
    fileprivate var size: Int64 {
        let (sum, overflows) = max(0, bytes).addingReportingOverflow(max(0, hiddenBytes))
        return overflows ? .max : sum
    }
}
