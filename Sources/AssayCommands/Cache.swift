import ArgumentParser
import Glibc
import LayerArchive
import Probes

/// What is kept between runs.
enum Cache {
    /// By the XDG Base Directory Specification.
    static var directory: String {
        let home = Console.environment("HOME") ?? "/root"
        return (Console.environment("XDG_CACHE_HOME") ?? "\(home)/.cache") + "/assay"
    }

    /// Indexed layers. A program that was built or installed anew reads them anew.
    static var layers: LayerCache? {
        var status = stat()
        guard stat("/proc/self/exe", &status) == 0 else { return nil }
        let reader =
            "\(AssayCommand.version) \(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)"
        return LayerCache(directory: "\(directory)/layers", reader: reader)
    }
}

struct CacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Show or clear what is kept between runs.",
        discussion: """
            Layers: what each layer that was read holds, without its files. Of a layer that comes again the digest \
            of the blob is computed, as ever, and decoding is spared. --cache-size of the commands that read images \
            says how much is kept, --no-cache that nothing is used or added.

            Images: unpacked for probes.

            Examples:
              assay cache            # where it is and how much it takes
              assay cache --clear    # remove all of it
            """)

    @Flag(help: "Remove everything that is kept.") var clear = false

    func run() async throws {
        let directory = Cache.directory
        if clear {
            Cache.layers?.trim(to: 0)
            for line in await UnpackedImages.remove(cache: directory) { Console.output(line + "\n") }
            return
        }
        Console.output("\(directory)\n")
        Console.output(Cache.description.map { "  \($0.name): \($0.text)\n" }.joined())
    }
}

extension Cache {
    /// What is in it, a line for each part.
    static var description: [(name: String, text: String)] {
        let images = UnpackedImages.list(cache: directory)
        var lines = [
            (
                "images",
                "\(images.count) unpacked, \(Doctor.size(images.reduce(0) { $0 + $1.size })) of files"
            )
        ]
        if let layers {
            let usage = layers.usage
            lines.append(
                (
                    "layers",
                    "\(usage.layers) indexed, \(Doctor.size(usage.bytes)) of at most \(Doctor.size(layers.sizeLimit))"
                ))
        }
        return lines
    }
}
