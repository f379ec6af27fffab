extension BinaryInteger {
    /// The decimal digits with a comma between thousands, whatever the locale: "31,877".
    public var grouped: String {
        let digits = String(magnitude)
        var output = self < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { output += "," }
            output.append(digit)
        }
        return output
    }
}
