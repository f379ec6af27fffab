import Facts
import LayerArchive
import OCIModel
import RootFS
import Testing

@Suite("What ELF files need") struct DynamicLinkerTests {
    /// The needs of a file, as "name: place", "name: missing" or "name: undecided".
    private func needs(
        of path: ImagePath, _ layer: Layer, environment: [String] = [], architecture: String = "amd64"
    ) throws -> [String]? {
        let rootfs = tree(layer)
        let facts = try facts(rootfs, config: config(environment: environment, architecture: architecture))
        let node = try #require(try rootfs.node(at: path))
        return try facts.linker.needs(of: node)?.map { need in
            let place =
                switch need.resolution {
                case .found(let path): path.description
                case .missing: "missing"
                case .undecided: "undecided"
                }
            return "\(String(decoding: need.name, as: UTF8.self)): \(place)"
        }
    }

    @Test func needsAreFoundAndTheirOwnToo() throws {
        let layer = Layer().library("srv/a.so", needs: ["libb.so.1", "libc.so.6"])
            .library("usr/lib/libb.so.1", needs: ["libc.so.6", "libgone.so"])
            .library("lib/x86_64-linux-gnu/libc.so.6")
        #expect(
            try needs(of: "/srv/a.so", layer) == [
                "libb.so.1: /usr/lib/libb.so.1", "libc.so.6: /lib/x86_64-linux-gnu/libc.so.6",
                "libgone.so: missing",
            ])
    }

    @Test func runpathIsForTheFileAloneAndRpathForWhatItLoads() throws {
        let libraries = Layer().library("opt/lib/libb.so", needs: ["libd.so"]).library("opt/lib/libd.so")
        let byRpath = libraries.library("srv/a.so", needs: ["libb.so"], rpath: "/opt/lib")
        #expect(
            try needs(of: "/srv/a.so", byRpath) == ["libb.so: /opt/lib/libb.so", "libd.so: /opt/lib/libd.so"])
        let byRunpath = libraries.library("srv/a.so", needs: ["libb.so"], runpath: "/opt/lib")
        #expect(try needs(of: "/srv/a.so", byRunpath) == ["libb.so: /opt/lib/libb.so", "libd.so: missing"])
        // DT_RPATH does not count beside DT_RUNPATH.
        let both = libraries.library("srv/a.so", needs: ["libb.so"], rpath: "/opt/lib", runpath: "/nowhere")
        #expect(try needs(of: "/srv/a.so", both) == ["libb.so: missing"])
    }

    @Test(arguments: ["$ORIGIN/../numpy.libs", "${ORIGIN}/../numpy.libs", "/nowhere:$ORIGIN/../numpy.libs"])
    func originIsTheDirectoryOfTheFile(runpath: String) throws {
        let layer = Layer().library("site/numpy/core.so", needs: ["libgfortran-1.so.5"], runpath: runpath)
            .library("site/numpy.libs/libgfortran-1.so.5")
        #expect(
            try needs(of: "/site/numpy/core.so", layer) == [
                "libgfortran-1.so.5: /site/numpy.libs/libgfortran-1.so.5"
            ])
    }

    @Test func theEnvironmentNamesDirectories() throws {
        let layer = Layer().library("srv/a.so", needs: ["libb.so"]).library("opt/lib/libb.so")
        #expect(try needs(of: "/srv/a.so", layer) == ["libb.so: missing"])
        #expect(
            try needs(of: "/srv/a.so", layer, environment: ["LD_LIBRARY_PATH=/opt/lib"]) == [
                "libb.so: /opt/lib/libb.so"
            ])
    }

    @Test func whatIsLoadedAnswersToItsName() throws {
        let layer = Layer().library("srv/a.so", needs: ["libb.so", "libreal.so.1"], runpath: "/opt")
            .library("opt/libb.so", name: "libreal.so.1")
        #expect(try needs(of: "/srv/a.so", layer) == ["libb.so: /opt/libb.so"])
    }

    @Test func librariesOfAnotherMachineArePassedOver() throws {
        let arm = DynamicSection.Format(machine: 183)
        let layer = Layer().library("srv/a.so", needs: ["libb.so"], runpath: "/opt")
            .library("opt/libb.so", format: arm).library("usr/lib/libb.so")
            .library("srv/arm.so", needs: ["libb.so"], format: arm)
        #expect(try needs(of: "/srv/a.so", layer) == ["libb.so: /usr/lib/libb.so"])
        #expect(try needs(of: "/srv/arm.so", layer) == nil)
        #expect(try needs(of: "/srv/arm.so", layer, architecture: "arm64") == ["libb.so: missing"])
    }

    @Test func whatCannotBeToldIsUndecided() throws {
        let unknownPath = Layer().library("srv/a.so", needs: ["libb.so"], runpath: "$PLATFORM/lib")
        #expect(try needs(of: "/srv/a.so", unknownPath) == ["libb.so: undecided"])
        let unreadLibrary = Layer().library("srv/a.so", needs: ["libb.so"])
            .linked("usr/lib/libb.so", .unreadable("it is cut short"))
        #expect(try needs(of: "/srv/a.so", unreadLibrary) == ["libb.so: undecided"])
        let noConfiguration = Layer().library("srv/a.so", needs: ["libb.so"]).directory("etc/ld.so.conf")
        #expect(try needs(of: "/srv/a.so", noConfiguration) == ["libb.so: undecided"])
        #expect(throws: FactError.self) {
            try needs(of: "/srv/a.so", Layer().linked("srv/a.so", .unreadable("it is cut short")))
        }
        #expect(throws: FactError.self) { try needs(of: "/srv/a.so", Layer().file("srv/a.so")) }
        #expect(try needs(of: "/srv/a.so", Layer().linked("srv/a.so", .notDynamic)) == nil)
    }
}

extension Layer {
    fileprivate func library(
        _ path: String, name: String? = nil, needs: [String] = [], rpath: String? = nil,
        runpath: String? = nil, format: DynamicSection.Format = .init()
    ) -> Layer {
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        return linked(
            path,
            .dynamic(
                DynamicSection(
                    name: name.map(bytes), needed: needs.map(bytes), rpath: rpath.map(bytes),
                    runpath: runpath.map(bytes), format: format)))
    }
}
