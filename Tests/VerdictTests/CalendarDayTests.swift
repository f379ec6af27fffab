import Testing
import Verdict

struct CalendarDayTests {
    @Test(arguments: ["2027-01-31", "2028-02-29", "2000-02-29", "0001-01-01", "9999-12-31"])
    func isADay(text: String) { #expect(CalendarDay(text)?.description == text) }

    @Test(arguments: [
        "", "2027-1-31", "2027-02-29", "2100-02-29", "2027-13-01", "2027-00-10", "2027-04-31", "2027-01-00",
        "0000-01-01", "27-01-31", "2027/01/31", "2027-01-31T00:00:00Z", "+027-01-31", "２０２７-01-31",
    ])
    func isNoDay(text: String) { #expect(CalendarDay(text) == nil) }

    @Test(arguments: [
        ("2026-11-23T12:00:00Z", "2026-11-23"), ("2026-11-23T12:00:00.5Z", "2026-11-23"), ("2026-11-23", nil),
        ("2026-11-23T23:00:00-05:00", nil), ("10000-01-01T00:00:00Z", nil), ("yesterday", nil),
    ])
    func dayOfATime(time: String, day: String?) { #expect(CalendarDay(ofTime: time)?.description == day) }

    @Test func areInOrder() {
        let days = ["2026-12-31", "2027-01-01", "2027-01-31", "2027-02-01"].compactMap { CalendarDay($0) }
        #expect(days.count == 4 && days == days.sorted())
    }

    @Test(
        arguments: [
            (0, "0"), (999, "999"), (1_204, "1,204"), (31_877, "31,877"), (-1_000_000, "-1,000,000"),
            (Int64.min, "-9,223,372,036,854,775,808"),
        ] as [(Int64, String)])
    func thousandsAreGrouped(number: Int64, text: String) { #expect(number.grouped == text) }
}
