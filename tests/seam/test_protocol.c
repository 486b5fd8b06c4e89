/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides of the socket against a partner that breaks the protocol: the shipped worker against a mad
 * server, and host/pipe/cards.c against a mad worker (fake_card.c). */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/card_exit.h"
#include "host/proc/worker.h"
#include "tests/seam/rig.h"
#include "tests/support/test.h"

#define UP_MS 20000

/* --- the worker against a mad server ----------------------------------------------------------------------
 */

struct raw {
    struct rig rig; /* for its directory and paths */
    pid_t pid;
    int sock;
};

static void raw_spawn(struct raw *w, const char *const *argv) {
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    /* Out of the way of the number it is to get: on itself, dup2 would leave it closed on exec. */
    const int theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 64);
    assert_true(theirs >= 0);
    close(pair[1]);
    char xrt[160];
    snprintf(xrt, sizeof xrt, "XILINX_XRT=%s", w->rig.sim);
    const char *env[] = {xrt, NULL};
    posix_spawn_file_actions_t fa;
    assert_int_equal(posix_spawn_file_actions_init(&fa), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&fa, theirs, WORKER_SOCKET_FD), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0), 0);
    union {
        const char *const *in;
        char *const *out;
    } a = {.in = argv}, e = {.in = env};
    assert_int_equal(posix_spawn(&w->pid, w->rig.exe, &fa, NULL, a.out, e.out), 0);
    posix_spawn_file_actions_destroy(&fa);
    close(theirs);
    w->sock = pair[0];
}

/* The next message that is no log line; 0 at the end. */
static size_t raw_receive(struct raw *w, union wire_any *m, enum wire_type *type) {
    for (;;) {
        unsigned char buf[8192];
        struct pollfd p = {.fd = w->sock, .events = POLLIN};
        assert_int_equal(poll(&p, 1, UP_MS), 1);
        const ssize_t n = recv(w->sock, buf, sizeof buf, 0);
        if (n <= 0) return 0;
        assert_int_equal(wire_check(buf, (size_t)n, m, sizeof *m, type), OK);
        if (*type != WIRE_LOG) return (size_t)n;
    }
}

static void raw_ready(struct raw *w) {
    union wire_any m;
    enum wire_type type;
    rig_init(&w->rig, "");
    const char *argv[] = {w->rig.exe,   "--xclbin", w->rig.xclbin, "--model",
                          w->rig.model, "--runner", w->rig.runner, NULL};
    raw_spawn(w, argv);
    assert_true(raw_receive(w, &m, &type) > 0);
    assert_int_equal(type, WIRE_CARD_READY);
}

static void raw_send(struct raw *w, const void *msg, size_t n, int fd) {
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    union {
        const void *in;
        void *out;
    } data = {.in = msg};
    struct iovec iov = {.iov_base = data.out, .iov_len = n};
    struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        mh.msg_control = control.space;
        mh.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    assert_int_equal(sendmsg(w->sock, &mh, MSG_NOSIGNAL), (ssize_t)n);
}

static struct wire_arena arena_message(const struct slots *s, uint32_t id, bool writable) {
    struct wire_arena m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_CARD_ARENA, sizeof m);
    m.arena = id;
    m.n_slots = slots_count(s);
    m.slot_bytes = slots_bytes(s);
    m.writable = writable;
    return m;
}

/* Job `job`: slot `slot` of arena 1 into the same slot of arena `out_arena`. */
static struct wire_detect detect_message(const struct rig *r, uint64_t job, uint32_t slot,
                                         uint32_t out_arena) {
    struct wire_detect m;
    memset(&m, 0, sizeof m);
    wire_begin(&m, WIRE_CARD_DETECT, sizeof m);
    m.job = job;
    m.arena = 1;
    m.slot = m.out_slot = slot;
    m.out_arena = out_arena;
    m.surface = r->surface;
    return m;
}

/* The worker must end by itself with this status. */
static void raw_ends(struct raw *w, int want) {
    union wire_any m;
    enum wire_type type;
    while (raw_receive(w, &m, &type) > 0) {
    }
    int status;
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), want);
    close(w->sock);
    rig_fini(&w->rig);
}

static void worker_ends_cleanly_when_the_server_is_gone(void **state) {
    (void)state;
    struct raw w;
    raw_ready(&w);
    assert_int_equal(shutdown(w.sock, SHUT_WR), 0);
    raw_ends(&w, CARD_EXIT_OK);
}

static void worker_finishes_its_jobs_before_it_ends(void **state) {
    (void)state;
    struct raw w;
    union wire_any m;
    enum wire_type type;
    raw_ready(&w);
    struct slots *results;
    assert_int_equal(slots_new("results", slots_count(w.rig.slots), slots_bytes(w.rig.slots), &results), OK);
    const struct wire_arena in = arena_message(w.rig.slots, 1, false), out = arena_message(results, 2, true);
    raw_send(&w, &in, sizeof in, slots_fd(w.rig.slots));
    raw_send(&w, &out, sizeof out, slots_fd(results));
    for (unsigned i = 0; i < 4; i++) {
        const struct wire_detect d = detect_message(&w.rig, 100 + i, i, 2);
        raw_send(&w, &d, sizeof d, -1);
    }
    assert_int_equal(shutdown(w.sock, SHUT_WR), 0);
    unsigned seen = 0;
    while (raw_receive(&w, &m, &type) > 0) {
        assert_int_equal(type, WIRE_CARD_DONE);
        assert_int_equal(m.card_done.status, OK);
        uint32_t n;
        const unsigned i = (unsigned)(m.card_done.job - 100);
        assert_true(i < 4);
        uint8_t *want = rig_expect_detect(&w.rig, i, &n);
        assert_int_equal(m.card_done.n_bytes, n);
        assert_memory_equal(slots_at(results, i), want, n);
        free(want);
        seen |= 1u << i;
    }
    assert_int_equal(seen, 15);
    slots_free(&results);
    raw_ends(&w, CARD_EXIT_OK);
}

static void messages_that_are_none_end_the_worker(void **state) {
    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        struct raw w;
        raw_ready(&w);
        struct wire_arena a = arena_message(w.rig.slots, 1, true);
        struct wire_detect d = detect_message(&w.rig, 1, 0, 1);
        if (i != 2) raw_send(&w, &a, sizeof a, slots_fd(w.rig.slots));
        switch (i) {
        case 0:
            raw_send(&w, "what is this", 12, -1);
            break;
        case 1: /* cut off */
            raw_send(&w, &d, sizeof d - 1, -1);
            break;
        case 2: /* no such arena */
            raw_send(&w, &d, sizeof d, -1);
            break;
        case 3: /* a slot outside */
            d.slot = RIG_SLOTS;
            raw_send(&w, &d, sizeof d, -1);
            break;
        case 4: /* a surface larger than its slot */
            d.surface.uv_offset_bytes += 65536;
            raw_send(&w, &d, sizeof d, -1);
            break;
        case 5: /* the arena again */
            raw_send(&w, &a, sizeof a, slots_fd(w.rig.slots));
            break;
        case 6: /* an arena without its descriptor */
            a.arena = 2;
            raw_send(&w, &a, sizeof a, -1);
            break;
        case 7: /* forget an arena that was never known */
            wire_begin(&a, WIRE_CARD_ARENA_DROP, sizeof a);
            a.arena = 2;
            raw_send(&w, &a, sizeof a, -1);
            break;
        default: { /* what only a worker may send */
            struct wire_card_done done;
            memset(&done, 0, sizeof done);
            wire_begin(&done, WIRE_CARD_DONE, sizeof done);
            raw_send(&w, &done, sizeof done, -1);
        }
        }
        raw_ends(&w, CARD_EXIT_PROTOCOL);
    }
}

static void memory_that_could_shrink_is_refused(void **state) {
    (void)state;
    struct raw w;
    raw_ready(&w);
    const int fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    const struct wire_arena a = arena_message(w.rig.slots, 1, true);
    assert_int_equal(ftruncate(fd, (off_t)(a.slot_bytes * a.n_slots)), 0);
    raw_send(&w, &a, sizeof a, fd);
    close(fd);
    raw_ends(&w, CARD_EXIT_PROTOCOL);
}

static void a_read_only_arena_takes_no_results(void **state) {
    (void)state;
    struct raw w;
    raw_ready(&w);
    const struct wire_arena a = arena_message(w.rig.slots, 1, false);
    const struct wire_detect d = detect_message(&w.rig, 1, 0, 1);
    raw_send(&w, &a, sizeof a, slots_fd(w.rig.slots));
    raw_send(&w, &d, sizeof d, -1);
    raw_ends(&w, CARD_EXIT_PROTOCOL);
}

static void sizes_beyond_the_kernels_are_answered_not_run(void **state) {
    (void)state;
    struct raw w;
    union wire_any m;
    enum wire_type type;
    raw_ready(&w);
    const struct wire_arena a = arena_message(w.rig.slots, 1, true);
    raw_send(&w, &a, sizeof a, slots_fd(w.rig.slots));
    struct wire_crops c;
    memset(&c, 0, sizeof c);
    wire_begin(&c, WIRE_CARD_CROPS, sizeof c);
    c.job = 5;
    c.arena = c.out_arena = c.out_slot = 1;
    c.surface = w.rig.surface;
    c.dst_w_px = 1025;
    c.dst_h_px = 1;
    c.n_rois = 1;
    c.rois[0] = (struct wire_roi){0, 0, 8, 8};
    raw_send(&w, &c, sizeof c, -1);
    assert_true(raw_receive(&w, &m, &type) > 0);
    assert_int_equal(type, WIRE_CARD_DONE);
    assert_int_equal(m.card_done.job, 5);
    assert_int_equal(m.card_done.status, ERR_USAGE);
    /* more than the slot holds */
    c.job = 6;
    c.dst_w_px = 512;
    c.dst_h_px = 512;
    raw_send(&w, &c, sizeof c, -1);
    assert_true(raw_receive(&w, &m, &type) > 0);
    assert_int_equal(m.card_done.job, 6);
    assert_int_equal(m.card_done.status, ERR_USAGE);
    assert_int_equal(shutdown(w.sock, SHUT_WR), 0);
    raw_ends(&w, CARD_EXIT_OK);
}

static int run_with(struct raw *w, const char *const *argv) {
    int status;
    raw_spawn(w, argv);
    close(w->sock);
    assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void arguments_are_checked_before_anything_is_opened(void **state) {
    (void)state;
    struct raw w;
    rig_init(&w.rig, "");
    const char *x = w.rig.exe;
    const char *const none[] = {x, NULL};
    const char *const half[] = {x, "--xclbin", "a", "--model", "b", NULL};
    const char *const bad_number[] = {x,          "--xclbin", "a",       "--model", "b",
                                      "--runner", "c",        "--lanes", "0",       NULL};
    const char *const bad_tail[] = {x, "--xclbin", "a", "--model", "b", "--runner", "c", "d", NULL};
    const char *const unknown[] = {x, "--frobnicate", NULL};
    const char *const help[] = {x, "--help", NULL};
    assert_int_equal(run_with(&w, none), CARD_EXIT_USAGE);
    assert_int_equal(run_with(&w, half), CARD_EXIT_USAGE);
    assert_int_equal(run_with(&w, bad_number), CARD_EXIT_USAGE);
    assert_int_equal(run_with(&w, bad_tail), CARD_EXIT_USAGE);
    assert_int_equal(run_with(&w, unknown), CARD_EXIT_USAGE);
    assert_int_equal(run_with(&w, help), CARD_EXIT_OK);
    const char *const check[] = {x,           "--check",  "--xclbin",   w.rig.xclbin, "--model",
                                 w.rig.model, "--runner", w.rig.runner, NULL};
    assert_int_equal(run_with(&w, check), CARD_EXIT_OK);
    rig_fini(&w.rig);
}

/* --- the server against a mad worker
 * ------------------------------------------------------------------------ */

static void mad_worker(struct rig *r, const char *how, unsigned job_timeout_ms) {
    rig_init(r, "");
    char *p = realpath(BUILD_DIR "/tests/seam/fake_card", NULL);
    assert_non_null(p);
    snprintf(r->exe, sizeof r->exe, "%s", p);
    free(p);
    snprintf(r->model, sizeof r->model, "/fake/%s", how);
    rig_start(r, 1, job_timeout_ms);
}

static void note(const struct cards_result *res, void *arg) {
    struct outcome *o = arg;
    o->n_calls++;
    o->status = res->status;
    ++*o->n_done;
}

static void submit(struct rig *r, struct outcome *o, unsigned *n) {
    *o = (struct outcome){.rig = r, .n_done = n};
    assert_int_equal(cards_detect(r->cards, r->arena, 0, &r->surface, note, o), OK);
}

static void honest_fake_worker_is_believed(void **state) {
    (void)state;
    struct rig r;
    struct outcome o;
    unsigned n = 0;
    mad_worker(&r, "honest", 5000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    submit(&r, &o, &n);
    rig_until(&r, &n, 1, UP_MS);
    assert_int_equal(o.status, OK);
    assert_false(cards_model(r.cards)->simulated);
    rig_fini(&r);
}

static void answers_that_cannot_be_true_end_the_worker_and_the_job_fails_after_three(void **state) {
    (void)state;
    static const char *const how[] = {"other-job", "wrong-size", "impossible-status", "cut-off", "silent"};
    for (unsigned i = 0; i < sizeof how / sizeof how[0]; i++) {
        struct rig r;
        struct outcome o;
        struct cards_stats s;
        unsigned n = 0;
        mad_worker(&r, how[i], 300);
        rig_until(&r, &r.n_ready, 1, UP_MS);
        submit(&r, &o, &n);
        rig_until(&r, &n, 1, UP_MS);
        assert_int_equal(o.n_calls, 1);
        assert_int_equal(o.status, ERR_CARD);
        cards_stats(r.cards, &s);
        assert_int_equal(s.n_resubmitted, 2);
        assert_int_equal(s.n_restarts, 2);
        rig_fini(&r);
    }
}

static void second_answer_to_a_job_ends_the_worker_but_the_first_counts(void **state) {
    (void)state;
    struct rig r;
    struct outcome o;
    unsigned n = 0;
    mad_worker(&r, "answers-twice", 5000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    submit(&r, &o, &n);
    rig_until(&r, &n, 1, UP_MS);
    assert_int_equal(o.status, OK);
    rig_until(&r, &r.n_ready, 2, UP_MS); /* ended and restarted */
    assert_int_equal(o.n_calls, 1);
    rig_fini(&r);
}

static void workers_mad_from_the_start_are_started_again(void **state) {
    (void)state;
    static const char *const how[] = {"garbage-first", "done-first", "ready-twice", "too-large"};
    for (unsigned i = 0; i < sizeof how / sizeof how[0]; i++) {
        struct rig r;
        struct cards_stats s = {0};
        mad_worker(&r, how[i], 5000);
        for (unsigned k = 0; k < 500 && s.n_restarts < 1; k++) {
            rig_turn(&r);
            cards_stats(r.cards, &s);
        }
        assert_int_equal(s.n_restarts, 1);
        assert_int_equal(r.n_dead, 0);
        rig_fini(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_ends_cleanly_when_the_server_is_gone),
        cmocka_unit_test(worker_finishes_its_jobs_before_it_ends),
        cmocka_unit_test(messages_that_are_none_end_the_worker),
        cmocka_unit_test(memory_that_could_shrink_is_refused),
        cmocka_unit_test(a_read_only_arena_takes_no_results),
        cmocka_unit_test(sizes_beyond_the_kernels_are_answered_not_run),
        cmocka_unit_test(arguments_are_checked_before_anything_is_opened),
        cmocka_unit_test(honest_fake_worker_is_believed),
        cmocka_unit_test(answers_that_cannot_be_true_end_the_worker_and_the_job_fails_after_three),
        cmocka_unit_test(second_answer_to_a_job_ends_the_worker_but_the_first_counts),
        cmocka_unit_test(workers_mad_from_the_start_are_started_again),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
