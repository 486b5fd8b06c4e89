/* SPDX-License-Identifier: Apache-2.0 */
/* Every fault that the simulated card knows, through the shipped card worker and cards.c: the results are
 * those of a card without faults, each job is answered once, what happened is counted, nothing waits past its
 * time limit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "host/base/clock.h"
#include "tests/seam/rig.h"
#include "tests/support/test.h"

#define UP_MS          20000 /* a sanitizer's worker on a busy machine takes seconds to come up */
#define JOB_TIMEOUT_MS 1500u
#define LONG_MS        60000u

/* How often the plan's fault fired, by the simulator's own record; "" = any. */
static unsigned fired(const struct rig *r, const char *name) {
    char path[256], line[64];
    unsigned n = 0;
    snprintf(path, sizeof path, "%s/faults", r->sim);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        n += *name == '\0' || strcmp(line, name) == 0;
    }
    assert_int_equal(fclose(f), 0);
    return n;
}

/* Detections of `n_jobs` surfaces in turn, as many at once as there is room; all must be right. */
static void detect_all(struct rig *r, unsigned n_jobs, unsigned limit_ms) {
    struct outcome *o = calloc(n_jobs, sizeof *o);
    unsigned n = 0;
    assert_non_null(o);
    rig_until(r, &r->n_ready, 1, limit_ms);
    for (unsigned i = 0; i < n_jobs; i++) {
        const uint64_t end = clock_mono_ns() + (uint64_t)limit_ms * 1000000u;
        while (cards_room(r->cards) == 0) {
            if (clock_mono_ns() > end) fail_msg("no room after %u ms", limit_ms);
            rig_turn(r);
        }
        rig_detect(r, &o[i], i % RIG_SLOTS, &n);
    }
    rig_until(r, &n, n_jobs, limit_ms);
    for (unsigned i = 0; i < n_jobs; i++) {
        if (o[i].status != OK || !o[i].equal || o[i].n_calls != 1)
            fail_msg("job %u: status %d, equal %d, calls %u", i, (int)o[i].status, o[i].equal, o[i].n_calls);
    }
    free(o);
}

struct plan {
    const char *fault; /* as in the simulator's record */
    const char *keys;
    unsigned n_restarts;
    bool again; /* a job was submitted again */
};

static void try_plan(const struct plan *p) {
    struct rig r;
    struct cards_stats s;
    char toml[256];
    snprintf(toml, sizeof toml, "[fault]\nmax_fires = 1\n%s", p->keys);
    rig_init(&r, toml);
    rig_start(&r, 1, JOB_TIMEOUT_MS);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    const uint64_t begun = clock_mono_ns();
    detect_all(&r, 6, UP_MS);
    const uint64_t ms = (clock_mono_ns() - begun) / 1000000;
    cards_stats(r.cards, &s);
    if (fired(&r, p->fault) != 1 || s.n_restarts != p->n_restarts || (s.n_resubmitted > 0) != p->again)
        fail_msg("%s fired %u times; restarts %llu, resubmitted %llu", p->fault, fired(&r, p->fault),
                 (unsigned long long)s.n_restarts, (unsigned long long)s.n_resubmitted);
    assert_int_equal(s.n_failed, 0);
    assert_int_equal(s.n_done, 6);
    assert_true(ms < UP_MS);
    rig_fini(&r);
}

#define TEST(name, ...)                                                                                      \
    static void name(void **state) {                                                                         \
        (void)state;                                                                                         \
        try_plan(&(const struct plan){__VA_ARGS__});                                                         \
    }

/* Told wrongly, computed right: nothing is done again. */
TEST(doubled_completion_changes_nothing, "double", "double_at = 2\n", 0, false)
TEST(reordered_completions_change_nothing, "reorder", "reorder_at = 1\n", 0, false)
/* A wrong answer: the same worker does the job again. */
TEST(failed_run_is_done_again, "error", "error_at = 2\n", 0, true)
TEST(flipped_status_is_noticed, "status", "status_at = 2\n", 0, true)
TEST(short_write_is_noticed_by_its_checksum, "short", "short_at = 2\n", 0, true)
TEST(flipped_bit_of_a_transfer_is_noticed_by_its_checksum, "corrupt", "corrupt_at = 2\n", 0, true)
TEST(failed_network_job_is_done_again, "dpu_error", "dpu_error_at = 2\n", 0, true)
TEST(flipped_bit_of_a_network_result_is_noticed, "dpu_corrupt", "dpu_corrupt_at = 2\n", 0, true)
/* No answer, or no worker: a new one does it. */
TEST(hung_compute_unit_costs_one_worker, "hang", "hang_at = 2\n", 1, true)
TEST(dropped_completion_costs_one_worker, "drop", "drop_at = 2\n", 1, true)
TEST(hung_network_job_costs_one_worker, "dpu_hang", "dpu_hang_at = 2\n", 1, true)
TEST(abort_in_a_run_costs_one_worker, "abort", "abort_at = 2\n", 1, true)
TEST(abort_in_a_network_job_costs_one_worker, "dpu_abort", "dpu_abort_at = 2\n", 1, true)
TEST(memory_refused_at_the_start_costs_one_start, "oom", "oom_at = 1\n", 1, false)

static void delayed_completions_change_nothing(void **state) {
    (void)state;
    struct rig r;
    struct cards_stats s;
    rig_init(&r, "[fault]\ndelay_pct = 50\ndelay_us = 20000\nseed = 5\n");
    rig_start(&r, 1, JOB_TIMEOUT_MS);
    detect_all(&r, RIG_SLOTS, UP_MS);
    cards_stats(r.cards, &s);
    assert_int_equal(s.n_restarts + s.n_resubmitted + s.n_failed, 0);
    rig_fini(&r);
}

static void card_that_disappears_and_comes_back_loses_no_job(void **state) {
    (void)state;
    struct rig r;
    struct cards_stats s;
    rig_init(&r, "[fault]\nmax_fires = 1\nvanish_at = 2\nvanish_ms = 2500\n");
    rig_start(&r, 1, JOB_TIMEOUT_MS);
    detect_all(&r, 6, LONG_MS);
    cards_stats(r.cards, &s);
    assert_int_equal(fired(&r, "vanish"), 1);
    assert_true(s.n_restarts >= 1 && s.n_resubmitted >= 1);
    assert_int_equal(s.n_done, 6);
    assert_int_equal(s.n_failed + r.n_dead, 0);
    rig_fini(&r);
}

static void job_that_always_ends_badly_is_given_up(void **state) {
    (void)state;
    struct rig r;
    struct outcome o;
    struct cards_stats s;
    unsigned n = 0;
    rig_init(&r, "[fault]\nerror_pct = 100\n");
    rig_start(&r, 1, JOB_TIMEOUT_MS);
    rig_until(&r, &r.n_ready, 1, UP_MS);
    rig_detect(&r, &o, 0, &n);
    rig_until(&r, &n, 1, UP_MS);
    cards_stats(r.cards, &s);
    assert_int_equal(o.status, ERR_CARD);
    assert_int_equal(fired(&r, "error"), 8);
    assert_int_equal(s.n_resubmitted, 7);
    assert_int_equal(s.n_failed, 1);
    assert_int_equal(s.n_restarts, 0);
    rig_fini(&r);
}

struct crops_outcome {
    struct rig *rig;
    struct wire_roi roi;
    unsigned n_done;
    bool equal;
};

static void on_crops(const struct cards_result *res, void *arg) {
    struct crops_outcome *o = arg;
    uint32_t n;
    uint8_t *want = rig_expect_crops(o->rig, 0, &o->roi, 1, 40, 24, &n);
    o->equal = res->status == OK && n == res->n_bytes && memcmp(want, res->out, n) == 0;
    free(want);
    o->n_done++;
}

/* Crops need a buffer only when they come; which number that has depends on the lanes. */
static void memory_refused_to_a_job_is_asked_for_again(void **state) {
    (void)state;
    bool met = false;
    for (unsigned at = 6; at < 24 && !met; at++) {
        struct rig r;
        struct cards_stats s;
        char toml[64];
        snprintf(toml, sizeof toml, "[fault]\nmax_fires = 1\noom_at = %u\n", at);
        rig_init(&r, toml);
        rig_start(&r, 1, JOB_TIMEOUT_MS);
        rig_until(&r, &r.n_ready, 1, UP_MS);
        struct crops_outcome o = {.rig = &r, .roi = {0, 0, 64, 64}};
        assert_int_equal(cards_crops(r.cards, r.arena, 0, &r.surface, &o.roi, 1, 40, 24, on_crops, &o), OK);
        rig_until(&r, &o.n_done, 1, UP_MS);
        assert_true(o.equal);
        cards_stats(r.cards, &s);
        met = s.n_restarts == 0 && s.n_resubmitted == 1;
        rig_fini(&r);
    }
    assert_true(met);
}

/* A long run of everything at once on two cards; the same worker meets faults over and over. */
static void mixture_of_all_faults_on_two_cards_gives_the_results_of_none(void **state) {
    (void)state;
    struct rig r;
    struct cards_stats s;
    rig_init(&r, "[card]\ncards = 2\n[fault]\nseed = 2026\n"
                 "status_pct = 1\nerror_pct = 1\nshort_pct = 1\ncorrupt_pct = 1\ndouble_pct = 4\n"
                 "reorder_pct = 1\ndelay_pct = 10\ndelay_us = 5000\ndpu_error_pct = 1\n"
                 "dpu_corrupt_pct = 1\nhang_at = 53\ndrop_at = 59\nabort_at = 67\ndpu_abort_at = 47\n");
    rig_start(&r, 2, JOB_TIMEOUT_MS);
    rig_until(&r, &r.n_ready, 2, UP_MS);
    detect_all(&r, 150, LONG_MS);
    cards_stats(r.cards, &s);
    assert_int_equal(s.n_failed, 0);
    assert_int_equal(s.n_done, 150);
    assert_true(s.n_restarts >= 2);
    assert_true(fired(&r, "") >= 10 && s.n_resubmitted >= 5);
    rig_fini(&r);
}

static void same_plan_gives_the_same_faults(void **state) {
    (void)state;
    unsigned n[2][3];
    for (unsigned i = 0; i < 2; i++) {
        struct rig r;
        rig_init(&r, "[fault]\nseed = 7\nstatus_pct = 10\nerror_pct = 10\ndpu_error_pct = 10\n");
        rig_start(&r, 1, JOB_TIMEOUT_MS);
        for (unsigned k = 0; k < 20; k++)
            detect_all(&r, 1, UP_MS); /* one at a time, so that runs are in order */
        n[i][0] = fired(&r, "status");
        n[i][1] = fired(&r, "error");
        n[i][2] = fired(&r, "dpu_error");
        assert_true(n[i][0] + n[i][1] + n[i][2] >= 2);
        rig_fini(&r);
    }
    assert_memory_equal(n[0], n[1], sizeof n[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delayed_completions_change_nothing),
        cmocka_unit_test(doubled_completion_changes_nothing),
        cmocka_unit_test(reordered_completions_change_nothing),
        cmocka_unit_test(failed_run_is_done_again),
        cmocka_unit_test(flipped_status_is_noticed),
        cmocka_unit_test(short_write_is_noticed_by_its_checksum),
        cmocka_unit_test(flipped_bit_of_a_transfer_is_noticed_by_its_checksum),
        cmocka_unit_test(failed_network_job_is_done_again),
        cmocka_unit_test(flipped_bit_of_a_network_result_is_noticed),
        cmocka_unit_test(hung_compute_unit_costs_one_worker),
        cmocka_unit_test(dropped_completion_costs_one_worker),
        cmocka_unit_test(hung_network_job_costs_one_worker),
        cmocka_unit_test(abort_in_a_run_costs_one_worker),
        cmocka_unit_test(abort_in_a_network_job_costs_one_worker),
        cmocka_unit_test(memory_refused_at_the_start_costs_one_start),
        cmocka_unit_test(memory_refused_to_a_job_is_asked_for_again),
        cmocka_unit_test(card_that_disappears_and_comes_back_loses_no_job),
        cmocka_unit_test(job_that_always_ends_badly_is_given_up),
        cmocka_unit_test(same_plan_gives_the_same_faults),
        cmocka_unit_test(mixture_of_all_faults_on_two_cards_gives_the_results_of_none),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
