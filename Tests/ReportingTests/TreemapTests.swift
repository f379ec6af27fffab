import Testing

@testable import Reporting

@Suite("Treemaps") struct TreemapTests {
    private let whole = Rectangle(x: 10, y: 20, width: 300, height: 200)

    @Test func areasAreInProportionAndFillTheWhole() {
        let weights = [6.0, 6, 4, 3, 2, 2, 1]
        let places = Treemap.layout(weights, in: whole)
        for (weight, place) in zip(weights, places) {
            #expect(abs(place.area - weight / 24 * whole.area) < 1e-6)
            #expect(place.x >= 10 - 1e-9 && place.x + place.width <= 310 + 1e-9)
            #expect(place.y >= 20 - 1e-9 && place.y + place.height <= 220 + 1e-9)
        }
        for (index, one) in places.enumerated() {
            for other in places[..<index] {
                let width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
                let height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
                #expect(width < 1e-6 || height < 1e-6, "\(one) overlaps \(other)")
            }
        }
    }

    @Test func rectanglesAreSquareAsCanBe() {
        // The example of the paper: 6 by 4.
        let places = Treemap.layout([6, 6, 4, 3, 2, 2, 1], in: Rectangle(x: 0, y: 0, width: 6, height: 4))
        #expect(places[0] == Rectangle(x: 0, y: 0, width: 3, height: 2))
        #expect(places[1] == Rectangle(x: 0, y: 2, width: 3, height: 2))
        #expect(places.allSatisfy { max($0.width / $0.height, $0.height / $0.width) < 3 })
    }

    @Test func nothingHasNoPlace() {
        #expect(Treemap.layout([], in: whole).isEmpty)
        #expect(Treemap.layout([0, 5, 0], in: whole).map(\.area) == [0, 60_000, 0])
        #expect(Treemap.layout([0, 0], in: whole).map(\.area) == [0, 0])
        #expect(
            Treemap.layout([1, 2], in: Rectangle(x: 0, y: 0, width: 0, height: 9)).map(\.area) == [0, 0])
        #expect(Treemap.layout([-1, 3], in: whole).map(\.area) == [0, 60_000])
    }

    @Test func sizesOfAnyOrderOfMagnitudeHaveFinitePlaces() {
        for place in Treemap.layout([9e18, 1e9, 1, 1], in: whole) {
            #expect(place.width.isFinite && place.height.isFinite && place.width >= 0 && place.height >= 0)
        }
    }

    @Test func anInsetIsNeverLessThanNothing() {
        #expect(whole.inset(by: 5, top: 10) == Rectangle(x: 15, y: 35, width: 290, height: 180))
        let small = Rectangle(x: 0, y: 0, width: 4, height: 4).inset(by: 5, top: 10)
        #expect(small.width == 0 && small.height == 0)
    }
}
