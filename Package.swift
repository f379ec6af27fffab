// swift-tools-version: 6.2

import PackageDescription

/// The edges below are the table of "Modules" in README.md; `DependencyTests` fails on any other edge.
let swift: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

let package = Package(
    name: "assay",
    products: [
        .executable(name: "assay", targets: ["assay"]),
        .library(name: "Assay", targets: ["Runner", "Reporting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .systemLibrary(
            name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CSandbox"),
        .systemLibrary(name: "CXattr"),

        .target(name: "OCIModel", exclude: ["README.md"], swiftSettings: swift),
        .target(name: "Verdict", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "LayerArchive",
            dependencies: ["CArchive", "CISAL", "COpenSSL", "CSandbox", "CXattr", "OCIModel"],
            exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RootFS", dependencies: ["LayerArchive", "OCIModel"], exclude: ["README.md"],
            swiftSettings: swift),
        .target(
            name: "ImageSource",
            dependencies: [
                "LayerArchive", "OCIModel",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "Facts", dependencies: ["LayerArchive", "RootFS", "OCIModel"], exclude: ["README.md"],
            swiftSettings: swift),
        .target(
            name: "Suite", dependencies: ["Verdict", .product(name: "Yams", package: "Yams")],
            exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "Checks", dependencies: ["Facts", "OCIModel", "RootFS", "Suite", "Verdict"],
            exclude: ["README.md"],
            swiftSettings: swift),
        .target(
            name: "Probes",
            dependencies: [
                "Facts", "LayerArchive", "OCIModel", "Suite", "Verdict",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ], exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "Runner",
            dependencies: [
                "Checks", "Facts", "ImageSource", "LayerArchive", "OCIModel", "Probes", "RootFS", "Suite",
                "Verdict",
            ],
            exclude: ["README.md"], swiftSettings: swift),
        .target(name: "Reporting", dependencies: ["Verdict"], exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "HostileCorpus", dependencies: ["LayerArchive", "OCIModel"], exclude: ["README.md"],
            swiftSettings: swift),
        .target(
            name: "AssayCommands",
            dependencies: [
                "Checks", "HostileCorpus", "ImageSource", "LayerArchive", "OCIModel", "Probes", "Reporting",
                "RootFS",
                "Runner",
                "Suite", "Verdict",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], exclude: ["README.md"], swiftSettings: swift),
        .executableTarget(name: "assay", dependencies: ["AssayCommands"], swiftSettings: swift),
        .testTarget(
            name: "ReportingTests", dependencies: ["LayerArchive", "Reporting", "Verdict"],
            exclude: ["Goldens"], swiftSettings: swift),
        .testTarget(
            name: "AssayCommandsTests", dependencies: ["AssayCommands", "LayerArchive", "Runner"],
            swiftSettings: swift),
        .testTarget(name: "VerdictTests", dependencies: ["Verdict"], swiftSettings: swift),
        .testTarget(
            name: "FactsTests", dependencies: ["Facts", "RootFS", "LayerArchive", "OCIModel"],
            swiftSettings: swift),

        .target(
            name: "AssayTestSupport", dependencies: ["HostileCorpus", "LayerArchive", "OCIModel"],
            path: "Tests/AssayTestSupport", swiftSettings: swift),
        .executableTarget(
            name: "unruly-reader", dependencies: ["LayerArchive"], path: "Tests/UnrulyReader",
            swiftSettings: swift),
        .executableTarget(name: "old-kernel", path: "Tests/OldKernel"),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "AssayTestSupport", "Facts", "ImageSource", "LayerArchive", "OCIModel", "RootFS", "Runner",
                "Suite",
            ],
            path: "Tests/FuzzTargets", swiftSettings: swift),
        .testTarget(name: "FuzzTargetsTests", dependencies: ["FuzzTargets"], swiftSettings: swift),
        .testTarget(name: "StructureTests", swiftSettings: swift),
        .testTarget(name: "OCIModelTests", dependencies: ["OCIModel"], swiftSettings: swift),
        .testTarget(
            name: "LayerArchiveTests", dependencies: ["LayerArchive", "OCIModel", "AssayTestSupport"],
            swiftSettings: swift),
        .testTarget(
            name: "RootFSTests", dependencies: ["RootFS", "LayerArchive", "OCIModel", "AssayTestSupport"],
            swiftSettings: swift),
        .testTarget(
            name: "ImageSourceTests",
            dependencies: ["ImageSource", "LayerArchive", "OCIModel", "AssayTestSupport"],
            swiftSettings: swift),
        .testTarget(name: "SuiteTests", dependencies: ["Suite", "Verdict"], swiftSettings: swift),
        .testTarget(
            name: "ChecksTests",
            dependencies: [
                "Checks", "Suite", "Facts", "RootFS", "LayerArchive", "OCIModel", "Verdict",
                "AssayTestSupport",
            ],
            swiftSettings: swift),
        .testTarget(
            name: "ProbesTests",
            dependencies: ["Probes", "Suite", "Facts", "RootFS", "OCIModel", "Verdict"], swiftSettings: swift),
        .testTarget(
            name: "AcceptanceTests",
            dependencies: ["AssayTestSupport", "OCIModel", "LayerArchive", "Reporting", "Verdict"],
            exclude: ["Browser", "Entrypoints"],
            swiftSettings: swift),
    ]
)

// libFuzzer has the program's `main`, so this target builds with `--sanitize fuzzer` alone; scripts/fuzz asks for it.
if Context.environment["ASSAY_FUZZER"] != nil {
    package.targets.append(
        .executableTarget(
            name: "assay-fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer",
            swiftSettings: swift + [.unsafeFlags(["-parse-as-library"])]))
}
