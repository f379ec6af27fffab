import Facts
import OCIModel
import Suite

/// A reader of something that comes from outside, and what must hold whatever it is given. A trap, a sanitizer's
/// report, a hang or a broken promise is a fault of the reader.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// A layer: decompression, members, merging, facts.
    case layer
    /// An archive of `docker save`, or of a layout, opened and read.
    case archive
    /// Manifest, index and config.
    case documents
    /// The name of an image, as a user types it.
    case reference
    /// `/var/lib/dpkg/status`, a file list and the diversions.
    case packages
    /// METADATA, RECORD, WHEEL and direct_url.json of a distribution, requirements answered.
    case distributions
    /// PEP 440 versions and PEP 508 requirements.
    case requirements
    case debianVersions = "debian-versions"
    /// `/etc/passwd`, `/etc/group` and os-release.
    case users
    /// `created_by` lines of the history.
    case history
    /// Sources of apt and a keyring.
    case sources
    /// A suite and a file of waivers.
    case suite
    /// An ELF file among libraries.
    case elf

    /// What the reader did wrong, or nil.
    public func run(_ bytes: [UInt8]) -> String? {
        switch self {
        case .layer: ImageTargets.layer(bytes)
        case .archive: ImageTargets.archive(bytes)
        case .elf: ImageTargets.elf(bytes)
        case .documents: DocumentTargets.documents(bytes)
        case .reference: DocumentTargets.reference(bytes)
        case .history: DocumentTargets.history(bytes)
        case .suite: DocumentTargets.suite(bytes)
        case .packages: FactTargets.packages(bytes)
        case .distributions: FactTargets.distributions(bytes)
        case .users: FactTargets.users(bytes)
        case .sources: FactTargets.sources(bytes)
        case .requirements: VersionTargets.requirements(bytes)
        case .debianVersions: VersionTargets.debianVersions(bytes)
        }
    }
}

/// The parts of an input that stands for several files, divided by NUL; missing ones are empty.
func parts(_ bytes: [UInt8], _ count: Int) -> [[UInt8]] {
    let found = bytes.split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false).map(
        Array.init)
    return found + [[UInt8]](repeating: [], count: count - found.count)
}

func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
