/* SPDX-License-Identifier: Apache-2.0 */
#include "host/proc/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include <linux/landlock.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "host/base/log.h"
#include "host/proc/worker.h"

#define IN_FD  WORKER_EXTRA_FD
#define OUT_FD (WORKER_EXTRA_FD + 1)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* One condition on one argument; a call with several entries is allowed when one of them holds. */
struct rule {
    int call;
    const char *why;
    unsigned n_args;
    struct scmp_arg_cmp args[2];
};
#define ON_FD(fd)                                                                                            \
    1, {                                                                                                     \
        SCMP_A0_32(SCMP_CMP_EQ, (fd))                                                                        \
    }
#define NO_EXEC                                                                                              \
    1, {                                                                                                     \
        SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)                                                         \
    }
#define ANY                                                                                                  \
    0, {                                                                                                     \
        { 0 }                                                                                                \
    }

static const struct rule allowed[] = {
    {SCMP_SYS(recvmsg), "messages of the server", ON_FD(WORKER_SOCKET_FD)},
    {SCMP_SYS(sendto),
     "messages to the server",
     2,
     {SCMP_A0_32(SCMP_CMP_EQ, WORKER_SOCKET_FD), SCMP_A4(SCMP_CMP_EQ, 0)}},
    {SCMP_SYS(poll), "waiting for a message; reveals nothing about descriptors it does not have", ANY},
    {SCMP_SYS(ppoll), "poll() as newer C libraries call it", ANY},
    {SCMP_SYS(pread64), "the recording", ON_FD(IN_FD)},
    {SCMP_SYS(pread64), "a clip is read back when its index moves to the front", ON_FD(OUT_FD)},
    {SCMP_SYS(pwrite64), "the clip or still", ON_FD(OUT_FD)},
    {SCMP_SYS(fsync), "the clip or still is whole on disk before it gets its name", ON_FD(OUT_FD)},
    {SCMP_SYS(fstat), "did the recording change while it was read", ON_FD(IN_FD)},
    {SCMP_SYS(close), "clean-up", ANY},
    {SCMP_SYS(mmap), "memory", NO_EXEC},
    {SCMP_SYS(mprotect), "memory, growing a heap", NO_EXEC},
    {SCMP_SYS(mremap), "realloc of large blocks", ANY},
    {SCMP_SYS(munmap), "memory", ANY},
    {SCMP_SYS(madvise), "memory given back", ANY},
    {SCMP_SYS(brk), "memory", ANY},
    {SCMP_SYS(futex), "locks and once-initialisers inside libraries, even with one thread", ANY},
    {SCMP_SYS(getrandom), "seeds of hash tables in the C library", ANY},
    {SCMP_SYS(clock_gettime), "time; not every clock is served without a call", ANY},
    {SCMP_SYS(gettimeofday), "time, older spelling", ANY},
    {SCMP_SYS(getrusage), "how much CPU this worker used", ANY},
    {SCMP_SYS(getpid), "log lines name their process", ANY},
    {SCMP_SYS(gettid), "abort() names its thread", ANY},
    {SCMP_SYS(sched_getaffinity), "libraries ask how many processors there are", ANY},
    {SCMP_SYS(sched_yield), "spinning locks", ANY},
    {SCMP_SYS(rt_sigprocmask), "abort()", ANY},
    {SCMP_SYS(rt_sigreturn), "return from a handler", ANY},
    {SCMP_SYS(restart_syscall), "a wait that was interrupted by a stop", ANY},
    {SCMP_SYS(exit), "the end", ANY},
    {SCMP_SYS(exit_group), "the end", ANY},
};

/* What AddressSanitizer, UBSan and TSan need on top, in those builds only. */
static const struct rule allowed_sanitized[] = {
    {SCMP_SYS(write), "the report, on standard error", ON_FD(STDERR_FILENO)},
    {SCMP_SYS(sigaltstack), "stack for the report of a stack overflow", ANY},
    {SCMP_SYS(rt_sigaction), "handlers put back before the end", ANY},
    {SCMP_SYS(prctl), "names of memory regions", 1, {SCMP_A0_32(SCMP_CMP_EQ, PR_SET_VMA)}},
    {SCMP_SYS(clone), "TSan's own thread", ANY},
    {SCMP_SYS(clone3), "TSan's own thread", ANY},
    {SCMP_SYS(set_robust_list), "TSan's own thread", ANY},
    {SCMP_SYS(rseq), "TSan's own thread", ANY},
    {SCMP_SYS(nanosleep), "TSan's own thread", ANY},
    {SCMP_SYS(clock_nanosleep), "TSan's own thread", ANY},
};

/* Libraries try these and go on without: an error is enough, and a file that makes FFmpeg look for a font or
 * a character set stays decodable. Everything else ends the process. */
static const struct {
    int call, error;
    const char *why;
} refused[] = {
    {SCMP_SYS(open), EACCES, "character sets, locales, /proc"},
    {SCMP_SYS(openat), EACCES, "character sets, locales, /proc"},
    {SCMP_SYS(newfstatat), EACCES, "looks at files before they are opened"},
    {SCMP_SYS(stat), EACCES, "looks at files before they are opened"},
    {SCMP_SYS(lstat), EACCES, "looks at files before they are opened"},
    {SCMP_SYS(access), EACCES, "looks at files before they are opened"},
    {SCMP_SYS(readlink), EACCES, "sanitizers look for their own name"},
    {SCMP_SYS(sysinfo), EACCES, "qsort() asks how large memory is"},
    {SCMP_SYS(ioctl), ENOTTY, "is standard output a terminal"},
    {SCMP_SYS(prlimit64), EPERM, "how large may the stack be"},
};

static bool landlocked;

bool sandbox_has_landlock(void) {
    return landlocked;
}

/* Newer than Debian 12's kernel headers; numbers from the kernel's Landlock documentation. */
#define FS_ALL_ABI1  ((1ull << 13) - 1)
#define FS_REFER     (1ull << 13)
#define FS_TRUNCATE  (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_TCP_ALL  3ull
#define SCOPE_ALL    3ull
struct ruleset_abi6 {
    uint64_t fs, net, scoped;
};

/* A rule set that handles everything and grants nothing. Open descriptors stay usable. */
static void enter_landlock(void) {
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return;
    struct ruleset_abi6 r = {.fs = FS_ALL_ABI1};
    size_t n = sizeof r.fs;
    if (abi >= 2) r.fs |= FS_REFER;
    if (abi >= 3) r.fs |= FS_TRUNCATE;
    if (abi >= 5) r.fs |= FS_IOCTL_DEV;
    if (abi >= 4) {
        r.net = NET_TCP_ALL;
        n = offsetof(struct ruleset_abi6, scoped);
    }
    if (abi >= 6) {
        r.scoped = SCOPE_ALL;
        n = sizeof r;
    }
    const int fd = (int)syscall(SYS_landlock_create_ruleset, &r, n, 0);
    if (fd < 0) {
        log_warn("sandbox", "landlock refused errno=%d abi=%ld", errno, abi);
        return;
    }
    landlocked = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    if (!landlocked) log_warn("sandbox", "landlock not entered errno=%d abi=%ld", errno, abi);
    close(fd);
}

static enum err limit(int what, uint64_t value) {
    const struct rlimit r = {.rlim_cur = value, .rlim_max = value};
    if (setrlimit((__rlimit_resource_t)what, &r) == 0) return OK;
    log_error("sandbox", "setrlimit failed what=%d errno=%d", what, errno);
    return ERR_UNSUPPORTED;
}

static enum err enter_limits(const struct sandbox_limits *l) {
    enum err e = OK;
    /* A sanitizer's shadow memory is counted too. */
    if (!SANITIZED) e = limit(RLIMIT_DATA, l->memory_bytes);
    if (e == OK) e = limit(RLIMIT_FSIZE, l->file_bytes);
    if (e == OK) e = limit(RLIMIT_CORE, 0); /* a core would hold pictures of people */
    if (e == OK) e = limit(RLIMIT_NOFILE, OUT_FD + 1);
    if (e == OK && !SANITIZED) e = limit(RLIMIT_NPROC, 0);
    signal(SIGXFSZ, SIG_IGN); /* a write too many then fails like one on a full disk */
    return e;
}

static int add(scmp_filter_ctx c, const struct rule *rules, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const int rc =
            seccomp_rule_add_array(c, SCMP_ACT_ALLOW, rules[i].call, rules[i].n_args, rules[i].args);
        if (rc != 0) return rc;
    }
    return 0;
}

static enum err enter_seccomp(void) {
    scmp_filter_ctx c = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!c) return ERR_NOMEM;
    int rc = add(c, allowed, sizeof allowed / sizeof allowed[0]);
    if (rc == 0 && SANITIZED)
        rc = add(c, allowed_sanitized, sizeof allowed_sanitized / sizeof allowed_sanitized[0]);
    /* abort() may send its signal to this process, nobody else. */
    if (rc == 0)
        rc = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                              SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid()));
    for (size_t i = 0; rc == 0 && i < sizeof refused / sizeof refused[0]; i++)
        rc = seccomp_rule_add(c, SCMP_ACT_ERRNO((uint32_t)refused[i].error), refused[i].call, 0);
    if (rc == 0) rc = seccomp_load(c);
    seccomp_release(c);
    if (rc == 0) return OK;
    log_error("sandbox", "seccomp filter refused errno=%d", -rc);
    return rc == -ENOMEM ? ERR_NOMEM : ERR_UNSUPPORTED;
}

enum err sandbox_enter(const struct sandbox_limits *limits) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        log_error("sandbox", "prctl failed errno=%d", errno);
        return ERR_UNSUPPORTED;
    }
    enter_landlock();
    enum err e = enter_limits(limits);
    if (e == OK) e = enter_seccomp();
    return e;
}
