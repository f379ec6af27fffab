// What ThreadSanitizer does not see, linked by scripts/sanitize: the libraries of Swift are not built for it. Taking and
// leaving a Mutex that nobody else wants is compiled into its user and seen; that of one that others want is done by
// calls into a library, which are answered here: they do the same and tell the sanitizer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef __attribute__((swiftcall)) void lock_function(uint32_t thread, __attribute__((swift_context)) void *mutex);
typedef __attribute__((swiftcall)) void unlock_function(__attribute__((swift_context)) void *mutex);

static lock_function *lock_slowly;
static unlock_function *unlock_slowly;

// Before there is a second thread.
__attribute__((constructor)) static void find(void) {
    lock_slowly = (lock_function *)dlsym(RTLD_NEXT, LOCK);
    unlock_slowly = (unlock_function *)dlsym(RTLD_NEXT, UNLOCK);
}

lock_function lock __asm__(LOCK);
__attribute__((swiftcall)) void lock(uint32_t thread, __attribute__((swift_context)) void *mutex) {
    lock_slowly(thread, mutex);
    __tsan_acquire(mutex);
}

unlock_function unlock __asm__(UNLOCK);
__attribute__((swiftcall)) void unlock(__attribute__((swift_context)) void *mutex) {
    __tsan_release(mutex);
    unlock_slowly(mutex);
}
