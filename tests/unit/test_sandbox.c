/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox by trying what it forbids, from inside a worker that entered it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/proc/worker.h"
#include "tests/support/test.h"

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

static char double_path[512];

static void on_exit_(struct worker *w, int status, void *arg) {
    (void)w;
    *(int *)arg = status;
}
static void too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
    fprintf(stderr, "deadline passed\n");
    _exit(1);
}

/* The exit status as from waitpid. */
static int attempt(const char *name) {
    int status = -1;
    struct event_base *base = event_base_new();
    struct event *deadline = evtimer_new(base, too_late, NULL);
    const struct timeval limit = {.tv_sec = 20};
    event_add(deadline, &limit);
    const int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    assert_int_equal(write(in, "input", 5), 5);
    const char *const argv[] = {"sandbox_double", name, NULL};
    const struct worker_spec spec = {
        .name = "double", .exe = double_path, .argv = argv, .extra_fds = {in, out}, .n_extra_fds = 2};
    const struct worker_callbacks cb = {.on_exit = on_exit_, .arg = &status};
    struct worker *w;
    assert_int_equal(worker_start(base, &spec, &cb, &w), OK);
    while (status == -1) event_base_loop(base, EVLOOP_ONCE);
    worker_free(&w);
    event_free(deadline);
    event_base_free(base);
    close(in);
    close(out);
    return status;
}

static void assert_killed(const char *name) {
    const int s = attempt(name);
    if (!WIFSIGNALED(s) || WTERMSIG(s) != SIGSYS) fail_msg("%s ended with status %x, not killed", name, s);
}
static void assert_status(const char *name, int want) {
    const int s = attempt(name);
    if (!WIFEXITED(s) || WEXITSTATUS(s) != want) fail_msg("%s ended with status %x, not %d", name, s, want);
}

static void opening_looking_and_asking_fail_with_an_error(void **state) {
    (void)state;
    static const char *const names[] = {"try_open", "try_open_raw", "try_create",     "try_stat",
                                        "try_proc", "try_ioctl",    "try_raise_limit"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) assert_status(names[i], 43);
    assert_int_not_equal(access("/tmp/relecture-escaped", F_OK), 0);
}

static void everything_else_that_leads_outside_kills_the_worker(void **state) {
    (void)state;
    static const char *const names[] = {
        "try_openat2",
        "try_unlink",
        "try_rename",
        "try_chdir",
        "try_inet",
        "try_unix",
        "try_connect",
        "try_sendto_elsewhere",
        "try_sendmsg",
        "try_exec",
        "try_kill_server",
        "try_tgkill_other",
        "try_ptrace",
        "try_vm_read",
        "try_map_exec",
        "try_make_exec",
        "try_write_recording",
        "try_truncate",
        "try_dup",
        "try_fcntl",
        "try_memfd",
        "try_pipe",
        "try_io_uring",
        "try_userfault",
        "try_bpf",
        "try_unshare",
        "try_prctl",
        "try_seccomp",
#if defined(__x86_64__)
        "try_other_abi",
        "try_x32_abi",
#endif
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) assert_killed(names[i]);
    /* Sanitizers need these three for themselves. */
    static const char *const strict[] = {"try_fork", "try_thread", "try_signal_handler"};
    for (size_t i = 0; !SANITIZED && i < sizeof strict / sizeof strict[0]; i++) assert_killed(strict[i]);
}

static void work_goes_on_inside(void **state) {
    (void)state;
    assert_status("do_work", 42);
    const int s = attempt("do_abort");
    assert_true(WIFSIGNALED(s) && WTERMSIG(s) == SIGABRT);
}

static void memory_and_file_size_are_limited(void **state) {
    (void)state;
    if (!SANITIZED) assert_status("do_large_memory", 43);
    assert_status("do_large_file", 43);
}

static void landlock_is_in_force_exactly_where_the_kernel_has_it(void **state) {
    (void)state;
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    assert_status("do_landlock", abi >= 1 ? 42 : 43);
}

int main(void) {
    char self[256] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
    snprintf(double_path, sizeof double_path, "%s/../support/sandbox_double", dirname(self));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_looking_and_asking_fail_with_an_error),
        cmocka_unit_test(everything_else_that_leads_outside_kills_the_worker),
        cmocka_unit_test(work_goes_on_inside),
        cmocka_unit_test(memory_and_file_size_are_limited),
        cmocka_unit_test(landlock_is_in_force_exactly_where_the_kernel_has_it),
    };
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
