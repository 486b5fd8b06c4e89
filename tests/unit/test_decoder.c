/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side against a decode worker that lies: it is ended, told once, and no slot is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libgen.h>
#include <sys/mman.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/media/decoder.h"
#include "tests/support/test.h"

static char double_path[512];

struct ctx {
    struct event_base *base;
    struct slots *slots;
    struct decoder *d;
    unsigned n_frames, n_ends, n_failed, n_probed, keep;
    unsigned kept[8];
    enum err err;
    struct wire_failed fail;
    int free_at_frame, free_at_end;
};

static void on_probed(struct decoder *d, const struct wire_probed *p, void *arg) {
    (void)d;
    (void)p;
    ((struct ctx *)arg)->n_probed++;
}
static void on_frame(struct decoder *d, const struct wire_frame *f, void *arg) {
    (void)d;
    struct ctx *c = arg;
    if (c->n_frames < c->keep)
        c->kept[c->n_frames] = f->slot;
    else
        slots_unref(c->slots, f->slot);
    c->n_frames++;
    if (c->free_at_frame) {
        decoder_free(&c->d);
        event_base_loopbreak(c->base);
    }
}
static void on_end(struct decoder *d, const struct wire_decode_end *e, void *arg) {
    (void)d;
    (void)e;
    struct ctx *c = arg;
    c->n_ends++;
    if (c->free_at_end) decoder_free(&c->d);
    event_base_loopbreak(c->base);
}
static void on_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    (void)d;
    struct ctx *c = arg;
    c->n_failed++;
    c->err = e;
    c->fail = *f;
    event_base_loopbreak(c->base);
}
static void too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
    fprintf(stderr, "deadline passed\n");
    _exit(1);
}

static void play(struct ctx *c, const char *word) {
    c->base = event_base_new();
    struct event *deadline = evtimer_new(c->base, too_late, NULL);
    const struct timeval limit = {.tv_sec = 20};
    event_add(deadline, &limit);
    const int in = memfd_create("in", MFD_CLOEXEC);
    assert_int_equal(write(in, word, strlen(word)), (ssize_t)strlen(word));
    assert_int_equal(slots_new("t", 3, 4096, &c->slots), OK);
    const struct decoder_spec spec = {.exe = double_path,
                                      .label = "clip\n.mp4",
                                      .job = DECODER_FRAMES,
                                      .in_fd = in,
                                      .out_fd = -1,
                                      .slots = c->slots,
                                      .after_us = -1};
    const struct decoder_callbacks cb = {
        .on_probed = on_probed, .on_frame = on_frame, .on_end = on_end, .on_failed = on_failed, .arg = c};
    assert_int_equal(decoder_start(c->base, &spec, &cb, &c->d), OK);
    event_base_dispatch(c->base);
    decoder_free(&c->d);
    for (unsigned i = 0; i < c->keep && i < c->n_frames; i++) slots_unref(c->slots, c->kept[i]);
    assert_int_equal(slots_free_count(c->slots), 3);
    slots_free(&c->slots);
    close(in);
    event_free(deadline);
    event_base_free(c->base);
}

static void worker_that_lies_is_ended_and_told_once(void **state) {
    (void)state;
    static const char *const lies[] = {"twice",   "foreign",  "backwards", "unnumbered", "outside",
                                       "garbage", "stranger", "reprobed",  "afterwards"};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct ctx c = {.keep = 8}; /* kept slots are not granted again */
        play(&c, lies[i]);
        if (c.n_failed != 1 || c.n_ends != 0 || c.err != ERR_IO || c.fail.why != WIRE_FAIL_DIED)
            fail_msg("%s: failed %u ends %u err %d why %u", lies[i], c.n_failed, c.n_ends, c.err, c.fail.why);
        assert_true(c.n_frames <= 1);
    }
}

static void worker_that_dies_or_leaves_without_an_end_has_failed(void **state) {
    (void)state;
    struct ctx c = {0}, d = {0};
    play(&c, "crash");
    assert_int_equal(c.n_failed, 1);
    assert_int_equal(c.n_frames, 1);
    assert_int_equal(c.err, ERR_IO);
    assert_non_null(strstr(c.fail.text, "signal 6"));
    assert_non_null(strstr(c.fail.text, "clip?.mp4"));
    assert_int_equal(c.fail.position_us, 0);
    play(&d, "vanish");
    assert_int_equal(d.n_failed, 1);
    assert_non_null(strstr(d.fail.text, "status 0"));
}

static void frames_that_are_kept_outlive_their_worker(void **state) {
    (void)state;
    struct ctx c = {.keep = 2};
    play(&c, "honest");
    assert_int_equal(c.n_ends, 1);
    assert_int_equal(c.n_frames, 2);
}

static void decoder_may_be_freed_inside_its_callbacks(void **state) {
    (void)state;
    struct ctx c = {.free_at_frame = 1}, d = {.free_at_end = 1};
    play(&c, "honest");
    assert_int_equal(c.n_frames, 1);
    assert_int_equal(c.n_ends + c.n_failed, 0);
    play(&d, "honest");
    assert_int_equal(d.n_ends, 1);
}

static void impossible_jobs_are_refused(void **state) {
    (void)state;
    struct event_base *base = event_base_new();
    const struct decoder_callbacks cb = {0};
    struct decoder *d;
    struct decoder_spec spec = {
        .exe = double_path, .label = "x", .job = DECODER_FRAMES, .in_fd = 0, .out_fd = -1};
    assert_int_equal(decoder_start(base, &spec, &cb, &d), ERR_USAGE); /* no slots */
    spec.job = DECODER_CLIP;
    assert_int_equal(decoder_start(base, &spec, &cb, &d), ERR_USAGE); /* nowhere to write */
    spec.job = (enum decoder_job)9;
    assert_int_equal(decoder_start(base, &spec, &cb, &d), ERR_USAGE);
    spec.job = DECODER_PROBE;
    spec.in_fd = -1;
    assert_int_equal(decoder_start(base, &spec, &cb, &d), ERR_USAGE);
    spec.in_fd = 0;
    spec.exe = "/nonexistent/decode";
    assert_int_equal(decoder_start(base, &spec, &cb, &d), ERR_IO);
    assert_null(d);
    event_base_free(base);
}

int main(void) {
    char self[256] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 1;
    snprintf(double_path, sizeof double_path, "%s/../support/decode_double", dirname(self));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_that_lies_is_ended_and_told_once),
        cmocka_unit_test(worker_that_dies_or_leaves_without_an_end_has_failed),
        cmocka_unit_test(frames_that_are_kept_outlive_their_worker),
        cmocka_unit_test(decoder_may_be_freed_inside_its_callbacks),
        cmocka_unit_test(impossible_jobs_are_refused),
    };
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
