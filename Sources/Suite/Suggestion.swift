/// The candidate nearest to a word by edit distance, if one is near enough to be meant.
///
/// - Returns: nil when the best candidate needs more edits than a third of the word's length, but at least two.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(2, word.count / 3)
    var best: (distance: Int, name: String)?
    for candidate in candidates where candidate != word {
        let distance = editDistance(Array(word.lowercased()), Array(candidate.lowercased()))
        let isBetter = best.map { (distance, candidate) < ($0.distance, $0.name) } ?? true
        if distance <= limit, distance < candidate.count, isBetter { best = (distance, candidate) }
    }
    return best?.name
}

/// Insertions, deletions, substitutions and transpositions of neighbours, each at cost 1.
func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...right.count)
    for (row, character) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var cost = min(
                previous[column + 1] + 1, current[column] + 1, previous[column] + (character == other ? 0 : 1)
            )
            if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
                cost = min(cost, beforePrevious[column - 1] + 1)
            }
            current.append(cost)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[right.count]
}
