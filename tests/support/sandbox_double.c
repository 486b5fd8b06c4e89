/* SPDX-License-Identifier: Apache-2.0 */
/* A decode worker that was taken over: enters the sandbox, then tries argv[1].
 * Exit status: 42 it worked, 43 it was refused with an error, 64 no such attempt; killed by SIGSYS otherwise.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/proc/sandbox.h"
#include "host/proc/wire.h"
#include "host/proc/worker.h"

#define IN_FD  WORKER_EXTRA_FD
#define OUT_FD (WORKER_EXTRA_FD + 1)

static long answer(long rc) {
    return rc < 0 ? 43 : 42;
}
static void *nothing(void *arg) {
    return arg;
}

/* ---- what must not work ----------------------------------------------------------------------------------
 */
static long try_open(void) {
    return answer(open("/etc/passwd", O_RDONLY));
}
static long try_open_raw(void) {
    return answer(syscall(SYS_open, "/etc/passwd", O_RDONLY));
}
static long try_create(void) {
    return answer(open("/tmp/relecture-escaped", O_WRONLY | O_CREAT, 0600));
}
static long try_openat2(void) {
    uint64_t how[3] = {O_RDONLY};
    return answer(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof how));
}
static long try_stat(void) {
    struct stat st;
    return answer(stat("/etc/passwd", &st));
}
static long try_proc(void) {
    return answer(open("/proc/self/maps", O_RDONLY));
}
static long try_unlink(void) {
    return answer(unlink("/tmp/relecture-escaped"));
}
static long try_rename(void) {
    return answer(rename("/tmp/relecture-escaped", "/tmp/relecture-escaped2"));
}
static long try_chdir(void) {
    return answer(chdir("/"));
}
static long try_inet(void) {
    return answer(socket(AF_INET, SOCK_STREAM, 0));
}
static long try_unix(void) {
    return answer(socket(AF_UNIX, SOCK_STREAM, 0));
}
static long try_connect(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    return answer(connect(WORKER_SOCKET_FD, (struct sockaddr *)&a, sizeof a));
}
static long try_sendto_elsewhere(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    return answer(sendto(WORKER_SOCKET_FD, "x", 1, 0, (struct sockaddr *)&a, sizeof a));
}
static long try_sendmsg(void) { /* descriptors could travel with it */
    struct msghdr mh = {0};
    return answer(sendmsg(WORKER_SOCKET_FD, &mh, 0));
}
static long try_fork(void) {
    return answer(fork());
}
static long try_thread(void) {
    pthread_t t;
    return answer(pthread_create(&t, NULL, nothing, NULL) == 0 ? 0 : -1);
}
static long try_exec(void) {
    char *argv[] = {(char[]){"/bin/true"}, NULL};
    return answer(execv(argv[0], argv));
}
static long try_kill_server(void) {
    return answer(kill(getppid(), SIGCONT));
}
static long try_tgkill_other(void) {
    return answer(syscall(SYS_tgkill, 1, 1, 0));
}
static long try_ptrace(void) {
    return answer(ptrace(PTRACE_ATTACH, 1, 0, 0));
}
static long try_vm_read(void) {
    char c;
    struct iovec v = {&c, 1};
    return answer(process_vm_readv(1, &v, 1, &v, 1, 0));
}
static long try_map_exec(void) {
    return answer(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                          MAP_FAILED
                      ? -1
                      : 0);
}
static long try_make_exec(void) {
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return answer(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static long try_write_recording(void) {
    return answer(pwrite(IN_FD, "x", 1, 0));
}
static long try_truncate(void) {
    return answer(ftruncate(OUT_FD, 0));
}
static long try_dup(void) {
    return answer(dup(IN_FD));
}
static long try_fcntl(void) {
    return answer(fcntl(WORKER_SOCKET_FD, F_SETOWN, 1));
}
static long try_ioctl(void) {
    int n;
    return answer(syscall(SYS_ioctl, WORKER_SOCKET_FD, 0x541b, &n));
}
static long try_memfd(void) {
    return answer(memfd_create("x", 0));
}
static long try_pipe(void) {
    int p[2];
    return answer(pipe(p));
}
static long try_io_uring(void) {
    char params[256] = {0};
    return answer(syscall(SYS_io_uring_setup, 1, params));
}
static long try_userfault(void) {
    return answer(syscall(SYS_userfaultfd, 0));
}
static long try_bpf(void) {
    char attr[64] = {0};
    return answer(syscall(SYS_bpf, 0, attr, sizeof attr));
}
static long try_unshare(void) {
    return answer(syscall(SYS_unshare, 0x10000000));
}
static long try_prctl(void) {
    return answer(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static long try_seccomp(void) {
    return answer(syscall(SYS_seccomp, 0, 0, NULL));
}
static long try_raise_limit(void) {
    struct rlimit r = {.rlim_cur = 1024, .rlim_max = 1024};
    return answer(setrlimit(RLIMIT_NOFILE, &r));
}
static long try_signal_handler(void) {
    return answer(signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1 : 0);
}
#if defined(__x86_64__)
static long try_other_abi(void) { /* getpid by the 32-bit gate */
    long rc;
    __asm__ volatile("int $0x80" : "=a"(rc) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    return answer(rc);
}
static long try_x32_abi(void) {
    return answer(syscall(0x40000000 + SYS_getpid));
}
#endif

/* ---- what must go on working
 * --------------------------------------------------------------------------------- */
static long do_work(void) {
    char c = 0;
    struct stat st;
    struct rusage ru;
    void *p = malloc(64u << 20), *q;
    if (!p) return 1;
    memset(p, 1, 64u << 20);
    q = realloc(p, 96u << 20);
    if (!q) return 2;
    free(q);
    if (pread(IN_FD, &c, 1, 0) != 1 || c != 'i') return 3;
    if (pwrite(OUT_FD, "o", 1, 0) != 1 || pread(OUT_FD, &c, 1, 0) != 1 || c != 'o' || fsync(OUT_FD) != 0)
        return 4;
    if (syscall(SYS_fstat, IN_FD, &st) != 0 || getrusage(RUSAGE_SELF, &ru) != 0) return 5;
    if (clock_mono_ns() == 0 || clock_thread_cpu_ns() == 0) return 6;
    log_info("double", "a line from inside");
    struct wire_header h;
    wire_begin(&h, WIRE_PONG, sizeof h);
    if (worker_reply(&h, sizeof h) != OK) return 7;
    size_t n;
    int fds[4];
    unsigned n_fds;
    if (worker_receive(&h, sizeof h, &n, fds, &n_fds, 0) != ERR_AGAIN) return 8;
    return 42;
}
static long do_abort(void) {
    abort();
}
static long do_large_memory(void) {
    return malloc(900u << 20) ? 42 : 43;
}
static long do_large_file(void) {
    return answer(pwrite(OUT_FD, "x", 1, 2 << 20));
}
static long do_landlock(void) {
    return sandbox_has_landlock() ? 42 : 43;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        long (*fn)(void);
    } attempts[] = {
#define A(name) {#name, name}
        A(try_open),
        A(try_open_raw),
        A(try_create),
        A(try_openat2),
        A(try_stat),
        A(try_proc),
        A(try_unlink),
        A(try_rename),
        A(try_chdir),
        A(try_inet),
        A(try_unix),
        A(try_connect),
        A(try_sendto_elsewhere),
        A(try_sendmsg),
        A(try_fork),
        A(try_thread),
        A(try_exec),
        A(try_kill_server),
        A(try_tgkill_other),
        A(try_ptrace),
        A(try_vm_read),
        A(try_map_exec),
        A(try_make_exec),
        A(try_write_recording),
        A(try_truncate),
        A(try_dup),
        A(try_fcntl),
        A(try_ioctl),
        A(try_memfd),
        A(try_pipe),
        A(try_io_uring),
        A(try_userfault),
        A(try_bpf),
        A(try_unshare),
        A(try_prctl),
        A(try_seccomp),
        A(try_raise_limit),
        A(try_signal_handler),
#if defined(__x86_64__)
        A(try_other_abi),
        A(try_x32_abi),
#endif
        A(do_work),
        A(do_abort),
        A(do_large_memory),
        A(do_large_file),
        A(do_landlock),
#undef A
    };
    log_init("double", LOG_INFO);
    worker_log_to_server();
    const struct sandbox_limits limits = {.memory_bytes = 512u << 20, .file_bytes = 1u << 20};
    if (argc < 2 || sandbox_enter(&limits) != OK) return 65;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        if (!strcmp(attempts[i].name, argv[1])) _exit((int)attempts[i].fn());
    _exit(64);
}
