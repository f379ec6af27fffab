import FuzzTargets
import Glibc

/// The target of this process, by the environment variable FUZZ_TARGET: libFuzzer has the command line.
private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
        say("FUZZ_TARGET is '\(name)'; it must be one of: \(known)")
        exit(2)
    }
    return target
}()

/// Writes the seeds of every target, a directory each, and ends, where FUZZ_SEEDS names a directory.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutableRawPointer) -> Int32 {
    guard let directory = getenv("FUZZ_SEEDS").map({ String(cString: $0) }) else {
        _ = target
        return 0
    }
    for target in FuzzTarget.allCases {
        let folder = "\(directory)/\(target.rawValue)"
        mkdir(folder, 0o755)
        for (index, seed) in target.seeds.enumerated() {
            guard let file = fopen("\(folder)/seed-\(index)", "w") else {
                perror(folder)
                exit(1)
            }
            fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
    }
    exit(0)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let problem = target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    if let problem {
        say("\(target.rawValue): \(problem)")
        abort()
    }
    return 0
}

private func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}
