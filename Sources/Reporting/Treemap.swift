/// A rectangle on a plane whose y grows downwards.
struct Rectangle: Equatable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    var area: Double { width * height }

    /// Without a margin on each side, and without more of it on top; never less than nothing.
    func inset(by margin: Double, top: Double = 0) -> Rectangle {
        Rectangle(
            x: x + min(margin, width / 2), y: y + min(margin + top, height),
            width: max(0, width - 2 * margin), height: max(0, height - 2 * margin - top))
    }
}

/// Fills a rectangle with others whose areas are in the proportion of weights, as square as can be (Bruls, Huizing, van
/// Wijk: Squarified Treemaps, 2000).
enum Treemap {
    /// - Parameter weights: the largest first; what is not above zero gets an empty rectangle.
    /// - Returns: a rectangle for each weight.
    static func layout(_ weights: [Double], in whole: Rectangle) -> [Rectangle] {
        let total = weights.reduce(0) { $0 + max(0, $1) }
        guard total > 0, whole.area > 0 else { return weights.map { _ in empty(in: whole) } }
        let scale = whole.area / total
        var result: [Rectangle] = []
        result.reserveCapacity(weights.count)
        var rest = whole
        var row: [Double] = []
        for weight in weights where weight > 0 {
            let area = weight * scale
            let side = min(rest.width, rest.height)
            if !row.isEmpty, worst(row, side) < worst(row + [area], side) {
                result += place(row, in: &rest)
                row = []
            }
            row.append(area)
        }
        result += place(row, in: &rest)
        let filled = result
        var next = filled.makeIterator()
        return weights.map { $0 > 0 ? next.next() ?? empty(in: whole) : empty(in: whole) }
    }

    private static func empty(in whole: Rectangle) -> Rectangle {
        Rectangle(x: whole.x, y: whole.y, width: 0, height: 0)
    }

    /// The longest side by the shortest of the row's worst rectangle.
    private static func worst(_ row: [Double], _ side: Double) -> Double {
        guard let largest = row.max(), let smallest = row.min(), side > 0, smallest > 0 else {
            return .infinity
        }
        let sum = row.reduce(0, +)
        return max(side * side * largest / (sum * sum), sum * sum / (side * side * smallest))
    }

    /// Places a row along the shorter side.
    private static func place(_ row: [Double], in rest: inout Rectangle) -> [Rectangle] {
        let sum = row.reduce(0, +)
        var result: [Rectangle] = []
        if rest.width >= rest.height {
            let width = rest.height > 0 ? min(rest.width, sum / rest.height) : 0
            var y = rest.y
            for area in row {
                let height = width > 0 ? area / width : 0
                result.append(Rectangle(x: rest.x, y: y, width: width, height: height))
                y += height
            }
            rest.x += width
            rest.width -= width
        } else {
            let height = rest.width > 0 ? min(rest.height, sum / rest.width) : 0
            var x = rest.x
            for area in row {
                let width = height > 0 ? area / height : 0
                result.append(Rectangle(x: x, y: rest.y, width: width, height: height))
                x += width
            }
            rest.y += height
            rest.height -= height
        }
        return result
    }
}
