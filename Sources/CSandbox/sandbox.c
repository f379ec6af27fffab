#define _GNU_SOURCE
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static void limit(int resource, uint64_t value) {
    struct rlimit old;
    // A limit is only ever lowered: some systems refuse what would raise it.
    if (getrlimit(resource, &old) != 0) return;
    struct rlimit new = {value < old.rlim_cur ? value : old.rlim_cur, value < old.rlim_max ? value : old.rlim_max};
    setrlimit(resource, &new);
}

// MARK: Landlock: the kernel's own headers may be older than the kernel.

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

struct __attribute__((packed)) path_rule {
    uint64_t files;
    int32_t directory;
};

/// - directory: below which files stay allowed; -1 for none.
static int enter_landlock(int directory) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
    if (version < 1) return 0;
    // A ruleset that handles everything and has no rule forbids everything. Bits by version, landlock(7).
    struct ruleset rules = {(1ULL << 13) - 1, 0, 0};
    if (version >= 2) rules.files |= 1ULL << 13;
    if (version >= 3) rules.files |= 1ULL << 14;
    if (version >= 5) rules.files |= 1ULL << 15;
    if (version >= 4) rules.network = 3;
    if (version >= 6) rules.scopes = 3;
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int descriptor = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (descriptor < 0) return 0;
    struct path_rule rule = {rules.files, directory};
    if (directory >= 0 && syscall(SYS_landlock_add_rule, descriptor, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0) != 0) {
        close(descriptor);
        return 0;
    }
    long result = syscall(SYS_landlock_restrict_self, descriptor, 0);
    close(descriptor);
    return result == 0 ? (int)version : 0;
}

// MARK: seccomp

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define PERMIT(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), ALLOW
#define FORBID(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), REFUSE(EPERM)

// What a filter begins with: calls by the numbers of another architecture end the process.
#define LOAD_CALL                                                                                                      \
    LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), \
        LOAD(nr)

// The low half of an argument: both architectures are little endian.
#define LOAD_ARGUMENT(index) LOAD(args[index])

static int install(struct sock_filter *filter, size_t size, unsigned int flags) {
    struct sock_fprog program = {size / sizeof filter[0], filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
}

static int enter_seccomp(void) {
    struct sock_filter filter[] = {
        LOAD_CALL,
        // Data through descriptors that are open.
        PERMIT(read), PERMIT(pread64), PERMIT(readv), PERMIT(preadv), PERMIT(write), PERMIT(writev), PERMIT(close),
        PERMIT(futex),
        // Memory.
        PERMIT(mmap), PERMIT(munmap), PERMIT(mremap), PERMIT(mprotect), PERMIT(madvise), PERMIT(brk),
        // Threads.
        PERMIT(set_robust_list), PERMIT(rseq), PERMIT(sched_yield), PERMIT(sched_getaffinity), PERMIT(gettid),
        PERMIT(getpid), PERMIT(exit), PERMIT(exit_group), PERMIT(membarrier),
        // Signals to itself, as abort(3) and the sanitizers use them.
        PERMIT(rt_sigaction), PERMIT(rt_sigprocmask), PERMIT(rt_sigreturn), PERMIT(sigaltstack),
        // Time and chance.
        PERMIT(clock_gettime), PERMIT(clock_nanosleep), PERMIT(nanosleep), PERMIT(gettimeofday), PERMIT(getrandom),
        // Its flags lie in memory, where no filter sees them: the C library goes on with clone.
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1), REFUSE(ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
        LOAD_ARGUMENT(0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1), ALLOW, REFUSE(EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 3),
        LOAD_ARGUMENT(0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1), ALLOW,
        REFUSE(EPERM),
    };
    // For every thread of the process, or for none.
    return install(filter, sizeof filter, SECCOMP_FILTER_FLAG_TSYNC);
}

static int forbid_calls(void) {
    struct sock_filter filter[] = {
        LOAD_CALL,
        FORBID(socket), FORBID(socketpair), FORBID(connect), FORBID(bind), FORBID(execve), FORBID(execveat),
        FORBID(ptrace), FORBID(process_vm_readv), FORBID(process_vm_writev), FORBID(kill), FORBID(tkill),
        FORBID(mount), FORBID(umount2), FORBID(unshare), FORBID(setns), FORBID(chroot), FORBID(bpf),
        FORBID(io_uring_setup), FORBID(keyctl), FORBID(add_key), FORBID(open_by_handle_at), FORBID(init_module),
        FORBID(finit_module), FORBID(kexec_load), FORBID(userfaultfd), FORBID(perf_event_open),
        ALLOW,
    };
    return install(filter, sizeof filter, 0);
}
#else
static int enter_seccomp(void) { return 0; }
static int forbid_calls(void) { return 0; }
#endif

struct assay_containment assay_confine_thread(int directory) {
    struct assay_containment containment = {0, 0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return containment;
    containment.landlock = enter_landlock(directory);
    containment.seccomp = forbid_calls();
    return containment;
}

static int has_one_thread(void) {
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) count += entry->d_name[0] != '.';
    closedir(threads);
    return count == 1;
}

struct assay_containment assay_sandbox_enter(uint64_t memory, uint64_t seconds) {
    struct assay_containment containment = {0, 0};
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds);
#ifdef SANITIZED
    (void)memory;
#else
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_DATA, memory);
#endif
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        // Landlock holds the calling thread: with others beside it, it would hold nothing.
        if (has_one_thread()) containment.landlock = enter_landlock(-1);
        containment.seccomp = enter_seccomp();
    }
    // No descriptor beyond those that are open; where the filter holds, there is no way to one anyway.
    limit(RLIMIT_NOFILE, 0);
    return containment;
}

#ifdef SANITIZED
int assay_is_sanitized(void) { return 1; }
#else
int assay_is_sanitized(void) { return 0; }
#endif

void assay_end_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

void assay_return_freed_memory(void) { malloc_trim(0); }

int assay_memory_file(void) { return memfd_create("assay", MFD_CLOEXEC); }

int assay_unnamed_file(const char *directory) { return open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600); }

int assay_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    return 0;
}

int assay_spawn(pid_t *process, const char *path, char *const arguments[], char *const environment[],
                const int descriptors[], int count) {
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return code;
    posix_spawnattr_t attributes;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    for (int number = 0; number < count && code == 0; number++)
        code = posix_spawn_file_actions_adddup2(&actions, descriptors[number], number);
    if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, count);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    // Whoever writes to nobody shall end.
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    // What is typed at the terminal is for the parent, which ends the process.
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (code == 0) code = posix_spawn(process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}
