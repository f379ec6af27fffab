import Facts
import OCIModel

/// The `config.json` of a bundle (OCI runtime-spec): what docker gives a container by default, and no more.
struct OCIBundleConfig {
    let spec: ContainerSpec
    let limits: ProbeLimits
    /// Where the runtime accounts for the container.
    let cgroup: String
    /// The directory of this machine behind each volume.
    let volumes: [String: String]
    /// The file of this machine behind each file of the spec, in their order.
    let files: [String]
    /// The directory with the files hosts, hostname and resolv.conf.
    let place: String
    /// Whether root is an ordinary account of this machine (user_namespaces(7)): no cgroup can be made then.
    let isMapped: Bool

    static let hostname = "probe"

    var json: JSON {
        object([
            ("ociVersion", "1.0.2"), ("hostname", .string("probe")), ("process", process),
            ("root", object([("path", "rootfs"), ("readonly", .bool(false))])), ("mounts", .array(mounts)),
            ("linux", linux),
        ])
    }

    /// Of the process, and of commands that are run beside it.
    static let capabilities = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
        "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ]

    private var process: JSON {
        let all = strings(OCIBundleConfig.capabilities)
        let own = spec.user.uid == 0 ? all : .array([])
        return object([
            ("terminal", .bool(spec.hasTerminal)),
            (
                "user",
                object([
                    ("uid", number(spec.user.uid)), ("gid", number(spec.user.gid)),
                    ("additionalGids", .array(spec.user.allGIDs.map(number))),
                ])
            ), ("args", strings(spec.arguments)),
            ("env", strings(environment)),
            ("cwd", .string(spec.workingDirectory)),
            ("capabilities", object([("bounding", all), ("effective", own), ("permitted", own)])),
            ("noNewPrivileges", .bool(false)), ("rlimits", .array(isMapped ? mappedLimits : [])),
        ])
    }

    /// As docker: HOSTNAME where nobody says otherwise.
    private var environment: [String] {
        let name =
            spec.environment.contains { $0.name == "HOSTNAME" }
            ? [] : ["HOSTNAME=\(OCIBundleConfig.hostname)"]
        return name + spec.environment.map { "\($0.name)=\($0.value)" }
    }

    /// What stands in for the cgroup: a bound on the processes of each user of the container, and one on the memory
    /// of each process (setrlimit(2)).
    private var mappedLimits: [JSON] {
        [("RLIMIT_NPROC", Int64(processes)), ("RLIMIT_DATA", limits.memory)].map { name, limit in
            object([("type", .string(name)), ("soft", number(limit)), ("hard", number(limit))])
        }
    }

    private var mounts: [JSON] {
        func mount(_ path: String, _ type: String, _ source: String, _ options: [String]) -> JSON {
            object([
                ("destination", .string(path)), ("type", .string(type)), ("source", .string(source)),
                ("options", strings(options)),
            ])
        }
        var mounts = [
            mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount(
                "/dev/pts", "devpts", "devpts",
                ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
            mount("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            mount("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
            // That of a network that is not the namespace's own cannot be mounted there.
            isMapped && spec.sharesNetwork
                ? mount("/sys", "none", "/sys", ["rbind", "nosuid", "noexec", "nodev", "ro"])
                : mount("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
        ]
        for name in ["hosts", "hostname", "resolv.conf"] {
            mounts.append(mount("/etc/\(name)", "bind", "\(place)/\(name)", ["rbind", "rprivate"]))
        }
        for path in spec.temporaryDirectories {
            mounts.append(mount(path, "tmpfs", "tmpfs", ContainerSpec.temporaryOptions))
        }
        for volume in spec.volumes {
            if let source = volumes[volume.name] {
                mounts.append(mount(volume.path, "bind", source, ["rbind", "rw"]))
            }
        }
        for (file, source) in zip(spec.files, files) {
            mounts.append(mount(file.path, "bind", source, ["bind", "ro"]))
        }
        return mounts
    }

    private var linux: JSON {
        var namespaces = ["pid", "ipc", "uts", "mount"]
        if !spec.sharesNetwork { namespaces.append("network") }
        var members: [(String, JSON)] = [
            ("namespaces", .array(namespaces.map { object([("type", .string($0))]) })),
            (
                "maskedPaths",
                strings([
                    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
                    "/sys/firmware",
                ])
            ),
            (
                "readonlyPaths",
                strings(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"])
            ), ("seccomp", OCIBundleConfig.seccomp),
        ]
        if !isMapped { members += [("cgroupsPath", .string(cgroup)), ("resources", resources)] }
        return object(members)
    }

    private var processes: Int { min(spec.processLimit ?? limits.processes, limits.processes) }

    private var resources: JSON {
        let memory = min(spec.memoryLimit ?? limits.memory, limits.memory)
        return object([
            ("pids", object([("limit", number(Int64(processes)))])),
            ("memory", object([("limit", number(memory)), ("swap", number(memory))])),
            ("devices", .array([object([("allow", .bool(false)), ("access", "rwm")])])),
        ])
    }

    /// Calls that no program of an image needs and that have opened ways out of containers, as docker refuses them.
    private static let refusedCalls = [
        "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module",
        "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms", "init_module", "ioperm",
        "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr",
        "move_mount", "move_pages", "name_to_handle_at", "nfsservctl", "open_by_handle_at", "open_tree",
        "perf_event_open", "pivot_root", "process_vm_readv", "process_vm_writev", "query_module", "quotactl",
        "reboot", "request_key", "setns", "settimeofday", "stime", "swapoff", "swapon", "sysfs", "umount",
        "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old",
    ]

    private static var seccomp: JSON {
        func rule(_ names: [String], errno: String, _ arguments: [JSON] = []) -> JSON {
            .object([
                JSON.Member("names", .array(names.map(JSON.string))), JSON.Member("action", "SCMP_ACT_ERRNO"),
                JSON.Member("errnoRet", .number(errno)), JSON.Member("args", .array(arguments)),
            ])
        }
        // clone makes processes and threads, but no namespaces. clone3 cannot be looked into: it is said not to
        // exist, so that libraries fall back to clone.
        let namespaces = [
            0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
        ]
        let clone = namespaces.map { flag in
            rule(
                ["clone"], errno: "1",
                [
                    .object([
                        JSON.Member("index", .number("0")), JSON.Member("value", .number("\(flag)")),
                        JSON.Member("valueTwo", .number("\(flag)")), JSON.Member("op", "SCMP_CMP_MASKED_EQ"),
                    ])
                ])
        }
        return .object([
            JSON.Member("defaultAction", "SCMP_ACT_ALLOW"),
            JSON.Member(
                "syscalls",
                .array([rule(refusedCalls, errno: "1"), rule(["clone3"], errno: "38")] + clone)),
        ])
    }

    private func object(_ members: [(String, JSON)]) -> JSON {
        .object(members.map { JSON.Member($0.0, $0.1) })
    }

    private func strings(_ values: [String]) -> JSON { .array(values.map(JSON.string)) }

    private func number(_ value: Int64) -> JSON { .number("\(value)") }
}

extension ResolvedUser {
    /// The group and the supplementary ones: engines give a process its own group among those too (CVE-2022-36109).
    var allGIDs: [Int64] { [gid] + supplementaryGIDs.filter { $0 != gid } }
}
