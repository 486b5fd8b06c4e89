/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <libgen.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/proc/wire.h"
#include "host/proc/worker.h"
#include "tests/support/test.h"

#define DEADLINE_S 20

static char double_path[512];

struct ctx {
    struct event_base *base;
    struct worker *w;
    struct event *deadline;
    unsigned n_messages, stop_at; /* leave the loop at that many messages; 0 = at the exit only */
    unsigned n_exits, n_late;     /* messages after the exit */
    int status;
    size_t n_last;
    char last[WORKER_MESSAGE_MAX_BYTES];
    int free_inside, kill_inside;
};

static void on_message(struct worker *w, const void *msg, size_t n, void *arg) {
    struct ctx *c = arg;
    if (c->n_exits) c->n_late++;
    c->n_messages++;
    memcpy(c->last, msg, n);
    c->n_last = n;
    if (c->free_inside) {
        worker_free(&c->w);
        event_base_loopbreak(c->base);
    } else if (c->kill_inside) {
        worker_kill(w);
    }
    if (c->n_messages == c->stop_at) event_base_loopbreak(c->base);
}
static void on_exit_(struct worker *w, int status, void *arg) {
    (void)w;
    struct ctx *c = arg;
    c->n_exits++;
    c->status = status;
    if (c->free_inside) worker_free(&c->w);
    event_base_loopbreak(c->base);
}
static void too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
    fprintf(stderr, "deadline passed\n");
    _exit(1);
}

static void begin(struct ctx *c, const char *mode, const char *arg, unsigned ping_ms) {
    const char *const argv[] = {"worker_double", mode, arg, NULL};
    const struct worker_spec spec = {
        .name = "double", .exe = double_path, .argv = argv, .ping_ms = ping_ms, .extra_fds = {-1}};
    const struct worker_callbacks cb = {.on_message = on_message, .on_exit = on_exit_, .arg = c};
    c->base = event_base_new();
    c->deadline = evtimer_new(c->base, too_late, NULL);
    const struct timeval limit = {.tv_sec = DEADLINE_S};
    event_add(c->deadline, &limit);
    assert_int_equal(worker_start(c->base, &spec, &cb, &c->w), OK);
}
static void end(struct ctx *c) {
    worker_free(&c->w);
    event_free(c->deadline);
    event_base_free(c->base);
}

static void worker_answers_what_it_is_sent(void **state) {
    (void)state;
    struct ctx c = {.stop_at = 1};
    begin(&c, "echo", NULL, 0);
    assert_int_equal(worker_send(c.w, "hello", 6, NULL, 0), OK);
    event_base_dispatch(c.base);
    assert_string_equal(c.last, "hello");
    worker_end(c.w, 10000);
    assert_int_equal(worker_send(c.w, "x", 1, NULL, 0), ERR_EOF);
    event_base_dispatch(c.base);
    assert_int_equal(c.n_exits, 1);
    assert_true(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 0);
    uint64_t cpu_us, peak_kib;
    worker_usage(c.w, &cpu_us, &peak_kib);
    assert_in_range(peak_kib, 300, 200000);
    end(&c);
}

static void worker_gets_the_descriptors_sent_with_a_message(void **state) {
    (void)state;
    struct ctx c = {.stop_at = 1};
    begin(&c, "echo", NULL, 0);
    const int fd = memfd_create("t", MFD_CLOEXEC);
    assert_int_equal(write(fd, "inside", 7), 7);
    assert_int_equal(worker_send(c.w, "look", 5, &fd, 1), OK);
    close(fd);
    event_base_dispatch(c.base);
    assert_string_equal(c.last, "inside");
    end(&c);
}

static void worker_starts_with_nothing_but_what_it_is_given(void **state) {
    (void)state;
    struct ctx c = {0};
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    signal(SIGPIPE, SIG_IGN);
    const int inheritable = open("/dev/null", O_RDONLY); /* no O_CLOEXEC: as a careless library would */
    const int extra = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    const char *const argv[] = {"worker_double", "report", NULL};
    const char *const env[] = {"A=1", NULL};
    const struct worker_spec spec = {.name = "double",
                                     .exe = double_path,
                                     .argv = argv,
                                     .env = env,
                                     .extra_fds = {extra, extra},
                                     .n_extra_fds = 2};
    const struct worker_callbacks cb = {.on_message = on_message, .on_exit = on_exit_, .arg = &c};
    c.base = event_base_new();
    c.deadline = evtimer_new(c.base, too_late, NULL);
    assert_int_equal(worker_start(c.base, &spec, &cb, &c.w), OK);
    event_base_dispatch(c.base);
    c.last[c.n_last] = 0;
    assert_string_equal(c.last, "0 1 2 3 4 5 A=1 ");
    close(inheritable);
    close(extra);
    end(&c);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
}

static void exit_status_and_signal_are_told(void **state) {
    (void)state;
    struct ctx c = {0};
    begin(&c, "exit", "7", 0);
    event_base_dispatch(c.base);
    assert_true(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 7);
    assert_int_equal(worker_send(c.w, "x", 1, NULL, 0), ERR_EOF);
    end(&c);
    struct ctx k = {.stop_at = 1};
    begin(&k, "echo", NULL, 0);
    assert_int_equal(worker_send(k.w, "x", 1, NULL, 0), OK);
    event_base_dispatch(k.base);
    worker_kill(k.w);
    event_base_dispatch(k.base);
    assert_true(WIFSIGNALED(k.status) && WTERMSIG(k.status) == SIGKILL);
    assert_int_equal(k.n_exits, 1);
    end(&k);
}

static void everything_said_before_death_arrives_before_the_exit(void **state) {
    (void)state;
    struct ctx c = {0};
    begin(&c, "burst", NULL, 0);
    assert_int_equal(worker_send(c.w, "unread", 7, NULL, 0), OK);
    event_base_dispatch(c.base);
    assert_int_equal(c.n_messages, 200);
    assert_int_equal(c.n_late, 0);
    assert_true(WIFSIGNALED(c.status));
    end(&c);
}

static void worker_that_answers_pings_lives_and_one_that_does_not_is_killed(void **state) {
    (void)state;
    struct ctx c = {0};
    begin(&c, "echo", NULL, 300); /* a busy machine may take long to start it */
    const struct timeval a_while = {.tv_usec = 700000};
    event_base_loopexit(c.base, &a_while);
    event_base_dispatch(c.base);
    assert_int_equal(c.n_exits, 0);
    assert_int_equal(c.n_messages, 0); /* pongs are not shown */
    end(&c);
    struct ctx d = {0};
    begin(&d, "deaf", NULL, 30);
    event_base_dispatch(d.base);
    assert_true(WIFSIGNALED(d.status) && WTERMSIG(d.status) == SIGKILL);
    end(&d);
}

static void queue_to_a_deaf_worker_is_bounded(void **state) {
    (void)state;
    struct ctx c = {0};
    begin(&c, "deaf", NULL, 0);
    char msg[1024] = "x";
    enum err e = OK;
    unsigned n = 0;
    for (; e == OK && n < 100000; n++) e = worker_send(c.w, msg, sizeof msg, NULL, 0);
    assert_int_equal(e, ERR_BUSY);
    assert_true(n > 1024);
    worker_end(c.w, 20); /* does not end by itself */
    event_base_dispatch(c.base);
    assert_true(WIFSIGNALED(c.status));
    end(&c);
}

static void queued_messages_arrive_once_and_in_order(void **state) {
    (void)state;
    enum { N = 700 };
    struct ctx c = {.stop_at = N};
    begin(&c, "echo", NULL, 0);
    uint32_t msg[512] = {0};
    for (uint32_t i = 0; i < N; i++) {
        msg[0] = i;
        assert_int_equal(worker_send(c.w, msg, sizeof msg, NULL, 0), OK);
    }
    event_base_dispatch(c.base);
    memcpy(msg, c.last, sizeof msg);
    assert_int_equal(msg[0], N - 1);
    end(&c);
}

static void worker_that_breaks_the_protocol_is_ended(void **state) {
    (void)state;
    static const char *const modes[] = {"oversized", "forger", "silent"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct ctx c = {0};
        begin(&c, modes[i], NULL, 0);
        event_base_dispatch(c.base);
        assert_true(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGKILL);
        assert_int_equal(c.n_messages, 0);
        end(&c);
    }
}

static void worker_may_be_freed_or_killed_inside_its_callbacks(void **state) {
    (void)state;
    struct ctx c = {.free_inside = 1};
    begin(&c, "echo", NULL, 0);
    assert_int_equal(worker_send(c.w, "x", 1, NULL, 0), OK);
    assert_int_equal(worker_send(c.w, "y", 1, NULL, 0), OK);
    event_base_dispatch(c.base);
    assert_null(c.w);
    assert_int_equal(c.n_messages, 1);
    assert_int_equal(c.n_exits, 0);
    end(&c);
    struct ctx d = {.free_inside = 1};
    begin(&d, "exit", "0", 0);
    event_base_dispatch(d.base);
    assert_int_equal(d.n_exits, 1);
    end(&d);
    struct ctx k = {.kill_inside = 1};
    begin(&k, "echo", NULL, 0);
    assert_int_equal(worker_send(k.w, "x", 1, NULL, 0), OK);
    event_base_dispatch(k.base);
    assert_true(WIFSIGNALED(k.status));
    end(&k);
}

static void missing_program_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    struct event_base *base = event_base_new();
    const char *const argv[] = {"no", NULL};
    const struct worker_spec spec = {.name = "no", .exe = "/nonexistent/no", .argv = argv};
    const struct worker_callbacks cb = {0};
    struct worker *w = (struct worker *)base;
    assert_int_equal(worker_start(base, &spec, &cb, &w), ERR_IO);
    assert_null(w);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    const struct worker_spec bad = {
        .name = "no", .exe = double_path, .argv = argv, .extra_fds = {999}, .n_extra_fds = 1};
    assert_int_equal(worker_start(base, &bad, &cb, &w), ERR_IO);
    event_base_free(base);
}

static void log_lines_of_a_worker_are_written_by_the_server(void **state) {
    (void)state;
    int p[2];
    assert_int_equal(pipe(p), 0);
    const int old = dup(STDERR_FILENO);
    struct ctx c = {0};
    begin(&c, "logger", NULL, 0);
    dup2(p[1], STDERR_FILENO);
    event_base_dispatch(c.base);
    dup2(old, STDERR_FILENO);
    close(old);
    close(p[1]);
    char text[2048] = "";
    assert_true(read(p[0], text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "hello=1"));
    assert_non_null(strstr(text, "INFO double["));
    close(p[0]);
    assert_int_equal(c.n_messages, 0);
    end(&c);
}

static void log_of_a_worker_that_chatters_is_cut(void **state) {
    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    const int old = dup(STDERR_FILENO);
    struct ctx c = {0};
    begin(&c, "chatter", NULL, 0);
    dup2(fileno(f), STDERR_FILENO);
    event_base_dispatch(c.base);
    dup2(old, STDERR_FILENO);
    close(old);
    rewind(f);
    unsigned n = 0;
    char line[2048];
    while (fgets(line, sizeof line, f)) n++;
    fclose(f);
    assert_in_range(n, 200, 1000); /* 20 a second beyond the first 200 */
    assert_int_equal(c.n_exits, 1);
    end(&c);
}

int main(void) {
    char self[256] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
    snprintf(double_path, sizeof double_path, "%s/../support/worker_double", dirname(self));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_answers_what_it_is_sent),
        cmocka_unit_test(worker_gets_the_descriptors_sent_with_a_message),
        cmocka_unit_test(worker_starts_with_nothing_but_what_it_is_given),
        cmocka_unit_test(exit_status_and_signal_are_told),
        cmocka_unit_test(everything_said_before_death_arrives_before_the_exit),
        cmocka_unit_test(worker_that_answers_pings_lives_and_one_that_does_not_is_killed),
        cmocka_unit_test(queue_to_a_deaf_worker_is_bounded),
        cmocka_unit_test(queued_messages_arrive_once_and_in_order),
        cmocka_unit_test(worker_that_breaks_the_protocol_is_ended),
        cmocka_unit_test(worker_may_be_freed_or_killed_inside_its_callbacks),
        cmocka_unit_test(missing_program_is_an_error_and_leaves_nothing),
        cmocka_unit_test(log_of_a_worker_that_chatters_is_cut),
        cmocka_unit_test(log_lines_of_a_worker_are_written_by_the_server),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
