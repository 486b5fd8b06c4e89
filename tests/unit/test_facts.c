/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/register.h"
#include "host/evidence/facts.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static char dir[64];
static struct register_db *r;

static void line(const char *at, const char *action, const char *detail) {
    int64_t ms;
    uint64_t seq;
    assert_int_equal(clock_parse(at, &ms), OK);
    clock_fake(ms);
    const struct journal_entry e = {"jeanne.martin", "operator", action, "2026-0001", "gare-01", detail};
    assert_int_equal(journal_add(r, &e, &seq), OK);
}

static int setup(void **state) {
    (void)state;
    if (!tmpdir_make(dir, sizeof dir) || register_open(dir, true, &r) != OK) return -1;
    line("2026-12-31T22:59:59Z", "case.open", "{}");
    line("2026-12-31T22:59:59Z", "search",
         "{\"asked\":{\"sentence\":\"fourgon blanc\"},\"total\":3,\"coverage\":{\"searched_h\":2.5}}");
    line("2026-12-31T23:00:00Z", "search",
         "{\"total\":1,\"coverage\":{\"searched_h\":1.5}}"); /* 2027 in Paris */
    line("2027-01-02T10:00:00Z", "search.refused", "{\"code\":\"refused_word\"}");
    line("2027-01-02T10:00:00Z", "search", "{\"code\":\"outside_period\"}");
    line("2027-01-02T10:00:00Z", "view", "{\"from_ms\":0,\"to_ms\":1800000}");
    line("2027-01-02T10:00:00Z", "view", "{\"from_ms\":0,\"to_ms\":-5}");
    line("2027-01-02T10:00:00Z", "decide", "{\"state\":\"confirmed\"}");
    line("2027-01-02T10:00:00Z", "decide", "{\"state\":\"rejected\"}");
    line("2027-01-02T10:00:00Z", "seal.built", "{\"state\":\"ready\"}");
    line("2027-01-02T10:00:00Z", "seal.built", "{\"state\":\"failed\"}");
    line("2027-02-02T10:00:00Z", "purge", "{\"recordings\":4,\"sightings\":90}");
    line("2027-02-02T10:00:00Z", "odd", "not json");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    register_close(&r);
    clock_fake(0);
    tmpdir_remove(dir);
    return 0;
}

static json_int_t number(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    assert_non_null(v);
    return json_integer_value(v);
}

static void year_is_counted_in_the_site_s_zone(void **state) {
    (void)state;
    json_t *y = facts_year_json(r, "Europe/Paris", 2026);
    assert_non_null(y);
    assert_int_equal(number(y, "searches"), 1);
    assert_int_equal(number(y, "cases"), 1);
    assert_true(json_number_value(json_object_get(y, "searched_camera_h")) == 2.5);
    json_decref(y);
    y = facts_year_json(r, "Europe/Paris", 2027);
    assert_int_equal(number(y, "searches"), 1);
    assert_int_equal(number(y, "refusals"), 2);
    assert_int_equal(number(json_object_get(y, "refusals_by_reason"), "refused_word"), 1);
    assert_int_equal(number(json_object_get(y, "refusals_by_reason"), "outside_period"), 1);
    assert_int_equal(number(y, "extracts_played"), 2);
    assert_int_equal(number(y, "confirmed"), 1);
    assert_int_equal(number(y, "rejected"), 1);
    assert_int_equal(number(y, "seals"), 1);
    assert_int_equal(number(y, "erased_recordings"), 4);
    assert_int_equal(number(y, "erased_sightings"), 90);
    assert_true(json_number_value(json_object_get(y, "watched_h")) == 0.5);
    assert_true(json_number_value(json_object_get(y, "saved_h")) == 1.0);
    json_decref(y);
    y = facts_year_json(r, "Europe/Paris", 2030);
    assert_int_equal(number(y, "searches"), 0);
    json_decref(y);
    assert_null(facts_year_json(r, "Europe/Nowhere", 2026));
}

static void figures_hold_nobody_and_nothing_that_was_asked(void **state) {
    (void)state;
    struct vocab *v;
    assert_int_equal(vocab_load("host/vocabulary.json", &v), OK);
    const struct facts_context ctx = {.r = r,
                                      .version = "0",
                                      .tz = "Europe/Paris",
                                      .site_allowed = "none",
                                      .retention_days = 30,
                                      .journal_years = 3,
                                      .vocab = v};
    json_t *both[] = {facts_year_json(r, "Europe/Paris", 2026), facts_json(&ctx)};
    for (int i = 0; i < 2; i++) {
        char *text = json_dumps(both[i], 0);
        assert_non_null(text);
        static const char *const secret[] = {"jeanne", "martin", "2026-0001", "gare-01", "fourgon"};
        for (size_t k = 0; k < sizeof secret / sizeof secret[0]; k++) assert_null(strstr(text, secret[k]));
        free(text);
    }
    vocab_free(&v);
    json_decref(both[0]);
    json_decref(both[1]);
}

/* The members that API.md promises, each of its kind. */
static void facts_have_their_shape(void **state) {
    (void)state;
    struct vocab *v;
    assert_int_equal(vocab_load("host/vocabulary.json", &v), OK);
    const struct facts_context ctx = {.r = r,
                                      .version = "0",
                                      .tz = "Europe/Paris",
                                      .site_allowed = "none",
                                      .retention_days = 30,
                                      .journal_years = 3,
                                      .vocab = v};
    json_t *f = facts_json(&ctx);
    assert_non_null(f);
    static const char *const lists[] = {"purposes", "legal_bases", "data",  "attributes",
                                        "excluded", "security",    "months"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        assert_true(json_array_size(json_object_get(f, lists[i])) > 0);
    assert_int_equal(number(json_object_get(f, "durations"), "footage_days"), 30);
    assert_int_equal(number(json_object_get(f, "durations"), "journal_years"), 3);
    assert_int_equal(json_object_size(json_object_get(f, "roles")), 5);
    const json_t *months = json_object_get(f, "months");
    assert_int_equal(json_array_size(months), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(months, 0), "month")), "2026-12");
    json_decref(f);
    vocab_free(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(year_is_counted_in_the_site_s_zone),
        cmocka_unit_test(figures_hold_nobody_and_nothing_that_was_asked),
        cmocka_unit_test(facts_have_their_shape),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
