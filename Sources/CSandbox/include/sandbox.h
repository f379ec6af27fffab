#ifndef ASSAY_SANDBOX_H
#define ASSAY_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

/// What of the containment holds in this process.
struct assay_containment {
    /// Whether system calls are filtered (seccomp(2)).
    int32_t seccomp;
    /// Version of Landlock's interface that is in force (landlock(7)); 0 where the kernel has none.
    int32_t landlock;
};

/// Shuts the calling thread, and every thread and process that it makes from here on, off from all but memory, time
/// and the descriptors that are open: no file can be opened, no socket made, no program started, no other process
/// signalled. There is no way back. To be called while the process has one thread.
///
/// Where the kernel has neither seccomp nor Landlock the limits hold and no further file can be opened (RLIMIT_NOFILE);
/// what needs no descriptor is not forbidden then. What holds is returned.
///
/// - memory: bytes of data that the process may have (RLIMIT_DATA). Without effect in a build with a sanitizer, whose
///   shadow memory is larger than any bound and whose report may go to a file.
/// - seconds: processor time it may take (RLIMIT_CPU).
struct assay_containment assay_sandbox_enter(uint64_t memory, uint64_t seconds);

/// Whether this is a build with AddressSanitizer or ThreadSanitizer.
int assay_is_sanitized(void);

/// Has the system end this process (SIGKILL) when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG).
void assay_end_with_parent(void);

/// Lets the calling thread open, make and change files below a directory only (Landlock), make no connection and start
/// no program (seccomp). Other threads of the process are not held. What of it holds is returned.
struct assay_containment assay_confine_thread(int directory);

/// Gives memory that was freed back to the system (malloc_trim(3)).
void assay_return_freed_memory(void);

/// Makes an unnamed file in memory (memfd_create(2)); -1 when the system refuses.
int assay_memory_file(void);

/// Makes a file without a name on a directory's file system, for writing (open(2), O_TMPFILE); -1 when the system refuses.
int assay_unnamed_file(const char *directory);

/// Makes a pipe of a mebibyte, where the system gives as much, whose ends no program inherits; -1 when it refuses.
int assay_pipe(int ends[2]);

/// Starts a program in a process group of its own, with descriptors that it has as 0, 1, 2 and so on, and with no
/// others. All of them must be `count` or higher. Returns 0, or what would be errno.
int assay_spawn(pid_t *process, const char *path, char *const arguments[], char *const environment[],
                const int descriptors[], int count);

#endif
