// Runs a program as on a kernel that does not have seccomp(2), or Landlock, or both:
//
//     old-kernel seccomp|landlock|both PROGRAM ARGUMENT...
//
// A filter over it refuses what would hold it, with the error of a kernel that does not know the call.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int install(struct sock_filter *filter, size_t size) {
    struct sock_fprog program = {size / sizeof filter[0], filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int without_landlock(void) {
    struct sock_filter filter[] = {
        LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1), REFUSE(ENOSYS), ALLOW,
    };
    return install(filter, sizeof filter);
}

static int without_seccomp(void) {
    struct sock_filter filter[] = {
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1), REFUSE(ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
        LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1), REFUSE(EINVAL), ALLOW,
    };
    return install(filter, sizeof filter);
}

int main(int count, char *arguments[]) {
    if (count < 3) return 2;
    int both = strcmp(arguments[1], "both") == 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 3;
    // The one that forbids further filters comes last.
    if ((both || strcmp(arguments[1], "landlock") == 0) && !without_landlock()) return 3;
    if ((both || strcmp(arguments[1], "seccomp") == 0) && !without_seccomp()) return 3;
    execv(arguments[2], arguments + 2);
    return 4;
}
