import Facts
import OCIModel
import RootFS
import Verdict

extension ImageContents {
    /// Directories that are kept, of all layers together.
    private static let directoryLimit = 400

    init(_ facts: ImageFacts) {
        let totals = facts.rootfs.directoryTotals(
            layerCount: facts.layers.count, limit: ImageContents.directoryLimit)
        let packages = (try? facts.packages.get()).map { database in
            PackageList(
                database.installed.map { package in
                    InstalledPackage(
                        name: escaped(package.name), version: escaped(package.version),
                        architecture: escaped(package.architecture),
                        bytes: package.installedSize.flatMap(ImageContents.bytes(ofKiB:)),
                        layer: database.layer(thatInstalled: package.name).map { $0 + 1 })
                }.sorted(by: ImageContents.precedes))
        }
        let distributions = (try? facts.python.get()).map { python in
            PackageList(
                python.distributions.map { distribution in
                    InstalledPackage(
                        name: escaped(distribution.name), version: escaped(distribution.version),
                        location: "\(distribution.sitePackages)", layer: distribution.layer + 1)
                }.sorted(by: ImageContents.precedes))
        }
        self.init(
            layers: totals.map { DirectorySize($0) }, packages: packages, distributions: distributions)
    }

    private static func bytes(ofKiB size: Int64) -> Int64? {
        let (bytes, overflows) = size.multipliedReportingOverflow(by: 1024)
        return overflows || bytes < 0 ? nil : bytes
    }

    private static func precedes(_ left: InstalledPackage, _ right: InstalledPackage) -> Bool {
        let names = (left.name.lowercased(), right.name.lowercased())
        if names.0 != names.1 { return names.0 < names.1 }
        return (left.architecture ?? left.location ?? "", left.version)
            < (right.architecture ?? right.location ?? "", right.version)
    }
}

extension DirectorySize {
    fileprivate init(_ total: DirectoryTotal) {
        self.init(
            name: escaped(total.name), bytes: total.bytes, hiddenBytes: total.hiddenBytes,
            directories: total.directories.map { DirectorySize($0) })
    }
}
