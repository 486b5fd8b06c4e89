/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/hold.h"
#include "host/evidence/signer.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define START_MS 1795000000000
#define DAY_MS   HOLD_DAY_MS

struct ctx {
    char dir[64], id[40];
    struct register_db *r;
};

static int setup(void **state) {
    struct ctx *c = calloc(1, sizeof *c);
    if (!c || !tmpdir_make(c->dir, sizeof c->dir)) return -1;
    clock_fake(START_MS);
    *state = c;
    if (register_open(c->dir, true, &c->r) != OK) return -1;
    struct camera k = {.id = "gare-01", .name = "Gare", .heading_deg = -1, .fov_deg = -1};
    uint16_t one[] = {1};
    struct case_file f = {.requisition = "PV",
                          .authority = "OPJ",
                          .basis = "CPP 60-1",
                          .criteria = "all",
                          .from_ms = START_MS - DAY_MS,
                          .to_ms = START_MS,
                          .cameras = one,
                          .n_cameras = 1};
    if (camera_add(c->r, &k) != OK || case_open(c->r, &f) != OK) return -1;
    snprintf(c->id, sizeof c->id, "%s", f.id);
    return 0;
}

static int teardown(void **state) {
    struct ctx *c = *state;
    register_close(&c->r);
    clock_fake(0);
    tmpdir_remove(c->dir);
    free(c);
    return 0;
}

static unsigned n_held(struct ctx *c, int64_t now_ms) {
    struct held_case *h;
    unsigned n;
    assert_int_equal(register_held_cases(c->r, now_ms, &h, &n), OK);
    held_cases_free(h, n);
    return n;
}

static unsigned n_ended(struct ctx *c, int64_t now_ms, bool *hard_stop) {
    struct ended_case *e;
    unsigned n;
    assert_int_equal(register_ended_cases(c->r, now_ms, &e, &n), OK);
    if (n) *hard_stop = e[0].hard_stop;
    free(e);
    return n;
}

static void hold_keeps_a_case_until_its_end_and_no_longer(void **state) {
    struct ctx *c = *state;
    bool hard;
    assert_int_equal(n_held(c, START_MS), 0);
    assert_int_equal(hold_set(c->r, c->id, START_MS + 60 * DAY_MS, "instruction en cours", "chef.1"), OK);
    assert_int_equal(n_held(c, START_MS + 59 * DAY_MS), 1);
    assert_int_equal(n_held(c, START_MS + 60 * DAY_MS), 0);
    /* The case itself expired after 30 days. */
    assert_int_equal(n_ended(c, START_MS + 59 * DAY_MS, &hard), 0);
    assert_int_equal(n_ended(c, START_MS + 60 * DAY_MS, &hard), 1);
    assert_false(hard);
}

static void hold_needs_an_end_a_reason_and_a_case(void **state) {
    struct ctx *c = *state;
    assert_int_equal(hold_set(c->r, c->id, START_MS, "x", "u"), ERR_USAGE);
    assert_int_equal(hold_set(c->r, c->id, START_MS + 1097 * DAY_MS, "x", "u"), ERR_USAGE);
    assert_int_equal(hold_set(c->r, c->id, START_MS + DAY_MS, "", "u"), ERR_USAGE);
    assert_int_equal(hold_set(c->r, c->id, START_MS + DAY_MS, "a\nb", "u"), ERR_USAGE);
    assert_int_equal(hold_set(c->r, "2026-0099", START_MS + DAY_MS, "x", "u"), ERR_MISSING);
    assert_int_equal(n_held(c, START_MS), 0);
}

static void hold_that_was_released_keeps_nothing(void **state) {
    struct ctx *c = *state;
    struct hold *list;
    unsigned n;
    assert_int_equal(hold_release(c->r, c->id, "chef.1"), ERR_MISSING);
    assert_int_equal(hold_set(c->r, c->id, START_MS + 60 * DAY_MS, "x", "u"), OK);
    clock_fake(START_MS + DAY_MS);
    assert_int_equal(hold_release(c->r, c->id, "chef.1"), OK);
    assert_int_equal(n_held(c, START_MS + 2 * DAY_MS), 0);
    assert_int_equal(hold_list(c->r, &list, &n), OK); /* but is remembered */
    assert_int_equal(n, 1);
    assert_int_equal(list[0].released_ms, START_MS + DAY_MS);
    free(list);
}

static void footage_of_another_case_inside_a_held_perimeter_is_held_too(void **state) {
    struct ctx *c = *state;
    struct held_case *h;
    unsigned n;
    assert_int_equal(hold_set(c->r, c->id, START_MS + 60 * DAY_MS, "x", "u"), OK);
    assert_int_equal(register_held_cases(c->r, START_MS, &h, &n), OK);
    assert_true(held_cases_have(h, n, c->id, 7, 0, 1)); /* brought in for it */
    assert_true(held_cases_have(h, n, "2026-0002", 1, START_MS - 1, START_MS + 1000));
    assert_false(held_cases_have(h, n, "2026-0002", 1, START_MS, START_MS + 1000)); /* after the period */
    assert_false(held_cases_have(h, n, "2026-0002", 1, START_MS - 2 * DAY_MS, START_MS - DAY_MS));
    assert_false(held_cases_have(h, n, "2026-0002", 2, START_MS - 1, START_MS));
    held_cases_free(h, n);
}

static void three_years_end_a_case_even_on_hold(void **state) {
    struct ctx *c = *state;
    bool hard = false;
    const int64_t stop = START_MS + HOLD_CASE_MAX_DAYS * DAY_MS;
    assert_int_equal(hold_set(c->r, c->id, stop, "x", "u"), OK);
    assert_int_equal(n_ended(c, stop - 1, &hard), 0);
    assert_int_equal(n_held(c, stop - 1), 1);
    assert_int_equal(n_ended(c, stop, &hard), 1);
    assert_true(hard);
    assert_int_equal(n_held(c, stop), 0);
}

static void closed_case_is_told_once_and_its_receipt_is_signed(void **state) {
    struct ctx *c = *state;
    struct signer *s;
    struct receipt *list;
    unsigned n;
    bool hard;
    int64_t id;
    assert_int_equal(case_close(c->r, c->id, "chef.1"), OK);
    assert_int_equal(n_ended(c, START_MS, &hard), 1);
    assert_int_equal(signer_open(c->dir, &s), OK);
    const struct journal_signer js = signer_for_journal(s);
    assert_int_equal(receipt_add(c->r, &js, "case_end", c->id, "{\"recordings\":2}", &id), OK);
    assert_int_equal(n_ended(c, START_MS, &hard), 0);
    assert_int_equal(receipt_list(c->r, &list, &n), OK);
    assert_int_equal(n, 1);
    assert_non_null(strstr(list[0].text, "counts {\"recordings\":2}\n"));
    assert_true(list[0].n_signature >= 384);
    receipts_free(list, n);
    signer_close(&s);
}

static void clock_set_back_keeps_nothing_longer(void **state) {
    struct ctx *c = *state;
    int64_t now;
    assert_int_equal(retention_now(c->r, false, &now), OK);
    assert_int_equal(now, START_MS);
    clock_fake(START_MS + 3 * DAY_MS);
    assert_int_equal(retention_now(c->r, false, &now), OK);
    clock_fake(START_MS - 300 * DAY_MS);
    assert_int_equal(retention_now(c->r, false, &now), OK);
    assert_int_equal(now, START_MS + 3 * DAY_MS);
}

static void clock_that_leaps_ahead_erases_nothing_until_confirmed(void **state) {
    struct ctx *c = *state;
    int64_t now = 7;
    assert_int_equal(retention_now(c->r, false, &now), OK);
    clock_fake(START_MS + 400 * DAY_MS);
    now = 7;
    assert_int_equal(retention_now(c->r, false, &now), ERR_DENIED);
    assert_int_equal(now, 7);
    clock_fake(START_MS + DAY_MS); /* put right: no confirmation was needed */
    assert_int_equal(retention_now(c->r, false, &now), OK);
    clock_fake(START_MS + 40 * DAY_MS); /* a machine that was off */
    assert_int_equal(retention_now(c->r, true, &now), OK);
    assert_int_equal(now, START_MS + 40 * DAY_MS);
    assert_int_equal(retention_now(c->r, false, &now), OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hold_keeps_a_case_until_its_end_and_no_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(hold_needs_an_end_a_reason_and_a_case, setup, teardown),
        cmocka_unit_test_setup_teardown(hold_that_was_released_keeps_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(footage_of_another_case_inside_a_held_perimeter_is_held_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(three_years_end_a_case_even_on_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_case_is_told_once_and_its_receipt_is_signed, setup, teardown),
        cmocka_unit_test_setup_teardown(clock_set_back_keeps_nothing_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(clock_that_leaps_ahead_erases_nothing_until_confirmed, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
