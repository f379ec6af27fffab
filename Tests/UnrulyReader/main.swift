import Glibc
import LayerArchive

/// Stands for a process that reads layers and was taken over by one: what it does is its argument.

private func answer(_ kind: UInt8, layer: UInt32 = 0, count: UInt64? = nil, _ payload: [UInt8] = []) {
    var bytes: [UInt8] = [kind]
    withUnsafeBytes(of: layer.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: (count ?? UInt64(payload.count)).littleEndian) { bytes.append(contentsOf: $0) }
    bytes += payload
    guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { exit(9) }
}

/// Tries what a contained process must not be able to do, and prints the error number of each; 0 where it could.
private func tryEverything(file: String, parent: pid_t) {
    let containment = Containment.enter()
    func report(_ name: String, _ succeeded: Bool) { print(name, succeeded ? 0 : errno) }
    print("seccomp", containment.filtersSystemCalls ? 1 : 0)
    print("landlock", containment.landlockVersion ?? 0)
    report("socket", socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) >= 0)
    report("local-socket", socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) >= 0)
    report("read-file", open("/etc/passwd", O_RDONLY) >= 0)
    report("write-file", open(file, O_WRONLY | O_CREAT, 0o600) >= 0)
    report("remove-file", unlink(file) == 0)
    report("make-directory", mkdir(file + ".d", 0o700) == 0)
    report("signal", kill(parent, 0) == 0)
    var child: pid_t = 0
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
    errno = posix_spawn(&child, "/bin/true", nil, nil, arguments, nil)
    report("program", errno == 0)
    fflush(nil)
}

let mode = CommandLine.arguments.dropFirst().first ?? "serve"
switch mode {
case "serve": ReaderService.run()
case "try": tryEverything(file: CommandLine.arguments[2], parent: getppid())
case "die":
    answer(1)
    signal(SIGSEGV, SIG_DFL)
    raise(SIGSEGV)
case "die-at-once": raise(SIGKILL)
case "run-out-of-memory":
    answer(1)
    _ = Containment.enter()
    // Never touched: only what it may have is used up.
    for _ in 0...(Containment.memory >> 30) {
        _ = UnsafeMutableRawPointer.allocate(byteCount: 1 << 30, alignment: 16)
    }
case "run-out-of-time":
    answer(1)
    // What RLIMIT_CPU does.
    raise(SIGXCPU)
case "leave": answer(1)
case "fail": exit(7)
case "hang":
    answer(1)
    while true { pause() }
case "chatter":
    // It says all the time that it has read one byte.
    while true {
        answer(2, [1, 0, 0, 0, 0, 0, 0, 0])
        usleep(1000)
    }
case "garbage":
    let bytes = [UInt8](repeating: 0xA5, count: 1 << 16)
    while write(STDOUT_FILENO, bytes, bytes.count) > 0 {}
case "huge":
    answer(1)
    answer(3, count: UInt64.max)
case "forge":
    answer(1)
    answer(3, Array("assaylyr and so on".utf8))
case "break-off":
    answer(1)
    answer(3, count: 1000, [1, 2, 3])
case "other-layer": answer(1, layer: 77)
case "unbegun": answer(4, [])
case "unread":
    answer(1)
    answer(5)
case "unverified":
    // A layer, made by who started it, and nothing of its digest.
    var bytes: [UInt8] = []
    let file = open(CommandLine.arguments[2], O_RDONLY)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(file, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
    answer(1)
    answer(3, bytes)
default: exit(2)
}
