/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of driver/SEAM.md through the shipped card worker, Debian's XRT and VART, and the simulated
 * card. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "tests/seam/rig.h"
#include "tests/support/test.h"

#define UP_MS 20000 /* a sanitizer's worker on a busy machine takes seconds to come up */

static void worker_says_what_it_loaded(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, "[card]\nname = \"u50lv\"\n");
    rig_start(&r, 1, 10000);
    assert_null(cards_model(r.cards));
    rig_until(&r, &r.n_ready, 1, UP_MS);
    const struct wire_card_ready *m = cards_model(r.cards);
    assert_non_null(m);
    assert_int_equal(m->simulated, 1);
    assert_string_equal(m->device, "simulated u50lv");
    assert_non_null(strstr(m->core_library, "/sim/lib/libxrt_core.so.2"));
    assert_string_equal(m->runner_library, r.runner);
    assert_string_equal(m->model, "tiny");
    assert_int_equal(strlen(m->model_sha256), 64);
    assert_int_equal(m->input.w, 64);
    assert_int_equal(m->input.h, 48);
    assert_int_equal(m->n_outputs, 2);
    assert_string_equal(m->outputs[0].name, "coarse");
    assert_int_equal(m->outputs[0].fix_point, 2);
    assert_string_equal(m->outputs[1].name, "fine");
    assert_int_equal(m->outputs[1].h, 24);
    assert_true(cards_room(r.cards) == 2 * m->n_lanes);
    rig_fini(&r);
}

static void detection_equals_reference_kernel_and_network(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[RIG_SLOTS];
    unsigned n = 0;
    rig_init(&r, "");
    rig_start(&r, 1, 10000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    for (unsigned i = 0; i < RIG_SLOTS; i++) {
        while (cards_room(r.cards) == 0) rig_until(&r, &n, n + 1, UP_MS);
        rig_detect(&r, &o[i], i, &n);
    }
    rig_until(&r, &n, RIG_SLOTS, UP_MS);
    for (unsigned i = 0; i < RIG_SLOTS; i++) {
        assert_int_equal(o[i].n_calls, 1);
        assert_int_equal(o[i].status, OK);
        assert_true(o[i].equal);
    }
    rig_fini(&r);
}

struct crops_outcome {
    struct rig *rig;
    struct wire_roi rois[WIRE_ROIS_MAX];
    bool regions, equal;
    unsigned n_done;
    enum err status;
};

static void on_crops(const struct cards_result *res, void *arg) {
    struct crops_outcome *o = arg;
    o->n_done++;
    o->status = res->status;
    if (res->status != OK) return;
    uint32_t n;
    uint8_t *want = o->regions ? rig_expect_regions(o->rig, 2, o->rois, WIRE_ROIS_MAX, &n)
                               : rig_expect_crops(o->rig, 2, o->rois, WIRE_ROIS_MAX, 24, 40, &n);
    o->equal = n == res->n_bytes && memcmp(want, res->out, n) == 0;
    free(want);
}

static void many_rois(struct wire_roi rois[WIRE_ROIS_MAX]) {
    for (unsigned i = 0; i < WIRE_ROIS_MAX; i++) {
        const uint16_t w = (uint16_t)(2 + (i * 37) % 150), h = (uint16_t)(2 + (i * 23) % 90);
        rois[i] =
            (struct wire_roi){(uint16_t)((RIG_W - w) & ~1u), (uint16_t)(i % 2 ? (RIG_H - h) & ~1u : 0), w, h};
    }
}

static void crops_equal_reference(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, "");
    rig_start(&r, 1, 10000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    struct crops_outcome o = {.rig = &r};
    many_rois(o.rois);
    assert_int_equal(
        cards_crops(r.cards, r.arena, 2, &r.surface, o.rois, WIRE_ROIS_MAX, 24, 40, on_crops, &o), OK);
    rig_until(&r, &o.n_done, 1, UP_MS);
    assert_int_equal(o.status, OK);
    assert_true(o.equal);
    rig_fini(&r);
}

static void regions_equal_reference(const char *model) {
    struct rig r;
    rig_init(&r, "");
    snprintf(r.model + strlen(r.model), sizeof r.model - strlen(r.model), "%s", model);
    rig_start(&r, 1, 10000);
    struct crops_outcome o = {.rig = &r, .regions = true}, none = {.rig = &r};
    many_rois(o.rois);
    assert_int_equal(cards_regions(r.cards, r.arena, 2, &r.surface, o.rois, 1, on_crops, &o), ERR_USAGE);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    assert_int_equal(cards_regions(r.cards, r.arena, 2, &r.surface, o.rois, WIRE_ROIS_MAX, on_crops, &o), OK);
    rig_until(&r, &o.n_done, 1, UP_MS);
    assert_int_equal(o.status, OK);
    assert_true(o.equal);
    /* Such a network sees regions only: it has no letterbox. */
    assert_int_equal(cards_detect(r.cards, r.arena, 2, &r.surface, on_crops, &none), OK);
    rig_until(&r, &none.n_done, 1, UP_MS);
    assert_int_equal(none.status, ERR_USAGE);
    rig_fini(&r);
}

static void regions_equal_reference_crops_and_network(void **state) {
    (void)state;
    regions_equal_reference("-stretch");
}

/* As networks made elsewhere want their input. */
static void regions_are_normalised_where_the_network_asks_for_it(void **state) {
    (void)state;
    regions_equal_reference("-table");
}

/* And the other way round: a detector's input is no crop. */
static void regions_are_refused_by_a_detector(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, "");
    rig_start(&r, 1, 10000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    struct crops_outcome o = {.rig = &r};
    many_rois(o.rois);
    assert_int_equal(cards_regions(r.cards, r.arena, 2, &r.surface, o.rois, 1, on_crops, &o), OK);
    rig_until(&r, &o.n_done, 1, UP_MS);
    assert_int_equal(o.status, ERR_USAGE);
    rig_fini(&r);
}

static void requests_that_make_no_sense_are_refused_at_once(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, "");
    rig_start(&r, 1, 10000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    struct wire_surface s = r.surface;
    const struct wire_roi outside = {RIG_W - 2, 0, 4, 4}, odd = {1, 0, 4, 4}, fine = {0, 0, 4, 4};
    assert_int_equal(cards_detect(r.cards, r.arena + 1, 0, &s, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_detect(r.cards, r.arena, RIG_SLOTS, &s, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_crops(r.cards, r.arena, 0, &s, &outside, 1, 8, 8, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_crops(r.cards, r.arena, 0, &s, &odd, 1, 8, 8, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_crops(r.cards, r.arena, 0, &s, &fine, 0, 8, 8, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_crops(r.cards, r.arena, 0, &s, &fine, 1, 4096, 4096, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_regions(r.cards, r.arena, 0, &s, &outside, 1, on_crops, &r), ERR_USAGE);
    assert_int_equal(cards_regions(r.cards, r.arena, 0, &s, &fine, 0, on_crops, &r), ERR_USAGE);
    s.uv_offset_bytes += 4096;
    assert_int_equal(cards_detect(r.cards, r.arena, 0, &s, on_crops, &r), ERR_USAGE);
    rig_fini(&r);
}

/* Submits four jobs on the plan given, and waits until all are answered. */
static void run_four(struct rig *r, struct outcome o[4], unsigned limit_ms) {
    unsigned n = 0;
    rig_until(r, &r->n_ready, 1, UP_MS);
    for (unsigned i = 0; i < 4; i++) {
        while (cards_room(r->cards) == 0) rig_until(r, &n, n + 1, limit_ms);
        rig_detect(r, &o[i], i, &n);
    }
    rig_until(r, &n, 4, limit_ms);
    for (unsigned i = 0; i < 4; i++) assert_int_equal(o[i].n_calls, 1);
}

static void all_were_right(const struct outcome o[4]) {
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(o[i].status, OK);
        assert_true(o[i].equal);
    }
}

static void killed_worker_is_restarted_and_its_jobs_are_done_exactly_once(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[4];
    struct cards_stats s;
    unsigned n = 0;
    /* Runs last long enough that the kill meets jobs in flight. */
    rig_init(&r, "[fault]\ndelay_pct = 100\ndelay_us = 300000\n");
    rig_start(&r, 1, 20000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    for (unsigned i = 0; i < 4; i++) {
        while (cards_room(r.cards) == 0) rig_until(&r, &n, n + 1, UP_MS);
        rig_detect(&r, &o[i], i, &n);
    }
    const unsigned before = n;
    assert_true(before < 4);
    assert_int_equal(kill(cards_pid(r.cards, 0), SIGKILL), 0);
    rig_until(&r, &n, 4, 2 * UP_MS);
    for (unsigned i = 0; i < 4; i++) assert_int_equal(o[i].n_calls, 1);
    all_were_right(o);
    cards_stats(r.cards, &s);
    assert_int_equal(s.n_restarts, 1);
    assert_int_equal(s.n_resubmitted, 4 - before);
    assert_int_equal(s.n_done, 4);
    assert_int_equal(s.n_failed, 0);
    assert_int_equal(r.n_ready, 2);
    rig_fini(&r);
}

static void abort_of_vart_is_an_ordinary_restart(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[4];
    struct cards_stats s;
    rig_init(&r, "[fault]\nabort_at = 2\nmax_fires = 1\n");
    rig_start(&r, 1, 10000);
    run_four(&r, o, UP_MS);
    all_were_right(o);
    cards_stats(r.cards, &s);
    assert_int_equal(s.n_restarts, 1);
    rig_fini(&r);
}

static void job_that_kills_three_workers_is_given_up_and_the_others_are_done(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[4];
    struct cards_stats s;
    /* The first run of every process aborts: the first process dies with all four, then one of them alone,
     * twice; three firings, so one job fails and three come through. */
    rig_init(&r, "[fault]\nabort_at = 1\nmax_fires = 3\n");
    rig_start(&r, 1, 10000);
    run_four(&r, o, 2 * UP_MS);
    unsigned n_failed = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (o[i].status == ERR_CARD)
            n_failed++;
        else
            assert_true(o[i].equal);
    }
    cards_stats(r.cards, &s);
    assert_int_equal(n_failed, 1);
    assert_int_equal(s.n_failed, 1);
    assert_int_equal(s.n_restarts, 3);
    rig_fini(&r);
}

static void hung_compute_unit_ends_its_worker_in_time(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[4];
    struct cards_stats s;
    rig_init(&r, "[fault]\nhang_at = 1\nmax_fires = 1\n");
    rig_start(&r, 1, 1500);
    run_four(&r, o, UP_MS);
    all_were_right(o);
    cards_stats(r.cards, &s);
    assert_int_equal(s.n_restarts, 1);
    rig_fini(&r);
}

static void lost_completion_is_found_by_the_time_limit(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[4];
    rig_init(&r, "[fault]\ndrop_at = 1\nmax_fires = 1\n");
    rig_start(&r, 1, 1500);
    run_four(&r, o, UP_MS);
    all_were_right(o);
    rig_fini(&r);
}

static void card_that_vanishes_comes_back_and_loses_no_job(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[4];
    struct cards_stats s;
    rig_init(&r, "[fault]\nvanish_at = 2\nvanish_ms = 2500\nmax_fires = 1\n");
    rig_start(&r, 1, 1500);
    run_four(&r, o, 2 * UP_MS);
    all_were_right(o);
    cards_stats(r.cards, &s);
    assert_true(s.n_restarts >= 1);
    assert_int_equal(r.n_dead, 0);
    rig_fini(&r);
}

/* Faults that a completion or a status shows: the run is done again on the same worker. */
static void wrong_answers_of_a_card_are_noticed_and_the_job_is_done_again(void **state) {
    (void)state;
    static const char *const plan[] = {
        "[fault]\nstatus_at = 2\n", "[fault]\nerror_at = 2\n",
        "[fault]\nshort_at = 2\n",  "[fault]\ncorrupt_at = 2\n",
        "[fault]\ndouble_at = 2\n", "[fault]\ndelay_pct = 50\ndelay_us = 20000\nseed = 5\n"};
    for (unsigned i = 0; i < sizeof plan / sizeof plan[0]; i++) {
        struct rig r;
        struct outcome o[4];
        struct cards_stats s;
        rig_init(&r, plan[i]);
        rig_start(&r, 1, 10000);
        run_four(&r, o, UP_MS);
        all_were_right(o);
        cards_stats(r.cards, &s);
        assert_int_equal(s.n_restarts, 0);
        assert_int_equal(s.n_resubmitted, i < 4 ? 1 : 0);
        rig_fini(&r);
    }
}

static void cancelled_jobs_call_nobody_and_free_their_arena(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[2], last;
    unsigned n = 0;
    uint32_t second;
    rig_init(&r, "[fault]\ndelay_pct = 100\ndelay_us = 100000\n");
    rig_start(&r, 1, 10000);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    rig_detect(&r, &o[0], 0, &n);
    rig_detect(&r, &o[1], 1, &n);
    cards_cancel(r.cards, &o[0]);
    cards_cancel(r.cards, &o[1]);
    cards_arena_drop(r.cards, r.arena);
    /* The same slots under a new number: the worker must still be alive and well. */
    assert_int_equal(cards_arena_add(r.cards, r.slots, &second), OK);
    r.arena = second;
    rig_detect(&r, &last, 3, &n);
    rig_until(&r, &n, 1, UP_MS);
    assert_int_equal(last.status, OK);
    assert_true(last.equal);
    assert_int_equal(o[0].n_calls + o[1].n_calls, 0);
    assert_int_equal(r.n_ready, 1);
    rig_fini(&r);
}

static void two_cards_share_the_work_and_one_may_die(void **state) {
    (void)state;
    struct rig r;
    struct outcome o[RIG_SLOTS];
    unsigned n = 0;
    struct cards_stats s;
    rig_init(&r, "[card]\ncards = 2\n[fault]\ndelay_pct = 100\ndelay_us = 50000\n");
    rig_start(&r, 2, 10000);
    rig_until(&r, &r.n_ready, 2, UP_MS);
    for (unsigned i = 0; i < RIG_SLOTS; i++) {
        while (cards_room(r.cards) == 0) rig_until(&r, &n, n + 1, UP_MS);
        rig_detect(&r, &o[i], i, &n);
        if (i == 4) assert_int_equal(kill(cards_pid(r.cards, 1), SIGKILL), 0);
    }
    rig_until(&r, &n, RIG_SLOTS, UP_MS);
    for (unsigned i = 0; i < RIG_SLOTS; i++) {
        assert_int_equal(o[i].n_calls, 1);
        assert_int_equal(o[i].status, OK);
        assert_true(o[i].equal);
    }
    cards_stats(r.cards, &s);
    assert_int_equal(s.n_done, RIG_SLOTS);
    rig_fini(&r);
}

/* What makes every worker refuse to start, each with its own words. */
static void what_is_missing_is_said_and_nothing_takes_its_place(void **state) {
    (void)state;
    static const struct {
        const char *toml, *text;
        enum err e;
        int what;
    } missing[] = {
        {"", "core library", ERR_MISSING, 'c'},
        {"", "runner library", ERR_MISSING, 'r'},
        {"", "xclbin", ERR_CORRUPT, 'x'},
        {"", "model", ERR_CORRUPT, 'm'},
        {"[card]\ncards = 0\n", "no such card", ERR_CARD, 0},
        {"[card]\ncardz = 1\n", "no such card", ERR_CARD, 0},
    };
    for (unsigned i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        struct rig r;
        rig_init(&r, missing[i].toml);
        if (missing[i].what == 'c') snprintf(r.sim + strlen(r.sim), 8, "/none");
        if (missing[i].what == 'r') snprintf(r.runner, sizeof r.runner, "/nonexistent/librunner.so");
        if (missing[i].what == 'x') snprintf(r.xclbin, sizeof r.xclbin, "%s", r.exe);
        if (missing[i].what == 'm') snprintf(r.model, sizeof r.model, "/nonexistent");
        rig_start(&r, 1, 10000);
        rig_until(&r, &r.n_dead, 1, UP_MS);
        assert_int_equal(r.dead, missing[i].e);
        assert_non_null(strstr(r.dead_text, missing[i].text));
        assert_int_equal(r.n_ready, 0);
        assert_int_equal(cards_room(r.cards), 0);
        assert_int_equal(cards_detect(r.cards, r.arena, 0, &r.surface, on_crops, &r), ERR_CARD);
        if (missing[i].what == 'c') r.sim[strlen(r.sim) - 5] = '\0';
        rig_fini(&r);
    }
}

static void program_that_is_no_card_worker_is_given_up(void **state) {
    (void)state;
    struct rig r;
    rig_init(&r, "");
    snprintf(r.exe, sizeof r.exe, "/nonexistent/relecture-card");
    rig_start(&r, 1, 10000);
    rig_until(&r, &r.n_dead, 1, UP_MS);
    assert_int_equal(r.dead, ERR_IO);
    rig_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_says_what_it_loaded),
        cmocka_unit_test(detection_equals_reference_kernel_and_network),
        cmocka_unit_test(crops_equal_reference),
        cmocka_unit_test(regions_equal_reference_crops_and_network),
        cmocka_unit_test(regions_are_normalised_where_the_network_asks_for_it),
        cmocka_unit_test(regions_are_refused_by_a_detector),
        cmocka_unit_test(requests_that_make_no_sense_are_refused_at_once),
        cmocka_unit_test(killed_worker_is_restarted_and_its_jobs_are_done_exactly_once),
        cmocka_unit_test(abort_of_vart_is_an_ordinary_restart),
        cmocka_unit_test(job_that_kills_three_workers_is_given_up_and_the_others_are_done),
        cmocka_unit_test(hung_compute_unit_ends_its_worker_in_time),
        cmocka_unit_test(lost_completion_is_found_by_the_time_limit),
        cmocka_unit_test(card_that_vanishes_comes_back_and_loses_no_job),
        cmocka_unit_test(wrong_answers_of_a_card_are_noticed_and_the_job_is_done_again),
        cmocka_unit_test(cancelled_jobs_call_nobody_and_free_their_arena),
        cmocka_unit_test(two_cards_share_the_work_and_one_may_die),
        cmocka_unit_test(what_is_missing_is_said_and_nothing_takes_its_place),
        cmocka_unit_test(program_that_is_no_card_worker_is_given_up),
    };
    return cmocka_run_group_tests_name("cards", tests, NULL, NULL);
}
