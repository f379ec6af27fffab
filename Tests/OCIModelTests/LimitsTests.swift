import OCIModel
import Testing

@Suite("Limits") struct LimitsTests {
    @Test func everyLimitHasANameAndADefaultThatCanBeSet() throws {
        let names = Limit.allCases.map(\.name)
        #expect(Set(names).count == names.count)
        for limit in Limit.allCases {
            #expect(limit.range.contains(limit.defaultValue), "\(limit)")
            #expect(Limit(named: limit.name) == limit)
            #expect(Limits()[limit] == limit.defaultValue)
            var limits = Limits()
            try limits.set("\(limit.name)=\(limit.range.upperBound)")
            #expect(limits[limit] == limit.range.upperBound)
            #expect(limits.settings == ["\(limit.name)=\(limit.range.upperBound)"])
        }
        #expect(Limits().settings.isEmpty)
    }

    @Test(arguments: [
        ("layer-size=64G", Limit.layerSize, Int64(64 << 30)), ("window=1K", .window, 1 << 10),
        ("passwd=2M", .passwd, 2 << 20), ("layer-size=1T", .layerSize, 1 << 40), ("entries=7", .entries, 7),
    ])
    func values(text: String, limit: Limit, value: Int64) throws {
        var limits = Limits()
        try limits.set(text)
        #expect(limits[limit] == value)
    }

    @Test(arguments: [
        "entries", "entries=", "entries=-1", "entries=0", "entries=1K", "entries=x", "nonsense=1", "=1",
        "json-depth=513", "layer-size=9999999999999999999", "layer-size=9999999999T", "layer-size=K",
        "layer-size=1.5G", "layer-size=+1", "entries=3000000000",
    ])
    func wrongValues(text: String) {
        var limits = Limits()
        #expect { try limits.set(text) } throws: { ($0 as? ModelError)?.kind == .limit }
        #expect(limits == Limits())
    }
}

@Suite("Oddities") struct OdditiesTests {
    @Test func ofEachKindTheFirstAreKeptAndAllAreCounted() {
        var oddities = Oddities()
        for number in 0..<1_000 { oddities.note(.absolutePath, layer: 0, "/\(number)") }
        for number in 0..<Oddities.keptOfEach { oddities.note(.absolutePath, layer: 1, "/\(number)") }
        oddities.note(.user, "x")
        let list = oddities.list
        #expect(list.count == 2 * Oddities.keptOfEach + 2)
        #expect(list.last?.message.hasPrefix("995 more that are not listed") == true)
        #expect(list.last?.layer == 0)
        #expect(list.contains { $0.kind == .user && $0.layer == nil })
    }

    @Test func aLayersOwnGetItsPosition() {
        var layer = Oddities()
        for _ in 0..<7 { layer.note(.archiveWarning, "x") }
        var all = Oddities()
        all.append(layer, layer: 3)
        #expect(all.list.allSatisfy { $0.layer == 3 })
        #expect(all.list.last?.subject == "2 more that are not listed")
    }

    @Test func aSubjectIsShortened() {
        let oddity = Oddity(.absolutePath, String(repeating: "x", count: 10_000))
        #expect(oddity.subject.count == Oddity.maximumLength)
        #expect(oddity.subject.hasSuffix("…"))
    }

    @Test func namesAreStable() {
        let names = Oddity.Kind.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        #expect(
            names.allSatisfy {
                $0.contains(".") && $0.utf8.allSatisfy { (97...122).contains($0) || $0 == 45 || $0 == 46 }
            })
    }
}

@Suite("Oddities of a config") struct ConfigOdditiesTests {
    private func kinds(_ members: String, diffIDs: Int = 1) throws -> [Oddity.Kind] {
        let list = Array(repeating: "\"sha256:\(String(repeating: "0", count: 64))\"", count: diffIDs)
        let text =
            #"{"os":"linux","architecture":"amd64",\#(members)"rootfs":{"type":"layers","diff_ids":[\#(list.joined(separator: ","))]}}"#
        return try ImageConfig(parsing: Array(text.utf8)).oddities.list.map(\.kind)
    }

    @Test func ordinaryConfigs() throws {
        #expect(try kinds("").isEmpty)
        #expect(try kinds(#""config":{"Env":["A=b","C=","D=e=f"],"User":"0:0"},"#).isEmpty)
        #expect(try kinds(#""history":[{"created_by":"a"},{"created_by":"b","empty_layer":true}],"#).isEmpty)
    }

    @Test(arguments: ["NOTHING", "=x", ""])
    func environment(entry: String) throws {
        #expect(try kinds(#""config":{"Env":["\#(entry)"]},"#) == [.environment])
    }

    @Test func userWithLeadingZeros() throws {
        #expect(try kinds(#""config":{"User":"00"},"#) == [.user])
        #expect(try kinds(#""config":{"User":"1:007"},"#) == [.user])
    }

    @Test func historyOfOtherLayers() throws {
        #expect(try kinds(#""history":[{"created_by":"a"},{"created_by":"b"}],"#) == [.history])
        #expect(try kinds(#""history":[{"created_by":"a"}],"#, diffIDs: 2) == [.history])
    }

    @Test(
        "a member that differs from the format's in nothing but case is refused",
        arguments: [
            #""Config":{"User":"0"},"#, #""config":{"user":"0"},"#, #""config":{"Labels":{},"labels":{}},"#,
            #""HISTORY":[],"#, "\"hi\u{17F}tory\":[],",
        ])
    func caseVariants(members: String) {
        #expect { try kinds(members) } throws: { ($0 as? ModelError)?.kind == .duplicateKey }
    }

    @Test func namesOfLabelsMayDifferInCase() throws {
        #expect(try kinds(#""config":{"Labels":{"a":"1","A":"2"}},"#).isEmpty)
    }
}
